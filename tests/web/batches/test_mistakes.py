"""A batch that cannot be begun as it was asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.web.batches.conftest import Longshot
from tests.web.batches.test_batches import row, write


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["batch", "Q", "-o", "NO"], "is no answer of a batch"),
        (["batch", "Q", "-o", "/proc/o.jsonl"], "cannot be written"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_is_one_line(
    longshot: Longshot, tmp_path: Path, words: list[str], line: str
) -> None:
    asked = write(tmp_path / "q.jsonl", row("a", "one"))
    names = {"Q": asked, "NO": write(tmp_path / "notes.jsonl", "{}")}
    done = longshot(*(names.get(word, word) for word in words))
    assert (done.code, len(done.err.splitlines())) == (1, 1)
    assert line in done.err


@pytest.mark.parametrize(
    "words",
    [
        ["batch", "gone.jsonl", "-o", "o"],
        ["batch", "Q", "-o", "O", "--table", "t.xlsx"],
        ["batch", "Q", "-o", "O", "--videos", "gone"],
        ["batch", "Q", "-o", "Q"],
        ["batch", "CSV", "-o", "O", "--table", "CSV"],
        ["batch", "Q", "-o", "NEW", "--table", "NEW"],
        ["batch"],
        ["ask", "."],
        ["ask", "a", "b", "c"],
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_2(longshot: Longshot, tmp_path: Path, words: list[str]) -> None:
    names = {
        "Q": write(tmp_path / "q.jsonl", row("a", "one")),
        "CSV": write(tmp_path / "q.csv", "video,question", "one,What?"),
        "O": tmp_path / "o.jsonl",
        "NEW": tmp_path / "new.csv",
    }
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert longshot(*(names.get(word, word) for word in words)).code == 2
    assert {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before
