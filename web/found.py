"""Found moments, for a terminal and as JSON. Text from films is data: control characters and
markup in it were taken out or mean nothing here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console

from index.types import Video
from tools.query import Query
from tools.search import LaneHit, Moment
from web.payload import seconds
from web.terminal import format_span

_N_OF_FILM = 3


def films_of(moments: Sequence[Moment]) -> list[list[Moment]]:
    """The moments by film, the film with the best moment first."""
    films: dict[int, list[Moment]] = {}
    for moment in moments:
        films.setdefault(moment.video_id, []).append(moment)
    return list(films.values())


def print_moments(
    out: Console, moments: Sequence[Moment], videos: Mapping[int, Video], *, text: str
) -> None:
    """Moments, best first; under each the words that were found."""
    if not moments:
        out.print(f"nothing found for “{text}”", soft_wrap=True)
    for rank, moment in enumerate(moments, 1):
        _print_moment(out, moment, videos[moment.video_id], mark=f"{rank:>3}")


def print_films(
    out: Console, films: Sequence[Sequence[Moment]], videos: Mapping[int, Video], *, text: str
) -> None:
    """Films, best first, each with its best moments."""
    if not films:
        out.print(f"nothing found for “{text}”", soft_wrap=True)
    for rank, moments in enumerate(films, 1):
        video = videos[moments[0].video_id]
        n = len(moments)
        out.print(f"{rank:>3}  {video.path}  ({n} moment{'s' if n > 1 else ''})", soft_wrap=True)
        for moment in moments[:_N_OF_FILM]:
            _print_moment(out, moment, video, mark="   ")


def _print_moment(out: Console, moment: Moment, video: Video, *, mark: str) -> None:
    lanes = ", ".join(_lane(hit) for hit in moment.found)
    out.print(
        f"{mark}  {moment.score:.3f}  {format_span(moment.span)}  {video.path}"
        f"#t={moment.span.start_s:.3f},{moment.span.end_s:.3f}  [{lanes}]",
        soft_wrap=True,
    )
    for hit in moment.found:
        if hit.text:
            out.print(f"{'':>5}{hit.source}: “{hit.text}”", soft_wrap=True)


def _lane(hit: LaneHit) -> str:
    shown = f"{hit.score:.3f}" if hit.lane == "picture" else f"{hit.score:.0%}"
    return f"{hit.lane} #{hit.rank} {shown}"


def hits_to_json(
    query: Query, moments: Sequence[Moment], videos: Mapping[int, Video], *, by_film: bool = False
) -> dict[str, Any]:
    """The result of a search, best first; by film: each film's hits under it."""
    about = {
        "query": query.text,
        "wanted": query.wanted,
        "phrases": list(query.phrases),
        "excluded": list(query.excluded),
        "notices": list(query.notices),
    }
    hits = [_hit(rank, moment, videos) for rank, moment in enumerate(moments, 1)]
    if not by_film:
        return {**about, "hits": hits}
    films: dict[int, dict[str, Any]] = {}
    for hit in hits:
        film = films.setdefault(
            hit["video_id"],
            {
                "rank": len(films) + 1,
                "video_id": hit["video_id"],
                "video": hit["video"],
                "score": hit["score"],
                "hits": [],
            },
        )
        film["hits"].append(hit)
    return {**about, "films": list(films.values())}


def _hit(rank: int, moment: Moment, videos: Mapping[int, Video]) -> dict[str, Any]:
    said = next((hit.text for hit in moment.found if hit.text), "")
    return {
        "rank": rank,
        "video_id": moment.video_id,
        "video": str(videos[moment.video_id].path),
        "start": seconds(moment.span.start_s),
        "end": seconds(moment.span.end_s),
        "score": round(moment.score, 4),
        "modality": moment.lane,
        "text": said,
        "n_hits": moment.n_hits,
        "lanes": [
            {
                "lane": hit.lane,
                "rank": hit.rank,
                "score": round(hit.score, 4),
                **({"text": hit.text, "source": hit.source} if hit.lane == "words" else {}),
            }
            for hit in moment.found
        ],
    }
