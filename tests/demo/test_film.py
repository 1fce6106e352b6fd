"""The film on disk: its frames' times and pictures, its sound, its truth, and failures."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import pairwise, zip_longest
from pathlib import Path

import av
import numpy as np
import pytest

from demo.draw import SceneFilm
from demo.film import render
from demo.script import make_script
from demo.truth import load_truth

SCRIPT = make_script(5, 1 / 3)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    render(SCRIPT, path, n_processes=1)
    return path


def test_frame_i_is_on_screen_at_i_over_fps(film: Path) -> None:
    with av.open(str(film)) as container:
        stream = container.streams.video[0]
        times = [f.pts * stream.time_base for f in container.decode(stream) if f.pts is not None]
        assert stream.codec_context.name == "h264"
        assert (stream.width, stream.height) == (320, 192)
    assert times == [pytest.approx(i / 8) for i in range(160)]


def test_a_frame_shows_its_shot_at_the_time_since_the_cut(film: Path) -> None:
    shot = SCRIPT.shots[1]
    number = round(shot.start_s * 8) + 5
    with av.open(str(film)) as container:
        frames = [f.to_ndarray(format="rgb24") for f in container.decode(video=0)]
    drawn = SceneFilm(shot.scene, width_px=320, height_px=192).frame(5 / 8, noise_number=number)
    far = SceneFilm(SCRIPT.shots[2].scene, width_px=320, height_px=192).frame(5 / 8)
    # H.264 takes the noise away, so pictures agree within a few grey levels.
    assert np.abs(frames[number].astype(int) - drawn).mean() < 9
    assert np.abs(frames[number].astype(int) - far).mean() > 20


def test_there_is_a_keyframe_every_two_seconds_or_sooner(film: Path) -> None:
    with av.open(str(film)) as container:
        keys = [i for i, p in enumerate(container.demux(video=0)) if p.is_keyframe]
    assert max(b - a for a, b in pairwise(keys)) <= 16


def test_sound_is_a_tone_as_long_as_the_film(film: Path) -> None:
    with av.open(str(film)) as container:
        stream = container.streams.audio[0]
        assert stream.codec_context.name == "aac"
        samples = np.concatenate([f.to_ndarray()[0] for f in container.decode(stream)])
        rate = stream.rate
    assert len(samples) / rate == pytest.approx(20, abs=0.2)
    heights = np.abs(np.fft.rfft(samples[rate : 2 * rate]))
    assert int(heights.argmax()) == pytest.approx(220, abs=1)


def test_truth_beside_the_film_is_the_script(film: Path) -> None:
    assert load_truth(film) == SCRIPT
    assert sorted(p.name for p in film.parent.iterdir()) == ["film.mp4", "film.truth.json"]


def _unlike(one: Path, two: Path) -> list[str]:
    """Which packets of two films are not the same, so that a failure says where it began."""

    def packets(path: Path) -> list[tuple[str, bytes]]:
        with av.open(str(path)) as container:
            return [(f"{p.stream.type} at {p.pts}", bytes(p)) for p in container.demux() if p.size]

    pairs = zip_longest(packets(one), packets(two), fillvalue=("no packet", b""))
    return [f"{a[0]} / {b[0]}: {len(a[1])} / {len(b[1])} bytes" for a, b in pairs if a != b]


def test_several_processes_draw_the_same_film(tmp_path: Path) -> None:
    script = make_script(6, 1.2)
    seen: list[tuple[int, int]] = []
    render(script, tmp_path / "one.mp4", n_processes=1, width_px=64, height_px=48)
    render(
        script,
        tmp_path / "two.mp4",
        n_processes=2,
        progress=lambda done, total: seen.append((done, total)),
        width_px=64,
        height_px=48,
    )
    assert _unlike(tmp_path / "one.mp4", tmp_path / "two.mp4") == []
    assert seen[-1] == (script.n_frames, script.n_frames)


def test_a_run_that_fails_leaves_nothing_under_the_name(tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        render(SCRIPT, tmp_path / "film.mp4", n_processes=1, progress=stop)
    assert list(tmp_path.iterdir()) == []


def test_what_another_process_draws_is_left_alone(tmp_path: Path) -> None:
    work = tmp_path / f".film.mp4.unfinished{os.getppid()}"
    work.mkdir()
    (work / "part-00000.mp4").write_bytes(b"half")
    render(SCRIPT, tmp_path / "film.mp4", n_processes=1, width_px=64, height_px=48)
    assert sorted(p.name for p in tmp_path.iterdir()) == [work.name, "film.mp4", "film.truth.json"]
    assert (work / "part-00000.mp4").read_bytes() == b"half"


def test_an_odd_size_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="321x192"):
        render(SCRIPT, tmp_path / "film.mp4", width_px=321)


_PARENT = """
import multiprocessing, os, time
from concurrent.futures import ProcessPoolExecutor
from demo.film import die_with_parent
context = multiprocessing.get_context("spawn")
pool = ProcessPoolExecutor(1, context, initializer=die_with_parent)
pool.submit(os.getpid).result()
print("begun", flush=True)
time.sleep(600)
"""


def test_a_process_of_a_killed_one_ends_too() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _PARENT], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "begun\n"
        parent.kill()
        # The other one has the same end of the pipe: it closes when both are gone.
        assert parent.communicate(timeout=120) == ("", None)
