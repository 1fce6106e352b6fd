"""Cuts as captions over their film: WebVTT and SRT.

Times are cut to milliseconds, never rounded up: a caption is on screen with exactly the frames of
its cut, because a player shows a frame's captions by the frame's own time.
"""

from __future__ import annotations

import html
import math
from collections.abc import Sequence

from tools.export.cuts import Cut

_FLOAT_S = 1e-9


def write_vtt(cuts: Sequence[Cut]) -> str:
    """WebVTT in order of time."""
    cues = [
        f"{number}\n{_span(cut, '.')}\n{html.escape(cut.title, quote=False)}\n"
        for number, cut in enumerate(by_time(cuts), 1)
    ]
    return "\n".join(["WEBVTT\n", *cues])


def write_srt(cuts: Sequence[Cut]) -> str:
    """SubRip in order of time."""
    cues = [
        f"{number}\n{_span(cut, ',')}\n{cut.title.replace('-->', '→')}\n"
        for number, cut in enumerate(by_time(cuts), 1)
    ]
    return "\n".join(cues)


def by_time(cuts: Sequence[Cut]) -> list[Cut]:
    """Cuts of one film in order of time."""
    return sorted(cuts, key=lambda cut: (cut.span, cut.title))


def _span(cut: Cut, mark: str) -> str:
    return f"{_clock(cut.span.start_s, mark)} --> {_clock(cut.span.end_s, mark)}"


def _clock(time_s: float, mark: str) -> str:
    """ "HH:MM:SS.mmm" with the mark before the milliseconds."""
    seconds, milliseconds = divmod(math.floor((time_s + _FLOAT_S) * 1000), 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}{mark}{milliseconds:03d}"
