"""The command that goes on with a run that was stopped."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from web.flags import (
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
    from rich.console import Console

    from agent.config import Config
    from agent.types import Answer
    from index.library import Library
    from index.run_rows import RunRow


@click.command("resume")
@click.argument("run_id", metavar="RUN")
@model_options
@library_option
@json_option
@click.pass_context
def resume_command(ctx: click.Context, run_id: str, as_json: bool) -> None:
    """Go on with a question that was stopped; one that has ended gives its answer again.

    RUN is its id in `trace list`, or the beginning of it. Asking the same question of the same film
    again goes on with it too.
    """
    from agent.models import models_of_run
    from agent.trace import load_run
    from index.runs import RunStore
    from web.terminal import print_answer

    config = config_of(ctx)
    out, errors = consoles()
    with open_library(config) as library:
        with contextlib.closing(RunStore.open(library.folder)) as runs:
            run, _, answer = load_run(runs, run_id)
        if answer is None:
            if "models" not in ctx.find_root().ensure_object(dict):
                config = replace(config, models=models_of_run(run.models))
            answer = _go_on(config, library, run, errors if as_json else out)
        video = library.with_content(run.video_hash)
    if as_json or video is None:
        print_json(answer.to_json())
    else:
        print_answer(out, answer, video)


def _go_on(config: Config, library: Library, run: RunRow, steps: Console) -> Answer:
    from agent.ask import resume
    from agent.models import check_begun_with
    from web.terminal import print_step

    choice = config.choice(library.encoder_identity())
    check_begun_with(run.models, choice, device=config.device, endpoint=config.endpoint)
    models = open_pair(config, library)
    return resume(library, run.run_id, models=models, on_step=lambda step: print_step(steps, step))
