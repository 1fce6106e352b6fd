/* Films in the page: a player for one, a card for one, a choice among all. */
"use strict";
globalThis.Longshot ??= {};

(function (L) {
  const h = (...all) => L.h(...all);

  /** A plain player of a film of the library. Its clock counts from the container's start. */
  L.player = function player(film, label) {
    if (!film?.in_library && film?.here === undefined) return null;
    return h("video", {
      src: `/v1/videos/${film.video_id}/film`, controls: true, preload: "metadata", playsinline: true,
      "aria-label": label ?? "The film",
    });
  };

  L.filmName = function filmName(video) {
    return L.fileName(video.path ?? video.video);
  };

  /** A model's name; of one in a folder the folder's own. */
  L.modelName = function modelName(name) {
    return name.startsWith("local-dir:") ? L.fileName(name) : name;
  };

  L.filmChoice = function filmChoice(videos, chosen, { all = "all films", ...props } = {}) {
    const option = (value, text) => {
      const each = h("option", { value: String(value) }, text);
      each.selected = String(value) === String(chosen ?? "");
      return each;
    };
    const ready = videos.filter((each) => each.state === "ready");
    return h("select", props, option("", all), ready.map((each) => option(each.video_id, L.filmName(each))));
  };

  /** A picture of the film that is simply missing where there is none. */
  L.picture = function picture(url, alt = "") {
    const image = h("img", { src: url, alt, loading: "lazy", decoding: "async" });
    image.addEventListener("error", () => image.replaceWith(h("span.no-poster", {}, "no picture")));
    return image;
  };

  L.jobLine = function jobLine(job, { onStop } = {}) {
    const { stage, done, total, left_s: left } = job.progress;
    const share = total > 0 ? done / total : null;
    const active = job.state === "queued" || job.state === "running";
    return h("li.job", {},
      h("span.job-title", {}, job.kind === "index" ? "Indexing " : "Asking ", h("b", {}, job.title)), L.statusBadge(job.state === "running" ? "working" : job.state),
      active && stage ? h("span.muted", {}, stage) : null,
      active ? h("progress", share === null ? { "aria-label": "working" } : { value: share, max: 1, "aria-label": `${L.percent(share)} done` }) : null,
      active && share !== null ? h("span.muted", {}, `${L.percent(share)}${left ? `, ${L.time(left)} left` : ""}`) : null,
      job.error ? h("span.bad", {}, job.error.hint ? `${job.error.message} (${job.error.hint})` : job.error.message) : null,
      job.run_id ? h("a", { href: `#/${active ? `job/${job.id}` : `run/${job.run_id}`}` }, active ? "Watch" : "Open the run") : null,
      active && onStop ? h("button", { type: "button", onclick: () => onStop(job) }, "Stop") : null);
  };
})(globalThis.Longshot);
