"""What a question costs in a long film, where its vectors point as well as in a short one."""

from __future__ import annotations

from pathlib import Path

from bench.lengths import ask_once, film_of
from index.encoder_hash import HashEncoder


def test_ten_hours_take_no_more_looks_and_tokens_than_ten_minutes(tmp_path: Path) -> None:
    encoder = HashEncoder()
    answers = [
        ask_once(film_of(minutes, encoder), encoder, tmp_path)[1] for minutes in (10, 60, 600)
    ]
    assert {a["status"] for a in answers} == {"answered"}
    for cost in ("looks", "visual_tokens", "calls"):
        assert len({a["usage"][cost] for a in answers}) == 1, cost
