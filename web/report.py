"""The run view as one file: opens from disk in any browser, with no server and no network.

Scripts, styles, the run's record and its frames as small pictures are inside. What a person, a
film or a model wrote stands in the file only as data: JSON in which no tag can close or open. A
content policy lets nothing run but the program's own scripts, and nothing be fetched but the film,
which is played where its file lies beside the report or is still where it was.
"""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from web.exports.traced import Traced
from web.payload import trace_to_json
from web.static_files import FOLDER, RUN_VIEW_SCRIPTS, RUN_VIEW_STYLES

_TEMPLATE = "report.html.j2"
_OWN_SCRIPT = "report.js"


def report_html(traced: Traced) -> str:
    """The whole file as text."""
    scripts = [_read(name) for name in (*RUN_VIEW_SCRIPTS, _OWN_SCRIPT)]
    environment = Environment(
        loader=FileSystemLoader(FOLDER), undefined=StrictUndefined, autoescape=True
    )
    return environment.get_template(_TEMPLATE).render(
        title=traced.run.question,
        policy=_policy(scripts),
        styles=[_read(name) for name in RUN_VIEW_STYLES],
        data=json_for_script(_data(traced)),
        scripts=scripts,
    )


def json_for_script(data: Any) -> str:
    """JSON that can stand in a script element: no "<", and no line end that JavaScript knows."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _data(traced: Traced) -> dict[str, Any]:
    """What the report's own script reads: record, pictures each once, where the film may be."""
    pictures: dict[bytes, int] = {}
    looks: dict[str, list[int | None]] = {}
    for look in (look for step in traced.steps for look in step.looks):
        kept = (traced.pictures.get((look.look_id, k)) for k in range(len(look.times_s)))
        looks[look.look_id] = [
            None if jpeg is None else pictures.setdefault(jpeg, len(pictures)) for jpeg in kept
        ]
    glances = [[t, pictures.setdefault(j, len(pictures))] for t, j in traced.glances.items()]
    film = traced.video.path if traced.video else Path(traced.run.video_path)
    return {
        "run": trace_to_json(traced.run, traced.steps, traced.answer, video=traced.video),
        "pictures": [base64.b64encode(jpeg).decode() for jpeg in pictures],
        "looks": looks,
        "glances": glances,
        "films": [{"beside": film.name}, {"at": film.absolute().as_uri()}],
    }


def _policy(scripts: list[str]) -> str:
    """Only these very scripts run; pictures are inside; the film is a file."""
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
        for text in scripts
    )
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data:;"
        " media-src 'self' file:; base-uri 'none'; form-action 'none'"
    )


def _read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")
