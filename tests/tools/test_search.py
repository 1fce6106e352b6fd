"""A text, its nearest clips, and the moments they make."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from index.errors import InputError
from index.types import Hit, Span, Vectors
from tools.search import moments_of, search


class FixedHits:
    """A library whose search always finds the same, and an encoder that says nothing."""

    def __init__(self, hits: Sequence[Hit]) -> None:
        self.hits = list(hits)

    def nearest(
        self, vectors: Vectors, *, limit: int, video_ids: Sequence[int] | None = None
    ) -> list[list[Hit]]:
        return [self.hits[:limit]]

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        return np.ones((len(texts), 1), np.float32)


def hit(start_s: float, end_s: float, score: float, video_id: int = 1) -> Hit:
    return Hit(video_id, Span(start_s, end_s), score, "picture")


def test_a_repeated_hit_joins_the_better_one() -> None:
    moments = moments_of([hit(0, 8, 0.3), hit(2, 10, 0.5), hit(30, 38, 0.4)])
    assert [(m.span.start_s, m.score, m.n_hits) for m in moments] == [(2, 0.5, 2), (30, 0.4, 1)]


def test_hits_that_only_touch_and_other_videos_stay_apart() -> None:
    moments = moments_of([hit(0, 8, 0.3), hit(8, 16, 0.2), hit(0, 8, 0.1, video_id=2)])
    assert len(moments) == 3


def test_the_best_come_first_up_to_the_limit() -> None:
    library = FixedHits([hit(0, 8, 0.3), hit(20, 28, 0.5), hit(40, 48, 0.4)])
    found = search(library, library, "a red car", limit=2)
    assert [m.span.start_s for m in found] == [20, 40]


@pytest.mark.parametrize(("text", "limit"), [("  ", 5), ("car", 0)])
def test_an_empty_text_or_limit_is_refused(text: str, limit: int) -> None:
    library = FixedHits([])
    with pytest.raises(InputError):
        search(library, library, text, limit=limit)
