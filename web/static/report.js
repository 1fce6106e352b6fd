/* A one-file report: the run view over the record inside, with the film where its file is found. */
"use strict";

(function (L) {
  const data = JSON.parse(document.getElementById("data").textContent);
  const place = document.getElementById("run");
  const picture = (number) => number === null || number === undefined
    ? null : `data:image/jpeg;base64,${data.pictures[number]}`;
  const frameUrl = (look, index) => picture(data.looks[look.look]?.[index]);
  let view = null;

  function show(player) {
    view?.destroy();
    view = L.renderRun(place, data.run, {
      frameUrl, player,
      stripUrl: (seconds) => picture(nearest(seconds)),
      actions: L.h("span.actions", {}, L.lineageButton(data.run, { frameUrl })),
    });
  }

  /** The glance nearest in time. */
  function nearest(seconds) {
    const byDistance = (a, b) => Math.abs(a[0] - seconds) - Math.abs(b[0] - seconds);
    return [...data.glances].sort(byDistance)[0]?.[1];
  }

  /** Tries the places where the film may be, one after the other; the first that plays is taken. */
  function findFilm([film, ...others]) {
    if (!film) return;
    const player = L.h("video", {
      controls: true, preload: "metadata", playsinline: true, "aria-label": "The film",
      src: film.at ?? encodeURIComponent(film.beside),
    });
    player.addEventListener("loadedmetadata", () => show(player), { once: true });
    player.addEventListener("error", () => findFilm(others), { once: true });
  }

  show(null);
  findFilm(data.films);
})(globalThis.Longshot);
