"""What a question may be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent.batch_lines import read_questions
from agent.types import MOST_OPTIONS, Question
from index.errors import InputError


def options(n: int) -> tuple[str, ...]:
    return tuple(f"option {i}" for i in range(n))


def test_there_are_as_many_options_as_letters() -> None:
    assert len(Question("Which?", options(MOST_OPTIONS)).options) == 26
    with pytest.raises(InputError, match="27 options are too many") as refused:
        Question("Which?", options(27))
    assert "at most 26" in refused.value.hint


@pytest.mark.parametrize("bad", [("one",), ("one", " "), ("one", "one")])
def test_options_that_are_no_choice_are_refused(bad: tuple[str, ...]) -> None:
    with pytest.raises(InputError):
        Question("Which?", bad)


def test_too_many_options_are_an_error_of_their_line_alone(tmp_path: Path) -> None:
    rows = [{"question": "Which?", "options": options(n)} for n in (26, 27)]
    path = tmp_path / "q.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows))
    found = read_questions(path)
    assert [len(q.options) for q in found.questions] == [26]
    assert [bad.line for bad in found.bad] == [2]
