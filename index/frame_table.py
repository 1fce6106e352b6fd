"""The frame table: when every frame of a stream is shown, read from its packets.

One pass over the packets, without decoding: under a second for an hour, but the whole file is
read, so the index keeps the table (index/stored_tables.py). Headers are not believed: frame counts,
rates and durations lie. The table is in presentation order; `pts` are the stream's own integers,
and only this file turns them into seconds.

AVI says when a packet is decoded and never when its picture is shown. Players show the first
picture at the first of these times, the second at the second, and so on; so does the table:

    packets, as decoded     I0  P3  B1  B2  P6        decoded at   0  1  2  3  4
    pictures, as shown      I0  B1  B2  P3  …         shown at     0  1  2  3  4
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from index.types import Seconds

_ROUNDING_S = 1e-6
_DEFAULT_FRAME_S = 0.04
_MICROSECONDS = 1_000_000
_WITHOUT_SHOWN = "avi"


@dataclass(frozen=True, slots=True)
class Clock:
    """How a stream's own integers become seconds on the player's timeline."""

    time_base: Fraction
    """Seconds of one unit."""
    start_s: float
    """Where the container's own timeline starts: the player's zero."""
    start_pts: int | None = None
    """The zero as the stream's own integer, where the video starts the film: it is not rounded."""

    def seconds(self, pts: NDArray[np.int64]) -> Seconds:
        """Presentation times in seconds."""
        unit_s = self.time_base.numerator / self.time_base.denominator
        if self.start_pts is None:
            return np.asarray(pts * unit_s - self.start_s, dtype=np.float64)
        return np.asarray((pts - self.start_pts) * unit_s, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class FrameTable:
    """Presentation times and keyframes of one video stream."""

    pts: NDArray[np.int64]
    """(N,) presentation times in the stream's units, ascending, each once."""
    clock: Clock
    end_s: float
    """End of the last frame."""
    keyframe_pts: tuple[int, ...]
    keyframe_dts: tuple[int, ...]
    """Decoding times of the keyframes, in the order of their presentation: seek targets."""
    hides_preroll: bool
    """An edit list hides packets that the decoder still needs."""
    notes: tuple[str, ...]
    shown_at: Mapping[int, int] = field(default_factory=dict)
    """Presentation times by decoding times, where the container gives only those; else empty."""
    times_s: Seconds = field(init=False)
    """(N,) `pts` on the player's timeline."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "times_s", self.clock.seconds(self.pts))

    def give_time(self, packet: Any) -> None:
        """Set the time at which a packet is shown, where the container does not say it."""
        if self.shown_at and packet.size:
            packet.pts = self.shown_at.get(packet.dts)

    @property
    def latest_by(self) -> int:
        """How far a packet's decoding time is behind its given presentation time, at most."""
        return max((dts - pts for dts, pts in self.shown_at.items()), default=0)

    def index_at(self, time_s: float) -> int:
        """Position of the frame on screen at a time; the first one before the film's start."""
        return max(0, int(np.searchsorted(self.times_s, time_s + _ROUNDING_S, side="right")) - 1)

    def keyframe_before(self, pts: int) -> int:
        """Position of the last keyframe shown at or before `pts`; -1 where there is none."""
        return bisect.bisect_right(self.keyframe_pts, pts) - 1


@dataclass(slots=True)
class _Packets:
    """What one demuxing pass collects."""

    rows: list[tuple[int, int, bool, int]]
    n_discarded: int = 0
    n_without_pts: int = 0
    damaged: bool = False
    shown_at: Mapping[int, int] = field(default_factory=dict)


def read_table(container: Any, stream: Any) -> FrameTable | None:
    """The table of a stream, or None where it has no readable packet. Leaves the file at its end.

    Streams whose packets carry no presentation time are decoded once to learn them, and so is H.264
    in AVI where pictures are shown in another order than they are decoded in.
    """
    is_without_shown = container.format.name == _WITHOUT_SHOWN
    packets = _demux(container, stream, dts_will_do=is_without_shown)
    if is_without_shown:
        packets = _shown_in_turn(container, stream, packets)
    elif packets.n_without_pts > len(packets.rows) // 10:
        container.seek(0)
        packets = _decode_rows(container, stream)
    if not packets.rows:
        return None
    return _tabulate(container, stream, packets)


def _demux(container: Any, stream: Any, *, dts_will_do: bool) -> _Packets:
    found = _Packets(rows=[])
    try:
        for packet in container.demux(stream):
            if packet.size == 0:
                continue
            if packet.is_discard:
                found.n_discarded += 1
            elif packet.is_corrupt:
                found.damaged = True
            else:
                found.n_without_pts += packet.pts is None
                pts = packet.dts if packet.pts is None and dts_will_do else packet.pts
                if pts is not None:
                    dts = pts if packet.dts is None else packet.dts
                    found.rows.append((pts, dts, packet.is_keyframe, packet.duration or 0))
    except (av.error.FFmpegError, OSError):
        found.damaged = True
    return found


def _decode_rows(container: Any, stream: Any) -> _Packets:
    found = _Packets(rows=[])
    for frame in decoded(container, stream):
        found.rows.append((frame.pts, frame.pts, frame.key_frame, frame.duration or 0))
    return found


def _shown_in_turn(container: Any, stream: Any, packets: _Packets) -> _Packets:
    """The packets of an AVI with the times at which their pictures are shown."""
    # Without a B-frame the library guesses a time behind the decoding time, in the same order. With
    # them it reads the order from MPEG-4 and MPEG-2, but from H.264 it does not.
    order = [dts for _, dts, _, _ in sorted(packets.rows)]
    knows_order = order != sorted(order) and not packets.n_without_pts
    if stream.codec_context.has_b_frames and not knows_order:
        container.seek(0)
        order = _decoded_order(container, stream)
    shown_at = dict(zip(order, sorted(order), strict=True))
    rows = [
        (shown_at[dts], dts, is_key, duration)
        for _, dts, is_key, duration in packets.rows
        if dts in shown_at
    ]
    return replace(packets, rows=rows, shown_at=shown_at)


def _decoded_order(container: Any, stream: Any) -> list[int]:
    """Decoding times of the packets, in the order in which their pictures are shown."""

    def own(packet: Any) -> None:
        packet.pts = packet.dts

    return list(dict.fromkeys(frame.pts for frame in decoded(container, stream, own)))


def _as_it_is(packet: Any) -> None:
    """Most containers say when a picture is shown."""


def decoded(
    container: Any, stream: Any, give_time: Callable[[Any], None] = _as_it_is
) -> Iterator[Any]:
    """Frames as the decoder gives them; damaged packets are passed over, as players do."""
    try:
        for packet in container.demux(stream):
            give_time(packet)
            try:
                frames = packet.decode()
            except EOFError:
                return
            except av.error.FFmpegError:
                continue
            for frame in frames:
                if frame.pts is not None:
                    yield frame
    except (av.error.FFmpegError, OSError):
        return


def _tabulate(container: Any, stream: Any, packets: _Packets) -> FrameTable:
    last = max(packets.rows)
    pts = np.unique(np.asarray([row[0] for row in packets.rows], dtype=np.int64))
    clock = _clock(container, stream, first_pts=int(pts[0]))
    times_s = clock.seconds(pts)
    gaps = np.diff(times_s)
    frame_s = float(np.median(gaps)) if len(gaps) else _DEFAULT_FRAME_S
    last_s = last[3] * float(clock.time_base) if last[3] else frame_s
    end_s = float(times_s[-1]) + last_s
    keyframes = sorted((row[0], row[1]) for row in packets.rows if row[2])
    notes = _notes(container, stream, packets, times_s=times_s, gaps=gaps, end_s=end_s)
    if clock.start_s > 0.001:
        notes.append(f"starts at {clock.start_s:.3f} s")
    return FrameTable(
        pts=pts,
        clock=clock,
        end_s=end_s,
        keyframe_pts=tuple(key[0] for key in keyframes),
        keyframe_dts=tuple(key[1] for key in keyframes),
        hides_preroll=packets.n_discarded > 0,
        notes=tuple(notes),
        shown_at=packets.shown_at,
    )


def _clock(container: Any, stream: Any, *, first_pts: int) -> Clock:
    """The stream's clock.

    The container's start is rounded to microseconds; where the video itself starts the film, its
    first presentation time is the same moment without the rounding.
    """
    time_base = Fraction(stream.time_base)
    first_s = first_pts * float(time_base)
    if container.start_time is None:
        return Clock(time_base, first_s, first_pts)
    start_s = container.start_time / _MICROSECONDS
    if first_s <= start_s + max(2 * _ROUNDING_S, float(time_base)):
        return Clock(time_base, first_s, first_pts)
    return Clock(time_base, start_s)


def _notes(
    container: Any,
    stream: Any,
    packets: _Packets,
    *,
    times_s: Seconds,
    gaps: Seconds,
    end_s: float,
) -> list[str]:
    notes: list[str] = []
    if len(gaps) and float(gaps.max() - gaps.min()) > 2e-3 + 2 * float(stream.time_base):
        notes.append("variable frame rate")
    if packets.damaged:
        notes.append("damaged packets")
    if packets.n_discarded:
        notes.append("an edit list hides some frames")
    declared_s = float(stream.duration * stream.time_base) if stream.duration else 0.0
    if not declared_s and container.duration:
        declared_s = container.duration / _MICROSECONDS
    length_s = end_s - float(times_s[0])
    if declared_s and length_s < declared_s - max(2.0, 0.02 * declared_s):
        notes.append(f"truncated: the header says {declared_s:.1f} s, the file has {length_s:.1f}")
    return notes
