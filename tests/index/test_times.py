"""Times in text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.errors import InputError
from index.times import format_time, parse_time


@pytest.mark.parametrize(
    ("text", "time_s"),
    [("83.5", 83.5), ("1:23.5", 83.5), ("0:01:23.5", 83.5), ("10:00:00", 36000.0), (" 7 ", 7.0)],
)
def test_the_three_forms_are_read(text: str, time_s: float) -> None:
    assert parse_time(text) == time_s


@pytest.mark.parametrize("text", ["", "-1", "1:60", "1:60:00", "1:2:3:4", "nan", "1e9", "a:b"])
def test_anything_else_is_refused_by_name(text: str) -> None:
    with pytest.raises(InputError, match="is not a time"):
        parse_time(text)


@pytest.mark.parametrize(
    ("time_s", "decimals", "text"),
    [
        (83.9, 0, "0:01:23"),
        (83.5, 3, "0:01:23.500"),
        (59.9996, 3, "0:01:00.000"),
        (36e3, 0, "10:00:00"),
    ],
)
def test_times_are_written_as_players_show_them(time_s: float, decimals: int, text: str) -> None:
    assert format_time(time_s, decimals=decimals) == text


@given(st.integers(0, 10**8))
def test_writing_and_reading_milliseconds_gives_the_time_back(time_ms: int) -> None:
    assert round(parse_time(format_time(time_ms / 1000, decimals=3)) * 1000) == time_ms
