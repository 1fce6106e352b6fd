"""Ranked moments and what a selection shows, against values worked out by hand."""

from __future__ import annotations

import math

import pytest

from evals.metrics import rejection_score
from evals.ranking import average_precision, evidence_recall, evidence_tiou, hit_at_1, mean_ap
from index.types import Span

TRUE = [Span(0, 10), Span(50, 60)]


def test_average_precision_of_a_miss_between_two_hits() -> None:
    # Hits at ranks 1 and 3: (1/1 + 2/3) / 2.
    ranked = [Span(0, 10), Span(80, 90), Span(50, 60)]
    assert average_precision(ranked, TRUE, tiou=0.5) == pytest.approx((1 + 2 / 3) / 2)


def test_a_true_span_is_hit_once() -> None:
    # The second ranked span overlaps the true one that the first has taken.
    assert average_precision([Span(0, 10), Span(1, 10)], TRUE, tiou=0.5) == pytest.approx(1 / 2)


def test_nothing_ranked_has_no_precision() -> None:
    assert average_precision([], TRUE, tiou=0.5) == 0


def test_mean_ap_goes_over_ten_thresholds() -> None:
    # tIoU 0.8 with the one true span: right at 0.5, 0.55, … 0.8, that is at 7 of 10.
    assert mean_ap([([Span(0, 8)], [Span(0, 10)])]) == pytest.approx(0.7)
    assert math.isnan(mean_ap([]))


def test_hit_at_1_looks_at_the_first_middle() -> None:
    pairs = [([Span(0, 8)], TRUE), ([Span(20, 30), Span(0, 10)], TRUE), ([], TRUE)]
    assert hit_at_1(pairs) == pytest.approx(1 / 3)


def test_recall_of_the_evidence_at_tolerances() -> None:
    # 12 is 2 s behind the first true span; the half-open end leaves out 2 itself.
    shown_s = [12.0, 40.0]
    assert evidence_recall(shown_s, TRUE, tolerance_s=1) == 0
    assert evidence_recall(shown_s, TRUE, tolerance_s=2) == 0
    assert evidence_recall(shown_s, TRUE, tolerance_s=4) == 0.5
    assert evidence_recall([12.0, 55.0], TRUE, tolerance_s=4) == 1
    assert evidence_recall([], TRUE, tolerance_s=8) == 0


def test_shown_seconds_in_a_row_are_one_stretch() -> None:
    # 0..5 of 0..10 is 0.5; the other true span is not shown.
    shown = [Span(0, 2), Span(2, 5)]
    assert evidence_tiou(shown, TRUE) == pytest.approx(0.25)


def test_rejections_of_four_questions() -> None:
    # Rejected: two, one of them rightly; absent: two.
    found = rejection_score([(True, True), (True, False), (False, True), (False, False)])
    assert (found.precision, found.recall) == (0.5, 0.5)


def test_without_rejections_their_precision_is_unknown() -> None:
    assert math.isnan(rejection_score([(False, True)]).precision)
    assert math.isnan(rejection_score([(True, False)]).recall)
