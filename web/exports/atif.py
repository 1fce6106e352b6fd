"""A run in the Agent Trajectory Interchange Format, ATIF 1.7.

One agent step for each step of the run: its looks are tool calls whose observations hold the
frames, its model calls are counted in `metrics` and kept whole in `extra`. What a forked run took
over from its parent is marked as copied context. A last step says the answer.

Source: harbor RFC 0001 (trajectory format), version 1.7.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from importlib.metadata import version
from typing import Any

from agent.lineage import is_from_parent
from index.run_rows import LookRow, StepRow
from web.exports.traced import FrameUri, Traced
from web.payload import parent_to_json

_LOOK_TOOL: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "look",
        "description": "Decode a span of the film at a density and a size",
        "parameters": {
            "type": "object",
            "properties": {
                name: {"type": kind}
                for name, kind in (
                    ("start", "number"),
                    ("end", "number"),
                    ("n_frames", "integer"),
                    ("width_px", "integer"),
                    ("height_px", "integer"),
                )
            },
        },
    },
}


def to_atif(traced: Traced, uri_of: FrameUri | None) -> dict[str, Any]:
    """The trajectory.

    Args:
        uri_of: where frames are; None: they are told by their times alone.
    """
    run = traced.run
    steps = [_question(traced)]
    steps += [
        _step(traced, step, start, uri_of)
        for step, start in zip(traced.steps, traced.starts(), strict=True)
    ]
    if traced.answer is not None:
        steps.append(_answer(traced))
    for number, step in enumerate(steps, 1):
        step["step_id"] = number
    return {
        "schema_version": "ATIF-v1.7",
        "session_id": run.run_id,
        "trajectory_id": run.run_id,
        "agent": {
            "name": "longshot",
            "version": version("longshot"),
            "model_name": run.models["videollm"],
            "tool_definitions": [_LOOK_TOOL],
            "extra": {"models": run.models, "settings": run.settings},
        },
        "steps": steps,
        "final_metrics": _final(traced, len(steps)),
        "extra": {
            "film": run.video_path,
            "film_hash": run.video_hash,
            "status": run.status,
            "stop_reason": run.stop_reason,
            "parent": parent_to_json(run),
        },
    }


def _question(traced: Traced) -> dict[str, Any]:
    run = traced.run
    options = "".join(f"\n({chr(97 + i)}) {text}" for i, text in enumerate(run.options))
    return {"timestamp": run.started_at, "source": "user", "message": run.question + options}


def _step(
    traced: Traced, step: StepRow, start: datetime, uri_of: FrameUri | None
) -> dict[str, Any]:
    found: dict[str, Any] = {
        "timestamp": start.isoformat(),
        "source": "agent",
        "message": f"{step.node}: {step.why}",
        "llm_call_count": len(step.calls),
        "extra": {
            "node": step.node,
            "calls": [asdict(call) for call in step.calls],
            "findings": [asdict(found) for found in step.findings],
            "absent_after": step.absent_after,
            "usage": step.usage,
            "data": step.data,
        },
    }
    if step.calls:
        found["model_name"] = step.calls[0].model or traced.run.models["videollm"]
        found["metrics"] = _metrics(step)
    if step.looks:
        found["tool_calls"] = [_tool_call(look) for look in step.looks]
        found["observation"] = {"results": [_observation(look, uri_of) for look in step.looks]}
    if is_from_parent(traced.run, step):
        found["is_copied_context"] = True
    return found


def _tool_call(look: LookRow) -> dict[str, Any]:
    return {
        "tool_call_id": look.look_id,
        "function_name": "look",
        "arguments": {
            "start": look.span.start_s,
            "end": look.span.end_s,
            "n_frames": len(look.times_s),
            "width_px": look.width_px,
            "height_px": look.height_px,
        },
        "extra": {"why": look.why, "source": look.source, "tokens": look.tokens},
    }


def _observation(look: LookRow, uri_of: FrameUri | None) -> dict[str, Any]:
    times = ", ".join(f"{time_s:.3f}" for time_s in look.times_s)
    content: list[dict[str, Any]] = [{"type": "text", "text": f"frames at {times} s"}]
    for k in range(len(look.times_s)):
        path = uri_of(look, k) if uri_of else None
        if path:
            source = {"media_type": "image/jpeg", "path": path}
            content.append({"type": "image", "source": source})
    return {
        "source_call_id": look.look_id,
        "content": content,
        "extra": {"sampling": look.sampling, "pixel_hashes": list(look.pixel_hashes)},
    }


def _metrics(step: StepRow) -> dict[str, Any]:
    return {
        "prompt_tokens": int(step.usage.get("input_tokens", 0)),
        "completion_tokens": int(step.usage.get("output_tokens", 0)),
        "extra": {"visual_tokens": step.usage.get("visual_tokens", 0)},
    }


def _answer(traced: Traced) -> dict[str, Any]:
    assert traced.answer is not None
    return {
        "source": "agent",
        "message": traced.answer.answer or traced.answer.stop_reason,
        "llm_call_count": 0,
        "extra": {"answer": traced.answer.to_json()},
    }


def _final(traced: Traced, n_steps: int) -> dict[str, Any]:
    usages = [step.usage for step in traced.steps]
    return {
        "total_prompt_tokens": int(sum(u.get("input_tokens", 0) for u in usages)),
        "total_completion_tokens": int(sum(u.get("output_tokens", 0) for u in usages)),
        "total_steps": n_steps,
        "extra": {
            "visual_tokens": sum(u.get("visual_tokens", 0) for u in usages),
            "seconds": round(sum(u.get("seconds", 0.0) for u in usages), 4),
        },
    }
