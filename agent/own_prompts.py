"""Prompts that a person puts in the place of the program's, for a forked run.

Their texts are kept with the run, so that it can go on after a kill and be understood later. They
are checked before anything runs: a name of the program's own, valid Jinja, no value that the
program does not give, and the clips where the original has them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from jinja2 import StrictUndefined, TemplateError, meta
from jinja2.sandbox import SandboxedEnvironment

from index.errors import InputError
from prompts.render import FOLDER, RenderedPrompt, file_hash, render

# A private-use character around a clip's number; it is removed from every value.
_FENCE = "\ue002"
_MARK = re.compile(f"{_FENCE}([0-9]+){_FENCE}")


def read_prompt(text: str) -> tuple[str, str]:
    """Name and text of "NAME=FILE".

    Raises:
        InputError: it is not of this form, the file cannot be read, or is no such prompt.
    """
    name, equals, path = text.partition("=")
    if not equals or name not in prompt_names():
        raise InputError(
            f'"{text}" names no prompt', f"write NAME=FILE, one of: {', '.join(prompt_names())}"
        )
    try:
        source = Path(path).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"the prompt {path} cannot be read: {error}") from error
    _check(name, source, path)
    return name, source


@cache
def prompt_names() -> tuple[str, ...]:
    """The prompts that a question puts to the model."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.j2")))


def prompt_hash(source: str) -> str:
    """As a prompt's file is hashed: the first 16 hex digits of its SHA-256."""
    return hashlib.sha256(source.encode()).hexdigest()[:16]


def hash_with(own: Mapping[str, str], name: str) -> str:
    """The hash of the text of `own`, or of the program's where there is none."""
    source = own.get(name)
    return file_hash(name) if source is None else prompt_hash(source)


def render_with(
    own: Mapping[str, str], name: str, *, n_clips: int = 0, **values: object
) -> RenderedPrompt:
    """As `render`, with a text of `own` in the place of the program's where there is one."""
    source = own.get(name)
    if source is None:
        return render(name, n_clips=n_clips, **values)
    clips = "".join(f"{_FENCE}{index}{_FENCE}" for index in range(n_clips))
    cleaned = {key: _clean(value) for key, value in values.items()}
    pieces = _MARK.split(_environment().from_string(source).render(clips=clips, **cleaned))
    parts = [int(p) if i % 2 else p for i, p in enumerate(pieces)]
    return RenderedPrompt(name, prompt_hash(source), tuple(p for p in parts if p != ""))


@cache
def _environment() -> SandboxedEnvironment:
    # Sandboxed: unlike the program's own, this text may have come with somebody's library.
    return SandboxedEnvironment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


def _clean(value: object) -> object:
    if isinstance(value, str):
        return value.replace(_FENCE, "").strip()
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    return value


def _check(name: str, source: str, path: str) -> None:
    environment = _environment()
    original = (FOLDER / f"{name}.j2").read_text(encoding="utf-8")
    given = meta.find_undeclared_variables(environment.parse(original))
    try:
        asked = meta.find_undeclared_variables(environment.parse(source))
    except TemplateError as error:
        raise InputError(f"the prompt {path} is no template: {error}") from error
    if unknown := sorted(asked - given):
        raise InputError(
            f"the prompt {path} asks for {', '.join(unknown)}",
            f"{name} is given: {', '.join(sorted(given))}",
        )
    if "clips" in given and "clips" not in asked:
        raise InputError(f"the prompt {path} shows no clip", "put {{ clips }} where they belong")
