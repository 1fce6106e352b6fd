"""Routes of films: the list, posters, small frames, the file itself, and indexing new ones."""

from __future__ import annotations

import mimetypes
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from fastapi import Path as UrlPath
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict, Field

from index.build import ProgressEvent, build
from index.errors import InputError
from index.library import Library
from index.store import KnownVideo
from web.jobs import Job, job_to_json
from web.payload import report_to_json, video_to_json
from web.server_desk import Desk, video_of
from web.server_library import LARGEST, DeskNeeded

router = APIRouter(tags=["videos"])

VideoNumber = Annotated[int, UrlPath(le=LARGEST)]

_STILL = {"Cache-Control": "private, max-age=3600"}
_POSTER_SHARES = (0.08, 0.2, 0.35, 0.5, 0.65)
_MEDIA_TYPES = {
    ".mkv": "video/x-matroska",
    ".ts": "video/mp2t",
    ".m2ts": "video/mp2t",
    ".m4v": "video/mp4",
}


class IndexRequest(BaseModel):
    """Films to add to the library."""

    model_config = ConfigDict(extra="forbid")

    paths: list[str] = Field(min_length=1, max_length=1000)
    """Files, or folders with films, on the server's machine."""


@router.get("/v1/videos")
def list_videos(desk: DeskNeeded) -> dict[str, Any]:
    """Every film, also those that are only partly indexed."""
    with desk.library() as library:
        return {"videos": [_video(library, known) for known in library.store.known_videos()]}


@router.get("/v1/videos/{video_id}")
def one_video(desk: DeskNeeded, video_id: VideoNumber) -> dict[str, Any]:
    """A film that is indexed."""
    with desk.library() as library:
        video = video_of(library, video_id)
        return _video(library, KnownVideo(video, "ready", ""))


@router.get("/v1/videos/{video_id}/film", response_class=FileResponse)
def film_bytes(desk: DeskNeeded, video_id: VideoNumber) -> FileResponse:
    """The film's file; answers Range requests, so that a player can begin anywhere."""
    with desk.library() as library:
        video_of(library, video_id)
        path = library.film_path(video_id)
    return FileResponse(path, media_type=_media_type(path), headers={"Cache-Control": "no-cache"})


@router.get("/v1/videos/{video_id}/poster", response_class=Response)
def poster(desk: DeskNeeded, video_id: VideoNumber) -> Response:
    """A small picture that stands for the film: of a few, the one with the most detail in it."""
    with desk.library() as library:
        duration_s = video_of(library, video_id).facts.duration_s
        pictures = library.strip_jpegs(video_id, [share * duration_s for share in _POSTER_SHARES])
    return Response(max(pictures, key=len), media_type="image/jpeg", headers=_STILL)


@router.get("/v1/videos/{video_id}/frame", response_class=Response)
def small_frame(
    desk: DeskNeeded,
    video_id: VideoNumber,
    time_s: Annotated[float, Query(ge=0, allow_inf_nan=False)],
) -> Response:
    """The small stored picture nearest to a time."""
    with desk.library() as library:
        video_of(library, video_id)
        (picture,) = library.strip_jpegs(video_id, [time_s])
    return Response(picture, media_type="image/jpeg", headers=_STILL)


@router.post("/v1/index", status_code=202)
def index_films(desk: DeskNeeded, request: IndexRequest) -> dict[str, Any]:
    """Index files or folders as a job. What is indexed already is left alone."""
    paths = [desk.rights.check(_path(text)) for text in request.paths]
    for path in paths:
        if not path.exists():
            raise InputError(f"{path} does not exist", "check the path")
    title = str(paths[0]) if len(paths) == 1 else f"{paths[0]} and {len(paths) - 1} more"
    job = Job("index", title, work=lambda job: _index(desk, job, paths))
    return job_to_json(desk.jobs.add(job))


def _index(desk: Desk, job: Job, paths: list[Path]) -> None:
    def show(event: ProgressEvent) -> None:
        place = f"{event.film_index + 1}/{event.n_films} " if event.n_films > 1 else ""
        stage = f"{place}{event.path.name}: {event.stage}"
        job.progress(stage, done=max(0.0, event.done), total=event.total)

    job.progress("loading the encoder", done=0, total=0)
    encoder = desk.encoder()
    with desk.library() as library:
        report = build(library, paths, encoder=encoder, settings=desk.config.index, progress=show)
    job.say("report", report_to_json(report))
    if report.failures and not (report.indexed or report.unchanged):
        raise InputError(report.failures[0].message, report.failures[0].hint)


def _path(text: str) -> Path:
    if not text.strip() or "\0" in text:
        raise InputError("a path is empty", "give a file or a folder")
    path = Path(text.strip()).expanduser()
    if not path.is_absolute():
        raise InputError(f"{text} is not an absolute path", "write the whole path")
    return path


def _video(library: Library, known: KnownVideo) -> dict[str, Any]:
    video = known.video
    base = f"/v1/videos/{video.video_id}"
    return {
        **video_to_json(video),
        "state": known.state,
        "indexed_s": round(library.store.indexed_s(video.video_id), 3),
        "here": video.path.is_file(),
        "poster": f"{base}/poster" if known.state == "ready" else None,
        "film": f"{base}/film",
        "media_type": _media_type(video.path),
    }


def _media_type(path: Path) -> str:
    known = _MEDIA_TYPES.get(path.suffix.lower())
    return known or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
