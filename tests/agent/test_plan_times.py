"""The times that an option of a "when" question names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.plan import option_by_time, times_in
from index.types import Span


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("0:12:03 - 0:12:11", [(723, 731)]),
        ("0:01:00–0:01:08, 0:03:00–0:03:10", [(60, 68), (180, 190)]),
        ("between 0:10 and 0:50", [(10, 50)]),
        ("from 0:10 to 0:20 and 0:40 until 0:50", [(10, 20), (40, 50)]),
        ("10-12 s", [(10, 12)]),
        ("10 - 20", [(10, 20)]),
        ("10 to 12 min", [(600, 720)]),
        ("between 1 and 2 minutes", [(60, 120)]),
        ("3 to 4 min 30 s", [(180, 270)]),
        ("90 s to 2 min", [(90, 120)]),
    ],
)
def test_spans_are_read(text: str, spans: list[tuple[float, float]]) -> None:
    assert times_in(text) == [Span(*span) for span in spans]


@pytest.mark.parametrize(
    ("text", "times_s"),
    [
        ("at 12:03", [723]),
        ("83.5 s", [83.5]),
        ("around 83 seconds", [83]),
        ("1:30 minutes", [90]),
        ("3 minutes 10 seconds", [190]),
        ("3 minutes and 10 seconds", [190]),
        ("10 min 30 s", [630]),
        ("1 hour 2 minutes", [3720]),
        ("1h02m03s", [3723]),
        ("0:10 and 0:50", [10, 50]),
        ("0:05, 0:12 and 0:50", [5, 12, 50]),
        ("1 minute and 5 minutes", [60, 300]),
        ("5 s - 5 s", [5]),
    ],
)
def test_a_lone_time_is_one_second_around_it(text: str, times_s: list[float]) -> None:
    """ "and" joins two times, or the parts of one; a span it makes after "between" only."""
    assert times_in(text) == [Span(t - 0.5, t + 0.5) for t in times_s]


@pytest.mark.parametrize(
    "text",
    [
        "3 red cars",
        "5 to 6 boats",
        "2 boats at 0:30",
        "two minutes",
        "minute 5",
        "1:30 hours",
        "10 and 20 s",
        "0:10-20",
        "3 - 4:30",
        "0:20 - 0:10",
        "1,234 s",
        "12:30 pm",
        "0:10, 12:30 p.m.",
        "2:1",
        "never",
    ],
)
def test_what_is_read_in_part_only_is_no_time(text: str) -> None:
    assert times_in(text) == []


def test_options_that_are_times_are_picked_by_code() -> None:
    times = ["0:01:00 - 0:01:10", "0:02:00 - 0:02:10", "0:10:00"]
    assert option_by_time(times, [Span(118, 131)]) == 1
    assert option_by_time([*times, "never"], [Span(118, 131)]) is None
    assert option_by_time(["1:00-1:10", "1:00-1:10, 2:00-2:10"], [Span(60, 70)]) == 0
    several = ["0:10 and 0:50", "0:20 and 0:30", "0:05, 0:12 and 0:50"]
    assert option_by_time(several, [Span(8, 12), Span(48, 52)]) == 0
    # Both of these are near to a found one; only the second has a time near to each.
    pairs = ["0:10 and 0:11", "0:12 and 0:48"]
    assert option_by_time(pairs, [Span(8, 12), Span(48, 52)]) == 1
    written = ["3 minutes 10 seconds", "10 seconds", "10 min 10 s"]
    assert option_by_time(written, [Span(185, 195)]) == 0


@given(st.text(max_size=80) | st.text("0123456789:.-, andtohmsbew", max_size=40))
def test_any_text_may_be_read(text: str) -> None:
    assert all(span.duration_s > 0 for span in times_in(text))


@given(st.integers(0, 9), st.integers(0, 59), st.integers(1, 59))
def test_one_time_is_read_alike_however_it_is_written(hours: int, minutes: int, sec: int) -> None:
    clock = times_in(f"{hours}:{minutes:02}:{sec:02}")
    assert len(clock) == 1
    assert times_in(f"{hours} hours {minutes} minutes and {sec} seconds") == clock
    assert times_in(f"{hours}h{minutes:02}m{sec:02}s") == clock
