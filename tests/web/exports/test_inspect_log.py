"""A log of Inspect, read by its own library."""

from __future__ import annotations

from pathlib import Path

from inspect_ai.log import list_eval_logs, read_eval_log

from web.exports.files import write_export
from web.exports.inspect_log import file_name
from web.exports.traced import Traced


def test_inspect_finds_and_reads_the_log(traced: Traced, tmp_path: Path) -> None:
    file = tmp_path / file_name(traced)
    write_export("inspect", traced, file)
    (listed,) = list_eval_logs(str(tmp_path))
    log = read_eval_log(listed)
    assert log.status == "success"
    assert log.eval.model == traced.run.models["videollm"]
    assert log.samples is not None
    (sample,) = log.samples
    assert sample.input == traced.run.question
    assert traced.answer is not None
    assert sample.metadata["answer"] == traced.answer.to_json()
    events = [event.event for event in sample.events]
    assert events.count("span_begin") == events.count("span_end") == len(traced.steps)
    assert events.count("model") == sum(len(step.calls) for step in traced.steps)
    looks = [event for event in sample.events if event.event == "tool"]
    assert len(looks) == sum(len(step.looks) for step in traced.steps)
    frames = [part for part in looks[0].result if getattr(part, "type", "") == "image"]
    assert len(frames) == len(next(s for s in traced.steps if s.looks).looks[0].times_s)


def test_what_was_said_and_scored_is_in_the_log(traced: Traced, tmp_path: Path) -> None:
    file = tmp_path / "log.json"
    write_export("inspect", traced, file)
    log = read_eval_log(str(file))
    assert log.samples is not None
    models = [event for event in log.samples[0].events if event.event == "model"]
    for event, call in zip(models, (c for s in traced.steps for c in s.calls), strict=True):
        assert event.metadata is not None
        assert event.metadata["probabilities"] == call.probabilities
        assert event.output.completion.startswith(call.output[:20])
        assert event.output.usage is not None
        assert event.output.usage.input_tokens == call.usage["input_tokens"]
