"""The file that an evaluation is resumed from: one line for each answered question.

A line is written and synced before the next question is asked; a line that a kill cut short is
passed over and that question asked again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from evals.items import Outcome, outcome_from_json, outcome_to_json


@dataclass(frozen=True, slots=True)
class Key:
    """What was asked, of what, how."""

    film: str
    """The film's content hash."""
    custom_id: str
    strategy: str
    setting: str
    """Hash of everything else that decides the outcome: models, settings, the question's words."""


class Record:
    """Outcomes so far, in memory and, where a path is given, on disk."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._known: dict[Key, Outcome | None] = dict(_read(path)) if path else {}
        if path and self._known and not path.read_bytes().endswith(b"\n"):
            # Half a line of a killed run: begin the next one on a line of its own.
            with path.open("ab") as file:
                file.write(b"\n")

    def __contains__(self, key: Key) -> bool:
        return key in self._known

    def __getitem__(self, key: Key) -> Outcome | None:
        """The outcome; None where the strategy has nothing to say about the question."""
        return self._known[key]

    def __iter__(self) -> Iterator[Key]:
        return iter(self._known)

    def about(self, custom_id: str) -> dict[Key, Outcome | None]:
        """What is known of a question, on whatever film."""
        return {k: o for k, o in self._known.items() if k.custom_id == custom_id}

    def add(self, key: Key, outcome: Outcome | None) -> None:
        """Keeps an outcome; on return it is on the disk."""
        self._known[key] = outcome
        if self._path is None:
            return
        line = {
            "film": key.film,
            "custom_id": key.custom_id,
            "strategy": key.strategy,
            "setting": key.setting,
            "outcome": outcome_to_json(outcome) if outcome else None,
        }
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
            file.flush()
            os.fsync(file.fileno())


def _read(path: Path) -> Iterator[tuple[Key, Outcome | None]]:
    if not path.exists():
        return
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            data = json.loads(line)
            key = Key(data["film"], data["custom_id"], data["strategy"], data["setting"])
            outcome = outcome_from_json(data["outcome"]) if data["outcome"] else None
        except (ValueError, KeyError, TypeError):
            continue
        yield key, outcome
