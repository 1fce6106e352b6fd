"""Questions and answers, and the answer's JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from index.errors import InputError
from index.types import Span

Status = Literal["answered", "not_found", "out_of_budget"]
Kind = Literal[
    "moment", "when", "count", "all", "first", "last", "after", "before", "order", "whole"
]
MOST_OPTIONS = 26
"""Letters that there are: a model names an option by one."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked."""

    text: str
    options: tuple[str, ...] = ()
    """None, or two to `MOST_OPTIONS` to choose from."""

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise InputError("the question is empty", "ask something about the film")
        if len(self.options) == 1:
            raise InputError("one option is no choice", "give two or more, or none")
        if len(self.options) > MOST_OPTIONS:
            raise InputError(
                f"{len(self.options)} options are too many: each needs a letter of its own",
                f"give at most {MOST_OPTIONS}, or none and let the model say it in its own words",
            )
        if any(not option.strip() for option in self.options):
            raise InputError("an option is empty", "give every option some text")
        if len(set(self.options)) != len(self.options):
            raise InputError("two options are the same", "give each option once")


@dataclass(frozen=True, slots=True)
class Citation:
    """A span under an answer: inside the film, and looked at in this run."""

    video_id: int
    span: Span
    what: str
    """What it shows, in a few words."""
    frames_s: tuple[float, ...]
    """Times of the frames that were seen there."""
    look_id: str
    lane: str = "picture"
    """"words" where a line is cited instead of pictures; it has no look and no frames."""
    text: str = ""
    """The line, as the film has it."""
    verified: bool = True
    """Always true here: what fails the check is not a citation."""

    def to_json(self) -> dict[str, Any]:
        """Half-open float seconds."""
        return {
            "video_id": self.video_id,
            "start": round(self.span.start_s, 3),
            "end": round(self.span.end_s, 3),
            "what": self.what,
            "frames": [round(t, 3) for t in self.frames_s],
            "look": self.look_id,
            "lane": self.lane,
            "text": self.text,
            "verified": self.verified,
        }


@dataclass(frozen=True, slots=True)
class Answer:
    """The end of a run."""

    run_id: str
    question: str
    answer: str
    """The reply; with a status other than "answered" the best guess, or ""."""
    choice: int | None
    """Position of the chosen option; None without options or without an answer."""
    confidence: float
    """0..1."""
    status: Status
    citations: tuple[Citation, ...]
    usage: dict[str, float]
    """visual_tokens, input_tokens, output_tokens, calls, looks, seconds."""
    models: dict[str, str]
    stop_reason: str
    kind: Kind
    spans: tuple[Span, ...] = ()
    """The answer in time, where it is one: "when", "all the times"."""
    notes: tuple[str, ...] = ()
    """What the reader should know: a flat prior, a truncated file, a guess."""
    index: dict[str, Any] = field(default_factory=dict)
    """What the film was searched by: encoder, seconds indexed."""

    def to_json(self) -> dict[str, Any]:
        """The stable form: half-open float seconds, no frame numbers."""
        return {
            "id": self.run_id,
            "question": self.question,
            "answer": self.answer,
            "choice": self.choice,
            "confidence": round(self.confidence, 4),
            "status": self.status,
            "citations": [c.to_json() for c in self.citations],
            "usage": dict(self.usage),
            "trace_id": self.run_id,
            "models": dict(self.models),
            "index": dict(self.index),
            "kind": self.kind,
            "spans": [[round(s.start_s, 3), round(s.end_s, 3)] for s in self.spans],
            "stop_reason": self.stop_reason,
            "notes": list(self.notes),
        }


def answer_from_json(data: dict[str, Any]) -> Answer:
    """An answer as `to_json` wrote it."""
    return Answer(
        run_id=data["id"],
        question=data["question"],
        answer=data["answer"],
        choice=data["choice"],
        confidence=data["confidence"],
        status=data["status"],
        citations=tuple(
            Citation(
                video_id=c["video_id"],
                span=Span(c["start"], c["end"]),
                what=c["what"],
                frames_s=tuple(c["frames"]),
                look_id=c["look"],
                lane=c.get("lane", "picture"),
                text=c.get("text", ""),
                verified=c["verified"],
            )
            for c in data["citations"]
        ),
        usage=data["usage"],
        models=data["models"],
        stop_reason=data["stop_reason"],
        kind=data["kind"],
        spans=tuple(Span(start, end) for start, end in data["spans"]),
        notes=tuple(data["notes"]),
        index=data["index"],
    )
