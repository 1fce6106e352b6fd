"""Running out of memory: fewer frames, then an error that says so."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch

from agent.backends.memory import every_second_frame, retry_smaller
from agent.backends.transformers_local import TransformersVideoLLM
from agent.videollm import Call, Clip, Judgement, Reply, Usage
from index.errors import ModelError
from prompts.render import render
from tests.agent.backends.conftest import noise, sized

CLIP = noise(tuple(float(i) for i in range(8)), width_px=4, height_px=4)


def room_for(n_frames_at_most: int):
    """A call that fails as a full device does beyond that many frames."""

    def call(clips: Sequence[Clip]) -> Reply:
        n_frames = sum(clip.n_frames for clip in clips)
        if n_frames > n_frames_at_most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return Reply(text=f"{n_frames} frames", usage=Usage(), prompt_text="")

    return call


def test_with_room_nothing_is_left_out() -> None:
    reply = retry_smaller(room_for(8), [CLIP])
    assert (reply.text, reply.note) == ("8 frames", "")


def test_without_room_half_of_the_frames_are_seen_and_that_is_said() -> None:
    reply = retry_smaller(room_for(5), [CLIP])
    assert (reply.text, reply.note) == (
        "4 frames",
        "out of memory: seen with 4 of 8 frames",
    )


def test_three_tries_are_made_and_then_the_person_is_told() -> None:
    with pytest.raises(ModelError, match="out of memory with 8 frames, and still with 2"):
        retry_smaller(room_for(1), [CLIP])


def test_a_prompt_without_frames_cannot_be_made_smaller() -> None:
    def call(clips: Sequence[Clip]) -> Reply:
        raise MemoryError

    with pytest.raises(ModelError, match="out of memory with 0 frames"):
        retry_smaller(call, [])


def test_another_error_is_not_taken_for_a_lack_of_memory() -> None:
    def call(clips: Sequence[Clip]) -> Reply:
        raise RuntimeError("shapes do not fit")

    with pytest.raises(RuntimeError, match="shapes do not fit"):
        retry_smaller(call, [CLIP])


def test_the_cpu_allocators_own_error_is_a_lack_of_memory() -> None:
    def call(clips: Sequence[Clip]) -> Reply:
        torch.empty(10**13)
        return Reply(text="", usage=Usage(), prompt_text="")

    with pytest.raises(ModelError, match="out of memory with 8 frames"):
        retry_smaller(call, [CLIP])


def test_every_second_frame_keeps_its_own_time() -> None:
    half = every_second_frame(CLIP)
    assert half.times_s == (0.0, 2.0, 4.0, 6.0)
    assert (half.pixels == CLIP.pixels[::2]).all()


def test_clips_that_do_not_fit_together_are_judged_one_after_the_other(
    qwen3_vl: TransformersVideoLLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge_all, tried = qwen3_vl.judge_all, list[int]()

    def room_for_one(calls: Sequence[Call]) -> list[Judgement]:
        tried.append(len(calls))
        if len(calls) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return judge_all(calls)

    monkeypatch.setattr(qwen3_vl, "judge_all", room_for_one)
    clips = [sized(qwen3_vl, (1.0, 2.0)), sized(qwen3_vl, (3.0, 4.0), seed=1)]
    found = qwen3_vl.judge_each(render("reflect", n_clips=1, question="what?"), clips)
    assert [each.note for each in found] == ["", ""]
    assert tried == [2, 1, 1]
