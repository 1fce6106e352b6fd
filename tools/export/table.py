"""Cuts as a CSV table: one line each, times in seconds, time codes and frame numbers."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from tools.export.cuts import Cut
from tools.export.timecode import timecode

_FORMULA = ("=", "+", "-", "@")


def write_csv(cuts: Sequence[Cut]) -> str:
    """The table; `end`, `end_timecode` and `end_frame` are the first that no longer belong."""
    out = io.StringIO()
    table = csv.DictWriter(out, list(_row(1, cuts[0])), lineterminator="\r\n")
    table.writeheader()
    table.writerows(_row(number, cut) for number, cut in enumerate(cuts, 1))
    return out.getvalue()


def _row(number: int, cut: Cut) -> dict[str, str | int]:
    rate, first_code = cut.film.rate, cut.film.first_code
    coded = rate.has_timecode
    return {
        "number": number,
        "label": _inert(cut.label),
        "video": str(cut.film.path),
        "start": f"{cut.span.start_s:.6f}",
        "end": f"{cut.span.end_s:.6f}",
        "start_timecode": timecode(first_code + cut.frames.first, rate) if coded else "",
        "end_timecode": timecode(first_code + cut.frames.after, rate) if coded else "",
        "start_frame": cut.frames.first,
        "end_frame": cut.frames.after,
        "fps": str(rate.fps),
        "score": "" if cut.score is None else f"{cut.score:.4f}",
        "note": _inert(cut.note),
    }


def _inert(text: str) -> str:
    """The text so that no spreadsheet runs it: words from a film must not become a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
