"""Every selection: within its purse, where it should look, the same every time."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.presets import demo_settings
from evals.selection.f2c import plan_of
from evals.selection.focus import focus, upper_bound
from evals.selection.frames import aks, bolt, date, topk, uniform
from evals.selection.mdp3 import mdp3
from evals.selection.named import PICKERS, SELECTIONS, selection_named
from evals.selection.sheet import Purse, Sheet, Shown, filled, moment
from index.types import Shot, Span
from tools.look import FrameGrid, even_times
from tools.prior import Scores

MATCH = np.array([1.0, 0.0, 0.0], np.float32)


def sheet_of(scores: Sequence[float], *, shot_s: float = 5.0, seed: int = 1) -> Sheet:
    """A film of one second a score; vectors whose first coordinate is the score."""
    n = len(scores)
    rng = np.random.default_rng(0)
    angles = rng.uniform(0, 2 * np.pi, n)
    rest = np.sqrt(np.maximum(0, 1 - np.square(scores)))
    vectors = np.stack([scores, rest * np.cos(angles), rest * np.sin(angles)], 1)
    times_s = np.arange(n, dtype=np.float64)
    values = np.asarray(scores, np.float32)
    edges = [*np.arange(0, n, shot_s), float(n)]
    return Sheet(
        film=Span(0.0, float(n)),
        times_s=times_s,
        vectors=vectors.astype(np.float32),
        scores=values.astype(np.float64),
        motion=np.zeros(n),
        groups=((Scores(times_s, values),),),
        shots=tuple(Shot(i, Span(float(a), float(b))) for i, (a, b) in enumerate(pairwise(edges))),
        seed=seed,
    )


def price(*, n_frames: int, width_px: int, height_px: int) -> int:
    return -(-n_frames // 2) * (width_px // 32) * (height_px // 32)


def purse_of(visual_tokens: int, *, many_sizes: bool = True) -> Purse:
    """Frames of a 320x180 film: 15 tokens a moment, 6 at half the size."""
    return Purse(
        visual_tokens=visual_tokens,
        price=price,
        grid=FrameGrid(patch_px=32, frames_per_pair=2),
        source_px=(320, 180),
        short_side_px=96,
        high_short_side_px=128,
        many_sizes=many_sizes,
    )


def needle(n: int = 600, *, at: int = 300, length: int = 5) -> list[float]:
    """Scores near 0.2 with one stretch at 0.9."""
    scores = list(0.2 + 0.02 * np.sin(np.arange(n)))
    scores[at : at + length] = [0.9] * length
    return scores


def meets(shown: Sequence[Shown], span: Span) -> bool:
    times = [t for s in shown for t in even_times(s.span, s.shape.n_frames)]
    return any(span.start_s <= t < span.end_s for t in times)


@pytest.mark.parametrize("name", SELECTIONS)
@given(
    scores=st.lists(st.floats(-0.2, 0.9), min_size=1, max_size=90),
    visual_tokens=st.integers(20, 900),
    many_sizes=st.booleans(),
)
@settings(max_examples=15, deadline=None)
def test_no_selection_exceeds_its_purse_or_leaves_the_film(
    name: str, scores: list[float], visual_tokens: int, many_sizes: bool
) -> None:
    sheet, purse = sheet_of(scores), purse_of(visual_tokens, many_sizes=many_sizes)
    shown = selection_named(name, demo_settings())(sheet, purse)
    # The agent's own looks have four frames at least: 30 tokens.
    assert shown or visual_tokens < 30
    assert purse.cost(shown) <= visual_tokens
    assert all(s.span.start_s >= 0 and s.span.end_s <= len(scores) for s in shown)
    assert [s.span.start_s for s in shown] == sorted(s.span.start_s for s in shown)


@pytest.mark.parametrize("name", [name for name in SELECTIONS if name not in ("uniform", "tstar")])
def test_what_stands_out_is_shown(name: str) -> None:
    shown = selection_named(name, demo_settings())(sheet_of(needle()), purse_of(240))
    assert meets(shown, Span(300, 305))


@pytest.mark.parametrize("name", SELECTIONS)
def test_the_same_sheet_gives_the_same_selection(name: str) -> None:
    select = selection_named(name, demo_settings())
    first, again = (select(sheet_of(needle()), purse_of(240)) for _ in range(2))
    assert first == again


@pytest.mark.parametrize("name", SELECTIONS)
@pytest.mark.parametrize("scores", [[0.3] * 200, [0.3]], ids=["all equal", "one second"])
def test_scores_that_say_nothing_are_no_error(name: str, scores: list[float]) -> None:
    assert selection_named(name, demo_settings())(sheet_of(scores), purse_of(300))


@pytest.mark.parametrize("name", PICKERS)
def test_equal_tokens_are_equal_moments(name: str) -> None:
    shown = selection_named(name, demo_settings())(sheet_of(needle()), purse_of(240))
    assert len(shown) == 16
    assert purse_of(240).cost(shown) == 240


def test_a_moment_is_a_pair_half_a_second_apart_and_stays_in_the_film() -> None:
    sheet, purse = sheet_of([0.1] * 10), purse_of(15)
    assert even_times(moment(sheet, purse, 4).span, 2) == [4.0, 4.5]
    assert even_times(moment(sheet, purse, 0).span, 2) == [0.25, 0.75]
    in_a_row = moment(sheet, purse, 4, n_seconds=3)
    assert even_times(in_a_row.span, in_a_row.shape.n_frames) == [4, 4.5, 5, 5.5, 6, 6.5]


def test_uniform_takes_the_middles_of_equal_parts() -> None:
    assert uniform(sheet_of([0.1] * 100), 4) == [12, 37, 62, 87]


def test_topk_takes_the_best_and_of_equals_the_earlier() -> None:
    assert sorted(topk(sheet_of([0.1, 0.5, 0.5, 0.5, 0.2]), 2)) == [1, 2]


def test_bolt_cubes_and_draws_at_even_quantiles() -> None:
    # Scaled to 0, 1/2, 1, 1/2: cubes 0, 1/8, 1, 1/8; cumulative 0, .1, .9, 1.
    # Quantiles 1/8, 3/8, 5/8, 7/8 all fall on the third second; the best others fill up.
    assert bolt(sheet_of([0.0, 0.4, 0.8, 0.4]), 1) == [2]
    assert bolt(sheet_of([0.0, 0.4, 0.8, 0.4]), 3) == [2, 1, 3]


def test_bolt_with_equal_scores_is_uniform() -> None:
    sheet = sheet_of([0.3] * 100)
    assert bolt(sheet, 4) == uniform(sheet, 4)


def test_aks_halves_time_where_nothing_stands_out() -> None:
    # Best of each quarter of 8 s: a plain top 4 would take all of the last quarter but one.
    scores = [0.1, 0.2, 0.3, 0.2, 0.5, 0.6, 0.8, 0.9]
    assert sorted(aks(sheet_of(scores), 4)) == [1, 2, 5, 7]


def test_aks_stops_where_the_best_stand_out() -> None:
    # Scaled scores: two 1 among 98 of 0: mean(top 2) - mean(all) = 0.98 > 0.8 at the root, so
    # that both are taken; one step down each half would get a second of its own.
    scores = [0.0] * 100
    scores[70] = scores[71] = 0.9
    assert sorted(aks(sheet_of(scores), 2)) == [70, 71]
    # A third of the film at half the height: 1 - (0.02 + 0.165) = 0.815 still stands out …
    scores[:33] = [0.45] * 33
    assert sorted(aks(sheet_of(scores), 2)) == [70, 71]
    # … and with two thirds of it, 1 - (0.02 + 0.33) = 0.65, the halves have one each.
    scores[:66] = [0.45] * 66
    assert sorted(aks(sheet_of(scores), 2)) == [0, 70]


def test_date_keeps_twenty_seconds_apart_before_it_halves() -> None:
    # Above the mean: 10 (.9), 15 (.8), 40 (.7); 15 is 5 s from the best, so 40 comes before it.
    scores = [0.1] * 100
    scores[10], scores[15], scores[40] = 0.9, 0.8, 0.7
    assert date(sheet_of(scores), 2) == [10, 40]
    assert date(sheet_of(scores), 3) == [10, 40, 15]


def test_mdp3_takes_different_frames_before_equal_ones() -> None:
    sheet = sheet_of([0.5] * 4)
    same, other = sheet.vectors[0], sheet.vectors[1]
    vectors = np.stack([same, same, same, other])
    twins = Sheet(**{**fields_of(sheet), "vectors": vectors})
    assert 3 in mdp3(twins, 2)


def test_mdp3_survives_frames_that_are_all_the_same() -> None:
    sheet = sheet_of([0.5] * 70)
    same = Sheet(**{**fields_of(sheet), "vectors": np.tile(sheet.vectors[0], (70, 1))})
    assert len(set(mdp3(same, 20))) == 20


def test_tstar_draws_by_its_seed() -> None:
    scores = needle()
    first = PICKERS["tstar"](sheet_of(scores, seed=1), 8)
    assert first == PICKERS["tstar"](sheet_of(scores, seed=1), 8)
    assert first != PICKERS["tstar"](sheet_of(scores, seed=2), 8)


def test_tstar_draws_what_stands_out_more_often_than_chance_would() -> None:
    """A twentieth of the film stands out; over many draws it gets more than its share."""
    scores, there, n = needle(600, at=300, length=30), range(300, 330), 8
    seeds = range(40)
    drawn = [i for seed in seeds for i in PICKERS["tstar"](sheet_of(scores, seed=seed), n)]
    rng = np.random.default_rng(0)
    by_chance = [int(i) for _ in seeds for i in rng.choice(600, size=n, replace=False)]
    assert len(drawn) == len(by_chance) == 320
    n_met, n_by_chance = (sum(i in there for i in each) for each in (drawn, by_chance))
    # By chance 16 are expected, with a standard deviation of 3.9.
    assert n_by_chance < 16 + 3 * 3.9
    assert n_met > 2 * (16 + 3 * 3.9)


def test_focus_bounds_an_arm_by_bernstein() -> None:
    # Three pulls of an arm of three: mean 0.4, variance 0.08 / 3; ln 6 = 1.79176.
    # 0.4 + sqrt(2 · 0.026667 · 1.79176 / 3) + 3 · 1.79176 / 3 = 0.4 + 0.17848 + 1.79176
    scores = np.array([0.2, 0.4, 0.6])
    found = upper_bound(scores, np.arange(3), n_pulls=6)
    assert found == pytest.approx(2.37024, abs=1e-5)


def test_focus_zooms_into_what_varies_before_what_is_a_little_better_all_along() -> None:
    # Eight arms of 16 s, pulled at their third, ninth and fourteenth second; two are zoomed into.
    # All share 3 · ln 24 / 3. Steady: 0.5. Restless: 0.9, 0, 0, so 0.3 + sqrt(2 · 0.18 · 3.178 / 3)
    # = 0.3 + 0.618. Second 0, which no pull meets, sets the scale.
    scores = [0.0] * 128
    scores[0], scores[98] = 1.0, 0.9
    scores[16:32] = scores[64:80] = [0.5] * 16
    arms = [np.arange(16 * k, 16 * k + 16) for k in range(8)]
    bounds = [upper_bound(np.array(scores), arm, n_pulls=24) for arm in arms]
    assert bounds[6] - bounds[1] == pytest.approx(0.3 + 0.6176 - 0.5, abs=1e-4)
    # The first of the steady ones and the restless one, in turn.
    assert focus(sheet_of(scores), 4) == [16, 98, 17, 96]


def test_adaptive_f2c_by_hand() -> None:
    """l* = argmax S - R / 2 + 0.05 l / 4 around the anchor at 1, s* = sqrt(l*)."""
    sheet = sheet_of([0.1, 0.6, 0.5, 0.1])
    one, other = np.eye(2, dtype=np.float32)
    # Two views of two seconds each, at right angles.
    #   l = 1: {1}     0.6   - 0.5 · 1    + 0.0125 = 0.1125
    #   l = 2: {1, 2}  0.55  - 0.5 · 2/4  + 0.025  = 0.325
    #   l = 3: {0..2}  0.4   - 0.5 · 5/9  + 0.0375 = 0.160
    #   l = 4: {0..3}  0.325 - 0.5 · 8/16 + 0.05   = 0.125
    cut = Sheet(**{**fields_of(sheet), "vectors": np.stack([one, one, other, other])})
    root = pytest.approx(2**0.5)
    assert plan_of(cut, purse_of(15), 1, adaptive=True) == {1: root, 2: root}
    # All alike R is 1 at any length: 0.1125, 0.075, -0.0625, -0.125. One frame, at its full size.
    same = Sheet(**{**fields_of(sheet), "vectors": np.stack([one] * 4)})
    assert plan_of(same, purse_of(15), 1, adaptive=True) == {1: 1.0}


def test_f2c_shrinks_what_it_shows_longer() -> None:
    shown = selection_named("f2c-fixed", demo_settings())(sheet_of(needle()), purse_of(240))
    sizes = {(s.shape.width_px, s.shape.height_px) for s in shown}
    assert (96, 64) in sizes
    assert max(s.shape.n_frames for s in shown) >= 8


def test_f2c_of_a_model_with_one_size_shows_its_anchors_alone() -> None:
    select = selection_named("f2c", demo_settings())
    shown = select(sheet_of(needle()), purse_of(240, many_sizes=False))
    assert {s.shape.height_px for s in shown} == {96}
    assert len(shown) <= 16


def test_key_clips_are_windows_and_not_seconds() -> None:
    shown = selection_named("keyclips", demo_settings())(sheet_of(needle()), purse_of(240))
    assert Span(300, 305) in [s.span for s in shown]


def test_filling_keeps_the_order_and_repeats_nothing() -> None:
    assert filled([3, 1, 3], np.array([0.1, 0.2, 0.9, 0.3]), 3) == [3, 1, 2]


def fields_of(sheet: Sheet) -> dict[str, object]:
    return {name: getattr(sheet, name) for name in Sheet.__dataclass_fields__}
