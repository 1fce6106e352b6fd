"""The command that goes on with a run that was stopped."""

from __future__ import annotations

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
    from agent.ask import resume
    from agent.trace import load_run
    from index.runs import RunStore
    from web.terminal import print_answer, print_step

    config = config_of(ctx)
    out, errors = consoles()
    with open_library(config) as library:
        runs = RunStore.open(library.folder)
        try:
            run, _, _ = load_run(runs, run_id)
        finally:
            runs.close()
        models = open_pair(config, library)
        steps = errors if as_json else out
        answer = resume(
            library, run.run_id, models=models, on_step=lambda step: print_step(steps, step)
        )
        video = next((v for v in library.videos() if v.content_hash == run.video_hash), None)
    if as_json or video is None:
        print_json(answer.to_json())
    else:
        print_answer(out, answer, video)
