/* Addresses to views, the theme, and errors. An address is #/view/arguments?filters. */
"use strict";

(function (L) {
  const main = document.getElementById("main");
  const notice = document.getElementById("notice");
  let leave = null;
  let visit = 0;

  const page = {
    /** Put a view's parts on the page. The last argument may be {whole: true}: it fills the window. */
    show(title, ...parts) {
      const last = parts[parts.length - 1];
      const whole = Boolean(last) && last.whole === true;
      document.title = `${title.slice(0, 80)} · Longshot`;
      main.classList.toggle("whole", whole);
      L.fill(main, whole ? parts.slice(0, -1) : parts);
    },
    go(path, filters) {
      location.hash = address(path, filters);
    },
    /** Another address for what is shown already. */
    rename(path) {
      history.replaceState(null, "", `#/${path}`);
    },
    fail(error) {
      notice.replaceChildren(document.createTextNode(error.message ?? String(error)));
      const close = L.h("button", { type: "button", onclick: () => notice.replaceChildren() }, "Close");
      notice.append(close);
    },
  };

  function address(path, filters = {}) {
    const given = Object.entries(filters).filter(([, value]) => value !== "" && value !== null && value !== undefined);
    const query = new URLSearchParams(given).toString();
    return `#/${path}${query ? `?${query}` : ""}`;
  }

  function parse(hash) {
    const [path, query = ""] = hash.replace(/^#\/?/, "").split("?");
    const [name, ...rest] = path.split("/").map(decodeURIComponent);
    return { name: name || "library", arguments: { ...Object.fromEntries(new URLSearchParams(query)), id: rest[0], ids: rest } };
  }

  async function openAddress() {
    const mine = (visit += 1);
    const { name, arguments: given } = parse(location.hash);
    const view = L.views[name] ?? L.views.library;
    leave?.();
    leave = null;
    notice.replaceChildren();
    const section = { film: "library", run: "runs", job: "runs", compare: "runs" }[name] ?? name;
    for (const link of document.querySelectorAll("header nav a")) {
      if (link.getAttribute("href") === `#/${section}`) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    // A view that is overtaken by another one shows nothing any more.
    const guarded = { ...page, show: (...all) => mine === visit && page.show(...all), fail: (error) => mine === visit && page.fail(error), rename: (path) => mine === visit && page.rename(path) };
    try {
      const left = await view(guarded, given);
      if (mine === visit) leave = left;
      else left?.();
    } catch (error) {
      if (mine !== visit) return;
      page.show("Error", L.h("h1", {}, "That did not work"), L.h("p", {}, error.message));
    }
  }

  const THEMES = ["system", "light", "dark"];

  function theme() {
    return document.documentElement.dataset.theme ?? "system";
  }

  function setUpTheme() {
    const button = document.getElementById("theme");
    const label = () => (button.textContent = `Theme: ${theme()}`);
    button.addEventListener("click", () => {
      const next = THEMES[(THEMES.indexOf(theme()) + 1) % THEMES.length];
      if (next === "system") delete document.documentElement.dataset.theme;
      else document.documentElement.dataset.theme = next;
      localStorage.setItem("longshot-theme", next);
      document.dispatchEvent(new Event("longshot-theme"));
      label();
    });
    label();
  }

  document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault();
    main.focus();
  });
  addEventListener("hashchange", openAddress);
  setUpTheme();
  openAddress();
})(globalThis.Longshot);
