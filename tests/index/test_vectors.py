"""The FAISS file: exact search, and no silent search of one that does not fit."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from index.encoder import EncoderIdentity
from index.errors import LibraryError
from index.types import Vectors
from index.vectors import ClipScore, Unfit, VectorIndex, check_vectors, read_index

IDENTITY = EncoderIdentity(name="e", weights_hash="0", dimension=8, preprocessing="{}")
VIDEO_IDS = np.repeat([1, 2, 7], 20)
CLIP_INDICES = np.tile(np.arange(20), 3)


def unit(n_rows: int, seed: int = 0) -> Vectors:
    rows = np.random.default_rng(seed).standard_normal((n_rows, 8)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.fixture
def built() -> VectorIndex:
    return VectorIndex.build(unit(60), video_ids=VIDEO_IDS, clip_indices=CLIP_INDICES)


@pytest.mark.parametrize("kept", [None, [2], [1, 7], [99]])
def test_search_agrees_with_brute_force(built: VectorIndex, kept: list[int] | None) -> None:
    queries = unit(5, seed=1)
    scores = queries @ unit(60).T
    if kept is not None:
        scores[:, ~np.isin(VIDEO_IDS, kept)] = -9
    for row, found in zip(scores, built.search(queries, limit=4, video_ids=kept), strict=True):
        best = [index for index in np.argsort(-row)[:4] if row[index] > -9]
        assert [(each.video_id, each.clip_index) for each in found] == [
            (VIDEO_IDS[index], CLIP_INDICES[index]) for index in best
        ]
        assert [each.score for each in found] == pytest.approx(row[best], abs=1e-3)


def test_more_than_there_is_gives_what_there_is(built: VectorIndex) -> None:
    (found,) = built.search(unit(1), limit=500, video_ids=[7])
    assert len(found) == 20
    assert isinstance(found[0], ClipScore)


@pytest.mark.parametrize(
    "bad",
    [np.full((2, 8), np.nan, np.float32), np.ones((2, 8), np.float32), unit(2)[:, :4], unit(2)[0]],
    ids=["not finite", "not unit", "another dimension", "one row"],
)
def test_vectors_that_do_not_fit_are_refused(bad: Vectors, built: VectorIndex) -> None:
    with pytest.raises(LibraryError):
        built.search(bad, limit=1)


def test_an_id_twice_is_refused() -> None:
    same = np.zeros(2, np.int64)
    with pytest.raises(LibraryError, match="share one number"):
        VectorIndex.build(unit(2), video_ids=same, clip_indices=same)


def test_what_is_written_is_read_back(built: VectorIndex, tmp_path: Path) -> None:
    built.write(tmp_path, encoder=IDENTITY, generation=3)
    read = read_index(tmp_path, encoder=IDENTITY, generation=3)
    assert isinstance(read, VectorIndex)
    queries = unit(3, seed=2)
    assert read.search(queries, limit=5, video_ids=[1, 2]) == built.search(
        queries, limit=5, video_ids=[1, 2]
    )


def test_a_new_file_replaces_the_old_one(built: VectorIndex, tmp_path: Path) -> None:
    built.write(tmp_path, encoder=IDENTITY, generation=3)
    built.write(tmp_path, encoder=IDENTITY, generation=4)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clips-4.faiss", "manifest.json"]


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "gone", "manifest", "no manifest"])
def test_a_damaged_file_is_not_searched(damage: str, built: VectorIndex, tmp_path: Path) -> None:
    built.write(tmp_path, encoder=IDENTITY, generation=3)
    path, manifest = tmp_path / "clips-3.faiss", tmp_path / "manifest.json"
    data = bytearray(path.read_bytes())
    if damage == "cut":
        path.write_bytes(data[:-20])
    elif damage == "flip":
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "gone":
        path.unlink()
    elif damage == "manifest":
        manifest.write_text("{")
    else:
        manifest.unlink()
    assert isinstance(read_index(tmp_path, encoder=IDENTITY, generation=3), Unfit)


def test_a_file_of_another_time_or_encoder_is_not_searched(
    built: VectorIndex, tmp_path: Path
) -> None:
    built.write(tmp_path, encoder=IDENTITY, generation=3)
    assert read_index(tmp_path, encoder=IDENTITY, generation=4) == Unfit("out of date", True)
    other = replace(IDENTITY, weights_hash="1")
    assert read_index(tmp_path, encoder=other, generation=3) == Unfit("made by another encoder")


def test_the_check_passes_unit_vectors() -> None:
    check_vectors(unit(3), dimension=8)
