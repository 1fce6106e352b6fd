"""Anchors, lengths, and the allocator of tokens."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.types import Span
from tools.keyclips import (
    Candidate,
    ClipShape,
    LengthSettings,
    alike_span,
    allocate,
    anchors,
    key_span,
    smallest_open_step,
)


def price(*, n_frames: int, width_px: int, height_px: int) -> int:
    """As Qwen3-VL: pairs on a 32-px grid, ten tokens for each time tag."""
    return -(-n_frames // 2) * ((width_px // 32) * (height_px // 32) + 10)


LADDER = (
    ClipShape(2, 160, 96),
    ClipShape(4, 160, 96),
    ClipShape(8, 160, 96),
    ClipShape(8, 224, 128),
)
# 25, 50, 100 and 152 tokens.


def candidate(start_s: float, relevance: float) -> Candidate:
    return Candidate(Span(start_s, start_s + 5), relevance, LADDER)


def test_every_hill_between_valleys_has_one_anchor() -> None:
    scores = np.array([0, 1, 0, 2, 2, 2, 0, 0, 3.0])
    assert anchors(np.arange(9.0), scores, limit=9) == [1, 4, 8]


def test_a_level_curve_has_one_anchor_in_its_middle() -> None:
    assert anchors(np.arange(5.0), np.zeros(5), limit=3) == [2]


def test_too_many_anchors_keep_the_best_of_each_cluster() -> None:
    # Hills at 1, 3 (early) and 21, 23 (late): one stays of each pair.
    scores = np.zeros(25)
    scores[[1, 3, 21, 23]] = [0.5, 0.9, 0.8, 0.4]
    assert anchors(np.arange(25.0), scores, limit=2) == [3, 21]


def test_no_scores_have_no_anchor() -> None:
    assert anchors(np.zeros(0), np.zeros(0), limit=3) == []


def test_the_best_clip_gets_the_most() -> None:
    clips = allocate([candidate(0, 0.1), candidate(50, 0.9)], budget_tokens=180, price=price)
    assert [(c.span.start_s, c.tokens) for c in clips] == [(0, 25), (50, 152)]


def test_the_least_relevant_go_first_when_even_the_plainest_is_too_much() -> None:
    clips = allocate(
        [candidate(0, 0.1), candidate(10, 0.9), candidate(20, 0.5)], budget_tokens=55, price=price
    )
    assert [c.span.start_s for c in clips] == [10, 20]


def test_nothing_is_shown_for_nothing() -> None:
    assert allocate([candidate(0, 1.0)], budget_tokens=24, price=price) == []
    assert allocate([], budget_tokens=100, price=price) == []


@given(
    st.lists(
        st.tuples(st.integers(0, 500), st.floats(0, 1)),
        min_size=1,
        max_size=12,
        unique_by=lambda t: t[0],
    ),
    st.integers(0, 2500),
)
def test_the_budget_is_kept_and_little_is_left(
    wanted: list[tuple[int, float]], budget_tokens: int
) -> None:
    candidates = [candidate(10.0 * start, relevance) for start, relevance in wanted]
    clips = allocate(candidates, budget_tokens=budget_tokens, price=price)
    total = sum(c.tokens for c in clips)
    assert total <= budget_tokens
    for clip in clips:
        assert clip.tokens == price(
            n_frames=clip.shape.n_frames,
            width_px=clip.shape.width_px,
            height_px=clip.shape.height_px,
        )
    if len(clips) < len(candidates):
        assert 25 * (len(clips) + 1) > budget_tokens
    step = smallest_open_step(clips, candidates, price=price)
    if step is not None:
        assert budget_tokens - total < step
    assert [c.span for c in clips] == sorted(c.span for c in clips)


@given(st.lists(st.floats(0, 1, width=32), min_size=1, max_size=60), st.integers(1, 10))
def test_anchors_are_few_ascending_and_hold_the_best(values: list[float], limit: int) -> None:
    scores = np.array(values)
    found = anchors(np.arange(float(len(values))), scores, limit=limit)
    assert 1 <= len(found) <= limit
    assert found == sorted(set(found))
    assert max(scores[found]) == pytest.approx(scores.max())


def flat_price(*, n_frames: int, width_px: int, height_px: int) -> int:
    """A model whose frames cost the same at any size."""
    return 30 * n_frames


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.integers(0, 3000))
def test_a_model_without_adaptive_size_gets_the_same_plan_in_its_own_tokens(
    relevances: list[float], budget_tokens: int
) -> None:
    # Its ladder has frames alone: a larger picture would cost nothing and show nothing.
    ladder = LADDER[:3]
    candidates = [
        Candidate(Span(10.0 * i, 10.0 * i + 5), r, ladder) for i, r in enumerate(relevances)
    ]
    clips = allocate(candidates, budget_tokens=budget_tokens, price=flat_price)
    total = sum(30 * c.shape.n_frames for c in clips)
    assert total == sum(c.tokens for c in clips) <= budget_tokens
    step = smallest_open_step(clips, candidates, price=flat_price)
    assert step is None or budget_tokens - total < step


def test_clips_of_different_length_and_size_stand_in_one_plan() -> None:
    clips = allocate([candidate(0, 0.1), candidate(50, 0.9)], budget_tokens=210, price=price)
    assert {(c.shape.n_frames, c.shape.height_px) for c in clips} == {(4, 96), (8, 128)}


def seconds(vectors: list[list[float]]) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    return np.arange(len(vectors)) + 0.5, np.array(vectors, np.float32)


def test_a_clip_is_as_long_as_what_is_relevant() -> None:
    # Relevant from 8 to 12 s of a film in which every second looks different.
    scores = np.zeros(32)
    scores[8:12] = 1.0
    rows = seconds(np.eye(32).tolist())
    span = key_span(
        10.0,
        within=Span(0, 32),
        scores=(rows[0], scores),
        rows=rows,
        settings=LengthSettings(),
    )
    assert span == Span(8, 12)


def test_what_repeats_itself_is_no_reason_for_a_longer_clip() -> None:
    # All seconds are the same picture, equally relevant: only the bonus for length is left.
    same = seconds([[1.0, 0.0]] * 32)
    settings = LengthSettings(longer=0.0)
    assert key_span(
        16.0, within=Span(0, 32), scores=(same[0], np.ones(32)), rows=same, settings=settings
    ) == Span(15, 17)


@given(st.floats(0, 40), st.floats(0, 30), st.floats(0.1, 10))
def test_a_key_span_stays_inside_its_shot(
    anchor_s: float, start_s: float, duration_s: float
) -> None:
    rows = seconds(np.eye(40).tolist())
    within = Span(start_s, start_s + duration_s)
    span = key_span(
        anchor_s, within=within, scores=(rows[0], np.ones(40)), rows=rows, settings=LengthSettings()
    )
    assert within.start_s <= span.start_s < span.end_s <= within.end_s + 1e-9


def alike(time_s: float, vectors: list[list[float]], **changed: float) -> Span | None:
    within = Span(0, len(vectors))
    settings = {"longest_s": 16.0, "share": 0.5, "most_crowd": 0.95, **changed}
    return alike_span(time_s, within=within, rows=seconds(vectors), **settings)


def test_what_looks_alike_ends_where_the_picture_changes() -> None:
    a, b, almost_a = [1.0, 0.0], [0.0, 1.0], [0.96, 0.28]
    film = [b] * 8 + [a, a, almost_a, a, almost_a] + [b] * 9
    # Rows stand in the middle of their seconds: it lasts from 8 to 13 s.
    assert alike(10.4, film) == Span(8, 13)
    # A crowd at .0 and a share of .97 leave out what is at .96.
    assert alike(8.5, film, share=0.97) == Span(8, 10)
    # What goes on longer than any window says nothing of where the evidence ends.
    assert alike(10.4, film, longest_s=4.0) is None


def test_where_all_looks_alike_nothing_ends() -> None:
    assert alike(5.0, [[1.0, 0.0]] * 20) is None
    assert alike(5.0, [[1.0, 0.0], [0.98, 0.2]] * 10) is None
    assert alike(0.5, [[1.0, 0.0]]) is None
