"""Cutting without encoding again: packets are copied from a keyframe on.

    keyframe          asked for
       |--------|=====================|
       [______________________________]--   what the clip holds

A clip can only begin on a keyframe, so it begins at or before the span that was asked for; behind
it, a few frames may remain that others need to be decoded. Sound keeps its times to the picture.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from index.errors import MediaError
from index.media_pyav import open_container
from index.types import Span
from tools.export.chapters import Chapter, for_container, without_gaps
from tools.export.cuts import Cut
from tools.export.film_frames import FilmFrames

Progress = Callable[[float, float], None]

_MP4_CODECS = {"h264", "hevc", "av1", "vp9", "mpeg4", "aac", "mp3", "ac3", "eac3", "opus", "alac"}
"""What players take in an mp4; FFmpeg would write more into one."""
_PATIENCE_S = 2.0
"""How far sound may lie behind its picture in the file."""


def container_for(film: FilmFrames) -> str:
    """ "mp4" where players take all of the film's streams in one, else "matroska"."""
    with open_container(film.path) as container:
        names = {stream.codec.canonical_name for stream in _streams(container, film)}
    return "mp4" if names <= _MP4_CODECS else "matroska"


def copied_span(cut: Cut) -> Span:
    """What a copied clip holds at least: from the keyframe on.

    Raises:
        MediaError: the film has no keyframe before the span.
    """
    return Span(max(0.0, _time_s(cut.film, _keyframe_pts(cut))), cut.span.end_s)


def copy_clip(cut: Cut, to: Path, *, container: str, progress: Progress) -> None:
    """Write a clip of all picture and sound of `copied_span`.

    Raises:
        MediaError: the film's packets cannot be copied, or not into this container.
    """
    film = cut.film
    start_pts = _keyframe_pts(cut)
    end_pts = _end_pts(cut)
    span = copied_span(cut)
    with open_container(film.path) as source, _output(film, to, container) as out:
        out.metadata["title"] = cut.title
        copies = _copies(source, out, film, start_s=start_pts * film.time_base)
        _go_before(source, film, start_pts)
        packets = _timed(source.demux([each.stream for each in copies.values()]), film)
        chosen = _chosen(packets, film, _Limits(start_pts, end_pts, film.time_base))
        for packet in _with_dts(chosen, film.stream_index):
            _give_duration(packet, film)
            copies[packet.stream.index].mux(packet, out)
            if packet.stream.index == film.stream_index and packet.pts is not None:
                progress(float(packet.pts * film.time_base), span.duration_s)
    progress(span.duration_s, span.duration_s)


def copy_with_chapters(
    film: FilmFrames, chapters: Sequence[Chapter], to: Path, *, container: str, progress: Progress
) -> None:
    """Write the whole film again, nothing encoded, with chapters.

    Raises:
        MediaError: the film's packets cannot be copied, or not into this container.
    """
    if container != "matroska":
        chapters = without_gaps(chapters, end_us=round(film.facts.duration_s * 1_000_000))
    # A film that starts at two seconds keeps its clock, and its chapters are on that clock.
    shift_us = round(film.table.clock.start_s * 1_000_000)
    shifted = [Chapter(c.start_us + shift_us, c.end_us + shift_us, c.title) for c in chapters]
    with open_container(film.path) as source, _output(film, to, container) as out:
        out.metadata.update(source.metadata)
        out.set_chapters(for_container(shifted))
        copies = _copies(source, out, film, start_s=Fraction(0))
        packets = _timed(source.demux([each.stream for each in copies.values()]), film)
        for packet in _with_dts((p for p in packets if p.size), film.stream_index):
            _give_duration(packet, film)
            if packet.stream.index == film.stream_index and packet.pts is not None:
                progress(float(packet.pts * film.time_base), film.facts.duration_s)
            copies[packet.stream.index].mux(packet, out)
    progress(film.facts.duration_s, film.facts.duration_s)


@dataclass(frozen=True, slots=True)
class _Copy:
    """One stream on its way into the clip."""

    stream: Any
    out_stream: Any
    shift: int
    """Taken from every time, in the stream's units."""

    def mux(self, packet: Any, out: Any) -> None:
        packet.pts -= self.shift
        packet.dts -= self.shift
        packet.stream = self.out_stream
        out.mux(packet)


@dataclass(frozen=True, slots=True)
class _Limits:
    """What is copied, in the picture stream's units."""

    start_pts: int
    end_pts: int
    time_base: Fraction

    @property
    def start_s(self) -> Fraction:
        return self.start_pts * self.time_base

    @property
    def end_s(self) -> Fraction:
        return self.end_pts * self.time_base


def _streams(container: Any, film: FilmFrames) -> list[Any]:
    """The film's picture and all its sound."""
    return [container.streams[film.stream_index], *container.streams.audio]


@contextmanager
def _output(film: FilmFrames, to: Path, container: str) -> Iterator[Any]:
    """An open output; what it does not take is one line that says what does."""
    try:
        with av.open(str(to), "w", format=container) as out:
            yield out
    except (av.error.FFmpegError, ValueError) as error:
        # A full disk and a folder without rights are told elsewhere.
        if isinstance(error, OSError):
            raise
        raise _refused(film, container) from error


def _copies(source: Any, out: Any, film: FilmFrames, *, start_s: Fraction) -> dict[int, _Copy]:
    copies = {}
    for stream in _streams(source, film):
        # "opaque": what can only be decoded here (AV1 by dav1d) can still be copied.
        made = out.add_stream_from_template(stream, opaque=True)
        copies[stream.index] = _Copy(stream, made, round(start_s / stream.time_base))
    return copies


def _refused(film: FilmFrames, container: str) -> MediaError:
    return MediaError(
        f"{film.name}: its picture ({film.facts.codec}) or sound cannot be copied into {container}",
        "write an mkv, or use --cut exact, which encodes it again",
    )


def _keyframe_pts(cut: Cut) -> int:
    table = cut.film.table
    keyframe = table.keyframe_before(int(table.pts[cut.positions.first]))
    if keyframe < 0:
        raise MediaError(
            f"{cut.film.name} has no keyframe before {cut.span.start_s:.3f} s", "use --cut exact"
        )
    return table.keyframe_pts[keyframe]


def _end_pts(cut: Cut) -> int:
    pts = cut.film.table.pts
    after = cut.positions.after
    return int(pts[after]) if after < len(pts) else int(pts[-1]) + 1


def _time_s(film: FilmFrames, pts: int) -> float:
    return float(film.table.times_s[film.table.pts.searchsorted(pts)])


def _go_before(source: Any, film: FilmFrames, start_pts: int) -> None:
    """To one keyframe more than needed: sound may stand before its picture in the file.

    A seek that lands too late (MPEG-TS) is answered by reading from the file's beginning.
    """
    keyframe = film.table.keyframe_before(start_pts) - 1
    _seek(source, film, keyframe)
    stream = source.streams[film.stream_index]
    keys = (
        p.pts for p in _timed(source.demux(stream), film) if p.is_keyframe and p.pts is not None
    )
    lands_before = next(keys, start_pts + 1) <= start_pts
    _seek(source, film, keyframe if lands_before else -1)


def _seek(source: Any, film: FilmFrames, keyframe: int) -> None:
    try:
        if keyframe >= 0:
            stream = source.streams[film.stream_index]
            source.seek(film.table.keyframe_dts[keyframe], stream=stream, backward=True)
            return
    except av.error.FFmpegError:
        pass
    source.seek(0)


def _timed(packets: Iterator[Any], film: FilmFrames) -> Iterator[Any]:
    """Packets with the times at which they are shown, also where the container has none (AVI)."""
    late = film.table.latest_by
    for packet in packets:
        if packet.stream.index == film.stream_index:
            film.table.give_time(packet)
            if packet.dts is not None:
                packet.dts -= late
        yield packet


def _chosen(packets: Iterator[Any], film: FilmFrames, limits: _Limits) -> Iterator[Any]:
    """Packets of the clip, in the file's order."""
    begun = ended = False
    pending: list[Any] = []
    """Packets behind the end, kept only where a later one still belongs to the clip."""
    for packet in packets:
        if not packet.size:
            continue
        if packet.stream.index != film.stream_index:
            time_s = _at_s(packet, film)
            if limits.start_s <= time_s < limits.end_s:
                yield packet
            elif ended and time_s >= limits.end_s:
                return
            continue
        if packet.pts is None:
            raise _without_times(film)
        begun = begun or (packet.is_keyframe and packet.pts == limits.start_pts)
        # Pictures shown before the keyframe need what was left out.
        if not begun or packet.pts < limits.start_pts:
            continue
        if packet.dts is not None and packet.dts * limits.time_base > limits.end_s + _PATIENCE_S:
            return
        ended = ended or (packet.dts is not None and packet.dts >= limits.end_pts)
        if packet.pts >= limits.end_pts:
            pending.append(packet)
        elif not ended:
            yield from pending
            pending = []
            yield packet


def _give_duration(packet: Any, film: FilmFrames) -> None:
    """Where a container has none (MPEG-TS), an mp4 would lose the last picture."""
    if packet.duration or packet.stream.index != film.stream_index or packet.pts is None:
        return
    pts = film.table.pts
    position = int(pts.searchsorted(packet.pts))
    if 0 <= position < len(pts) - 1:
        packet.duration = int(pts[position + 1] - pts[position])
    elif len(pts) > 1:
        packet.duration = int(pts[-1] - pts[-2])


def _at_s(packet: Any, film: FilmFrames) -> Fraction:
    if packet.pts is None:
        raise _without_times(film)
    return Fraction(packet.pts * packet.time_base)


def _without_times(film: FilmFrames) -> MediaError:
    return MediaError(f"{film.name}: its packets carry no times to copy", "use --cut exact")


def _with_dts(packets: Iterator[Any], video_index: int) -> Iterator[Any]:
    """Packets whose decoding times are filled in where a file begins without them (Matroska)."""
    waiting: list[Any] = []
    for packet in packets:
        if packet.stream.index != video_index:
            packet.dts = packet.pts if packet.dts is None else packet.dts
            yield packet
        elif packet.dts is None:
            waiting.append(packet)
        else:
            yield from _filled(waiting, packet.dts)
            waiting = []
            yield packet
    yield from _filled(waiting, None)


def _filled(waiting: list[Any], next_dts: int | None) -> Iterator[Any]:
    """Each a frame earlier than the one behind it, and never later than it is shown."""
    if not waiting:
        return
    step = max(1, waiting[0].duration or 1)
    before = min(packet.pts for packet in waiting) if next_dts is None else next_dts
    for place, packet in enumerate(waiting):
        packet.dts = before - (len(waiting) - place) * step
        yield packet
