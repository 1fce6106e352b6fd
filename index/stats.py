"""What a library holds, in figures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from index.library import Library
from index.types import Video


@dataclass(frozen=True, slots=True)
class VideoStats:
    """One film in figures."""

    video: Video
    n_shots: int
    n_clips: int
    strip_bytes: int
    words: dict[str, int]
    """Lines of timed words by source."""


@dataclass(frozen=True, slots=True)
class LibraryStats:
    """A whole library in figures."""

    folder: Path
    encoder: str | None
    """None while nothing is indexed."""
    videos: tuple[VideoStats, ...]
    size_bytes: int
    """Of everything in the folder."""

    @property
    def duration_s(self) -> float:
        return sum(each.video.facts.duration_s for each in self.videos)


def stats_of(library: Library) -> LibraryStats:
    """The figures of a library, its films in the order in which they came."""
    identity = library.encoder_identity()
    return LibraryStats(
        folder=library.folder,
        encoder=identity.name if identity else None,
        videos=tuple(_video_stats(library, video) for video in library.videos()),
        size_bytes=sum(_size_bytes(path) for path in library.folder.rglob("*")),
    )


def _video_stats(library: Library, video: Video) -> VideoStats:
    return VideoStats(
        video=video,
        n_shots=len(library.store.shots(video.video_id)),
        n_clips=len(library.store.clip_spans(video.video_id)),
        strip_bytes=_size_bytes(library.strip_path(video.content_hash)),
        words=library.words.counts(video.video_id),
    )


def _size_bytes(path: Path) -> int:
    """0 for a folder, and for a file that has just gone (a database's journal comes and goes)."""
    try:
        return path.stat().st_size if path.is_file() else 0
    except FileNotFoundError:
        return 0
