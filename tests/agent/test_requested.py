"""Looks that the model asks for: over the strip, over evidence that did not do; and refusals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from langgraph.runtime import Runtime

from agent.answer import answer
from agent.ask import ask
from agent.backends.scripted import ScriptedVideoLLM
from agent.evidence import Shown, ask_evidence, key_clips
from agent.requested import with_what_was_asked_for
from agent.settings import AskSettings
from agent.state import LookState, State
from agent.steps import StepWriter
from agent.survey import survey
from agent.videollm import Capabilities, Clip
from index.types import Span
from prompts.render import RenderedPrompt
from tests.agent.conftest import PlainLibrary, WorkspaceMaker, looked, models_with
from tests.agent.test_answer import ready
from tools.keyclips import ClipShape

BLUE = "<span>110 - 120</span><fps>2</fps><size>high</size>"
LATE = "<span>900 - 910</span><fps>2</fps>"


def saying(**replies: str | Callable[[Sequence[Clip]], str]) -> ScriptedVideoLLM:
    """A fake with a reply for each prompt; "" to the others."""

    def reply(prompt: RenderedPrompt, clips: Sequence[Clip]) -> str:
        said = replies.get(prompt.name, "")
        return said if isinstance(said, str) else said(clips)

    return ScriptedVideoLLM(reply_script=reply)


class OneClip(ScriptedVideoLLM):
    """A fake whose prompts hold one clip."""

    @property
    def capabilities(self) -> Capabilities:
        return replace(super().capabilities, several_clips=False)


def test_where_the_evidence_is_not_enough_the_model_says_what_to_see_next(
    workspace: WorkspaceMaker,
) -> None:
    ws, state = ready(workspace, saying(answer="not enough", another_look=BLUE))
    out = answer(state, Runtime(context=ws))
    assert out["next"] == "spotlight"
    (proposal,) = out["proposals"]
    assert proposal == {
        "start_s": 110.0,
        "end_s": 120.0,
        "source": "request",
        "fps": 2.0,
        "high": True,
    }
    # It has seen that this is not enough; where it asks makes nothing likelier, least of all this.
    assert out["updates"][-1]["cause"] == "not enough"
    step = ws.runs.steps("r1")[-1]
    assert step.data["requests"] == [{"start": 110.0, "end": 120.0, "fps": 2.0, "size": "high"}]
    assert step.calls[-1].prompt_name == "another_look"
    # It saw the evidence that did not do.
    assert step.calls[-1].look_ids == (out["looks"][-1]["look_id"],)


def test_beside_an_anchor_nothing_is_asked_for_and_a_request_stands_once(
    workspace: WorkspaceMaker,
) -> None:
    ws, state = ready(workspace, saying(shown="not enough", answer="not enough", another_look=BLUE))
    assert answer({**state, "kind": "after"}, Runtime(context=ws))["proposals"] == []
    ws.videollm = saying(answer="not enough", another_look=BLUE + BLUE)
    assert len(answer(state, Runtime(context=ws))["proposals"]) == 1


def test_a_second_look_that_disagrees_asks_for_nothing(workspace: WorkspaceMaker) -> None:
    doubting = replace(saying(another_look=BLUE), yes_script=lambda prompt, clips: 0.01)
    ws, state = ready(workspace, doubting)
    assert answer(state, Runtime(context=ws))["proposals"] == []


def test_a_search_that_cannot_go_on_asks_for_nothing(workspace: WorkspaceMaker) -> None:
    ended = "exhausted: a test"
    ws, state = ready(workspace, saying(answer="not enough", another_look=BLUE), stop_reason=ended)
    answer(state, Runtime(context=ws))
    names = [c.prompt_name for c in ws.runs.steps("r1")[-1].calls]
    assert "answer" in names
    assert "another_look" not in names


def test_a_model_that_never_learnt_to_ask_is_not_asked(workspace: WorkspaceMaker) -> None:
    ws, state = ready(workspace, saying(answer="not enough", another_look=BLUE))
    never = replace(ws.settings.answer, ask_for_looks=False)
    ws.settings = replace(ws.settings, answer=never)
    assert answer(state, Runtime(context=ws))["proposals"] == []


def test_a_refusal_is_told_and_the_model_may_ask_again(workspace: WorkspaceMaker) -> None:
    heard: list[str] = []

    def asked(clips: Sequence[Clip]) -> str:
        heard.append(clips[0].label)
        return LATE if len(heard) == 1 else BLUE

    ws, state = ready(workspace, saying(request=asked))
    out = survey(state, SimpleNamespace(context=ws))  # type: ignore[arg-type]
    assert [p["start_s"] for p in out["proposals"]] == [110.0]
    assert heard[0] == ""
    told = '<refused code="outside_film">900 - 910</refused> the film ends at 170.00 seconds. '
    assert heard[1] == told
    (refusal,) = ws.runs.steps("r1")[-1].data["refusals"]
    assert refusal["code"] == "outside_film"


def test_a_request_outside_the_parts_of_the_question_is_refused_and_told(
    workspace: WorkspaceMaker,
) -> None:
    heard: list[str] = []

    def asked(clips: Sequence[Clip]) -> str:
        heard.append(clips[0].label)
        return "<span>70 - 80</span>" if len(heard) == 1 else BLUE

    ws, state = ready(workspace, saying(request=asked))
    bound: State = {**state, "bounds": [50.0, 130.0], "parts": [[50.0, 65.0], [100.0, 130.0]]}
    out = survey(bound, SimpleNamespace(context=ws))  # type: ignore[arg-type]
    assert [p["start_s"] for p in out["proposals"]] == [110.0]
    near = "the question is about 2 parts of the film; the nearest is 50.00 to 65.00 s"
    assert heard[1] == f'<refused code="outside_film">70 - 80</refused> {near}. '
    (refusal,) = ws.runs.steps("r1")[-1].data["refusals"]
    assert refusal["detail"] == near


def test_who_asks_again_for_what_was_seen_is_told_so(workspace: WorkspaceMaker) -> None:
    """The search would drop it as a look that was taken, and nobody would say so."""
    heard: list[str] = []

    def asked(clips: Sequence[Clip]) -> str:
        heard.append(clips[0].label)
        return "<span>60 - 70</span><fps>0.4</fps>" if len(heard) == 1 else BLUE

    ws, state = ready(workspace, saying(answer="not enough", another_look=asked))
    out = answer({**state, "looks": [looked(60, 70)]}, Runtime(context=ws))
    assert [p["start_s"] for p in out["proposals"]] == [110.0]
    assert heard[1] == (
        '<refused code="already_seen">60.00 - 70.00</refused>'
        " it was seen already in 4 frames or more; ask for another span. "
    )
    # More frames of it are another look.
    denser = "<span>60 - 70</span><fps>2</fps>"
    ws.videollm = saying(answer="not enough", another_look=denser)
    out = answer({**state, "looks": [looked(60, 70)]}, Runtime(context=ws))
    assert [p["fps"] for p in out["proposals"]] == [2.0]


def test_a_search_in_circles_is_not_asked_what_it_would_drop(workspace: WorkspaceMaker) -> None:
    ws, state = ready(workspace, saying(answer="not enough", another_look=BLUE))
    again: State = {**state, "looks": [looked(60, 70) for _ in range(8)]}
    assert answer(again, Runtime(context=ws))["proposals"] == []
    assert "another_look" not in [c.prompt_name for c in ws.runs.steps("r1")[-1].calls]


def test_who_is_refused_every_time_stops_asking(workspace: WorkspaceMaker) -> None:
    ws, state = ready(workspace, saying(request=LATE))
    assert survey(state, SimpleNamespace(context=ws))["proposals"] == []  # type: ignore[arg-type]
    step = ws.runs.steps("r1")[-1]
    assert len(step.data["refusals"]) == ws.settings.survey.request_turns == len(step.calls)


def _steps_of(library: PlainLibrary, settings: AskSettings, model: ScriptedVideoLLM) -> list[Any]:
    steps: list[Any] = []
    ask(
        library,
        library.video,
        "What comes with the red thing?",
        models=models_with(model),
        settings=settings,
        on_step=steps.append,
    )
    return steps


def test_what_it_asked_for_is_looked_at_first_and_it_is_told_what_it_got(
    library: PlainLibrary, settings: AskSettings
) -> None:
    """A whole search: red is not enough, the model wants to see 110 to 120 s and answers there."""
    labels: list[str] = []

    def over(clips: Sequence[Clip]) -> str:
        return "a blue wall" if 110 <= clips[0].times_s[0] < 120 else "not enough"

    def yes(prompt: RenderedPrompt, clips: Sequence[Clip]) -> float:
        labels.extend(c.label for c in clips if c.label)
        return 0.97 if 110 <= clips[0].times_s[0] < 120 or 60 <= clips[0].times_s[0] < 70 else 0.05

    model = replace(saying(answer=over, another_look=BLUE), yes_script=yes)
    steps = _steps_of(library, settings, model)
    asked = next(i for i, s in enumerate(steps) if s.node == "answer" and s.data.get("requests"))
    looked = next(s for s in steps[asked:] if s.node == "look")
    (wanted,) = (k for k in looked.looks if k.source == "request")
    assert (wanted.span.start_s, wanted.span.end_s, len(wanted.times_s)) == (110, 120, 20)
    assert labels[0].startswith("Delivered: <span>110.00 - 120.00</span><fps>2.00</fps>, 20 frames")


@pytest.mark.parametrize("several_clips", [True, False])
def test_a_model_trained_to_ask_does_so_in_place_of_an_answer(
    library: PlainLibrary, settings: AskSettings, several_clips: bool
) -> None:
    """DynFrame's form: a request over the evidence, the look, and then a marked answer."""
    shown: list[list[float]] = []

    def over(clips: Sequence[Clip]) -> str:
        shown.append([c.times_s[0] // 10 * 10 for c in clips])
        if 110 in shown[-1]:
            return "<answer>a blue wall</answer>"
        return "<span>110.00 - 120.00</span><fps>2</fps>"

    def yes(prompt: RenderedPrompt, clips: Sequence[Clip]) -> float:
        return 0.97 if 60 <= clips[0].times_s[0] < 70 else 0.05

    never = replace(settings, answer=replace(settings.answer, ask_for_looks=False))
    kind = ScriptedVideoLLM if several_clips else OneClip
    model = kind(reply_script=saying(answer=over).reply_script, yes_script=yes)
    steps = _steps_of(library, never, model)
    assert [k.span for s in steps for k in s.looks if k.source == "request"] == [Span(110, 120)]
    assert "another_look" not in {c.prompt_name for s in steps for c in s.calls}
    # It goes on with what it had and what it got, as dense as it asked for.
    assert shown[0] == [60]
    assert shown[-1] == ([60, 110] if several_clips else [110])
    assert steps[-1].data["verdict"]["reply"] == "a blue wall"
    looks = [k for k in steps[-1].looks if k.span.start_s >= 110]
    assert max(len(k.times_s) for k in looks) == 20


def test_a_request_in_place_of_an_answer_that_cannot_be_honoured_is_refused(
    workspace: WorkspaceMaker,
) -> None:
    ws, state = ready(workspace, saying(answer=LATE))
    never = replace(ws.settings.answer, ask_for_looks=False)
    ws.settings = replace(ws.settings, answer=never)
    out = answer(state, Runtime(context=ws))
    assert out["proposals"] == []
    step = ws.runs.steps("r1")[-1]
    assert [r["code"] for r in step.data["refusals"]] == ["outside_film"]
    # The tags are no answer, and no guess either.
    assert (step.data["verdict"]["reply"], out["guess"]) == ("", {})


def asked_for(start_s: float, end_s: float, look_id: str, **shape: int) -> LookState:
    return {**looked(start_s, end_s, look_id), "source": "request", **shape}  # type: ignore[typeddict-item]


def test_of_one_span_that_was_asked_for_twice_the_dearest_look_is_shown(
    workspace: WorkspaceMaker,
) -> None:
    ws, state = ready(workspace, saying(answer="a wall"))
    small, large = ws.size_px(32), ws.size_px(64)
    twice = [
        asked_for(110, 120, f"2.{i}", n_frames=6, width_px=w, height_px=h)
        for i, (w, h) in enumerate((small, large))
    ]
    step = StepWriter(ws, state, "answer")
    tried: State = {**state, "attempts": 1, "looks_before_answer": 0, "looks": twice}
    evidence = [Shown(Span(60, 70), 0.9)]
    shown = with_what_was_asked_for(ws, step, tried, evidence)
    assert [s.span for s in shown] == [Span(60, 70), Span(110, 120)]
    assert shown[1].delivered == ClipShape(6, *large)
    # Nothing was asked for over this evidence before the first try.
    assert with_what_was_asked_for(ws, step, {**tried, "attempts": 0}, evidence) == evidence
    # The evidence itself, asked for denser, is shown so and once.
    (same,) = with_what_was_asked_for(ws, step, tried, [Shown(Span(110, 120), 0.9)])
    assert same.delivered == ClipShape(6, *large)


def test_a_glance_that_was_asked_for_is_no_evidence(workspace: WorkspaceMaker) -> None:
    ws, state = ready(workspace, saying(answer="a wall"))
    wide = asked_for(0, 170, "2.0", n_frames=4)
    tried: State = {**state, "attempts": 1, "looks_before_answer": 0, "looks": [wide]}
    evidence = [Shown(Span(60, 70), 0.9)]
    step = StepWriter(ws, state, "answer")
    assert with_what_was_asked_for(ws, step, tried, evidence) == evidence


def test_what_was_asked_for_leaves_looks_for_passes_that_agree(workspace: WorkspaceMaker) -> None:
    ws, state = ready(workspace, saying(answer="a wall"))
    five = [asked_for(t, t + 5.0, f"2.{t}", n_frames=4) for t in (0, 10, 20, 30, 40)]
    spent = {**state["spent"], "looks": ws.settings.budget.looks - 6}
    tried: State = {
        **state,
        "attempts": 1,
        "looks_before_answer": 0,
        "looks": five,
        "spent": spent,
    }
    evidence = [Shown(Span(60, 70), 0.9)]
    step = StepWriter(ws, tried, "answer")
    shown = with_what_was_asked_for(ws, step, tried, evidence)
    # Two passes over three clips each: the evidence, and what it asked for last.
    assert [s.span.start_s for s in shown] == [60, 30, 40]
    vote = ask_evidence(ws, step, shown, question="What is it?")
    assert (vote.outcome, len(vote.looks)) == ("agreed", 6)


@pytest.mark.parametrize("evidence_s", [10.0, 130.0])
def test_where_tokens_are_short_what_was_asked_for_is_dense_and_the_evidence_small(
    workspace: WorkspaceMaker, evidence_s: float
) -> None:
    ws, _ = ready(workspace, saying(answer="a wall"))
    dense = ClipShape(20, *ws.size_px(32))
    shown = [
        Shown(Span(evidence_s, evidence_s + 10), 0.95),
        Shown(Span(60, 70), 1.0, dense),
    ]
    price = ws.videollm.clip_tokens(n_frames=20, width_px=dense.width_px, height_px=dense.height_px)
    least = ws.videollm.clip_tokens(n_frames=2, width_px=dense.width_px, height_px=dense.height_px)
    clips = key_clips(ws, shown, budget_tokens=price + least, high=False)
    assert {c.span.start_s: c.shape.n_frames for c in clips} == {evidence_s: 2, 60: 20}
