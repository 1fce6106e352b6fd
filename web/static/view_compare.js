/* Two runs side by side: answers and costs, their timelines moving together, their steps in rows
 * with the first one at which they part.
 */
"use strict";
globalThis.Longshot ??= {};

(function (L) {
  const h = (...all) => L.h(...all);

  L.views ??= {};
  L.views.compare = async function compare(page, { ids }) {
    const [a, b] = ids.map((id) => encodeURIComponent(id));
    const [diff, ...runs] = await Promise.all([`/v1/runs/${a}/diff/${b}`, `/v1/runs/${a}`, `/v1/runs/${b}`].map((each) => L.api(each)));
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
    const detail = h("div.compare-detail");
    const select = (position) => {
      timelines.forEach((timeline, k) => timeline.select(Math.min(position, models[k].steps.length - 1)));
      L.fill(detail, models.map((model, k) => position < model.steps.length
        ? h("div.run-view", {}, L.stepPanel(model, position, {
          seek, playSpan: (start) => seek(start), frameUrl: L.frameUrl(runs[k].id), stripUrl: L.stripUrl(runs[k].film),
        })) : h("p.muted", {}, "This run has no such step.")));
      L.loadPictures(detail);
      for (const each of table.querySelectorAll("tr[aria-selected]")) each.removeAttribute("aria-selected");
      const row = table.querySelectorAll("tbody tr")[position];
      row?.setAttribute("aria-selected", "true");
      // Scroll the table, never the page.
      if (row) table.parentElement.scrollTop = row.offsetTop - table.tHead.offsetHeight;
    };
    const table = stepTable(models, diff, select);
    page.show("Two runs", h("h1.visually-hidden", {}, "Two runs side by side"),
      h("div.compare", {},
        runs.map((run, k) => h("section.compare-run", { "aria-label": `Run ${k + 1}` }, summary(run, models[k], k),
          h("div.run-view", {}, timelines[k].element)))),
      differencesPart(diff),
      h("div.compare-steps", {},
        h("div", {}, h("h2", {}, partsText(diff)), h("div.table-box", {}, table)),
        player ? h("div.compare-player", {}, player) : h("p.muted", {}, oneFilm ? "" : "The runs are on different films.")),
      detail);
    select(diff.parts_at ?? 0);
    return () => timelines.forEach((timeline) => timeline.destroy());
  };

  function partsText(diff) {
    return diff.parts_at === null ? "The steps are the same"
      : `The runs part at step ${diff.parts_at}: ${diff.parts_by.join(", ")}`;
  }

  function summary(run, model, k) {
    const { answer } = run;
    const settings = Object.entries(model.limits).map(([name, value]) => `${name.replace("_", " ")} ${L.number(value)}`).join(", ");
    return h("div.compare-head", {},
      h("h2", {}, h("a", { href: `#/run/${run.id}` }, `${k ? "B" : "A"}: ${run.question}`)),
      h("p", {}, h("b", {}, answer?.answer || L.statusWords(run.status, answer?.kind)), " ", L.statusBadge(run.status, answer?.kind),
        answer ? h("span.muted", {}, ` confidence ${answer.confidence.toFixed(2)}`) : null),
      (answer?.citations ?? []).map((each) => h("p", {}, `${L.span(each.start, each.end)} ${each.what}`)),
      run.parent ? h("p.muted", {}, `forked from ${run.parent.run} at step ${run.parent.from_step}`) : null,
      h("p.muted", {}, `${run.stop_reason}`),
      h("p.muted", {}, `${L.usageText(model.usage)} (limits: ${settings})`),
      h("p.muted", {}, `${L.modelName(run.models.videollm)} · ${L.modelName(run.models.encoder)}`));
  }

  /** With what they were begun differently, and how differently they ended. */
  function differencesPart(diff) {
    const rows = (about, all) => all.map(({ what, a, b }) => h("tr", {},
      h("th", { scope: "row" }, `${about}: ${what.replaceAll("_", " ")}`), h("td", {}, valueText(a)), h("td", {}, valueText(b))));
    const all = [...rows("begun with", diff.setup), ...rows("ended with", diff.outcome)];
    const overlap = diff.cited_tiou === null ? "" : `; what they cite overlaps by ${L.percent(diff.cited_tiou)}`;
    if (!all.length) return h("p.muted", {}, `Both were begun and ended alike${overlap}`);
    const title = `${L.count(diff.setup.length, "difference")} in the setup, ${diff.outcome.length} in the end${overlap}`;
    return h("details.compare-differences", {}, h("summary", {}, title),
      h("div.table-box", {}, h("table", {},
        h("thead", {}, h("tr", {}, ["", "A", "B"].map((name) => h("th", { scope: "col" }, name)))), h("tbody", {}, all))));
  }

  function valueText(value) {
    if (value === null || value === undefined) return "–";
    return typeof value === "string" ? value : JSON.stringify(value);
  }

  function stepTable(models, diff, select) {
    const cell = (step) => h("td", {}, step ? [h("b", {}, step.node), ` ${step.why}`,
      step.looks?.length ? h("span.muted", {}, ` · ${step.looks.map((look) => L.span(look.start, look.end)).join(", ")}`) : null] : "–");
    return h("table.steps-table", {},
      h("thead", {}, h("tr", {}, ["step", "A", "B", "differs in"].map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", {}, diff.steps.map(({ step, differs }) => h(`tr${differs.length ? ".differs" : ""}`, { onclick: () => select(step) },
        h("td", {}, h("button", { type: "button", "aria-label": `Show step ${step} of both` }, String(step))),
        models.map((model) => cell(model.steps[step])),
        h("td", {}, differs.length ? `≠ ${differs.join(", ")}` : "same")))));
  }
})(globalThis.Longshot);
