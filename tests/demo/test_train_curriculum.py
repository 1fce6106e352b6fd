"""The curriculum of the VideoLLM: what is gated by what."""

from __future__ import annotations

import random

import pytest

from demo.train.branches import branches, copying_branches, request_branches
from demo.train.contexts import copying_context, fresh_take, random_context
from demo.train.curriculum import COPY_TASK, PHASES, RUNG_DONE, RUNGS, Curriculum
from demo.train.topics import NO_REQUEST
from demo.train.wording import worded
from index.types import Span
from prompts.render import render
from tools.requests import RequestLimits, parse_requests


def test_a_rung_is_left_when_copying_is_known_and_its_accuracy_starts_again() -> None:
    taught = Curriculum(running={COPY_TASK: RUNG_DONE - 0.01})
    taught.advance(level=0.0)
    assert taught.rung == 0
    taught.running[COPY_TASK] = RUNG_DONE + 0.01
    taught.advance(level=0.0)
    assert (taught.rung, taught.running) == (1, {})


def test_the_last_rung_is_kept() -> None:
    taught = Curriculum(rung=len(RUNGS) - 1, running={COPY_TASK: 0.99})
    taught.advance(level=0.0)
    assert taught.rung == len(RUNGS) - 1


def test_a_phase_ends_when_its_tasks_are_known_or_its_time_is_over() -> None:
    taught = Curriculum(running={"answer:plain": 0.9, "reflect1:yes": 0.9, "reflect1:no": 0.7})
    taught.advance(level=0.1)
    assert PHASES[taught.phase] == "one"
    taught.running["reflect1:no"] = 0.85
    taught.advance(level=0.1)
    assert PHASES[taught.phase] == "easy"
    taught.advance(level=0.66)
    assert PHASES[taught.phase] == "all"
    taught.advance(level=1.0)
    assert PHASES[taught.phase] == "all"


def test_the_state_of_a_checkpoint_gives_the_same_curriculum() -> None:
    taught = Curriculum(phase=1, rung=2)
    taught.note("answer:place", right=True)
    assert Curriculum(**taught.state()) == taught


def test_copied_spans_are_times_of_the_strip_that_show_the_subject() -> None:
    rng = random.Random(5)
    limits = RequestLimits(film=Span(0.0, 1e6))
    seen = 0
    for _ in range(20):
        context = copying_context(rng, n_pairs=6, latest_s=100, sizes=((1, 1),))
        for branch in copying_branches(rng, context, n=4, short=True):
            if branch.task != COPY_TASK:
                assert branch.reply == NO_REQUEST
                continue
            wanted = parse_requests(branch.reply, limits=limits).requests[0].span
            seconds = {int(float(tag)) for tag in context.views[0].tags()}
            assert {wanted.start_s, wanted.end_s} <= seconds
            seen += 1
    assert seen >= 20


@pytest.mark.parametrize("kind", ["look", "large", "cut", "several", "strip"])
def test_every_kind_of_context_can_be_asked_about(kind: str) -> None:
    rng = random.Random(3)
    context = random_context(rng, fresh_take, kind=kind, first=False)
    asked = (
        request_branches(rng, context, n=8)
        if context.strip
        else branches(rng, context, n=8, easy=False)
    )
    assert len(asked) == 8
    assert all(branch.reply for branch in asked)


def test_loose_wording_leaves_the_question_whole() -> None:
    rng = random.Random(1)
    question = "Where is the red boat?"
    made = [worded("answer", question, rng=rng) for _ in range(60)]
    assert {lead for lead, _ in made} == {f"Question: {question}\n"}
    texts = {text for _, text in made}
    assert all(question in text for text in texts)
    assert len(texts) > 5
    assert worded("answer", question)[1] in texts


@pytest.mark.parametrize("name", ["answer", "reflect", "request"])
def test_a_worded_prompt_is_the_prompt_files_own(name: str) -> None:
    question = "Where is the red boat?"
    lead, text = worded(name, question)
    assert render(name, n_clips=1, question=question, options=()).parts == (lead, 0, text)
