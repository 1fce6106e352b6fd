"""Prompts rendered from their files.

A template places the clips of a call with `{{ clips }}`; everything a person or a film said is a
value, never a template, so it can neither run nor move a clip.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

FOLDER = Path(__file__).parent
# Two private-use characters fence a clip's position; they are removed from every value.
_OPEN, _CLOSE = "\ue000", "\ue001"
_MARK = re.compile(f"{_OPEN}([0-9]+){_CLOSE}")


@dataclass(frozen=True, slots=True)
class RenderedPrompt:
    """A prompt ready for a backend."""

    name: str
    file_hash: str
    """First 16 hex digits of the SHA-256 of the prompt's file."""
    parts: tuple[str | int, ...]
    """Text, and positions in the list of clips that is passed along, in reading order."""

    @property
    def text(self) -> str:
        """The prompt as one text, clips shown as [clip 1], [clip 2], …"""
        return "".join(p if isinstance(p, str) else f"[clip {p + 1}]" for p in self.parts)


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(FOLDER),
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _clean(value: object) -> object:
    if isinstance(value, str):
        return value.replace(_OPEN, "").replace(_CLOSE, "").strip()
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    return value


@cache
def file_hash(name: str) -> str:
    """First 16 hex digits of the SHA-256 of a prompt's file."""
    return hashlib.sha256((FOLDER / f"{name}.j2").read_bytes()).hexdigest()[:16]


def render(name: str, *, n_clips: int = 0, **values: object) -> RenderedPrompt:
    """The prompt `name` with its values filled in.

    Args:
        name: the file's name without its ending, such as "answer".
        n_clips: how many clips travel with the call; all stand where the file says `{{ clips }}`.
        values: what the file asks for; strings are stripped of clip marks.

    Raises:
        jinja2.UndefinedError: a value that the file asks for is missing.
        jinja2.TemplateNotFound: no such prompt.
    """
    clips = "".join(f"{_OPEN}{index}{_CLOSE}" for index in range(n_clips))
    cleaned = {key: _clean(value) for key, value in values.items()}
    text = _environment().get_template(f"{name}.j2").render(clips=clips, **cleaned)
    pieces = _MARK.split(text)
    # re.split with one group alternates text and group: even positions are text, odd are clips.
    parts = [int(p) if i % 2 else p for i, p in enumerate(pieces)]
    return RenderedPrompt(
        name=name,
        file_hash=file_hash(name),
        parts=tuple(p for p in parts if p != ""),
    )
