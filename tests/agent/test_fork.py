"""A run goes on from a step of another: the state, what it changes, what it takes over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from agent.ask import ask, fork, resume
from agent.backends.scripted import ScriptedVideoLLM, knowing
from agent.config import BudgetLimits
from agent.fork import ForkPlan
from agent.own_prompts import prompt_hash, read_prompt, render_with
from agent.settings import AskSettings
from agent.videollm import Capabilities, Clip
from index.errors import InputError, MediaError, ModelError
from index.run_rows import RunRow, StepRow
from index.runs import RunStore
from index.types import Span
from prompts.render import RenderedPrompt, render
from tests.agent.conftest import PlainLibrary, models_with

QUESTION = "What is the white thing?"
# The vectors point at the white shots; the evidence is in the blue one, so one turn is not enough.
BLUE = Span(110, 120)


@pytest.fixture
def parent(library: PlainLibrary, settings: AskSettings) -> str:
    """A run that has ended."""
    models = models_with(knowing([BLUE], answer="a wall"))
    return ask(library, library.video, QUESTION, models=models, settings=settings).run_id


def row(library: PlainLibrary, run_id: str) -> RunRow:
    found = RunStore.open(library.folder).load(run_id)
    assert found is not None
    return found


def steps(library: PlainLibrary, run_id: str) -> list[StepRow]:
    return RunStore.open(library.folder).steps(run_id)


def outline(step: StepRow) -> tuple[object, ...]:
    return (
        step.node,
        step.why,
        [(k.span, k.times_s, k.pixel_hashes) for k in step.looks],
        [(c.output, c.probabilities) for c in step.calls],
        step.belief_after,
    )


@pytest.mark.parametrize("from_step", [0, 1, 2, 3, 4, 7])
def test_a_fork_that_changes_nothing_takes_the_same_steps(
    library: PlainLibrary, parent: str, from_step: int
) -> None:
    models = models_with(knowing([BLUE], answer="a wall"))
    seen: list[StepRow] = []
    found = fork(library, parent, ForkPlan(from_step), models=models, on_step=seen.append)
    run = row(library, found.run_id)
    assert (run.parent_id, run.fork_step, run.fork_changes) == (parent, from_step, {})
    before, after = steps(library, parent), steps(library, run.run_id)
    assert after[:from_step] == before[:from_step]
    assert [outline(s) for s in after] == [outline(s) for s in before]
    assert [s.step_index for s in seen] == list(range(from_step, len(before)))
    assert (found.answer, found.citations) == ("a wall", row_answer(library, parent))
    # The parent is as it was.
    assert steps(library, parent) == before


def row_answer(library: PlainLibrary, run_id: str) -> object:
    models = models_with(knowing([BLUE], answer="a wall"))
    return resume(library, run_id, models=models).citations


def test_the_pictures_of_the_steps_before_are_taken_over(
    library: PlainLibrary, parent: str
) -> None:
    found = fork(library, parent, ForkPlan(4), models=models_with(knowing([BLUE])))
    runs = RunStore.open(library.folder)
    look = runs.looks(parent)[0]
    assert runs.thumbnails(found.run_id, look.look_id) == runs.thumbnails(parent, look.look_id)
    assert len(runs.thumbnails(parent, look.look_id)) == len(look.times_s)


def test_another_budget_holds_for_the_whole_question_and_is_recorded(
    library: PlainLibrary, parent: str
) -> None:
    plan = ForkPlan(5, budget=BudgetLimits(looks=8))
    found = fork(library, parent, plan, models=models_with(knowing([BLUE], answer="a wall")))
    run = row(library, found.run_id)
    assert run.fork_changes == {"budget": {"looks": [22, 8]}}
    assert run.settings["budget"]["looks"] == 8
    # Four looks were taken before the fork and three are kept for the answer: one was left.
    searched = [k for s in steps(library, run.run_id) for k in s.looks if k.source != "answer"]
    assert len(searched) == 5


class Other(ScriptedVideoLLM):
    """Another fake, of larger frames."""

    @property
    def name(self) -> str:
        return "other"

    @property
    def weights_hash(self) -> str:
        return "other weights"

    @property
    def capabilities(self) -> Capabilities:
        return replace(ScriptedVideoLLM().capabilities, patch_px=64)


def test_another_model_goes_on_and_every_call_names_its_own(
    library: PlainLibrary, parent: str
) -> None:
    found = fork(library, parent, ForkPlan(5), models=models_with(Other()))
    run = row(library, found.run_id)
    old = ScriptedVideoLLM()
    assert run.fork_changes == {
        "models": {
            "videollm": [old.name, "other"],
            "videollm_weights": ["scripted", "other weights"],
        }
    }
    calls = [(s.step_index < 5, c.model) for s in steps(library, run.run_id) for c in s.calls]
    assert set(calls) == {(True, old.name), (False, "other")}


def test_a_nodes_own_model_that_a_fork_leaves_out_is_recorded(
    library: PlainLibrary, settings: AskSettings
) -> None:
    models = models_with(knowing([BLUE], answer="a wall"))
    with_own = replace(models, by_node={"answer": Other()})
    parent = ask(library, library.video, QUESTION, models=with_own, settings=settings).run_id
    found = fork(library, parent, ForkPlan(2), models=models)
    assert row(library, found.run_id).fork_changes == {
        "models": {
            "videollm_answer": ["other", None],
            "videollm_answer_weights": ["other weights", None],
        }
    }


def test_looks_cut_for_another_models_frames_are_refused_with_the_step_to_take(
    library: PlainLibrary, parent: str
) -> None:
    for from_step in (3, 4):
        with pytest.raises(InputError, match=r"another model's frames.*--from-step 2"):
            fork(library, parent, ForkPlan(from_step), models=models_with(Other()))
    assert len(RunStore.open(library.folder).runs()) == 1


def test_a_prompt_of_ones_own_is_put_to_the_model_and_recorded(
    library: PlainLibrary, parent: str, tmp_path: Path
) -> None:
    file = tmp_path / "strict.j2"
    file.write_text("{{ clips }}Be strict. Is it here: {{ question }} yes or no?")
    name, source = read_prompt(f"reflect={file}")
    model = knowing([BLUE], answer="a wall")
    plan = ForkPlan(2, prompts={name: source})
    found = fork(library, parent, plan, models=models_with(model))
    run = row(library, found.run_id)
    assert run.fork_changes == {"prompts": {"reflect": ["program's", prompt_hash(source)]}}
    judged = [c for s in steps(library, run.run_id) for c in s.calls if c.prompt_name == "reflect"]
    assert judged
    assert {c.prompt_hash for c in judged} == {prompt_hash(source)}
    assert all("Be strict." in c.prompt_text for c in judged)


def test_a_fork_of_a_fork_keeps_its_parents_prompt(
    library: PlainLibrary, parent: str, tmp_path: Path
) -> None:
    models = models_with(knowing([BLUE], answer="a wall"))
    source = "{{ clips }}{{ question }}?!"
    first = fork(library, parent, ForkPlan(2, prompts={"reflect": source}), models=models)
    second = fork(library, first.run_id, ForkPlan(3), models=models)
    run = row(library, second.run_id)
    assert (run.parent_id, run.own_prompts) == (first.run_id, {"reflect": source})
    assert run.fork_changes == {}


def test_a_fork_that_was_broken_off_is_continued(library: PlainLibrary, parent: str) -> None:
    model, fails = knowing([BLUE], answer="a wall"), [True]
    yes = model.yes_script

    def judge(prompt: RenderedPrompt, clips: Sequence[Clip]) -> float:
        if fails:
            fails.pop()
            raise ModelError("out of memory")
        return yes(prompt, clips)

    model.yes_script = judge
    with pytest.raises(ModelError):
        fork(library, parent, ForkPlan(2), models=models_with(model))
    (left,) = [r for r in RunStore.open(library.folder).runs() if r.status == "running"]
    found = fork(library, parent, ForkPlan(2), models=models_with(model))
    assert (found.run_id, found.answer) == (left.run_id, "a wall")


def test_asking_again_never_takes_up_a_fork(
    library: PlainLibrary, settings: AskSettings, parent: str
) -> None:
    model = ScriptedVideoLLM(yes_script=_fail)
    with pytest.raises(ModelError):
        fork(library, parent, ForkPlan(2), models=models_with(model))
    models = models_with(knowing([BLUE], answer="a wall"))
    again = ask(library, library.video, QUESTION, models=models, settings=settings)
    assert row(library, again.run_id).parent_id is None


def _fail(prompt: RenderedPrompt, clips: Sequence[Clip]) -> float:
    raise ModelError("out of memory")


def test_a_step_that_is_not_there_is_named_with_those_that_are(
    library: PlainLibrary, parent: str
) -> None:
    last = len(steps(library, parent)) - 1
    with pytest.raises(InputError, match=rf"has no step {last + 1}.*from 0 to {last}"):
        fork(library, parent, ForkPlan(last + 1), models=models_with(knowing([])))
    with pytest.raises(InputError, match="no run"):
        fork(library, "nothing", ForkPlan(0), models=models_with(knowing([])))


def test_a_run_without_checkpoints_cannot_be_forked(library: PlainLibrary, parent: str) -> None:
    for path in library.folder.glob("checkpoints.db*"):
        path.unlink()
    with pytest.raises(InputError, match=r"checkpoint of run .* before step 3 is gone"):
        fork(library, parent, ForkPlan(3), models=models_with(knowing([])))


def test_a_run_whose_film_is_gone_is_not_forked(
    library: PlainLibrary, parent: str, tmp_path: Path
) -> None:
    library.video = replace(library.video, path=tmp_path / "gone.mp4")
    with pytest.raises(MediaError, match=r"gone\.mp4 is not there any more"):
        fork(library, parent, ForkPlan(3), models=models_with(knowing([])))
    assert len(RunStore.open(library.folder).runs()) == 1


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{{ question }}", "shows no clip"),
        ("{{ clips }}{{ secret }}", "asks for secret"),
        ("{{ clips }}{% if %}", "is no template"),
    ],
)
def test_a_prompt_that_cannot_work_is_refused_before_anything_runs(
    tmp_path: Path, text: str, complaint: str
) -> None:
    file = tmp_path / "own.j2"
    file.write_text(text)
    with pytest.raises(InputError, match=complaint):
        read_prompt(f"reflect={file}")


@pytest.mark.parametrize(
    "text", ["reflect", "nothing=x.j2", "caption=x.j2", "reflect=/not/there.j2"]
)
def test_a_prompt_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        read_prompt(text)


def test_a_prompt_of_ones_own_renders_like_the_programs() -> None:
    from prompts.render import FOLDER

    source = (FOLDER / "answer.j2").read_text(encoding="utf-8")
    values = {"question": "Why \ue0020\ue002?", "options": ["a", "b"]}
    own = render_with({"answer": source}, "answer", n_clips=2, **values)
    usual = render("answer", n_clips=2, question="Why 0?", options=["a", "b"])
    assert own == usual
