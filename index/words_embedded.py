"""Subtitle tracks inside a film's own file.

Only packets of text tracks are read and decoded; tracks of pictures (DVD, Blu-ray) are named and
passed over: reading them would take OCR of every line.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av

from index.types import Span
from index.words import Track, WordLine
from index.words_subtitles import language_code, without_overrides

_PICTURE_CODECS = ("dvd_subtitle", "hdmv_pgs_subtitle", "dvb_subtitle", "xsub", "dvb_teletext")
_MOST_PROBLEMS = 3
_UNKNOWN_LENGTH_S = 3.0


def embedded_tracks(path: Path, *, start_s: float) -> list[Track]:
    """The text tracks of a film; [] where it has none.

    Args:
        start_s: the container's start, which is the timeline's zero.
    """
    try:
        with av.open(str(path), metadata_errors="ignore") as container:
            streams = list(container.streams.subtitles)
            tracks = []
            for stream in streams:
                # One at a time: a demuxer that skips what nobody wants reads fastest.
                if stream is not streams[0]:
                    container.seek(0)
                tracks.append(_track(container, stream, start_s=start_s))
            return tracks
    except (av.error.FFmpegError, OSError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        return [Track("its tracks", "subtitles", "", "", (), (f"{path.name}: {reason}",))]


def _track(container: Any, stream: Any, *, start_s: float) -> Track:
    codec = str(getattr(stream.codec_context, "name", "unknown"))
    name = f"stream {stream.index} ({codec})"
    language = language_code(str(stream.metadata.get("language", "")))
    if codec in _PICTURE_CODECS:
        problem = f"{name}: its lines are pictures, which are not read"
        return Track(name, "subtitles", language, "", (), (problem,))
    lines: list[WordLine] = []
    problems: list[str] = []
    try:
        for found in _cues(container, stream, start_s=start_s):
            if isinstance(found, str):
                problems.append(f"{name}: {found}")
            else:
                lines.append(WordLine(found[0], found[1], "subtitles", language, name))
    except (av.error.FFmpegError, OSError) as error:
        problems.append(f"{name}: {error.strerror} after {len(lines)} lines")
    if len(problems) > _MOST_PROBLEMS:
        left = len(problems) - _MOST_PROBLEMS
        problems = [*problems[:_MOST_PROBLEMS], f"{name}: {left} more like these"]
    return Track(name, "subtitles", language, "", tuple(lines), tuple(problems))


def _cues(container: Any, stream: Any, *, start_s: float) -> Iterator[tuple[Span, str] | str]:
    """Each cue's span and text, or what is wrong with it."""
    for packet in container.demux(stream):
        if packet.size == 0 or packet.pts is None:
            continue
        at_s = float(packet.pts * packet.time_base) - start_s
        length_s = float((packet.duration or 0) * packet.time_base) or _UNKNOWN_LENGTH_S
        try:
            shown = [item for item in packet.decode() if hasattr(item, "dialogue")]
        except (av.error.FFmpegError, UnicodeDecodeError):
            yield f"a line at {at_s:.3f} s cannot be decoded"
            continue
        text = "\n".join(_text_of(item) for item in shown).strip()
        if not text:
            continue
        if at_s + length_s <= 0:
            yield f"a line at {at_s:.3f} s is before the film's start"
        else:
            yield Span(max(0.0, at_s), at_s + length_s), text


def _text_of(item: Any) -> str:
    """A line without styling. The fields before its text are those of an .ass dialogue."""
    raw = bytes(item.ass).decode("utf-8", "replace")
    return without_overrides(raw.split(",", 8)[-1])
