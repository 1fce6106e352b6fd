/* Elements, times and numbers for the page and for the one-file report.
 *
 * Everything that comes from a film, a model or a person reaches the document as text: `h` makes
 * text nodes and never parses markup. Classic scripts in one namespace, so that a page opened from
 * disk can carry them inside.
 */
"use strict";
globalThis.Longshot ??= {};

(function (L) {
  // What sums of floats lose.
  const TINY_S = 1e-6;

  /** An element: h("a.link", {href, onclick, "aria-label"}, ...children). Children are text or nodes. */
  L.h = function h(spec, props = {}, ...children) {
    const [tag, ...classes] = spec.split(".");
    const node = document.createElement(tag || "div");
    if (classes.length) node.className = classes.join(" ");
    for (const [name, value] of Object.entries(props ?? {})) {
      if (value === null || value === undefined || value === false) continue;
      if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else if (name === "style") Object.assign(node.style, value);
      else if (name === "value" || name === "checked") node[name] = value;
      else node.setAttribute(name, value === true ? "" : String(value));
    }
    L.put(node, children);
    return node;
  };

  L.put = function put(node, children) {
    for (const child of children.flat(4)) {
      if (child === null || child === undefined || child === false) continue;
      node.append(child instanceof Node ? child : document.createTextNode(String(child)));
    }
  };

  L.fill = function fill(node, ...children) {
    node.replaceChildren();
    L.put(node, children);
    return node;
  };

  /** Seconds as H:MM:SS: the second that is running, as players show it; with `decimals` rounded. */
  L.time = function time(seconds, decimals = 0) {
    const scale = 10 ** decimals;
    const given = Math.max(0, Number(seconds) || 0);
    const total = decimals ? Math.round(given * scale) / scale : Math.floor(given + TINY_S);
    const whole = Math.floor(total);
    const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
    const [hours, minutes, rest] = parts.map((part) => String(part).padStart(2, "0"));
    const tail = decimals ? (total - whole).toFixed(decimals).slice(1) : "";
    return `${Number(hours)}:${minutes}:${rest}${tail}`;
  };

  /** A span as it is read: tenths where whole seconds would say nothing. */
  L.span = function span(start, end) {
    const decimals = end - start >= 2 ? 0 : 1;
    return `${L.time(start, decimals)}–${L.time(end, decimals)}`;
  };

  L.count = function count(n, word, plural = `${word}s`) {
    return `${L.number(n)} ${n === 1 ? word : plural}`;
  };

  L.number = function number(n) {
    return Number(n).toLocaleString("en-GB", { maximumFractionDigits: 1 });
  };

  // Whether a call's probabilities are those of written text, and none of scores.
  L.isWritten = function isWritten(probabilities) {
    return Object.keys(probabilities ?? {}).every((name) => name === "reply");
  };

  L.percent = function percent(share) {
    const value = 100 * share;
    if (value > 0 && value < 1) return "<1 %";
    return `${Math.round(value)} %`;
  };

  L.bytes = function bytes(n) {
    const units = ["bytes", "kB", "MB", "GB", "TB"];
    let step = 0;
    while (n >= 1000 && step < units.length - 1) (n /= 1000), (step += 1);
    return `${n.toFixed(step && n < 100 ? 1 : 0)} ${units[step]}`;
  };

  /** The file's name at the end of a path of any system. */
  L.fileName = function fileName(path) {
    return String(path).split(/[\\/]/).pop();
  };

  L.STATUS = {
    answered: "answered",
    not_found: "not in this film",
    out_of_budget: "a guess",
    running: "not finished",
    working: "working",
    queued: "waiting",
    failed: "failed",
    stopped: "stopped",
    done: "done",
  };

  /** How a run ended, in words; no film lacks what it is about. */
  L.statusWords = function statusWords(status, kind) {
    return status === "not_found" && kind === "whole" ? "no answer" : L.STATUS[status] ?? status;
  };

  /** A status as a word with a mark: never colour alone. */
  L.statusBadge = function statusBadge(status, kind) {
    const mark = { answered: "✓", done: "✓", not_found: "∅", out_of_budget: "?", failed: "!" };
    return L.h(`span.badge.is-${status}`, {}, `${mark[status] ?? "…"} ${L.statusWords(status, kind)}`);
  };
})(globalThis.Longshot);
