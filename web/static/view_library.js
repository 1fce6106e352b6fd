/* The library: its films with posters and state, what is being worked on, a form to add films. */
"use strict";
globalThis.Longshot ??= {};

(function (L) {
  const h = (...all) => L.h(...all);
  const POLL_MS = 700;

  L.views ??= {};
  L.views.library = async function library(page) {
    const films = h("ul.films");
    const jobs = h("ul.jobs", { "aria-label": "Work in hand" });
    const summary = h("p.muted");
    const demo = h("p.demo", { hidden: true }, "These are the embedded demo models. They know only the demo world "
      + "(longshot demo film); what they say about any other film means nothing.");
    let wasBusy = false;
    let timer = null;
    let hasLeft = false;

    const show = async () => {
      const [facts, { videos }] = await Promise.all([L.api("/v1/library"), L.api("/v1/videos")]);
      summary.textContent = `${L.count(facts.n_videos, "film")}, ${L.time(facts.duration_s)} together · `
        + `encoder ${facts.encoder ? L.modelName(facts.encoder) : "none yet"} · models ${L.modelName(facts.models)}`;
      demo.hidden = facts.models !== "demo";
      L.fill(films, videos.map(filmCard));
      if (!videos.length) L.fill(films, h("li.empty", {}, "No film yet. Add one above, or run: longshot index FILM"));
      return facts;
    };
    const watch = async () => {
      const { jobs: all } = await L.api("/v1/jobs");
      // A question that has ended is among the runs.
      const shown = all.filter((job) => job.kind === "index" || job.state !== "done").slice(0, 12);
      L.fill(jobs, shown.map((job) => L.jobLine(job, { onStop: stop })));
      const busy = all.some((job) => job.kind === "index" && ["queued", "running"].includes(job.state));
      if (wasBusy && !busy) await show();
      wasBusy = busy;
      if (!hasLeft) timer = setTimeout(() => watch().catch(page.fail), POLL_MS);
    };
    const stop = (job) => L.api(`/v1/jobs/${job.id}`, { method: "DELETE" }).catch(page.fail);

    const facts = await show();
    const form = addForm(facts, async (path) => {
      await L.api("/v1/index", { method: "POST", body: { paths: [path] } });
      wasBusy = true;
    }, page);
    page.show("Library", h("div.page-head", {}, h("h1", {}, "Library"), summary), demo, form, jobs, films);
    watch().catch(page.fail);
    return () => {
      hasLeft = true;
      clearTimeout(timer);
    };
  };

  function addForm(facts, add, page) {
    if (Array.isArray(facts.may_index) && !facts.may_index.length) return null;
    const where = facts.may_index === "anywhere" ? "a film or a folder on this machine" : `below ${facts.may_index.join(", ")}`;
    const input = h("input", { type: "text", name: "path", required: true, size: 60, placeholder: "/home/me/films/holiday.mp4", spellcheck: "false", autocomplete: "off" });
    return h("form.line", {
      onsubmit: (event) => {
        event.preventDefault();
        add(input.value).then(() => (input.value = "")).catch(page.fail);
      },
    }, h("label", {}, `Add ${where}: `, input), h("button.main", {}, "Add to the library"));
  }

  function filmCard(video) {
    const name = L.filmName(video);
    const ready = video.state === "ready";
    const state = ready ? (video.here ? null : "file is gone") : video.state === "partial"
      ? `indexed to ${L.time(video.indexed_s)} of ${L.time(video.duration_s)}` : "other content stands at its path now";
    const body = [
      h("span.poster", {}, ready ? L.picture(video.poster) : h("span.no-poster", {}, "not indexed yet"), h("span.length", {}, L.time(video.duration_s))),
      h("span.film-title", { title: video.path }, name),
    ];
    return h("li.film-card", {},
      ready ? h("a.film-link", { href: `#/film/${video.video_id}`, "aria-label": `${name}, ${L.time(video.duration_s)}: open` }, body) : h("span.film-link", {}, body),
      h("span.muted", {}, `${video.width_px}×${video.height_px}, ${video.codec}${video.has_audio ? ", sound" : ""}`),
      state ? h("span.bad", {}, state) : null,
      video.notes.length ? h("span.muted", {}, video.notes.join("; ")) : null);
  }
})(globalThis.Longshot);
