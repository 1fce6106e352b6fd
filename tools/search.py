"""Search: a text, its nearest clips, and the moments they make.

Hits come from one lane (pictures); hits that repeat a better one join its moment, so that
near-duplicates do not fill the list.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from index.errors import InputError
from index.types import Hit, Span, Vectors


class TextEncoder(Protocol):
    """What turns texts into vectors of the library's space."""

    def encode_texts(self, texts: Sequence[str]) -> Vectors: ...


class NearestClips(Protocol):
    """What finds the clips nearest to vectors."""

    def nearest(
        self, vectors: Vectors, *, limit: int, video_ids: Sequence[int] | None = None
    ) -> list[list[Hit]]: ...


@dataclass(frozen=True, slots=True)
class Moment:
    """A span that is returned to a person."""

    video_id: int
    span: Span
    score: float
    """Of its best hit: a cosine."""
    lane: str
    n_hits: int


def search(
    library: NearestClips,
    encoder: TextEncoder,
    text: str,
    *,
    limit: int = 10,
    video_ids: Sequence[int] | None = None,
    overlap: float = 0.5,
) -> list[Moment]:
    """The moments nearest to a text, best first.

    Raises:
        InputError: the text is empty, or the limit is not positive.
    """
    if not text.strip():
        raise InputError("the search text is empty", "say what should be in the picture")
    if limit < 1:
        raise InputError(f"a limit of {limit} finds nothing", "give 1 or more")
    # Several hits may be one moment: ask for more than are wanted.
    vectors = encoder.encode_texts([text])
    hits = library.nearest(vectors, limit=4 * limit, video_ids=video_ids)[0]
    return moments_of(hits, overlap=overlap)[:limit]


def moments_of(hits: Sequence[Hit], *, overlap: float = 0.5) -> list[Moment]:
    """Hits without near-duplicates, best first.

    A hit that shares at least `overlap` of the shorter span with a better one of its video and
    lane joins that one; hits that merely touch stay apart, or a whole film would melt into one.
    """
    moments: list[Moment] = []
    for hit in sorted(hits, key=lambda h: (-h.score, h.video_id, h.span)):
        same = next((i for i, m in enumerate(moments) if _repeats(hit, m, overlap)), None)
        if same is None:
            moments.append(Moment(hit.video_id, hit.span, hit.score, hit.lane, 1))
        else:
            moments[same] = replace(moments[same], n_hits=moments[same].n_hits + 1)
    return moments


def _repeats(hit: Hit, moment: Moment, overlap: float) -> bool:
    if (hit.video_id, hit.lane) != (moment.video_id, moment.lane):
        return False
    shorter = min(hit.span.duration_s, moment.span.duration_s)
    return hit.span.overlap_s(moment.span) >= overlap * shorter
