"""What a film's length costs the search itself, without models and decoding.

    python -m bench.lengths

Films of noise with one moment that the vectors know, from ten minutes to ten hours, each shot about
eight seconds; a scripted model sees the moment when it looks there. What is timed is all that the
agent does by itself: prior, windows, queue, belief, trace.
"""

from __future__ import annotations

import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from agent.backends.scripted import knowing
from agent.graph import build_graph, step_limit
from agent.settings import AskSettings, LookSettings
from agent.state import initial_state
from agent.types import Question
from agent.workspace import Film, Workspace
from index.encoder_hash import HashEncoder
from index.run_rows import RunRow
from index.runs import RunStore
from index.types import Frame, Shot, Span, Video, VideoFacts
from tools.look import FrameCache

LENGTHS_MIN = (10, 60, 180, 600)
QUESTION = "Where is the red wall?"
_SHOT_S = 8.0
_REPEATS = 5


class GreyFrames:
    """A source of frames that costs nothing."""

    def frames_at(self, times_s: Any, *, width_px: int, height_px: int) -> list[Frame]:
        pixels = np.full((height_px, width_px, 3), 128, np.uint8)
        return [Frame(float(t), pixels) for t in times_s]


@dataclass(frozen=True, slots=True)
class Rows:
    """A timeline, or the vectors of clips."""

    times_s: Any
    vectors: Any
    motion: Any
    spans: tuple[Span, ...]


def film_of(minutes: int, encoder: HashEncoder) -> Film:
    """A film of random vectors with the question's own vector in one shot."""
    rng = np.random.default_rng(minutes)
    n = minutes * 60
    text = encoder.encode_texts(["the red wall"])[0]
    vectors = rng.normal(size=(n, len(text))).astype(np.float32)
    shots = [Shot(i, Span(i * _SHOT_S, (i + 1) * _SHOT_S)) for i in range(int(n / _SHOT_S))]
    shown = shots[int(0.7 * len(shots))].span
    inside = slice(int(shown.start_s), int(shown.end_s))
    vectors[inside] = 4 * text + vectors[inside] / np.sqrt(len(text))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    middles = [int(s.span.middle_s) for s in shots]
    rows = Rows(np.arange(n) + 0.5, vectors, np.full(n, 0.02), tuple(s.span for s in shots))
    facts = VideoFacts(
        duration_s=float(n),
        container_start_s=0.0,
        width_px=160,
        height_px=96,
        n_frames=n,
        fps=1.0,
        codec="none",
        rotation_degrees=0,
        has_audio=False,
    )
    return Film(
        video=Video(video_id=1, content_hash="bench", path=Path("bench.mp4"), facts=facts),
        timeline=rows,
        clips=replace(rows, vectors=vectors[middles]),
        shots=tuple(shots),
        strip=lambda times: GreyFrames().frames_at(times, width_px=160, height_px=96),
    )


def ask_once(film: Film, encoder: HashEncoder, folder: Path) -> tuple[float, dict[str, Any]]:
    """Seconds of one question, and its answer; frames and models cost nothing."""
    shown = film.shots[int(0.7 * len(film.shots))].span
    settings = AskSettings(look=LookSettings(short_side_px=32, high_short_side_px=64))
    with closing(RunStore.open(folder)) as runs:
        run_id = f"{film.video.facts.duration_s:g}-{time.monotonic_ns()}"
        runs.start(RunRow(run_id, 1, "bench", "", QUESTION, (), {}, {}, run_id, "2026-01-01", 1))
        workspace = Workspace(
            run_id=run_id,
            question=Question(QUESTION),
            film=film,
            frames=FrameCache(GreyFrames()),
            encoder=encoder,
            videollm=knowing([shown]),
            settings=settings,
            runs=runs,
            on_step=lambda step: None,
        )
        began_s = time.perf_counter()
        state = build_graph().invoke(
            initial_state(), {"recursion_limit": step_limit(settings)}, context=workspace
        )
        return time.perf_counter() - began_s, state["answer"]


def main() -> None:
    encoder = HashEncoder()
    films = {minutes: film_of(minutes, encoder) for minutes in LENGTHS_MIN}
    sys.stdout.write("| minutes | s, median | visual tokens | looks | status |\n")
    sys.stdout.write("| --- | --- | --- | --- | --- |\n")
    with tempfile.TemporaryDirectory() as folder:
        ask_once(films[LENGTHS_MIN[0]], encoder, Path(folder))  # imports and tables
        seconds: dict[int, list[float]] = {minutes: [] for minutes in LENGTHS_MIN}
        answers = {}
        # In turns, so that what else the machine does falls on all alike.
        for _ in range(_REPEATS):
            for minutes, film in films.items():
                taken_s, answers[minutes] = ask_once(film, encoder, Path(folder))
                seconds[minutes].append(taken_s)
    for minutes, times in seconds.items():
        usage = answers[minutes]["usage"]
        sys.stdout.write(
            f"| {minutes} | {np.median(times):.2f} | {usage['visual_tokens']:.0f} |"
            f" {usage['looks']:.0f} | {answers[minutes]['status']} |\n"
        )


if __name__ == "__main__":
    main()
