"""The trace of a run, read again: needs no model."""

from __future__ import annotations

from typing import Any

from agent.types import Answer, answer_from_json
from index.errors import InputError
from index.run_rows import RunRow, StepRow
from index.runs import RunStore


def load_run(runs: RunStore, run_id: str) -> tuple[RunRow, list[StepRow], Answer | None]:
    """A run by its id or the beginning of it: what was asked, its steps, its answer if it ended.

    Raises:
        InputError: there is no such run, or several begin like this.
    """
    run = runs.load(run_id)
    if run is None:
        raise InputError(
            f"no run {run_id!r}, or several begin like it", "longshot trace list shows them"
        )
    answer = answer_from_json(run.answer) if run.answer else None
    return run, runs.steps(run.run_id), answer


def step_to_json(step: StepRow) -> dict[str, Any]:
    """A step as plain JSON types, without pictures."""
    return {
        "step": step.step_index,
        "node": step.node,
        "why": step.why,
        "started_at": step.started_at,
        "looks": [
            {
                "look": look.look_id,
                "start": look.span.start_s,
                "end": look.span.end_s,
                "fps": round(look.fps, 3),
                "frames": [round(t, 3) for t in look.times_s],
                "width_px": look.width_px,
                "height_px": look.height_px,
                "tokens": look.tokens,
                "why": look.why,
                "source": look.source,
                "sampling": look.sampling,
                "pixel_hashes": list(look.pixel_hashes),
                "started_at": look.started_at,
                "seconds": look.seconds,
            }
            for look in step.looks
        ],
        "calls": [
            {
                "prompt": call.prompt_name,
                "prompt_hash": call.prompt_hash,
                "prompt_text": call.prompt_text,
                "output": call.output,
                "probabilities": call.probabilities,
                "looks": list(call.look_ids),
                "usage": call.usage,
                "model": call.model,
                "model_hash": call.model_hash,
                "started_at": call.started_at,
                "note": call.note,
            }
            for call in step.calls
        ],
        "findings": [
            {
                "finding": f.finding_id,
                "look": f.look_id,
                "start": f.span.start_s,
                "end": f.span.end_s,
                "p_yes": f.p_yes,
                "confidence": f.confidence,
            }
            for f in step.findings
        ],
        "belief_before": list(step.belief_before),
        "belief_after": list(step.belief_after),
        "absent_after": step.absent_after,
        "usage": step.usage,
        "data": step.data,
    }
