"""What a person typed into a search."""

from __future__ import annotations

import pytest

from index.errors import InputError
from tools.query import parse_query


@pytest.mark.parametrize(
    ("text", "wanted", "phrases", "excluded"),
    [
        ("a red car", "a red car", (), ()),
        ('says "land ahoy" twice', "says land ahoy twice", ("land ahoy",), ()),
        ("«terre en vue» und „Land in Sicht“", "terre en vue und Land in Sicht",
         ("terre en vue", "Land in Sicht"), ()),
        ("beach -boat", "beach", (), ("boat",)),
        ('beach -"red boat" sea', "beach sea", (), ("red boat",)),
        ("a beach without any people", "a beach", (), ("people",)),
        ("a street with no cars, at night", "a street , at night", (), ("cars",)),
        ("a well-known t-shirt", "a well-known t-shirt", (), ()),
        ('a "" car', "a car", (), ()),
    ],
)  # fmt: skip
def test_quotes_and_what_is_left_out(
    text: str, wanted: str, phrases: tuple[str, ...], excluded: tuple[str, ...]
) -> None:
    query = parse_query(text)
    assert (query.wanted, query.phrases, query.excluded) == (wanted, phrases, excluded)


def test_what_is_left_out_is_said() -> None:
    assert parse_query("beach -boat").notices == (
        "left out: “boat” (where it is said or written, and pictures that stand out more for it"
        " than for “beach”)",
    )


def test_negation_that_is_not_understood_is_said_but_not_inside_quotes() -> None:
    (notice,) = parse_query("nobody on the beach").notices
    assert notice.startswith("“nobody” is not understood")
    assert parse_query('"do not enter"').notices == ()


@pytest.mark.parametrize("text", ["", "  ", "-boat", "?!", '"'])
def test_a_search_without_anything_to_find_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        parse_query(text)
