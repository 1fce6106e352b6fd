"""One strategy's row, worked out by hand."""

from __future__ import annotations

import pytest

from demo.facts import KINDS
from evals.items import Item, Outcome, Status
from evals.rows import KINDS_OVER_ORACLE, Asked, row_of
from index.types import Span

TRUE, ELSEWHERE = Span(100, 110), Span(500, 510)


def asked(
    name: str,
    *,
    right: bool,
    absent: bool = False,
    status: Status = "answered",
    looked: Span = TRUE,
    cited: tuple[Span, ...] = (TRUE,),
    form: str = "open",
    kind: str = "place",
    confidence: float | None = 0.8,
) -> Asked:
    truth = "not_found" if absent else "answered"
    evidence = () if absent else (TRUE,)
    item = Item(f"{name}-{form}", "f.mp4", kind, form, "?", (), "snow", evidence, truth)
    outcome = Outcome("snow", None, status, confidence, cited, (), (looked,), 8, 100, 2, 1.0)
    return Asked(item, outcome, right)


def test_over_the_oracle_counts_only_what_the_oracle_was_asked() -> None:
    answers = [
        asked("a", right=True),
        asked("b", right=False),
        asked("c", right=True),
        asked("d", right=True, absent=True, status="not_found"),
    ]
    oracle = {"a-open": True, "b-open": True, "c-open": False}
    # Two of three against two of three: what the oracle misses we may still get right.
    assert row_of("spotlight", answers, oracle=oracle)["over_oracle"] == 1.0
    oracle["c-open"] = True
    assert row_of("spotlight", answers, oracle=oracle)["over_oracle"] == pytest.approx(2 / 3)


def test_over_the_oracle_by_what_a_kind_takes() -> None:
    answers = [
        *(asked(name, right=True, kind="when") for name in "ab"),
        *(asked(name, right=name == "c", kind="order") for name in "cd"),
        asked("e", right=True, absent=True, status="not_found", kind="absent"),
    ]
    oracle = {f"{name}-open": True for name in "abcd"}
    found = row_of("spotlight", answers, oracle=oracle)["over_oracle_by"]
    assert found == {"one moment": 1.0, "order, count": 0.5}
    assert row_of("spotlight", answers[:2], oracle=oracle)["over_oracle_by"]["order, count"] is None


def test_every_kind_of_the_demo_world_but_absent_is_over_the_oracle() -> None:
    groups = [kind for kinds in KINDS_OVER_ORACLE.values() for kind in kinds]
    assert sorted(groups) == sorted(set(KINDS) - {"absent"})


def test_a_marked_guess_about_something_absent_is_no_false_answer() -> None:
    answers = [
        asked("a", right=False, absent=True, status="answered"),
        asked("b", right=False, absent=True, status="out_of_budget"),
        asked("c", right=True, absent=True, status="not_found"),
        asked("d", right=True, absent=True, status="not_found"),
    ]
    found = row_of("spotlight", answers, oracle={})["absent"]
    assert (found["n"], found["false_answers"]) == (4, 0.25)
    assert (found["n_present"], found["false_rejections"]) == (0, None)
    assert (found["rejection_precision"], found["rejection_recall"]) == (1.0, 0.5)


def test_false_rejections_are_of_the_present_ones() -> None:
    answers = [
        asked("a", right=False, status="not_found"),
        *(asked(name, right=True) for name in "bcd"),
        asked("e", right=True, absent=True, status="not_found"),
    ]
    found = row_of("spotlight", answers, oracle={})["absent"]
    assert (found["false_rejections"], found["false_answers"]) == (0.25, 0.0)
    # Of two rejections one was right, and it was all there was to reject.
    assert (found["rejection_precision"], found["rejection_recall"]) == (0.5, 1.0)


def test_right_without_looking_is_right_over_other_frames() -> None:
    answers = [
        asked("a", right=True),
        asked("b", right=True, looked=ELSEWHERE),
        asked("c", right=False, looked=ELSEWHERE),
        asked("d", right=True),
    ]
    row = row_of("spotlight", answers, oracle={})
    assert row["groundedness"] == pytest.approx(2 / 3)
    assert row["right_without_looking"] == pytest.approx(1 / 3)


def test_what_cites_nothing_is_read_by_what_it_looked_at() -> None:
    row = row_of("uniform", [asked("a", right=True, cited=())], oracle={})
    assert row["temporal"]["recall"] == 1.0
    assert row["temporal"]["n_predicted"] == 1.0
    assert row["citations"]["n"] == 0
    cited = row_of("spotlight", [asked("a", right=True, looked=ELSEWHERE)], oracle={})
    assert cited["temporal"]["recall"] == 1.0


def test_both_forms_of_a_fact_count_once_in_the_interval() -> None:
    both = [asked(n, right=n != "d", form=f) for n in "abcd" for f in ("open", "choice")]
    alone = [asked(n, right=n != "d") for n in "abcd"]
    rows = [row_of("spotlight", each, oracle={}) for each in (both, alone)]
    assert (rows[0]["n"], rows[1]["n"]) == (8, 4)
    for name in ("accuracy", "low", "high"):
        assert rows[0][name] == rows[1][name]


def test_only_confidences_that_there_are_are_calibrated() -> None:
    answers = [
        asked("a", right=True, confidence=0.8),
        asked("b", right=False, confidence=0.8),
        asked("c", right=True, confidence=None),
    ]
    found = row_of("spotlight", answers, oracle={})["calibration"]
    # Half of the two at 0.8 are right; (0.2² + 0.8²) / 2.
    assert found["n"] == 2
    assert found["ece"] == pytest.approx(0.3)
    assert found["brier"] == pytest.approx(0.34)
    assert found["auc"] == 0.5  # as sure where it is right as where it is wrong
