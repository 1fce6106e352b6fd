"""The file of answers: what is in it is whole, once, and survives a kill."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from agent.batch_record import BatchRecord, answer_line
from index.errors import InputError

ROOT = Path(__file__).parents[2]


def line(custom_id: str, text: str = "x") -> dict[str, object]:
    return dict(answer_line(custom_id, asked="h", response={"answer": text}, error=None))


def ids(path: Path) -> list[str]:
    return [json.loads(text)["custom_id"] for text in path.read_text().splitlines()]


def test_answers_are_read_again(tmp_path: Path) -> None:
    path = tmp_path / "out" / "o.jsonl"
    record = BatchRecord(path)
    record.add(line("a"))
    record.add(line("b", "Grüße – 電車"))
    record.close()
    again = BatchRecord(path)
    assert list(again.lines) == ["a", "b"]
    assert again.lines["b"]["response"]["answer"] == "Grüße – 電車"
    again.close()


def test_an_id_is_answered_once(tmp_path: Path) -> None:
    record = BatchRecord(tmp_path / "o.jsonl")
    record.add(line("a"))
    with pytest.raises(ValueError, match="a is answered"):
        record.add(line("a"))
    record.close()


@pytest.mark.parametrize("cut", [1, 5, 20, 60])
def test_half_a_line_is_taken_away_and_the_rest_stays(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "o.jsonl"
    record = BatchRecord(path)
    record.add(line("a"))
    record.add(line("b"))
    record.close()
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2 + cut])
    again = BatchRecord(path)
    assert list(again.lines) == ["a"]
    again.add(line("b"))
    again.close()
    assert path.read_bytes() == whole


def test_a_process_that_is_killed_while_writing_leaves_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "o.jsonl"
    code = (
        "import sys; from pathlib import Path\n"
        "from agent.batch_record import BatchRecord, answer_line\n"
        "record = BatchRecord(Path(sys.argv[1]))\n"
        "for i in range(100_000):\n"
        "    if str(i) not in record.lines:\n"
        "        record.add(answer_line(str(i), asked='h', response={'n': i}, error=None))\n"
        "        print(i, flush=True)\n"
    )
    seen = 0
    for _ in range(3):
        with subprocess.Popen(
            [sys.executable, "-c", code, str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        ) as running:
            assert running.stdout is not None
            for _ in range(20):
                seen = int(running.stdout.readline())
            running.send_signal(signal.SIGKILL)
    record = BatchRecord(path)
    assert [int(key) for key in record.lines] == list(range(len(record.lines)))
    assert len(record.lines) > seen >= 59
    record.close()


def test_forgotten_answers_may_come_again(tmp_path: Path) -> None:
    path = tmp_path / "o.jsonl"
    record = BatchRecord(path)
    for name in "abc":
        record.add(line(name))
    record.forget({"b", "unknown"})
    record.add(line("b", "new"))
    record.close()
    assert ids(path) == ["a", "c", "b"]


def test_two_batches_never_write_one_file(tmp_path: Path) -> None:
    record = BatchRecord(tmp_path / "o.jsonl")
    with pytest.raises(InputError, match="another batch is writing"):
        BatchRecord(tmp_path / "o.jsonl")
    record.forget({"a"})
    with pytest.raises(InputError, match="another batch is writing"):
        BatchRecord(tmp_path / "o.jsonl")
    record.close()
    BatchRecord(tmp_path / "o.jsonl").close()


@pytest.mark.parametrize("text", ['{"custom_id": "a"}\n', "notes\n", "notes", "[1]\n"])
def test_a_file_of_something_else_is_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "o.jsonl"
    path.write_text(text)
    with pytest.raises(InputError, match="name another -o"):
        BatchRecord(path)
    assert path.read_text() == text
