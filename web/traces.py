"""The commands that look at runs again: list, show, replay, diff, export, and go on: fork."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from web.flags import (
    as_usage,
    budget_option,
    config_of,
    consoles,
    json_option,
    library_option,
    model_options,
    open_library,
    open_pair,
    print_json,
)

if TYPE_CHECKING:
    from index.library import Library
    from index.runs import RunStore

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.group("trace")
def trace_group() -> None:
    """Look at runs again without a model, and go on from their steps."""


@trace_group.command("list")
@click.option("--video", metavar="VIDEO", help="Only runs on this film.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(min=1))
@library_option
@json_option
@click.pass_context
def trace_list(ctx: click.Context, video: str | None, limit: int, as_json: bool) -> None:
    """List the runs, the newest first."""
    from index.runs import RunStore
    from web.payload import runs_to_json
    from web.run_terminal import print_runs

    with open_library(config_of(ctx)) as library:
        video_hash = library.find(video).content_hash if video else None
        with contextlib.closing(RunStore.open(library.folder)) as store:
            runs = store.runs(limit=limit, video_hash=video_hash)
    if as_json:
        print_json(runs_to_json(runs))
    else:
        print_runs(consoles()[0], runs)


@trace_group.command("show")
@click.argument("run_id")
@click.option("--prompts", is_flag=True, help="Also every prompt as the model read it.")
@library_option
@json_option
@click.pass_context
def trace_show(ctx: click.Context, run_id: str, prompts: bool, as_json: bool) -> None:
    """Show every step of a run: why, what was looked at, what was said, what it cost."""
    from agent.trace import load_run
    from web.payload import trace_to_json
    from web.run_terminal import print_trace

    with _runs(ctx) as (library, store):
        found, steps, answer = load_run(store, run_id)
        video = library.with_content(found.video_hash)
    if as_json:
        print_json(trace_to_json(found, steps, answer, video=video))
    else:
        print_trace(consoles()[0], found, steps, answer, prompts=prompts)


@trace_group.command("replay")
@click.argument("run_id")
@library_option
@click.pass_context
def trace_replay(ctx: click.Context, run_id: str) -> None:
    """Step through a run; on a terminal by hand, else all at once. Needs neither model nor film."""
    from agent.trace import load_run
    from web.trace_terminal import replay_by_hand, replay_plain

    with _runs(ctx) as (_, store):
        found, steps, answer = load_run(store, run_id)
    out = consoles()[0]
    if sys.stdin.isatty() and sys.stdout.isatty():
        replay_by_hand(out, found, steps, answer, read_line=input)
    else:
        replay_plain(out, found, steps, answer)


@trace_group.command("diff")
@click.argument("run_a")
@click.argument("run_b")
@library_option
@json_option
@click.pass_context
def trace_diff(ctx: click.Context, run_a: str, run_b: str, as_json: bool) -> None:
    """Show where two runs part, and how each went on and ended."""
    from agent.trace import load_run
    from agent.trace_diff import Recorded, diff_runs
    from web.diff_payload import diff_to_json
    from web.trace_terminal import print_diff

    with _runs(ctx) as (_, store):
        a, b = (Recorded(*load_run(store, run_id)) for run_id in (run_a, run_b))
    diff = diff_runs(a, b)
    if as_json:
        print_json(diff_to_json(diff))
    else:
        print_diff(consoles()[0], diff)


@trace_group.command("fork")
@click.argument("run_id")
@click.option("--from-step", required=True, type=click.IntRange(min=0), help="First step anew.")
@click.option("--prompt", multiple=True, metavar="NAME=FILE", help="Another text of a prompt.")
@budget_option
@model_options
@library_option
@json_option
@click.pass_context
def trace_fork(
    ctx: click.Context, run_id: str, from_step: int, prompt: tuple[str, ...], as_json: bool
) -> None:
    """Go on from a step of a run, as a new run: with another budget, model or prompt.

    What is not named stays as it was in the run. Its own budget goes on: what was spent before
    the step counts.
    """
    from agent.ask import fork
    from agent.config import BudgetLimits
    from agent.fork import ForkPlan
    from agent.models import models_of_run
    from agent.own_prompts import read_prompt
    from agent.trace import load_run
    from web.run_terminal import print_parent
    from web.terminal import print_answer, print_step

    config = config_of(ctx)
    flags = ctx.find_root().ensure_object(dict)
    out, errors = consoles()
    steps = errors if as_json else out
    with as_usage("--prompt"):
        prompts = dict(read_prompt(each) for each in prompt)
    plan = ForkPlan(from_step, budget=BudgetLimits(**flags.get("budget", {})), prompts=prompts)
    with _runs(ctx) as (library, store):
        parent, *_ = load_run(store, run_id)
        if "models" not in flags:
            config = replace(config, models=models_of_run(parent.models))
        video = library.find(parent.video_hash)
        models = open_pair(config, library)
        answer = fork(
            library,
            parent.run_id,
            plan,
            models=models,
            on_run=lambda run: print_parent(steps, run),
            on_step=lambda step: print_step(steps, step),
        )
    if as_json:
        print_json(answer.to_json())
    else:
        print_answer(out, answer, video)


@trace_group.command("export")
@click.argument("run_id")
@click.option("--html", is_flag=True, help="One file with the whole run view, for any browser.")
@click.option("--json", is_flag=True, help="The whole record, with the lineage of its answer.")
@click.option("--atif", is_flag=True, help="Agent Trajectory Interchange Format 1.7.")
@click.option("--otel", is_flag=True, help="OpenTelemetry GenAI spans, as OTLP JSON.")
@click.option("--inspect", is_flag=True, help="A log that `inspect view` opens.")
@click.option("-o", "--output", type=_FILE, metavar="FILE", help="Write here.")
@library_option
@click.pass_context
def trace_export(ctx: click.Context, /, run_id: str, output: Path | None, **forms: bool) -> None:
    """Write a run in another form; exactly one form is named."""
    from web.exports.files import default_file, export_text, write_export
    from web.exports.traced import load_traced

    named = [name for name, is_named in forms.items() if is_named]
    if len(named) != 1:
        raise click.UsageError(f"name one form: --{', --'.join(forms)}")
    with _runs(ctx) as (library, store):
        traced = load_traced(library, store, run_id)
    file = output or default_file(named[0], traced)
    if file is None:
        click.echo(export_text(named[0], traced, None), nl=False)
    else:
        write_export(named[0], traced, file)
        click.echo(str(file))


@contextlib.contextmanager
def _runs(ctx: click.Context) -> Iterator[tuple[Library, RunStore]]:
    """The library and its runs."""
    from index.runs import RunStore

    with (
        open_library(config_of(ctx)) as library,
        contextlib.closing(RunStore.open(library.folder)) as store,
    ):
        yield library, store
