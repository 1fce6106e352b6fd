"""Logistic regression of few columns."""

import numpy as np
import pytest

from agent.confidence import logit, sigmoid
from evals.logistic import fit_logistic, fit_part


def calibrated(p: float, weight: float, bias: float) -> float:
    return sigmoid(weight * logit(p) + bias)


def test_where_nothing_speaks_for_it_the_weight_is_zero() -> None:
    rows = [(0.3,), (0.29,), (0.2,), (0.21,)]
    assert fit_logistic(rows, [False, False, True, True]) == ([0.0], 0.0)


def test_what_says_yes_never_speaks_against_it() -> None:
    rows = [(2.0, 1.0), (2.5, -1.0), (0.5, 2.0), (1.0, 1.5), (3.0, -2.0), (0.0, -1.5)]
    truth = [False, False, True, True, False, False]
    (first, second), bias = fit_logistic(rows, truth)
    assert first == 0.0
    assert second > 0
    assert ([second], bias) == fit_logistic([(b,) for _, b in rows], truth)


def test_probabilities_that_are_honest_stay_as_they_are() -> None:
    # Of looks at 0.8 four of five show it, of looks at 0.2 one of five: both classes have ten.
    rows = [(logit(p),) for p in [0.8] * 10 + [0.2] * 10]
    truth = [True] * 8 + [False] * 2 + [True] * 2 + [False] * 8
    (weight,), bias = fit_logistic(rows, truth)
    assert weight == pytest.approx(1.0, abs=0.02)
    assert bias == pytest.approx(0.0, abs=0.02)


def test_a_model_that_says_yes_too_easily_is_drawn_down() -> None:
    # Every no stands at 0.6 and every yes at 0.9, with one of ten on the wrong side.
    rows = [(logit(p),) for p in [0.9] * 10 + [0.6] * 10]
    truth = [True] * 9 + [False] + [True] + [False] * 9
    (weight,), bias = fit_logistic(rows, truth)
    assert bias < 0
    assert calibrated(0.9, weight, bias) == pytest.approx(0.9, abs=0.03)
    assert calibrated(0.6, weight, bias) == pytest.approx(0.1, abs=0.03)


def test_classes_of_different_size_weigh_the_same_unless_shares_are_wanted() -> None:
    # The row says nothing; nine of ten are true.
    rows, truth = [(0.0,)] * 10, [True] * 9 + [False]
    assert sigmoid(fit_logistic(rows, truth)[1]) == pytest.approx(0.5, abs=0.01)
    assert sigmoid(fit_logistic(rows, truth, even=False)[1]) == pytest.approx(0.9, abs=0.01)


def test_a_case_that_weighs_twice_counts_like_two() -> None:
    rows = [(0.0,)] * 4
    truth = [True, False, False, False]
    _, bias = fit_logistic(rows, truth, case_weights=[3.0, 1.0, 1.0, 1.0], even=False)
    assert sigmoid(bias) == pytest.approx(0.5, abs=0.01)


def test_one_class_alone_cannot_be_fitted() -> None:
    with pytest.raises(ValueError, match="both"):
        fit_logistic([(0.2,), (0.3,)], [False, False])


def test_a_part_with_many_cases_is_read_its_own_way_and_few_like_all() -> None:
    """All say yes above 0; the part says it above 2."""
    rng = np.random.default_rng(5)

    def cases(n: int) -> tuple[list[tuple[float]], list[bool]]:
        x = rng.uniform(0, 4, n)
        chance = 1 / (1 + np.exp(-3 * (x - 2)))
        return [(float(v),) for v in x], [bool(t) for t in rng.random(n) < chance]

    given = {"of_all": ([1.0], 0.0), "spread": [1.0], "pull": 3.0}
    rows, truth = cases(2000)
    (many,), bias = fit_part(rows, truth, **given)  # type: ignore[arg-type]
    assert many == pytest.approx(3.0, abs=0.6)
    assert -bias / many == pytest.approx(2.0, abs=0.15)
    (few,), few_bias = fit_part(rows[:12], truth[:12], **given)  # type: ignore[arg-type]
    assert abs(few - 1.0) < 0.5
    assert bias < few_bias < 0
    (none,), none_bias = fit_part([(1.0,), (1.0,)], [True, False], **given)  # type: ignore[arg-type]
    assert sigmoid(none + none_bias) < sigmoid(1.0)
    assert fit_part(rows, truth, **(given | {"pull": 1e9})) == (  # type: ignore[arg-type]
        [pytest.approx(1.0, abs=1e-3)],
        pytest.approx(0.0, abs=1e-3),
    )


def test_a_part_that_speaks_the_other_way_is_not_believed() -> None:
    rows, truth = [(0.0,)] * 50 + [(1.0,)] * 50, [True] * 50 + [False] * 50
    (weight,), _ = fit_part(rows, truth, of_all=([1.0], 0.0), spread=[1.0], pull=1.0)
    assert weight == 0.0


def test_a_part_of_one_class_tells_nothing() -> None:
    with pytest.raises(ValueError, match="both cases"):
        fit_part([(0.2,)], [True], of_all=([1.0], 0.0), spread=[1.0], pull=1.0)
