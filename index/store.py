"""All SQL of the index: films, parts, shots, clips, and what the library is about.

`library.db` is the one source of truth; the FAISS file is made from its vectors. Vectors are
stored as float16 and come back as unit float32.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlite_utils import Database

from index.errors import LibraryError
from index.index_runs import IndexRunStore
from index.media import GLIMPSE_HEIGHT_PX, GLIMPSE_WIDTH_PX
from index.store_schema import apply_migrations, index_migrations
from index.stored_tables import FrameTableStore
from index.transactions import writing
from index.types import Pixels, Seconds, Shot, Span, Vectors, Video, VideoFacts
from index.words_store import WordStore

DATABASE_NAME = "library.db"
_BUSY_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a film, indexed and saved: the unit in which a killed run continues."""

    part_index: int
    times_s: Seconds
    """(N,) times of the sampling grid."""
    shown_s: Seconds
    """(N,) true times of the frames that were on screen then."""
    vectors: Vectors
    """(N, D)."""
    strip_ends: NDArray[np.int64]
    """(N,) where each picture of the strip ends, in bytes from the file's beginning."""
    strip_end_bytes: int
    """Where the strip's file ends with this part, also where it adds no picture."""
    glimpse_times_s: Seconds
    """(M,)."""
    changes: NDArray[np.float32]
    """(M,) how much the picture changed since the glimpse before, 0..1."""
    spreads: NDArray[np.float32]
    """(M,) the median instead of the mean change over the picture, 0..1."""
    last_glimpse: Pixels | None
    """What the next part compares its first glimpse with."""


@dataclass(frozen=True, slots=True)
class KnownVideo:
    """A film of any state: partly indexed, ready, or replaced by other content at its path."""

    video: Video
    state: str
    """"partial", "ready" or "replaced"."""
    settings: str
    """What it was indexed with, as JSON."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A path at which a film was seen, and what tells that the file has not changed since."""

    path: Path
    video_id: int
    size_bytes: int
    changed_ns: int

    def is_unchanged(self) -> bool:
        """Whether the file is there and the one that was seen, as make and rsync judge it."""
        try:
            status = self.path.stat()
        except OSError:
            return False
        return (status.st_size, status.st_mtime_ns) == (self.size_bytes, self.changed_ns)


class Store:
    """The tables of the index over one SQLite connection."""

    def __init__(self, db: Database, *, folder: Path) -> None:
        self.db = db
        self.words = WordStore(db)
        self.index_runs = IndexRunStore(db)
        self.frame_tables = FrameTableStore(db)
        self._folder = folder

    @classmethod
    def open(cls, folder: Path) -> Store:
        """The store of a library folder, created or migrated as needed.

        Raises:
            LibraryError: the file is damaged, or of a newer version.
        """
        path = folder / DATABASE_NAME
        try:
            connection = sqlite3.connect(path, timeout=_BUSY_TIMEOUT_S, check_same_thread=False)
            db = Database(connection)
            db.enable_wal()
            db.execute("pragma synchronous = normal")
            apply_migrations(db, index_migrations, folder=folder)
        except sqlite3.DatabaseError as error:
            raise LibraryError(
                f"{path} cannot be used as a library: {error}",
                "restore it from a copy, or index into another --library",
            ) from error
        return cls(db, folder=folder)

    def close(self) -> None:
        self.db.close()

    # Films

    def videos(self) -> list[Video]:
        """The films that are ready, in the order in which they came."""
        return [_video(row) for row in self._rows("where state = 'ready' order by video_id")]

    def known_videos(self) -> list[KnownVideo]:
        """The films of every state, in the order in which they came."""
        rows = self._rows("order by video_id")
        return [KnownVideo(_video(row), row["state"], row["settings"]) for row in rows]

    def video(self, video_id: int) -> Video | None:
        """A film that is ready."""
        rows = self._rows("where video_id = ? and state = 'ready'", video_id)
        return _video(rows[0]) if rows else None

    def state_of(self, content_hash: str) -> KnownVideo | None:
        """A film with this content, in whatever state."""
        rows = self._rows("where content_hash = ?", content_hash)
        if not rows:
            return None
        return KnownVideo(_video(rows[0]), rows[0]["state"], rows[0]["settings"])

    def begin_video(
        self, content_hash: str, *, path: Path, facts: VideoFacts, settings: str
    ) -> int:
        """Register a film as partly indexed, or start one over; returns its number."""
        with writing(self.db):
            self.db.execute(
                "insert into videos (content_hash, path, state, facts, settings)"
                " values (?, ?, 'partial', ?, ?)"
                " on conflict (content_hash) do update set path = excluded.path,"
                " state = 'partial', facts = excluded.facts, settings = excluded.settings",
                [content_hash, str(path), json.dumps(asdict(facts)), settings],
            )
            video_id = int(
                self._one("select video_id from videos where content_hash = ?", content_hash)
            )
            self._clear(video_id)
        return video_id

    def finish_video(
        self, video_id: int, *, shots: Sequence[Shot], spans: Sequence[Span], vectors: Vectors
    ) -> None:
        """Save a film's shots and clips and mark it ready, in one step."""
        with writing(self.db):
            self.db["shots"].insert_all(
                {
                    "video_id": video_id,
                    "shot_index": shot.shot_index,
                    "start_s": shot.span.start_s,
                    "end_s": shot.span.end_s,
                }
                for shot in shots
            )
            self.db["clips"].insert_all(
                {
                    "video_id": video_id,
                    "clip_index": clip_index,
                    "start_s": span.start_s,
                    "end_s": span.end_s,
                    "vector": _pack(vectors[clip_index]),
                }
                for clip_index, span in enumerate(spans)
            )
            self.db.execute("update videos set state = 'ready' where video_id = ?", [video_id])
            self._next_generation()

    def set_facts(self, video_id: int, facts: VideoFacts) -> None:
        """Say more of a film than its file told when it was opened."""
        with writing(self.db):
            self.db.execute(
                "update videos set facts = ? where video_id = ?",
                [json.dumps(asdict(facts)), video_id],
            )

    def set_state(self, video_id: int, state: str, *, path: Path | None = None) -> None:
        """Mark a film "ready" or "replaced", and say where its file is now."""
        with writing(self.db):
            self.db.execute(
                "update videos set state = ?, path = coalesce(?, path) where video_id = ?",
                [state, str(path) if path else None, video_id],
            )
            self._next_generation()

    def relink(self, video_id: int, path: Path) -> None:
        """Say where a film's file is now."""
        self.db.execute("update videos set path = ? where video_id = ?", [str(path), video_id])

    def remove_video(self, video_id: int) -> None:
        """Forget a film and all that was made of it."""
        with writing(self.db):
            self._clear(video_id)
            self.words.remove(video_id)
            self.db.execute("delete from paths where video_id = ?", [video_id])
            self.db.execute("delete from videos where video_id = ?", [video_id])

    def restart_all(self) -> None:
        """Drop everything that an encoder made: all films have to be indexed again."""
        with writing(self.db):
            for row in list(self.db.query("select video_id from videos")):
                self._clear(row["video_id"])
            self.db.execute("update videos set state = 'partial'")

    def _clear(self, video_id: int) -> None:
        for table in ("parts", "shots", "clips", "frame_tables"):
            self.db.execute(f"delete from {table} where video_id = ?", [video_id])
        self._next_generation()

    # Files

    def files(self) -> list[StoredFile]:
        """Every path at which a film was seen."""
        return [_file(row) for row in self.db.query("select * from paths order by path")]

    def file(self, path: Path) -> StoredFile | None:
        rows = list(self.db.query("select * from paths where path = ?", [str(path)]))
        return _file(rows[0]) if rows else None

    def remember_file(self, file: StoredFile) -> None:
        with writing(self.db):
            self.db["paths"].upsert({**asdict(file), "path": str(file.path)}, pk="path")

    def forget_file(self, path: Path) -> None:
        self.db.execute("delete from paths where path = ?", [str(path)])

    # Parts, shots, clips

    def save_part(self, video_id: int, part: Part) -> None:
        last = None if part.last_glimpse is None else part.last_glimpse.tobytes()
        with writing(self.db):
            self.db["parts"].insert(
                {
                    "video_id": video_id,
                    "part_index": part.part_index,
                    "times_s": part.times_s.tobytes(),
                    "shown_s": part.shown_s.tobytes(),
                    "vectors": _pack(part.vectors),
                    "strip_ends": part.strip_ends.tobytes(),
                    "strip_end_bytes": part.strip_end_bytes,
                    "glimpse_times_s": part.glimpse_times_s.tobytes(),
                    "changes": part.changes.tobytes(),
                    "spreads": part.spreads.tobytes(),
                    "last_glimpse": last,
                }
            )

    def parts(self, video_id: int, *, dimension: int) -> list[Part]:
        """The saved parts of a film, in order.

        Raises:
            LibraryError: stored vectors are damaged.
        """
        rows = self.db.query(
            "select * from parts where video_id = ? order by part_index", [video_id]
        )
        return [self._part(row, dimension=dimension) for row in rows]

    def strip_rows(self, video_id: int) -> tuple[Seconds, NDArray[np.int64]]:
        """(N,) times of a film's stored pictures and (N,) where each ends in its strip's file."""
        rows = self.db.execute(
            "select times_s, strip_ends from parts where video_id = ? order by part_index",
            [video_id],
        ).fetchall()
        times_s = np.frombuffer(b"".join(row[0] for row in rows), np.float64)
        return times_s, np.frombuffer(b"".join(row[1] for row in rows), np.int64)

    def indexed_s(self, video_id: int) -> float:
        """How far a film is indexed: the last saved second; 0.0 where nothing is."""
        times_s, _ = self.strip_rows(video_id)
        return float(times_s[-1]) if len(times_s) else 0.0

    def shots(self, video_id: int) -> list[Shot]:
        rows = self.db.execute(
            "select shot_index, start_s, end_s from shots where video_id = ? order by shot_index",
            [video_id],
        )
        return [Shot(index, Span(start_s, end_s)) for index, start_s, end_s in rows]

    def clip_spans(self, video_id: int) -> list[Span]:
        rows = self.db.execute(
            "select start_s, end_s from clips where video_id = ? order by clip_index", [video_id]
        )
        return [Span(start_s, end_s) for start_s, end_s in rows]

    def clip_vectors(self, video_id: int, *, dimension: int) -> Vectors:
        rows = self.db.execute(
            "select vector from clips where video_id = ? order by clip_index", [video_id]
        ).fetchall()
        return self._unpack(b"".join(row[0] for row in rows), dimension=dimension)

    def all_clips(self, *, dimension: int) -> tuple[NDArray[np.int64], NDArray[np.int64], Vectors]:
        """(N,) film numbers, (N,) clip positions and (N, D) vectors of all films that are ready."""
        rows = self.db.execute(
            "select video_id, clip_index, vector from clips join videos using (video_id)"
            " where state = 'ready' order by video_id, clip_index"
        ).fetchall()
        vectors = self._unpack(b"".join(row[2] for row in rows), dimension=dimension)
        if len(vectors) != len(rows):
            raise self._damaged()
        video_ids = np.asarray([row[0] for row in rows], dtype=np.int64)
        return video_ids, np.asarray([row[1] for row in rows], dtype=np.int64), vectors

    # The library itself

    def about(self, name: str) -> str | None:
        """A named fact about the library."""
        rows = list(self.db.query("select value from about where name = ?", [name]))
        return str(rows[0]["value"]) if rows else None

    def set_about(self, name: str, value: str) -> None:
        with writing(self.db):
            self.db["about"].upsert({"name": name, "value": value}, pk="name")

    @property
    def generation(self) -> int:
        """Grows with every change of the clips; tells whether the FAISS file is up to date."""
        return int(self.about("generation") or 0)

    def _next_generation(self) -> None:
        self.set_about("generation", str(self.generation + 1))

    def _rows(self, where: str, *values: object) -> list[dict[str, Any]]:
        return list(self.db.query(f"select * from videos {where}", list(values)))

    def _one(self, sql: str, *values: object) -> Any:
        return self.db.execute(sql, list(values)).fetchone()[0]

    def _part(self, row: dict[str, Any], *, dimension: int) -> Part:
        glimpse = row["last_glimpse"]
        times_s = np.frombuffer(row["times_s"], np.float64)
        vectors = self._unpack(row["vectors"], dimension=dimension)
        if len(vectors) != len(times_s):
            raise self._damaged()
        return Part(
            part_index=row["part_index"],
            times_s=times_s,
            shown_s=np.frombuffer(row["shown_s"], np.float64),
            vectors=vectors,
            strip_ends=np.frombuffer(row["strip_ends"], np.int64),
            strip_end_bytes=row["strip_end_bytes"],
            glimpse_times_s=np.frombuffer(row["glimpse_times_s"], np.float64),
            changes=np.frombuffer(row["changes"], np.float32),
            spreads=np.frombuffer(row["spreads"], np.float32),
            last_glimpse=None if glimpse is None else _glimpse(glimpse),
        )

    def _unpack(self, data: bytes, *, dimension: int) -> Vectors:
        if len(data) % (2 * dimension):
            raise self._damaged()
        vectors = np.frombuffer(data, np.float16).reshape(-1, dimension).astype(np.float32)
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not np.isfinite(norms).all() or (np.abs(norms - 1) > 0.05).any():
            raise self._damaged()
        return np.asarray(vectors / norms, dtype=np.float32)

    def _damaged(self) -> LibraryError:
        return LibraryError(
            f"vectors stored in the library {self._folder} are damaged",
            "index its films again: longshot index --rebuild PATH",
        )


def _pack(vectors: Vectors) -> bytes:
    return vectors.astype(np.float16).tobytes()


def _video(row: dict[str, Any]) -> Video:
    facts = json.loads(row["facts"])
    facts["notes"] = tuple(facts["notes"])
    return Video(row["video_id"], row["content_hash"], Path(row["path"]), VideoFacts(**facts))


def _file(row: dict[str, Any]) -> StoredFile:
    return StoredFile(Path(row["path"]), row["video_id"], row["size_bytes"], row["changed_ns"])


def _glimpse(data: bytes) -> Pixels:
    return np.frombuffer(data, np.uint8).reshape(GLIMPSE_HEIGHT_PX, GLIMPSE_WIDTH_PX, 3)
