"""What kind of question it is, by rules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.plan import (
    caption_of,
    number_in,
    option_by_number,
    option_by_time,
    option_caption,
    option_rewrites,
    parse_question,
    times_in,
    usable_rewrite,
)
from index.types import Span


@pytest.mark.parametrize(
    ("question", "kind", "subject"),
    [
        ("What colour is the car on the beach?", "moment", "the car on the beach"),
        ("Which colour do the boats in the snow have?", "moment", "the boats in the snow"),
        ("Where is the red boat?", "moment", "the red boat"),
        ("In which place are the red boats?", "moment", "the red boats"),
        ("How many red boats are there?", "moment", "red boats"),
        ("In which direction do the red boats go?", "moment", "the red boats"),
        ("What is the red boat doing?", "moment", "the red boat"),
        ("When does the red car leave the beach?", "when", "the red car leave the beach"),
        ("At what time can the red boats be seen?", "when", "the red boats"),
        ("How many times does the red boat appear?", "count", "the red boat"),
        ("How often does the red boat appear?", "count", "the red boat"),
        ("List all the times the red boat appears.", "all", "the red boat"),
        ("Find all the moments with the red boat.", "all", "the red boat"),
        ("At what times is the red boat shown?", "all", "the red boat"),
        ("What comes right after the red boats?", "after", "the red boats"),
        ("What happens after the red car leaves?", "after", "the red car leaves"),
        ("what is shown right before the snow", "before", "the snow"),
        ("Which animal appears immediately before the speech?", "before", "the speech"),
    ],
)
def test_the_kind_and_the_subject_are_read_from_the_question(
    question: str, kind: str, subject: str
) -> None:
    intent = parse_question(question)
    assert (intent.kind, intent.subject) == (kind, subject)


@pytest.mark.parametrize(
    ("question", "judged_by"),
    [
        ("How many times do the red boats appear?", "When do the red boats appear?"),
        ("List all the times the red boat appears.", "When does the red boat appear?"),
        ("What comes right after the red boat?", "When does the red boat appear?"),
        ("Where is the red boat?", "Where is the red boat?"),
    ],
)
def test_looks_are_judged_by_what_one_look_can_show(question: str, judged_by: str) -> None:
    assert parse_question(question).reflect_question == judged_by


@pytest.mark.parametrize(
    ("rewrite", "used"),
    [
        ("a red boat on the beach.", "a red boat on the beach"),
        ("two boats", "two boats"),
        ("a green fish", ""),
        ("", ""),
        ("where is the red boat?", ""),
        ("<span>1 - 2</span> boat", ""),
    ],
)
def test_a_rewrite_that_lost_the_thread_is_not_used(rewrite: str, used: str) -> None:
    assert usable_rewrite(rewrite, "Where is the red boat?") == used


def test_a_line_of_another_option_with_a_common_noun_is_not_used() -> None:
    written = "a blue car on the road\na red car on the road"
    assert option_rewrites(written, ("a red car", "a blue car")) == ("", "")
    assert option_rewrites(written, ("a blue car", "a red car")) == tuple(written.splitlines())


@pytest.mark.parametrize(
    ("reply", "captions"),
    [
        ("a red boat\na blue boat", ("a red boat", "a blue boat")),
        ("1. a red boat\n\n2. A blue boat.", ("a red boat", "A blue boat")),
        ("(a) a red boat\nb) a blue boat", ("a red boat", "a blue boat")),
        ("a blue boat\na red boat", ("", "")),
        ("a red boat\na boat", ("a red boat", "")),
        ("a red boat", ("", "")),
        ("Here they are:\na red boat\na blue boat", ("", "")),
        ("", ("", "")),
    ],
)
def test_an_option_has_the_line_that_names_it(reply: str, captions: tuple[str, str]) -> None:
    assert option_rewrites(reply, ("red", "blue")) == captions


@pytest.mark.parametrize(
    ("question", "option", "caption"),
    [
        ("What colour is the boat on the beach?", "red", "the red boat on the beach"),
        ("How many red boats are there?", "three", "three red boats"),
        ("Where is the red boat?", "forest", "the red boat, forest"),
    ],
)
def test_an_option_becomes_the_caption_of_the_picture_it_would_be_right_in(
    question: str, option: str, caption: str
) -> None:
    assert option_caption(question, option) == caption


@pytest.mark.parametrize(
    ("text", "number"),
    [("3", 3), ("three times", 3), ("Twice", 2), ("never", 0), ("a car", None), ("2 or 3", None)],
)
def test_one_number_is_read_from_an_option(text: str, number: int | None) -> None:
    assert number_in(text) == number


def test_times_are_read_from_an_option() -> None:
    assert times_in("0:12:03 - 0:12:11") == [Span(723, 731)]
    assert times_in("at 12:03") == [Span(722.5, 723.5)]
    assert times_in("83.5 s") == [Span(83, 84)]
    assert times_in("0:01:00–0:01:08, 0:03:00–0:03:10") == [Span(60, 68), Span(180, 190)]
    assert times_in("3 red cars") == []


def test_options_that_are_numbers_or_times_are_picked_by_code() -> None:
    assert option_by_number(["once", "twice", "three times"], 3) == 2
    assert option_by_number(["once", "twice"], 3) is None
    assert option_by_number(["once", "often"], 1) is None
    times = ["0:01:00 - 0:01:10", "0:02:00 - 0:02:10", "0:10:00"]
    assert option_by_time(times, [Span(118, 131)]) == 1
    assert option_by_time([*times, "never"], [Span(118, 131)]) is None
    assert option_by_time(["1:00-1:10", "1:00-1:10, 2:00-2:10"], [Span(60, 70)]) == 0


@given(st.text(max_size=80))
def test_any_text_has_a_kind_and_words_to_look_for(text: str) -> None:
    intent = parse_question(text)
    assert intent.kind in ("moment", "when", "count", "all", "after", "before")
    times_in(text)
    assert caption_of(text) or not "".join(text.split()).strip(".?!")
