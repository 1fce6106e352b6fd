"""Frame tables in the library: a film is opened without reading it from end to end."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from bench.films import AVI_RECIPES, HEIGHT_PX, RECIPES, WIDTH_PX, Film, Recipe, read_number
from index import media_pyav
from index.build import build
from index.encoder_hash import HashEncoder
from index.library import Library
from index.media import open_video
from index.stored_tables import packed, unpacked
from tests.conftest import render_scenes

Rendered = Callable[[Recipe, int], Film]


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    """One film, scenes.mp4."""
    film = render_scenes(tmp_path, "scenes.mp4")
    with contextlib.closing(Library.open(tmp_path / "library")) as library:
        index(library, film.path)
        yield library


def index(library: Library, path: Path) -> None:
    build(library, [path], encoder=HashEncoder(), progress=lambda event: None)


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Grows by one with every pass over the packets of a file."""
    done: list[str] = []
    read = media_pyav.read_table

    def counted(container: object, stream: object) -> object:
        done.append("pass")
        return read(container, stream)

    monkeypatch.setattr(media_pyav, "read_table", counted)
    return done


@pytest.mark.parametrize("recipe", [*RECIPES, *AVI_RECIPES], ids=lambda recipe: recipe.name)
def test_a_film_reads_the_same_over_its_unpacked_table(recipe: Recipe, rendered: Rendered) -> None:
    film = rendered(recipe, 120)
    with contextlib.closing(open_video(film.path)) as reader:
        facts, table = reader.facts, reader.table
    again = unpacked(packed(table))
    assert np.array_equal(again.pts, table.pts)
    assert np.array_equal(again.times_s, table.times_s)
    rest = ("clock", "end_s", "keyframe_pts", "keyframe_dts", "hides_preroll", "notes", "shown_at")
    assert [getattr(again, name) for name in rest] == [getattr(table, name) for name in rest]
    times_s = np.linspace(0, facts.duration_s - 0.05, 9).tolist()
    with contextlib.closing(open_video(film.path, table=again)) as reader:
        assert reader.facts == facts
        frames = reader.frames_at(times_s, width_px=WIDTH_PX, height_px=HEIGHT_PX)
    assert [read_number(frame.pixels) for frame in frames] == [film.number_at(t) for t in times_s]


def test_an_indexed_film_is_opened_without_a_pass_over_it(
    library: Library, passes: list[str]
) -> None:
    (video,) = library.videos()
    with contextlib.closing(library.reader(video)) as reader:
        assert reader.facts.n_frames == video.facts.n_frames
        assert reader.frames_at([5.0], width_px=64, height_px=36)[0].time_s == pytest.approx(5.0)
    assert passes == []


def test_a_file_changed_since_is_read_by_its_own_packets(
    library: Library, passes: list[str], tmp_path: Path
) -> None:
    (video,) = library.videos()
    longer = render_scenes(tmp_path, "other.mp4", shade=8)
    video.path.write_bytes(longer.path.read_bytes() + b"\0")
    with contextlib.closing(library.reader(video)):
        assert passes == ["pass"]


def test_a_damaged_table_is_read_again_from_the_file(
    library: Library, passes: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    (video,) = library.videos()
    for data in (b"no table", without_most()):
        library.store.db["frame_tables"].update(video.video_id, {"packed": data})
        with contextlib.closing(library.reader(video)) as reader:
            assert reader.facts == video.facts
    assert passes == ["pass", "pass"]
    assert "the frame table of film 1 is damaged" in caplog.text


def without_most() -> bytes:
    """A file of the right form that lacks most arrays."""
    file = io.BytesIO()
    np.savez_compressed(file, pts=np.zeros(3, np.int64))
    return file.getvalue()


def test_a_film_of_an_older_version_gets_its_table_when_it_is_indexed_again(
    library: Library, passes: list[str]
) -> None:
    (video,) = library.videos()
    library.store.db["frame_tables"].delete(video.video_id)
    index(library, video.path)
    assert passes == ["pass"]
    with contextlib.closing(library.reader(video)):
        assert passes == ["pass"]
    index(library, video.path)
    assert passes == ["pass"]


def test_a_removed_film_leaves_no_table(library: Library) -> None:
    (video,) = library.videos()
    assert library.store.frame_tables.has(video.video_id)
    library.remove(video.video_id)
    assert not library.store.frame_tables.has(video.video_id)
