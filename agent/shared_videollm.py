"""One VideoLLM for many threads: calls that wait at the same time go to the model together.

Whoever finds the model free takes every waiting call of its kind along, so batches form by
themselves while a call runs, and nobody waits for a batch to fill up. A model that cannot batch is
given one call at a time; one that serves threads itself (a server) is left alone.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from agent.videollm import (
    MOST_TOGETHER,
    BatchingVideoLLM,
    Call,
    Capabilities,
    Choice,
    Clip,
    Judgement,
    Reply,
    VideoLLM,
)
from prompts.render import RenderedPrompt

_log = logging.getLogger(__name__)

_Kind = Literal["reply", "judge", "choose"]


@dataclass(slots=True)
class _Waiting:
    """A call that a thread waits for."""

    call: Call
    result: Any = None
    error: Exception | None = None
    is_done: bool = False


class SharedVideoLLM:
    """A VideoLLM in front of one that takes one call, or one batch, at a time."""

    def __init__(self, videollm: VideoLLM) -> None:
        self._videollm = videollm
        self._model = threading.Lock()
        self._queue = threading.Lock()
        self._waiting: dict[_Kind, list[_Waiting]] = {"reply": [], "judge": [], "choose": []}
        self._prices: dict[tuple[int, int, int], int] = {}

    @property
    def name(self) -> str:
        return self._videollm.name

    @property
    def weights_hash(self) -> str:
        return self._videollm.weights_hash

    @property
    def capabilities(self) -> Capabilities:
        return self._videollm.capabilities

    @property
    def knows_only_demo_world(self) -> bool:
        return self._videollm.knows_only_demo_world

    def clip_tokens(self, *, n_frames: int, width_px: int, height_px: int) -> int:
        key = (n_frames, width_px, height_px)
        if key not in self._prices:
            # Some models find it by running their processor, which is not for two threads.
            with self._model:
                self._prices[key] = self._videollm.clip_tokens(
                    n_frames=n_frames, width_px=width_px, height_px=height_px
                )
        return self._prices[key]

    def reply(
        self, prompt: RenderedPrompt, clips: Sequence[Clip], *, max_tokens: int = 64
    ) -> Reply:
        found = self._answer("reply", [Call(prompt, tuple(clips), max_tokens=max_tokens)])
        return cast(Reply, found[0])

    def judge(self, prompt: RenderedPrompt, clips: Sequence[Clip]) -> Judgement:
        return cast(Judgement, self._answer("judge", [Call(prompt, tuple(clips))])[0])

    def judge_each(self, prompt: RenderedPrompt, clips: Sequence[Clip]) -> list[Judgement]:
        return self._answer("judge", [Call(prompt, (clip,)) for clip in clips])

    def choose(
        self, prompt: RenderedPrompt, clips: Sequence[Clip], *, options: Sequence[str]
    ) -> Choice:
        found = self._answer("choose", [Call(prompt, tuple(clips), options=tuple(options))])
        return cast(Choice, found[0])

    def _answer(self, kind: _Kind, calls: Sequence[Call]) -> list[Any]:
        mine = [_Waiting(call) for call in calls]
        with self._queue:
            self._waiting[kind].extend(mine)
        for each in mine:
            while not each.is_done:
                with self._model:
                    # Another thread may have taken the call along while this one waited.
                    if not each.is_done:
                        self._run(kind, self._taken(kind))
        for each in mine:
            if each.error is not None:
                raise each.error
        return [each.result for each in mine]

    def _taken(self, kind: _Kind) -> list[_Waiting]:
        """The calls that go together now, the longest waiting first."""
        with self._queue:
            queue = self._waiting[kind]
            taken = queue[:MOST_TOGETHER]
            del queue[: len(taken)]
        return taken

    def _run(self, kind: _Kind, taken: Sequence[_Waiting]) -> None:
        if len(taken) > 1 and isinstance(self._videollm, BatchingVideoLLM):
            try:
                results = _together(self._videollm, kind, [each.call for each in taken])
            except Exception as error:  # noqa: BLE001 one that is too large must not fail the rest
                _log.info("%d calls together failed, each goes alone: %s", len(taken), error)
            else:
                for each, result in zip(taken, results, strict=True):
                    each.result, each.is_done = result, True
                return
        for each in taken:
            try:
                each.result = _alone(self._videollm, kind, each.call)
            except Exception as error:  # noqa: BLE001 raised again in the thread that asked
                each.error = error
            each.is_done = True


def shared(videollm: VideoLLM) -> VideoLLM:
    """The model as several threads may call it."""
    serves_threads = getattr(videollm, "serves_threads", False)
    return videollm if serves_threads else SharedVideoLLM(videollm)


def _together(videollm: BatchingVideoLLM, kind: _Kind, calls: Sequence[Call]) -> Sequence[Any]:
    if kind == "reply":
        return videollm.reply_all(calls)
    return videollm.judge_all(calls) if kind == "judge" else videollm.choose_all(calls)


def _alone(videollm: VideoLLM, kind: _Kind, call: Call) -> Any:
    if kind == "reply":
        return videollm.reply(call.prompt, call.clips, max_tokens=call.max_tokens)
    if kind == "judge":
        return videollm.judge(call.prompt, call.clips)
    return videollm.choose(call.prompt, call.clips, options=call.options)
