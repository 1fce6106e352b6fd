"""Cuts as chapters of their film: an ffmetadata file, and what a container takes.

Chapters may not overlap: one that is still running ends where the next begins.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from tools.export.captions import by_time
from tools.export.cuts import Cut

_TICKS = 1_000_000
_NAMELESS = "…"
_SPECIAL = re.compile(r"([=;#\\])")


@dataclass(frozen=True, slots=True)
class Chapter:
    """A named stretch; times in microseconds on the player's timeline."""

    start_us: int
    end_us: int
    title: str


def chapters_of(cuts: Sequence[Cut]) -> list[Chapter]:
    """Chapters in order of time; of cuts that begin together the longest."""
    ordered = by_time(cuts)
    marks = {round(cut.span.start_s * _TICKS): cut for cut in ordered}
    starts = sorted(marks)
    ends = [*starts[1:], round(max(cut.span.end_s for cut in ordered) * _TICKS)]
    return [
        Chapter(start, min(end, round(marks[start].span.end_s * _TICKS)), marks[start].title)
        for start, end in zip(starts, ends, strict=True)
    ]


def write_ffmetadata(cuts: Sequence[Cut]) -> str:
    """What `ffmpeg -i film -i THIS -map_metadata 1 -map_chapters 1 -c copy` takes."""
    parts = [";FFMETADATA1\n"]
    for chapter in chapters_of(cuts):
        title = _SPECIAL.sub(r"\\\1", chapter.title)
        parts.append(
            f"[CHAPTER]\nTIMEBASE=1/{_TICKS}\nSTART={chapter.start_us}\nEND={chapter.end_us}\n"
            f"title={title}\n"
        )
    return "\n".join(parts)


def without_gaps(chapters: Sequence[Chapter], *, end_us: int) -> list[Chapter]:
    """The chapters, with nameless ones between them: in an mp4 each lasts until the next begins."""
    filled, at = [], 0
    for chapter in chapters:
        if chapter.start_us > at:
            filled.append(Chapter(at, chapter.start_us, _NAMELESS))
        filled.append(chapter)
        at = chapter.end_us
    if at < end_us:
        filled.append(Chapter(at, end_us, _NAMELESS))
    return filled


def for_container(chapters: Sequence[Chapter]) -> list[dict[str, Any]]:
    """Chapters as `av.container.OutputContainer.set_chapters` takes them."""
    return [
        {
            "id": number,
            "start": chapter.start_us,
            "end": chapter.end_us,
            "time_base": Fraction(1, _TICKS),
            "metadata": {"title": chapter.title},
        }
        for number, chapter in enumerate(chapters, 1)
    ]
