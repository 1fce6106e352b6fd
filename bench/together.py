"""What a look's judgement takes when several are judged together, against one after the other.

    python -m bench.together [--models demo] [--frames 4] [--size 160x96]

Clips of noise with times far apart, the prompt of the search; each pair is measured one after the
other, so that a busy machine slows both.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np

from agent.models import choose_models, open_videollm
from agent.videollm import Clip, VideoLLM
from prompts.render import render

LOOKS = (2, 4, 8)
_PAIRS = 9


def looks(n: int, *, n_frames: int, width_px: int, height_px: int) -> list[Clip]:
    """So many clips, two frames a second."""
    rng = np.random.default_rng(0)
    shape = (n_frames, height_px, width_px, 3)
    return [
        Clip(
            tuple(60.0 * i + frame / 2 for frame in range(n_frames)),
            rng.integers(0, 256, shape, dtype=np.uint8),
        )
        for i in range(n)
    ]


def seconds_of(judging: Callable[[], object]) -> float:
    """Wall time of one call."""
    began_s = time.perf_counter()
    judging()
    return time.perf_counter() - began_s


def pairs_of(videollm: VideoLLM, clips: list[Clip]) -> list[tuple[float, float]]:
    """Seconds one after the other, and together."""
    prompt = render("reflect", n_clips=1, question="What is the red thing?")

    def alone() -> None:
        for clip in clips:
            videollm.judge(prompt, [clip])

    def together() -> None:
        videollm.judge_each(prompt, clips)

    together()
    return [(seconds_of(alone), seconds_of(together)) for _ in range(_PAIRS)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", default="demo")
    parser.add_argument("--frames", type=int, default=4)
    parser.add_argument("--size", default="160x96")
    asked = parser.parse_args()
    width_px, height_px = (int(side) for side in asked.size.split("x"))
    videollm = open_videollm(choose_models(asked.models))
    sys.stdout.write("| looks | one by one, ms a look | together, ms a look | ratio |\n")
    sys.stdout.write("| --- | --- | --- | --- |\n")
    for n in LOOKS:
        clips = looks(n, n_frames=asked.frames, width_px=width_px, height_px=height_px)
        pairs = pairs_of(videollm, clips)
        alone_ms, together_ms = (
            1000 * statistics.median(column) / n for column in zip(*pairs, strict=True)
        )
        ratio = statistics.median(b / a for a, b in pairs)
        sys.stdout.write(f"| {n} | {alone_ms:.0f} | {together_ms:.0f} | {ratio:.2f} |\n")


if __name__ == "__main__":
    main()
