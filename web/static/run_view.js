/* The run view: question and answer, the film, the timeline over it, and the steps beside them.
 *
 *   const view = Longshot.renderRun(container, runJson, {frameUrl, stripUrl, player, actions})
 *
 * It needs no server: pictures come from the addresses that the caller gives, and the film from a
 * <video> that the caller made (or null). Times are seconds on the film's timeline; a browser's
 * clock for a film counts from the container's start, which is added back here.
 */
"use strict";
globalThis.Longshot ??= {};

(function (L) {
  const h = (...all) => L.h(...all);

  L.renderRun = function renderRun(container, run, options = {}) {
    return new RunView(container, run, options);
  };

  const KEYS = [["J / K", "next / previous step"], ["N / P", "next / previous hit"],
    ["C / Shift+C", "next / previous citation"], ["S", "play the span of the step, hit or citation"],
    ["Space", "play or pause"], ["← / →", "a second back or on (Shift: ten)"],
    ["+ / − / 0", "zoom in, out, whole film"], ["?", "these keys"]];

  const PICTURES_AFTER_MS = 80;

  class RunView {
    constructor(container, run, options) {
      this.options = { ...options };
      this.container = container;
      this.player = options.player ?? null;
      this.model = L.runModel(run);
      this.position = 0;
      this.following = true;
      this.spot = null;
      this.seconds = 0;
      this.actions = {
        seek: (s) => this.seek(s),
        playSpan: (start, end) => this.playSpan(start, end),
        frameUrl: (look, index) => options.frameUrl?.(look, index) ?? null,
        stripUrl: (s) => options.stripUrl?.(s) ?? null,
      };
      this.build();
      this.open();
      this.onKey = (event) => this.key(event);
      document.addEventListener("keydown", this.onKey);
      this.tick = () => this.followPlayer();
      if (this.player) this.watchPlayer();
    }

    build() {
      this.header = h("header.run-header");
      this.timeline = L.renderTimeline(this.model, {
        onSeek: (s) => this.seek(s),
        onPick: (item) => this.pick(item),
        previewUrl: (s) => this.actions.stripUrl(s),
      });
      this.stage = h("div.stage");
      this.list = h("ol.step-list");
      this.detail = h("div.step-scroll", { tabindex: 0, role: "region", "aria-label": "The chosen step" });
      this.help = this.helpBox();
      this.live = h("p.visually-hidden", { role: "status", "aria-live": "polite" });
      const steps = h("section.steps", { "aria-label": "Steps" },
        h("nav.step-nav", { "aria-label": "Steps of the run" }, this.list), this.detail);
      this.element = h("div.run-view", {}, this.header,
        h("div.run-middle", {}, h("section.film", { "aria-label": "Film" }, this.stage), steps),
        this.timeline.element, this.help, this.live);
      this.fillStage();
      this.fillHeader();
      this.fillList();
      this.container.replaceChildren(this.element);
    }

    // -- parts

    fillHeader() {
      L.fill(this.header, L.runHeader(this.model, {
        actions: this.actions,
        on: { cite: (citation) => this.pick({ kind: "citation", citation }, { seek: true }), keys: () => this.toggleHelp() },
        buttons: this.options.actions,
        isLive: this.options.isLive ?? false,
      }));
    }

    fillStage() {
      const { run, coverage } = this.model;
      const name = L.fileName(run.video);
      this.still = h("div.still", { hidden: Boolean(this.player) });
      this.shares = h("p.coverage-text");
      L.fill(this.stage, this.player, this.still,
        h("p.film-name", {}, h("span", { title: run.video }, name), this.shares));
      this.fillShares(coverage);
    }

    fillShares({ shares }) {
      const part = (name, text) => [h(`i.swatch.is-${name}`, { "aria-hidden": "true" }), `${text} ${L.percent(shares[name])}`];
      L.fill(this.shares, part("looked", "looked at"), part("searched", "only searched"), part("never", "never seen"));
    }

    fillList() {
      this.buttons = [];
      this.list.replaceChildren();
      this.model.steps.forEach((step, position) => this.addToList(step, position));
    }

    addToList(step, position) {
      const found = (step.findings ?? []).filter((each) => each.confidence >= this.model.accept).length;
      const parts = [step.looks?.length && step.node !== "look" ? L.count(step.looks.length, "look") : "",
        step.findings?.length ? `${found} of ${step.findings.length} show it` : ""].filter(Boolean);
      const button = h("button.step", { type: "button", onclick: () => this.choose(position) },
        h("span.step-name", {}, h("b", {}, String(step.step)), ` ${step.node}`),
        h("span.step-why", {}, step.why),
        parts.length ? h("span.step-sum", {}, parts.join(" · ")) : null);
      this.buttons.push(button);
      this.list.append(h("li", {}, button));
    }

    helpBox() {
      return h("dialog.help", { "aria-label": "Keys" }, h("h2", {}, "Keys"),
        h("dl", {}, KEYS.map(([keys, text]) => [h("dt", {}, keys), h("dd", {}, text)])),
        h("form", { method: "dialog" }, h("button", {}, "Close")));
    }

    toggleHelp() {
      if (this.help.open) this.help.close();
      else this.help.showModal();
    }

    // -- steps

    /** A run that has ended opens on its first citation, film and step. */
    open() {
      const [cited] = this.model.citations;
      this.select(this.firstPosition(cited), { seek: false });
      if (cited) this.seek(cited.start);
      else this.showStill();
      // The timeline gets its height later, and takes it from the list.
      this.settling = new ResizeObserver(() => this.keepInView(this.buttons[this.position]));
      this.settling.observe(this.list.parentElement);
    }

    firstPosition(cited) {
      const last = this.model.steps.length - 1;
      if (this.model.run.status === "running") return Math.max(0, last);
      if (cited && this.positionOf(cited) >= 0) return this.positionOf(cited);
      const spoke = this.model.steps.findIndex((step) => step.findings?.length);
      return Math.max(0, spoke >= 0 ? spoke : last);
    }

    /** A person's choice: the view stops following a run that goes on. */
    choose(position) {
      const last = this.model.steps.length - 1;
      const wanted = Math.min(Math.max(0, position), last);
      this.following = wanted === last;
      this.select(wanted);
    }

    select(position, { seek = true } = {}) {
      this.buttons[this.position]?.removeAttribute("aria-current");
      this.position = position;
      const button = this.buttons[position];
      button?.setAttribute("aria-current", "step");
      const panel = L.stepPanel(this.model, position, this.actions);
      this.detail.replaceChildren(panel);
      clearTimeout(this.loading);
      this.loading = setTimeout(() => L.loadPictures(panel), PICTURES_AFTER_MS);
      this.timeline.select(position);
      const span = this.spanOfStep(position);
      if (span) this.spot = span;
      if (span && seek) this.seek(span.start);
      const step = this.model.steps[position];
      if (step) this.live.textContent = `Step ${step.step}, ${step.node}: ${step.why}`;
      // Last, because scrolling makes the browser lay out what was changed.
      this.detail.scrollTop = 0;
      this.keepInView(button);
    }

    /** Scroll the list, never the page. */
    keepInView(button) {
      if (!button) return;
      const box = this.list.parentElement;
      const [inner, outer] = [button.getBoundingClientRect(), box.getBoundingClientRect()];
      if (inner.top < outer.top) box.scrollTop += inner.top - outer.top - 8;
      else if (inner.bottom > outer.bottom) box.scrollTop += inner.bottom - outer.bottom + 8;
    }

    spanOfStep(position) {
      const step = this.model.steps[position];
      const best = [...(step?.findings ?? [])].sort((a, b) => b.confidence - a.confidence)[0];
      const span = best ?? step?.looks?.[0] ?? step?.data?.chosen?.[0];
      return span ? { start: span.start, end: span.end } : null;
    }

    // -- hits and citations

    pick(item, { seek = false } = {}) {
      const span = item.look ?? item.asked ?? item.finding ?? item.passage ?? item.citation;
      if (!span) return;
      this.spot = { start: span.start, end: span.end };
      const position = item.citation ? this.positionOf(span) : span.position;
      if (position >= 0) {
        this.following = false;
        this.select(position, { seek: false });
        this.spot = { start: span.start, end: span.end };
        this.showLook(span.look);
      }
      if (seek) this.seek(span.start);
    }

    /** The step that looked at what is cited, or that found the line; -1: none did. */
    positionOf(citation) {
      const found = this.model.looks.find((each) => each.look === citation.look)
        ?? this.model.passages.find((each) => each.start < citation.end && each.end > citation.start);
      return found?.position ?? -1;
    }

    showLook(id) {
      const found = [...this.detail.querySelectorAll("[data-look]")].find((each) => each.dataset.look === id);
      if (!found) return;
      const by = found.getBoundingClientRect().top - this.detail.getBoundingClientRect().top;
      this.detail.scrollTop += by - 8;
    }

    next(list, direction) {
      if (!list.length) return;
      const at = this.spot?.start ?? this.seconds;
      const sorted = [...list].sort((a, b) => a.start - b.start);
      const after = sorted.findIndex((each) => each.start > at + 0.001);
      const before = sorted.findLastIndex((each) => each.start < at - 0.001);
      const chosen = direction > 0 ? sorted[after < 0 ? 0 : after] : sorted[before < 0 ? sorted.length - 1 : before];
      const item = { kind: chosen.kind, [chosen.kind]: chosen };
      this.pick(item, { seek: true });
      this.live.textContent = L.describeItem(item, this.model);
    }

    // -- the film

    seek(seconds) {
      this.playUntil = null;
      this.move(seconds);
    }

    move(seconds) {
      this.seconds = Math.min(Math.max(0, seconds), this.model.duration);
      if (this.player && !this.player.hidden) this.player.currentTime = this.seconds + this.startOffset();
      this.timeline.reveal(this.seconds);
      this.timeline.playhead(this.seconds);
      this.showStill();
    }

    playSpan(start, end) {
      this.spot = { start, end };
      this.move(start);
      this.playUntil = end;
      this.player?.play?.().catch(() => {});
    }

    startOffset() {
      return this.model.run.film?.container_start_s ?? 0;
    }

    watchPlayer() {
      for (const name of ["timeupdate", "seeked", "play"]) this.player.addEventListener(name, this.tick);
      const gone = () => {
        this.player.hidden = true;
        this.still.hidden = false;
        this.showStill();
      };
      this.player.addEventListener("error", gone);
      for (const source of this.player.querySelectorAll("source")) source.addEventListener("error", gone);
    }

    followPlayer() {
      const now = this.player.currentTime - this.startOffset();
      if (!this.player.seeking) this.seconds = Math.max(0, now);
      this.timeline.playhead(this.seconds);
      if (this.playUntil !== null && this.playUntil !== undefined && now >= this.playUntil) {
        this.playUntil = null;
        this.player.pause();
      }
      if (!this.player.paused) requestAnimationFrame(() => this.followPlayer());
    }

    /** Without a film that plays: of all frames that were seen, the one nearest in time. */
    showStill() {
      if (this.still.hidden) return;
      let best = null;
      for (const look of this.model.looks) {
        look.frames.forEach((time, index) => {
          const url = Math.abs(time - this.seconds) < (best?.away ?? Infinity) ? this.actions.frameUrl(look, index) : null;
          if (url) best = { url, time, away: Math.abs(time - this.seconds), look };
        });
      }
      const small = best ? null : this.actions.stripUrl(Math.floor(this.seconds));
      const show = (url, time, about) => [h("img", { src: url, alt: `Frame at ${L.time(time, 2)}` }),
        h("p", {}, `The film is not playable here. ${about}: ${L.time(time, 2)}`)];
      if (best) L.fill(this.still, show(best.url, best.time, "The nearest frame that was seen"));
      else if (small) L.fill(this.still, show(small, Math.floor(this.seconds), "Its small picture"));
      else L.fill(this.still, h("p", {}, "The film is not playable here, and no frame was kept."));
    }

    // -- keys

    key(event) {
      if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
      if (event.target.closest?.("input, textarea, select, [contenteditable]")) return;
      const acts = {
        j: () => this.choose(this.position + 1),
        k: () => this.choose(this.position - 1),
        n: () => this.next(this.model.hits, 1),
        p: () => this.next(this.model.hits, -1),
        c: () => this.next(this.model.citations, 1),
        C: () => this.next(this.model.citations, -1),
        s: () => this.spot && this.playSpan(this.spot.start, this.spot.end),
        "+": () => this.timeline.zoom(0.5),
        "=": () => this.timeline.zoom(0.5),
        "-": () => this.timeline.zoom(2),
        0: () => this.timeline.showAll(),
        "?": () => this.toggleHelp(),
        " ": () => this.playOrPause(event),
      };
      const act = acts[event.key] ?? acts[event.key.toLowerCase?.()];
      if (!act || act() === false) return;
      event.preventDefault();
    }

    /** Space on a button presses the button. */
    playOrPause(event) {
      if (!this.player || event.target.closest?.("button, a, summary, video")) return false;
      this.playUntil = null;
      if (this.player.paused) this.player.play().catch(() => {});
      else this.player.pause();
      return true;
    }

    // -- a run that goes on

    /** No more steps will arrive: buttons of whoever shows the run, in its header. */
    end(actions) {
      this.options = { ...this.options, actions, isLive: false };
      this.fillHeader();
    }

    /** Show what came to the run since; steps that are there stay as they are. */
    update(run) {
      const had = this.model.steps.length;
      this.model = L.runModel(run);
      for (let k = this.buttons.length; k < this.model.steps.length; k += 1) this.addToList(this.model.steps[k], k);
      this.timeline.update(this.model);
      this.fillHeader();
      this.fillShares(this.model.coverage);
      const last = this.model.steps.length - 1;
      if (this.following && last >= had) this.select(last, { seek: false });
    }

    destroy() {
      this.settling.disconnect();
      document.removeEventListener("keydown", this.onKey);
      this.timeline.destroy();
      this.player?.pause();
      this.element.remove();
    }
  }
})(globalThis.Longshot);
