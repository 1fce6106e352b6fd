/* The lanes under the belief curve, on one canvas: what was looked at, asked for, found and cited,
 * and how much of the film was seen. Drawn for the stretch of time that is in view; `hit` says
 * what lies under a point.
 */
"use strict";
globalThis.Longshot ??= {};

(function (L) {
  const ROW = 19;
  const PAD = 3;
  const LEAST_PX = 3;

  L.LANES = [
    { name: "looked", label: "looked at" },
    { name: "asked", label: "model asked" },
    { name: "found", label: "found" },
    { name: "cited", label: "cited" },
    { name: "coverage", label: "coverage" },
  ];
  L.LANE_ROW_PX = ROW;

  L.drawLanes = function drawLanes(canvas, model, view) {
    const ratio = globalThis.devicePixelRatio || 1;
    const { width, height } = view;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    const colours = view.colours;
    const boxes = [];
    const draw = (row, item, start, end, style) => {
      const box = boxOf(view, row, start, end, style.height ?? 1);
      if (!box) return;
      paint(context, box, style);
      if (item) boxes.push({ ...box, item, row });
    };
    grid(context, view, colours);
    for (const look of model.looks) draw(0, { kind: "look", look }, look.start, look.end, lookStyle(look, view));
    for (const time of model.glances) draw(0, null, time, time, { fill: colours.faint, height: 0.25 });
    for (const asked of model.requests) {
      const delivered = model.looks.some((look) => look.delivers.includes(asked.index));
      draw(1, { kind: "request", asked, delivered }, asked.start, asked.end, {
        fill: delivered ? colours.asked : null,
        stroke: colours.asked,
        chosen: asked.position === view.position,
        height: 0.7,
      });
    }
    for (const passage of model.passages) {
      draw(2, { kind: "passage", passage }, passage.start, passage.end, {
        fill: colours.before,
        height: 0.25 + 0.75 * passage.share,
        chosen: passage.position === view.position,
        ink: colours.ink,
      });
    }
    for (const finding of model.findings) {
      draw(2, { kind: "finding", finding }, finding.start, finding.end, {
        fill: finding.confidence >= model.accept ? colours.found : colours.empty,
        alpha: 0.25 + 0.75 * finding.confidence,
        height: 0.25 + 0.75 * finding.confidence,
        chosen: finding.position === view.position,
        ink: colours.ink,
      });
    }
    for (const citation of model.citations) {
      draw(3, { kind: "citation", citation }, citation.start, citation.end, { fill: colours.cited });
    }
    coverage(draw, model, colours);
    return boxes;
  };

  L.laneHit = function laneHit(boxes, x, y) {
    const row = Math.floor(y / ROW);
    const inRow = boxes.filter((box) => box.row === row && x >= box.x - 2 && x <= box.x + box.width + 2);
    return inRow.length ? inRow[inRow.length - 1].item : null;
  };

  /** What an item of a lane is, in words. */
  L.describeItem = function describeItem(item, model) {
    if (item.kind === "look") {
      const { look } = item;
      const said = look.finding ? `, confidence ${look.finding.confidence.toFixed(2)}` : "";
      return `step ${look.position}: ${L.span(look.start, look.end)}, ${look.frames.length} frames of `
        + `${look.width_px}×${look.height_px} (${look.fps.toPrecision(2)} fps)${said}`;
    }
    if (item.kind === "request") {
      const delivered = item.delivered ? "delivered" : "not delivered";
      return `the model asked for ${L.span(item.asked.start, item.asked.end)}; ${delivered}`;
    }
    if (item.kind === "finding") {
      const { finding } = item;
      const shows = finding.confidence >= model.accept ? "shows it" : "does not show it";
      return `${L.span(finding.start, finding.end)} ${shows}, confidence ${finding.confidence.toFixed(2)}`;
    }
    if (item.kind === "passage") {
      const { passage } = item;
      return `${L.span(passage.start, passage.end)} ${passage.source}: “${passage.text}”, ${L.percent(passage.share)} of the words`;
    }
    if (item.kind === "citation") {
      return `cited: ${L.span(item.citation.start, item.citation.end)} ${item.citation.what ?? ""}`;
    }
    return { looked: "looked at", searched: "only searched", never: "never seen" }[item.part];
  };

  /** Density is how dark, size is how high. */
  function lookStyle(look, view) {
    return {
      fill: view.colours.looked,
      alpha: Math.min(1, 0.35 + 0.4 * Math.log2(1 + look.fps)),
      height: Math.min(1, 0.45 + Math.min(look.width_px, look.height_px) / 500),
      chosen: look.position === view.position,
      ink: view.colours.ink,
    };
  }

  function coverage(draw, model, colours) {
    draw(4, { kind: "coverage", part: "never" }, 0, model.duration, { stroke: colours.faint, height: 0.7 });
    for (const [start, end] of model.coverage.searched) {
      draw(4, { kind: "coverage", part: "searched" }, start, end, { fill: colours.searched, height: 0.7 });
    }
    for (const [start, end] of model.coverage.looked) {
      draw(4, { kind: "coverage", part: "looked" }, start, end, { fill: colours.looked, height: 0.7 });
    }
  }

  function boxOf(view, row, start, end, share) {
    if (end < view.from || start > view.to) return null;
    const scale = view.width / (view.to - view.from);
    const left = (Math.max(start, view.from) - view.from) * scale;
    const right = (Math.min(end, view.to) - view.from) * scale;
    const height = Math.max(3, (ROW - 2 * PAD) * share);
    return {
      x: left,
      y: row * ROW + ROW - PAD - height,
      width: Math.max(LEAST_PX, right - left - 1),
      height,
    };
  }

  function paint(context, box, style) {
    context.globalAlpha = style.alpha ?? 1;
    if (style.fill) {
      context.fillStyle = style.fill;
      context.fillRect(box.x, box.y, box.width, box.height);
    }
    context.globalAlpha = 1;
    if (style.stroke) {
      context.strokeStyle = style.stroke;
      context.lineWidth = 1;
      context.strokeRect(box.x + 0.5, box.y + 0.5, Math.max(1, box.width - 1), box.height - 1);
    }
    if (style.chosen) {
      context.strokeStyle = style.ink ?? style.stroke;
      context.lineWidth = 1.5;
      context.strokeRect(box.x - 0.5, box.y - 1, box.width + 1, box.height + 2);
    }
  }

  function grid(context, view, colours) {
    context.fillStyle = colours.line;
    for (let row = 1; row <= L.LANES.length; row += 1) {
      context.fillRect(0, row * ROW - 1, view.width, 1);
    }
  }
})(globalThis.Longshot);
