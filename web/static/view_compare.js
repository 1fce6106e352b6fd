/* Two runs side by side: answers and costs, their timelines moving together, their steps in rows
 * with the first one at which they part.
 */
"use strict";
globalThis.Longshot ??= {};

(function (L) {
  const h = (...all) => L.h(...all);

  L.views ??= {};
  L.views.compare = async function compare(page, { ids }) {
    const runs = await Promise.all(ids.map((id) => L.api(`/v1/runs/${encodeURIComponent(id)}`)));
    const models = runs.map((run) => L.runModel(run));
    const oneFilm = runs[0].content_hash === runs[1].content_hash;
    const [film] = runs.map((run) => run.film).filter((each) => each?.in_library);
    const player = oneFilm ? L.player(film, "The film of both runs") : null;
    const timelines = [];
    const seek = (seconds) => {
      if (player) player.currentTime = seconds + (film.container_start_s ?? 0);
      for (const timeline of timelines) timeline.playhead(seconds);
    };
    // Both show the same stretch: what one is moved to, the other follows.
    let moving = false;
    const together = (from, to) => {
      if (moving || !oneFilm) return;
      moving = true;
      for (const timeline of timelines) timeline.show(from, to);
      moving = false;
    };
    for (const model of models) timelines.push(L.renderTimeline(model, { onSeek: seek, onView: together, previewUrl: L.stripUrl(model.run.film) }));
    const parts = partsAt(runs);
    const detail = h("div.compare-detail");
    const select = (position) => {
      timelines.forEach((timeline, k) => timeline.select(Math.min(position, models[k].steps.length - 1)));
      L.fill(detail, models.map((model, k) => position < model.steps.length
        ? h("div.run-view", {}, L.stepPanel(model, position, {
          seek, playSpan: (start) => seek(start), frameUrl: L.frameUrl(runs[k].id), stripUrl: L.stripUrl(runs[k].film),
        })) : h("p.muted", {}, "This run has no such step.")));
      L.loadPictures(detail);
      for (const each of table.querySelectorAll("tr[aria-selected]")) each.removeAttribute("aria-selected");
      table.querySelectorAll("tbody tr")[position]?.setAttribute("aria-selected", "true");
    };
    const table = stepTable(models, parts, select);
    page.show("Two runs", h("h1.visually-hidden", {}, "Two runs side by side"),
      h("div.compare", {},
        runs.map((run, k) => h("section.compare-run", { "aria-label": `Run ${k + 1}` }, summary(run, models[k], k),
          h("div.run-view", {}, timelines[k].element)))),
      h("div.compare-steps", {},
        h("div", {}, h("h2", {}, parts < 0 ? "The steps are the same" : `The runs part at step ${parts}`), h("div.table-box", {}, table)),
        player ? h("div.compare-player", {}, player) : h("p.muted", {}, oneFilm ? "" : "The runs are on different films.")),
      detail);
    select(Math.max(0, parts));
    return () => timelines.forEach((timeline) => timeline.destroy());
  };

  /** The first step in which the two differ; -1 where none does. */
  function partsAt(runs) {
    const n = Math.max(...runs.map((run) => run.steps.length));
    for (let k = 0; k < n; k += 1) {
      const [a, b] = runs.map((run) => run.steps[k]);
      if (!a || !b || outline(a) !== outline(b)) return k;
    }
    return -1;
  }

  /** What makes two steps the same: what was done and said, not what it took. */
  function outline(step) {
    return JSON.stringify([step.node, step.why, step.data,
      (step.looks ?? []).map((each) => [each.start, each.end, each.frames.length, each.width_px]),
      (step.calls ?? []).map((each) => [each.prompt_hash, each.prompt_text, each.output, each.probabilities])]);
  }

  function summary(run, model, k) {
    const { answer } = run;
    const settings = Object.entries(model.limits).map(([name, value]) => `${name.replace("_", " ")} ${L.number(value)}`).join(", ");
    return h("div.compare-head", {},
      h("h2", {}, h("a", { href: `#/run/${run.id}` }, `${k ? "B" : "A"}: ${run.question}`)),
      h("p", {}, h("b", {}, answer?.answer || L.STATUS[run.status]), " ", L.statusBadge(run.status),
        answer ? h("span.muted", {}, ` confidence ${answer.confidence.toFixed(2)}`) : null),
      (answer?.citations ?? []).map((each) => h("p", {}, `${L.span(each.start, each.end)} ${each.what}`)),
      h("p.muted", {}, `${run.stop_reason}`),
      h("p.muted", {}, `${L.usageText(model.usage)} (limits: ${settings})`),
      h("p.muted", {}, `${L.modelName(run.models.videollm)} · ${L.modelName(run.models.encoder)}`));
  }

  function stepTable(models, parts, select) {
    const n = Math.max(...models.map((model) => model.steps.length));
    const cell = (step) => h("td", {}, step ? [h("b", {}, step.node), ` ${step.why}`,
      step.looks?.length ? h("span.muted", {}, ` · ${step.looks.map((look) => L.span(look.start, look.end)).join(", ")}`) : null] : "–");
    return h("table.steps-table", {},
      h("thead", {}, h("tr", {}, ["", "A", "B", ""].map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", {}, Array.from({ length: n }, (_, k) => {
        const same = models.every((model) => model.steps[k]) && outline(models[0].steps[k]) === outline(models[1].steps[k]);
        return h(`tr${same ? "" : ".differs"}`, { onclick: () => select(k) },
          h("td", {}, h("button", { type: "button", "aria-label": `Show step ${k} of both` }, String(k))),
          models.map((model) => cell(model.steps[k])),
          h("td", {}, same ? "same" : k === parts ? "≠ they part" : "≠"));
      })));
  }
})(globalThis.Longshot);
