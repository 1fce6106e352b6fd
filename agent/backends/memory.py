"""Running out of memory: try again with fewer frames, then say so."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import torch

from agent.videollm import Choice, Clip, Judgement, Reply
from index.errors import ModelError

Result = TypeVar("Result", Reply, Judgement, Choice)
_log = logging.getLogger(__name__)
N_TRIES = 3
_CPU_TEXTS = ("can't allocate memory", "not enough memory")


def every_second_frame(clip: Clip) -> Clip:
    """The clip with half of its frames, the first among them; one frame stays one."""
    return replace(clip, times_s=clip.times_s[::2], pixels=clip.pixels[::2])


def is_out_of_memory(error: Exception) -> bool:
    """Does the error mean that the device or the machine has no memory left?"""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    # The CPU allocator raises a plain RuntimeError, told apart by its text alone.
    return isinstance(error, RuntimeError) and any(text in str(error) for text in _CPU_TEXTS)


def together_or_none(calls: Callable[[], list[Result]]) -> list[Result] | None:
    """The results of calls that are made together; None where they need too much memory."""
    try:
        return calls()
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
    _free()
    return None


def retry_smaller(call: Callable[[Sequence[Clip]], Result], clips: Sequence[Clip]) -> Result:
    """`call(clips)`, with half the frames of every clip after each lack of memory.

    A result that came from fewer frames carries a note that says so.

    Raises:
        ModelError: still out of memory at the last try.
    """
    n_asked = sum(clip.n_frames for clip in clips)
    for _ in range(N_TRIES):
        n_frames = sum(clip.n_frames for clip in clips)
        try:
            result = call(clips)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
        else:
            if n_frames == n_asked:
                return result
            note = f"out of memory: seen with {n_frames} of {n_asked} frames"
            _log.warning(note)
            return replace(result, note=note)
        _free()
        smaller = [every_second_frame(clip) for clip in clips]
        if sum(clip.n_frames for clip in smaller) == n_frames:
            break
        clips = smaller
    raise ModelError(
        f"out of memory with {n_asked} frames, and still with {n_frames}",
        "give a smaller --budget, a smaller model, or --device cpu",
    )


def _free() -> None:
    """For after the except block, where the failed call's tensors are no longer held."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
