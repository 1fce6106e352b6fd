"""The file of a batch's answers: one JSON line each, on the disk before the next is thought of.

Answers are joined to questions by `custom_id`. A line that a kill cut short is taken away when the
file is opened again, and its question is asked again; no id ever stands in the file twice. The
file is held for writing: two batches never write the same one.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping, Set
from pathlib import Path
from typing import IO, Any

from agent.batch_runs import BegunRuns
from index.disk import replace_file, telling_when_full
from index.errors import InputError
from index.lock import try_lock

Line = Mapping[str, Any]


class BatchRecord:
    """Answers so far; threads may add at the same time. To be closed."""

    def __init__(self, path: Path) -> None:
        """Open the file, making it where there is none.

        Raises:
            InputError: it cannot be written, is no file of answers, or another batch holds it.
        """
        self._path = path
        self._adding = threading.Lock()
        self._lines: dict[str, Line] = {}
        self._file = _held(path)
        try:
            self._read()
        except InputError:
            self._file.close()
            raise
        self._begun = BegunRuns(path)

    def close(self) -> None:
        self._begun.drop_where_all_in(self._lines)
        self._file.close()

    def begin(self, custom_id: str, run_id: str) -> None:
        """Note that a run was begun for a question.

        Raises:
            LibraryError: the disk is full.
        """
        with self._adding:
            self._begun.add(custom_id, run_id)

    def begun(self, custom_id: str) -> tuple[str, ...]:
        """Runs that were begun for a question that has no line yet; also by a killed batch."""
        return self._begun.of(custom_id)

    @property
    def lines(self) -> Mapping[str, Line]:
        """Each answered id's line."""
        return self._lines

    def add(self, line: Line) -> None:
        """Keep an answer; on return it is on the disk.

        Raises:
            ValueError: its id has an answer.
            LibraryError: the disk is full; the file holds what it held before.
        """
        with self._adding, telling_when_full(self._path.parent):
            if line["custom_id"] in self._lines:
                raise ValueError(f"{line['custom_id']} is answered")
            size_bytes = self._file.seek(0, os.SEEK_END)
            try:
                _write(self._file, _encoded(line))
                os.fsync(self._file.fileno())
            except OSError:
                self._file.truncate(size_bytes)
                raise
            self._lines[line["custom_id"]] = line

    def forget(self, custom_ids: Set[str]) -> None:
        """Take answers out, so that their questions are asked again.

        A kill leaves the file with them or without them.
        """
        kept = {key: line for key, line in self._lines.items() if key not in custom_ids}
        if len(kept) == len(self._lines):
            return
        data = b"".join(_encoded(line) for line in kept.values())
        with telling_when_full(self._path.parent):
            replace_file(self._path, lambda beside: _write_all(beside, data))
        old = self._file
        self._file = _held(self._path)
        old.close()
        self._lines = kept

    def _read(self) -> None:
        """Take in the lines; half a line at the end is what a kill left, and goes."""
        self._file.seek(0)
        data = self._file.read()
        self._lines = _whole_lines(data, self._path)
        self._file.truncate(data.rfind(b"\n") + 1)


_BEGINNING = b'{"custom_id": '


def answers_in(path: Path) -> Mapping[str, Line]:
    """Each answered id's line; nothing is written, and there need not be a file.

    Raises:
        InputError: the file cannot be read, or it is no file of answers.
    """
    try:
        data = path.read_bytes() if path.exists() else b""
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", "name another -o") from error
    return _whole_lines(data, path)


def _whole_lines(data: bytes, path: Path) -> dict[str, Line]:
    """The lines that are whole; half a one at the end is what a kill left."""
    end = data.rfind(b"\n") + 1
    lines: dict[str, Line] = {}
    for number, text in enumerate(data[:end].split(b"\n")[:-1], 1):
        line = _line(text)
        if line is None:
            raise InputError(f"{path} line {number} is no answer of a batch", "name another -o")
        lines.setdefault(line["custom_id"], line)
    half = data[end:]
    if half and not half.startswith(_BEGINNING[: len(half)]):
        raise InputError(f"{path} holds something else", "name another -o")
    return lines


def answer_line(
    custom_id: str, *, asked: str, response: dict[str, Any] | None, error: dict[str, Any] | None
) -> Line:
    """A line of the file; its id stands first."""
    return {"custom_id": custom_id, "response": response, "error": error, "asked": asked}


def _held(path: Path) -> IO[bytes]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file: IO[bytes] = path.open("a+b", buffering=0)
    except OSError as error:
        raise InputError(
            f"{path} cannot be written: {error.strerror}", "name another -o"
        ) from error
    # A batch that takes answers out replaces the file: the one that was opened may be gone.
    if not try_lock(file) or not os.path.samestat(os.fstat(file.fileno()), path.stat()):
        file.close()
        raise InputError(f"another batch is writing to {path}", "wait, or name another -o")
    return file


def _encoded(line: Line) -> bytes:
    return json.dumps(line, ensure_ascii=False).encode() + b"\n"


def _write(file: IO[bytes], data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[file.write(left) :]


def _write_all(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def _line(data: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return None
    is_answer = isinstance(found, dict) and {"custom_id", "response", "error"} <= found.keys()
    return found if is_answer and isinstance(found["custom_id"], str) else None
