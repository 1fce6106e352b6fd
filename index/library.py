"""The library: one folder with the database, the vectors and the strips of all indexed films.

Every caller outside `index/` reads films through this class. The FAISS file is checked when it
is first searched; one that is missing, damaged or out of date is made again from the database.
"""

from __future__ import annotations

import difflib
import json
import logging
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import platformdirs

from index.disk import telling_when_full
from index.encoder import EncoderIdentity
from index.errors import InputError, LibraryError, MediaError, UnknownFilmError
from index.film_rows import ClipVectors, StripRows, Timeline, timeline_of
from index.last_read import LastRead
from index.lock import writer_lock
from index.media import VideoReader, open_video
from index.store import Store
from index.strips import read_jpeg, read_pictures
from index.types import Frame, Hit, Shot, Span, Vectors, Video
from index.words_store import WordStore

if TYPE_CHECKING:
    from index.vectors import VectorIndex

_log = logging.getLogger(__name__)

_MIN_HASH_DIGITS = 6
_N_NEAR_NAMES = 3


class Library:
    """An open library."""

    folder: Path
    store: Store

    def __init__(self, folder: Path, store: Store) -> None:
        self.folder = folder
        self.store = store
        self._vectors: VectorIndex | None = None
        self._vectors_generation = -1
        self._last = LastRead()

    @classmethod
    def open(cls, folder: Path, *, create: bool = True) -> Library:
        """The library in a folder; an empty one is made there unless `create` is false.

        Raises:
            LibraryError: none there, damaged, of a newer version, or not writable.
        """
        if not (folder / "library.db").exists() and not create:
            raise LibraryError(f"there is no library in {folder}", "index a film first")
        try:
            with telling_when_full(folder):
                folder.mkdir(parents=True, exist_ok=True)
                return cls(folder, Store.open(folder))
        except OSError as error:
            raise LibraryError(
                f"the library folder {folder} cannot be used: {error.strerror}",
                "choose another --library",
            ) from error

    def close(self) -> None:
        self.store.close()

    def videos(self) -> list[Video]:
        """The films that are wholly indexed, in the order in which they came."""
        return self.store.videos()

    def find(self, reference: str) -> Video:
        """The film meant by a path, a content hash or its beginning, a number or a file name.

        Raises:
            UnknownFilmError: no film fits.
            InputError: several do.
        """
        videos = self.videos()
        by_path = self._at_path(reference)
        if by_path is not None:
            return by_path
        found = [video for video in videos if _fits(video, reference)]
        if len(found) == 1:
            return found[0]
        if found:
            names = ", ".join(f"{video.video_id} ({video.path})" for video in found[:5])
            raise InputError(
                f'"{reference}" fits {len(found)} films: {names}', "name one by its number"
            )
        raise UnknownFilmError(f'no film "{reference}" in the library', _near(reference, videos))

    def with_content(self, content_hash: str) -> Video | None:
        """The film with this content; None where the library does not have it."""
        known = self.store.state_of(content_hash)
        return known.video if known is not None and known.state == "ready" else None

    def timeline(self, video_id: int) -> Timeline:
        """Vectors and motion of a film at one row a second."""
        return self._seconds(video_id)[0]

    def clips(self, video_id: int) -> ClipVectors:
        """Spans and vectors of a film's clips."""
        self._ready(video_id)

        def read() -> ClipVectors:
            vectors = self.store.clip_vectors(video_id, dimension=self._dimension())
            vectors.setflags(write=False)
            return ClipVectors(tuple(self.store.clip_spans(video_id)), vectors)

        return self._last.once(self._rows_of(video_id), "clips", read)

    def shots(self, video_id: int) -> tuple[Shot, ...]:
        """A film's shots, in order; they cover it without gaps."""
        self._ready(video_id)
        return self._last.once(
            self._rows_of(video_id), "shots", lambda: tuple(self.store.shots(video_id))
        )

    def strip(self, video_id: int, times_s: Sequence[float]) -> list[Frame]:
        """The small stored picture nearest each time; `Frame.time_s` is the picture's true time."""
        video = self._ready(video_id)
        timeline, rows = self._seconds(video_id)
        positions = [int(np.abs(timeline.times_s - time_s).argmin()) for time_s in times_s]
        pictures = read_pictures(self.strip_path(video.content_hash), rows.ends, positions)
        return [
            Frame(float(rows.shown_s[position]), pixels)
            for position, pixels in zip(positions, pictures, strict=True)
        ]

    def strip_jpegs(self, video_id: int, times_s: Sequence[float]) -> list[bytes]:
        """The small stored picture nearest each time, as it is stored.

        Raises:
            InputError: no such film.
            LibraryError: the strip is missing or damaged.
        """
        video = self._ready(video_id)
        stored_s, ends = self.store.strip_rows(video_id)
        path = self.strip_path(video.content_hash)
        return [
            read_jpeg(path, ends, int(np.abs(stored_s - time_s).argmin())) for time_s in times_s
        ]

    def film_path(self, video_id: int) -> Path:
        """The film's file, where it is there and still the one that was indexed.

        Raises:
            InputError: no such film, or the file has changed.
            MediaError: the file is gone.
        """
        path = self._ready(video_id).path
        if not path.is_file():
            raise MediaError(f"{path} is not there any more", "index it where it is now")
        self._at_path(str(path))
        return path

    def reader(self, video: Video) -> VideoReader:
        """The film's file, open; what the index knows of its frames is not read again.

        Raises:
            MediaError: the file is missing, or no video any more.
        """
        file = self.store.file(video.path)
        table = None
        if file is not None and file.video_id == video.video_id and file.is_unchanged():
            tables = self.store.frame_tables
            table = self._last.once(
                self._rows_of(video.video_id), "table", lambda: tables.of(video.video_id)
            )
        return open_video(video.path, table=table)

    @property
    def words(self) -> WordStore:
        """The timed words of all films."""
        return self.store.words

    def strip_path(self, content_hash: str) -> Path:
        """Where the strip of a film lies."""
        return self.folder / "strips" / f"{content_hash[:32]}.jpegs"

    def encoder_identity(self) -> EncoderIdentity | None:
        """What the library's vectors were made with; None while it is empty."""
        text = self.store.about("encoder")
        return EncoderIdentity(**json.loads(text)) if text else None

    def set_encoder_identity(self, identity: EncoderIdentity) -> None:
        """Record what the vectors are made with from now on."""
        self.store.set_about("encoder", json.dumps(asdict(identity)))

    def check_encoder(self, identity: EncoderIdentity) -> None:
        """Passes where the library's vectors are of this encoder, or there are none.

        Raises:
            LibraryError: they are of another one.
        """
        known = self.encoder_identity()
        if known is None or known == identity:
            return
        again = f"index again: longshot index --rebuild --encoder {identity.name} PATH"
        is_other = identity.name != known.name
        what = identity.name if is_other else f"other weights of {identity.name}"
        raise LibraryError(
            f"the library {self.folder} was indexed with {known.name}, not with {what}",
            f"use --encoder {known.name}, or {again}" if is_other else again,
        )

    def nearest(
        self, vectors: Vectors, *, limit: int, video_ids: Sequence[int] | None = None
    ) -> list[list[Hit]]:
        """For each query vector the nearest clips of these films (of all, when None), best first.

        Raises:
            LibraryError: the queries do not fit the library's vectors.
        """
        index = self.vector_index()
        if index is None:
            return [[] for _ in vectors]
        spans: dict[int, list[Span]] = {}
        hits = []
        for scores in index.search(vectors, limit=limit, video_ids=video_ids):
            for score in scores:
                if score.video_id not in spans:
                    spans[score.video_id] = self.store.clip_spans(score.video_id)
            hits.append(
                [
                    Hit(each.video_id, spans[each.video_id][each.clip_index], each.score, "picture")
                    for each in scores
                ]
            )
        return hits

    def vector_index(self, *, locked: bool = False) -> VectorIndex | None:
        """The FAISS index of all clips, up to date; None where nothing is indexed.

        `locked` says that the caller holds the library for writing.
        """
        identity = self.encoder_identity()
        if identity is None or not self.videos():
            return None
        generation = self.store.generation
        if self._vectors is None or self._vectors_generation != generation:
            self._vectors = self._load_vectors(identity, generation=generation, locked=locked)
            self._vectors_generation = generation
        return self._vectors

    def remove(self, video_id: int) -> None:
        """Forget a film: its rows, its vectors and its strip. The film's file is not touched.

        Raises:
            InputError: no such film.
            LibraryError: another process is writing.
        """
        video = self._ready(video_id)
        with writer_lock(self.folder), telling_when_full(self.folder):
            self.store.remove_video(video_id)
            self.strip_path(video.content_hash).unlink(missing_ok=True)

    def _load_vectors(
        self, identity: EncoderIdentity, *, generation: int, locked: bool
    ) -> VectorIndex:
        from index import vectors  # FAISS is imported only where something is searched.

        folder = self.folder / "vectors"
        found = vectors.read_index(folder, encoder=identity, generation=generation)
        if isinstance(found, vectors.VectorIndex):
            return found
        _log.log(
            logging.INFO if found.expected else logging.WARNING,
            "vectors in %s are %s; making them again from the database",
            folder,
            found.reason,
        )
        video_ids, clip_indices, rows = self.store.all_clips(dimension=identity.dimension)
        built = vectors.VectorIndex.build(rows, video_ids=video_ids, clip_indices=clip_indices)
        if locked:
            built.write(folder, encoder=identity, generation=generation)
        else:
            self._try_write(built, identity, generation=generation)
        return built

    def _try_write(self, built: VectorIndex, identity: EncoderIdentity, *, generation: int) -> None:
        """Save a new index, unless an indexing run is at work and will do so itself."""
        try:
            with writer_lock(self.folder):
                if self.store.generation == generation:
                    built.write(self.folder / "vectors", encoder=identity, generation=generation)
        except (LibraryError, OSError) as error:
            _log.warning("vectors are kept in memory only: %s", error)

    def _seconds(self, video_id: int) -> tuple[Timeline, StripRows]:
        """A film second by second, and its strip's pictures."""
        video = self._ready(video_id)
        if not video.has_pictures:
            raise InputError(
                f"{video.path} has no pictures", "search its words: longshot search --lane words"
            )

        def read() -> tuple[Timeline, StripRows]:
            parts = self.store.parts(video_id, dimension=self._dimension())
            return timeline_of(parts), StripRows.of(parts)

        return self._last.once(self._rows_of(video_id), "seconds", read)

    def _rows_of(self, video_id: int) -> tuple[int, int]:
        """What tells a film's rows from those of any other film or time."""
        return video_id, self.store.generation

    def _dimension(self) -> int:
        identity = self.encoder_identity()
        if identity is None:
            raise LibraryError(f"the library {self.folder} has no vectors", "index a film first")
        return identity.dimension

    def _ready(self, video_id: int) -> Video:
        video = self.store.video(video_id)
        if video is None:
            raise InputError(f"no film number {video_id} in the library", "see longshot stats")
        return video

    def _at_path(self, reference: str) -> Video | None:
        path = Path(reference).expanduser().absolute()
        file = self.store.file(path)
        if file is None:
            return None
        video = self.store.video(file.video_id)
        if video is not None and path.exists() and not file.is_unchanged():
            raise InputError(f"{path} has changed since it was indexed", "index it again")
        return video


def default_library_folder() -> Path:
    """The platform's folder for a user's data."""
    return Path(platformdirs.user_data_dir("longshot", appauthor=False)) / "library"


def _fits(video: Video, reference: str) -> bool:
    if reference.isdecimal() and len(reference) < _MIN_HASH_DIGITS:
        return video.video_id == int(reference)
    if len(reference) >= _MIN_HASH_DIGITS and video.content_hash.startswith(reference.lower()):
        return True
    return reference in (video.path.name, video.path.stem)


def _near(reference: str, videos: Sequence[Video]) -> str:
    if not videos:
        return "the library is empty: index a film first"
    names = [video.path.name for video in videos]
    wanted = Path(reference).name
    near = difflib.get_close_matches(wanted, names, n=_N_NEAR_NAMES, cutoff=0.4)
    return f"did you mean {', '.join(near)}?" if near else "longshot stats lists the films"
