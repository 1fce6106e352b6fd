"""OTLP JSON, read by OpenTelemetry's own messages."""

from __future__ import annotations

import base64
import copy
import json
from pathlib import Path
from typing import Any

from google.protobuf import json_format
from opentelemetry.proto.trace.v1.trace_pb2 import Span, TracesData

from web.exports.files import write_export
from web.exports.otlp import span_id, to_otlp, trace_id
from web.exports.traced import Traced, film_uri

ID_FIELDS = ("traceId", "spanId", "parentSpanId")


def read(data: dict[str, Any]) -> list[Span]:
    """The spans; an unknown name or a value of another type is an error.

    OTLP's JSON writes ids as hexadecimal, the general mapping of protobuf as base64: so they are
    turned over here.
    """
    data = copy.deepcopy(data)
    (scope,) = data["resourceSpans"][0]["scopeSpans"]
    for item in scope["spans"]:
        for part in (item, *item.get("links", ())):
            for name in ID_FIELDS:
                if name in part:
                    part[name] = base64.b64encode(bytes.fromhex(part[name])).decode()
    message = json_format.ParseDict(data, TracesData())
    return list(message.resource_spans[0].scope_spans[0].spans)


def attributes(span: Span) -> dict[str, Any]:
    return {a.key: getattr(a.value, str(a.value.WhichOneof("value"))) for a in span.attributes}


def test_the_spans_are_one_tree_of_the_genai_conventions(traced: Traced) -> None:
    spans = read(to_otlp(traced, film_uri(traced.run)))
    (root,) = [s for s in spans if not s.parent_span_id]
    assert root.name == "invoke_agent longshot"
    ids = {s.span_id for s in spans}
    assert len(ids) == len(spans)
    assert all(len(s.trace_id) == 16 and len(s.span_id) == 8 for s in spans)
    assert all(s.parent_span_id in ids for s in spans if s is not root)
    names = {s.name for s in spans}
    encoder, model = traced.run.models["encoder"], traced.run.models["videollm"]
    assert {f"retrieval {encoder}", f"chat {model}", "execute_tool look", "plan"} <= names
    n_calls = sum(len(step.calls) for step in traced.steps)
    assert sum(s.name.startswith("chat ") for s in spans) == n_calls


def test_every_span_says_its_operation_and_lies_inside_the_run(traced: Traced) -> None:
    spans = read(to_otlp(traced, film_uri(traced.run)))
    root = spans[0]
    for span in spans:
        assert root.start_time_unix_nano <= span.start_time_unix_nano
        assert span.start_time_unix_nano <= span.end_time_unix_nano
        operation = span.name.split(" ")[0]
        if " " in span.name:
            assert attributes(span)["gen_ai.operation.name"] == operation
    chat = next(s for s in spans if s.name.startswith("chat "))
    assert attributes(chat)["gen_ai.usage.input_tokens"] > 0


def test_frames_are_uri_parts_and_never_base64(traced: Traced, tmp_path: Path) -> None:
    bare = json.dumps(to_otlp(traced, film_uri(traced.run)))
    assert "#t=" in bare
    file = tmp_path / "spans.json"
    write_export("otel", traced, file)
    text = file.read_text(encoding="utf-8")
    assert "base64" not in text + bare
    spans = read(json.loads(text))
    look = next(s for s in spans if s.name == "execute_tool look")
    parts = json.loads(attributes(look)["gen_ai.tool.call.result"])
    assert {(p["type"], p["modality"], p["mime_type"]) for p in parts} == {
        ("uri", "image", "image/jpeg")
    }
    assert all((tmp_path / p["uri"]).read_bytes().startswith(b"\xff\xd8") for p in parts)
    seen = [s for s in spans if s.name.startswith("chat ")]
    messages = [json.loads(attributes(s)["gen_ai.input.messages"]) for s in seen]
    assert any(part["type"] == "uri" for m in messages for part in m[0]["parts"])


def test_a_fork_links_to_its_parents_trace(traced: Traced, forked: Traced) -> None:
    root = read(to_otlp(forked, film_uri(forked.run)))[0]
    (link,) = root.links
    assert link.trace_id.hex() == trace_id(traced.run.run_id)
    assert link.span_id.hex() == span_id(traced.run.run_id, "")
    assert to_otlp(traced, film_uri(traced.run)) == to_otlp(traced, film_uri(traced.run))
