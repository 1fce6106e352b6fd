"""The formats by name: what each is a file of, and the text it makes of cuts."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from index.errors import InputError
from tools.export.cuts import Cut, films_of
from tools.export.timeline import lay_out

Scope = Literal["items", "film", "timeline", "media"]


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file."""

    scope: Scope
    """What one file is of: any items, one film's own time, a timeline of cuts; or it is a film."""
    suffix: str
    writer: str = ""
    """module:function of a text; "" for films."""


FORMATS = {
    "clips": Format("media", ""),
    "reel": Format("media", ".mp4"),
    "csv": Format("items", ".csv", "table:write_csv"),
    "vtt": Format("film", ".vtt", "captions:write_vtt"),
    "srt": Format("film", ".srt", "captions:write_srt"),
    "chapters": Format("film", ".ffmetadata", "chapters:write_ffmetadata"),
    "markers": Format("film", ".markers.edl", "edl:write_markers"),
    "edl": Format("timeline", ".edl", "edl:write_edl"),
    "fcp7": Format("timeline", ".xml", "fcp7:write_fcp7"),
    "fcpxml": Format("timeline", ".fcpxml", "fcpxml:write_fcpxml"),
    "otio": Format("timeline", ".otio", "otio:write_otio"),
}


def format_for(path: Path) -> str:
    """The format that a file's name asks for; a name without an ending is a folder of clips.

    Raises:
        InputError: the ending is of no format.
    """
    name = path.name.lower()
    if path.is_dir() or not path.suffix:
        return "clips"
    if name.endswith((".mp4", ".m4v", ".mov", ".mkv")):
        return "reel"
    # The longest ending first: .markers.edl before .edl.
    for known in sorted(FORMATS, key=lambda each: -len(FORMATS[each].suffix)):
        if FORMATS[known].suffix and name.endswith(FORMATS[known].suffix):
            return known
    raise InputError(f"{path} names no format", f"give --as, one of: {', '.join(FORMATS)}")


def text_of(name: str, cuts: Sequence[Cut], *, title: str, start_code: str) -> str:
    """The file's text.

    Args:
        name: a format whose scope is not "media".
        start_code: time code at which a timeline begins.

    Raises:
        InputError: the format cannot hold these cuts.
    """
    chosen = FORMATS[name]
    module, _, function = chosen.writer.partition(":")
    write: Any = getattr(importlib.import_module(f"tools.export.{module}"), function)
    if chosen.scope == "timeline":
        return str(write(lay_out(cuts, name=title, start_code=start_code)))
    if chosen.scope == "film" and len(films := films_of(cuts)) > 1:
        raise InputError(
            f"{name} is of one film, these are {len(films)}",
            "name a folder with --output, and each film gets a file",
        )
    if name == "markers":
        return str(write(cuts, start_code=start_code))
    return str(write(cuts))
