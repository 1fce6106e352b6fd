"""What a reply says."""

import pytest

from agent.said import said_once


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ("two white cars and two white cars", "two white cars"),
        ("A red car and a red car.", "A red car."),
        ("There is a red car, and a red car", "There is a red car"),
        ("a cat, a cat and a cat", "a cat"),
        ("a blue boat and\n a red  boat", "a blue boat and a red boat"),
        ("a red car and two red cars", "a red car and two red cars"),
        ("a man and a man in a hat", "a man and a man in a hat"),
        ("a man and a man, then rain", "a man, then rain"),
        ("he waves over and over", "he waves over and over"),
        ("one, one, two", "one, one, two"),
        ("sand and sandy hills", "sand and sandy hills"),
        ("", ""),
    ],
)
def test_what_is_listed_twice_stands_once(reply: str, said: str) -> None:
    assert said_once(reply) == said
