"""What is asked in an evaluation, and what a strategy answered: plain values and their JSON.

An item is a question with its truth, of the demo world or of any benchmark; the fields are those of
the question files that `longshot demo questions` writes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from index.errors import InputError
from index.types import Span

Truth = Literal["answered", "not_found"]
Status = Literal["answered", "not_found", "out_of_budget"]


@dataclass(frozen=True, slots=True)
class Item:
    """A question and the truth about it."""

    custom_id: str
    video: str
    """The film, as `Library.find` takes it."""
    kind: str
    form: str
    """"open" or "choice"."""
    question: str
    options: tuple[str, ...]
    """Empty for an open question."""
    answer: str
    evidence: tuple[Span, ...]
    """Where the film shows it; empty where it shows nothing."""
    status: Truth

    @property
    def fact(self) -> str:
        """What the forms of one question share: they are right or wrong together more often."""
        return self.custom_id.removesuffix(f"-{self.form}")

    @property
    def is_absent(self) -> bool:
        """Whether the film does not hold what is asked for."""
        return self.status == "not_found"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one strategy made of one item, and what it cost."""

    answer: str
    choice: int | None
    status: Status
    confidence: float | None
    """0..1; None where the strategy has none."""
    citations: tuple[Span, ...]
    """Best first."""
    spans: tuple[Span, ...]
    """The answer in time, where it is one."""
    looked: tuple[Span, ...]
    """Every stretch of which the VideoLLM was shown frames to judge or to answer from. The agent's
    strip, small frames from all over the film by which the model may only ask for a look, is none.
    """
    n_frames: int
    """Frames that the VideoLLM was shown, the strip's too, each as often as a prompt held it."""
    visual_tokens: int
    calls: int
    seconds: float
    """Wall time."""
    note: str = ""
    run_id: str = ""
    """The agent's trace; empty where no agent ran."""
    n_distinct: int | None = None
    """Different times of the film among the frames; None in records that did not note it."""


def item_from_json(data: dict[str, Any]) -> Item:
    """The item of one line of a question file; fields of no use here are passed over.

    Raises:
        InputError: a field is missing or its value makes no sense.
    """
    try:
        return Item(
            custom_id=str(data["custom_id"]),
            video=str(data["video"]),
            kind=str(data["kind"]),
            form=str(data["form"]),
            question=str(data["question"]),
            options=tuple(data.get("options") or ()),
            answer=str(data["answer"]),
            evidence=tuple(Span(float(start), float(end)) for start, end in data["evidence"]),
            status=data["status"],
        )
    except (KeyError, TypeError, ValueError) as error:
        name = data.get("custom_id", "without custom_id")
        raise InputError(f"question {name}: {error!r}", "make it with: demo questions") from error


def load_items(path: Path) -> list[Item]:
    """The items of a JSONL file.

    Raises:
        InputError: a line is no JSON object or lacks a field; the line is named.
    """
    items = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            data = json.loads(line)
        except json.JSONDecodeError as error:
            raise InputError(f"{path} line {number} is no JSON: {error.msg}") from error
        if not isinstance(data, dict):
            raise InputError(f"{path} line {number} is no JSON object")
        items.append(item_from_json(data))
    return items


def outcome_to_json(outcome: Outcome) -> dict[str, Any]:
    """Plain JSON values; spans as [start, end]."""
    return {
        "answer": outcome.answer,
        "choice": outcome.choice,
        "status": outcome.status,
        "confidence": outcome.confidence,
        "citations": _pairs(outcome.citations),
        "spans": _pairs(outcome.spans),
        "looked": _pairs(outcome.looked),
        "n_frames": outcome.n_frames,
        "visual_tokens": outcome.visual_tokens,
        "calls": outcome.calls,
        "seconds": outcome.seconds,
        "note": outcome.note,
        "run_id": outcome.run_id,
        "n_distinct": outcome.n_distinct,
    }


def outcome_from_json(data: dict[str, Any]) -> Outcome:
    """The outcome that `outcome_to_json` wrote."""
    values = dict(data)
    for name in ("citations", "spans", "looked"):
        values[name] = tuple(Span(start, end) for start, end in values[name])
    values["status"] = cast(Status, values["status"])
    return Outcome(**values)


def _pairs(spans: Sequence[Span]) -> list[list[float]]:
    return [[span.start_s, span.end_s] for span in spans]
