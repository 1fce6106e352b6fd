"""Exact reading by time with PyAV, which brings its own FFmpeg.

The frame table says which frame is on screen at a time; a frame is accepted only when its
presentation time is the wanted one, so a seek that lands elsewhere is noticed and repeated.
Nobody may call `av.logging.set_level`: FFmpeg's threads then log through Python and can wait for
each other for ever (seen with frame threads). Without it PyAV is silent.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from index.errors import InputError, MediaError
from index.frame_table import FrameTable, decoded, read_table
from index.media import GLIMPSE_HEIGHT_PX, GLIMPSE_WIDTH_PX, Glimpse, Sample, n_times
from index.types import Frame, Pixels, VideoFacts

_PICTURE_FORMATS = ("image2", "tty")
_PICTURE_FORMAT_END = "_pipe"
_NOTICED_ASPECT = 0.01


class PyavReader:
    """A video opened with PyAV. Not for two threads at once."""

    facts: VideoFacts
    table: FrameTable

    def __init__(self, path: Path, *, table: FrameTable | None = None) -> None:
        self._path = path
        self._container = open_container(path)
        try:
            self._stream = _video_stream(self._container, path)
            # Frame threads would add a pipeline delay after every seek.
            self._stream.thread_type = "SLICE"
            self.table, self.facts = _probe(self._container, self._stream, path, table)
        except BaseException:
            self._container.close()
            raise
        self.format = str(self._container.format.name)
        self.stream_index = int(self._stream.index)
        self._scaler = _Scaler()
        self._walk = _Walk(self._container, self._stream, self.table)

    def frames_at(self, times_s: Sequence[float], *, width_px: int, height_px: int) -> list[Frame]:
        indices = [self.table.index_at(self.inside(time_s)) for time_s in times_s]
        found: dict[int, Frame] = {}
        for index in sorted(set(indices)):
            raw = self._walk.frame(index)
            if raw is None:
                at = f"{self.table.times_s[index]:.3f} s"
                raise MediaError(f"{self._path.name}: nothing can be decoded at {at}")
            shown = int(np.searchsorted(self.table.pts, raw.pts, side="right")) - 1
            time_s = float(self.table.times_s[max(0, shown)])
            found[index] = Frame(
                time_s, self._scaler.upright(raw, width_px=width_px, height_px=height_px)
            )
        return [found[index] for index in indices]

    def sample(
        self, *, every_s: float, width_px: int, height_px: int, start_s: float = 0.0
    ) -> Iterator[Frame]:
        for seen in self.scan(
            every_s=every_s,
            glimpse_every_s=math.inf,
            width_px=width_px,
            height_px=height_px,
            start_s=start_s,
        ):
            if isinstance(seen, Sample):
                yield seen.frame

    def scan(
        self,
        *,
        every_s: float,
        glimpse_every_s: float,
        width_px: int,
        height_px: int,
        start_s: float = 0.0,
    ) -> Iterator[Sample | Glimpse]:
        grid = _Grid(self.table, every_s=every_s, start_s=start_s)
        scaler, shrinker = _Scaler(), _Scaler(interpolation="AREA")
        cell = -1
        with open_container(self._path) as container:
            stream = container.streams[self._stream.index]
            stream.thread_type = "AUTO"
            for raw in _from(container, stream, self.table, pts=grid.first_pts):
                index = int(np.searchsorted(self.table.pts, raw.pts))
                if index >= len(self.table.pts) or self.table.pts[index] != raw.pts:
                    continue
                time_s = float(self.table.times_s[index])
                if time_s >= start_s and math.isfinite(glimpse_every_s):
                    now = math.floor(time_s / glimpse_every_s + 1e-6)
                    if now > cell:
                        cell = now
                        pixels = shrinker.pixels(
                            raw, width_px=GLIMPSE_WIDTH_PX, height_px=GLIMPSE_HEIGHT_PX
                        )
                        yield Glimpse(time_s, pixels)
                times_s = grid.reached(index)
                if times_s:
                    pixels = scaler.upright(raw, width_px=width_px, height_px=height_px)
                    for at_s in times_s:
                        yield Sample(at_s, Frame(time_s, pixels))
                if grid.finished and not math.isfinite(glimpse_every_s):
                    return

    def raw_frames(self, first: int, after: int) -> Iterator[Any]:
        """Decoded pictures (av.VideoFrame) at the table's positions [first, after), in order.

        As they are stored: not turned upright, in their own pixel format. Damaged ones are left
        out.
        """
        table = self.table
        with open_container(self._path) as container:
            stream = container.streams[self._stream.index]
            stream.thread_type = "AUTO"
            for raw in _from(container, stream, table, pts=int(table.pts[first])):
                index = int(np.searchsorted(table.pts, raw.pts))
                if index >= after:
                    return
                if index >= first and table.pts[index] == raw.pts:
                    yield raw

    def close(self) -> None:
        self._container.close()

    def inside(self, time_s: float) -> float:
        """The same time, when it lies in the film.

        Raises:
            InputError: it does not.
        """
        if not 0 <= time_s <= self.facts.duration_s + 1e-6:
            span = f"0..{self.facts.duration_s:.3f} s"
            raise InputError(f"{time_s:.3f} s is outside {self._path.name}, which has {span}")
        return time_s


class _Walk:
    """Random access: goes on decoding where that is near, seeks where it is not."""

    def __init__(self, container: Any, stream: Any, table: FrameTable) -> None:
        self._container, self._stream, self._table = container, stream, table
        self._frames: Iterator[Any] | None = None
        self._last: Any = None
        """The latest decoded frame at or before the wanted one."""
        self._ahead: Any = None
        """A frame that was decoded beyond the wanted one."""

    def frame(self, index: int) -> Any:
        """The frame at a position of the table, else the last that decodes before it, else None."""
        wanted = int(self._table.pts[index])
        keyframe = self._table.keyframe_before(wanted)
        if not self._is_near(wanted, keyframe):
            self._seek(keyframe)
        back = 0
        while not self._advance(wanted):
            # Landed late (MPEG-TS, open groups of pictures): begin 1, 3, 7, … keyframes earlier.
            if keyframe - back < 0:
                return None
            back = back * 2 + 1
            self._seek(keyframe - back)
        return self._last

    def _is_near(self, wanted: int, keyframe: int) -> bool:
        if self._frames is None or self._last is None or self._last.pts > wanted:
            return False
        return keyframe < 0 or self._table.keyframe_pts[keyframe] <= self._last.pts

    def _seek(self, keyframe: int) -> None:
        self._last, self._ahead = None, None
        _seek(self._container, self._stream, self._table, keyframe=keyframe)
        self._frames = decoded(self._container, self._stream, self._table.give_time)

    def _advance(self, wanted: int) -> bool:
        """Decode up to `wanted`; False where the decoding began behind it."""
        if self._last is not None and self._last.pts == wanted:
            return True
        while True:
            frame = self._ahead or next(self._frames or iter(()), None)
            self._ahead = None
            if frame is None:
                return self._last is not None
            if frame.pts > wanted:
                self._ahead = frame
                return self._last is not None
            self._last = frame
            if frame.pts == wanted:
                return True


class _Grid:
    """Times to sample, in the order in which the decoder reaches their frames."""

    def __init__(self, table: FrameTable, *, every_s: float, start_s: float) -> None:
        n = n_times(table.end_s - start_s, every_s=every_s)
        self._times_s = [start_s + every_s * position for position in range(n)]
        self._indices = [table.index_at(time_s) for time_s in self._times_s]
        self._next = 0
        self.first_pts = int(table.pts[self._indices[0]])

    @property
    def finished(self) -> bool:
        return self._next >= len(self._times_s)

    def reached(self, index: int) -> list[float]:
        """Times at which this frame is on screen; times of frames that were lost are passed."""
        times_s = []
        while not self.finished and self._indices[self._next] <= index:
            if self._indices[self._next] == index:
                times_s.append(self._times_s[self._next])
            self._next += 1
        return times_s


class _Scaler:
    """Turns decoded frames into pixels.

    It keeps PyAV's scaling context: a new one for every frame, with threads of its own as PyAV
    makes by itself, takes ten times the processor time.
    """

    def __init__(self, *, interpolation: str = "BILINEAR") -> None:
        self._scaler = VideoReformatter()
        self._interpolation = interpolation

    def pixels(self, raw: Any, *, width_px: int, height_px: int) -> Pixels:
        """(height_px, width_px, 3) uint8 RGB, as it is stored."""
        scaled: Any = self._scaler.reformat(
            raw, width_px, height_px, "rgb24", interpolation=self._interpolation, threads=1
        )
        pixels: Pixels = scaled.to_ndarray()
        return pixels

    def upright(self, raw: Any, *, width_px: int, height_px: int) -> Pixels:
        """(height_px, width_px, 3) uint8 RGB, turned as the frame's display matrix says."""
        quarter_turns = round(raw.rotation / 90) % 4
        if quarter_turns % 2:
            width_px, height_px = height_px, width_px
        pixels = self.pixels(raw, width_px=width_px, height_px=height_px)
        return np.ascontiguousarray(np.rot90(pixels, k=quarter_turns)) if quarter_turns else pixels


def _from(container: Any, stream: Any, table: FrameTable, *, pts: int) -> Iterator[Any]:
    """Frames from before `pts` on, each later than the one before."""
    back = 1
    # One keyframe more than needed: after a seek, frames before a recovery point may be wrong.
    keyframe = table.keyframe_before(pts) - 1
    while True:
        _seek(container, stream, table, keyframe=keyframe)
        last: int | None = None
        for raw in decoded(container, stream, table.give_time):
            if last is None and raw.pts > pts and keyframe >= 0:
                break
            if last is None or raw.pts > last:
                last = raw.pts
                yield raw
        if last is not None or keyframe < 0:
            return
        keyframe, back = keyframe - back, back * 2


def _seek(container: Any, stream: Any, table: FrameTable, *, keyframe: int) -> None:
    """To a keyframe by its position in the table; to the file's beginning where it is negative."""
    try:
        if keyframe >= 0:
            container.seek(table.keyframe_dts[keyframe], stream=stream, backward=True)
        else:
            container.seek(int(table.pts[0]) - 10**6, stream=stream, backward=True)
    except av.error.FFmpegError:
        # Some containers (FLV) refuse a time before their first packet.
        container.seek(0)


def open_container(path: Path) -> Any:
    """The opened file, for reading; only this machine's files are followed.

    Raises:
        MediaError: it cannot be opened as a video.
    """
    try:
        return av.open(
            str(path), metadata_errors="ignore", options={"protocol_whitelist": "file,crypto,data"}
        )
    except (av.error.FFmpegError, OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise MediaError(
            f"{path} cannot be opened as a video: {reason}",
            "is it a video, whole and not encrypted?",
        ) from error


def _video_stream(container: Any, path: Path) -> Any:
    name = str(container.format.name)
    if name in _PICTURE_FORMATS or name.endswith(_PICTURE_FORMAT_END):
        raise MediaError(f"{path} is not a video ({container.format.long_name})")
    moving = [stream for stream in container.streams.video if not _is_cover(stream)]
    if not moving:
        found = "only cover art" if container.streams.video else _other_streams(container)
        raise MediaError(f"{path} has no video: {found}", "name a file with moving pictures")
    best = container.streams.best("video")
    return best if best in moving else moving[0]


def _is_cover(stream: Any) -> bool:
    return bool(stream.disposition & av.stream.Disposition.attached_pic)


def _other_streams(container: Any) -> str:
    kinds = sorted({str(stream.type) for stream in container.streams})
    return f"only {' and '.join(kinds)}" if kinds else "nothing in it"


def _probe(
    container: Any, stream: Any, path: Path, table: FrameTable | None
) -> tuple[FrameTable, VideoFacts]:
    table = table or read_table(container, stream)
    if table is None:
        raise MediaError(f"{path} has no frames: its video stream is empty", "is it truncated?")
    first = _Walk(container, stream, table).frame(0) or _first_decodable(container, stream, table)
    if first is None:
        codec = stream.codec.canonical_name
        raise MediaError(f"{path}: no frame of its {codec} video can be decoded")
    width_px, height_px = _display_size(first, stream)
    duration_s = table.end_s
    return table, VideoFacts(
        duration_s=duration_s,
        container_start_s=table.clock.start_s,
        width_px=width_px,
        height_px=height_px,
        n_frames=len(table.pts),
        fps=len(table.pts) / duration_s,
        codec=str(stream.codec.canonical_name),
        rotation_degrees=round(first.rotation) % 360,
        has_audio=bool(container.streams.audio),
        notes=table.notes,
    )


def _first_decodable(container: Any, stream: Any, table: FrameTable) -> Any:
    _seek(container, stream, table, keyframe=-1)
    return next(decoded(container, stream, table.give_time), None)


def _display_size(first: Any, stream: Any) -> tuple[int, int]:
    """Width and height of the upright picture with square pixels."""
    aspect = float(stream.sample_aspect_ratio or 1)
    width_px, height_px = int(first.width), int(first.height)
    if aspect > 0 and abs(aspect - 1) > _NOTICED_ASPECT:
        width_px = max(1, round(width_px * aspect))
    turned = round(first.rotation / 90) % 2 == 1
    return (height_px, width_px) if turned else (width_px, height_px)
