"""The command that makes an evaluation's numbers again, for the results that it is printed with."""

from __future__ import annotations

import shlex
from typing import Any

import click

from web.flags import config_of

_DECIDING = (
    "films",
    "minutes",
    "questions",
    "absent",
    "kinds",
    "seed",
    "strategy",
    "budget",
    "whole_budget",
    "models",
)
"""What decides the numbers, in the order in which a command is shown."""


def command_again(ctx: click.Context, **given: Any) -> str:
    """The command that makes the same numbers again, wherever its films lie."""
    from agent.presets import flat
    from web.settings_listing import toml_value

    words = ["longshot", "eval", str(ctx.info_name)]
    flags = ctx.find_root().ensure_object(dict)
    known = {**given, "models": flags.get("models")}
    if not known["budget"] and flags.get("budget"):
        limits = flags["budget"].items()
        known["budget"] = tuple(f"{k.removeprefix('visual_')}={v:g}" for k, v in limits)
    for name in _DECIDING:
        value = known.get(name)
        if value is None or value is False or value == ():
            continue
        words.append(f"--{name.replace('_', '-')}")
        if value is not True:
            shown = value if isinstance(value, tuple) else (value,)
            words.append(",".join(f"{v:g}" if isinstance(v, float) else str(v) for v in shown))
    for name, value in flat(config_of(ctx).search):
        words += ["--set", shlex.quote(f"{name}={toml_value(value)}")]
    return " ".join(words)
