"""What kind of question it is, by rules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.plan import (
    caption_of,
    number_in,
    option_by_number,
    option_caption,
    parse_question,
)


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
        ("Which moments show a dog?", "all", "a dog"),
        ("Find all scenes that show a dog.", "all", "a dog"),
        ("How many times?", "moment", "How many times"),
        ("Show all scenes", "moment", "Show all scenes"),
        ("When?", "moment", "When"),
        ("Do you see the dog in the snow?", "moment", "the dog in the snow"),
        ("Was there anything shown in the snow?", "moment", "anything shown in the snow"),
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
        ("Which moments show a dog?", "When does a dog appear?"),
        ("What is shown right before the door opens?", "When the door opens?"),
        ("What happens after he leaves?", "When he leaves?"),
        ("What happens after a man lifts the box?", "When a man lifts the box?"),
        ("What happens after the lights are out?", "When the lights are out?"),
        ("What comes right after the red boats?", "When do the red boats appear?"),
        ("What comes after the man across the road?", "When does the man across the road appear?"),
        ("What comes after someone in a hat?", "When does someone in a hat appear?"),
        (
            "What comes right after the man who is late?",
            "When does the man who is late appear?",
        ),
    ],
)
def test_looks_are_judged_by_what_one_look_can_show(question: str, judged_by: str) -> None:
    assert parse_question(question).reflect_question == judged_by


@pytest.mark.parametrize(
    ("question", "caption"),
    [
        ("Do you see the dog before the cat appears?", "the dog before the cat"),
        ("Can you see a dog?", "a dog"),
        ("Is there a dog?", "a dog"),
        ("Are there two dogs?", "two dogs"),
    ],
)
def test_who_sees_it_is_no_part_of_a_caption(question: str, caption: str) -> None:
    assert caption_of(question) == caption


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


def test_options_that_are_numbers_are_picked_by_code() -> None:
    assert option_by_number(["once", "twice", "three times"], 3) == 2
    assert option_by_number(["once", "twice"], 3) is None
    assert option_by_number(["once", "often"], 1) is None


@given(st.text(max_size=80))
def test_any_text_has_a_kind_and_words_to_look_for(text: str) -> None:
    intent = parse_question(text)
    assert intent.kind in ("moment", "when", "count", "all", "after", "before")
    assert caption_of(text) or not "".join(text.split()).strip(".?!")
