"""From an answer down to the pixels, by the run's rows alone."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from agent.ask import ask, fork
from agent.backends.scripted import knowing
from agent.fork import ForkPlan
from agent.lineage import lineage_of
from agent.settings import AskSettings
from agent.trace import load_run
from agent.types import Citation
from index.media import open_video
from index.run_rows import StepRow
from index.runs import RunStore
from index.types import Span
from prompts.render import render
from tests.agent.conftest import PlainLibrary, models_with

BLUE = Span(110, 120)


def asked(library: PlainLibrary, settings: AskSettings) -> str:
    models = models_with(knowing([BLUE], answer="a wall"))
    question = "What is the blue thing?"
    return ask(library, library.video, question, models=models, settings=settings).run_id


def test_every_link_from_the_answer_to_the_pixels_is_recorded(
    library: PlainLibrary, settings: AskSettings
) -> None:
    run_id = asked(library, settings)
    found = lineage_of(*load_run(RunStore.open(library.folder), run_id))
    assert (found["answer"], found["gaps"]) == ("a wall", [])
    (citation,) = found["citations"]
    assert (citation["start"], citation["end"], citation["verified"]) == (110, 120, True)
    assert citation["findings"][0]["confidence"] > 0.5
    first = citation["looks"][0]
    assert first["look"] == citation["look"]
    assert f" {len(first['frames'])} equal parts" in first["sampling"]
    (shown, *_) = [s for look in citation["looks"] for s in look["shown_to"]]
    assert shown["model"] == "scripted (a fake for tests)"
    assert shown["model_hash"] == "scripted"
    prompts = {s["prompt"]: s["prompt_hash"] for k in citation["looks"] for s in k["shown_to"]}
    assert prompts["reflect"] == render("reflect", n_clips=1, question="x").file_hash


def test_a_frames_hash_is_that_of_the_pixels_that_the_film_gives_again(
    library: PlainLibrary, settings: AskSettings
) -> None:
    run_id = asked(library, settings)
    found = lineage_of(*load_run(RunStore.open(library.folder), run_id))
    look = found["citations"][0]["looks"][0]
    size = look["width_px"], look["height_px"]
    times = [frame["time"] for frame in look["frames"]]
    with_film = open_video(library.video.path)
    frames = with_film.frames_at(times, width_px=size[0], height_px=size[1])
    with_film.close()
    for frame, recorded in zip(frames, look["frames"], strict=True):
        head = f"{size[0]}x{size[1]}\n".encode()
        assert recorded["pixels"] == hashlib.sha256(head + frame.pixels.tobytes()).hexdigest()


def test_what_a_fork_took_over_is_told_from_its_own(
    library: PlainLibrary, settings: AskSettings
) -> None:
    parent = asked(library, settings)
    models = models_with(knowing([BLUE], answer="a wall"))
    last = len(RunStore.open(library.folder).steps(parent)) - 1
    forked = fork(library, parent, ForkPlan(last), models=models)
    found = lineage_of(*load_run(RunStore.open(library.folder), forked.run_id))
    assert found["gaps"] == []
    taken_over = {k["look"]: k["from_parent"] for k in found["citations"][0]["looks"]}
    assert set(taken_over.values()) == {True, False}
    assert all(is_old == (int(name.split(".")[0]) < last) for name, is_old in taken_over.items())


def test_what_was_not_recorded_is_named_as_a_gap(
    library: PlainLibrary, settings: AskSettings
) -> None:
    run, steps, answer = load_run(RunStore.open(library.folder), asked(library, settings))
    bare = [
        replace(s, calls=(), looks=tuple(replace(k, pixel_hashes=()) for k in s.looks))
        for s in steps
    ]
    gaps = lineage_of(run, bare, answer)["gaps"]
    assert any("no model was shown the look" in gap for gap in gaps)
    assert any("were not hashed" in gap for gap in gaps)
    (gap,) = lineage_of(run, [], answer)["gaps"]
    assert "is not in the trace" in gap


def test_what_was_said_rests_on_the_line_and_the_step_that_found_it(
    library: PlainLibrary, settings: AskSettings
) -> None:
    run, _, answer = load_run(RunStore.open(library.folder), asked(library, settings))
    assert answer is not None
    line = {"start": 22.0, "end": 24.0, "share": 1.0, "source": "subtitles", "text": "The keeper."}
    other = {**line, "start": 63.0, "end": 66.0}
    heard = StepRow(1, "words", "a line answers it", data={"passages": [line, other]})
    cited = Citation(1, Span(22, 24), "subtitles: The keeper.", (), "", lane="words")
    found = lineage_of(run, [heard], replace(answer, citations=(cited,)))
    assert found["gaps"] == []
    assert found["citations"][0]["lines"] == [{"step": 1, **line}]
    (gap,) = lineage_of(run, [], replace(answer, citations=(cited,)))["gaps"]
    assert "the line is not in the trace" in gap
