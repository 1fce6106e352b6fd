"""The clip vectors in FAISS: exact search, filtered by film, and its file with a manifest.

The file is made from the vectors in `library.db` and may be thrown away: the manifest says which
generation of them it holds and its SHA-256, and one that does not fit is not searched. FAISS
checks nothing itself, so shape, finiteness, norm and ids are checked here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from index.disk import remove_unfinished, replace_file
from index.encoder import EncoderIdentity
from index.errors import LibraryError
from index.types import Vectors

_MANIFEST_NAME = "manifest.json"
_FORMAT = 1
_VIDEO_SHIFT = 32
_CLIP_MASK = (1 << _VIDEO_SHIFT) - 1
_NORM_TOLERANCE = 1e-3


@dataclass(frozen=True, slots=True)
class ClipScore:
    """A clip that a search found."""

    video_id: int
    clip_index: int
    score: float
    """Cosine with the query."""


class VectorIndex:
    """FAISS IDMap2 over float16 vectors; an id is film number << 32 | clip position."""

    def __init__(self, index: Any, *, ids: NDArray[np.int64]) -> None:
        self._index = index
        self._ids = ids

    @classmethod
    def build(
        cls, vectors: Vectors, *, video_ids: NDArray[np.int64], clip_indices: NDArray[np.int64]
    ) -> VectorIndex:
        """An index of (N, D) unit vectors.

        Raises:
            LibraryError: vectors of a wrong shape or norm, not finite, or with an id twice.
        """
        ids = (video_ids << _VIDEO_SHIFT) | clip_indices
        check_vectors(vectors)
        if len(ids) != len(vectors) or len(np.unique(ids)) != len(ids):
            raise LibraryError("two clips of the library share one number", _REBUILD)
        flat = faiss.IndexScalarQuantizer(
            vectors.shape[1], faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
        )
        index = faiss.IndexIDMap2(flat)
        index.add_with_ids(np.ascontiguousarray(vectors), ids)
        return cls(index, ids=ids)

    def __len__(self) -> int:
        return len(self._ids)

    @property
    def dimension(self) -> int:
        return int(self._index.d)

    def search(
        self, queries: Vectors, *, limit: int, video_ids: Sequence[int] | None = None
    ) -> list[list[ClipScore]]:
        """For each query the `limit` nearest clips of these films (of all, when None), best first.

        Raises:
            LibraryError: the queries do not fit the index.
        """
        check_vectors(queries, dimension=self.dimension)
        if not len(queries) or not len(self) or limit < 1:
            return [[] for _ in queries]
        selector = None if video_ids is None else self._selector(video_ids)
        parameters: Any = faiss.SearchParameters
        params = None if selector is None else parameters(sel=selector)
        scores, ids = self._index.search(
            np.ascontiguousarray(queries), min(limit, len(self)), params=params
        )
        return [_scores(row, row_ids) for row, row_ids in zip(scores, ids, strict=True)]

    def _selector(self, video_ids: Sequence[int]) -> Any:
        if len(video_ids) == 1:
            first = video_ids[0] << _VIDEO_SHIFT
            return faiss.IDSelectorRange(first, first + _CLIP_MASK + 1)
        kept = np.isin(self._ids >> _VIDEO_SHIFT, np.asarray(video_ids, dtype=np.int64))
        return faiss.IDSelectorBatch(self._ids[kept])

    def write(self, folder: Path, *, encoder: EncoderIdentity, generation: int) -> None:
        """Write the index and then its manifest; a crash between them leaves the old pair valid."""
        folder.mkdir(parents=True, exist_ok=True)
        name = f"clips-{generation}.faiss"
        remove_unfinished(folder, "clips-*.faiss")
        replace_file(folder / name, lambda path: faiss.write_index(self._index, str(path)))
        manifest = {
            "format": _FORMAT,
            "file": name,
            "sha256": _sha256(folder / name),
            "generation": generation,
            "n_vectors": len(self),
            "encoder": asdict(encoder),
        }
        text = json.dumps(manifest, indent=2) + "\n"
        replace_file(folder / _MANIFEST_NAME, lambda path: _write_text(path, text))
        for old in folder.glob("clips-*.faiss"):
            if old.name != name:
                old.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Unfit:
    """Why a vector file is not to be searched."""

    reason: str
    expected: bool = False
    """The library has changed since, as it does while films are indexed."""


def read_index(folder: Path, *, encoder: EncoderIdentity, generation: int) -> VectorIndex | Unfit:
    """The index of a folder, when it is whole and holds this generation of this encoder."""
    try:
        manifest = json.loads((folder / _MANIFEST_NAME).read_text(encoding="utf-8"))
        path = folder / str(manifest["file"])
        if manifest["format"] != _FORMAT or manifest["generation"] != generation:
            return Unfit("out of date", expected=True)
        if EncoderIdentity(**manifest["encoder"]) != encoder:
            return Unfit("made by another encoder")
        if _sha256(path) != manifest["sha256"]:
            return Unfit("damaged: its checksum differs")
        index: Any = faiss.read_index(str(path))
    except FileNotFoundError as error:
        missing = Path(str(error.filename)).name
        return Unfit(f"missing ({missing})", expected=missing == _MANIFEST_NAME)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        return Unfit(f"damaged: {type(error).__name__}")
    ids: NDArray[np.int64] = faiss.vector_to_array(index.id_map)
    if index.ntotal != manifest["n_vectors"] or index.d != encoder.dimension:
        return Unfit("damaged: its size differs")
    return VectorIndex(index, ids=ids)


def check_vectors(vectors: Vectors, *, dimension: int | None = None) -> None:
    """Raises LibraryError unless these are (N, dimension) finite float32 rows of unit length."""
    if vectors.ndim != 2 or (dimension is not None and vectors.shape[1] != dimension):
        raise LibraryError(
            f"vectors of shape {vectors.shape} do not fit an index of {dimension} dimensions",
            "search with the encoder that the library was indexed with",
        )
    if vectors.dtype != np.float32:
        raise LibraryError(f"vectors are {vectors.dtype}, not float32")
    norms = np.linalg.norm(vectors, axis=1)
    if not np.isfinite(norms).all() or (np.abs(norms - 1) > _NORM_TOLERANCE).any():
        raise LibraryError("vectors are not of unit length, or not finite", _REBUILD)


_REBUILD = "index the films again: longshot index --rebuild PATH"


def _scores(scores: NDArray[np.float32], ids: NDArray[np.int64]) -> list[ClipScore]:
    # FAISS fills up with the id -1 where the filter leaves fewer than were asked for.
    return [
        ClipScore(int(found) >> _VIDEO_SHIFT, int(found) & _CLIP_MASK, float(score))
        for score, found in zip(scores, ids, strict=True)
        if found >= 0
    ]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
