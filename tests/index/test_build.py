"""Indexing: what ends up in the library, what is done again and what is not."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench.films import Film
from index.build import BuildReport, IndexSettings, ProgressEvent, build
from index.encoder import Encoder, open_encoder
from index.encoder_hash import HashEncoder
from index.errors import LibraryError
from index.library import Library
from index.lock import writer_lock
from tests.conftest import render_scenes

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return open_encoder("hash")


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library.open(tmp_path / "library")


def index(library: Library, *paths: Path, encoder: Encoder, rebuild: bool = False) -> BuildReport:
    settings = IndexSettings(rebuild=rebuild)
    return build(library, paths, encoder=encoder, settings=settings, progress=lambda event: None)


def test_a_film_is_indexed_with_its_shots_seconds_clips_and_strip(
    scenes: Film, library: Library, encoder: Encoder
) -> None:
    report = index(library, scenes.path, encoder=encoder)
    (video,) = report.indexed
    assert [shot.span.start_s for shot in library.shots(video.video_id)] == [0.0, 4.0, 13.5, 16.5]
    assert library.shots(video.video_id)[-1].span.end_s == pytest.approx(19.0)
    timeline = library.timeline(video.video_id)
    assert timeline.times_s.tolist() == list(range(19))
    assert np.linalg.norm(timeline.vectors, axis=1) == pytest.approx(1.0, abs=1e-5)
    assert timeline.motion.argmax() in (4, 13, 16)
    spans = library.clips(video.video_id).spans
    # The 9.5 s of green are cut into two equal windows of at most 8 s.
    assert [span.start_s for span in spans] == [0.0, 4.0, 8.75, 13.5, 16.5]
    frames = library.strip(video.video_id, [0.0, 6.2, 17.0])
    assert [frame.time_s for frame in frames] == [0.0, 6.0, 17.0]
    assert [int(frame.pixels[10, 10].argmax()) for frame in frames] == [0, 1, 0]
    assert frames[0].pixels.shape == (160, 267, 3)


def test_search_finds_the_clip_that_shows_the_colour(
    scenes: Film, library: Library, encoder: Encoder
) -> None:
    index(library, scenes.path, encoder=encoder)
    (hits,) = library.nearest(encoder.encode_texts(["blue"]), limit=2)
    assert (hits[0].span.start_s, hits[0].span.end_s) == (13.5, 16.5)
    assert hits[0].score > hits[1].score
    assert hits[0].lane == "picture"


def test_indexing_again_does_nothing(scenes: Film, library: Library, encoder: Encoder) -> None:
    index(library, scenes.path, encoder=encoder)
    before = library.store.generation
    events: list[ProgressEvent] = []
    report = build(library, [scenes.path], encoder=encoder, progress=events.append)
    assert not report.indexed
    assert len(report.unchanged) == 1
    assert library.store.generation == before
    assert not events


def test_the_speed_of_indexing_is_kept(
    scenes: Film, library: Library, encoder: Encoder, tmp_path: Path
) -> None:
    assert library.store.index_runs.speed() is None
    report = index(library, scenes.path, encoder=encoder)
    speed = library.store.index_runs.speed()
    assert speed is not None
    # 19 s of film in no more than the whole run took.
    assert speed >= 19 / report.seconds
    (tmp_path / "broken.mp4").write_text("no film")
    index(library, scenes.path, tmp_path / "broken.mp4", encoder=encoder)
    assert library.store.index_runs.speed() == speed, "nothing was read"
    library.store.index_runs.begin(encoder="another")
    assert library.store.index_runs.speed() is None, "how fast another encoder was says nothing"


def test_a_moved_film_is_found_again(
    scenes: Film, library: Library, encoder: Encoder, tmp_path: Path
) -> None:
    old, new = tmp_path / "old.mp4", tmp_path / "new.mp4"
    shutil.copy(scenes.path, old)
    (video,) = index(library, old, encoder=encoder).indexed
    old.rename(new)
    report = index(library, new, encoder=encoder)
    assert not report.indexed
    assert [(each.video_id, each.path) for each in report.unchanged] == [(video.video_id, new)]
    assert library.find("new.mp4").video_id == video.video_id


def test_equal_files_are_one_film(
    scenes: Film, library: Library, encoder: Encoder, tmp_path: Path
) -> None:
    folder = tmp_path / "films"
    folder.mkdir()
    for name in ("a.mp4", "b.mp4"):
        shutil.copy(scenes.path, folder / name)
    report = index(library, folder, encoder=encoder)
    assert [video.path.name for video in report.indexed] == ["a.mp4"]
    assert [(copy.path.name, copy.video) for copy in report.copies] == [
        ("b.mp4", report.indexed[0])
    ]
    assert library.find(str(folder / "a.mp4")) == library.find(str(folder / "b.mp4"))
    (folder / "a.mp4").unlink()
    left = index(library, folder / "b.mp4", encoder=encoder)
    assert [video.path.name for video in left.unchanged] == ["b.mp4"]
    assert not left.copies


def test_a_changed_file_is_a_new_film_and_the_old_one_is_gone(
    library: Library, encoder: Encoder, tmp_path: Path
) -> None:
    film = render_scenes(tmp_path)
    index(library, film.path, encoder=encoder)
    kept = film.path.read_bytes()
    render_scenes(tmp_path, shade=8)
    (second,) = index(library, film.path, encoder=encoder).indexed
    assert [video.video_id for video in library.videos()] == [second.video_id]
    film.path.write_bytes(kept)
    os.utime(film.path, ns=(1, 1))
    report = index(library, film.path, encoder=encoder)
    assert not report.indexed, "what was known of the first content is used again"
    assert [video.video_id for video in library.videos()] == [1]


def test_seconds_that_cannot_be_decoded_are_noted(
    scenes: Film, library: Library, encoder: Encoder, tmp_path: Path
) -> None:
    data = bytearray(scenes.path.read_bytes())
    start, end = int(len(data) * 0.3), int(len(data) * 0.7)
    data[start:end] = bytes(end - start)
    damaged = tmp_path / "damaged.mp4"
    damaged.write_bytes(data)
    (video,) = index(library, damaged, encoder=encoder).indexed
    n_lost = 19 - len(library.timeline(video.video_id).times_s)
    assert n_lost > 0
    assert f"about {n_lost} s of it cannot be decoded" in video.facts.notes
    assert library.find(str(damaged)).facts.notes == video.facts.notes
    (whole,) = index(library, scenes.path, encoder=encoder).indexed
    assert whole.facts.notes == ()


def test_one_bad_file_never_stops_the_rest(
    scenes: Film, library: Library, encoder: Encoder, tmp_path: Path
) -> None:
    (tmp_path / "a.mp4").write_bytes(b"no video")
    shutil.copy(scenes.path, tmp_path / "b.mp4")
    (tmp_path / "notes.txt").write_text("not looked at")
    report = index(library, tmp_path, tmp_path / "none.mp4", encoder=encoder)
    assert [video.path.name for video in report.indexed] == ["b.mp4"]
    assert [failure.path.name for failure in report.failures] == ["a.mp4", "none.mp4"]
    assert "does not exist" in report.failures[1].message


def test_an_empty_folder_is_reported(library: Library, encoder: Encoder, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (failure,) = index(library, tmp_path / "empty", encoder=encoder).failures
    assert "holds no video files" in failure.message


def test_progress_tells_stage_film_and_seconds(
    scenes: Film, library: Library, encoder: Encoder
) -> None:
    events: list[ProgressEvent] = []
    build(library, [scenes.path], encoder=encoder, progress=events.append)
    assert [(event.stage, event.done, event.total) for event in events] == [
        ("read", 0, 1),
        ("index", 0, 19),
        ("index", 19, 19),
    ]


def test_vectors_of_two_encoders_never_mix(
    scenes: Film, library: Library, encoder: Encoder
) -> None:
    index(library, scenes.path, encoder=encoder)
    other = HashEncoder()
    other.identity = replace(other.identity, name="another", weights_hash="0" * 64)
    with pytest.raises(LibraryError, match="longshot index --rebuild"):
        index(library, scenes.path, encoder=other)
    report = index(library, encoder=other, rebuild=True)
    assert len(report.indexed) == 1
    assert library.encoder_identity() == other.identity
    with pytest.raises(LibraryError, match="was indexed with another"):
        library.check_encoder(encoder.identity)


def test_a_second_indexer_is_refused_and_harms_nothing(
    scenes: Film, library: Library, encoder: Encoder
) -> None:
    with (
        writer_lock(library.folder),
        pytest.raises(LibraryError, match="another process is writing"),
    ):
        index(library, scenes.path, encoder=encoder)
    assert len(index(library, scenes.path, encoder=encoder).indexed) == 1


_RUN = """
import sys
from pathlib import Path
from index.build import IndexSettings, build
from index.encoder import open_encoder
from index.library import Library
library = Library.open(Path(sys.argv[1]))
settings = IndexSettings(every_s=1 / 32, batch_size=16)
build(library, [Path(sys.argv[2])], encoder=open_encoder("hash"), settings=settings,
      progress=lambda event: print(event.stage, event.done, flush=True))
"""


def test_a_killed_run_ends_with_the_library_of_an_unbroken_one(
    scenes: Film, tmp_path: Path
) -> None:
    unbroken, broken = tmp_path / "unbroken", tmp_path / "broken"

    def start(folder: Path) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", _RUN, str(folder), str(scenes.path)]
        return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)

    assert start(unbroken).wait(60) == 0
    process = start(broken)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("index 8"):
            process.send_signal(signal.SIGKILL)
            break
    process.wait(60)
    # What a run leaves that dies between the strip and the database.
    (strip,) = (broken / "strips").iterdir()
    with strip.open("ab") as file:
        file.write(b"half a picture")
    assert not Library.open(broken).videos()
    rest = start(broken)
    output = rest.communicate(timeout=60)[0]
    assert rest.returncode == 0
    assert int(output.splitlines()[1].removeprefix("index ")) >= 8, "it went on, not from zero"
    assert _content(broken) == _content(unbroken)


def _content(folder: Path) -> dict[str, object]:
    database = sqlite3.connect(folder / "library.db")
    tables = ("videos", "paths", "parts", "shots", "clips", "about")
    rows: dict[str, object] = {
        table: database.execute(f"select * from {table}").fetchall() for table in tables
    }
    for path in sorted([*(folder / "strips").iterdir(), *(folder / "vectors").iterdir()]):
        rows[path.name] = path.read_bytes()
    return rows


_FULL = """
import resource, signal, sys
from pathlib import Path
from index.build import build
from index.encoder import open_encoder
from index.errors import LibraryError
from index.library import Library
library = Library.open(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), -1))
try:
    build(library, [Path(sys.argv[2])], encoder=open_encoder("hash"), progress=lambda event: None)
except LibraryError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no limit on file sizes")
@pytest.mark.parametrize("limit_bytes", [4096, 120_000])
def test_a_full_disk_is_one_line_and_loses_nothing(
    limit_bytes: int, scenes: Film, tmp_path: Path, encoder: Encoder
) -> None:
    folder = tmp_path / "library"
    command = [sys.executable, "-c", _FULL, str(folder), str(scenes.path), str(limit_bytes)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.startswith(f"the disk is full: nothing more can be written to {folder}")
    library = Library.open(folder)
    assert len(index(library, scenes.path, encoder=encoder).indexed) == 1


def test_a_film_that_changes_meanwhile_is_refused(
    library: Library, encoder: Encoder, tmp_path: Path
) -> None:
    film = render_scenes(tmp_path)

    def touch(event: ProgressEvent) -> None:
        if event.stage == "index":
            os.utime(film.path, ns=(time.time_ns(), event.done + 1))

    report = build(library, [film.path], encoder=encoder, progress=touch)
    assert "changed while it was indexed" in report.failures[0].message
    assert not library.videos()
    assert not list((library.folder / "strips").iterdir())


@pytest.mark.skipif("LONGSHOT_TEST_MEDIA" not in os.environ, reason="no folder of foreign films")
def test_a_folder_of_foreign_films_is_indexed_to_the_end(
    library: Library, encoder: Encoder
) -> None:
    report = index(library, Path(os.environ["LONGSHOT_TEST_MEDIA"]), encoder=encoder)
    assert report.indexed
    assert not [each for each in report.failures if each.hint == "please report this"]
    for video in report.indexed:
        assert library.shots(video.video_id)[0].span.start_s == 0.0
        assert len(library.timeline(video.video_id).times_s)
        assert library.strip(video.video_id, [0.0])[0].pixels.size
