"""Where two runs part, step by step, from their rows alone.

Two steps are the same when the same node looked at the same pixels, put the same prompts to the
same model, and got the same out of it. Times and costs may differ; they are no reason to part.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from agent.types import Answer
from index.run_rows import RunRow, StepRow
from index.types import union

# Probabilities and beliefs are compared to so many places: the same sum in another order is equal.
_PLACES = 5


@dataclass(frozen=True, slots=True)
class Recorded:
    """A run to compare."""

    run: RunRow
    steps: Sequence[StepRow]
    answer: Answer | None


@dataclass(frozen=True, slots=True)
class Difference:
    """A fact that two runs do not share."""

    what: str
    a: Any
    b: Any


@dataclass(frozen=True, slots=True)
class StepPair:
    """The steps of both runs at one position; None where a run had ended."""

    step_index: int
    a: StepRow | None
    b: StepRow | None
    differs: tuple[str, ...]
    """What is not the same: node, looks, pixels, model, prompts, said, scores, findings, belief."""


@dataclass(frozen=True, slots=True)
class TraceDiff:
    """Two runs side by side."""

    a: Recorded
    b: Recorded
    setup: tuple[Difference, ...]
    """Question, film, models, prompts and settings that differ."""
    pairs: tuple[StepPair, ...]
    outcome: tuple[Difference, ...]
    """What of the two ends differs."""
    cited_tiou: float | None
    """Overlap of what the answers cite, 0..1; None where one has none or neither cites."""

    @property
    def parts_at(self) -> StepPair | None:
        """The first pair that is not the same; None: the runs took the same steps."""
        return next((pair for pair in self.pairs if pair.differs), None)


def diff_runs(a: Recorded, b: Recorded) -> TraceDiff:
    """The two runs compared."""
    pairs = [
        StepPair(index, one, other, tuple(_differs(one, other)))
        for index, (one, other) in enumerate(zip_longest(a.steps, b.steps))
    ]
    return TraceDiff(
        a=a,
        b=b,
        setup=tuple(_differences(_setup(a.run), _setup(b.run))),
        pairs=tuple(pairs),
        outcome=tuple(_differences(_outcome(a), _outcome(b))),
        cited_tiou=_cited_tiou(a.answer, b.answer),
    )


def _differs(a: StepRow | None, b: StepRow | None) -> Iterator[str]:
    if a is None or b is None:
        yield "only one run has it"
        return
    for name, of in _ASPECTS.items():
        if of(a) != of(b):
            yield name


_ASPECTS: Mapping[str, Any] = {
    "node": lambda s: s.node,
    "looks": lambda s: [
        (round(k.span.start_s, 3), round(k.span.end_s, 3), len(k.times_s), k.width_px, k.height_px)
        for k in s.looks
    ],
    "pixels": lambda s: [k.pixel_hashes for k in s.looks],
    "model": lambda s: {(c.model, c.model_hash) for c in s.calls},
    "prompts": lambda s: [(c.prompt_name, c.prompt_hash, c.prompt_text) for c in s.calls],
    "said": lambda s: [c.output for c in s.calls],
    "scores": lambda s: [
        {name: round(value, _PLACES) for name, value in c.probabilities.items()}
        for c in s.calls
        # What was written is compared as words; older versions did not keep how sure they were.
        if not c.is_written
    ],
    "findings": lambda s: [
        (round(f.span.start_s, 3), round(f.span.end_s, 3), round(f.confidence, _PLACES))
        for f in s.findings
    ],
    "belief": lambda s: [round(mass, _PLACES) for mass in s.belief_after],
}


def _setup(run: RunRow) -> dict[str, Any]:
    return {
        "question": run.question,
        "options": list(run.options),
        "film": run.video_hash,
        **_flat(run.models, "models"),
        **_flat(run.settings, "settings"),
        **_flat(run.own_prompts, "prompts"),
    }


def _outcome(recorded: Recorded) -> dict[str, Any]:
    run, answer = recorded.run, recorded.answer
    facts: dict[str, Any] = {"status": run.status, "stop_reason": run.stop_reason}
    if answer is not None:
        facts |= {
            "answer": answer.answer,
            "choice": answer.choice,
            "confidence": round(answer.confidence, 4),
            "citations": [[c.span.start_s, c.span.end_s] for c in answer.citations],
            **{f"usage.{k}": v for k, v in answer.usage.items() if k != "seconds"},
        }
    return facts


def _flat(values: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """Nested values under dotted names."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        name = f"{prefix}.{key}"
        found |= _flat(value, name) if isinstance(value, dict) else {name: value}
    return found


def _differences(a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[Difference]:
    for name in {**a, **b}:
        if a.get(name) != b.get(name):
            yield Difference(name, a.get(name), b.get(name))


def _cited_tiou(a: Answer | None, b: Answer | None) -> float | None:
    """Seconds that both cite, of the seconds that either cites."""
    if a is None or b is None or not (a.citations or b.citations):
        return None
    one, other = (union(c.span for c in answer.citations) for answer in (a, b))
    shared = sum(s.overlap_s(t) for s in one for t in other)
    either = sum(s.duration_s for s in [*one, *other]) - shared
    return shared / either
