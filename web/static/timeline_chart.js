/* The belief curve of the timeline, as uPlot wants it: before and after a step, the prior, and the
 * prior of each lane. Heights are square roots, so that small beliefs can be seen.
 */
"use strict";
globalThis.Longshot ??= {};

(function (L) {
  L.CHART_PX = { gutter: 92, right: 28, height: 104 };
  const LEAST_PEAK = 1e-6;
  const TICKS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400];

  /** Options for the timeline `of`: its palette, width, view and what it shows. */
  L.chartOptions = function chartOptions(of) {
    const ink = of.palette.muted;
    const line = (name, stroke, extra = {}) => ({
      label: name, stroke, width: 1.5, points: { show: false },
      paths: uPlot.paths.stepped({ align: 1 }), ...extra,
    });
    const lanes = of.model.lanes.map((lane, k) =>
      line(lane, of.laneColour(k), { width: 1, show: of.isShown(`lane${k}`), dash: [2, 2] }));
    return {
      width: of.width, height: L.CHART_PX.height, padding: [0, L.CHART_PX.right, 4, 0],
      legend: { show: false }, cursor: { show: false }, select: { show: false },
      scales: {
        x: { time: false, range: () => [of.view.from, of.view.to] },
        y: {
          distr: 100, fwd: (v) => Math.sqrt(Math.max(0, v)), bwd: (v) => v * v,
          range: () => [0, of.highest()],
        },
      },
      axes: [timeAxis(of, ink), beliefAxis(of, ink)],
      series: [{},
        line("prior", of.palette.prior, { show: of.isShown("prior"), fill: faded(of.palette.prior, 0.12) }),
        line("before", of.palette.before, { show: of.isShown("before"), dash: [5, 3] }),
        line("after", of.palette.belief, { show: of.isShown("after"), fill: faded(of.palette.belief, 0.25), width: 2 }),
        ...lanes],
    };
  };

  /** {rows, peak}: rows of equal stretches, each value from the stretch's beginning; the last one is
   *  repeated at the film's end. */
  L.chartData = function chartData(model, position) {
    const { before, after } = L.beliefAt(model, position);
    const { prior, lanes } = L.priorAt(model, position);
    const curves = [prior, before, after, ...lanes];
    const n = Math.max(1, ...curves.map((curve) => curve.length));
    const x = Array.from({ length: n + 1 }, (_, k) => (k * model.duration) / n);
    const column = (curve) => (curve.length === n ? [...curve, curve[n - 1]] : new Array(n + 1).fill(null));
    return { rows: [x, ...curves.map(column)], peak: Math.max(LEAST_PEAK, ...curves.flat()) };
  };

  function timeAxis(of, ink) {
    return {
      side: 0, stroke: ink, size: 26, font: "11px system-ui", space: 78, incrs: TICKS,
      grid: { stroke: of.palette.line, width: 1 }, ticks: { stroke: of.palette.line, size: 4 },
      values: (_, at) => at.map((t) => L.time(t, of.view.to - of.view.from < 5 ? 1 : 0)),
    };
  }

  function beliefAxis(of, ink) {
    return {
      stroke: ink, size: L.CHART_PX.gutter, font: "11px system-ui", grid: { show: false }, ticks: { show: false },
      splits: () => [0, of.highest() / 4, of.highest()],
      values: () => of.peak <= LEAST_PEAK ? ["no belief", "", ""] : ["belief 0", ...[of.highest() / 4, of.highest()].map((v) => `${Number((100 * v).toPrecision(2))} %`)],
    };
  }

  function faded(colour, alpha) {
    return colour.replace(/^rgb\((.*)\)$/, `rgba($1, ${alpha})`);
  }
})(globalThis.Longshot);
