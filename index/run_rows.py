"""The values of a run's trace, and how they stand in rows.

Lists and mappings are kept as JSON text; a picture is a JPEG of its own row.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from index.types import Span


@dataclass(frozen=True, slots=True)
class RunRow:
    """One question put to one film."""

    run_id: str
    video_id: int
    video_hash: str
    video_path: str
    question: str
    options: tuple[str, ...]
    models: dict[str, str]
    """Names and weights' hashes of the encoder and the VideoLLM."""
    settings: dict[str, Any]
    question_key: str
    """The same for the same question on the same film with the same models and settings."""
    started_at: str
    """UTC, ISO 8601."""
    process_id: int
    """The process that works on it: an unfinished run of a living process is not taken over."""
    status: str = "running"
    stop_reason: str = ""
    answer: dict[str, Any] = field(default_factory=dict)
    """The answer's JSON; empty while the run goes on."""
    parent_id: str | None = None
    """The run that this one was forked from."""
    fork_step: int | None = None
    """Its first own step: those before it are the parent's."""
    fork_changes: dict[str, Any] = field(default_factory=dict)
    """What differs from the parent: budget, models, prompts."""
    own_prompts: dict[str, str] = field(default_factory=dict)
    """Texts of prompts that stand for those of the program, by name."""


@dataclass(frozen=True, slots=True)
class LookRow:
    """A look that was delivered."""

    look_id: str
    span: Span
    times_s: tuple[float, ...]
    width_px: int
    height_px: int
    tokens: int
    why: str
    thumbnails: tuple[tuple[float, bytes], ...] = ()
    """(time in seconds, JPEG) of its frames; not in a step's JSON."""
    source: str = ""
    """What led to it: belief, request, split, closer, answer."""
    sampling: str = ""
    """The rule by which the frames' times were chosen inside the span."""
    pixel_hashes: tuple[str, ...] = ()
    """SHA-256 of each frame's pixels as the model was shown them. Empty: not recorded."""
    started_at: str = ""
    """When it was decoded: UTC, ISO 8601; "" where it was not recorded."""
    seconds: float = 0.0
    """What decoding took."""

    @property
    def fps(self) -> float:
        return len(self.times_s) / self.span.duration_s


@dataclass(frozen=True, slots=True)
class CallRow:
    """One call of a model: the prompt as it was read, and what came back."""

    prompt_name: str
    prompt_hash: str
    prompt_text: str
    output: str
    """The raw reply; "" for scoring."""
    probabilities: dict[str, float]
    """What was scored: {"yes": …, "mass": …}, one per option, or {"reply": …} of a written one."""
    look_ids: tuple[str, ...]
    usage: dict[str, float]
    model: str = ""
    """The VideoLLM that was called; "" in runs of an older version."""
    model_hash: str = ""
    """Hash of its weights."""
    started_at: str = ""
    """UTC, ISO 8601; "" where it was not recorded."""
    note: str = ""
    """What was odd about the call, and where probabilities come from that are not the model's."""

    @property
    def is_written(self) -> bool:
        """Whether the model wrote text, be it empty, and nothing was scored in its place."""
        return self.probabilities.keys() <= {"reply"}


@dataclass(frozen=True, slots=True)
class FindingRow:
    """What a look showed."""

    finding_id: str
    look_id: str
    span: Span
    p_yes: float
    """Raw."""
    confidence: float
    """Calibrated."""
    text: str = ""


@dataclass(frozen=True, slots=True)
class StepRow:
    """One step of a run, as shown while it goes and as replayed later."""

    step_index: int
    node: str
    why: str
    looks: tuple[LookRow, ...] = ()
    calls: tuple[CallRow, ...] = ()
    findings: tuple[FindingRow, ...] = ()
    belief_before: tuple[float, ...] = ()
    """Masses of equal stretches of the film; they and "nowhere" sum to 1. Empty: unchanged."""
    belief_after: tuple[float, ...] = ()
    absent_after: float | None = None
    """Probability that the film does not hold the evidence, after the step."""
    usage: dict[str, float] = field(default_factory=dict)
    """visual_tokens, input_tokens, output_tokens, calls, seconds of this step."""
    data: dict[str, Any] = field(default_factory=dict)
    """What is particular to the node: the plan, the shortlist, requests and refusals."""
    started_at: str = ""
    """UTC, ISO 8601; "" where it was not recorded."""


@dataclass(frozen=True, slots=True)
class CitationRow:
    """A verified span under an answer."""

    span: Span
    what: str
    look_id: str


_RUN_JSON = ("options", "models", "settings", "answer", "fork_changes", "own_prompts")


def run_to_row(run: RunRow) -> dict[str, Any]:
    row = asdict(run)
    for key in _RUN_JSON:
        row[key] = json.dumps(row[key])
    return row


def run_from_row(row: dict[str, Any]) -> RunRow:
    values = dict(row)
    for key in _RUN_JSON:
        values[key] = json.loads(values[key])
    values["options"] = tuple(values["options"])
    return RunRow(**values)


def step_to_row(run_id: str, step: StepRow) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "step_index": step.step_index,
        "node": step.node,
        "why": step.why,
        "calls": json.dumps([asdict(c) for c in step.calls]),
        "belief_before": json.dumps(step.belief_before),
        "belief_after": json.dumps(step.belief_after),
        "absent_after": step.absent_after,
        "usage": json.dumps(step.usage),
        "data": json.dumps(step.data),
        "started_at": step.started_at,
    }


def look_to_row(run_id: str, step: StepRow, look: LookRow) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "look_id": look.look_id,
        "step_index": step.step_index,
        "start_s": look.span.start_s,
        "end_s": look.span.end_s,
        "times_s": json.dumps(look.times_s),
        "width_px": look.width_px,
        "height_px": look.height_px,
        "tokens": look.tokens,
        "why": look.why,
        "source": look.source,
        "sampling": look.sampling,
        "pixel_hashes": json.dumps(look.pixel_hashes),
        "started_at": look.started_at,
        "seconds": look.seconds,
    }


def finding_to_row(run_id: str, step: StepRow, finding: FindingRow) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "finding_id": finding.finding_id,
        "step_index": step.step_index,
        "look_id": finding.look_id,
        "start_s": finding.span.start_s,
        "end_s": finding.span.end_s,
        "p_yes": finding.p_yes,
        "confidence": finding.confidence,
        "text": finding.text,
    }


def look_from_row(row: dict[str, Any]) -> LookRow:
    return LookRow(
        look_id=row["look_id"],
        span=Span(row["start_s"], row["end_s"]),
        times_s=tuple(json.loads(row["times_s"])),
        width_px=row["width_px"],
        height_px=row["height_px"],
        tokens=row["tokens"],
        why=row["why"],
        source=row["source"],
        sampling=row["sampling"],
        pixel_hashes=tuple(json.loads(row["pixel_hashes"])),
        started_at=row["started_at"],
        seconds=row["seconds"],
    )


def step_from_row(
    row: dict[str, Any], looks: list[dict[str, Any]], findings: list[dict[str, Any]]
) -> StepRow:
    calls = tuple(
        CallRow(**{**c, "look_ids": tuple(c["look_ids"])}) for c in json.loads(row["calls"])
    )
    return StepRow(
        step_index=row["step_index"],
        node=row["node"],
        why=row["why"],
        looks=tuple(look_from_row(k) for k in looks),
        calls=calls,
        findings=tuple(
            FindingRow(
                finding_id=f["finding_id"],
                look_id=f["look_id"],
                span=Span(f["start_s"], f["end_s"]),
                p_yes=f["p_yes"],
                confidence=f["confidence"],
                text=f["text"],
            )
            for f in findings
        ),
        belief_before=tuple(json.loads(row["belief_before"])),
        belief_after=tuple(json.loads(row["belief_after"])),
        absent_after=row["absent_after"],
        usage=json.loads(row["usage"]),
        data=json.loads(row["data"]),
        started_at=row["started_at"],
    )
