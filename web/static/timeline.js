/* The timeline of a run over the whole film: the belief as a curve (uPlot), lanes under it, a
 * playhead over both. A click seeks; dragging, the wheel, and + and - zoom down to seconds.
 */
"use strict";
globalThis.Longshot ??= {};

(function (L) {
  const { gutter: GUTTER_PX, right: RIGHT_PX } = L.CHART_PX;
  const LEAST_VIEW_S = 2;
  const DRAG_PX = 6;
  const PREVIEW_AFTER_MS = 60;

  /** Returns {update, select, playhead, zoom, showAll, follow, destroy, element}.
   *  options: onSeek(seconds), onPick(item), onView(from, to), previewUrl(seconds) */
  L.renderTimeline = function renderTimeline(model, options) {
    return new Timeline(model, options);
  };

  class Timeline {
    constructor(model, options) {
      this.options = options;
      this.model = model;
      this.position = 0;
      this.shown = { prior: true, before: true, after: true };
      this.view = { from: 0, to: model.duration };
      this.seconds = 0;
      this.build();
      this.resizer = new ResizeObserver(() => this.resize());
      this.resizer.observe(this.plotArea);
      this.listenToTheme();
    }

    build() {
      this.chart = L.h("div.timeline-chart");
      this.canvas = L.h("canvas.timeline-lanes", { "aria-hidden": "true" });
      this.head = L.h("div.timeline-head", { "aria-hidden": "true" });
      this.brush = L.h("div.timeline-brush", { hidden: true });
      this.tipText = L.h("span");
      this.preview = L.h("img", { hidden: true, alt: "" });
      this.tip = L.h("div.timeline-tip", { hidden: true, "aria-hidden": "true" }, this.preview, this.tipText);
      this.plotArea = L.h("div.timeline-plot", {}, this.chart, this.canvas, this.head, this.brush, this.tip);
      const labels = L.LANES.map((lane) => L.h("span", {}, lane.label));
      this.plotArea.append(L.h("div.timeline-labels", { "aria-hidden": "true" }, labels));
      this.legend = L.h("div.timeline-legend", { role: "group", "aria-label": "Curves" });
      this.slider = L.h("div.timeline-focus", {
        role: "slider",
        tabindex: 0,
        "aria-label": "Timeline of the film: left and right move a second, plus and minus zoom, 0 shows all",
        "aria-valuemin": 0,
      }, this.plotArea);
      this.overview = L.h("canvas.timeline-overview", { "aria-hidden": "true" });
      this.window = L.h("div.timeline-window", { "aria-hidden": "true" });
      const strip = L.h("div.timeline-strip", {}, this.overview, this.window);
      this.strip = strip;
      this.element = L.h("section.timeline", { "aria-label": "Timeline" },
        L.h("div.timeline-bar", {}, this.legend, this.zoomButtons()), this.slider, strip);
      this.listen();
      this.drawLegend();
    }

    zoomButtons() {
      const button = (label, title, act) =>
        L.h("button.quiet", { type: "button", title, "aria-label": title, onclick: act }, label);
      this.viewText = L.h("span.timeline-view", { "aria-live": "polite" });
      return L.h("div.timeline-zoom", {}, this.viewText,
        button("−", "Zoom out", () => this.zoom(2)),
        button("+", "Zoom in", () => this.zoom(0.5)),
        button("Whole film", "Show the whole film", () => this.showAll()));
    }

    // -- drawing

    colours() {
      // A canvas does not know light-dark(): a probe's computed colour is what the style sheet means.
      const probe = L.h("span", { hidden: true });
      this.element.append(probe);
      const names = ["ink", "faint", "line", "looked", "asked", "found", "empty", "cited", "searched",
        "belief", "before", "prior", "muted"];
      const resolved = names.map((name) => {
        probe.style.color = `var(--${name})`;
        return [name, getComputedStyle(probe).color];
      });
      probe.remove();
      return Object.fromEntries(resolved);
    }

    resize() {
      const width = this.plotArea.clientWidth;
      if (!width || width === this.width) return;
      this.width = width;
      this.rebuild();
    }

    rebuild() {
      if (!this.width) return;
      this.palette = this.colours();
      this.plot?.destroy();
      this.plot = new uPlot(L.chartOptions(this), this.plotData(), this.chart);
      this.redraw();
    }

    plotData() {
      const { rows, peak } = L.chartData(this.model, this.position);
      this.peak = peak;
      return rows;
    }

    highest() {
      return this.peak * 1.05;
    }

    redraw() {
      if (!this.plot) return;
      this.boxes = L.drawLanes(this.canvas, this.model, this.laneView());
      this.drawOverview();
      this.drawHead();
      this.viewText.textContent = `${L.span(this.view.from, this.view.to)} of ${L.time(this.model.duration)}`;
    }

    laneView() {
      return {
        ...this.view, width: this.plotWidth(), height: L.LANES.length * L.LANE_ROW_PX,
        colours: this.palette, position: this.position,
      };
    }

    plotWidth() {
      return Math.max(1, this.width - GUTTER_PX - RIGHT_PX);
    }

    drawOverview() {
      const width = this.plotWidth();
      const ratio = globalThis.devicePixelRatio || 1;
      this.overview.width = Math.round(width * ratio);
      this.overview.height = Math.round(10 * ratio);
      const context = this.overview.getContext("2d");
      context.scale((width * ratio) / this.model.duration, 10 * ratio);
      const bars = (spans, fill) => {
        context.fillStyle = fill;
        for (const [start, end] of spans) context.fillRect(start, 0, end - start, 1);
      };
      bars(this.model.coverage.searched, this.palette.searched);
      bars(this.model.coverage.looked, this.palette.looked);
      bars(this.model.citations.map((each) => [each.start, each.end]), this.palette.cited);
      const share = 100 / this.model.duration;
      this.window.style.left = `${this.view.from * share}%`;
      this.window.style.width = `${(this.view.to - this.view.from) * share}%`;
    }

    drawHead() {
      const share = (this.seconds - this.view.from) / (this.view.to - this.view.from);
      this.head.hidden = share < 0 || share > 1;
      this.head.style.transform = `translateX(${GUTTER_PX + share * this.plotWidth()}px)`;
      this.slider.setAttribute("aria-valuemax", this.model.duration.toFixed(1));
      this.slider.setAttribute("aria-valuenow", this.seconds.toFixed(1));
      this.slider.setAttribute("aria-valuetext", L.time(this.seconds, 1));
    }

    drawLegend() {
      const { lanes } = this.model;
      const curves = [["after", "belief after this step", "--belief"], ["before", "before it", "--before"],
        ["prior", "prior", "--prior"]];
      const entry = ([name, label, colour]) => L.h("label", {},
        L.h("input", { type: "checkbox", checked: this.isShown(name), onchange: () => this.toggle(name) }),
        L.h("span.swatch", { style: { background: colour.startsWith("--") ? `var(${colour})` : colour } }), label);
      L.fill(this.legend, curves.map(entry),
        lanes.map((lane, k) => entry([`lane${k}`, `prior: ${lane}`, this.laneColour(k)])));
    }

    laneColour(k) {
      return `hsl(${(285 + 55 * k) % 360} 55% 55%)`;
    }

    isShown(name) {
      return this.shown[name] ?? false;
    }

    toggle(name) {
      this.shown[name] = !this.isShown(name);
      this.rebuild();
    }

    // -- what the outside does

    update(model) {
      const whole = this.view.from === 0 && this.view.to === this.model.duration;
      const lanesChanged = model.lanes.length !== this.model.lanes.length;
      this.model = model;
      if (whole) this.view = { from: 0, to: model.duration };
      if (lanesChanged) {
        this.drawLegend();
        this.rebuild();
      } else this.refresh();
    }

    /** Show a step: its beliefs, and its looks with an outline. */
    select(position) {
      this.position = position;
      this.refresh();
    }

    refresh() {
      if (!this.plot) return;
      this.plot.setData(this.plotData(), true);
      this.redraw();
    }

    playhead(seconds) {
      this.seconds = seconds;
      if (this.plot) this.drawHead();
    }

    zoom(factor, around = this.middle()) {
      const width = (this.view.to - this.view.from) * factor;
      const share = (around - this.view.from) / (this.view.to - this.view.from);
      this.show(around - share * width, around - share * width + width);
    }

    middle() {
      const inView = this.seconds > this.view.from && this.seconds < this.view.to;
      return inView ? this.seconds : (this.view.from + this.view.to) / 2;
    }

    show(from, to) {
      const { duration } = this.model;
      const width = Math.min(duration, Math.max(LEAST_VIEW_S, to - from));
      const start = Math.min(Math.max(0, (from + to - width) / 2), duration - width);
      this.view = { from: start, to: start + width };
      this.plot?.setScale("x", { min: this.view.from, max: this.view.to });
      this.redraw();
      this.options.onView?.(this.view.from, this.view.to);
    }

    showAll() {
      this.show(0, this.model.duration);
    }

    /** Bring a time into view without changing how much is shown. */
    reveal(seconds) {
      if (seconds >= this.view.from && seconds <= this.view.to) return;
      const half = (this.view.to - this.view.from) / 2;
      this.show(seconds - half, seconds + half);
    }

    destroy() {
      this.resizer.disconnect();
      clearTimeout(this.resting);
      this.darkness.removeEventListener("change", this.repaint);
      document.removeEventListener("longshot-theme", this.repaint);
      this.plot?.destroy();
    }

    // -- pointer and keys

    listen() {
      const area = this.plotArea;
      area.addEventListener("pointerdown", (event) => this.press(event));
      area.addEventListener("pointermove", (event) => this.hover(event));
      area.addEventListener("pointerleave", () => (this.tip.hidden = true));
      area.addEventListener("dblclick", () => this.showAll());
      area.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
      this.slider.addEventListener("keydown", (event) => this.key(event));
      this.strip.addEventListener("pointerdown", (event) => this.jump(event));
    }

    listenToTheme() {
      this.repaint = () => this.rebuild();
      this.darkness = matchMedia("(prefers-color-scheme: dark)");
      this.darkness.addEventListener("change", this.repaint);
      document.addEventListener("longshot-theme", this.repaint);
    }

    at(event) {
      const box = this.plotArea.getBoundingClientRect();
      const x = event.clientX - box.left - GUTTER_PX;
      const share = Math.min(1, Math.max(0, x / this.plotWidth()));
      const y = event.clientY - this.canvas.getBoundingClientRect().top;
      return { x, y, seconds: this.view.from + share * (this.view.to - this.view.from) };
    }

    press(event) {
      if (event.button !== 0) return;
      const begin = this.at(event);
      const move = (moved) => this.paintBrush(begin, this.at(moved));
      const up = (lifted) => {
        removeEventListener("pointermove", move);
        removeEventListener("pointerup", up);
        this.brush.hidden = true;
        const end = this.at(lifted);
        if (Math.abs(end.x - begin.x) < DRAG_PX) this.click(begin);
        else this.show(Math.min(begin.seconds, end.seconds), Math.max(begin.seconds, end.seconds));
      };
      addEventListener("pointermove", move);
      addEventListener("pointerup", up);
    }

    click(point) {
      const item = point.y >= 0 ? L.laneHit(this.boxes ?? [], point.x, point.y) : null;
      if (item && item.kind !== "coverage") this.options.onPick?.(item);
      this.options.onSeek?.(point.seconds);
    }

    paintBrush(begin, end) {
      const width = Math.abs(end.x - begin.x);
      this.brush.hidden = width < DRAG_PX;
      this.brush.style.left = `${GUTTER_PX + Math.min(begin.x, end.x)}px`;
      this.brush.style.width = `${width}px`;
    }

    hover(event) {
      if (!this.boxes) return;
      const point = this.at(event);
      const item = point.y >= 0 ? L.laneHit(this.boxes, point.x, point.y) : null;
      const text = item ? `${L.time(point.seconds, 1)} · ${L.describeItem(item, this.model)}` : L.time(point.seconds, 1);
      this.tip.hidden = point.x < 0;
      this.tipText.textContent = text;
      this.showPreview(point.seconds);
      const left = Math.min(Math.max(0, point.x - 20), this.plotWidth() - this.tip.offsetWidth);
      this.tip.style.left = `${GUTTER_PX + left}px`;
    }

    /** The film's small picture at a time, once the pointer rests. */
    showPreview(seconds) {
      clearTimeout(this.resting);
      this.resting = setTimeout(() => {
        const url = this.options.previewUrl?.(Math.floor(seconds));
        this.preview.hidden = !url;
        if (url) this.preview.src = url;
      }, PREVIEW_AFTER_MS);
    }

    wheel(event) {
      if (!event.ctrlKey && !event.shiftKey && Math.abs(event.deltaX) <= Math.abs(event.deltaY) && !event.altKey) {
        // The page keeps its own scrolling; the plot takes the wheel only where the page cannot.
        if (document.scrollingElement.scrollHeight > innerHeight + 2) return;
      }
      event.preventDefault();
      const width = this.view.to - this.view.from;
      if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
        const by = ((event.deltaX || event.deltaY) / 600) * width;
        this.show(this.view.from + by, this.view.to + by);
      } else this.zoom(Math.exp(event.deltaY / 400), this.at(event).seconds);
    }

    jump(event) {
      const box = this.strip.getBoundingClientRect();
      const move = (moved) => {
        const share = (moved.clientX - box.left) / box.width;
        const middle = share * this.model.duration;
        const half = (this.view.to - this.view.from) / 2;
        this.show(middle - half, middle + half);
      };
      const up = () => {
        removeEventListener("pointermove", move);
        removeEventListener("pointerup", up);
      };
      move(event);
      addEventListener("pointermove", move);
      addEventListener("pointerup", up);
    }

    key(event) {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const step = event.shiftKey ? 10 : 1;
      const acts = {
        ArrowLeft: () => this.options.onSeek?.(Math.max(0, this.seconds - step)),
        ArrowRight: () => this.options.onSeek?.(Math.min(this.model.duration, this.seconds + step)),
        Home: () => this.options.onSeek?.(0),
        End: () => this.options.onSeek?.(this.model.duration),
      };
      const act = acts[event.key];
      if (!act) return;
      event.preventDefault();
      act();
    }
  }
})(globalThis.Longshot);
