"""The library: finding films, healing damaged files, refusing what it cannot read."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from bench.films import Film
from index.build import build
from index.doctor import examine
from index.encoder import Encoder, open_encoder
from index.errors import InputError, LibraryError
from index.library import Library
from index.lock import writer_lock
from tests.conftest import render_scenes


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return open_encoder("hash")


@pytest.fixture
def library(tmp_path: Path, scenes: Film, encoder: Encoder) -> Library:
    """Two films: 1 is scenes.mp4, 2 is sunset.mp4."""
    library = Library.open(tmp_path / "library")
    other = render_scenes(tmp_path, "sunset.mp4", shade=8)
    build(library, [scenes.path, other.path], encoder=encoder, progress=lambda event: None)
    return library


def test_a_film_is_found_by_number_name_hash_and_path(library: Library) -> None:
    first, second = library.videos()
    for reference in ("2", "sunset.mp4", "sunset", second.content_hash[:8], str(second.path)):
        assert library.find(reference) == second
    assert library.find("1") == first


def test_an_unknown_film_is_answered_with_near_names(library: Library) -> None:
    with pytest.raises(InputError, match=r"no film \"sunsett\.mp4\".*did you mean sunset\.mp4"):
        library.find("sunsett.mp4")


def test_a_film_changed_since_is_not_taken_for_the_old_one(library: Library) -> None:
    path = library.find("2").path
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(InputError, match="has changed since it was indexed"):
        library.find(str(path))


def test_a_removed_film_is_in_no_search_and_leaves_no_file(
    library: Library, encoder: Encoder
) -> None:
    strip = library.strip_path(library.find("1").content_hash)
    library.remove(1)
    assert not strip.exists()
    assert [video.video_id for video in library.videos()] == [2]
    (hits,) = library.nearest(encoder.encode_texts(["blue"]), limit=99)
    assert {hit.video_id for hit in hits} == {2}
    with pytest.raises(InputError, match="no film number 1"):
        library.timeline(1)


def test_a_film_is_read_once_until_the_library_changes(library: Library) -> None:
    first, second = library.timeline(1), library.timeline(2)
    assert library.timeline(2) is second
    assert library.timeline(1) is not first  # one film is kept, the one read last
    clips, shots = library.clips(1), library.shots(1)
    assert library.clips(1) is clips
    assert library.shots(1) is shots
    before = library.clips(1)
    library.remove(2)
    assert library.clips(1) is not before
    with pytest.raises(ValueError, match="read-only"):
        library.timeline(1).vectors[0] = 0.0


def test_a_film_is_read_again_when_another_process_changed_the_library(library: Library) -> None:
    before = library.timeline(2)
    assert library.timeline(2) is before
    Library.open(library.folder).remove(1)
    after = library.timeline(2)
    assert after is not before
    assert (after.vectors == before.vectors).all()


@pytest.mark.parametrize("damage", ["garbage", "gone"])
def test_damaged_vectors_are_made_again_from_the_database(
    damage: str, library: Library, encoder: Encoder
) -> None:
    query = encoder.encode_texts(["green"])
    before = library.nearest(query, limit=3)
    (path,) = (library.folder / "vectors").glob("*.faiss")
    whole = path.read_bytes()
    path.unlink()
    if damage == "garbage":
        path.write_bytes(b"garbage")
    again = Library.open(library.folder)
    assert again.nearest(query, limit=3) == before
    assert path.read_bytes() == whole


def test_a_search_during_indexing_uses_memory_only(library: Library, encoder: Encoder) -> None:
    (path,) = (library.folder / "vectors").glob("*.faiss")
    path.unlink()
    again = Library.open(library.folder)
    with writer_lock(library.folder):
        assert again.nearest(encoder.encode_texts(["green"]), limit=3)[0]
    assert not path.exists()


def test_search_can_be_kept_to_some_films(library: Library, encoder: Encoder) -> None:
    (hits,) = library.nearest(encoder.encode_texts(["red"]), limit=50, video_ids=[2])
    assert {hit.video_id for hit in hits} == {2}
    assert len(hits) == 5


def test_a_damaged_vector_in_the_database_is_refused(library: Library) -> None:
    library.store.db.execute("update parts set vectors = x'00ff' where video_id = 1")
    with pytest.raises(LibraryError, match="are damaged"):
        Library.open(library.folder).timeline(1)


def test_a_damaged_strip_is_refused(library: Library) -> None:
    library.strip_path(library.find("1").content_hash).write_bytes(b"no pictures")
    with pytest.raises(LibraryError, match="missing or damaged"):
        library.strip(1, [3.0])


def test_a_library_of_a_newer_version_is_refused(library: Library) -> None:
    library.store.db["_sqlite_migrations"].insert(
        {"migration_set": "longshot.index", "name": "m999_future", "applied_at": "later"}
    )
    with pytest.raises(LibraryError, match=r"newer version .*m999_future"):
        Library.open(library.folder)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "library.db").write_bytes(b"this is not a database" * 100)
    with pytest.raises(LibraryError, match="cannot be used as a library"):
        Library.open(tmp_path)


def test_a_library_is_only_made_where_that_is_wanted(tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match="there is no library"):
        Library.open(tmp_path / "none", create=False)
    assert not (tmp_path / "none").exists()


def test_the_database_is_in_wal_mode(library: Library) -> None:
    connection = sqlite3.connect(library.folder / "library.db")
    assert connection.execute("pragma journal_mode").fetchone()[0] == "wal"


def test_the_doctor_reports_the_library(library: Library, tmp_path: Path) -> None:
    checks = {check.name: check for check in examine(library.folder)}
    assert checks["library"].status == "ok"
    assert "2 films" in checks["library"].detail
    assert checks["faiss"].status == "ok"
    assert {check.name: check for check in examine(tmp_path / "none")}["library"].status == "warn"


def test_the_way_out_of_another_encoder_names_the_new_one(
    library: Library, encoder: Encoder
) -> None:
    """`--rebuild` alone would take the library's own, and lead back here."""
    known = encoder.identity
    other = replace(known, name="ViT:new", weights_hash="other")
    with pytest.raises(LibraryError) as caught:
        library.check_encoder(other)
    again = "index again: longshot index --rebuild --encoder ViT:new PATH"
    assert caught.value.hint == f"use --encoder {known.name}, or {again}"
    with pytest.raises(LibraryError, match="not with other weights of") as caught:
        library.check_encoder(replace(known, weights_hash="other"))
    again = f"index again: longshot index --rebuild --encoder {known.name} PATH"
    assert caught.value.hint == again
