/* The server's API as the page uses it. An error carries one line and what to do about it. */
"use strict";
globalThis.Longshot ??= {};

(function (L) {
  L.api = async function api(path, { method = "GET", body, query, signal } = {}) {
    const url = new URL(path, location.origin);
    for (const [name, value] of Object.entries(query ?? {})) {
      if (value !== "" && value !== null && value !== undefined) url.searchParams.set(name, value);
    }
    const headers = body === undefined ? {} : { "Content-Type": "application/json" };
    let response;
    try {
      response = await fetch(url, { method, headers, signal, body: body === undefined ? undefined : JSON.stringify(body) });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Error("The server does not answer. Is longshot serve still running?");
    }
    const data = await response.json().catch(() => null);
    if (!response.ok) {
      const { message, hint } = data?.error ?? { message: `the server said ${response.status}` };
      throw new Error(hint ? `${message} (${hint})` : message);
    }
    return data;
  };

  /** Follow a job: handlers {job, run, step, answer, report} are called with each event's data,
   *  {lost} when the server does not know it any more. Returns a function that stops listening. */
  L.follow = function follow(jobId, handlers) {
    const source = new EventSource(`/v1/jobs/${encodeURIComponent(jobId)}/events`);
    for (const [name, handler] of Object.entries(handlers)) {
      if (name !== "lost") source.addEventListener(name, (event) => handler(JSON.parse(event.data)));
    }
    const ended = (event) => {
      if (["done", "failed", "stopped"].includes(JSON.parse(event.data).state)) source.close();
    };
    source.addEventListener("job", ended);
    source.addEventListener("error", () => {
      // While it tries again by itself there is nothing to say.
      if (source.readyState === EventSource.CLOSED) handlers.lost?.();
    });
    return () => source.close();
  };

  L.frameUrl = function frameUrl(runId) {
    return (look, index) => `/v1/runs/${runId}/looks/${encodeURIComponent(look.look)}/frames/${index}`;
  };

  L.stripUrl = function stripUrl(film) {
    if (!film?.in_library) return () => null;
    return (seconds) => `/v1/videos/${film.video_id}/frame?time_s=${seconds.toFixed(3)}`;
  };
})(globalThis.Longshot);
