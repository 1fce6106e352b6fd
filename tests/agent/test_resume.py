"""A killed ask continues: by its run's id, or by asking the same again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from langgraph.runtime import Runtime

from agent.ask import ask, resume
from agent.backends.scripted import knowing
from agent.graph import NODES, with_own_model
from agent.settings import AskSettings
from agent.videollm import Clip
from index.errors import InputError, ModelError
from index.run_rows import StepRow
from index.runs import RunStore
from index.types import Span
from prompts.render import RenderedPrompt
from tests.agent.conftest import PlainLibrary, WorkspaceMaker, models_with

QUESTION = "What is the white thing?"
# The vectors point at the white shots; the evidence is in the blue one, so one turn is not enough.
BLUE = Span(110, 120)

DIES = """
import os, signal, sys
from dataclasses import asdict
from pathlib import Path
from agent.ask import ask
from agent.backends.scripted import knowing
from agent.presets import settings_from_dict
from index.media import open_video
from index.types import Span, Video
from tests.agent.conftest import PlainLibrary, models_with
import json
folder, film, settings, dies_at = sys.argv[1:]
model = knowing([Span(110, 120)], answer="a wall")
judged = 0
yes = model.yes_script
def judge(prompt, clips):
    global judged
    judged += 1
    if judged == int(dies_at):
        os.kill(os.getpid(), signal.SIGKILL)
    return yes(prompt, clips)
model.yes_script = judge
facts = open_video(Path(film)).facts
video = Video(video_id=1, content_hash="c0ffee", path=Path(film), facts=facts)
ask(PlainLibrary(Path(folder), video), video, sys.stdin.read(), models=models_with(model),
    settings=settings_from_dict(json.loads(settings)))
"""


def kill_during(library: PlainLibrary, settings: AskSettings, *, judgement: int) -> None:
    """Ask in another process that is killed in the middle of its n-th judgement."""

    done = subprocess.run(
        [
            sys.executable,
            "-c",
            DIES,
            str(library.folder),
            str(library.video.path),
            json.dumps(asdict(settings)),
            str(judgement),
        ],
        input=QUESTION,
        text=True,
        cwd=Path(__file__).parents[2],
        capture_output=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there")
def test_a_killed_ask_continues_by_asking_again(
    library: PlainLibrary, settings: AskSettings
) -> None:
    kill_during(library, settings, judgement=6)
    runs = RunStore.open(library.folder)
    (left,) = runs.runs()
    before = runs.steps(left.run_id)
    assert left.status == "running"
    # Two turns of four looks: the second one's reflection was cut off.
    assert [s.node for s in before] == [
        *("plan", "survey"),
        *("spotlight", "look", "reflect"),
        *("spotlight", "look"),
    ]
    seen: list[StepRow] = []
    models = models_with(knowing([BLUE], answer="a wall"))
    found = ask(
        library, library.video, QUESTION, models=models, settings=settings, on_step=seen.append
    )
    assert found.run_id == left.run_id
    assert (found.status, found.answer) == ("answered", "a wall")
    assert seen[0].node == "reflect"
    steps = runs.steps(found.run_id)
    assert steps[: len(before)] == before
    assert [s.step_index for s in steps] == list(range(len(steps)))
    unbroken = ask(library, library.video, QUESTION, models=models, settings=settings)
    assert unbroken.run_id != found.run_id
    assert unbroken.citations == found.citations
    assert unbroken.usage["visual_tokens"] == found.usage["visual_tokens"]


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there")
def test_a_killed_run_continues_by_its_id_with_its_own_models_only(
    library: PlainLibrary, settings: AskSettings
) -> None:
    kill_during(library, settings, judgement=1)
    (left,) = RunStore.open(library.folder).runs()
    models = models_with(knowing([BLUE], answer="a wall"))
    other = replace(models, encoder=models_with(knowing([])).encoder)
    other.encoder.identity = replace(models.encoder.identity, weights_hash="other")
    with pytest.raises(
        ModelError, match=r"begun with .*, and its weights or the encoder's are others now"
    ):
        resume(library, left.run_id, models=other)
    # The same encoder from another folder is the same.
    moved = replace(models, encoder=models_with(knowing([])).encoder)
    moved.encoder.identity = replace(models.encoder.identity, name="local-dir:elsewhere")
    found = resume(library, left.run_id, models=moved)
    assert (found.run_id, found.status) == (left.run_id, "answered")
    assert resume(library, left.run_id[:6], models=models) == found


def test_of_two_processes_one_takes_over_a_run(
    library: PlainLibrary, settings: AskSettings
) -> None:
    kill_during(library, settings, judgement=1)
    runs = RunStore.open(library.folder)
    (left,) = runs.runs()
    # Both read the row before either wrote to it.
    assert runs.take_over(left, process_id=101)
    assert not runs.take_over(left, process_id=102)
    assert runs.runs()[0].process_id == 101


def test_a_killed_run_is_gone_on_with_while_another_process_asks_the_same(
    library: PlainLibrary, settings: AskSettings
) -> None:
    kill_during(library, settings, judgement=1)
    runs = RunStore.open(library.folder)
    (left,) = runs.runs()
    # A newer run of the same question, by a process that lives.
    runs.start(replace(left, run_id="other", started_at="2999-01-01", process_id=os.getppid()))
    models = models_with(knowing([BLUE], answer="a wall"))
    found = ask(library, library.video, QUESTION, models=models, settings=settings)
    assert found.run_id == left.run_id


def test_an_unknown_run_is_an_error(library: PlainLibrary) -> None:
    with pytest.raises(InputError, match="no run"):
        resume(library, "nothing", models=models_with(knowing([])))


def test_another_question_or_other_settings_begin_a_new_run(
    library: PlainLibrary, settings: AskSettings
) -> None:
    models = models_with(knowing([BLUE]))
    ids = {
        ask(library, library.video, q, models=models, settings=s).run_id
        for q in ("What is the blue thing?", "What is the red thing?")
        for s in (settings, replace(settings, belief_bins=100))
    }
    assert len(ids) == 4


def test_a_model_that_fails_leaves_a_run_that_says_why_and_goes_on(
    library: PlainLibrary, settings: AskSettings
) -> None:
    model = knowing([BLUE], answer="a wall")
    yes, fails = model.yes_script, [True]

    def judge(prompt: RenderedPrompt, clips: Sequence[Clip]) -> float:
        if fails and len(model.calls) > 4:
            fails.pop()
            raise ModelError("out of memory")
        return yes(prompt, clips)

    model.yes_script = judge
    with pytest.raises(ModelError):
        ask(library, library.video, QUESTION, models=models_with(model), settings=settings)
    (left,) = RunStore.open(library.folder).runs()
    assert (left.status, left.stop_reason) == ("running", "interrupted: out of memory")
    found = ask(library, library.video, QUESTION, models=models_with(model), settings=settings)
    assert (found.run_id, found.status) == (left.run_id, "answered")


def test_a_state_that_an_earlier_version_wrote_is_gone_on_with(workspace: WorkspaceMaker) -> None:
    cues = [{"text": "blue", "group": "question", "weight": 1.0}]
    ws, state = workspace(knowing([BLUE]), QUESTION, cues=cues, reflect_question=QUESTION)
    for added in ("things", "events", "earlier_looks", "parts", "cited_lines"):
        del state[added]  # type: ignore[misc]
    survey = with_own_model("survey", NODES["survey"])
    assert survey(state, Runtime(context=ws))["next"] == "spotlight"
