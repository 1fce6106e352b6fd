"""What an answer rests on, down to the pixels: answer → citations → findings → looks → frames.

What was said rests on lines of the film's words instead of looks.
Read from a run's rows alone, so neither the film nor a model is needed. A link that the rows do
not hold is named as a gap, never filled in.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from agent.types import Answer, Citation
from index.run_rows import FindingRow, LookRow, RunRow, StepRow
from index.types import Span

_HASH_OF = 'SHA-256 of "WIDTHxHEIGHT\\n" and the frame\'s RGB bytes by rows'


def lineage_of(run: RunRow, steps: Sequence[StepRow], answer: Answer | None) -> dict[str, Any]:
    """The chain under an answer as plain JSON types; `gaps` names what is missing in it."""
    citations = answer.citations if answer else ()
    traced = [_citation(run, steps, each) for each in citations]
    return {
        "answer": answer.answer if answer else None,
        "film_hash": run.video_hash,
        "pixel_hash": _HASH_OF,
        "citations": traced,
        "gaps": [gap for each in traced for gap in _gaps(each)],
    }


def _citation(run: RunRow, steps: Sequence[StepRow], citation: Citation) -> dict[str, Any]:
    """A citation with every look that its span lies in; the look it names comes first."""
    touching = [
        (step, look)
        for step in steps
        for look in step.looks
        if look.span.overlap_s(citation.span) > 0
    ]
    touching.sort(key=lambda pair: pair[1].look_id != citation.look_id)
    ids = {look.look_id for _, look in touching}
    return {
        "start": citation.span.start_s,
        "end": citation.span.end_s,
        "what": citation.what,
        "verified": citation.verified,
        "lane": citation.lane,
        "lines": _lines(steps, citation) if citation.lane == "words" else [],
        "look": citation.look_id,
        "findings": [
            _finding(step, found)
            for step in steps
            for found in step.findings
            if found.look_id in ids
        ],
        "looks": [_look(run, steps, step, look) for step, look in touching],
    }


def _lines(steps: Sequence[StepRow], citation: Citation) -> list[dict[str, Any]]:
    """The lines that a citation of words rests on, with the step that found each."""
    return [
        {"step": step.step_index, **passage}
        for step in steps
        for passage in step.data.get("passages", ())
        if citation.span.overlap_s(Span(passage["start"], passage["end"])) > 0
    ]


def _finding(step: StepRow, found: FindingRow) -> dict[str, Any]:
    return {
        "finding": found.finding_id,
        "step": step.step_index,
        "look": found.look_id,
        "start": found.span.start_s,
        "end": found.span.end_s,
        "p_yes": found.p_yes,
        "confidence": found.confidence,
    }


def _look(run: RunRow, steps: Sequence[StepRow], step: StepRow, look: LookRow) -> dict[str, Any]:
    hashes: Sequence[str | None] = look.pixel_hashes or [None] * len(look.times_s)
    return {
        "look": look.look_id,
        "step": step.step_index,
        "from_parent": is_from_parent(run, step),
        "why": look.why,
        "source": look.source,
        "start": look.span.start_s,
        "end": look.span.end_s,
        "width_px": look.width_px,
        "height_px": look.height_px,
        "sampling": look.sampling.replace(" N ", f" {len(look.times_s)} "),
        "frames": [
            {"time": time_s, "pixels": pixels}
            for time_s, pixels in zip(look.times_s, hashes, strict=True)
        ],
        "shown_to": [
            {
                "step": each.step_index,
                "call": position,
                "prompt": call.prompt_name,
                "prompt_hash": call.prompt_hash,
                "model": call.model,
                "model_hash": call.model_hash,
                "output": call.output,
                "probabilities": call.probabilities,
            }
            for each in steps
            for position, call in enumerate(each.calls)
            if look.look_id in call.look_ids
        ],
    }


def is_from_parent(run: RunRow, step: StepRow) -> bool:
    """Whether a forked run took the step over instead of taking it itself."""
    return run.fork_step is not None and step.step_index < run.fork_step


def _gaps(citation: dict[str, Any]) -> list[str]:
    at = f"citation {citation['start']:.3f}-{citation['end']:.3f}"
    gaps = []
    if citation["lane"] == "words":
        if not citation["lines"]:
            gaps.append(f"{at}: the line is not in the trace")
    elif citation["look"] not in {look["look"] for look in citation["looks"]}:
        gaps.append(f"{at}: the look {citation['look']} is not in the trace")
    for look in citation["looks"]:
        if not look["shown_to"]:
            gaps.append(f"{at}: no model was shown the look {look['look']}")
        if any(frame["pixels"] is None for frame in look["frames"]):
            gaps.append(f"{at}: the pixels of the look {look['look']} were not hashed")
    return gaps
