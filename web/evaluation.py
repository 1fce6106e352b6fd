"""Commands that measure: `eval demo` asks sealed demo films, `eval selection` looks at what
strategies choose without asking anybody."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from web.eval_command import command_again
from web.flags import (
    absent_option,
    as_usage,
    config_of,
    consoles,
    json_option,
    kinds_option,
    model_options,
    open_pair,
    print_json,
    remember,
    set_option,
)

if TYPE_CHECKING:
    from agent.config import Config
    from evals.demo_films import DemoBenchmark
    from evals.report import EvalReport
    from evals.selection_run import SelectionReport
    from index.encoder import Encoder
    from index.library import Library
    from web.progress import WorkProgress

_Command = TypeVar("_Command", bound=Callable[..., Any])

_SHORTEST_MINUTES, _LONGEST_MINUTES = 0.34, 600.0
_UNHURRIED_S = 86_400.0
"""Seconds of a question where nobody sets them: on a busy machine the numbers shall be the same."""
_COUNT = click.IntRange(min=1)
_FILMS = click.IntRange(min=1, max=1000)
_FOLDER = click.Path(path_type=Path, file_okay=False)
_FILE = click.Path(path_type=Path, dir_okay=False)


def _lengths(ctx: click.Context, param: click.Parameter, value: str) -> tuple[float, ...]:
    """The minutes of "10,60"; from 20 seconds to 10 hours each."""
    try:
        lengths = tuple(dict.fromkeys(float(part) for part in value.split(",")))
    except ValueError as error:
        raise click.BadParameter(f"{value!r}: minutes, divided by commas", ctx, param) from error
    if not all(_SHORTEST_MINUTES <= length <= _LONGEST_MINUTES for length in lengths):
        range_ = f"{_SHORTEST_MINUTES:g} to {_LONGEST_MINUTES:g}"
        raise click.BadParameter(f"{value!r}: a film has {range_} minutes", ctx, param)
    return lengths


def _budgets(
    ctx: click.Context, param: click.Parameter, values: tuple[str, ...]
) -> tuple[int, ...]:
    """The tokens of "2000,6000"; limits of one budget are kept for the settings instead."""
    parts = [part.strip() for value in values for part in value.split(",")]
    if all(part.isdecimal() and int(part) > 0 for part in parts):
        return tuple(dict.fromkeys(int(part) for part in parts))
    if len(values) > 1:
        raise click.BadParameter("several budgets are numbers of visual tokens", ctx, param)
    remember(ctx, param, values[0])
    return ()


def _shared(command: _Command) -> _Command:
    """What both commands are told."""
    for option in (
        click.option("--section", metavar="NAME", help="The section of --results."),
        click.option("--results", type=_FILE, metavar="FILE", help="Rewrite its section there."),
        click.option("-o", "--output", type=_FILE, metavar="FILE", help="Also write the JSON."),
        click.option(
            "--out", default="longshot-eval", show_default=True, type=_FOLDER, metavar="FOLDER"
        ),
        click.option(
            "--budget",
            multiple=True,
            callback=_budgets,
            metavar="TOKENS,...",
            help="Visual tokens a question; several make a curve.",
        ),
        set_option,
        click.option("--seed", default=9, show_default=True, help="Which films and questions."),
        absent_option,
        kinds_option,
        click.option(
            "--questions", default=50, show_default=True, type=_COUNT, help="Over all films."
        ),
        click.option(
            "--minutes",
            default="60",
            show_default=True,
            callback=_lengths,
            metavar="MINUTES,...",
            help="Their length; each of several has its own films and questions.",
        ),
        click.option("--films", default=1, show_default=True, type=_FILMS, help="How many films."),
    ):
        command = option(command)
    return command


@click.group("eval")
def eval_group() -> None:
    """Measure the agent against other ways to answer."""


@eval_group.command("demo")
@_shared
@click.option("--strategy", default="spotlight,oracle,uniform,topk", show_default=True)
@click.option("--whole-budget", is_flag=True, help="Baselines may show all of it.")
@click.option(
    "--workers",
    default=1,
    show_default=True,
    type=_COUNT,
    help="Processes that ask, each with models of its own.",
)
@click.option("--plot", type=_FILE, metavar="FILE", help="Draw accuracy against tokens.")
@model_options
@json_option
@click.pass_context
def eval_demo(
    ctx: click.Context,
    /,
    strategy: str,
    whole_budget: bool,
    workers: int,
    plot: Path | None,
    output: Path | None,
    results: Path | None,
    section: str | None,
    as_json: bool,
    **asked: Any,
) -> None:
    """Ask sealed demo films by several strategies; print the tables.

    Films, library and answers lie in the folder, so a run that was stopped goes on.
    """
    from evals.plot import check_plot_path, draw
    from evals.results_file import check_section
    from evals.strategies import strategies_of
    from evals.tables import report_table

    with as_usage("--strategy"):
        names = strategies_of(strategy)
    name = section or "demo"
    with as_usage("--section"):
        check_section(name)
    if plot is None and results is not None:
        plot = results.with_name(f"{results.stem}-{name}.svg")
    if plot is not None:
        with as_usage("--plot"):
            check_plot_path(plot)
    report = _evaluate(config_of(ctx), names, whole_budget=whole_budget, n_workers=workers, **asked)
    data = report.to_json()
    _keep_json(output, data)
    with _written(plot):
        if plot is not None:
            draw(report.rows, plot)
    tables = report_table(report)
    if results is not None:
        command = command_again(ctx, strategy=strategy, whole_budget=whole_budget, **asked)
        _keep_section(results, name, command=command, tables=tables, plot=plot)
    print_json(data) if as_json else click.echo(tables)


@eval_group.command("selection")
@_shared
@click.option("--strategy", metavar="NAMES", help="All of them where none is named.")
@model_options
@json_option
@click.pass_context
def eval_selection(
    ctx: click.Context,
    /,
    strategy: str | None,
    output: Path | None,
    results: Path | None,
    section: str | None,
    as_json: bool,
    **asked: Any,
) -> None:
    """Say how much of the evidence every strategy would show, without asking a VideoLLM.

    Films and library lie in the folder, as those of `eval demo` do.
    """
    from evals.results_file import check_section
    from evals.selection.named import SELECTIONS
    from evals.selection_run import check_selections

    names = [each.strip() for each in strategy.split(",")] if strategy else list(SELECTIONS)
    with as_usage("--strategy"):
        check_selections(names)
    name = section or "selection"
    with as_usage("--section"):
        check_section(name)
    report = _select(config_of(ctx), names, **asked)
    _keep_json(output, report.to_json())
    if results is not None:
        command = command_again(ctx, strategy=strategy, **asked)
        _keep_section(results, name, command=command, tables=report.table(), plot=None)
    print_json(report.to_json()) if as_json else click.echo(report.table())


def _evaluate(
    config: Config,
    strategies: Sequence[str],
    *,
    whole_budget: bool,
    n_workers: int,
    out: Path,
    budget: tuple[int, ...],
    **films: Any,
) -> EvalReport:
    """Make what is missing in the folder, and ask."""
    from agent.models import open_models
    from agent.presets import with_budget
    from evals.record import Record
    from evals.report import joined
    from evals.run import evaluate

    config = _on_demo_films(config)
    models = open_pair(config)
    opener = partial(
        open_models,
        config.models,
        device=config.device,
        encoder=models.choice.encoder,
        endpoint=config.endpoint,
    )
    settings = config.ask_settings(knows_only_demo_world=models.knows_only_demo_world)
    if config.budget.seconds is None:
        settings = with_budget(settings, seconds=_UNHURRIED_S)
    with _prepared(out, models.encoder, **films) as (benchmarks, library, progress):
        record = Record(out / "answers.jsonl")
        return joined(
            [
                evaluate(
                    bench.films,
                    bench.items,
                    strategies=strategies,
                    models=models,
                    library=library,
                    settings=settings,
                    budgets=budget,
                    whole_budget=whole_budget,
                    minutes=bench.minutes,
                    progress=progress.asking,
                    record=record,
                    n_workers=n_workers,
                    opener=opener,
                )
                for bench in benchmarks
            ]
        )


def _select(
    config: Config, strategies: Sequence[str], *, out: Path, budget: tuple[int, ...], **films: Any
) -> SelectionReport:
    """Make what is missing in the folder, and choose."""
    from agent.models import open_chosen_encoder
    from evals.selection_run import SelectionReport, select_all

    config = _on_demo_films(config)
    settings = config.ask_settings(knows_only_demo_world=config.models == "demo")
    encoder = open_chosen_encoder(config.choice(), device=config.device)
    with _prepared(out, encoder, **films) as (benchmarks, library, progress):
        reports = [
            select_all(
                bench.films,
                bench.items,
                strategies=strategies,
                encoder=encoder,
                library=library,
                settings=settings,
                budgets=budget or (settings.budget.visual_tokens,),
                minutes=bench.minutes,
                progress=progress.asking,
            )
            for bench in benchmarks
        ]
    return SelectionReport(tuple(row for report in reports for row in report.rows))


def _on_demo_films(config: Config) -> Config:
    """Where nothing is named, the models that know the demo world: all films are of it."""
    return replace(config, models="demo") if config.models == "auto" else config


@contextmanager
def _prepared(
    folder: Path,
    encoder: Encoder,
    *,
    films: int,
    minutes: tuple[float, ...],
    questions: int,
    absent: float | None,
    kinds: tuple[str, ...] | None,
    seed: int,
) -> Iterator[tuple[list[DemoBenchmark], Library, WorkProgress]]:
    """The films of every length, rendered and indexed, and their questions."""
    from evals.demo_films import demo_benchmark, index_films, keep_questions, writing
    from index.library import Library
    from web.progress import WorkProgress

    with (
        WorkProgress(consoles()[1]) as progress,
        closing(Library.open(folder / "library")) as library,
    ):
        with writing(folder):
            benchmarks = [
                demo_benchmark(
                    folder,
                    n_films=films,
                    minutes=length,
                    n_questions=questions,
                    seed=seed,
                    absent_share=absent,
                    kinds=kinds,
                    progress=progress.rendering,
                )
                for length in minutes
            ]
            keep_questions(folder, benchmarks)
        for bench in benchmarks:
            index_films(library, bench.films, encoder=encoder, progress=progress.indexing)
        yield benchmarks, library, progress


def _keep_json(path: Path | None, data: dict[str, Any]) -> None:
    import json

    with _written(path):
        if path is not None:
            path.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")


def _keep_section(path: Path, name: str, *, command: str, tables: str, plot: Path | None) -> None:
    from evals.results_file import section_body, write_section

    picture = None
    if plot is not None:
        beside = plot.resolve().parent == path.resolve().parent
        picture = plot.name if beside else plot.as_posix()
    body = section_body(command=command, tables=tables, picture=picture)
    with _written(path):
        write_section(path, name, body)


@contextmanager
def _written(path: Path | None) -> Iterator[None]:
    from evals.demo_films import writing

    with writing(path or Path()):
        yield
