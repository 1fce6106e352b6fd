/* The list of runs with filters; two that are ticked can be compared. */
"use strict";
globalThis.Longshot ??= {};

(function (L) {
  const h = (...all) => L.h(...all);
  const PAGE = 50;

  L.views ??= {};
  L.views.runs = async function runs(page, filters) {
    const { videos } = await L.api("/v1/videos");
    const chosen = new Set();
    const rows = h("tbody");
    const compare = h("button", { type: "button", disabled: true, onclick: () => page.go(`compare/${[...chosen].join("/")}`) }, "Compare two");
    const more = h("button", { type: "button", hidden: true }, "More");
    const said = h("p.muted", { role: "status" });
    const tick = (id, box) => {
      if (box.checked) chosen.add(id);
      else chosen.delete(id);
      compare.disabled = chosen.size !== 2;
      compare.textContent = chosen.size === 2 ? "Compare the two" : `Compare two (${chosen.size} ticked)`;
    };
    let offset = 0;
    const load = async () => {
      const found = await L.api("/v1/runs", { query: { ...filters, limit: PAGE, offset } });
      L.put(rows, found.runs.map((run) => row(run, tick)));
      offset += found.runs.length;
      more.hidden = !found.more;
      said.textContent = offset ? `${L.count(offset, "run")}${found.more ? ", and more" : ""}` : "No run fits.";
    };
    more.addEventListener("click", () => load().catch(page.fail));
    page.show("Runs",
      h("div.page-head", {}, h("h1", {}, "Runs"), filterForm(filters, videos, page), compare), said,
      h("div.table-box", {}, h("table.runs", {},
        h("thead", {}, h("tr", {}, ["", "Question", "Answer", "Status", "Film", "Cost", "When"].map((name) =>
          h("th", { scope: "col" }, name || h("span.visually-hidden", {}, "Compare"))))),
        rows)), more);
    await load();
    return null;
  };

  function filterForm(filters, videos, page) {
    const text = h("input", { type: "search", value: filters.text ?? "", "aria-label": "In the question or the answer", placeholder: "question or answer" });
    const film = L.filmChoice(videos, filters.video, { "aria-label": "Film" });
    const status = h("select", { "aria-label": "Status" }, ["", "answered", "not_found", "out_of_budget", "running"].map((value) => {
      const option = h("option", { value }, value ? L.STATUS[value] : "any status");
      option.selected = value === (filters.status ?? "");
      return option;
    }));
    const go = () => page.go("runs", { text: text.value, video: film.value, status: status.value });
    film.addEventListener("change", go);
    status.addEventListener("change", go);
    return h("form.line", { role: "search", onsubmit: (event) => (event.preventDefault(), go()) }, text, film, status, h("button", {}, "Filter"));
  }

  function row(run, tick) {
    const box = h("input", { type: "checkbox", "aria-label": `Compare: ${run.question.slice(0, 80)}` });
    box.addEventListener("change", () => tick(run.id, box));
    const usage = run.usage ?? {};
    return h("tr", {},
      h("td", {}, box),
      h("td.question", {}, h("a", { href: `#/run/${run.id}` }, run.question)),
      h("td.reply-cell", {}, run.reply ?? "", run.reply && run.confidence !== null ? h("span.muted", {}, ` ${run.confidence.toFixed(2)}`) : null),
      h("td", {}, L.statusBadge(run.status, run.kind)),
      h("td.film-cell", { title: run.video }, L.fileName(run.video)),
      h("td.number", {}, usage.calls ? `${L.number(usage.visual_tokens)} tokens, ${usage.seconds.toFixed(1)} s` : ""),
      h("td.number", {}, h("time", { datetime: run.started_at }, new Date(run.started_at).toLocaleString("en-GB", { dateStyle: "short", timeStyle: "short" }))));
  }
})(globalThis.Longshot);
