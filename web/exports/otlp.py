"""A run as OpenTelemetry spans of the GenAI conventions, in OTLP's JSON.

    invoke_agent longshot
      plan, survey, …                 one for each step
        retrieval ENCODER             the survey's search over the vectors
        execute_tool look             one for each look
        chat MODEL                    one for each call of the model

Frames are `uri` parts, never base64. Ids come from the run's own, so that two exports of a run are
the same trace; a forked run links to its parent's.

Source: OpenTelemetry semantic conventions for generative AI (experimental); OTLP 1.x JSON, where
ids are hexadecimal and 64-bit integers are strings.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from importlib.metadata import version
from typing import Any

from agent.lineage import is_from_parent
from index.run_rows import CallRow, LookRow, StepRow
from web.exports.traced import FrameUri, Traced

_INTERNAL, _CLIENT = 1, 3
_OK = 1
_PROVIDER = "longshot"


def to_otlp(traced: Traced, uri_of: FrameUri) -> dict[str, Any]:
    """One `resourceSpans` message with the whole run."""
    about = _attributes({"service.name": "longshot", "service.version": version("longshot")})
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": about},
                "scopeSpans": [
                    {
                        "scope": {"name": "longshot", "version": version("longshot")},
                        "spans": _Spans(traced, uri_of).all(),
                    }
                ],
            }
        ]
    }


def trace_id(run_id: str) -> str:
    """32 hex digits."""
    return hashlib.sha256(f"longshot run {run_id}".encode()).hexdigest()[:32]


def span_id(run_id: str, place: str) -> str:
    """16 hex digits of a place in a run; "" is the run itself."""
    return hashlib.sha256(f"longshot span {run_id} {place}".encode()).hexdigest()[:16]


class _Spans:
    """The spans of one run."""

    def __init__(self, traced: Traced, uri_of: FrameUri) -> None:
        self._traced = traced
        self._run = traced.run
        self._uri_of = uri_of

    def all(self) -> list[dict[str, Any]]:
        starts = self._traced.starts()
        spans = [
            span
            for step, start in zip(self._traced.steps, starts, strict=True)
            for span in self._of_step(step, start)
        ]
        return [self._root(starts), *spans]

    def _root(self, starts: Sequence[datetime]) -> dict[str, Any]:
        run, answer, steps = self._run, self._traced.answer, self._traced.steps
        began = datetime.fromisoformat(run.started_at)
        ends = [at + _length(step) for step, at in zip(steps, starts, strict=True)]
        options = "".join(f"\n({chr(97 + i)}) {text}" for i, text in enumerate(run.options))
        usage = {key: sum(s.usage.get(key, 0) for s in steps) for key in _TOKENS}
        found = self._span(
            "",
            "invoke_agent longshot",
            start=min([began, *starts]),
            end=max([began, *ends]),
            attributes={
                "gen_ai.operation.name": "invoke_agent",
                "gen_ai.agent.name": "longshot",
                "gen_ai.agent.version": version("longshot"),
                "gen_ai.provider.name": _PROVIDER,
                "gen_ai.request.model": run.models["videollm"],
                "gen_ai.conversation.id": run.run_id,
                "gen_ai.data_source.id": run.video_hash,
                "gen_ai.input.messages": _message("user", [_text(run.question + options)]),
                **_usage(usage),
                **({"gen_ai.output.messages": _said(answer.answer)} if answer else {}),
                "longshot.film": run.video_path,
                "longshot.status": run.status,
                "longshot.stop_reason": run.stop_reason,
                "longshot.citations": json.dumps(answer.to_json()["citations"] if answer else []),
            },
        )
        del found["parentSpanId"]
        if run.parent_id:
            link = {"traceId": trace_id(run.parent_id), "spanId": span_id(run.parent_id, "")}
            found["links"] = [
                {**link, "attributes": _attributes({"longshot.fork.step": run.fork_step})}
            ]
        return found

    def _of_step(self, step: StepRow, start: datetime) -> Iterator[dict[str, Any]]:
        place = f"{step.step_index}"
        yield self._span(
            place,
            step.node,
            start=start,
            end=start + _length(step),
            attributes={
                "longshot.step": step.step_index,
                "longshot.why": step.why,
                "longshot.from_parent": is_from_parent(self._run, step),
                "longshot.absent": step.absent_after,
                "longshot.findings": json.dumps(
                    [[f.span.start_s, f.span.end_s, f.confidence] for f in step.findings]
                ),
            },
        )
        if "shortlist_s" in step.data:
            yield self._retrieval(step, start)
        for look in step.looks:
            yield self._look(look, place, start)
        for number, call in enumerate(step.calls):
            yield self._chat(call, place, number, start)

    def _retrieval(self, step: StepRow, start: datetime) -> dict[str, Any]:
        encoder = self._run.models["encoder"]
        plan = next((s for s in self._traced.steps if "cues" in s.data), None)
        queries = [cue["text"] for cue in plan.data["cues"]] if plan else []
        # Searching the vectors is not timed by itself: it is what is left beside the calls.
        rest_s = _length(step) - timedelta(seconds=sum(c.usage["seconds"] for c in step.calls))
        return self._span(
            f"{step.step_index}/retrieval",
            f"retrieval {encoder}",
            inside=f"{step.step_index}",
            start=start,
            end=start + max(timedelta(), rest_s),
            attributes={
                "gen_ai.operation.name": "retrieval",
                "gen_ai.provider.name": _PROVIDER,
                "gen_ai.request.model": encoder,
                "gen_ai.data_source.id": self._run.video_hash,
                "gen_ai.retrieval.query.text": "\n".join(queries),
                "gen_ai.retrieval.documents": json.dumps(
                    [{"id": f"t={time_s}"} for time_s in step.data["shortlist_s"]]
                ),
            },
        )

    def _look(self, look: LookRow, place: str, otherwise: datetime) -> dict[str, Any]:
        start = _at(look.started_at, otherwise)
        arguments = {
            "start": look.span.start_s,
            "end": look.span.end_s,
            "n_frames": len(look.times_s),
            "width_px": look.width_px,
            "height_px": look.height_px,
        }
        return self._span(
            f"{place}/look/{look.look_id}",
            "execute_tool look",
            inside=place,
            start=start,
            end=start + timedelta(seconds=look.seconds),
            attributes={
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.name": "look",
                "gen_ai.tool.type": "function",
                "gen_ai.tool.call.id": look.look_id,
                "gen_ai.tool.call.arguments": json.dumps(arguments),
                "gen_ai.tool.call.result": json.dumps(self._frames(look)),
                "longshot.why": look.why,
                "longshot.sampling": look.sampling,
                "longshot.pixel_hashes": list(look.pixel_hashes),
                "longshot.visual_tokens": look.tokens,
            },
        )

    def _chat(self, call: CallRow, place: str, number: int, otherwise: datetime) -> dict[str, Any]:
        start = _at(call.started_at, otherwise)
        model = call.model or self._run.models["videollm"]
        frames = [part for look in self._traced.looks_of(call) for part in self._frames(look)]
        prompt = _message("user", [*frames, _text(call.prompt_text)])
        return self._span(
            f"{place}/call/{number}",
            f"chat {model}",
            inside=place,
            kind=_CLIENT,
            start=start,
            end=start + timedelta(seconds=call.usage.get("seconds", 0.0)),
            attributes={
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": _PROVIDER,
                "gen_ai.request.model": model,
                "gen_ai.response.model": model,
                "gen_ai.input.messages": prompt,
                **({"gen_ai.output.messages": _said(call.output)} if call.output else {}),
                **_usage(call.usage),
                "longshot.prompt": call.prompt_name,
                "longshot.prompt_hash": call.prompt_hash,
                "longshot.model_hash": call.model_hash,
                "longshot.probabilities": json.dumps(call.probabilities),
            },
        )

    def _frames(self, look: LookRow) -> list[dict[str, Any]]:
        uris = [self._uri_of(look, k) for k in range(len(look.times_s))]
        return [_frame(uri) for uri in uris if uri is not None]

    def _span(
        self,
        place: str,
        name: str,
        *,
        start: datetime,
        end: datetime,
        attributes: Mapping[str, Any],
        inside: str = "",
        kind: int = _INTERNAL,
    ) -> dict[str, Any]:
        return {
            "traceId": trace_id(self._run.run_id),
            "spanId": span_id(self._run.run_id, place),
            "parentSpanId": span_id(self._run.run_id, inside),
            "name": name,
            "kind": kind,
            "startTimeUnixNano": _nanoseconds(start),
            "endTimeUnixNano": _nanoseconds(end),
            "attributes": _attributes(attributes),
            "status": {"code": _OK},
        }


_TOKENS = ("input_tokens", "output_tokens")


def _usage(usage: Mapping[str, float]) -> dict[str, int]:
    return {f"gen_ai.usage.{key}": int(usage.get(key, 0)) for key in _TOKENS}


def _text(content: str) -> dict[str, Any]:
    return {"type": "text", "content": content}


def _frame(uri: str) -> dict[str, Any]:
    """A picture's own file, or a moment of the film's."""
    if uri.endswith(".jpg"):
        return {"type": "uri", "modality": "image", "mime_type": "image/jpeg", "uri": uri}
    return {"type": "uri", "modality": "video", "uri": uri}


def _message(role: str, parts: Sequence[Mapping[str, Any]]) -> str:
    return json.dumps([{"role": role, "parts": list(parts)}], ensure_ascii=False)


def _said(text: str) -> str:
    message = {"role": "assistant", "parts": [_text(text)], "finish_reason": "stop"}
    return json.dumps([message], ensure_ascii=False)


def _attributes(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """OTLP's key-value list; what is None is left out."""
    return [{"key": k, "value": _value(v)} for k, v in values.items() if v is not None]


def _value(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, list):
        return {"arrayValue": {"values": [_value(each) for each in value]}}
    return {"stringValue": value}


def _length(step: StepRow) -> timedelta:
    return timedelta(seconds=step.usage.get("seconds", 0.0))


def _at(text: str, otherwise: datetime) -> datetime:
    return datetime.fromisoformat(text) if text else otherwise


def _nanoseconds(at: datetime) -> str:
    return str(round(at.timestamp() * 1_000_000) * 1000)
