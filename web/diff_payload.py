"""Two runs side by side, as JSON: stable names, half-open float seconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from agent.trace import step_to_json
from agent.trace_diff import Difference, TraceDiff
from index.run_rows import StepRow
from web.payload import runs_to_json


def diff_to_json(diff: TraceDiff) -> dict[str, Any]:
    """What differs before, at which step the runs part, every pair of steps, and the two ends."""
    a, b = runs_to_json([diff.a.run, diff.b.run])
    parts = diff.parts_at
    return {
        "a": a,
        "b": b,
        "setup": _differences(diff.setup),
        "parts_at": parts.step_index if parts else None,
        "parts_by": list(parts.differs) if parts else [],
        "steps": [
            {
                "step": pair.step_index,
                "differs": list(pair.differs),
                "a": _step(pair.a),
                "b": _step(pair.b),
            }
            for pair in diff.pairs
        ],
        "outcome": _differences(diff.outcome),
        "cited_tiou": None if diff.cited_tiou is None else round(diff.cited_tiou, 4),
    }


def _step(step: StepRow | None) -> dict[str, Any] | None:
    return step_to_json(step) if step else None


def _differences(rows: Sequence[Difference]) -> list[dict[str, Any]]:
    return [asdict(row) for row in rows]
