"""What an export has written, as JSON and on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console

from tools.export.clips import Written
from tools.export.cuts import Cut, films_of
from web.payload import seconds
from web.terminal import format_span


def written_to_json(name: str, cuts: Sequence[Cut], written: Sequence[Written]) -> dict[str, Any]:
    """The files, and the spans on their films' frames; ends are not included."""
    return {
        "format": name,
        "files": [
            {
                "path": str(each.path),
                "video": str(each.source) if each.source else None,
                "start": seconds(each.span.start_s) if each.span else None,
                "end": seconds(each.span.end_s) if each.span else None,
                "how": each.how,
                "notes": list(each.notes),
            }
            for each in written
        ],
        "items": [
            {
                "video": str(cut.film.path),
                "start": seconds(cut.span.start_s),
                "end": seconds(cut.span.end_s),
                "start_frame": cut.frames.first,
                "end_frame": cut.frames.after,
                "fps": str(cut.film.rate.fps),
                "label": cut.label,
                "note": cut.note,
            }
            for cut in cuts
        ],
        "notices": notices(cuts),
    }


def print_written(
    out: Console, errors: Console, cuts: Sequence[Cut], written: Sequence[Written]
) -> None:
    """One line for each file; notices go to standard error."""
    for each in written:
        at = f"  {format_span(each.span)}" if each.span else ""
        notes = f" ({'; '.join(each.notes)})" if each.notes else ""
        out.print(f"{each.how} {each.path}{at}{notes}", soft_wrap=True)
    for notice in notices(cuts):
        errors.print(notice, soft_wrap=True)


def notices(cuts: Sequence[Cut]) -> list[str]:
    """What a reader of frame numbers should know."""
    return [
        f"{film.name} has no constant frame rate: frame numbers and time codes are places in a"
        f" grid of {film.rate.named()} frames a second"
        for film in films_of(cuts)
        if not film.is_constant
    ]
