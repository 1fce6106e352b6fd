"""What a finding makes the search look at next."""

from __future__ import annotations

import numpy as np

from agent.confidence import logit
from agent.moves import close_looks, goes_in_circles, moves, shifted
from agent.settings import LookSettings, ReflectSettings, SpotlightSettings
from agent.state import FindingState, LookState, Source
from index.types import Shot, Span
from tools.belief import Belief

SETTINGS = ReflectSettings()
FILM = Span(0, 100)


def looked(start_s: float, end_s: float, source: Source = "belief") -> LookState:
    return {
        "look_id": f"1.{start_s:g}",
        "start_s": start_s,
        "end_s": end_s,
        "n_frames": 4,
        "width_px": 64,
        "height_px": 32,
        "tokens": 24,
        "source": source,
    }


def found(start_s: float, end_s: float, confidence: float) -> FindingState:
    return {
        "finding_id": "2.0",
        "look_id": "1.0",
        "start_s": start_s,
        "end_s": end_s,
        "p_yes": confidence,
        "confidence": confidence,
        "log_ratio": logit(confidence),
        "verified": False,
    }


def after(
    start_s: float, end_s: float, confidence: float, source: Source = "belief"
) -> list[tuple]:  # type: ignore[type-arg]
    made = moves(
        found(start_s, end_s, confidence),
        looked(start_s, end_s, source),
        settings=SETTINGS,
        bounds=FILM,
    )
    return [(p["start_s"], p["end_s"], p["source"], p["high"]) for p in made]


def test_an_ambiguous_long_window_is_split_and_a_short_one_seen_larger() -> None:
    assert after(0, 10, 0.5) == [(0, 5, "split", False), (5, 10, "split", False)]
    assert after(0, 4, 0.5) == [(0, 4, "closer", True)]


def test_what_stays_ambiguous_is_seen_wider_and_then_left() -> None:
    assert after(10, 14, 0.5, "closer") == [(8, 16, "wider", False)]
    assert after(0, 4, 0.5, "split") == [(0, 6, "wider", False)]
    assert after(8, 16, 0.5, "wider") == []


def test_frames_far_apart_make_a_glance() -> None:
    settings = LookSettings(widest_gap_s=8.0)
    near, far = looked(0, 32), looked(0, 33)
    assert close_looks([near, far], settings) == [near]


def test_what_is_clear_is_left() -> None:
    assert after(0, 10, 0.95) == []
    assert after(0, 10, 0.05, "closer") == []


def test_a_window_of_a_long_shot_is_shifted_to_the_side_of_more_belief() -> None:
    weights = np.full(100, 0.008)
    weights[60:64] = 0.02
    belief = Belief(np.linspace(0, 100, 101), weights / weights.sum() * 0.8, 0.2)
    shot = Shot(0, FILM)

    def shift(confidence: float, source: Source = "belief") -> list[tuple[float, float]]:
        made = shifted(
            found(50, 60, confidence),
            looked(50, 60, source),
            settings=SETTINGS,
            shot=shot,
            belief=belief,
        )
        return [(p["start_s"], p["end_s"]) for p in made]

    assert shift(0.9) == [(55, 65)]
    assert shift(0.1) == []
    assert shift(0.9, "shift") == []


def test_a_window_that_is_a_shot_is_not_shifted() -> None:
    belief = Belief(np.linspace(0, 100, 101), np.full(100, 0.008), 0.2)
    made = shifted(
        found(50, 60, 0.9),
        looked(50, 60),
        settings=SETTINGS,
        shot=Shot(0, Span(50, 60)),
        belief=belief,
    )
    assert made == []


def test_looks_at_what_was_seen_are_a_circle_and_new_ground_is_none() -> None:
    settings = SpotlightSettings(loop_looks=2, loop_new_share=0.1)
    new = [looked(0, 10), looked(20, 30), looked(40, 50)]
    assert not goes_in_circles(new, settings=settings)
    assert not goes_in_circles(new[:1], settings=settings)
    again = [looked(0, 10), looked(0, 5, "split"), looked(5, 10, "split")]
    assert goes_in_circles(again, settings=settings)
    # Of seconds that several earlier looks showed none is old more than once.
    half_new = [*(looked(0, 10) for _ in range(3)), looked(5, 15), looked(5, 15)]
    assert not goes_in_circles(half_new, settings=settings)
