"""Sets of moments, and what is not known about the rest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.backends.scripted import knowing
from agent.settings import SeveralSettings
from agent.several import chance, looked_share, missing, next_chance
from agent.state import FindingState, LookState
from index.types import Span
from tests.agent.conftest import WorkspaceMaker

SETTINGS = SeveralSettings(prior_mean=2.0, prior_shape=1.0)
RED = "How many times is it red?"
CUES = [{"text": "red", "group": "question", "weight": 1.0}]


def finding(start_s: float, end_s: float, log_ratio: float) -> FindingState:
    return {
        "finding_id": "2.0",
        "look_id": "1.0",
        "start_s": start_s,
        "end_s": end_s,
        "p_yes": 0.5,
        "confidence": 0.5,
        "log_ratio": log_ratio,
        "verified": True,
    }


def looked(start_s: float, end_s: float) -> LookState:
    return {
        "look_id": "1.0",
        "start_s": start_s,
        "end_s": end_s,
        "n_frames": 4,
        "width_px": 64,
        "height_px": 32,
        "tokens": 24,
        "source": "belief",
    }


def test_what_is_missing_follows_from_what_was_found_and_seen() -> None:
    # Prior: shape 1, 0.5 films a moment. Two found in half the belief: rate (1 + 2) / (0.5 + 0.5).
    half = missing(2, 0.5, settings=SETTINGS)
    assert half.rate == pytest.approx(3.0)
    assert half.none == pytest.approx((1.0 / 1.5) ** 3)
    assert missing(2, 1.0, settings=SETTINGS).none == pytest.approx(1.0)
    assert missing(0, 0.0, settings=SETTINGS).rate == pytest.approx(2.0)


@given(st.integers(0, 50), st.floats(0, 1), st.floats(0, 1))
def test_more_seen_leaves_less_missing(n_found: int, a: float, b: float) -> None:
    low, high = sorted((a, b))
    less, more = (missing(n_found, s, settings=SETTINGS) for s in (low, high))
    assert 0 < less.none <= more.none <= 1


def test_the_vectors_and_the_looks_are_weighed_together(workspace: WorkspaceMaker) -> None:
    ws, state = workspace(knowing([]), RED, cues=CUES, kind="count")
    # Red is at 60-70 s, grey at 0-10 s: the same judgement is worth less there.
    assert chance(ws, state, finding(60, 70, 2.0)) > 0.5
    assert chance(ws, state, finding(0, 10, 2.0)) < 0.5
    assert chance(ws, state, finding(0, 10, 8.0)) > chance(ws, state, finding(0, 10, 2.0))


def test_looks_cover_their_share_of_the_prior_once(workspace: WorkspaceMaker) -> None:
    looks = [looked(60, 70), looked(60, 70), looked(65, 70)]
    ws, state = workspace(knowing([]), RED, cues=CUES, kind="count", looks=looks)
    prior = ws.prior(state).belief
    once = prior.mass(Span(60, 70)) / prior.mass(Span(0, 170))
    assert looked_share(ws, state) == pytest.approx(once)
    assert next_chance(ws, state, Span(150, 160)) > 10 * next_chance(ws, state, Span(0, 10))
