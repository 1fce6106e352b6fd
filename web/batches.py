"""The command that asks many questions: batch."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from web.flags import (
    as_usage,
    budget_option,
    config_of,
    consoles,
    films_option,
    json_option,
    library_option,
    library_to_read,
    model_options,
    open_library,
    open_pair,
    print_json,
    set_option,
)

if TYPE_CHECKING:
    from agent.batch_lines import BatchQuestion
    from agent.batch_record import BatchRecord
    from agent.config import Config

_FILE = click.Path(path_type=Path, dir_okay=False)
_COUNT = click.IntRange(min=1)
_WORKERS = click.IntRange(min=1, max=64)


@click.command("batch")
@click.argument("questions", type=click.Path(path_type=Path, dir_okay=False))
@click.option("-o", "--output", required=True, type=_FILE, metavar="OUT", help="Answers, as JSONL.")
@click.option(
    "--videos",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Where films are looked for first.",
)
@click.option(
    "--table",
    multiple=True,
    type=_FILE,
    metavar="FILE",
    help="Also a .csv or .parquet.",
)
@click.option("--workers", default=4, show_default=True, type=_WORKERS, help="Questions at a time.")
@click.option("--retry-failed", is_flag=True, help="Ask again what failed before.")
@click.option("--limit", type=_COUNT, metavar="N", help="Ask at most so many now.")
@click.option("--dry-run", is_flag=True, help="Only say what it would cost.")
@films_option
@budget_option
@set_option
@model_options
@library_option
@json_option
@click.pass_context
def batch_command(
    ctx: click.Context,
    questions: Path,
    output: Path,
    videos: Path | None,
    table: tuple[Path, ...],
    workers: int,
    retry_failed: bool,
    limit: int | None,
    dry_run: bool,
    films: int,
    as_json: bool,
) -> None:
    """Ask a file of questions; given again, it goes on where it stopped.

    QUESTIONS is JSON lines {"custom_id", "video", "question", "options"?, "answer"?}, CSV with
    these columns, or a batch file of the OpenAI API. A line without a video asks the whole library.
    """
    from agent.batch import changed, to_ask
    from agent.batch_lines import read_questions
    from agent.batch_record import BatchRecord, answers_in
    from agent.batch_tables import check_table
    from web.batch_terminal import print_problems

    if not questions.is_file():
        raise click.BadParameter(f"{questions} does not exist", ctx, param_hint="QUESTIONS")
    if videos is not None and not videos.is_dir():
        raise click.BadParameter(f"{videos} is no folder", ctx, param_hint="--videos")
    if output.resolve() == questions.resolve():
        raise click.BadParameter("it is the file of questions", param_hint="--output")
    for path in table:
        with as_usage("--table"):
            check_table(path)
        if path.resolve() in (questions.resolve(), output.resolve()):
            raise click.BadParameter(f"{path} holds questions or answers", param_hint="--table")
    config = config_of(ctx)
    found = read_questions(questions)
    with contextlib.ExitStack() as stack:
        record = None if dry_run else stack.enter_context(contextlib.closing(BatchRecord(output)))
        lines = answers_in(output) if record is None else record.lines
        edited = changed(found.questions, lines)
        print_problems(consoles()[1], found, edited, source=questions, output=output)
        open_ = [q for q in found.questions if q not in edited]
        ahead = to_ask(open_, lines, retry_failed=retry_failed, limit=limit)
        if record is None:
            _estimate(config, ahead, videos=videos, films=films, as_json=as_json)
            return
        if ahead:
            _ask(config, ahead, record, videos=videos, workers=workers, films=films)
        n_bad = len(found.bad) + len(edited)
        _finish(open_, record, videos=videos, tables=table, n_bad=n_bad, as_json=as_json)
        failed = any(line["error"] for line in _lines_of(open_, record).values())
    ctx.exit(1 if failed or n_bad else 0)


def _ask(
    config: Config,
    questions: Sequence[BatchQuestion],
    record: BatchRecord,
    *,
    videos: Path | None,
    workers: int,
    films: int,
) -> None:
    from agent.batch import BatchSettings, run_batch
    from web.batch_terminal import BatchBar
    from web.progress import WorkProgress

    _, errors = consoles()
    with open_library(config, create=True) as library, WorkProgress(errors) as progress:
        models = open_pair(config, library)
        settings = BatchSettings(
            workers=workers,
            videos=videos,
            most_films=films,
            ask=config.ask_settings(knows_only_demo_world=models.knows_only_demo_world),
            index=config.index,
        )
        run_batch(
            library,
            questions,
            record=record,
            models=models,
            settings=settings,
            progress=BatchBar(progress),
        )


def _estimate(
    config: Config,
    questions: Sequence[BatchQuestion],
    *,
    videos: Path | None,
    films: int,
    as_json: bool,
) -> None:
    """Say what the questions would cost. Loads no model."""
    from agent.estimate import estimate_batch
    from agent.models import knows_only_demo_world, recorded_name
    from index.runs import RunStore
    from web.batch_terminal import print_estimate

    with library_to_read(config) as library:
        choice = config.choice(library.encoder_identity())
        settings = config.ask_settings(knows_only_demo_world=knows_only_demo_world(choice))
        with contextlib.closing(RunStore.open(library.folder)) as store:
            runs = store.runs(limit=1000)
        estimate = estimate_batch(
            library,
            questions,
            runs=runs,
            videollm=recorded_name(choice, config.endpoint),
            budget=settings.budget,
            videos=videos,
            most_films=films,
        )
    if as_json:
        print_json(asdict(estimate))
    else:
        print_estimate(consoles()[0], estimate)


def _finish(
    questions: Sequence[BatchQuestion],
    record: BatchRecord,
    *,
    videos: Path | None,
    tables: Sequence[Path],
    n_bad: int,
    as_json: bool,
) -> None:
    """Write the tables, and say what came of it all."""
    from agent.batch_tables import table_rows, write_table
    from evals.batch_score import right_or_not, summary_rows
    from web.batch_terminal import print_summary, summary_to_json

    lines = _lines_of(questions, record)
    rows = table_rows(questions, lines, judge=right_or_not)
    for path in tables:
        write_table(path, rows)
    summary = summary_rows(questions, lines, videos=videos)
    if as_json:
        print_json(summary_to_json(summary, n_open=len(questions) - len(rows), n_bad=n_bad))
    else:
        print_summary(consoles()[0], summary, n_open=len(questions) - len(rows), n_bad=n_bad)


def _lines_of(
    questions: Sequence[BatchQuestion], record: BatchRecord
) -> dict[str, Mapping[str, Any]]:
    return {
        q.custom_id: record.lines[q.custom_id] for q in questions if q.custom_id in record.lines
    }
