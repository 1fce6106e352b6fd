"""What a model writes when it wants to look closer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.types import Span
from tools.requests import (
    Request,
    RequestLimits,
    asks_for_a_look,
    parse_requests,
    seconds_of,
    without_answer_tags,
)

LIMITS = RequestLimits(film=Span(0, 3600))


def only(text: str) -> Request:
    parsed = parse_requests(text, limits=LIMITS)
    assert not parsed.refusals
    (request,) = parsed.requests
    return request


def test_dynframes_own_form_is_read() -> None:
    assert only("<span>62.00 - 68.00</span><fps>3</fps>") == Request(Span(62, 68), 3.0)


@pytest.mark.parametrize(
    "written",
    [
        "<span>62–68</span>",
        "<span> 62.0 — 68 </span>",
        "<SPAN>1:02 - 1:08</SPAN>",
        "< span >0:01:02.0 to 0:01:08</ span >",
        "I want <span>62s - 68s</span> please",
        "<span>62 seconds - 68 seconds</span>",
    ],
)
def test_dashes_spaces_clock_times_and_units_are_tolerated(written: str) -> None:
    assert only(written) == Request(Span(62, 68), None)


def test_several_requests_keep_their_own_density_and_size() -> None:
    text = "<span>1 - 3</span><fps>2</fps> and <span>5 - 9</span><size>high</size><fps>4</fps>"
    parsed = parse_requests(text, limits=LIMITS)
    assert parsed.requests == (Request(Span(1, 3), 2.0), Request(Span(5, 9), 4.0, "high"))


def test_a_request_is_clamped_to_the_film() -> None:
    assert only("<span>3590 - 3700</span>").span == Span(3590, 3600)


def test_a_density_is_kept_as_it_was_asked_for() -> None:
    assert only("<span>0 - 640</span><fps>4</fps>") == Request(Span(0, 640), 4.0)


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("<span>soon</span>", "bad_time"),
        ("<span>62</span>", "bad_time"),
        ("<span>68 - 62</span>", "empty_span"),
        ("<span>62 - 62</span>", "empty_span"),
        ("<span>4000 - 4010</span>", "outside_film"),
        ("<span>1 - 2</span><fps>0</fps>", "bad_fps"),
        ("<span>1 - 2</span><fps>31</fps>", "bad_fps"),
        ("<span>1 - 2</span><fps>many</fps>", "bad_fps"),
        ("<span>1 - 2</span><size>huge</size>", "bad_size"),
    ],
)
def test_what_cannot_be_honoured_is_refused_with_a_code(written: str, code: str) -> None:
    parsed = parse_requests(written, limits=LIMITS)
    assert parsed.requests == ()
    assert [r.code for r in parsed.refusals] == [code]


PARTS = (Span(60, 120), Span(300, 330))


def refused(text: str, *parts: Span) -> str:
    found = parse_requests(text, limits=RequestLimits(film=Span(0, 3600), parts=parts))
    (refusal,) = found.refusals
    assert refusal.code == "outside_film"
    return refusal.detail


def test_a_request_outside_is_told_what_is_true_of_the_film_and_of_the_question() -> None:
    early, late = "<span>10 - 20</span>", "<span>4000 - 4010</span>"
    assert refused(late) == "the film ends at 3600.00 seconds"
    assert refused(late, Span(0, 3600)) == "the film ends at 3600.00 seconds"
    assert refused(early, PARTS[0]) == "the question is about 60.00 to 120.00 s of the film"
    assert refused("<span>200 - 280</span>", *PARTS) == (
        "the question is about 2 parts of the film; the nearest is 300.00 to 330.00 s"
    )


def test_a_request_over_several_parts_is_clamped_to_where_they_begin_and_end() -> None:
    limits = RequestLimits(film=Span(0, 3600), parts=PARTS)
    parsed = parse_requests("<span>0 - 3600</span> <span>310 - 400</span>", limits=limits)
    assert [r.span for r in parsed.requests] == [Span(60, 330), Span(310, 330)]


@pytest.mark.parametrize("text", ["", "none", "62 - 68", "<span>62 - 68", "<fps>3</fps>"])
def test_text_without_whole_tags_asks_for_nothing(text: str) -> None:
    parsed = parse_requests(text, limits=LIMITS)
    assert (parsed.requests, parsed.refusals) == ((), ())


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("62.5", 62.5), ("1:02.5", 62.5), ("1:00:00", 3600.0), ("x", None), ("1:2:3:4", None)],
)
def test_seconds_are_read_from_clock_times(text: str, seconds: float | None) -> None:
    assert seconds_of(text) == seconds


@given(st.text())
def test_any_text_parses_to_requests_inside_the_film(text: str) -> None:
    parsed = parse_requests(f"<span>{text}</span><fps>{text}</fps>", limits=LIMITS)
    assert len(parsed.requests) + len(parsed.refusals) >= 1
    for request in parsed.requests:
        assert request.span.clamp(LIMITS.film) == request.span


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        ("<answer>D</answer>", "D"),
        ("I looked twice. < Answer > a red\nboat </ answer> Done.", "a red\nboat"),
        ("<answer>cut off", "cut off"),
        ("a red boat", "a red boat"),
        ("<answer></answer>", ""),
    ],
)
def test_an_answer_is_what_the_tags_mark(reply: str, answer: str) -> None:
    assert without_answer_tags(reply) == answer


def test_a_reply_asks_for_a_look_also_where_it_cannot_be_honoured() -> None:
    assert asks_for_a_look("<span>62 - 68</span><fps>3</fps>")
    assert asks_for_a_look("<span>soon</span>")
    assert asks_for_a_look("It is not clear. < SPAN >110.00 - 12")
    assert not asks_for_a_look("a span of 62 - 68 seconds")
