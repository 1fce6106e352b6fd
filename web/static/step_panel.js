/* One step of a run, in full: why, the frames that the model saw, what it was asked and said, how
 * sure it was, what that cost. Every time is a button that seeks.
 */
"use strict";
globalThis.Longshot ??= {};

(function (L) {
  const h = (...all) => L.h(...all);

  /** The panel of a step, its pictures still to be loaded by `loadPictures`. actions: seek(s), playSpan(start, end), frameUrl(look, index), stripUrl(s) */
  L.stepPanel = function stepPanel(model, position, actions) {
    const step = model.steps[position];
    if (!step) return h("div.step-detail", {}, h("p.muted", {}, "No step yet."));
    return h("div.step-detail", {},
      h("h3", {}, `Step ${step.step} · ${step.node}`),
      h("p.why", {}, step.why),
      planPart(step), wordsPart(step, actions), stripPart(step, actions),
      requestsPart(step, model, position, actions), queuePart(step, actions),
      (step.looks ?? []).map((look) => lookPart(look, step, model, actions)),
      findingsPart(step, model, actions), secondPart(step, actions), (step.calls ?? []).map((call, k) => callPart(call, k, step, model, actions)),
      beliefPart(step), costPart(step), rawPart(step));
  };

  /** A time that seeks. */
  L.timeButton = function timeButton(seconds, actions, decimals = 1) {
    return h("button.time", {
      type: "button", title: "Show this moment", onclick: () => actions.seek(seconds),
    }, L.time(seconds, decimals));
  };

  /** A span: seek to it, or play just it. */
  L.spanButtons = function spanButtons(start, end, actions) {
    const span = L.span(start, end);
    return h("span.span", {},
      h("button.time", { type: "button", title: "Show this span", onclick: () => actions.seek(start) }, span),
      h("button.play", {
        type: "button", "aria-label": `Play ${span}`, title: "Play this span",
        onclick: () => actions.playSpan(start, end),
      }, "▶"));
  };

  /** A probability as a bar and a figure. */
  L.bar = function bar(share, label) {
    const width = `${Math.round(100 * Math.min(1, Math.max(0, share)))}%`;
    return h("span.bar", { role: "img", "aria-label": label ?? L.percent(share) },
      h("span.bar-fill", { style: { width } }));
  };

  function planPart(step) {
    if (step.node !== "plan") return null;
    const { kind, subject, rewrite, reflect_question: question, cues = [] } = step.data ?? {};
    return h("dl.facts", {},
      fact("kind", kind), fact("looks for", subject), fact("rewritten as", rewrite),
      fact("judged by", question),
      fact("searched by", cues.map((cue) => `“${cue.text}” (${cue.group}, weight ${cue.weight})`).join("; ")));
  }

  function fact(name, value) {
    return value ? [h("dt", {}, name), h("dd", {}, value)] : null;
  }

  /** Lines of subtitles, speech and signs, and how many of the wanted words each holds. */
  function wordsPart(step, actions) {
    if (step.node !== "words") return null;
    const { query, passages = [] } = step.data ?? {};
    const row = (each) => h("tr", {}, h("td", {}, L.spanButtons(each.start, each.end, actions)),
      number(L.percent(each.share)), h("td", {}, each.source), h("td", {}, `“${each.text}”`));
    return [h("dl.facts", {}, fact("listens for", query)),
      passages.length ? section("Lines that hold its words", table(["span", "words", "source", "line"], passages.map(row))) : null];
  }

  function stripPart(step, actions) {
    const strip = step.data?.strip;
    const times = step.data?.shortlist_s ?? [];
    if (strip && strip.times_s?.length) {
      return section(`A glance at ${L.count(strip.times_s.length, "small frame")} of ${strip.width_px}×${strip.height_px}`,
        frames(strip.times_s, (k) => actions.stripUrl?.(strip.times_s[k]), strip, actions));
    }
    return times.length
      ? section("Candidates", h("p.times", {}, times.map((t) => L.timeButton(t, actions, 0))))
      : null;
  }

  function requestsPart(step, model, position, actions) {
    const mine = model.requests.filter((each) => each.position === position);
    const refusals = step.data?.refusals ?? [];
    if (!mine.length && !refusals.length) return null;
    return section("The model asks",
      h("ul.plain", {},
        mine.map((each) => {
          const delivered = model.looks.some((look) => look.delivers.includes(each.index));
          const at = each.fps ? ` at ${each.fps} fps` : "";
          return h("li", {}, L.spanButtons(each.start, each.end, actions),
            `${at}${each.size ? `, ${each.size}` : ""}: `, delivered ? "delivered" : "not delivered");
        }),
        refusals.map((each) => h("li", {}, `refused: ${each.text ?? each.code ?? ""} ${each.detail ?? ""}`))));
  }

  function queuePart(step, actions) {
    const queue = step.data?.queue ?? [];
    if (!queue.length) return null;
    const chosen = new Set((step.data.chosen ?? []).map((each) => `${each.start}|${each.end}|${each.source}`));
    const row = (each) => {
      const taken = chosen.has(`${each.start}|${each.end}|${each.source}`);
      return h(`tr${taken ? ".chosen" : ""}`, {},
        h("td", {}, L.spanButtons(each.start, each.end, actions)),
        h("td", {}, each.source), number(L.percent(each.mass)), number(each.gain_bits.toPrecision(2)),
        number(L.number(each.tokens)), h("td", {}, taken ? "✓ chosen" : ""));
    };
    return section("Windows in the queue, best first",
      table(["window", "why", "belief", "bits", "tokens", ""], queue.map(row)));
  }

  function lookPart(look, step, model, actions) {
    const cached = step.data?.cached_frames?.[look.look];
    const finding = look.finding ?? model.findings.find((each) => each.look === look.look);
    return h("section.look", { "data-look": look.look },
      h("h4", {}, L.spanButtons(look.start, look.end, actions), ` look ${look.look}`),
      h("p.muted", {}, `${L.count(look.frames.length, "frame")} of ${look.width_px}×${look.height_px}, `
        + `${look.fps.toPrecision(2)} a second, ${L.number(look.tokens)} tokens: ${look.why}`),
      // Runs of older versions do not know it.
      cached === undefined ? null : h("p.muted", {}, `${cached} of ${L.count(look.frames.length, "frame")} from the cache`
        + (look.seconds ? `, decoded in ${look.seconds.toFixed(2)} s` : "")),
      finding ? verdictLine(finding, model) : null,
      frames(look.frames, (k) => actions.frameUrl(look, k), look, actions));
  }

  /** The frames with their times, at the size at which they were seen. */
  function frames(times, urlOf, size, actions) {
    return h("ul.frames", {}, times.map((time, k) => {
      const url = urlOf(k);
      return h("li", {},
        h("button.frame", {
          type: "button", "aria-label": `Frame at ${L.time(time, 2)}: show this moment`,
          onclick: () => actions.seek(time),
        },
        url ? picture(url, size) : h("span.no-picture", { style: { aspectRatio: `${size.width_px} / ${size.height_px}` } }, "not kept"),
        h("span.frame-time", {}, L.time(time, 2))));
    }));
  }

  /** Pictures of a panel come when it stays: stepping on quickly asks for none. */
  L.loadPictures = function loadPictures(panel) {
    for (const image of panel.querySelectorAll("img[data-src]")) {
      image.src = image.dataset.src;
      delete image.dataset.src;
    }
  };

  function picture(url, size) {
    const image = h("img", { "data-src": url, alt: "", width: size.width_px, height: size.height_px, loading: "lazy", decoding: "async" });
    image.addEventListener("error", () => image.replaceWith(h("span.no-picture", {}, "not kept")));
    return image;
  }

  function verdictLine(finding, model) {
    const shows = finding.confidence >= model.accept;
    return h("p.verdict", {}, L.bar(finding.confidence, `confidence ${finding.confidence.toFixed(2)}`),
      ` ${shows ? "shows it" : "does not show it"}: confidence ${finding.confidence.toFixed(2)} `
      + `(P(yes) ${finding.p_yes.toFixed(3)} raw)`);
  }

  function findingsPart(step, model, actions) {
    const findings = step.findings ?? [];
    if (!findings.length) return null;
    const row = (each) => h("tr", {},
      h("td", {}, L.spanButtons(each.start, each.end, actions)),
      h("td", {}, L.bar(each.confidence, `confidence ${each.confidence.toFixed(2)}`)),
      number(each.confidence.toFixed(2)), number(each.p_yes.toFixed(3)),
      h("td", {}, each.confidence >= model.accept ? "✓ shows it" : "–"), h("td", {}, each.text ?? ""));
    return section("Findings", table(["span", "", "confidence", "P(yes)", "", ""], findings.map(row)));
  }

  /** What one log-odds was made of: two judgements, the description, the encoder. */
  function secondPart(step, actions) {
    const rows = step.data?.second_looks ?? [];
    if (!rows.length) return null;
    const row = (each) => {
      const found = step.findings?.find((one) => one.finding === each.finding);
      return h("tr", {}, h("td", {}, found ? L.spanButtons(found.start, found.end, actions) : each.finding),
        each.p_yes.map((p) => number(p.toFixed(3))), number(each.named.toFixed(2)),
        number(each.cosine.toFixed(3)), h("td", {}, each.fit));
    };
    return section("How second looks were read", table(
      ["span", "P(yes) at first", "P(yes) again", "described as it (−1 to 1)", "cosine", "fit"], rows.map(row)));
  }

  const SCORES = {
    yes: "yes, of yes and no", mass: "yes or no, of all tokens", reply: "a token of the reply, geometric mean",
  };

  function callPart(call, k, step, model, actions) {
    const usage = call.usage ?? {};
    const probabilities = Object.entries(call.probabilities ?? {});
    const isJudgement = "yes" in (call.probabilities ?? {}) && "mass" in call.probabilities;
    const isWritten = L.isWritten(call.probabilities);
    const ofTokens = isJudgement || isWritten;
    const looks = model.looks.filter((look) => call.looks?.includes(look.look));
    const heading = looks.length ? ` on ${looks.map((look) => L.span(look.start, look.end)).join(" and ")}` : "";
    return h("section.call", { "data-look": looks[0]?.look },
      h("h4", {}, `Call ${k + 1}: ${call.prompt}${heading}`),
      // A look of this very step is shown with its frames already.
      looks.filter((look) => model.steps[look.position] !== step).map((look) =>
        frames(look.frames, (index) => actions.frameUrl(look, index), look, actions)),
      probabilities.length ? table([ofTokens ? "tokens" : "option", "", "probability"],
        probabilities.map(([name, value]) => h("tr", {},
          h("td", {}, ofTokens ? (SCORES[name] ?? name) : name),
          h("td", {}, L.bar(value, `${name} ${value.toFixed(4)}`)), number(value.toFixed(4))))) : null,
      isWritten
        ? h("pre.output", { "aria-label": "What the model said", tabindex: 0 }, call.output || "(an empty reply)") : null,
      call.note ? h("p.muted", {}, call.note) : null,
      fold(`Prompt as the model read it (${call.prompt_hash})`, () => h("pre", { tabindex: 0 }, call.prompt_text)),
      h("p.muted", {}, usageText(usage)));
  }

  function beliefPart(step) {
    if (step.absent_after === null || step.absent_after === undefined) return null;
    return h("p.muted", {}, `Belief that the film does not hold it, after this step: ${L.percent(step.absent_after)}`);
  }

  function costPart(step) {
    const text = usageText(step.usage ?? {});
    return text ? h("p.muted", {}, `This step: ${text}`) : null;
  }

  const USAGE = [["calls", "call"], ["looks", "look"], ["visual_tokens", "visual token"], ["input_tokens", "input token"],
    ["output_tokens", "output token"], ["cached_tokens", "token from the cache", "tokens from the cache"]];

  function usageText(usage) {
    const known = USAGE.filter(([name]) => usage[name] > 0).map(([name, ...words]) => L.count(usage[name], ...words));
    const others = Object.entries(usage)
      .filter(([name, value]) => name !== "seconds" && value > 0 && !USAGE.some(([each]) => each === name))
      .map(([name, value]) => `${name.replaceAll("_", " ")} ${L.number(value)}`);
    const seconds = Number.isFinite(usage.seconds) ? [`${usage.seconds.toFixed(2)} s`] : [];
    return [...known, ...others, ...seconds].join(", ");
  }
  L.usageText = usageText;

  function rawPart(step) {
    return fold("All that was recorded of this step", () => {
      const { belief_before: before, belief_after: after, calls, ...rest } = step;
      return h("pre", { tabindex: 0 }, JSON.stringify(rest, null, 2));
    });
  }

  /** A fold whose inside is made when it is first opened: prompts can be long. */
  function fold(title, inside) {
    const box = h("details", {}, h("summary", {}, title));
    box.addEventListener("toggle", () => {
      if (box.open && box.childElementCount === 1) box.append(inside());
    });
    return box;
  }

  function section(title, ...inside) {
    return h("section.part", {}, h("h4", {}, title), inside);
  }

  function table(names, rows) {
    return h("table", {},
      h("thead", {}, h("tr", {}, names.map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", {}, rows));
  }

  function number(text) {
    return h("td.number", {}, text);
  }
})(globalThis.Longshot);
