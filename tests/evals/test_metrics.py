"""Every metric against a value worked out by hand."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.metrics import (
    best_tiou,
    brier,
    citation_score,
    ece,
    ece_of_exact,
    groundedness,
    match_f1,
    seconds_of,
    set_tiou,
    share,
    shared_s,
    temporal_score,
    touches,
)
from index.types import Span, union

SPANS = st.builds(
    lambda start, length: Span(start, start + length),
    st.floats(0, 1000),
    st.floats(0.1, 50),
)


def test_wilson_interval_of_8_of_10() -> None:
    # (0.8 + 0.19207 ± 1.96·sqrt(0.016 + 0.0096036)) / 1.38415 = 0.71674 ± 0.22658
    found = share(8, 10)
    assert found.value == 0.8
    assert found.low == pytest.approx(0.4902, abs=1e-4)
    assert found.high == pytest.approx(0.9433, abs=1e-4)


def test_interval_of_none_right_starts_at_zero_and_has_a_width() -> None:
    found = share(0, 20)
    assert found.low == 0.0
    assert found.high == pytest.approx(0.1611, abs=1e-4)


def test_the_interval_of_questions_in_pairs_is_that_of_the_pairs() -> None:
    pairs, alone = share(16, 20, n_independent=10), share(8, 10)
    assert (pairs.n, pairs.value) == (20, 0.8)
    assert (pairs.low, pairs.high) == (alone.low, alone.high)


def test_a_share_of_nothing_is_unknown() -> None:
    found = share(0, 0)
    assert math.isnan(found.value)
    assert (found.low, found.high) == (0.0, 1.0)


def test_union_joins_what_overlaps_or_touches() -> None:
    spans = [Span(10, 12), Span(0, 4), Span(3, 6), Span(6, 7)]
    assert union(spans) == [Span(0, 7), Span(10, 12)]
    assert seconds_of(spans) == 9


def test_set_tiou_of_two_sets() -> None:
    # In both: 2..4 and 20..22 = 4 s; in either: 0..6 and 18..24 = 12 s.
    predicted = [Span(0, 4), Span(20, 24)]
    true = [Span(2, 6), Span(18, 22)]
    assert shared_s(predicted, true) == 4
    assert set_tiou(predicted, true) == pytest.approx(4 / 12)


def test_set_tiou_of_one_span_each_is_the_tiou() -> None:
    assert set_tiou([Span(0, 4)], [Span(2, 6)]) == pytest.approx(Span(0, 4).tiou(Span(2, 6)))


def test_set_tiou_without_spans_is_zero() -> None:
    assert set_tiou([], [Span(0, 1)]) == 0
    assert set_tiou([], []) == 0


@given(st.lists(SPANS, max_size=6), st.lists(SPANS, max_size=6))
def test_set_tiou_is_symmetric_and_between_0_and_1(a: list[Span], b: list[Span]) -> None:
    value = set_tiou(a, b)
    assert -1e-9 <= value <= 1 + 1e-9
    assert value == pytest.approx(set_tiou(b, a), abs=1e-9)


def test_citations_of_three_questions() -> None:
    true = [Span(10, 20)]
    pairs = [
        ([Span(10, 20)], true),  # tIoU 1
        ([Span(15, 25)], true),  # tIoU 5/15 = 0.333
        ([], true),  # no citation: 0
    ]
    found = citation_score(pairs)
    assert found.n == 3
    assert found.miou == pytest.approx((1 + 1 / 3) / 3)
    assert found.recall_at_1 == {
        0.3: pytest.approx(2 / 3),
        0.5: pytest.approx(1 / 3),
        0.7: pytest.approx(1 / 3),
    }


def test_recall_at_1_takes_the_first_citation_only() -> None:
    found = citation_score([([Span(0, 1), Span(10, 20)], [Span(10, 20)])])
    assert found.recall_at_1[0.3] == 0
    assert best_tiou(Span(10, 20), [Span(0, 1), Span(10, 20)]) == 1


def test_temporal_precision_by_its_formulas_and_recall() -> None:
    # True 100..110 and 200..210, tolerance 5: 95..115 and 195..215.
    # Of two predictions one is near (share 1/2); of 20 + 60 predicted seconds 15 are within.
    predicted = [Span(100, 120), Span(300, 360)]
    found = temporal_score(predicted, [Span(100, 110), Span(200, 210)], tolerance_s=5)
    assert found.n_predicted == 2
    assert found.precision_by_spans == 0.5
    assert found.precision_by_truths == 0.5
    assert found.precision_by_seconds == pytest.approx(15 / 80)
    assert found.recall == 0.5
    assert found.f1_by_spans == 0.5
    assert found.f1_by_truths == 0.5
    assert found.f1_by_seconds == pytest.approx(2 * (15 / 80) * 0.5 / (15 / 80 + 0.5))


def test_precision_by_spans_and_by_truths_differ_where_several_meet_one() -> None:
    # Three predictions near the first truth, one near neither: 3/4 of the predictions are near a
    # truth, and of two truths one is met: 1/4.
    true = [Span(100, 110), Span(200, 210)]
    several = [Span(100, 102), Span(104, 106), Span(112, 114), Span(300, 310)]
    found = temporal_score(several, true, tolerance_s=5)
    assert (found.n_predicted, found.precision_by_spans, found.precision_by_truths) == (
        *(4, 0.75),
        0.25,
    )
    assert found.recall == 0.5
    assert found.f1_by_spans == pytest.approx(2 * 0.75 * 0.5 / 1.25)
    assert found.f1_by_truths == pytest.approx(2 * 0.25 * 0.5 / 0.75)
    # One prediction over both truths: 1/1 and 2/1.
    found = temporal_score([Span(90, 220)], true, tolerance_s=5)
    assert (found.n_predicted, found.precision_by_spans, found.precision_by_truths) == (1, 1, 2)
    assert (found.recall, found.f1_by_truths) == (1, 1)


def test_temporal_score_of_nothing_predicted_is_zero() -> None:
    found = temporal_score([], [Span(0, 1)])
    assert (found.n_predicted, found.f1_by_spans, found.precision_by_truths) == (0, 0, 0)


def test_matching_is_one_to_one() -> None:
    # Both predictions overlap the one true span; only one of them may count: 2·1 / (2 + 1).
    assert match_f1([Span(0, 10), Span(1, 10)], [Span(0, 10)], tiou=0.3) == pytest.approx(2 / 3)


def test_matching_of_two_of_three_moments() -> None:
    true = [Span(0, 10), Span(50, 60), Span(90, 95)]
    assert match_f1([Span(2, 10), Span(52, 60)], true, tiou=0.3) == pytest.approx(4 / 5)
    assert match_f1([], [], tiou=0.3) == 0


def test_ece_of_two_bins() -> None:
    # 0.9 and 0.8..: bin 0.9: mean 0.95, one of two right: gap 0.45 · 2/3; bin 0.2: gap 0.75 · 1/3
    found = ece([0.95, 0.95, 0.25], [True, False, True])
    assert found == pytest.approx((2 * 0.45 + 0.75) / 3)


def test_full_confidence_stands_in_the_last_bin() -> None:
    assert ece([1.0, 0.95], [True, True]) == pytest.approx(0.025)


def test_what_exact_confidences_stay_below() -> None:
    # A coin is never half right; a hundred of them are off by 1.96 · 0.05 in 1 of 20 draws.
    assert ece_of_exact([0.5], ["a"]) == pytest.approx(0.5)
    assert ece_of_exact([0.5] * 100, list(range(100))) == pytest.approx(0.098, abs=0.013)
    assert ece_of_exact([0.5] * 100, ["a"] * 100) == pytest.approx(0.5)  # one coin, a hundred times
    assert ece_of_exact([1.0, 0.0], ["a", "b"]) == 0.0
    assert math.isnan(ece_of_exact([], []))
    with pytest.raises(ValueError, match="1 confidences for 2"):
        ece_of_exact([0.5], ["a", "b"])


def test_brier_of_two_answers() -> None:
    assert brier([0.8, 0.4], [True, False]) == pytest.approx((0.04 + 0.16) / 2)
    assert math.isnan(brier([], []))


def test_a_look_inside_a_true_span_touches_it_however_short() -> None:
    assert touches([Span(105, 105.5)], [Span(100, 115)])


def test_a_long_look_that_barely_grazes_does_not_touch() -> None:
    # tIoU 1 / 109 < 0.05
    assert not touches([Span(0, 101)], [Span(100, 110)])
    assert touches([Span(90, 101)], [Span(100, 110)])  # 1/20 = 0.05


def test_groundedness_is_the_share_that_touched() -> None:
    true = [Span(100, 110)]
    assert groundedness([([Span(100, 110)], true), ([Span(0, 5)], true)]) == 0.5
