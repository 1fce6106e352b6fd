"""A film that is open for questions: what the index knows of it, and its decoded frames.

Several questions, also at the same time, may share one: vectors are read once, and a frame that
one question looked at is not decoded again for the next.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from agent.workspace import Film
from index.media import VideoReader
from index.types import Frame, Shot, Video
from index.words import WordLine
from tools.look import FrameCache


class LinesOfFilms(Protocol):
    """What gives a film's words."""

    def lines(self, video_id: int) -> list[WordLine]: ...


class FilmRows(Protocol):
    """What opening a film needs of a library."""

    @property
    def words(self) -> LinesOfFilms: ...
    def timeline(self, video_id: int) -> Any: ...
    def clips(self, video_id: int) -> Any: ...
    def shots(self, video_id: int) -> Sequence[Shot]: ...
    def strip(self, video_id: int, times_s: Sequence[float]) -> list[Frame]: ...
    def reader(self, video: Video) -> VideoReader: ...


@dataclass(frozen=True, slots=True, eq=False)
class OpenFilm:
    """A film with its reader open."""

    film: Film
    frames: FrameCache


@contextlib.contextmanager
def open_film(library: FilmRows, video: Video) -> Iterator[OpenFilm]:
    """The film, open until the block ends.

    Raises:
        MediaError: its file is gone or unreadable.
    """
    reading = threading.Lock()
    video_id = video.video_id

    def strip(times_s: Sequence[float]) -> list[Frame]:
        with reading:
            return library.strip(video_id, times_s)

    with contextlib.closing(library.reader(video)) as reader:
        # All that the index knows is read here: nodes may run in another thread.
        film = Film(
            video=video,
            timeline=library.timeline(video_id),
            clips=library.clips(video_id),
            shots=tuple(library.shots(video_id)),
            strip=strip,
            words=tuple(library.words.lines(video_id)),
        )
        yield OpenFilm(film, FrameCache(reader))
