/* What the run view draws, worked out from a run's JSON: one list for each lane of the timeline.
 * Times are seconds on the film's timeline, spans half-open. Pure functions; no document.
 */
"use strict";
globalThis.Longshot ??= {};

(function (L) {
  L.runModel = function runModel(run) {
    const steps = run.steps ?? [];
    const looks = steps.flatMap((step, position) =>
      (step.looks ?? []).map((look) => ({ ...look, position })),
    );
    const findings = steps.flatMap((step, position) =>
      (step.findings ?? []).map((finding) => ({ ...finding, position, kind: "finding" })),
    );
    const requests = steps.flatMap((step, position) => requestsOf(step, position));
    const passages = steps.flatMap((step, position) =>
      (step.data?.passages ?? []).map((passage) => ({ ...passage, position, kind: "passage" })),
    );
    const citations = (run.answer?.citations ?? []).map((each, index) => ({ ...each, index, kind: "citation" }));
    const duration = durationOf(run, looks, citations);
    // More than one where several things are searched, one after the other.
    const surveys = steps.flatMap((step, position) => step.node === "survey" ? [{ position, step }] : []);
    const accept = run.settings?.reflect?.accept ?? 0.5;
    for (const look of looks) {
      look.finding = findings.find((each) => each.look === look.look) ?? null;
      look.delivers = requests.filter((each) => overlap(each, look) > 0).map((each) => each.index);
    }
    return {
      run,
      steps,
      duration,
      looks,
      findings,
      passages,
      requests,
      citations,
      accept,
      hits: findings.length ? hitsOf(findings, accept) : passages,
      surveys,
      lanes: (surveys[0]?.step.data?.prior_lanes ?? []).map((each) => each.lane),
      glances: surveys.flatMap(({ step }) => step.data?.strip?.times_s ?? []),
      coverage: coverageOf(steps, looks, surveys[0]?.step, duration),
      usage: usageOf(run, steps),
      limits: run.settings?.budget ?? {},
    };
  };

  /** The prior that a step works with, and that of each lane: of the last survey before it. */
  L.priorAt = function priorAt(model, position) {
    const { step } = model.surveys.findLast((each) => each.position <= position) ?? model.surveys[0] ?? {};
    const lanes = new Map((step?.data?.prior_lanes ?? []).map((each) => [each.lane, each.profile]));
    return { prior: step?.belief_before ?? [], lanes: model.lanes.map((lane) => lanes.get(lane) ?? []) };
  };

  /** Belief before and after a step; after a step that changed nothing, what it was. */
  L.beliefAt = function beliefAt(model, position) {
    const step = model.steps[position];
    if (step?.belief_after?.length) {
      return { before: step.belief_before ?? [], after: step.belief_after, absent: step.absent_after };
    }
    for (let k = position - 1; k >= 0; k -= 1) {
      const earlier = model.steps[k];
      if (earlier.belief_after?.length) {
        return { before: [], after: earlier.belief_after, absent: earlier.absent_after };
      }
    }
    return { before: [], after: [], absent: null };
  };

  L.mergeSpans = function mergeSpans(spans) {
    const merged = [];
    for (const [start, end] of [...spans].sort((a, b) => a[0] - b[0])) {
      const last = merged[merged.length - 1];
      if (last && start <= last[1]) last[1] = Math.max(last[1], end);
      else merged.push([start, end]);
    }
    return merged;
  };

  L.totalSeconds = function totalSeconds(spans) {
    return spans.reduce((sum, [start, end]) => sum + end - start, 0);
  };

  function requestsOf(step, position) {
    const asked = [...(step.data?.requests ?? []), ...(step.data?.verdict?.requests ?? [])];
    return asked
      .filter((each) => Number.isFinite(each.start) && Number.isFinite(each.end))
      .map((each, index) => ({ ...each, position, index: `${position}.${index}` }));
  }

  /** Findings that show the evidence, in film order; where none does, the best few. */
  function hitsOf(findings, accept) {
    const shown = findings.filter((each) => each.confidence >= accept);
    const best = [...findings].sort((a, b) => b.confidence - a.confidence).slice(0, 5);
    return (shown.length ? shown : best).sort((a, b) => a.start - b.start);
  }

  function durationOf(run, looks, citations) {
    const known = run.film?.duration_s ?? run.steps?.[0]?.data?.film_s;
    if (known > 0) return known;
    const ends = [...looks, ...citations].map((each) => each.end);
    const bounds = run.steps?.find((step) => step.data?.bounds)?.data.bounds;
    return Math.max(1, ...ends, ...(bounds ? [bounds[1]] : []));
  }

  /** The film in three parts: looked at, only searched by the index, never seen. */
  function coverageOf(steps, looks, survey, duration) {
    const looked = L.mergeSpans(looks.map((look) => [look.start, look.end]));
    const bounds = steps.find((step) => step.data?.bounds)?.data.bounds ?? [0, duration];
    const searched = survey ? (survey.data?.searched ?? [bounds]) : [];
    const covered = L.mergeSpans([...looked, ...searched]);
    const lookedSeconds = L.totalSeconds(looked);
    return {
      looked,
      searched: L.mergeSpans(searched),
      shares: {
        looked: lookedSeconds / duration,
        searched: Math.max(0, L.totalSeconds(covered) - lookedSeconds) / duration,
        never: Math.max(0, 1 - L.totalSeconds(covered) / duration),
      },
    };
  }

  function usageOf(run, steps) {
    const total = {};
    for (const step of steps) {
      for (const [name, value] of Object.entries(step.usage ?? {})) {
        total[name] = (total[name] ?? 0) + value;
      }
    }
    const looks = steps.reduce((n, step) => n + (step.looks?.length ?? 0), 0);
    return { ...total, looks, ...(run.answer?.usage ?? {}) };
  }

  function overlap(a, b) {
    return Math.min(a.end, b.end) - Math.max(a.start, b.start);
  }
})(globalThis.Longshot);
