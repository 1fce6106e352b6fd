"""Flags that commands share, and what is made of them.

A setting's flag is kept when it is read, before the command or behind it; `config_of` then builds
the settings. Like the commands' own files this one imports nothing heavy by itself.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from index.errors import InputError, ModelError

if TYPE_CHECKING:
    from rich.console import Console

    from agent.config import Config
    from agent.models import ModelChoice, Models
    from index.encoder import Encoder
    from index.library import Library
    from index.words import WordSettings

_Command = TypeVar("_Command", bound=Callable[..., Any])


def remember(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    """Keep a flag for `config_of`; one after the command wins over one before it."""
    if value is None:
        return
    if param.name == "budget":
        from agent.config import parse_budget

        with as_usage("--budget"):
            value = parse_budget(value)
    if param.name == "models":
        from agent.models import split_models

        with as_usage("--models"):
            split_models(value)
    flags = ctx.find_root().ensure_object(dict)
    if param.name == "search":
        from agent.config import merged, parse_setting
        from agent.presets import check_names, with_search
        from agent.settings import AskSettings

        with as_usage("--set"):
            for text in value:
                given = parse_setting(text)
                check_names(given)
                flags["search"] = merged(flags.get("search", {}), given)
            with_search(AskSettings(), flags.get("search", {}))
        return
    flags[param.name] = value


@contextlib.contextmanager
def as_usage(name: str) -> Iterator[None]:
    """A value of this flag that does not fit is wrong usage: exit code 2."""
    try:
        yield
    except (InputError, ModelError) as error:
        raise click.BadParameter(str(error), param_hint=name) from error


class Number(click.FloatRange):
    """A number of a range; "nan" is none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value} is no number", param, ctx)
        return number


COSINE = Number(-1.0, 1.0)


def _setting(*names: str, metavar: str, text: str, kind: Any = None) -> Callable[..., Any]:
    return click.option(
        *names, metavar=metavar, help=text, type=kind, expose_value=False, callback=remember
    )


library_option = _setting(
    "--library",
    metavar="FOLDER",
    kind=click.Path(path_type=Path, file_okay=False),
    text="Where films are kept. [env: LONGSHOT_LIBRARY]",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON and nothing else.")
films_option = click.option(
    "--films",
    default=8,
    show_default=True,
    type=click.IntRange(min=1),
    help="Films that a question of the whole library is put to.",
)
absent_option = click.option(
    "--absent",
    type=click.FloatRange(0, 1),
    metavar="SHARE",
    help="Share of questions about what no film shows; none: as many as of any kind.",
)


def _kinds(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[str, ...] | None:
    """The kinds of "times,all"; None where none is named."""
    if value is None:
        return None
    from demo.facts import KINDS

    kinds = tuple(dict.fromkeys(part.strip() for part in value.split(",")))
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown:
        known = ", ".join(KINDS)
        raise click.BadParameter(f"{unknown[0]!r} is none; there are {known}", ctx, param)
    return kinds


kinds_option = click.option(
    "--kinds",
    metavar="KIND,...",
    callback=_kinds,
    help="Kinds of questions; none: all, as often as the film allows.",
)
budget_option = _setting(
    "--budget",
    metavar="LIMITS",
    text="Visual tokens (6000), or tokens=6000,looks=20,calls=80,seconds=120, any of them.",
)


set_option = click.option(
    "--set",
    "search",
    metavar="SECTION.NAME=VALUE",
    multiple=True,
    expose_value=False,
    callback=remember,
    help="A setting of the search, see `longshot settings`; may be repeated.",
)


def model_options(command: _Command) -> _Command:
    for option in (
        _setting("--device", metavar="NAME", text="auto, cpu, cuda, cuda:1 or mps."),
        _setting("--encoder", metavar="NAME", text="NAME:TAG of open_clip, or local-dir:FOLDER."),
        _setting("--base-url", metavar="URL", text="Server of openai:MODEL."),
        _setting(
            "--models",
            metavar="NAME",
            text="auto, demo, a folder, a hub id or openai:MODEL; NAME,NODE=NAME for single nodes.",
        ),
    ):
        command = option(command)
    return command


def word_options(command: _Command) -> _Command:
    for option in (
        click.option(
            "--screen-text/--no-screen-text",
            default=None,
            help="Also read text in the pictures; a second or two for each.",
        ),
        click.option(
            "--speech",
            metavar="WEIGHTS",
            help="Also hear speech: a Whisper name, a folder, or off.",
        ),
    ):
        command = option(command)
    return command


def with_words(
    settings: WordSettings, *, speech: str | None, screen_text: bool | None
) -> WordSettings:
    """The settings of the files, with the flags that were given."""
    return replace(
        settings,
        speech=settings.speech if speech is None else speech,
        screen_text=settings.screen_text if screen_text is None else screen_text,
    )


def config_of(ctx: click.Context) -> Config:
    from agent.config import load_config

    return load_config(ctx.find_root().ensure_object(dict), environ=os.environ)


@contextlib.contextmanager
def open_library(config: Config, *, create: bool = False) -> Iterator[Library]:
    from index.library import Library

    with contextlib.closing(Library.open(config.library, create=create)) as library:
        yield library


@contextlib.contextmanager
def library_to_read(config: Config) -> Iterator[Library]:
    """The library; where there is none, an empty one that leaves nothing behind."""
    import tempfile

    if (config.library / "library.db").exists():
        with open_library(config) as library:
            yield library
    else:
        with (
            tempfile.TemporaryDirectory() as folder,
            open_library(replace(config, library=Path(folder)), create=True) as library,
        ):
            yield library


def consoles() -> tuple[Console, Console]:
    """Standard output and standard error."""
    from web.terminal import console

    return console(), console(error=True)


def print_json(value: Any, *, indent: int | None = 2) -> None:
    click.echo(json.dumps(value, indent=indent, ensure_ascii=False))


def open_told_encoder(config: Config, choice: ModelChoice) -> Encoder:
    """The choice's encoder; says so where it knows only the demo world."""
    from agent.models import encodes_only_demo_world, open_chosen_encoder
    from web.terminal import DEMO_NOTICE

    encoder = open_chosen_encoder(choice, device=config.device)
    if encodes_only_demo_world(choice):
        click.echo(DEMO_NOTICE, err=True)
    return encoder


def open_pair(
    config: Config, library: Library | None = None, *, default: str | None = None
) -> Models:
    """Both models; says so where they know only the demo world.

    Args:
        library: whose encoder is gone on with where none is named.
        default: what "auto" means here: films of the demo world may be shown to its own models
            without these being named.
    """
    from agent.models import open_models
    from web.terminal import DEMO_NOTICE

    if default is not None and config.models == "auto":
        config = replace(config, models=default)
    choice = config.choice(library.encoder_identity() if library else None)
    models = open_models(
        config.models, device=config.device, encoder=choice.encoder, endpoint=config.endpoint
    )
    if models.knows_only_demo_world:
        click.echo(DEMO_NOTICE, err=True)
    return models
