/* What an answer rests on, down to the pixels: citation, findings, looks, frames with their times
 * and hashes, and the model and prompt that each look was shown to.
 */
"use strict";
globalThis.Longshot ??= {};

(function (L) {
  const h = (...all) => L.h(...all);

  /** A button that opens the lineage of a run's answer; null where the run cites nothing. */
  L.lineageButton = function lineageButton(run, { frameUrl }) {
    const cited = run.lineage?.citations ?? [];
    if (!cited.length && !run.parent) return null;
    const close = h("button", { type: "button", onclick: () => box.close() }, "Close");
    const box = h("dialog.lineage", { "aria-label": "What the answer rests on" },
      h("h2", {}, "What the answer rests on"),
      parentPart(run.parent),
      h("p", {}, h("b", {}, run.lineage.answer || "no answer"), h("span.muted", {}, ` · film ${run.lineage.film_hash}`)),
      gapsPart(run.lineage.gaps),
      cited.map((citation) => citationPart(citation, frameUrl)),
      h("p.muted", {}, `Hash of a frame: ${run.lineage.pixel_hash}.`), close);
    const open = () => {
      if (!box.isConnected) document.body.append(box);
      box.showModal();
    };
    return h("button.quiet", { type: "button", onclick: open }, "Lineage");
  };

  function parentPart(parent) {
    if (!parent) return null;
    return h("p", {}, `Forked from run ${parent.run} at step ${parent.from_step}; changed: ${L.changesText(parent.changes)}`);
  }

  function gapsPart(gaps) {
    if (gaps.length) return h("ul", { "aria-label": "Gaps" }, gaps.map((gap) => h("li", {}, gap)));
    return h("p", {}, "✓ every link is recorded");
  }

  function citationPart(citation, frameUrl) {
    const mark = citation.verified ? "checked" : "not checked";
    return h("details", { open: true },
      h("summary", {}, `Citation ${L.span(citation.start, citation.end)} “${citation.what}”, ${mark}`),
      h("ul.plain", {}, citation.lines.map((each) => h("li", {},
        `Line in ${each.source} (step ${each.step}): ${L.span(each.start, each.end)} “${each.text}”`))),
      h("ul.plain", {}, citation.findings.map((each) => h("li", {},
        `Finding ${each.finding} (step ${each.step}, look ${each.look}): ${L.span(each.start, each.end)}, `
        + `confidence ${each.confidence.toFixed(3)}, P(yes) ${each.p_yes.toFixed(3)} raw`))),
      citation.looks.map((look) => lookPart(look, frameUrl)));
  }

  function lookPart(look, frameUrl) {
    const from = look.from_parent ? ", taken over from the parent run" : "";
    return h("details", {},
      h("summary", {}, `Look ${look.look} (step ${look.step}${from}): ${L.span(look.start, look.end)}, `
        + `${L.count(look.frames.length, "frame")} of ${look.width_px}×${look.height_px}`),
      h("p.muted", {}, `${look.why}. Sampling: ${look.sampling || "not recorded"}.`),
      h("ul.plain", {}, look.shown_to.map((each) => h("li", {},
        `Shown to ${each.model || "a model that was not recorded"} (weights ${each.model_hash || "?"}) `
        + `by the prompt ${each.prompt} (${each.prompt_hash}): ${said(each)}`))),
      h("ul.lineage-frames", {}, look.frames.map((frame, k) => h("li", {}, image(frameUrl(look, k)),
        h("span", {}, L.time(frame.time, 3)), h("code", {}, frame.pixels ?? "not hashed")))));
  }

  function said({ output, probabilities }) {
    if (L.isWritten(probabilities)) return output ? `“${output}”` : "an empty reply";
    return Object.entries(probabilities).map(([name, value]) => `${name} ${value.toFixed(3)}`).join(", ");
  }

  function image(url) {
    return url ? h("img", { src: url, alt: "", loading: "lazy" }) : h("span.no-picture", {}, "not kept");
  }
})(globalThis.Longshot);
