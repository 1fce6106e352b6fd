"""The commands that look at runs again: list, show."""

from __future__ import annotations

import contextlib

import click

from web.flags import config_of, consoles, json_option, library_option, open_library, print_json


@click.group("trace")
def trace_group() -> None:
    """Look at runs again; needs no model."""


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
    from web.terminal import print_runs

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
    from index.runs import RunStore
    from web.payload import trace_to_json
    from web.terminal import print_trace

    with (
        open_library(config_of(ctx)) as library,
        contextlib.closing(RunStore.open(library.folder)) as store,
    ):
        found, steps, answer = load_run(store, run_id)
        video = library.with_content(found.video_hash)
    if as_json:
        print_json(trace_to_json(found, steps, answer, video=video))
    else:
        print_trace(consoles()[0], found, steps, answer, prompts=prompts)
