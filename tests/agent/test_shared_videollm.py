"""Many threads, one model: every thread gets its own answer, and waiting calls go together."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from agent.backends.scripted import ScriptedVideoLLM
from agent.shared_videollm import SharedVideoLLM, shared
from agent.videollm import MOST_TOGETHER, Call, Choice, Clip, Judgement, Reply
from index.errors import ModelError
from prompts.render import render


class Batching(ScriptedVideoLLM):
    """A fake that takes batches, notes their sizes, and refuses a batch with a poisoned call."""

    def __init__(self) -> None:
        super().__init__(reply_script=lambda prompt, clips: prompt.text.split()[-1])
        self.sizes: list[int] = []
        self.started = threading.Event()
        self.go_on = threading.Event()

    def reply_all(self, calls: Sequence[Call]) -> list[Reply]:
        self.sizes.append(len(calls))
        return [self.reply(c.prompt, c.clips, max_tokens=c.max_tokens) for c in calls]

    def reply(self, prompt, clips, *, max_tokens=64):
        if "poison" in prompt.text:
            raise ModelError("the prompt is too long")
        if not self.started.is_set():
            self.started.set()
            self.go_on.wait(10)
        return super().reply(prompt, clips, max_tokens=max_tokens)

    def judge_all(self, calls: Sequence[Call]) -> list[Judgement]:
        self.sizes.append(len(calls))
        return [self.judge(c.prompt, c.clips) for c in calls]

    def choose_all(self, calls: Sequence[Call]) -> list[Choice]:
        return [self.choose(c.prompt, c.clips, options=c.options) for c in calls]


def prompt(word: str):
    return render("rewrite", question=word)


def asked(videollm: SharedVideoLLM, word: str) -> str:
    return videollm.reply(prompt(word), []).prompt_text


def test_calls_that_wait_go_together_and_each_gets_its_own() -> None:
    model = Batching()
    front = SharedVideoLLM(model)
    words = [f"word{i}" for i in range(MOST_TOGETHER + 3)]
    with ThreadPoolExecutor(len(words)) as pool:
        first = pool.submit(asked, front, words[0])
        assert model.started.wait(10)
        rest = [pool.submit(asked, front, word) for word in words[1:]]
        while sum(map(len, front._waiting.values())) < len(rest):
            pass
        model.go_on.set()
        texts = [first.result(10), *(future.result(10) for future in rest)]
    assert all(word in text for word, text in zip(words, texts, strict=True))
    assert model.sizes == [MOST_TOGETHER, 2]


def test_the_clips_of_one_thread_go_together() -> None:
    model = Batching()
    model.yes_script = lambda prompt, clips: clips[0].times_s[0] / 10
    pixels = np.zeros((1, 32, 32, 3), np.uint8)
    clips = [Clip((float(i),), pixels) for i in range(MOST_TOGETHER + 2)]
    found = SharedVideoLLM(model).judge_each(render("reflect", n_clips=1, question="?"), clips)
    assert [each.p_yes for each in found] == [i / 10 for i in range(MOST_TOGETHER + 2)]
    assert model.sizes == [MOST_TOGETHER, 2]


def test_of_the_clips_of_one_thread_one_that_fails_is_raised() -> None:
    def seen(prompt, clips) -> float:
        if clips[0].times_s == (1.0,):
            raise ModelError("the clip is too long")
        return 0.5

    pixels = np.zeros((1, 32, 32, 3), np.uint8)
    clips = [Clip((float(i),), pixels) for i in range(3)]
    judged = render("reflect", n_clips=1, question="?")
    for model in (Batching(), ScriptedVideoLLM()):
        model.yes_script = seen
        front = SharedVideoLLM(model)
        with pytest.raises(ModelError, match="too long"):
            front.judge_each(judged, clips)
        assert len(front.judge_each(judged, clips[2:])) == 1


def test_a_call_that_fails_does_not_fail_the_others() -> None:
    model = Batching()
    front = SharedVideoLLM(model)
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(asked, front, "first")
        assert model.started.wait(10)
        rest = [pool.submit(asked, front, word) for word in ("one", "poison", "two")]
        while sum(map(len, front._waiting.values())) < len(rest):
            pass
        model.go_on.set()
        assert "first" in first.result(10)
        assert "one" in rest[0].result(10)
        with pytest.raises(ModelError, match="too long"):
            rest[1].result(10)
        assert "two" in rest[2].result(10)


def test_a_model_that_takes_one_call_is_given_one_at_a_time() -> None:
    inside = 0
    most = 0

    def slow(prompt, clips) -> float:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        threading.Event().wait(0.002)
        inside -= 1
        return 0.5

    front = shared(ScriptedVideoLLM(yes_script=slow))
    judged = render("reflect", n_clips=0, question="what?")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: front.judge(judged, []), range(32)))
    assert most == 1
