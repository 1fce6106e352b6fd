"""A demo film in a library of hash vectors, and a fake model that knows its truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from agent.backends.scripted import ScriptedVideoLLM
from agent.models import ModelChoice, Models
from agent.presets import demo_settings
from agent.settings import AskSettings
from agent.videollm import Clip
from demo.film import render
from demo.questions import make_questions, question_to_json
from demo.script import make_script
from evals.items import Item, item_from_json
from index.build import build
from index.encoder_hash import HashEncoder
from index.library import Library
from prompts.render import RenderedPrompt

SCRIPT = make_script(4, 1.0)


@dataclass(frozen=True, slots=True)
class Bench:
    """All that an evaluation needs."""

    film: Path
    library: Library
    items: list[Item]
    models: Models
    videollm: ScriptedVideoLLM
    settings: AskSettings


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("films") / "minute.mp4"
    render(SCRIPT, path, width_px=160, height_px=96, n_processes=1)
    return path


@pytest.fixture(scope="session")
def library(film: Path, tmp_path_factory: pytest.TempPathFactory) -> Library:
    made = Library.open(tmp_path_factory.mktemp("library"))
    build(made, [film], encoder=HashEncoder(), progress=lambda event: None)
    return made


@pytest.fixture
def bench(film: Path, library: Library) -> Bench:
    lines = make_questions(SCRIPT, video=str(film), n=20, seed=0)
    items = [item_from_json(question_to_json(q)) for q in lines]
    videollm = all_knowing(items)
    choice = ModelChoice(asked="scripted", encoder="hash", videollm="scripted", why="a test")
    models = Models(choice, HashEncoder(), videollm)
    # The scripted model goes by the question, which the prompt for a neighbour alone leaves out.
    settings = demo_settings()
    settings = replace(settings, answer=replace(settings.answer, neighbour_alone=False))
    return Bench(film, library, items, models, videollm, settings)


def all_knowing(items: Sequence[Item]) -> ScriptedVideoLLM:
    """A model that answers rightly whenever a frame of a true span is in its prompt."""

    def item_of(prompt: RenderedPrompt) -> Item | None:
        text = " ".join(prompt.text.split())
        return next((item for item in items if item.question in text), None)

    def sees(item: Item | None, clips: Sequence[Clip]) -> bool:
        times = [t for clip in clips for t in clip.times_s]
        return item is not None and any(
            span.start_s <= t < span.end_s for span in item.evidence for t in times
        )

    def reply(prompt: RenderedPrompt, clips: Sequence[Clip]) -> str:
        item = item_of(prompt)
        return item.answer if item is not None and sees(item, clips) else "not enough"

    def yes(prompt: RenderedPrompt, clips: Sequence[Clip]) -> float:
        return 0.95 if sees(item_of(prompt), clips) else 0.05

    def choose(
        prompt: RenderedPrompt, clips: Sequence[Clip], options: Sequence[str]
    ) -> list[float]:
        item = item_of(prompt)
        if item is None or not sees(item, clips):
            return [1.0] * len(options)
        return [8.0 if option == item.answer else 1.0 for option in options]

    return ScriptedVideoLLM(reply_script=reply, yes_script=yes, choice_script=choose)
