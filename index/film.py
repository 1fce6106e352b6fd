"""Indexing one film: a single decoding pass, saved in parts.

Part k holds the samples [k × ROWS_PER_PART, (k + 1) × ROWS_PER_PART) of the grid and the glimpses
of the same stretch of time. Pictures are encoded in batches that never cross a part, so that what
is saved does not depend on where a run was interrupted.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from index.ahead import ahead
from index.encoder import Encoder
from index.errors import InputError, MediaError
from index.library import Library
from index.media import Glimpse, Sample, VideoReader, n_times, open_video
from index.shots import (
    PictureChange,
    clip_vectors,
    cut_clips,
    find_cuts,
    picture_change,
    shots_between,
)
from index.store import Part, StoredFile
from index.strips import append_pictures, encode_picture
from index.types import Pixels, Vectors, Video, VideoFacts
from index.words import WordSettings

ROWS_PER_PART = 128
_N_AHEAD = 256
_SMALL_FILM_PX = 256
_EXACT_PARTS_OF_A_SECOND = 64


@dataclass(frozen=True, slots=True)
class IndexSettings:
    """How films are indexed. A film begun with other settings is begun again."""

    every_s: float = 1.0
    """Seconds between frames that get a vector and a picture in the strip."""
    glimpse_every_s: float = 0.125
    """Seconds between glimpses, in which cuts and motion are seen."""
    clip_s: float = 8.0
    """Longest clip."""
    strip_height_px: int = 160
    batch_size: int = 32
    backend: str = "auto"
    rebuild: bool = False
    """Index again what is indexed already; needed once when the encoder is another."""
    words: WordSettings = field(default_factory=WordSettings)

    def __post_init__(self) -> None:
        # Times of the grid are then exact in binary, wherever a run begins.
        if self.every_s <= 0 or (self.every_s * _EXACT_PARTS_OF_A_SECOND) % 1:
            raise InputError(
                f"{self.every_s} s between frames is not possible", "use a multiple of 1/64 s"
            )
        if min(self.glimpse_every_s, self.clip_s, self.strip_height_px, self.batch_size) <= 0:
            raise InputError("an index setting is zero or negative", "use positive numbers")

    def as_text(self) -> str:
        """What shapes the result, as JSON: equal texts give equal libraries."""
        values = asdict(self)
        del values["rebuild"], values["words"]
        return json.dumps(values, sort_keys=True)


@dataclass(frozen=True, slots=True)
class ProgressEvent:
    """How far an indexing run is."""

    stage: str
    """"read" (the file is hashed), "index" (decoded and encoded), "screen" and "speech" (words)."""
    path: Path
    film_index: int
    n_films: int
    done: int
    """Seconds of the film that are indexed; for "screen" pictures that were read."""
    total: int


class Progress(Protocol):
    """Is told how far a run is; a plain function will do."""

    def __call__(self, event: ProgressEvent, /) -> None: ...


@dataclass(frozen=True, slots=True)
class FilmFile:
    """A file to index, and its place in the run."""

    path: Path
    content_hash: str
    size_bytes: int
    changed_ns: int
    film_index: int
    n_films: int

    def stored(self, video_id: int) -> StoredFile:
        return StoredFile(self.path, video_id, self.size_bytes, self.changed_ns)


class FilmIndexer:
    """Indexes films one after another into a library that the caller holds for writing."""

    def __init__(
        self, library: Library, encoder: Encoder, *, settings: IndexSettings, progress: Progress
    ) -> None:
        self._library, self._encoder = library, encoder
        self._settings, self._progress = settings, progress
        self.read_s = 0.0
        """Seconds of film that were read so far, without what an earlier run had saved."""

    def index(self, file: FilmFile) -> int:
        """Index a film, or go on where a killed run stopped; returns its number.

        Raises:
            MediaError: the file cannot be read as a video, or changed meanwhile.
        """
        reader = open_video(file.path, backend=self._settings.backend)
        try:
            video_id, parts = self._begin(file, reader.facts)
            self._read(file, reader, video_id=video_id, parts=parts)
            self._finish(file, reader, video_id=video_id)
        finally:
            reader.close()
        return video_id

    def add_table(self, video: Video, path: Path) -> None:
        """Save the frame table of a film that a version before tables were kept has indexed."""
        tables = self._library.store.frame_tables
        if video.has_pictures and not tables.has(video.video_id):
            with contextlib.closing(open_video(path)) as reader:
                tables.keep(video.video_id, reader.table)

    def index_sound(self, file: FilmFile, facts: VideoFacts) -> int:
        """A file without pictures as a film without shots; returns its number."""
        store, settings = self._library.store, self._settings.as_text()
        video_id = store.begin_video(
            file.content_hash, path=file.path, facts=facts, settings=settings
        )
        nothing = np.zeros((0, self._encoder.identity.dimension), np.float32)
        store.finish_video(video_id, shots=(), spans=(), vectors=nothing)
        store.remember_file(file.stored(video_id))
        return video_id

    def _begin(self, file: FilmFile, facts: VideoFacts) -> tuple[int, list[Part]]:
        """The film's number and the parts that an earlier run saved."""
        store, settings = self._library.store, self._settings.as_text()
        known = store.state_of(file.content_hash)
        if known is not None and known.state == "partial" and known.settings == settings:
            video_id = known.video.video_id
            store.relink(video_id, file.path)
            return video_id, store.parts(video_id, dimension=self._encoder.identity.dimension)
        video_id = store.begin_video(
            file.content_hash, path=file.path, facts=facts, settings=settings
        )
        return video_id, []

    def _read(
        self, file: FilmFile, reader: VideoReader, *, video_id: int, parts: list[Part]
    ) -> None:
        """Decode what is missing and save it part by part."""
        settings, facts = self._settings, reader.facts
        part_s = ROWS_PER_PART * settings.every_s
        start_s = len(parts) * part_s
        total = max(1, round(facts.duration_s))
        self._progress(_event(file, done=min(total, round(start_s)), total=total))
        if start_s >= facts.duration_s:
            return
        making = _PartInMaking(self._encoder, settings, after=parts[-1] if parts else None)
        strip = self._library.strip_path(file.content_hash)
        width_px, height_px = working_size(facts, self._encoder, settings)
        seen = reader.scan(
            every_s=settings.every_s,
            glimpse_every_s=settings.glimpse_every_s,
            width_px=width_px,
            height_px=height_px,
            start_s=start_s,
        )
        for item in ahead(seen, n_items=_N_AHEAD):
            if isinstance(item, Glimpse):
                making.see(item)
                continue
            while item.at_s >= making.part_index * part_s + part_s:
                end_s = (making.part_index + 1) * part_s
                self._library.store.save_part(video_id, making.close(strip, end_s=end_s))
                self._progress(_event(file, done=min(total, round(end_s)), total=total))
            making.take(item)
        self._library.store.save_part(video_id, making.close(strip, end_s=np.inf))
        self.read_s += facts.duration_s - start_s
        self._progress(_event(file, done=total, total=total))

    def _finish(self, file: FilmFile, reader: VideoReader, *, video_id: int) -> None:
        """Shots and clips from the saved parts; the film is ready after this."""
        store, dimension = self._library.store, self._encoder.identity.dimension
        facts = reader.facts
        parts = store.parts(video_id, dimension=dimension)
        times_s = np.concatenate([part.times_s for part in parts])
        status = file.path.stat()
        changed = (status.st_size, status.st_mtime_ns) != (file.size_bytes, file.changed_ns)
        if changed or not len(times_s):
            store.remove_video(video_id)
            self._library.strip_path(file.content_hash).unlink(missing_ok=True)
            if changed:
                raise MediaError(f"{file.path} changed while it was indexed", "index it again")
            raise MediaError(f"{file.path}: no frame of it can be decoded")
        cuts = find_cuts(
            np.concatenate([part.glimpse_times_s for part in parts]),
            np.concatenate([part.changes for part in parts]),
            np.concatenate([part.spreads for part in parts]),
        )
        shots = shots_between(cuts, duration_s=facts.duration_s)
        spans = cut_clips(shots, times_s, clip_s=self._settings.clip_s)
        vectors = clip_vectors(spans, times_s, np.concatenate([part.vectors for part in parts]))
        every_s = self._settings.every_s
        lost_s = round((n_times(facts.duration_s, every_s=every_s) - len(times_s)) * every_s)
        if lost_s > 0:
            note = f"about {lost_s} s of it cannot be decoded"
            store.set_facts(video_id, replace(facts, notes=(*facts.notes, note)))
        store.frame_tables.keep(video_id, reader.table)
        store.finish_video(video_id, shots=shots, spans=spans, vectors=vectors)
        store.remember_file(file.stored(video_id))


@dataclass(slots=True)
class _PartInMaking:
    """Collects samples and glimpses until a part is complete."""

    encoder: Encoder
    settings: IndexSettings
    after: Part | None
    part_index: int = field(init=False)
    _end_bytes: int = field(init=False, default=0)
    _last_glimpse: Pixels | None = field(init=False, default=None)
    _glimpses: list[Glimpse] = field(init=False, default_factory=list)
    _times: list[tuple[float, float]] = field(init=False, default_factory=list)
    _pictures: list[bytes] = field(init=False, default_factory=list)
    _pixels: list[Pixels] = field(init=False, default_factory=list)
    _vectors: list[Vectors] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self.part_index = self.after.part_index + 1 if self.after else 0
        if self.after is not None:
            self._end_bytes = self.after.strip_end_bytes
            self._last_glimpse = self.after.last_glimpse

    def see(self, glimpse: Glimpse) -> None:
        self._glimpses.append(glimpse)

    def take(self, sample: Sample) -> None:
        self._times.append((sample.at_s, sample.frame.time_s))
        pixels = sample.frame.pixels
        self._pictures.append(encode_picture(pixels, height_px=self.settings.strip_height_px))
        self._pixels.append(pixels)
        if len(self._pixels) == self.settings.batch_size:
            self._encode()

    def close(self, strip: Path, *, end_s: float) -> Part:
        """Write the pictures, and give the part of everything before `end_s`."""
        self._encode()
        ends = append_pictures(strip, self._pictures, after_bytes=self._end_bytes)
        self._end_bytes = ends[-1] if ends else self._end_bytes
        inside = [glimpse for glimpse in self._glimpses if glimpse.time_s < end_s]
        changes = self._changes(inside)
        dimension = self.encoder.identity.dimension
        times = np.asarray(self._times, dtype=np.float64).reshape(-1, 2)
        part = Part(
            part_index=self.part_index,
            times_s=times[:, 0].copy(),
            shown_s=times[:, 1].copy(),
            vectors=np.concatenate([np.zeros((0, dimension), np.float32), *self._vectors]),
            strip_ends=np.asarray(ends, dtype=np.int64),
            strip_end_bytes=self._end_bytes,
            glimpse_times_s=np.asarray([each.time_s for each in inside], dtype=np.float64),
            changes=np.asarray([each.mean for each in changes], dtype=np.float32),
            spreads=np.asarray([each.spread for each in changes], dtype=np.float32),
            last_glimpse=self._last_glimpse,
        )
        # A glimpse exactly at the end comes before the sample that closes the part.
        self._glimpses = self._glimpses[len(inside) :]
        self._times, self._pictures, self._vectors = [], [], []
        self.part_index += 1
        return part

    def _encode(self) -> None:
        if self._pixels:
            self._vectors.append(self.encoder.encode_frames(np.stack(self._pixels)))
            self._pixels = []

    def _changes(self, glimpses: list[Glimpse]) -> list[PictureChange]:
        changes = []
        for glimpse in glimpses:
            before = glimpse.pixels if self._last_glimpse is None else self._last_glimpse
            changes.append(picture_change(before, glimpse.pixels))
            self._last_glimpse = glimpse.pixels
        return changes


def working_size(facts: VideoFacts, encoder: Encoder, settings: IndexSettings) -> tuple[int, int]:
    """Width and height at which films are decoded here.

    Just large enough that the encoder and the strip only shrink it; small films as they are.
    """
    width_px, height_px = facts.width_px, facts.height_px
    if min(width_px, height_px) <= _SMALL_FILM_PX:
        return width_px, height_px
    scale = max(
        settings.strip_height_px / height_px,
        encoder.input_height_px / height_px,
        encoder.input_width_px / width_px,
    )
    scale = min(1.0, scale)
    return max(1, round(width_px * scale)), max(1, round(height_px * scale))


def _event(file: FilmFile, *, done: int, total: int) -> ProgressEvent:
    return ProgressEvent(
        "index", file.path, film_index=file.film_index, n_films=file.n_films, done=done, total=total
    )
