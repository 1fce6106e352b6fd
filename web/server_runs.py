"""Routes of runs: the list with filters, a whole run, its exports, its frames, two compared."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response

from agent.trace import load_run
from agent.trace_diff import Recorded, diff_runs
from index.errors import InputError, LibraryError, MediaError
from index.run_rows import LookRow, RunRow
from index.runs import RunStore
from web.diff_payload import diff_to_json
from web.exports.files import download_name, export_text
from web.exports.traced import load_traced
from web.payload import runs_to_json, trace_to_json
from web.seen_frames import stored_picture
from web.server_desk import Desk, NotFoundError, film_of
from web.server_library import LARGEST, DeskNeeded

router = APIRouter(tags=["runs"])

_STILL = {"Cache-Control": "private, max-age=3600"}


@router.get("/v1/runs")
def list_runs(
    desk: DeskNeeded,
    video: Annotated[str | None, Query(description="Only runs on this film.")] = None,
    status: Literal["answered", "not_found", "out_of_budget", "running"] | None = None,
    text: Annotated[str | None, Query(description="In the question or the reply.")] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    offset: Annotated[int, Query(ge=0, le=LARGEST)] = 0,
) -> dict[str, Any]:
    """Runs without their steps, the newest first."""
    video_hash = None
    if video:
        with desk.library() as library:
            video_hash = film_of(library, video).content_hash
    with desk.runs() as store:
        # One more than asked for tells whether there are more.
        found = store.runs(
            limit=limit + 1, offset=offset, video_hash=video_hash, status=status, text=text
        )
    return {"runs": runs_to_json(found[:limit]), "more": len(found) > limit}


@router.get("/v1/runs/{run_id}")
def one_run(desk: DeskNeeded, run_id: str) -> dict[str, Any]:
    """A whole run with its steps; the film's facts where the library still has it."""
    with desk.runs() as store:
        run, steps, answer = load_run(store, _run(store, run_id).run_id)
    with desk.library() as library:
        video = library.with_content(run.video_hash)
    return trace_to_json(run, steps, answer, video=video)


@router.get("/v1/runs/{run_a}/diff/{run_b}")
def two_runs(desk: DeskNeeded, run_a: str, run_b: str) -> dict[str, Any]:
    """Where two runs part, as `longshot trace diff --json` says it."""
    with desk.runs() as store:
        a, b = (Recorded(*load_run(store, _run(store, each).run_id)) for each in (run_a, run_b))
    return diff_to_json(diff_runs(a, b))


@router.get(
    "/v1/runs/{run_id}/export",
    response_class=Response,
    responses={200: {"content": {"text/html": {}, "application/json": {}}}},
)
def exported_run(
    desk: DeskNeeded,
    run_id: str,
    form: Annotated[
        Literal["html", "json", "atif", "otel", "inspect"],
        Query(alias="format", description="As the flags of `longshot trace export`."),
    ] = "html",
) -> Response:
    """A run in another form, as a file to keep; it is never shown as a page of this server."""
    with desk.library() as library, desk.runs() as store:
        traced = load_traced(library, store, _run(store, run_id).run_id)
    return Response(
        export_text(form, traced, None),
        media_type="text/html" if form == "html" else "application/json",
        headers={
            "Cache-Control": "no-cache",
            "Content-Disposition": f'attachment; filename="{download_name(form, traced)}"',
        },
    )


@router.get("/v1/runs/{run_id}/looks/{look_id}/frames/{index}", response_class=Response)
def seen_frame(desk: DeskNeeded, run_id: str, look_id: str, index: int) -> Response:
    """A frame of a look as the model saw it: its pixels and size, or the small one that was kept.

    `X-Longshot-Frame` says which: "decoded" or "kept".
    """
    with desk.runs() as store:
        run = _run(store, run_id)
        look = store.look(run.run_id, look_id)
        if look is None or not 0 <= index < len(look.times_s):
            raise NotFoundError(f"no frame {index} of look {look_id!r} in run {run.run_id}")
        kept = store.thumbnails(run.run_id, look_id)
    decoded = _decoded(desk, run, look)
    if decoded is not None:
        return Response(
            decoded[index],
            media_type="image/png",
            headers={**_STILL, "X-Longshot-Frame": "decoded"},
        )
    picture = stored_picture(look, index, kept)
    if picture is None:
        raise NotFoundError("the film is gone, and this frame was not kept", "others of it were")
    return Response(
        picture,
        media_type="image/jpeg",
        headers={"Cache-Control": "no-cache", "X-Longshot-Frame": "kept"},
    )


def _decoded(desk: Desk, run: RunRow, look: LookRow) -> list[bytes] | None:
    """The look decoded again; None where the film is not there as it was."""
    with desk.library() as library:
        video = library.with_content(run.video_hash)
        if video is None:
            return None
        try:
            library.film_path(video.video_id)  # Raises where it is gone or changed.
            return desk.frames.pictures(library, video, look)
        except (InputError, LibraryError, MediaError):
            return None


def _run(store: RunStore, run_id: str) -> RunRow:
    run = store.load(run_id)
    if run is None:
        raise NotFoundError(f"no run {run_id!r}, or several begin like it", "see /v1/runs")
    return run
