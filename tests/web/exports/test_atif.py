"""ATIF 1.7, read by the models of its own library."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from web.exports.atif import to_atif
from web.exports.files import frames_folder, write_export
from web.exports.traced import Traced

atif = pytest.importorskip("atif", reason="the format's own models: pip install 'atif==1.7.*'")


def read(data: Any) -> Any:
    """The trajectory as the library reads it: unknown names and broken links are errors."""
    return atif.Trajectory.model_validate(data)


def test_a_run_is_a_trajectory(traced: Traced) -> None:
    found = read(to_atif(traced, None))
    assert found.schema_version == "ATIF-v1.7"
    assert found.steps[0].source == "user"
    question, *options = found.steps[0].message.split("\n")
    assert question == traced.run.question
    assert [text.split(") ")[1] for text in options] == list(traced.run.options)
    # The question, every step, and the answer.
    assert len(found.steps) == len(traced.steps) + 2
    assert traced.answer is not None
    assert found.steps[-1].extra["answer"] == traced.answer.to_json()
    assert not found.has_multimodal_content() or all(
        part.type == "text"
        for s in found.steps
        if s.observation
        for r in s.observation.results
        for part in r.content
    )


def test_calls_and_tokens_add_up(traced: Traced) -> None:
    found = read(to_atif(traced, None))
    calls = [step.llm_call_count for step in found.steps[1:-1]]
    assert calls == [len(step.calls) for step in traced.steps]
    read_tokens = sum(s.metrics.prompt_tokens for s in found.steps if s.metrics)
    assert read_tokens == found.final_metrics.total_prompt_tokens > 0


def test_frames_are_files_beside_the_trajectory(traced: Traced, tmp_path: Path) -> None:
    file = tmp_path / "a run.json"
    write_export("atif", traced, file)
    found = read(json.loads(file.read_text(encoding="utf-8")))
    images = [
        part.source.path
        for step in found.steps
        if step.observation
        for result in step.observation.results
        for part in result.content
        if part.type == "image"
    ]
    assert len(images) == len(traced.pictures) > 0
    assert sorted(path.name for path in frames_folder(file).iterdir()) == sorted(
        image.split("/")[1] for image in images
    )
    assert images[0].startswith("a%20run.frames/")


def test_what_a_fork_took_over_is_copied_context(forked: Traced) -> None:
    found = read(to_atif(forked, None))
    copied = [bool(step.is_copied_context) for step in found.steps[1:-1]]
    fork_step = forked.run.fork_step
    assert copied == [step.step_index < (fork_step or 0) for step in forked.steps]
    assert found.extra["parent"]["run"] == forked.run.parent_id
