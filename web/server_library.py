"""Routes about the library as a whole: health, what it is, search."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request

from tools.query import parse_query
from web.found import hits_to_json
from web.payload import seconds
from web.server_desk import Desk, film_of

router = APIRouter()

LARGEST = 2**63 - 1
"""The largest number that the database holds."""


def desk_of(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


DeskNeeded = Annotated[Desk, Depends(desk_of)]


@router.get("/health", tags=["library"])
def health() -> dict[str, str]:
    """Whether the server is there; the one address that never asks for a token."""
    return {"status": "ok", "version": version("longshot")}


@router.get("/v1/library", tags=["library"])
def library_facts(desk: DeskNeeded) -> dict[str, Any]:
    """What the library is, which models are used, and what the page may do."""
    with desk.library() as library:
        videos = library.videos()
        identity = library.encoder_identity()
    rights = desk.rights
    return {
        "library": str(desk.config.library),
        "encoder": identity.name if identity else None,
        "models": desk.config.models,
        "n_videos": len(videos),
        "duration_s": seconds(sum(video.facts.duration_s for video in videos)),
        "may_index": "anywhere" if rights.anywhere else [str(each) for each in rights.folders],
    }


@router.get("/v1/search", tags=["library"])
def search_films(
    desk: DeskNeeded,
    q: Annotated[str, Query(max_length=2000, description="What is shown or said.")],
    video: Annotated[list[str] | None, Query(description="Only these films.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 24,
    threshold: Annotated[float | None, Query(description="No picture below this cosine.")] = None,
) -> dict[str, Any]:
    """Moments that look like a text, best first, over all films or some."""
    with desk.library() as library:
        videos = {each.video_id: each for each in library.videos()}
        chosen = [film_of(library, each).video_id for each in video or ()]
    moments = desk.search(q, limit=limit, video_ids=chosen or None)
    # A film may have left the library since the vectors were read.
    moments = [each for each in moments if each.video_id in videos]
    if threshold is not None:
        moments = [
            each for each in moments if each.lane != "picture" or each.found[0].score >= threshold
        ]
    found: dict[str, Any] = hits_to_json(parse_query(q), moments, videos)
    for hit in found["hits"]:
        middle_s = (hit["start"] + hit["end"]) / 2
        hit["thumbnail"] = f"/v1/videos/{hit['video_id']}/frame?time_s={middle_s:.3f}"
    return found
