/* Search over all films: hits as pictures, and one player that every hit seeks. */
"use strict";
globalThis.Longshot ??= {};

(function (L) {
  const h = (...all) => L.h(...all);

  L.views ??= {};
  L.views.search = async function search(page, { q = "", video = "" }) {
    const { videos } = await L.api("/v1/videos");
    const text = h("input", { type: "search", name: "q", value: q, size: 48, required: true, "aria-label": "What the picture should show", placeholder: "a red ball on the beach" });
    const film = L.filmChoice(videos, video, { name: "video", "aria-label": "In which films" });
    const hits = h("ol.hits", { "aria-label": "Hits, best first" });
    const said = h("p.muted", { role: "status" });
    const stage = h("aside.search-stage", { hidden: true, "aria-label": "Film" });
    const form = h("form.line", {
      role: "search",
      onsubmit: (event) => {
        event.preventDefault();
        page.go("search", { q: text.value, video: film.value });
      },
    }, text, film, h("button.main", {}, "Search"));
    page.show("Search", h("div.page-head", {}, h("h1", {}, "Search"), form), said,
      h("div.search-body", {}, hits, stage));
    if (!q.trim()) {
      text.focus();
      return null;
    }
    said.textContent = "Searching…";
    const leaving = new AbortController();
    L.api("/v1/search", { query: { q, video, limit: 36 }, signal: leaving.signal }).then((found) => {
      said.textContent = found.hits.length ? `${L.count(found.hits.length, "moment")} that look most like “${q}”` : `Nothing found for “${q}”`;
      const known = new Map(videos.map((each) => [each.video_id, each]));
      L.fill(hits, found.hits.map((hit) => hitCard(hit, () => play(stage, hit, known.get(hit.video_id)))));
    }).catch((error) => {
      said.textContent = "";
      if (error.name !== "AbortError") page.fail(error);
    });
    return () => leaving.abort();
  };

  function hitCard(hit, onclick) {
    const name = L.fileName(hit.video);
    return h("li", {}, h("button.hit", { type: "button", onclick, "aria-label": `${name} at ${L.time(hit.start)}: play` },
      L.picture(hit.thumbnail),
      h("span.hit-time", {}, L.span(hit.start, hit.end)),
      h("span.hit-film", { title: hit.video }, name),
      hit.text ? h("span.hit-text", {}, hit.text) : null,
      h("span.muted", {}, `${hit.modality} ${hit.score.toFixed(3)}`)));
  }

  /** One player for all hits of a film; the page stays where it is. */
  function play(stage, hit, video) {
    if (stage.dataset.video !== String(hit.video_id)) {
      stage.dataset.video = hit.video_id;
      const player = L.player(video, `Film ${L.fileName(hit.video)}`);
      const title = h("p", {}, h("a", { href: `#/film/${hit.video_id}` }, `Ask ${L.fileName(hit.video)} a question`));
      const gone = h("p.muted", { hidden: true }, "This browser cannot play the film.");
      player.addEventListener("error", () => (gone.hidden = false));
      L.fill(stage, player, h("p.span-shown"), gone, title);
      stage.hidden = false;
    }
    const player = stage.querySelector("video");
    player.currentTime = hit.start + video.container_start_s;
    stage.querySelector(".span-shown").textContent = L.span(hit.start, hit.end);
    player.play().catch(() => {});
  }
})(globalThis.Longshot);
