"""How an answer ends: its status, its guess, and the check of citations, each by itself."""

from __future__ import annotations

import pytest

from agent.answer import better_guess, checked, covers, status_of
from agent.kinds import Cited, Verdict
from agent.settings import AnswerSettings
from index.types import Span
from tests.agent.conftest import looked

FILM = Span(0, 170)


def test_a_citation_must_have_been_looked_at_inside_the_film() -> None:
    looks = [looked(60, 65, "1.0"), looked(65, 70, "1.1")]
    claims = [
        Cited(Span(60, 70), "both halves"),
        Cited(Span(60, 75), "too far"),
        Cited(Span(10, 20), "never seen"),
        Cited(Span(168, 171), "past the end"),
    ]
    held, failed = checked(claims, [*looks, looked(168, 171)], film=FILM, video_id=1)
    assert [c.what for c in held] == ["both halves"]
    assert [c.what for c in failed] == ["too far", "never seen", "past the end"]
    assert held[0].frames_s == (60.625, 61.875, 63.125, 64.375)


def test_looks_with_a_gap_do_not_cover() -> None:
    assert covers([Span(0, 5), Span(5.02, 10)], Span(0, 10))
    assert not covers([Span(0, 5), Span(6, 10)], Span(0, 10))
    assert not covers([], Span(0, 1))


def test_the_more_confident_guess_is_kept() -> None:
    first = better_guess({}, Verdict(False, "", reply="a", confidence=0.6))
    assert better_guess(first, Verdict(False, "", reply="b", confidence=0.5)) == first
    assert better_guess(first, Verdict(False, "", reply="b", confidence=0.7))["reply"] == "b"
    assert better_guess(first, Verdict(False, "", confidence=0.9)) == first


@pytest.mark.parametrize(
    ("passed", "stop_reason", "has_guess", "absent", "looked_at", "status"),
    [
        (True, "", False, 0.9, 1.0, "answered"),
        (False, "budget: 3 looks are used up", True, 0.2, 0.9, "out_of_budget"),
        (False, "budget: 3 looks are used up", False, 0.2, 0.9, "out_of_budget"),
        (False, "budget: 3 looks are used up", False, 0.8, 0.9, "not_found"),
        (False, "budget: 3 looks are used up", True, 0.8, 0.9, "not_found"),
        (False, "budget: 3 looks are used up", False, 0.8, 0.1, "out_of_budget"),
        (False, "price: 1% against 2%", False, 0.4, 0.9, "out_of_budget"),
        (False, "price: 1% against 2%", False, 0.8, 0.1, "not_found"),
        (False, "exhausted", False, 0.2, 0.1, "not_found"),
        (False, "exhausted", True, 0.55, 0.9, "out_of_budget"),
        (False, "exhausted", True, 0.7, 0.9, "not_found"),
    ],
)
def test_every_end_has_its_status(
    passed: bool, stop_reason: str, has_guess: bool, absent: float, looked_at: float, status: str
) -> None:
    found = status_of(
        passed=passed,
        stop_reason=stop_reason,
        has_guess=has_guess,
        absent=absent,
        looked=looked_at,
        settings=AnswerSettings(),
    )
    assert found == status
