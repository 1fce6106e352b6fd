"""What a question says about time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.bounds import Relation, TimeSettings, read_time
from index.types import Span

FILM = Span(0, 3600)


@pytest.mark.parametrize(
    ("question", "bounds", "left"),
    [
        ("Who sings in the first ten minutes?", Span(0, 600), "Who sings?"),
        ("Who sings in the last minute?", Span(3540, 3600), "Who sings?"),
        ("Who sings during the first half an hour?", Span(0, 1800), "Who sings?"),
        ("Who sings between 1:00 and 2:30?", Span(60, 150), "Who sings?"),
        ("When is it red between 0:10:00 and 0:12:00?", Span(600, 720), "When is it red?"),
        ("Who sings between minutes 3 and 5?", Span(180, 300), "Who sings?"),
        ("Who sings in the first two hours?", Span(0, 3600), "Who sings?"),
        ("In the last hour, who sings a song?", Span(0, 3600), "Who sings a song?"),
        ("Where is the cat after 10:00?", Span(600, 3600), "Where is the cat?"),
        ("Where is the cat before the last minute?", Span(0, 3540), "Where is the cat?"),
        ("Who is it after the first ten minutes?", Span(600, 3600), "Who is it?"),
        ("Where is the cat at the end?", Span(3240, 3600), "Where is the cat?"),
        ("Where is the cat at the start of the film?", Span(0, 360), "Where is the cat?"),
        ("Where is the cat in the second half?", Span(1800, 3600), "Where is the cat?"),
        ("Where is the cat halfway through the film?", Span(1200, 2400), "Where is the cat?"),
        ("Where is the cat at 12:30?", Span(735, 765), "Where is the cat?"),
        ("Who speaks after minute 5?", Span(300, 3600), "Who speaks?"),
        ("Who speaks from minute 5 onwards?", Span(300, 3600), "Who speaks?"),
        ("Who speaks before minute 12 of the film?", Span(0, 720), "Who speaks?"),
        ("Who speaks until minute five?", Span(0, 300), "Who speaks?"),
        ("Who speaks by second 90?", Span(0, 90), "Who speaks?"),
        ("Where is the cat before the last second?", Span(0, 3599), "Where is the cat?"),
        ("Who sings in the first minute of my video?", Span(0, 60), "Who sings?"),
        ("Who sings in the first half in the last hour?", Span(0, 1800), "Who sings?"),
    ],
)
def test_the_clock_names_a_part_of_the_film(question: str, bounds: Span, left: str) -> None:
    phrase = read_time(question, FILM)
    assert (phrase.bounds, phrase.question, phrase.relation) == (bounds, left, None)


@pytest.mark.parametrize(
    "question",
    [
        "Who sings first?",
        "Who sings between 2:30 and 1:00?",
        "Who sings after 2:00:00?",
        "What does the man do at the end of the street?",
        "What is in the middle of the road?",
        "What comes right after the red boat?",
        "What happens after the red car leaves?",
        "What happens before second base is stolen?",
        "What happens after a second goal?",
        "What happens before second half?",
        "Who scores in the last ten minutes of the match?",
        "Who sings in the first minute of the concert?",
        "Who speaks after 5 minutes of rain?",
        "Where is the cat at 12:30 pm?",
        "Where is the cat at 1:12:30 a.m.?",
        "Who sings between 1:00 and 2:30pm?",
        "Who leads at 2:1?",
    ],
)
def test_what_names_no_part_is_left_as_it_is(question: str) -> None:
    phrase = read_time(question, FILM)
    assert (phrase.bounds, phrase.question, phrase.relation) == (FILM, question, None)


@pytest.mark.parametrize(
    ("question", "side", "anchor", "left"),
    [
        (
            "What colour is it after the snow?",
            "after",
            "the snow",
            "What colour is it?",
        ),
        ("After the snow, what colour is it?", "after", "the snow", "What colour is it?"),
        ("When is the cat seen before the dog?", "before", "the dog", "When is the cat seen?"),
        ("What does it do while the car spins?", "during", "the car spins", "What does it do?"),
        (
            "Where is it after the first minute of the concert?",
            "after",
            "the first minute of the concert",
            "Where is it?",
        ),
        (
            "Was there anything shown before the credits?",
            "before",
            "the credits",
            "Was there anything shown?",
        ),
    ],
)
def test_something_in_the_film_may_name_the_time(
    question: str, side: str, anchor: str, left: str
) -> None:
    phrase = read_time(question, FILM)
    assert phrase.relation == Relation(side, anchor)  # type: ignore[arg-type]
    assert (phrase.question, phrase.bounds) == (left, FILM)


def test_the_end_of_a_short_film_is_no_less_than_what_the_settings_say() -> None:
    settings = TimeSettings(edge_share=0.1, edge_least_s=30.0)
    assert read_time("Who sings at the end?", Span(0, 120), settings=settings).bounds == Span(
        90, 120
    )
    assert read_time("Who sings at the end?", Span(0, 20), settings=settings).bounds == Span(0, 20)


@given(st.text(max_size=80), st.floats(0.05, 40_000))
def test_any_text_leaves_a_part_inside_the_film(text: str, duration_s: float) -> None:
    film = Span(0, duration_s)
    phrase = read_time(text, film)
    assert phrase.bounds.clamp(film) == phrase.bounds
