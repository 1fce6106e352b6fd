"""Which backend decodes right, and which one fast: the measurement behind `--decode auto`.

    python -m bench.decode [--frames 1500]

Renders films whose frames show their own numbers, then asks each backend for frames at random
times and for one frame a second. "refused" means that the backend said so before reading, "wrong"
that it showed another frame than the one on screen. "decord, by fps" is decord as it is often
used, position = time × fps, without our checks. Speeds are the best of five.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bench.films import HEIGHT_PX, RECIPES, WIDTH_PX, Film, is_upright, read_number, render, turn
from index.errors import MediaError
from index.media import open_video

_N_RANDOM = 24
_N_REPEATS = 5


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=1500)
    n_frames = parser.parse_args(arguments).frames
    with tempfile.TemporaryDirectory() as name:
        films = _films(Path(name), n_frames=n_frames)
        _say("| film | backend | right | random, ms a frame | 1 fps, times real time |")
        _say("| --- | --- | --- | --- | --- |")
        for film, shape in films:
            for backend in ("pyav", "decord"):
                _say(f"| {film.path.name} | {backend} | {_measure(film, backend, shape)} |")
            _say(f"| {film.path.name} | decord, by fps | {_by_fps(film)} |")
    if importlib.util.find_spec("torchcodec") is None:
        _say("\ntorchcodec: not installed (it needs a system FFmpeg), skipped")
    else:
        _say("\ntorchcodec: installed, but Longshot has no backend for it, skipped")


def _films(folder: Path, *, n_frames: int) -> list[tuple[Film, tuple[int, int]]]:
    """Films with width and height of their upright pictures."""
    films = [render(folder, recipe, n_frames=n_frames) for recipe in RECIPES]
    turned = turn(films[0], folder / "turned.mp4", quarter_turns=2)
    return [(film, (WIDTH_PX, HEIGHT_PX)) for film in [*films, turned]]


def _measure(film: Film, backend: str, shape: tuple[int, int]) -> str:
    upside_down = film.path.name.startswith("turned")
    try:
        reader = open_video(film.path, backend=backend)
    except MediaError as error:
        return f"refused: {error.message.rpartition(': ')[2]} | | "
    try:
        width_px, height_px = shape
        times_s = np.random.default_rng(0).uniform(0, reader.facts.duration_s, _N_RANDOM)
        spent_s = []
        for _ in range(_N_REPEATS):
            begin = time.perf_counter()
            frames = reader.frames_at(times_s.tolist(), width_px=width_px, height_px=height_px)
            spent_s.append(time.perf_counter() - begin)
        random_ms = min(spent_s) * 1000 / len(frames)
        n_right = 0
        for frame, time_s in zip(frames, times_s, strict=True):
            pixels = frame.pixels[::-1, ::-1] if upside_down else frame.pixels
            n_right += is_upright(pixels) and read_number(pixels) == film.number_at(time_s)
        spent_s = []
        for _ in range(_N_REPEATS):
            begin = time.perf_counter()
            for _ in reader.sample(every_s=1.0, width_px=width_px, height_px=height_px):
                pass
            spent_s.append(time.perf_counter() - begin)
        speed = reader.facts.duration_s / min(spent_s)
    finally:
        reader.close()
    return f"{n_right}/{len(frames)} | {random_ms:.1f} | {speed:.0f}"


def _by_fps(film: Film) -> str:
    if importlib.util.find_spec("decord") is None:
        return "not installed | | "
    if film.path.suffix == ".ts":
        return "not run: it hangs on such files | | "
    import decord

    reader = decord.VideoReader(str(film.path), num_threads=1)
    times_s = np.random.default_rng(0).uniform(0, film.times_s[-1], _N_RANDOM)
    n_right = 0
    for time_s in times_s:
        position = min(len(reader) - 1, int(time_s * reader.get_avg_fps()))
        pixels = reader[position].asnumpy()
        if film.path.name.startswith("turned"):
            pixels = pixels[::-1, ::-1]
        n_right += read_number(pixels) == film.number_at(time_s)
    return f"{n_right}/{_N_RANDOM} | | "


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
