"""A run as a log of Inspect (inspect_ai), in its JSON form, version 2: one sample.

Each step is a span of the transcript; in it every look is a tool event with its frames, every call
a model event, and what the step left behind an info event. Pictures are data URIs, because the
viewer can show nothing else.

Source: inspect_ai 0.3, `EvalLog`. The library itself is not needed here; a test reads the log
with it.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import datetime, timedelta
from importlib.metadata import version
from typing import Any

from index.run_rows import CallRow, LookRow, StepRow
from web.exports.traced import Traced
from web.payload import parent_to_json


def to_inspect(traced: Traced) -> dict[str, Any]:
    """The log."""
    run, answer = traced.run, traced.answer
    model = run.models["videollm"]
    ends = datetime.fromisoformat(run.started_at) + timedelta(
        seconds=sum(step.usage.get("seconds", 0.0) for step in traced.steps)
    )
    return {
        "version": 2,
        "status": "success" if answer else "started",
        "eval": {
            "eval_id": run.run_id,
            "run_id": run.run_id,
            "created": run.started_at,
            "task": "longshot",
            "task_id": run.run_id,
            "task_version": version("longshot"),
            "dataset": {"name": run.video_path, "samples": 1, "sample_ids": [run.run_id]},
            "model": model,
            "config": {},
            "packages": {"longshot": version("longshot")},
            "metadata": {
                "models": run.models,
                "settings": run.settings,
                "film_hash": run.video_hash,
                "parent": parent_to_json(run),
            },
        },
        "plan": {"name": "plan", "steps": [{"solver": "longshot", "params": {}}], "config": {}},
        "results": {"total_samples": 1, "completed_samples": int(answer is not None), "scores": []},
        "stats": {
            "started_at": run.started_at,
            "completed_at": ends.isoformat() if answer else "",
            "model_usage": {model: _usage_of(traced)},
        },
        "samples": [_sample(traced)],
    }


def file_name(traced: Traced) -> str:
    """A name that `inspect view` takes for a log in a folder of logs."""
    at = datetime.fromisoformat(traced.run.started_at).strftime("%Y-%m-%dT%H-%M-%S+00-00")
    return f"{at}_longshot_{traced.run.run_id}.json"


def _sample(traced: Traced) -> dict[str, Any]:
    run, answer = traced.run, traced.answer
    reply = (answer.answer or answer.stop_reason) if answer else run.stop_reason
    asked = {"id": f"{run.run_id}.q", "role": "user", "content": run.question}
    said = {
        "id": f"{run.run_id}.a",
        "role": "assistant",
        "content": reply,
        "source": "generate",
        "model": run.models["videollm"],
    }
    return {
        "id": run.run_id,
        "epoch": 1,
        "input": run.question,
        "choices": list(run.options) or None,
        "target": "",
        "messages": [asked, said],
        "output": _output(run.models["videollm"], reply, {}),
        "scores": {},
        "metadata": {
            "film": run.video_path,
            "status": run.status,
            "stop_reason": run.stop_reason,
            "answer": answer.to_json() if answer else None,
        },
        "store": {},
        "events": list(_events(traced)),
        "model_usage": {run.models["videollm"]: _usage_of(traced)},
        "uuid": run.run_id,
    }


def _events(traced: Traced) -> Iterator[dict[str, Any]]:
    began_s = 0.0
    for step, start in zip(traced.steps, traced.starts(), strict=True):
        place = f"{traced.run.run_id}.{step.step_index}"
        base = {"span_id": place, "timestamp": start.isoformat(), "working_start": began_s}
        yield {
            **base,
            "uuid": f"{place}.begin",
            "event": "span_begin",
            "id": place,
            "type": "agent",
            "name": f"{step.step_index} {step.node}",
        }
        for look in step.looks:
            yield {**base, **_look_event(traced, look), "uuid": f"{place}.look.{look.look_id}"}
        for number, call in enumerate(step.calls):
            yield {**base, **_call_event(traced, call), "uuid": f"{place}.call.{number}"}
        yield {
            **base,
            "uuid": f"{place}.info",
            "event": "info",
            "source": "longshot",
            "data": _left_behind(step),
        }
        began_s += step.usage.get("seconds", 0.0)
        end = start + timedelta(seconds=step.usage.get("seconds", 0.0))
        yield {
            **base,
            "uuid": f"{place}.end",
            "timestamp": end.isoformat(),
            "working_start": began_s,
            "event": "span_end",
            "id": place,
        }


def _left_behind(step: StepRow) -> dict[str, Any]:
    return {
        "why": step.why,
        "findings": [
            {
                "start": f.span.start_s,
                "end": f.span.end_s,
                "p_yes": f.p_yes,
                "confidence": f.confidence,
            }
            for f in step.findings
        ],
        "absent_after": step.absent_after,
        "usage": step.usage,
        "data": step.data,
    }


def _look_event(traced: Traced, look: LookRow) -> dict[str, Any]:
    times = ", ".join(f"{time_s:.3f}" for time_s in look.times_s)
    found = {
        "event": "tool",
        "type": "function",
        "id": look.look_id,
        "function": "look",
        "arguments": {
            "start": look.span.start_s,
            "end": look.span.end_s,
            "n_frames": len(look.times_s),
            "size": f"{look.width_px}x{look.height_px}",
        },
        "result": [{"type": "text", "text": f"frames at {times} s"}, *_images(traced, look)],
        "working_time": look.seconds,
        "metadata": {
            "why": look.why,
            "source": look.source,
            "sampling": look.sampling,
            "pixel_hashes": list(look.pixel_hashes),
        },
    }
    if look.started_at:
        found["timestamp"] = look.started_at
    return found


def _call_event(traced: Traced, call: CallRow) -> dict[str, Any]:
    model = call.model or traced.run.models["videollm"]
    images = [image for look in traced.looks_of(call) for image in _images(traced, look)]
    scores = ", ".join(f"{name} {value:.4f}" for name, value in call.probabilities.items())
    found = {
        "event": "model",
        "model": model,
        "input": [
            {"role": "user", "content": [*images, {"type": "text", "text": call.prompt_text}]}
        ],
        "tools": [],
        "tool_choice": "none",
        "config": {},
        "output": _output(model, call.output if call.is_written else scores, call.usage),
        "working_time": call.usage.get("seconds", 0.0),
        "metadata": {
            "prompt": call.prompt_name,
            "prompt_hash": call.prompt_hash,
            "model_hash": call.model_hash,
            "looks": list(call.look_ids),
            "probabilities": call.probabilities,
        },
    }
    if call.started_at:
        found["timestamp"] = call.started_at
    return found


def _images(traced: Traced, look: LookRow) -> list[dict[str, Any]]:
    kept = (traced.pictures.get((look.look_id, k)) for k in range(len(look.times_s)))
    return [{"type": "image", "image": data_uri(jpeg)} for jpeg in kept if jpeg is not None]


def data_uri(jpeg: bytes) -> str:
    """A picture as text."""
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"


def _output(model: str, text: str, usage: dict[str, float]) -> dict[str, Any]:
    message = {"role": "assistant", "content": text, "source": "generate", "model": model}
    return {
        "model": model,
        "choices": [{"message": message, "stop_reason": "stop"}],
        "usage": _tokens(usage),
        "time": usage.get("seconds"),
    }


def _usage_of(traced: Traced) -> dict[str, int]:
    names = ("input_tokens", "output_tokens")
    return _tokens({n: sum(s.usage.get(n, 0) for s in traced.steps) for n in names})


def _tokens(usage: dict[str, float]) -> dict[str, int]:
    read, written = int(usage.get("input_tokens", 0)), int(usage.get("output_tokens", 0))
    return {"input_tokens": read, "output_tokens": written, "total_tokens": read + written}
