/* One film: its player, a question to it, and what it was asked before. */
"use strict";
globalThis.Longshot ??= {};

(function (L) {
  const h = (...all) => L.h(...all);

  L.views ??= {};
  L.views.film = async function film(page, { id, q = "" }) {
    const [video, { runs }] = await Promise.all([
      L.api(`/v1/videos/${encodeURIComponent(id)}`), L.api("/v1/runs", { query: { video: id, limit: 30 } })]);
    const player = L.player(video, `Film ${L.filmName(video)}`);
    const gone = h("p.bad", { hidden: video.here }, "The film's file is not where it was.");
    player.addEventListener("error", () => (gone.textContent = video.here ? "This browser cannot play the film; asking works all the same." : gone.textContent, gone.hidden = false));
    page.show(L.filmName(video),
      h("div.page-head", {}, h("h1", { title: video.path }, L.filmName(video)),
        h("p.muted", {}, `${L.time(video.duration_s)}, ${video.width_px}×${video.height_px}, ${video.codec}`,
          video.notes.length ? ` · ${video.notes.join("; ")}` : "")),
      h("div.film-body", {},
        h("section.film-player", { "aria-label": "Film" }, player, gone),
        h("section", {}, askForm(video, q, page), earlier(runs))));
    return () => player.pause();
  };

  function askForm(video, text, page) {
    const question = h("textarea", { name: "question", rows: 3, required: true, maxlength: 10000, value: text, placeholder: "When does the red car leave?" });
    const options = h("textarea", { name: "options", rows: 2, placeholder: "one a line; leave empty for a free answer" });
    const tokens = h("input", { type: "number", name: "tokens", min: 1, step: 1, placeholder: "as the model needs", size: 10 });
    const button = h("button.main", {}, "Ask and watch");
    const submit = async (event) => {
      event.preventDefault();
      button.disabled = true;
      const chosen = options.value.split("\n").map((each) => each.trim()).filter(Boolean);
      const budget = tokens.value ? { visual_tokens: Number(tokens.value) } : {};
      try {
        const job = await L.api("/v1/ask", {
          method: "POST", body: { video: String(video.video_id), question: question.value, options: chosen, budget },
        });
        page.go(`job/${job.id}`);
      } catch (error) {
        page.fail(error);
        button.disabled = false;
      }
    };
    question.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) button.form.requestSubmit();
    });
    return h("form.ask", { onsubmit: submit, "aria-label": "Ask this film" },
      h("label", {}, "Question", question), h("label", {}, "Options", options),
      h("label", {}, "Most visual tokens", tokens), button);
  }

  function earlier(runs) {
    if (!runs.length) return h("p.muted", {}, "Nothing was asked of this film yet.");
    return h("section.earlier", {}, h("h2", {}, "Asked before"), h("ul", {}, runs.map((run) =>
      h("li", {}, h("a", { href: `#/run/${run.id}` }, run.question), " ", L.statusBadge(run.status, run.kind),
        run.reply ? h("span.muted", {}, ` ${run.reply}`) : null))));
  }
})(globalThis.Longshot);
