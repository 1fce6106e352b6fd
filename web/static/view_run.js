/* A run: one that has ended, read from its record; or one that goes on, as its steps arrive. */
"use strict";
globalThis.Longshot ??= {};

(function (L) {
  const h = (...all) => L.h(...all);

  L.views ??= {};
  L.views.run = async function run(page, { id }) {
    const record = await L.api(`/v1/runs/${encodeURIComponent(id)}`);
    const place = h("div.run-place");
    page.show(record.question, place, { whole: true });
    const view = render(place, record, { actions: actions(record, page) });
    return () => view.destroy();
  };

  /** A job that asks: the run view begins as soon as the run has a number. */
  L.views.job = async function job(page, { id }) {
    const begun = await L.api(`/v1/jobs/${encodeURIComponent(id)}`);
    const line = h("ul.jobs", { role: "status" });
    const place = h("div.run-place");
    page.show(begun.title, line, place, { whole: true });
    const { video_id: videoId } = begun;
    const film = videoId ? await L.api(`/v1/videos/${videoId}`).catch(() => null) : null;
    let view = null;
    let record = null;
    const stop = () => L.api(`/v1/jobs/${id}`, { method: "DELETE" }).catch(page.fail);
    const changed = () => view && view.update(record);
    const leave = L.follow(id, {
      job: (state) => {
        const over = ["done", "failed", "stopped"].includes(state.state);
        L.fill(line, state.state === "done" ? null : L.jobLine(over ? { ...state, run_id: null } : { ...state, run_id: null }, { onStop: stop }));
        if (over && state.run_id) finish(page, state, view);
      },
      lost: () => page.fail(new Error("The server does not know this question any more; the run is among the runs.")),
      run: (run) => {
        record = { ...run, steps: [], answer: null, film: { ...film, in_library: Boolean(film) } };
        view = render(place, record, { isLive: true });
      },
      step: (step) => {
        // A run that was broken off tells its first steps again.
        if (record.steps.some((each) => each.step === step.step)) return;
        record = { ...record, steps: [...record.steps, step] };
        changed();
      },
      answer: (answer) => {
        record = { ...record, answer, status: answer.status, stop_reason: answer.stop_reason };
        changed();
      },
    });
    return () => {
      leave();
      view?.destroy();
    };
  };

  /** The job is over: the address becomes that of its run, and what is shown stays where it is. */
  async function finish(page, state, view) {
    try {
      const record = await L.api(`/v1/runs/${state.run_id}`);
      view.end(actions(record, page));
      view.update(record);
      page.rename(`run/${state.run_id}`);
    } catch (error) {
      page.fail(error);
    }
  }

  function render(place, record, { actions: extra = null, isLive = false } = {}) {
    return L.renderRun(place, record, {
      frameUrl: L.frameUrl(record.id),
      stripUrl: L.stripUrl(record.film),
      player: L.player(record.film, `Film ${L.fileName(record.video)}`),
      actions: extra,
      isLive,
    });
  }

  function actions(record, page) {
    const again = record.film?.in_library
      ? h("a.quiet", { href: `#/film/${record.film.video_id}?q=${encodeURIComponent(record.question)}` }, "Ask again") : null;
    const resume = record.status === "running" && record.film?.in_library ? h("button.quiet", {
      type: "button",
      onclick: () => L.api(`/v1/runs/${record.id}/resume`, { method: "POST" })
        .then((job) => page.go(`job/${job.id}`)).catch(page.fail),
    }, "Go on with it") : null;
    const parent = record.parent
      ? h("a.quiet", { href: `#/compare/${record.parent.run}/${record.id}` }, "Compare with parent") : null;
    const lineage = L.lineageButton(record, { frameUrl: L.frameUrl(record.id) });
    return h("span.actions", {}, resume, again, parent, lineage, saveMenu(record));
  }

  const FORMS = [["html", "Report: one HTML file"], ["json", "JSON: the whole record"],
    ["atif", "ATIF 1.7"], ["otel", "OpenTelemetry (OTLP JSON)"], ["inspect", "Inspect log"]];

  /** The run's exports, as files to keep. */
  function saveMenu(record) {
    const list = h("ul.plain", {}, FORMS.map(([form, title]) => h("li", {},
      h("a", { href: `/v1/runs/${record.id}/export?format=${form}`, download: "" }, title))));
    const menu = h("details.menu", {}, h("summary.quiet", {}, "Save as"), list);
    const close = () => { menu.open = false; };
    // The header cuts off what is larger than it is: the list is placed in the window instead.
    menu.addEventListener("toggle", () => {
      const box = menu.firstElementChild.getBoundingClientRect();
      list.style.top = `${box.bottom + 4}px`;
      list.style.right = `${document.documentElement.clientWidth - box.right}px`;
    });
    menu.addEventListener("click", (event) => { if (event.target.closest("a")) close(); });
    menu.addEventListener("focusout", (event) => { if (event.relatedTarget && !menu.contains(event.relatedTarget)) close(); });
    menu.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !menu.open) return;
      close();
      menu.firstElementChild.focus();
      event.stopPropagation();
    });
    return menu;
  }
})(globalThis.Longshot);
