"""Where an export goes: a file, with its frames beside it where the format wants them so.

    --json      the whole record; pictures stay in the library
    --atif      pictures in FILE's folder of frames, named by relative paths
    --otel      the same, as `uri` parts
    --inspect   pictures inside
    --html      pictures inside

Without a file the texts of --json, --atif and --otel are given as they are; frames are then named
by the film's own file and a time, or (ATIF, which knows only pictures) by their times alone.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from index.errors import InputError
from web.exports.atif import to_atif
from web.exports.inspect_log import file_name, to_inspect
from web.exports.otlp import to_otlp
from web.exports.traced import Traced, film_uri, picture_uri, write_pictures
from web.payload import trace_to_json
from web.report import report_html

FORMS = ("html", "json", "atif", "otel", "inspect")


def default_file(form: str, traced: Traced) -> Path | None:
    """The file's name where none is given; None: the text is printed."""
    if form == "inspect":
        return Path(file_name(traced))
    return Path(f"longshot-{traced.run.run_id}.html") if form == "html" else None


def download_name(form: str, traced: Traced) -> str:
    """The name under which a browser keeps the export: ASCII, one for each form of a run."""
    file = default_file(form, traced)
    return file.name if file else f"longshot-{traced.run.run_id}.{form}.json"


def export_text(form: str, traced: Traced, file: Path | None) -> str:
    """The export as text; pictures that stand beside the file are written.

    Raises:
        InputError: the pictures' folder cannot be written to.
    """
    if form == "html":
        return report_html(traced)
    return json.dumps(_data(form, traced, file), indent=2, ensure_ascii=False) + "\n"


def write_export(form: str, traced: Traced, file: Path) -> None:
    """Write the export into a file.

    Raises:
        InputError: it cannot be written.
    """
    text = export_text(form, traced, file)
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot write {file}: {error.strerror}", "choose another -o") from error


def frames_folder(file: Path) -> Path:
    return file.with_name(f"{file.stem}.frames")


def _data(form: str, traced: Traced, file: Path | None) -> dict[str, Any]:
    if form == "json":
        return trace_to_json(traced.run, traced.steps, traced.answer, video=traced.video)
    if form == "inspect":
        return to_inspect(traced)
    uri_of = None
    if file is not None:
        folder = frames_folder(file)
        write_pictures(traced, folder)
        uri_of = picture_uri(traced, folder, base=file.parent)
    if form == "atif":
        return to_atif(traced, uri_of)
    return to_otlp(traced, uri_of or film_uri(traced.run))
