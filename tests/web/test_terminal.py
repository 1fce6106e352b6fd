"""Words and layout on a terminal and through a pipe."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from index.run_rows import CallRow, FindingRow, LookRow, StepRow
from index.types import Span
from web.run_terminal import belief_map, print_whole_step
from web.terminal import cost, format_span, outcome, print_step


def shown(step: StepRow, *, whole: bool = False) -> list[str]:
    out = Console(file=io.StringIO(), width=160, markup=False, highlight=False)
    if whole:
        print_whole_step(out, step, prompts=False)
    else:
        print_step(out, step)
    assert isinstance(out.file, io.StringIO)
    return [line.rstrip() for line in out.file.getvalue().splitlines()]


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (Span(87, 92), "0:01:27–0:01:32"),
        (Span(3599.9, 3725), "0:59:59–1:02:05"),
        (Span(87.25, 88), "0:01:27.2–0:01:28.0"),
    ],
)
def test_a_short_span_is_shown_in_tenths(span: Span, text: str) -> None:
    assert format_span(span) == text


def test_a_look_and_a_finding_are_told_under_the_steps_reason() -> None:
    look = LookRow("1.0", Span(10, 14), (10.5, 11.5, 12.5, 13.5), 96, 64, 40, "a peak")
    finding = FindingRow("1.0", "1.0", Span(10, 14), p_yes=0.93, confidence=0.9)
    assert shown(StepRow(1, "look", "1 look", looks=(look,), findings=(finding,))) == [
        "look       1 look",
        "           0:00:10–0:00:14  4 frames of 96×64 (1 fps, 40 tokens): a peak",
        "           0:00:10–0:00:14  P(yes) 0.93",
    ]


def test_what_a_model_or_a_person_wrote_is_not_taken_for_markup() -> None:
    call = CallRow("answer", "h", "p", "[bold]red[/bold]\n:smile:", {}, (), {})
    assert shown(StepRow(2, "answer", "[red]why[/red]", calls=(call,))) == [
        "answer     [red]why[/red]",
        "           said “[bold]red[/bold] :smile:”",
    ]


def test_a_reply_is_told_with_how_sure_the_model_was_of_it() -> None:
    calls = (
        CallRow("answer", "h1", "p", "a red car", {"reply": 0.8214}, (), {}),
        CallRow("answer", "h2", "p", "", {"red": 0.75, "blue": 0.25}, (), {}),
        CallRow("answer", "h3", "p", "", {"reply": 0.5}, (), {}),
        CallRow("answer", "h4", "p", "", {}, (), {}),
    )
    lines = shown(StepRow(2, "answer", "why", calls=calls), whole=True)
    assert [line.partition("): ")[2] for line in lines if line.startswith("call")] == [
        "“a red car” (reply 0.821)",
        "red 0.750, blue 0.250",
        "an empty reply (reply 0.500)",
        "an empty reply",
    ]


def test_a_request_of_the_model_is_told_with_its_density() -> None:
    data = {"requests": [{"start": 60.0, "end": 64.0, "fps": 4.0, "size": "high"}]}
    assert shown(StepRow(1, "survey", "peaks", data=data))[1].strip() == (
        "the model asks for 0:01:00–0:01:04 at 4 fps"
    )


def test_a_cost_says_what_there_is() -> None:
    usage = {"visual_tokens": 4020, "looks": 1, "calls": 22, "seconds": 0.64}
    assert cost(usage) == "4,020 visual tokens, 1 look, 22 calls, 0.6 s"


def test_a_belief_is_drawn_against_its_highest_column() -> None:
    assert belief_map([0.0, 0.1, 0.4, 0.8]) == " ▁▄█"
    assert belief_map([0.0, 0.0]) == "  "
    assert belief_map([]) == ""


@given(st.lists(st.floats(0, 1), max_size=300))
def test_a_belief_of_any_length_has_at_most_60_columns(masses: list[float]) -> None:
    assert len(belief_map(masses)) == min(60, len(masses))


@pytest.mark.parametrize(
    ("status", "reply", "kind", "words"),
    [
        ("answered", "a red car", "moment", "answered"),
        ("not_found", "", "moment", "not in this film"),
        ("not_found", "", "whole", "no answer"),
        ("out_of_budget", "a red car", "moment", "a guess: the search was not sure of it"),
        ("out_of_budget", "", "moment", "no answer: the search ended before it was sure"),
        ("running", "", "moment", "not finished"),
    ],
)
def test_how_a_question_ended_is_said_in_words(
    status: str, reply: str, kind: str, words: str
) -> None:
    assert outcome(status, reply, kind=kind) == words
