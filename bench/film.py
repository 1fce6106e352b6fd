"""How fast demo films are drawn and written: `python -m bench.film [--minutes M]`."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from demo.draw import SceneFilm
from demo.film import render
from demo.script import make_script


def main() -> None:
    """Prints frames a second: drawing alone, and whole films with one process and with all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    minutes: float = parser.parse_args().minutes
    script = make_script(0, minutes)
    started, drawn = time.perf_counter(), 0
    for shot in script.shots[:60]:
        film = SceneFilm(shot.scene, width_px=320, height_px=192)
        for index in range(round((shot.end_s - shot.start_s) * script.fps)):
            film.frame(index / script.fps, noise_number=index)
            drawn += 1
    report("drawing alone, one process", drawn, time.perf_counter() - started)
    with tempfile.TemporaryDirectory() as folder:
        for n_processes in (1, None):
            path = Path(folder) / f"{n_processes}.mp4"
            started = time.perf_counter()
            render(script, path, n_processes=n_processes)
            name = "one process" if n_processes else "all cores"
            report(f"film written, {name}", script.n_frames, time.perf_counter() - started)
        megabytes = path.stat().st_size / 1e6
        sys.stdout.write(f"{megabytes / minutes * 60:.0f} MB an hour\n")


def report(what: str, n_frames: int, seconds: float) -> None:
    sys.stdout.write(f"{what}: {n_frames / seconds:.0f} frames/s\n")


if __name__ == "__main__":
    main()
