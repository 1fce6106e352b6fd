"""When an answer counts as right."""

from __future__ import annotations

import pytest

from evals.items import Item, Outcome, Status
from evals.matching import is_right, normalised, same_words
from index.types import Span


def item(kind: str, answer: str, *, options: tuple[str, ...] = (), n_spans: int = 1) -> Item:
    spans = tuple(Span(100.0 * i, 100.0 * i + 10) for i in range(1, n_spans + 1))
    return Item("q", "f.mp4", kind, "open", "?", options, answer, spans, "answered")


def outcome(
    answer: str = "",
    *,
    choice: int | None = None,
    status: Status = "answered",
    spans: tuple[Span, ...] = (),
) -> Outcome:
    return Outcome(answer, choice, status, 0.5, (), spans, (), 0, 0, 0, 0.0)


@pytest.mark.parametrize(
    ("reply", "right"),
    [
        ("Red.", "red"),
        ("the car is red", "red"),
        ("on the beach", "beach"),
        ("In the city at night.", "city"),
        ("2", "two"),
        ("two", "2"),
        ("move left", "moves left"),
        ("Stay still", "stays still"),
        ("a red boat", "one red boat"),
        ("Two red boats", "two red boats"),
        ("the sign says 7", "7"),
    ],
)
def test_the_same_in_other_words_is_right(reply: str, right: str) -> None:
    assert same_words(reply, right)


@pytest.mark.parametrize(
    ("reply", "right"),
    [
        ("blue", "red"),
        ("red or blue", "red"),
        ("", "red"),
        ("three red boats", "two red boats"),
        ("red boats", "two red boats"),
        ("a red boat", "a red ball"),
        ("moves right", "moves left"),
        ("17", "7"),
    ],
)
def test_another_answer_is_wrong(reply: str, right: str) -> None:
    assert not same_words(reply, right)


def test_normalised_words() -> None:
    assert normalised("Two red boats.") == ("2", "red", "boat")
    assert normalised("an orange fish") == ("orange", "fish")
    assert normalised("one") == ("1",)


def test_a_direction_may_be_said_with_its_verb() -> None:
    assert is_right(item("direction", "left"), outcome("it moves to the left"))
    assert not is_right(item("direction", "left"), outcome("it moves to the right"))


def test_a_choice_counts_by_its_option() -> None:
    asked = item("place", "snow", options=("beach", "snow"))
    assert is_right(asked, outcome("snow", choice=1))
    assert not is_right(asked, outcome("snow", choice=0))
    assert not is_right(asked, outcome("snow"))


def test_when_is_right_from_tiou_a_third() -> None:
    asked = item("when", "0:01:40 - 0:01:50")  # true 100..110
    assert is_right(asked, outcome(spans=(Span(104, 114),)))  # 6 / 14 = 0.43
    assert not is_right(asked, outcome(spans=(Span(106, 116),)))  # 4 / 16 = 0.25
    assert not is_right(asked, outcome(spans=(Span(100, 110), Span(0, 9))))


def test_when_in_words_is_read() -> None:
    assert is_right(item("when", "0:01:40 - 0:01:50"), outcome("0:01:40 - 0:01:48"))
    assert not is_right(item("when", "0:01:40 - 0:01:50"), outcome("in the beginning"))


@pytest.mark.parametrize("kind", ["first", "last"])
def test_of_several_times_the_one_that_is_asked_for_counts(kind: str) -> None:
    """The demo world asks for no last time; the agent knows the kind, and a batch may ask."""
    asked = item(kind, "0:03:20 - 0:03:30", n_spans=2)  # shown at 100..110 and 200..210
    assert is_right(asked, outcome(spans=(Span(200, 210),)))
    assert not is_right(asked, outcome(spans=(Span(100, 110),)))


def test_all_needs_most_moments_and_few_others() -> None:
    asked = item("all", "", n_spans=3)
    true = asked.evidence
    assert is_right(asked, outcome(spans=true))
    assert is_right(asked, outcome(spans=true[:2]))  # F1 4/5
    assert not is_right(asked, outcome(spans=true[:1]))  # F1 2/4
    assert not is_right(asked, outcome(spans=(*true[:2], Span(900, 910), Span(950, 960))))  # 4/7


def test_times_compares_numbers() -> None:
    assert is_right(item("times", "3"), outcome("three times"))
    assert not is_right(item("times", "3"), outcome("4"))
    assert not is_right(item("times", "3"), outcome("often"))


def test_an_absent_subject_is_right_only_when_not_found() -> None:
    absent = Item("q", "f.mp4", "absent", "open", "?", (), "not in this film", (), "not_found")
    assert is_right(absent, outcome(status="not_found"))
    assert not is_right(absent, outcome("red"))
    assert not is_right(absent, outcome("red", status="out_of_budget"))


def test_a_rejection_of_what_is_there_is_wrong_and_a_marked_guess_counts() -> None:
    assert not is_right(item("place", "snow"), outcome("snow", status="not_found"))
    assert is_right(item("place", "snow"), outcome("snow", status="out_of_budget"))
