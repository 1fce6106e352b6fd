"""What a question asks of a film's words."""

from __future__ import annotations

import pytest

from agent.heard import heard


@pytest.mark.parametrize(
    ("question", "asks", "query", "main"),
    [
        ("What does the voice say about the lighthouse?", "said", "the about the lighthouse", None),
        ("What is said about money?", "said", "about money", None),
        ("What does the sign say?", "said", None, None),
        ('When is "land ahoy" said?', "when", '"land ahoy"', None),
        ("When does the captain mention the storm?", "when", "the captain the storm", None),
        ('What colour is the boat when the voice says "land ahoy"?', "while", 'the "land ahoy"',
         "What colour is the boat?"),
        ("How often is the old mill mentioned?", "all", "the old mill", None),
        ("How many times does the voice say the mill?", "all", "the the mill", None),
        ("Find every moment when the mill is talked about", "all", "the mill", None),
        ("List all mentions of the mill", "all", "the mill", None),
        ("When is something said about the mill?", "when", "about the mill", None),
        ("When is said something about the mill?", "when", "about the mill", None),
        ("How often does the boat appear when the voice says go?", "while", "the go",
         "How often does the boat appear?"),
        ("What colour is the boat?", "picture", "the boat", None),
        ("When does the red boat appear?", "picture", "the red boat", None),
    ],
)  # fmt: skip
def test_what_a_question_asks_of_the_words(
    question: str, asks: str, query: str | None, main: str | None
) -> None:
    found = heard(question)
    assert found.asks == asks
    assert (found.query.text if found.query else None) == query
    assert found.main == (main or question)


@pytest.mark.parametrize(
    ("question", "is_spoken"),
    [
        ("What is said about money?", True),
        ("What does the narrator say about money?", True),
        ("When does somebody mention the storm?", True),
        ("At which moments is the storm talked about?", True),
        ("Find every mention of the storm", True),
        ("What does the sign say?", False),
        ("When is the name written?", False),
        ("When does the red boat appear?", False),
    ],
)
def test_what_can_only_be_heard(question: str, is_spoken: bool) -> None:
    assert heard(question).is_spoken == is_spoken
