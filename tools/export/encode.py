"""Writing cuts as a new film, exact to the frame: picture and sound encoded again.

A cut's frames keep their own times, so a film of variable rate stays one. Pictures are stored
upright. Everything is laid out in whole ticks of 1/240000 s, in which a frame of every standard
rate, NTSC included, is a whole number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np

from index.errors import MediaError
from index.media_pyav import PyavReader
from tools.export.chapters import Chapter, for_container
from tools.export.cuts import Cut, films_of
from tools.export.sound import Samples, SoundShape, read_sound, shape_for, silence

Progress = Callable[[float, float], None]
"""Seconds done, of so many."""

_TICKS = 240_000
_QUALITY = {"preset": "veryfast", "crf": "18"}
_AUDIO_BITS = 192_000
_TURNS = {0: (), 90: ("transpose=cclock",), 180: ("hflip", "vflip"), 270: ("transpose=clock",)}
_DEEP = 8


@dataclass(frozen=True, slots=True)
class Shape:
    """What is written: the picture's size and the sound, if any."""

    width_px: int
    height_px: int
    sound: SoundShape | None


def shape_of(cuts: Sequence[Cut]) -> Shape:
    """The first film's size, and the best sound that any of the films has."""
    facts = cuts[0].film.facts
    sounds = [film.sound for film in films_of(cuts) if film.sound]
    sound = None
    if sounds:
        best = max(sounds, key=lambda each: (each.n_channels, each.rate_hz))
        sound = shape_for(best.rate_hz, best.n_channels)
    # 4:2:0 pictures have even sides.
    return Shape(_even(facts.width_px), _even(facts.height_px), sound)


def encode_film(
    cuts: Sequence[Cut], to: Path, *, container: str, title: str, progress: Progress
) -> None:
    """Write the cuts one after the other into one film, with a chapter for each of several.

    Args:
        to: the file, whatever its name ends with.
        container: "mp4" or "matroska".

    Raises:
        MediaError: nothing of a cut can be decoded.
    """
    shape = shape_of(cuts)
    total_s = sum(cut.span.duration_s for cut in cuts)
    with av.open(str(to), "w", format=container) as out:
        out.metadata["title"] = title
        if len(cuts) > 1:
            out.set_chapters(for_container(_chapters(cuts)))
        writer = _Writer(out, shape)
        done_s = 0.0
        for cut in cuts:
            for at_s in writer.append(cut):
                progress(done_s + at_s, total_s)
            done_s += cut.span.duration_s
        writer.finish()
    progress(total_s, total_s)


def _chapters(cuts: Sequence[Cut]) -> list[Chapter]:
    ends_us = np.cumsum([round(cut.span.duration_s * 1e6) for cut in cuts]).tolist()
    starts_us = [0, *ends_us[:-1]]
    return [
        Chapter(start, end, cut.title)
        for start, end, cut in zip(starts_us, ends_us, cuts, strict=True)
    ]


class _Writer:
    """An open output. Its picture stream is made with the first picture, whose format it takes."""

    def __init__(self, out: Any, shape: Shape) -> None:
        self._out, self._shape = out, shape
        self._video: Any = None
        self._audio: Any = None
        self._durations: dict[int, int] = {}
        self._last_pts = -1
        self._end_ticks = 0
        """Where the next cut begins."""
        self._n_samples = 0

    def append(self, cut: Cut) -> Iterator[float]:
        """Writes a cut; yields how many of its seconds are done."""
        table = cut.film.table
        begin, end_s = self._end_ticks, cut.span.end_s
        sound = self._sound(cut, begin)
        reader = PyavReader(cut.film.path)
        written = 0
        try:
            graph = _Graph(cut, self._shape)
            for raw in reader.raw_frames(cut.positions.first, cut.positions.after):
                position = int(np.searchsorted(table.pts, raw.pts))
                time_s = float(table.times_s[position])
                later = position + 1
                next_s = float(table.times_s[later]) if later < len(table.pts) else table.end_s
                # A time between two frames of a reel could fall on the one before.
                pts = max(begin + _ticks(time_s - cut.span.start_s), self._last_pts + 1)
                picture = graph.picture(raw)
                self._write_picture(picture, pts, _ticks(min(next_s, end_s) - time_s))
                self._write_sound(sound, up_to_ticks=pts)
                written += 1
                yield time_s - cut.span.start_s
        finally:
            reader.close()
        if not written:
            raise MediaError(
                f"{cut.film.name}: nothing can be decoded from {cut.span.start_s:.3f} s on"
            )
        self._end_ticks = begin + _ticks(cut.span.duration_s)
        self._write_sound(sound, up_to_ticks=self._end_ticks + _TICKS)

    def finish(self) -> None:
        self._mux_video(self._video.encode(None))
        if self._audio is not None:
            self._out.mux(self._audio.encode(None))

    def _sound(self, cut: Cut, begin: int) -> Iterator[Samples]:
        shape = self._shape.sound
        if shape is None:
            return iter(())
        end = begin + _ticks(cut.span.duration_s)
        n_samples = round(Fraction(end * shape.rate_hz, _TICKS)) - self._n_samples
        if cut.film.sound is None:
            return silence(shape, n_samples)
        return read_sound(
            cut.film.path,
            cut.film.sound.stream_index,
            start_s=_raw_start_s(cut),
            n_samples=n_samples,
            shape=shape,
        )

    def _write_picture(self, picture: Any, pts: int, duration: int) -> None:
        if self._video is None:
            self._open_streams(picture)
        picture.pts, picture.time_base = pts, Fraction(1, _TICKS)
        picture.pict_type = 0
        self._durations[pts] = max(1, duration)
        self._last_pts = pts
        self._mux_video(self._video.encode(picture))

    def _mux_video(self, packets: Any) -> None:
        for packet in packets:
            # The encoder does not know how long the last frame stays.
            packet.duration = self._durations.pop(packet.pts, packet.duration)
            self._out.mux(packet)

    def _write_sound(self, sound: Iterator[Samples], *, up_to_ticks: int) -> None:
        """Sound up to a time, so that both streams lie near each other in the file."""
        shape = self._shape.sound
        if shape is None or self._audio is None:
            return
        while self._n_samples * _TICKS < up_to_ticks * shape.rate_hz:
            samples = next(sound, None)
            if samples is None:
                return
            frame = av.AudioFrame.from_ndarray(samples.copy(), format="fltp", layout=shape.layout)
            frame.sample_rate, frame.pts = shape.rate_hz, self._n_samples
            frame.time_base = Fraction(1, shape.rate_hz)
            self._n_samples += samples.shape[1]
            self._out.mux(self._audio.encode(frame))

    def _open_streams(self, picture: Any) -> None:
        deep = picture.format.components[0].bits > _DEEP
        codec = "libx265" if deep else "libx264"
        options = {**_QUALITY, **({"x265-params": "log-level=error"} if deep else {})}
        video = self._out.add_stream(codec, options=options)
        video.width, video.height = picture.width, picture.height
        video.pix_fmt = picture.format.name
        video.time_base = video.codec_context.time_base = Fraction(1, _TICKS)
        if deep and self._out.format.name == "mp4":
            # The tag that QuickTime wants.
            video.codec_context.codec_tag = "hvc1"
        for name in ("color_range", "color_primaries", "color_trc", "colorspace"):
            setattr(video.codec_context, name, getattr(picture, name))
        self._video = video
        if self._shape.sound:
            self._audio = self._out.add_stream(
                "aac",
                rate=self._shape.sound.rate_hz,
                layout=self._shape.sound.layout,
                bit_rate=_AUDIO_BITS,
            )


class _Graph:
    """Turns a film's pictures upright and fits them into the written size, with black bars."""

    def __init__(self, cut: Cut, shape: Shape) -> None:
        facts = cut.film.facts
        self._turns = _TURNS[round(facts.rotation_degrees / 90) % 4 * 90]
        sides_px = (_even(facts.width_px), _even(facts.height_px))
        # As it is shown, with square pixels, but before it is turned.
        self._stored_px = sides_px if facts.rotation_degrees % 180 == 0 else sides_px[::-1]
        self._shape = shape
        self._graph: Any = None
        self._made_for: Any = None

    def picture(self, raw: Any) -> Any:
        """The picture as it is written."""
        made_for = (raw.width, raw.height, raw.format.name)
        if made_for != self._made_for:
            # Some films change their size on the way.
            self._graph, self._made_for = self._build(raw), made_for
        self._graph.push(raw)
        return self._graph.pull()

    def _build(self, raw: Any) -> Any:
        width, height = self._shape.width_px, self._shape.height_px
        deep = raw.format.components[0].bits > _DEEP
        fit = f"{width}:{height}:force_original_aspect_ratio=decrease:force_divisible_by=2"
        steps = [
            "scale={}:{}".format(*self._stored_px),
            "setsar=1",
            *self._turns,
            f"scale={fit}",
            f"pad={width}:{height}:-1:-1",
            f"format={'yuv420p10le' if deep else 'yuv420p'}",
        ]
        graph = av.filter.Graph()
        nodes = [
            graph.add_buffer(
                width=raw.width, height=raw.height, format=raw.format, time_base=Fraction(1, _TICKS)
            )
        ]
        for step in steps:
            name, _, arguments = step.partition("=")
            nodes.append(graph.add(name, arguments or None))
        nodes.append(graph.add("buffersink"))
        for one, other in pairwise(nodes):
            one.link_to(other)
        graph.configure()
        return graph


def _raw_start_s(cut: Cut) -> Fraction:
    """Raw presentation time of the cut's first picture, exactly."""
    pts = int(cut.film.table.pts[cut.positions.first])
    return pts * cut.film.time_base


def _ticks(time_s: float) -> int:
    return round(time_s * _TICKS)


def _even(side_px: int) -> int:
    return max(2, side_px // 2 * 2)
