"""How soon the page paints what a person does in a long run on a ten-hour film.

    python -m bench.page [--pairs 3]

Measured by the browser itself (Event Timing: from an input to the next paint) on real input, in a
run of 200 steps and in one of 10 on the same film in turn: the ratio says what length costs.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, expect

import app
from agent.settings import AskSettings
from agent.types import Answer, Citation
from bench.films import Recipe, render
from index.library import Library
from index.run_rows import CallRow, FindingRow, LookRow, RunRow, StepRow
from index.runs import RunStore
from index.types import Span, Video
from tests.web.browsing import Visit, browser, server, visit

HOURS, LONG, SHORT = 10, 200, 10
"""Hours of the film, and the steps of the two runs."""
GAP_S = 5.0
"""Seconds from one frame of the film to the next."""
_NOTE_INPUTS = """() => {
  window.inputs = [];
  new PerformanceObserver((list) => {
    for (const each of list.getEntries()) if (each.interactionId) window.inputs.push(each.duration);
  }).observe({ type: "event", durationThreshold: 16, buffered: false });
}"""
_SHORTEST_MS = 8.0
"""What counts for an input that is not even reported: those of under 16 ms."""


def step_of(index: int, film: Span, rng: np.random.Generator) -> StepRow:
    """A step with four looks of eight frames, as a reflection has them."""
    looks, findings, calls = [], [], []
    for number in range(4):
        start = float(rng.uniform(0, film.end_s - 60))
        span = Span(start, start + float(rng.uniform(4, 50)))
        look_id = f"{index}.{number}"
        times = tuple(span.start_s + span.duration_s * (k + 0.5) / 8 for k in range(8))
        looks.append(LookRow(look_id, span, times, 448, 256, 900, "the belief is high here (2.0%)"))
        p_yes = float(rng.uniform())
        findings.append(FindingRow(look_id, look_id, span, p_yes=p_yes, confidence=p_yes))
        prompt = f"<video> is it here, at {start:.3f}?\n" * 60
        score = {"yes": p_yes, "mass": 0.99}
        calls.append(CallRow("reflect", "abc", prompt, "", score, (look_id,), {"calls": 1}))
    masses = rng.dirichlet(np.full(200, 0.3), size=2).tolist()
    return StepRow(
        index,
        "reflect",
        "2 of 4 looks show it; the search goes on",
        looks=tuple(looks),
        calls=tuple(calls),
        findings=tuple(findings),
        belief_before=tuple(masses[0]),
        belief_after=tuple(masses[1]),
        absent_after=0.1,
        usage={"calls": 4, "visual_tokens": 3600, "seconds": 2.0},
    )


def record(folder: Path, video: Video, n_steps: int) -> str:
    """A run of that many steps in the library; returns its number."""
    rng = np.random.default_rng(0)
    run_id = f"a2long2run{n_steps}"
    steps = [step_of(index, video.span, rng) for index in range(n_steps)]
    names = {"encoder": "hash", "videollm": "scripted"}
    row = RunRow(
        run_id=run_id,
        video_id=video.video_id,
        video_hash=video.content_hash,
        video_path=str(video.path),
        question="when does it happen?",
        options=(),
        models=names,
        settings=asdict(AskSettings()),
        question_key="k",
        started_at="2026-01-01T00:00:00+00:00",
        process_id=1,
    )
    looks = [look for step in steps[:40] for look in step.looks[:1]]
    cited = tuple(Citation(1, look.span, "it", look.times_s, look.look_id) for look in looks)
    answer = Answer(
        run_id=run_id,
        question=row.question,
        answer="often",
        choice=None,
        confidence=0.9,
        status="answered",
        citations=cited,
        usage={"calls": 800.0, "seconds": 400.0},
        models=names,
        stop_reason="sufficient",
        kind="all",
    )
    with contextlib.closing(RunStore.open(folder)) as store:
        store.start(row)
        for step in steps:
            store.record(run_id, step)
        store.finish(run_id, status="answered", stop_reason="sufficient", answer=answer.to_json())
    return run_id


def make_library(folder: Path, *, steps: tuple[int, ...]) -> list[str]:
    """A library with a ten-hour film and a run of each number of steps; the runs' numbers."""
    (folder / "longshot.toml").write_text("[index]\nevery_s = 20.0\n")
    recipe = Recipe("ten-hours.mp4", gaps_s=(GAP_S,), options={"g": "12", "bf": "0"})
    film = render(folder, recipe, n_frames=round(HOURS * 3600 / GAP_S))
    flags = ["--library", str(folder), "--models", "scripted"]
    if app.run(["index", str(film.path), *flags]) != 0:
        raise RuntimeError("the film was not indexed")
    with contextlib.closing(Library.open(folder)) as opened:
        (video,) = opened.videos()
    return [record(folder, video, each) for each in steps]


def open_run(visited: Visit, run_id: str, n_steps: int) -> Page:
    """The page with the run on it and the film's player ready."""
    page = visited.open(f"run/{run_id}")
    expect(page.locator(".step-list .step")).to_have_count(n_steps)
    page.wait_for_function("() => document.querySelector('video')?.readyState >= 1")
    return page


def interactions(page: Page) -> Iterator[tuple[str, Callable[[], None]]]:
    """What a person does in a run, as (name, act), several times each."""
    box = page.locator(".timeline-lanes").bounding_box()
    if not box:
        raise RuntimeError("the page shows no timeline")
    left, top, width = box["x"], box["y"], box["width"]

    def press(key: str) -> Callable[[], None]:
        return lambda: page.keyboard.press(key)

    def click(share: float) -> Callable[[], None]:
        return lambda: page.mouse.click(left + share * width, top + 10)

    def zoom_by_drag() -> None:
        page.mouse.move(left + 300, top - 20)
        page.mouse.down()
        page.mouse.move(left + 420, top - 20, steps=5)
        page.mouse.up()

    for name, key, times in (
        ("next step", "j", 10),
        ("next hit", "n", 10),
        ("next citation", "c", 10),
        ("zoom by key", "+", 8),
        ("whole film", "0", 2),
    ):
        yield from [(name, press(key))] * times
    yield from (("click", click(share)) for share in np.linspace(0.05, 0.95, 10))
    yield from [("zoom by dragging", zoom_by_drag)] * 2


def paint_times(page: Page) -> dict[str, list[float]]:
    """Milliseconds from input to paint of each interaction; of an act's inputs, the longest."""
    page.evaluate(_NOTE_INPUTS)
    taken: dict[str, list[float]] = {}
    for name, act in interactions(page):
        page.evaluate("() => { window.inputs.length = 0; }")
        act()
        page.wait_for_timeout(120)
        found = page.evaluate("() => window.inputs")
        taken.setdefault(name, []).append(max([_SHORTEST_MS, *found]))
    return taken


def main() -> None:
    """Prints median and worst of each interaction in both runs, and the medians' ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=3)
    pairs: int = parser.parse_args().pairs
    sizes = (LONG, SHORT)
    taken: dict[int, dict[str, list[float]]] = {size: {} for size in sizes}
    with tempfile.TemporaryDirectory() as name, browser() as chromium:
        folder = Path(name)
        run_ids = make_library(folder, steps=sizes)
        with server(folder, models="scripted") as address:
            for size, run_id in list(zip(sizes, run_ids, strict=True)) * pairs:
                visited = visit(chromium, address)
                for act, all_ms in paint_times(open_run(visited, run_id, size)).items():
                    taken[size].setdefault(act, []).extend(all_ms)
                visited.page.close()
    for act, all_ms in taken[LONG].items():
        long_ms, short_ms = statistics.median(all_ms), statistics.median(taken[SHORT][act])
        sys.stdout.write(
            f"{act}: {LONG} steps {long_ms:.0f} ms (worst {max(all_ms):.0f}), "
            f"{SHORT} steps {short_ms:.0f} ms, ratio {long_ms / short_ms:.2f}\n"
        )


if __name__ == "__main__":
    main()
