"""What the checkpoints of a work folder are of: training goes on from no others.

A checkpoint is weights alone. Those of other steps, of other models to begin with, or of other
words would be gone on from silently, and what comes of that is no model that anybody asked for.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from index.disk import replace_file
from index.errors import InputError

_FILE = "recipe.json"
_HINT = "name an empty folder with --work, or empty this one; a report alone needs neither"


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that decides what a checkpoint is, but for the code."""

    steps: Mapping[str, int]
    """By stage."""
    clips: Mapping[str, int]
    """By pool."""
    rate: float
    """Share of the learning rates."""
    begin: str | None
    """Hash of the models that training goes on from; None: from nothing."""
    words: str
    """Hash of both vocabularies: a word's embedding stands where its number says."""


def claim(work: Path, recipe: Recipe) -> None:
    """Writes down what a work folder's checkpoints will be of.

    Raises:
        InputError: they are of something else already, or nobody wrote down of what.
    """
    path, mine = work / _FILE, asdict(recipe)
    if not path.exists():
        if any(work.glob("*.pt")):
            raise InputError(f"nothing says what the checkpoints in {work} are of", _HINT)
        text = json.dumps(mine, indent=1) + "\n"
        replace_file(path, lambda beside: _write(beside, text))
        return
    theirs = json.loads(path.read_text(encoding="utf-8"))
    if other := [name for name, value in mine.items() if theirs.get(name) != value]:
        raise InputError(f"the checkpoints in {work} are of other {', '.join(other)}", _HINT)


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def words_hash(*vocabularies: Mapping[str, int]) -> str:
    """Of words and their numbers."""
    rows = [sorted(vocabulary.items()) for vocabulary in vocabularies]
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


def models_hash(folder: Path) -> str:
    """Of the weights of a saved pair."""
    found: Any = hashlib.sha256()
    for path in sorted(folder.glob("*/*.safetensors")):
        found.update(path.read_bytes())
    return str(found.hexdigest())
