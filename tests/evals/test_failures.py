"""Which step lost a question."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.settings import AskSettings
from evals.failures import Cause, anchors_of, cause_of, counted, retrieved, shows
from evals.items import Item, Outcome, Status
from index.run_rows import FindingRow, LookRow, StepRow
from index.types import Span

FILM = Span(0, 1000)
TRUE = Span(100, 110)
USUAL = AskSettings()
FLAT = tuple([0.001] * 100)
"""A prior of 100 stretches of ten seconds."""
AT_TRUE = (*FLAT[:10], 0.5, *FLAT[11:])
ELSEWHERE = (*([0.01] * 10), 0.0001, *([0.01] * 89))


def item(
    kind: str = "place", *, evidence: tuple[Span, ...] = (TRUE,), absent: bool = False
) -> Item:
    status = "not_found" if absent else "answered"
    return Item(
        "q-open", "f.mp4", kind, "open", "?", (), "snow", () if absent else evidence, status
    )


def outcome(*, cited: tuple[Span, ...] = (), status: Status = "answered") -> Outcome:
    return Outcome("beach", None, status, 0.5, cited, (), (), 0, 0, 0, 0.0)


def steps(prior: tuple[float, ...], *findings: tuple[Span, float]) -> tuple[StepRow, ...]:
    survey = StepRow(0, "survey", "", belief_before=prior, belief_after=prior)
    found = tuple(
        FindingRow(f"1.{i}", f"1.{i}", span, confidence, confidence)
        for i, (span, confidence) in enumerate(findings)
    )
    return survey, StepRow(1, "reflect", "", findings=found)


def cause(
    trace: tuple[StepRow, ...],
    *,
    of: Item | None = None,
    given: Outcome | None = None,
    settings: AskSettings = USUAL,
) -> Cause | None:
    return cause_of(
        of or item(),
        given or outcome(),
        right=False,
        steps=trace,
        film=FILM,
        settings=settings,
    )


def test_a_span_that_the_prior_ranks_low_was_not_retrieved() -> None:
    assert cause(steps(ELSEWHERE, (Span(500, 510), 0.1))) == "not retrieved"


def test_a_span_that_nobody_looked_at() -> None:
    assert cause(steps(AT_TRUE, (Span(500, 510), 0.1))) == "not looked at"


def test_a_glance_over_the_film_is_no_look_at_the_span() -> None:
    times_s = (125.0, 375.0, 625.0, 875.0)
    survey, reflected = steps(AT_TRUE, (FILM, 0.9))
    look = LookRow("1.0", FILM, times_s, 160, 96, 50, "")
    trace = (survey, StepRow(1, "look", "", looks=(look,)), reflected)
    assert cause(trace) == "not looked at"


def test_what_a_glance_is_the_runs_own_settings_say() -> None:
    """Four frames in ten seconds, judged not to show it: a look, or under a finer rule a glance."""
    survey, reflected = steps(AT_TRUE, (TRUE, 0.1))
    look = LookRow("1.0", TRUE, (101.0, 104.0, 106.0, 109.0), 160, 96, 50, "")
    trace = (survey, StepRow(1, "look", "", looks=(look,)), reflected)
    assert cause(trace) == "misjudged"
    finer = replace(USUAL, look=replace(USUAL.look, widest_gap_s=2.0))
    assert cause(trace, settings=finer) == "not looked at"


def test_a_span_that_was_judged_to_show_nothing() -> None:
    assert cause(steps(AT_TRUE, (TRUE, 0.4))) == "misjudged"


def test_a_second_look_that_says_no_is_the_one_that_counts() -> None:
    first = steps(AT_TRUE, (TRUE, 0.9))
    again = StepRow(2, "answer", "", findings=(FindingRow("2.0", "2.0", TRUE, 0.2, 0.2),))
    assert cause((*first, again)) == "misjudged"


def test_a_span_that_was_judged_right_and_misread_or_refused() -> None:
    assert cause(steps(AT_TRUE, (TRUE, 0.9)), given=outcome(cited=(TRUE,))) == "misread"
    assert cause(steps(AT_TRUE, (TRUE, 0.9)), given=outcome(status="not_found")) == "refused"


def test_an_answer_from_another_span_is_cited_badly() -> None:
    given = outcome(cited=(Span(500, 510),))
    assert cause(steps(AT_TRUE, (TRUE, 0.9), (Span(500, 510), 0.9)), given=given) == "cited badly"


@pytest.mark.parametrize(
    ("cited", "expected"),
    [
        ((Span(100, 110),), None),
        ((Span(100, 104),), "cited badly"),  # tIoU 0.4
        ((), "cited badly"),
    ],
)
def test_a_right_answer_can_be_cited_badly(cited: tuple[Span, ...], expected: Cause | None) -> None:
    given = outcome(cited=cited)
    found = cause_of(item(), given, right=True, steps=(), film=FILM, settings=USUAL)
    assert found == expected


def test_an_absent_subject_that_is_answered_was_misjudged() -> None:
    absent = item("absent", absent=True)
    assert cause(steps(AT_TRUE, (Span(500, 510), 0.9)), of=absent) == "misjudged"
    right = cause_of(
        absent, outcome(status="not_found"), right=True, steps=(), film=FILM, settings=USUAL
    )
    assert right is None


def test_of_several_moments_the_worst_counts() -> None:
    several = item("times", evidence=(TRUE, Span(700, 710)))
    assert cause(steps(AT_TRUE, (TRUE, 0.9)), of=several) == "not looked at"
    both = steps(AT_TRUE, (TRUE, 0.9), (Span(700, 710), 0.8))
    assert cause(both, of=several) == "misread"
    too_many = steps(AT_TRUE, (TRUE, 0.9), (Span(700, 710), 0.8), (Span(300, 310), 0.8))
    assert cause(too_many, of=several) == "misjudged"


def test_an_order_question_is_lost_with_its_anchor() -> None:
    after = item("after", evidence=(TRUE, Span(110, 120)))
    assert anchors_of(after) == [TRUE]
    assert anchors_of(item("before", evidence=(TRUE, Span(110, 120)))) == [Span(110, 120)]
    assert cause(steps(AT_TRUE, (TRUE, 0.2)), of=after) == "misjudged"


def test_without_its_trace_a_failure_has_no_cause() -> None:
    assert cause(()) == "no trace"


def test_a_flat_prior_retrieves_everything() -> None:
    assert retrieved(TRUE, FLAT, film=FILM)
    assert retrieved(Span(995, 1000), FLAT, film=FILM)
    assert not retrieved(TRUE, (), film=FILM)


def test_a_look_shows_a_span_when_they_share_half_of_the_shorter() -> None:
    assert shows(Span(0, 10), [Span(5, 15)])
    assert shows(Span(6, 8), [Span(0, 30)])
    assert not shows(Span(0, 10), [Span(6, 16)])


def test_causes_are_counted_by_kind_in_the_order_of_the_steps() -> None:
    found = counted([("place", "misread"), ("when", "not looked at"), ("place", "misread")])
    assert found == {"not looked at": {"when": 1}, "misread": {"place": 2}}
    assert list(found) == ["not looked at", "misread"]


def test_what_another_things_search_saw_there_takes_nothing_from_an_order() -> None:
    order = item("order", evidence=(TRUE,))
    again = StepRow(2, "reflect", "", findings=(FindingRow("2.0", "2.0", TRUE, 0.1, 0.1),))
    seen = (*steps(AT_TRUE, (TRUE, 0.9)), again)
    assert cause(seen, of=order, given=outcome(cited=(TRUE,))) == "misread"
    assert cause(seen, given=outcome(cited=(TRUE,))) == "misjudged"
