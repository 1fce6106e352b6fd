"""A film's frames as editing programs count them, and spans set on them.

Frames are counted from the film's first picture. In a film of constant rate a frame's number is
its place in the file; in one of variable rate it is the place in a grid of the nearest standard
rate, which is how editing programs conform such films.

    frames on screen   |--10--|--11--|--12--|--13--|
    span asked for            .  [=========]           a part of 11, 12, a part of 13
    span exported             [====================]   11, 12, 13: whole frames, none left out
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from index.frame_table import FrameTable
from index.types import Seconds, Span, VideoFacts
from tools.export.timecode import (
    STANDARD_RATES,
    FrameRate,
    as_written,
    can_drop,
    nearest_standard,
    parse_timecode,
    standard,
)

_MILLISECOND_S = 1e-3
_ROUNDED_S = _MILLISECOND_S + 1e-6
"""Times in JSON and in captions are rounded or cut to milliseconds: this near is the same."""
_JITTER = 1.05
_DEFAULT_FPS = Fraction(25)
_FASTEST_FPS = 240


@dataclass(frozen=True, slots=True)
class Sound:
    """The film's main sound track."""

    stream_index: int
    rate_hz: int
    n_channels: int


@dataclass(frozen=True, slots=True)
class FrameSpan:
    """Frames [first, after), by number."""

    first: int
    after: int

    def __post_init__(self) -> None:
        if not 0 <= self.first < self.after:
            raise ValueError(f"frames {self.first}..{self.after} are none")

    @property
    def n_frames(self) -> int:
        return self.after - self.first


@dataclass(frozen=True, slots=True, eq=False)
class FilmFrames:
    """One film, ready to be cut."""

    path: Path
    facts: VideoFacts
    table: FrameTable
    stream_index: int
    time_base: Fraction
    """Seconds of one unit of the table's presentation times."""
    rate: FrameRate
    is_constant: bool
    """False: frame numbers are places in a grid of `rate`, not counts of pictures."""
    first_code: int
    """Number of the time code that the file gives its first picture; 0 where it gives none."""
    sound: Sound | None

    @property
    def name(self) -> str:
        """The file's name, fit to stand in any text."""
        return one_line(self.path.name)

    @property
    def n_frames(self) -> int:
        """Frames of the whole film, as they are counted."""
        return max(self._number(self.table.end_s), 1)

    def positions(self, span: Span) -> FrameSpan:
        """The pictures on screen at any time of a span, by their places in the table."""
        first = self.table.index_at(span.start_s + _MILLISECOND_S)
        after = int(np.searchsorted(self.table.times_s, span.end_s - _ROUNDED_S, side="left"))
        return FrameSpan(first, max(after, first + 1))

    def span_of(self, positions: FrameSpan) -> Span:
        """When these pictures are on screen, exactly."""
        return Span(max(0.0, self._time_s(positions.first)), self._time_s(positions.after))

    def frames(self, positions: FrameSpan) -> FrameSpan:
        """The same pictures by their numbers."""
        first = self._number(self._time_s(positions.first))
        return FrameSpan(first, max(self._number(self._time_s(positions.after)), first + 1))

    def _time_s(self, position: int) -> float:
        times_s = self.table.times_s
        return float(times_s[position]) if position < len(times_s) else self.table.end_s

    def _number(self, time_s: float) -> int:
        return round((time_s - float(self.table.times_s[0])) * float(self.rate.fps))


def read_film(path: Path, *, fps: Fraction | None = None, drop: bool | None = None) -> FilmFrames:
    """The frames of a film.

    Args:
        fps: count at this rate; None takes the film's own.
        drop: drop-frame time codes where the rate has them; None does as the file's own time code.

    Raises:
        MediaError: the file is missing or no video.
    """
    from index.media import open_video
    from index.media_pyav import PyavReader, open_container

    reader = open_video(path, backend="pyav")
    assert isinstance(reader, PyavReader)
    try:
        table, facts, stream_index = reader.table, reader.facts, reader.stream_index
    finally:
        reader.close()
    with open_container(path) as container:
        stream = container.streams[stream_index]
        found, is_constant = film_rate(
            table.times_s, tick_s=float(stream.time_base), claims=_claims(stream)
        )
        time_base = Fraction(stream.time_base)
        code, sound = _recorded_code(container, stream), _sound(container)
    rate = as_written(code, FrameRate(fps or found))
    if drop is not None:
        rate = FrameRate(rate.fps, drop and can_drop(rate.fps))
    return FilmFrames(
        path=path.absolute(),
        facts=facts,
        table=table,
        stream_index=stream_index,
        time_base=time_base,
        rate=rate,
        is_constant=is_constant and rate.fps == found,
        first_code=parse_timecode(code, rate) if code and rate.has_timecode else 0,
        sound=sound,
    )


def film_rate(
    times_s: Seconds, *, tick_s: float, claims: tuple[Fraction, ...]
) -> tuple[Fraction, bool]:
    """The rate of frames shown at these times, and whether it is constant.

    A rate fits when every frame lies in its own place of the rate's grid. The header's claims are
    tried first: on a short film in milliseconds 23.976 and 24 both fit. Frames may be missing from
    a grid, so the slowest that fits is taken.
    """
    candidates = [standard(fps) for fps in claims if 0 < fps <= _FASTEST_FPS]
    candidates += sorted(STANDARD_RATES)
    tolerance_s = _JITTER * max(tick_s, _MILLISECOND_S)
    for fps in candidates:
        if _fits(times_s, float(fps), tolerance_s):
            return fps, len(times_s) > 1
    if len(times_s) < 2:
        return _DEFAULT_FPS, False
    mean = (len(times_s) - 1) / float(times_s[-1] - times_s[0])
    return nearest_standard(Fraction(mean)), False


def _fits(times_s: Seconds, fps: float, tolerance_s: float) -> bool:
    since_s = times_s - times_s[0]
    places = np.round(since_s * fps)
    in_place = bool((np.abs(since_s - places / fps) <= tolerance_s).all())
    # A grid of which most places are empty fits anything: that is a variable rate.
    return in_place and bool((np.diff(places) >= 1).all()) and places[-1] < 1.5 * len(times_s)


def _claims(stream: Any) -> tuple[Fraction, ...]:
    return tuple(fps for fps in (stream.average_rate, stream.base_rate) if fps)


def _recorded_code(container: Any, stream: Any) -> str:
    """The time code of the first picture as the file records it; "" where it does not."""
    # In QuickTime files it is a track of its own, and FFmpeg tells it on that track.
    places = [stream.metadata, container.metadata, *(s.metadata for s in container.streams)]
    return next((str(place["timecode"]) for place in places if "timecode" in place), "")


def _sound(container: Any) -> Sound | None:
    best = container.streams.best("audio")
    if best is None or not best.rate or not best.channels:
        return None
    return Sound(int(best.index), int(best.rate), int(best.channels))


def one_line(text: str) -> str:
    """Text without line breaks and control characters, which no format here can hold."""
    shown = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(shown.split())
