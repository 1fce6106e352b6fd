"""A run of 200 steps on a ten-hour film stays fluid: what a person does is painted in 100 ms.

Measured by the browser itself (Event Timing: from the input to the next paint) on real input.
"""

from __future__ import annotations

import contextlib
import statistics
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, expect

import app
from agent.settings import AskSettings
from agent.types import Answer, Citation
from bench.films import Recipe, render
from index.library import Library
from index.run_rows import CallRow, FindingRow, LookRow, RunRow, StepRow
from index.runs import RunStore
from index.types import Span, Video
from tests.web.browsing import ARRIVED, READ_NUMBER, Visit, server, visit

pytestmark = pytest.mark.slow

HOURS, N_STEPS, LIMIT_MS = 10, 200, 100
_GAP_S = 5.0
_NOTE_INPUTS = """() => {
  window.inputs = [];
  new PerformanceObserver((list) => {
    for (const each of list.getEntries()) if (each.interactionId) window.inputs.push(each.duration);
  }).observe({ type: "event", durationThreshold: 16, buffered: false });
}"""


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


def record(folder: Path, video: Video) -> str:
    """A run of 200 steps in the library; returns its number."""
    rng = np.random.default_rng(0)
    run_id = "a2long2run22"
    steps = [step_of(index, video.span, rng) for index in range(N_STEPS)]
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


@pytest.fixture(scope="module")
def long_run(
    chromium: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Visit, str]]:
    """A page on a library with a ten-hour film and the run."""
    folder = tmp_path_factory.mktemp("long")
    library = folder / "library"
    library.mkdir()
    (library / "longshot.toml").write_text("[index]\nevery_s = 20.0\n")
    recipe = Recipe("ten-hours.mp4", gaps_s=(_GAP_S,), options={"g": "12", "bf": "0"})
    film = render(folder, recipe, n_frames=round(HOURS * 3600 / _GAP_S))
    flags = ["--library", str(library), "--models", "scripted"]
    assert app.run(["index", str(film.path), *flags]) == 0
    with contextlib.closing(Library.open(library)) as opened:
        (video,) = opened.videos()
    run_id = record(library, video)
    with server(library, models="scripted") as address:
        made = visit(chromium, address)
        yield made, run_id
        made.page.close()
        assert made.complaints == []


def test_every_interaction_is_painted_within_100_ms(long_run: tuple[Visit, str]) -> None:
    visited, run_id = long_run
    page = visited.open(f"run/{run_id}")
    expect(page.locator(".step-list .step")).to_have_count(N_STEPS)
    page.wait_for_function("() => document.querySelector('video')?.readyState >= 1")
    page.evaluate(_NOTE_INPUTS)
    box = page.locator(".timeline-lanes").bounding_box()
    assert box

    def press(key: str) -> Callable[[], None]:
        return lambda: page.keyboard.press(key)

    def click(share: float) -> Callable[[], None]:
        return lambda: page.mouse.click(box["x"] + share * box["width"], box["y"] + 10)

    def zoom_by_drag() -> None:
        page.mouse.move(box["x"] + 300, box["y"] - 20)
        page.mouse.down()
        page.mouse.move(box["x"] + 420, box["y"] - 20, steps=5)
        page.mouse.up()

    acts = [
        *[("step", press("j"))] * 10,
        *[("hit", press("n"))] * 10,
        *[("citation", press("c"))] * 10,
        *[("zoom", press("+"))] * 8,
        *[("whole film", press("0"))] * 2,
        *[("click", click(share)) for share in np.linspace(0.05, 0.95, 10)],
        *[("drag", zoom_by_drag)] * 2,
    ]
    taken: dict[str, list[float]] = {}
    for name, act in acts:
        page.evaluate("() => { window.inputs.length = 0; }")
        act()
        page.wait_for_timeout(120)
        # Inputs of under 16 ms are not even reported.
        taken.setdefault(name, []).append(max([8, *page.evaluate("() => window.inputs")]))
    for name, all_ms in taken.items():
        worst, middle = max(all_ms), statistics.median(all_ms)
        sys.stderr.write(f"\n{name}: median {middle:.0f} ms, worst {worst:.0f} ms")
    medians = {name: statistics.median(all_ms) for name, all_ms in taken.items()}
    assert {name: ms for name, ms in medians.items() if ms >= LIMIT_MS} == {}


def test_an_hour_long_film_starts_at_once_in_its_middle(long_run: tuple[Visit, str]) -> None:
    """The player asks for parts of the file; the frame that it shows is the right one."""
    visited, run_id = long_run
    ranges: list[int] = []
    visited.page.on(
        "response", lambda r: ranges.append(r.status) if r.url.endswith("/film") else None
    )
    page = visited.open(f"run/{run_id}")
    page.wait_for_function("() => document.querySelector('video')?.readyState >= 1")
    for hour in (8, 3):
        page.evaluate("s => { document.querySelector('video').currentTime = s; }", hour * 3600 + 2)
        page.wait_for_function(ARRIVED)
        number = page.evaluate(READ_NUMBER)
        assert number == hour * 3600 / _GAP_S
    assert set(ranges) == {206}
