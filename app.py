"""The command line: builds the settings, joins the parts, holds no logic.

Whatever is heavy is imported inside the commands, so that `--help` answers at once. Results go to
standard output; progress, notices and errors to standard error.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from index.errors import LongshotError
from web.asking import ask_command
from web.batches import batch_command
from web.evaluation import eval_group
from web.exporting import export_command
from web.flags import (
    config_of,
    consoles,
    json_option,
    library_option,
    model_options,
    open_library,
    open_told_encoder,
    print_json,
    with_words,
    word_options,
)
from web.notices import show_notices
from web.resuming import resume_command
from web.searching import search_command
from web.serving import serve_command
from web.settings_listing import settings_command
from web.traces import trace_group
from web.trials import demo_group
from web.word_lanes import eval_words

_INTERRUPTED = 130


def main() -> None:
    """The console script."""
    # Threads that wait should sleep: on a busy machine spinning made a call of 0.08 s take 3 s.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run a command line; returns the exit code: 0, 1 (an error), 2 (usage), 130 (Ctrl-C)."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # A dash that an old terminal cannot show is no reason to stop.
            stream.reconfigure(errors="replace")
    try:
        # Gives the code of `ctx.exit`; a command that simply ends gives None.
        code = cli.main(list(arguments), prog_name="longshot", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        click.echo("stopped; what is finished is kept", err=True)
        return _INTERRUPTED
    except LongshotError as error:
        click.echo(f"error: {error}", err=True)
        return 1
    return int(code or 0)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="longshot")
@click.option("-v", "--verbose", is_flag=True, help="Say on standard error what is being done.")
@library_option
def cli(verbose: bool) -> None:
    """Ask questions of hour-long videos on your own machine, and see the evidence."""
    # Loading bars of libraries would stand between our own lines.
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "info" if verbose else "error")
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING, format="%(levelname)s: %(message)s"
    )
    show_notices()


# -- films


@cli.command("index")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--rebuild", is_flag=True, help="Index again; once, after a change of encoder.")
@word_options
@model_options
@library_option
@json_option
@click.pass_context
def index_command(
    ctx: click.Context,
    paths: tuple[Path, ...],
    rebuild: bool,
    speech: str | None,
    screen_text: bool | None,
    as_json: bool,
) -> None:
    """Index films, and all films in folders. What is indexed already is left alone."""
    from index.build import build
    from web.payload import report_to_json
    from web.progress import WorkProgress
    from web.terminal import print_failure, print_report

    config = config_of(ctx)
    out, errors = consoles()
    words = with_words(config.index.words, speech=speech, screen_text=screen_text)
    with open_library(config, create=True) as library:
        choice = config.choice(library.encoder_identity())
        encoder = open_told_encoder(config, choice)
        settings = replace(config.index, rebuild=rebuild, words=words)
        with WorkProgress(errors, as_times=True) as progress:
            report = build(
                library, paths, encoder=encoder, settings=settings, progress=progress.indexing
            )
    if as_json:
        print_json(report_to_json(report))
        for failure in report.failures:
            print_failure(errors, failure)
    else:
        print_report(out, errors, report)
    ctx.exit(1 if report.failures else 0)


@cli.command("stats")
@library_option
@json_option
@click.pass_context
def stats_command(ctx: click.Context, as_json: bool) -> None:
    """Show what the library holds."""
    from index.runs import RunStore
    from index.stats import stats_of
    from web.payload import stats_to_json
    from web.terminal import print_stats

    config = config_of(ctx)
    with open_library(config) as library:
        with contextlib.closing(RunStore.open(library.folder)) as store:
            runs = Counter(each.status for each in store.runs(limit=-1))
        stats = stats_of(library)
    if as_json:
        print_json(stats_to_json(stats, runs))
    else:
        print_stats(consoles()[0], stats, runs)


@cli.command("remove")
@click.argument("video")
@click.option("--runs", "with_runs", is_flag=True, help="Also forget what was asked of it.")
@library_option
@json_option
@click.pass_context
def remove_command(ctx: click.Context, video: str, with_runs: bool, as_json: bool) -> None:
    """Take a film out of the library. The film's own file is not touched."""
    from index.runs import RunStore
    from web.payload import video_to_json

    with open_library(config_of(ctx)) as library:
        found = library.find(video)
        library.remove(found.video_id)
        if with_runs:
            with contextlib.closing(RunStore.open(library.folder)) as runs:
                runs.remove_video(found.content_hash)
    if as_json:
        print_json({"removed": video_to_json(found), "runs_removed": with_runs})
    else:
        click.echo(f"removed {found.video_id} ({found.path}) from the library; the file stays")


@cli.command("doctor")
@library_option
@json_option
@click.pass_context
def doctor_command(ctx: click.Context, as_json: bool) -> None:
    """Say what this machine can run, and what is missing."""
    from agent.doctor import examine_all
    from web.payload import checks_to_json
    from web.terminal import print_checks

    checks = examine_all(config_of(ctx).library)
    if as_json:
        print_json(checks_to_json(checks))
    else:
        print_checks(consoles()[0], checks)
    ctx.exit(1 if any(check.status == "missing" for check in checks) else 0)


# -- questions


cli.add_command(ask_command)
cli.add_command(batch_command)
cli.add_command(resume_command)
cli.add_command(export_command)
cli.add_command(serve_command)
cli.add_command(settings_command)
cli.add_command(search_command)
cli.add_command(trace_group)
cli.add_command(demo_group)
cli.add_command(eval_group)
eval_group.add_command(eval_words)


if __name__ == "__main__":
    main()
