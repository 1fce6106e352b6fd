"""Paired differences and tokens for the same accuracy, worked out by hand."""

from __future__ import annotations

import math

import pytest

from evals.compare import CurvePoint, paired_difference, tokens_to_reach


def test_difference_of_four_facts() -> None:
    # Facts: 1, 1, 0, 0.5 ahead: mean 0.625, deviation sqrt(0.6875/3) = 0.47871.
    ours = {"a": [1.0, 1.0], "b": [1.0], "c": [0.0], "d": [1.0, 0.0]}
    other = {"a": [0.0, 0.0], "b": [0.0], "c": [0.0], "d": [0.0, 0.0]}
    found = paired_difference(ours, other)
    assert (found.n_facts, found.value) == (4, 0.625)
    assert found.low == pytest.approx(0.625 - 1.959964 * 0.478714 / 2, abs=1e-5)
    assert found.high == 1.0  # 0.625 + 0.469 is cut off


def test_differences_that_are_all_the_same_say_no_more_than_their_number() -> None:
    # Of 30 facts none was decided otherwise: up to 3/30 of all may be, by the rule of three.
    facts = [f"f{k}" for k in range(30)]
    right, wrong = {f: [1.0] for f in facts}, {f: [0.0] for f in facts}
    found = paired_difference(right, right)
    assert (found.value, found.low, found.high) == (0.0, -0.1, 0.1)
    ahead = paired_difference(right, wrong)
    assert (ahead.value, ahead.low, ahead.high) == (1.0, 0.9, 1.0)


def test_forms_of_a_fact_are_no_further_evidence() -> None:
    one = paired_difference({"a": [1.0], "b": [0.0]}, {"a": [0.0], "b": [0.0]})
    twice = paired_difference({"a": [1.0] * 9, "b": [0.0] * 9}, {"a": [0.0] * 9, "b": [0.0] * 9})
    assert one == twice


def test_only_facts_of_both_are_compared() -> None:
    found = paired_difference({"a": [1.0], "b": [0.0]}, {"b": [1.0], "c": [1.0]})
    assert (found.n_facts, found.value, found.low, found.high) == (1, -1.0, -1.0, 1.0)
    assert math.isnan(paired_difference({"a": [1.0]}, {}).value)


def test_tokens_between_two_points_on_a_logarithm() -> None:
    # Half of the way from 0.4 to 0.8 is half of the way from log 100 to log 10000: 1000.
    points = [CurvePoint(10_000, 0.8), CurvePoint(100, 0.4)]
    assert tokens_to_reach(points, 0.6) == pytest.approx(1000)
    assert tokens_to_reach(points, 0.8) == pytest.approx(10_000)


def test_a_curve_that_stays_below_never_gets_there() -> None:
    assert tokens_to_reach([CurvePoint(100, 0.4), CurvePoint(200, 0.5)], 0.6) is None
    assert tokens_to_reach([], 0.1) is None


def test_a_curve_that_begins_above_is_there_at_once() -> None:
    assert tokens_to_reach([CurvePoint(100, 0.4), CurvePoint(200, 0.5)], 0.3) == 100
