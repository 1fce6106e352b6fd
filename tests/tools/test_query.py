"""What a person typed into a search."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.errors import InputError
from index.words_terms import terms_of
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
        ("a man without a hat in a red car", "a man in a red car", (), ("hat",)),
        ("a street without cars and without people", "a street", (), ("cars", "people")),
        ("a man without a jacket on", "a man", (), ("jacket on",)),
        ('"without a doubt"', "without a doubt", ("without a doubt",), ()),
        ('"a -b c" sea -boat', "a -b c sea", ("a -b c",), ("boat",)),
        ('beach without "red boat" in "old mill"', "beach in old mill", ("old mill",),
         ("red boat",)),
        ("a well-known t-shirt", "a well-known t-shirt", (), ()),
        ('a "" car', "a car", (), ()),
    ],
)  # fmt: skip
def test_quotes_and_what_is_left_out(
    text: str, wanted: str, phrases: tuple[str, ...], excluded: tuple[str, ...]
) -> None:
    query = parse_query(text)
    assert (query.wanted, query.phrases, query.excluded) == (wanted, phrases, excluded)


@pytest.mark.parametrize(
    ("text", "wanted", "excluded"),
    [
        ("sin city", "sin city", ()),
        ("sin city in la", "sin city in la", ()),
        ("comic sans text", "comic sans text", ()),
        ("una calle sin coches", "una calle", ("coches",)),
        ("la playa sin gente en verano", "la playa en verano", ("gente",)),
        ("l'homme sans chapeau dans la rue", "l'homme dans la rue", ("chapeau",)),
        ("Strand ohne ein Boot im Sommer", "Strand im Sommer", ("Boot",)),
        ("generation y without phones", "generation y", ("phones",)),
    ],
)
def test_words_of_another_language_leave_out_only_in_it(
    text: str, wanted: str, excluded: tuple[str, ...]
) -> None:
    query = parse_query(text)
    assert (query.wanted, query.excluded) == (wanted, excluded)


@given(st.text(alphabet='ab"-\0 01,“”«»') | st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        query = parse_query(text)
    except InputError:
        return
    assert terms_of(query.wanted)
    assert all(phrase in query.wanted for phrase in query.phrases)
    assert not any("\0" in part for part in (query.wanted, *query.phrases, *query.excluded))


def test_what_is_left_out_is_said() -> None:
    assert parse_query("beach -boat").notices == (
        "left out: “boat” (where it is said or written, and pictures that stand out more for it"
        " than for “beach”)",
    )


def test_negation_that_is_not_understood_is_said_but_not_inside_quotes() -> None:
    (notice,) = parse_query("nobody on the beach").notices
    assert notice.startswith("“nobody” is not understood")
    assert parse_query('"do not enter"').notices == ()
    # The words of a phrase, typed once more outside it, are not quoted.
    assert len(parse_query('"not" and not').notices) == 1


@pytest.mark.parametrize("text", ["", "  ", "-boat", "?!", '"'])
def test_a_search_without_anything_to_find_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        parse_query(text)


def test_who_says_only_what_to_leave_out_is_told_of_quotes() -> None:
    with pytest.raises(InputError) as refused:
        parse_query("without a doubt")
    assert "quotes" in refused.value.hint
