/* The head of a run: what was asked, the answer with its citations, where a fork comes from, and
 * what was spent of what was given.
 */
"use strict";
globalThis.Longshot ??= {};

(function (L) {
  const h = (...all) => L.h(...all);

  /** The parts of the header. actions: seek(s), playSpan(start, end); on: cite(citation), keys();
   *  buttons: those of whoever shows the run; isLive: its steps are still arriving. */
  L.runHeader = function runHeader(model, { actions, on, buttons, isLive }) {
    const { run } = model;
    return [
      h("div.run-question", {}, h("h1", {}, run.question), options(run)),
      h("div.run-answer", { role: "group", "aria-label": "Answer" }, answerLine(model, isLive),
        citations(run.answer, actions, on), parentLine(run.parent)),
      h("div.run-cost", { role: "group", "aria-label": "Budget" }, budget(model), buttons,
        h("button.quiet", { type: "button", onclick: () => on.keys() }, "Keys")),
    ];
  };

  /** What a fork changed, in words; each change is [before, after]. */
  L.changesText = function changesText(changes) {
    const told = Object.entries(changes ?? {}).flatMap(([kind, each]) =>
      Object.entries(each).map(([name, [before, after]]) => `${kind} ${name}: ${before ?? "none"} → ${after ?? "none"}`));
    return told.join("; ") || "nothing";
  };

  function options({ options: all, answer }) {
    if (!all?.length) return null;
    return h("ol.options", { type: "a" }, all.map((option, k) =>
      h(`li${answer?.choice === k ? ".chosen" : ""}`, {}, option)));
  }

  function answerLine({ run, steps }, isLive) {
    const { answer } = run;
    if (!answer) {
      const about = isLive ? "" : run.stop_reason || `broken off after ${L.count(steps.length, "step")}, or still asked elsewhere`;
      return h("p.reply", {}, h("strong", {}, isLive ? "still searching" : "no answer yet"), " ",
        L.statusBadge(isLive ? "working" : run.status), h("span.muted", {}, about));
    }
    return h("p.reply", {}, h("strong", {}, answer.answer || L.statusWords(answer.status, answer.kind)), " ", L.statusBadge(run.status, answer.kind),
      h("span.muted", {}, `confidence ${answer.confidence.toFixed(2)} · ${answer.stop_reason}`),
      (answer.notes ?? []).map((note) => h("span.note", {}, note)));
  }

  function citations(answer, actions, on) {
    const cited = answer?.citations ?? [];
    if (!cited.length) return null;
    return h("ol.citations", { "aria-label": "Citations" }, cited.map((each) =>
      h("li", {}, L.spanButtons(each.start, each.end, { ...actions, seek: () => on.cite(each) }),
        h("span", {}, each.what), each.verified ? h("span.checked", { title: checkedText(each) }, "✓ checked") : null)));
  }

  function checkedText(citation) {
    return citation.lane === "words" ? "inside the film, and a line of its words" : "inside the film, and looked at in this run";
  }

  function parentLine(parent) {
    return parent ? h("p.muted.parent", {}, `Forked from run ${parent.run} at step ${parent.from_step}; changed: ${L.changesText(parent.changes)}`) : null;
  }

  /** What was spent of what was given. */
  function budget({ usage, limits }) {
    const names = [["visual_tokens", "visual tokens"], ["looks", "looks"], ["calls", "calls"], ["seconds", "seconds"]];
    return h("dl.budget", {}, names.filter(([name]) => limits[name]).map(([name, label]) => {
      const spent = usage[name] ?? 0;
      const text = `${L.number(spent)} of ${L.number(limits[name])}`;
      return h("div", {}, h("dt", {}, label), h("dd", {}, L.bar(spent / limits[name], `${label}: ${text}`), h("span", {}, text)));
    }));
  }
})(globalThis.Longshot);
