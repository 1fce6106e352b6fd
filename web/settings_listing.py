"""`longshot settings`: every constant of the search, its value here, and what it means."""

from __future__ import annotations

import ast
import inspect
import itertools
import textwrap
from collections.abc import Iterator
from dataclasses import asdict, fields, is_dataclass
from typing import Any

import click

from web.flags import (
    budget_option,
    config_of,
    json_option,
    library_option,
    model_options,
    print_json,
    set_option,
)

_WIDTH = 100


@click.command("settings")
@budget_option
@set_option
@model_options
@library_option
@json_option
@click.pass_context
def settings_command(ctx: click.Context, as_json: bool) -> None:
    """Show every setting of the search with its value and meaning, as a longshot.toml."""
    from agent.models import knows_only_demo_world

    config = config_of(ctx)
    settings = config.ask_settings(knows_only_demo_world=knows_only_demo_world(config.choice()))
    if as_json:
        print_json(asdict(settings))
    else:
        click.echo("\n".join(as_toml(settings)))


def as_toml(settings: Any) -> Iterator[str]:
    """The lines of a longshot.toml that sets what these settings are; the meanings as comments."""
    own = {"budget": settings.budget}
    yield from _section("budget", own["budget"])
    for name, value, meaning in _described(settings):
        if name not in own and is_dataclass(value):
            yield from _section(f"search.{name}", value)
        elif name not in own:
            yield from ("", "# Of no section.", "[search]", *_comment(meaning))
            yield f"{name} = {toml_value(value)}"


def _section(name: str, settings: Any) -> Iterator[str]:
    yield from ("", *_comment((type(settings).__doc__ or "").split("\n\n")[0]), f"[{name}]")
    deeper = []
    for each, value, meaning in _described(settings):
        if is_dataclass(value):
            deeper.append((f"{name}.{each}", value))
        else:
            yield from (*_comment(meaning), f"{each} = {toml_value(value)}")
    for below, value in deeper:
        yield from _section(below, value)


def _described(settings: Any) -> Iterator[tuple[str, Any, str]]:
    """Names, values and docstrings of a dataclass's fields, in its order."""
    meanings = _meanings(type(settings))
    for each in fields(settings):
        yield each.name, getattr(settings, each.name), meanings.get(each.name, "")


def _meanings(kind: type) -> dict[str, str]:
    """The strings that stand below the fields of a class."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
    body = tree.body if isinstance(tree, ast.ClassDef) else []
    return {
        before.target.id: " ".join(node.value.value.split())
        for before, node in itertools.pairwise(body)
        if isinstance(before, ast.AnnAssign)
        and isinstance(before.target, ast.Name)
        and isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    }


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(" ".join(text.split()), _WIDTH - 2)]


def toml_value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple | list):
        return f"[{', '.join(toml_value(each) for each in value)}]"
    return f'"{value}"' if isinstance(value, str) else repr(value)
