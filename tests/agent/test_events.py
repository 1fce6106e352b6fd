"""Questions about the order of things and about first and last times, by rules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.bounds import read_time
from agent.events import MOST_THINGS, Order, read_edge, read_order
from agent.plan import parse_question
from index.types import Span

CAR, BOAT, CAT = "the red car", "the blue boat", "the cat"


@pytest.mark.parametrize(
    ("question", "order"),
    [
        (f"Which comes first, {CAR} or {BOAT}?", Order("first", (CAR, BOAT))),
        (f"What appears last: {CAR}, {BOAT} or {CAT}?", Order("last", (CAR, BOAT, CAT))),
        (f"Which of {CAR} and {BOAT} is shown earlier?", Order("first", (CAR, BOAT))),
        (f"In what order do {CAR}, {BOAT} and {CAT} appear?", Order("sequence", (CAR, BOAT, CAT))),
        (f"What is the order of {CAR} and {BOAT}?", Order("sequence", (CAR, BOAT))),
        (f"Does {CAR} appear before {BOAT}?", Order("before", (CAR, BOAT))),
        (f"Is {CAR} shown after {BOAT} is?", Order("after", (CAR, BOAT))),
        (f"Does {CAR} appear before {BOAT} or not?", Order("before", (CAR, BOAT))),
        (f"Does {CAR} appear before {BOAT} or after it?", Order("side", (CAR, BOAT))),
        (f"Does {CAR} appear before or after {BOAT}?", Order("side", (CAR, BOAT))),
        (f"Is {CAR} shown after {BOAT}, or is it before?", Order("side", (CAR, BOAT))),
        ("Which comes first, the man with a red and blue flag or the cat?", Order("first", (
            "the man with a red and blue flag", CAT))),
    ],
)  # fmt: skip
def test_the_things_and_what_is_asked_of_them_are_read(question: str, order: Order) -> None:
    assert read_order(question.rstrip("?")) == order
    intent = parse_question(question)
    assert (intent.kind, intent.things) == ("order", order.things)
    assert intent.subject == order.things[0]
    # "before the blue boat" is no part of the film here.
    assert read_time(question, Span(0, 100)).question == question


@pytest.mark.parametrize(
    "question",
    [
        "What comes first?",
        "Which car comes first in the film?",
        "What comes right before the red car?",
        "Which comes first, the red car or the red car?",
        "What colour is the car before the snow?",
        "Was there anything shown before the credits?",
        "Is there a dog shown before the credits?",
        "Does anyone else appear before the dog?",
        "Which comes first, " + ", ".join(f"a thing {i}" for i in range(MOST_THINGS + 1)) + "?",
    ],
)
def test_other_questions_name_no_order(question: str) -> None:
    assert read_order(question.rstrip("?")) is None
    assert parse_question(question).kind != "order"


@pytest.mark.parametrize(
    ("question", "kind", "judged_by"),
    [
        ("When does the red car first appear?", "first", "When does the red car appear?"),
        ("When are the red cars last seen?", "last", "When are the red cars seen?"),
        ("When can the red car first be seen?", "first", "When can the red car be seen?"),
        ("When does he enter for the first time?", "first", "When does he enter?"),
        ("When is the last time the red car appears?", "last", "When does the red car appear?"),
        ("When does the first car appear?", "when", "When does the first car appear?"),
        ("When does she first put on her hat?", "first", "When does she put on her hat?"),
        ("When is the door last opened?", "last", "When is the door opened?"),
        ("When was the last photo shown?", "when", "When was the last photo shown?"),
        ("When does the man win first prize?", "when", "When does the man win first prize?"),
        ("When does his first wife sing?", "when", "When does his first wife sing?"),
    ],
)
def test_a_first_or_last_time_is_one_moment_of_a_set(
    question: str, kind: str, judged_by: str
) -> None:
    intent = parse_question(question)
    assert (intent.kind, intent.reflect_question) == (kind, judged_by)
    assert intent.wants_all == (kind != "when")


@given(st.text(max_size=80))
def test_any_text_may_be_read(text: str) -> None:
    order, edge = read_order(text), read_edge(text)
    assert order is None or len(order.things) > 1
    assert edge is None or edge[0] in ("first", "last")
