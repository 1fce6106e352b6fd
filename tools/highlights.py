"""Found moments in the format of QVHighlights, one row for each film.

`pred_saliency_scores` has one score for every two seconds of the film, as that benchmark cuts its
videos: the cosine of its pictures with the query (0 where pictures were not searched), plus 1 where
a found passage is said.

Source: QVHighlights, arXiv 2107.09609, section 4 (format of submissions).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from index.types import Seconds, Span, Vectors, Video
from tools.query import Query
from tools.search import Moment, TextEncoder

CLIP_S = 2.0


class TimelineLike(Protocol):
    """Rows of about one a second."""

    @property
    def times_s(self) -> Seconds: ...
    @property
    def vectors(self) -> Vectors: ...


class FilmLibrary(Protocol):
    """What gives films and their vectors."""

    def videos(self) -> list[Video]: ...
    def timeline(self, video_id: int) -> TimelineLike: ...


def highlights(
    library: FilmLibrary, encoder: TextEncoder | None, query: Query, moments: Sequence[Moment]
) -> list[dict[str, Any]]:
    """A row {qid, query, vid, pred_relevant_windows, pred_saliency_scores} for each film found."""
    vector = encoder.encode_texts([query.wanted])[0] if encoder is not None else None
    films: dict[int, list[Moment]] = {}
    for moment in moments:
        films.setdefault(moment.video_id, []).append(moment)
    videos = {video.video_id: video for video in library.videos()}
    rows = []
    for qid, (video_id, found) in enumerate(films.items(), 1):
        video = videos[video_id]
        scores = np.zeros(max(1, math.ceil(video.facts.duration_s / CLIP_S)))
        if vector is not None and video.has_pictures:
            scores += _cosines(library.timeline(video_id), vector, n=len(scores))
        for moment in found:
            if moment.lane != "picture":
                scores += _inside(moment.span, n=len(scores))
        rows.append(
            {
                "qid": qid,
                "query": query.text,
                "vid": video.path.stem,
                "pred_relevant_windows": [
                    [round(m.span.start_s, 3), round(m.span.end_s, 3), round(m.score, 4)]
                    for m in found
                ],
                "pred_saliency_scores": [round(float(score), 4) for score in scores],
            }
        )
    return rows


def _cosines(timeline: TimelineLike, vector: NDArray[np.float32], *, n: int) -> NDArray[np.float64]:
    """(n,) the best cosine inside each two seconds."""
    best = np.full(n, -1.0)
    rows = np.minimum((timeline.times_s / CLIP_S).astype(int), n - 1)
    np.maximum.at(best, rows, np.asarray(timeline.vectors @ vector, dtype=np.float64))
    return np.where(best < -0.999, 0.0, best)


def _inside(span: Span, *, n: int) -> NDArray[np.float64]:
    starts = np.arange(n) * CLIP_S
    inside = (starts < span.end_s) & (starts + CLIP_S > span.start_s)
    return np.asarray(inside, dtype=np.float64)
