"""Which runs a batch has begun for its questions, in a file beside its answers.

A run that ends has its answer in the library a moment before the answer has its line. A batch that
is killed in that moment finds here which run it was, and takes its answer instead of asking twice.
The file goes when every question that was begun has its line; it holds nothing that is needed else.
"""

from __future__ import annotations

import json
from collections.abc import Container, Iterator
from pathlib import Path

from index.disk import telling_when_full


class BegunRuns:
    """Runs by question; for one thread at a time."""

    def __init__(self, answers: Path) -> None:
        """Read what an earlier batch left beside its file of answers."""
        self._path = answers.with_name(f"{answers.name}.runs")
        self._runs: dict[str, list[str]] = {}
        if self._path.exists():
            for custom_id, run_id in _pairs(self._path.read_bytes()):
                self._runs.setdefault(custom_id, []).append(run_id)

    def of(self, custom_id: str) -> tuple[str, ...]:
        """The runs of a question, in the order in which they were begun."""
        return tuple(self._runs.get(custom_id, ()))

    def add(self, custom_id: str, run_id: str) -> None:
        """Note a run before its first step.

        Raises:
            LibraryError: the disk is full.
        """
        runs = self._runs.setdefault(custom_id, [])
        if run_id in runs:
            return
        runs.append(run_id)
        # Not synced: what a power cut takes away costs a second run and no answer.
        with telling_when_full(self._path.parent), self._path.open("ab", buffering=0) as file:
            file.write(json.dumps([custom_id, run_id]).encode() + b"\n")

    def drop_where_all_in(self, answered: Container[str]) -> None:
        """Take the file away where every question in it has its answer."""
        if all(custom_id in answered for custom_id in self._runs):
            self._path.unlink(missing_ok=True)


def _pairs(data: bytes) -> Iterator[tuple[str, str]]:
    """Each question and its run; a line that a power cut damaged is passed over."""
    for text in data.split(b"\n"):
        try:
            custom_id, run_id = json.loads(text)
        except (ValueError, TypeError):
            continue
        yield str(custom_id), str(run_id)
