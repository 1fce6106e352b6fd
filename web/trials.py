"""Commands for trying the program out: `demo` makes films with known truth, `eval` measures."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from web.flags import (
    budget_option,
    config_of,
    consoles,
    json_option,
    model_options,
    open_pair,
    print_json,
)

if TYPE_CHECKING:
    from agent.config import Config
    from evals.report import EvalReport

# From 20 seconds to 10 hours; the script itself says so to the fraction.
_LENGTH = click.FloatRange(min=0.3, max=600)
_COUNT = click.IntRange(min=1)
_FILMS = click.IntRange(min=1, max=1000)
_FOLDER = click.Path(path_type=Path, file_okay=False)
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.group("demo")
def demo_group() -> None:
    """Films of the demo world, questions about them, and a tour of the program."""


@demo_group.command("film")
@click.option("--seed", default=0, show_default=True, help="Which film.")
@click.option("--minutes", default=60.0, show_default=True, type=_LENGTH, help="Its length.")
@click.option("--out", default=".", type=_FOLDER, metavar="FOLDER", help="Where it goes.")
@json_option
def demo_film(seed: int, minutes: float, out: Path, as_json: bool) -> None:
    """Render a film, with its truth beside it."""
    from demo.truth import truth_path
    from evals.trial_films import make_film
    from web.progress import WorkProgress

    _, errors = consoles()
    with WorkProgress(errors) as progress:
        path = make_film(out, seed=seed, minutes=minutes, progress=progress.rendering)
    if as_json:
        print_json({"film": str(path), "truth": str(truth_path(path)), "seed": seed})
    else:
        click.echo(f"{path}\n{truth_path(path)}")


@demo_group.command("questions")
@click.argument("films", nargs=-1, required=True, type=_FILE, metavar="FILM_OR_TRUTH...")
@click.option("--n", default=50, show_default=True, type=_COUNT, help="Questions a film, at most.")
@click.option("--seed", default=0, show_default=True, help="Which questions.")
@click.option("-o", "--output", type=_FILE, metavar="FILE", help="Write here, not on the screen.")
def demo_questions(films: tuple[Path, ...], n: int, seed: int, output: Path | None) -> None:
    """Make questions with their answers and evidence: one JSON object a line."""
    import json

    from evals.trial_films import film_of, question_rows, writing

    rows = [row for film in films for row in question_rows(film_of(film), n=n, seed=seed)]
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    if output is None:
        click.echo(text, nl=False)
    else:
        with writing(output):
            output.write_text(text, encoding="utf-8")
        click.echo(f"{len(rows)} questions in {output}", err=True)


@demo_group.command("run")
@click.option("--minutes", default=60.0, show_default=True, type=_LENGTH, help="Film's length.")
@click.option("--seed", default=1, show_default=True, help="Which film.")
@click.option("--questions", default=8, show_default=True, type=_COUNT, help="How many.")
@click.option("--out", default="longshot-demo", show_default=True, type=_FOLDER, metavar="FOLDER")
@budget_option
@model_options
@click.pass_context
def demo_run(ctx: click.Context, minutes: float, seed: int, questions: int, out: Path) -> None:
    """Render a long film, index it, and ask it questions, by the embedded models.

    Everything lies in the folder, the library too. A second run finds film and index there.
    """
    from evals.tour import Stop, give_tour
    from web.progress import WorkProgress

    config = config_of(ctx)
    _, errors = consoles()
    models = open_pair(config, default="demo")
    settings = config.ask_settings(knows_only_demo_world=models.knows_only_demo_world)

    with WorkProgress(errors) as progress:

        def on_stop(stop: Stop) -> None:
            progress.hide()
            click.echo(f"{stop.text()}\n")

        tour = give_tour(
            out,
            models=models,
            settings=settings,
            minutes=minutes,
            seed=seed,
            n_questions=questions,
            rendering=progress.rendering,
            indexing=progress.indexing,
            on_stop=on_stop,
        )
    click.echo(tour.table())
    click.echo(f"\nEvery step is kept: longshot --library {out / 'library'} trace list")


@click.group("eval")
def eval_group() -> None:
    """Measure the agent against other ways to answer."""


@eval_group.command("demo")
@click.option("--films", default=1, show_default=True, type=_FILMS, help="How many films.")
@click.option("--minutes", default=60.0, show_default=True, type=_LENGTH, help="Their length.")
@click.option("--questions", default=50, show_default=True, type=_COUNT, help="Over all films.")
@click.option("--seed", default=9, show_default=True, help="Which films and questions.")
@click.option("--strategy", default="spotlight,oracle,uniform,topk", show_default=True)
@click.option("--out", default="longshot-eval", show_default=True, type=_FOLDER, metavar="FOLDER")
@click.option("-o", "--output", type=_FILE, metavar="FILE", help="Also write the report's JSON.")
@budget_option
@model_options
@json_option
@click.pass_context
def eval_demo(
    ctx: click.Context,
    films: int,
    minutes: float,
    questions: int,
    seed: int,
    strategy: str,
    out: Path,
    output: Path | None,
    as_json: bool,
) -> None:
    """Ask sealed demo films by several strategies; print the table.

    Films, library and answers lie in the folder, so a run that was stopped goes on.
    """
    import json

    from evals.strategies import strategy_named
    from evals.trial_films import writing

    names = [name.strip() for name in strategy.split(",")]
    for name in names:
        strategy_named(name)
    report = _evaluate(
        config_of(ctx),
        out,
        strategies=names,
        n_films=films,
        minutes=minutes,
        n_questions=questions,
        seed=seed,
    )
    data = report.to_json()
    if output is not None:
        with writing(output):
            output.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
    if as_json:
        print_json(data)
    else:
        click.echo(report.table())


def _evaluate(
    config: Config,
    folder: Path,
    *,
    strategies: Sequence[str],
    n_films: int,
    minutes: float,
    n_questions: int,
    seed: int,
) -> EvalReport:
    """Make what is missing in the folder, and ask."""
    from evals.demo_films import demo_benchmark
    from evals.run import evaluate
    from evals.trial_films import index_films, writing
    from index.library import Library
    from web.progress import WorkProgress

    models = open_pair(config, default="demo")
    with (
        WorkProgress(consoles()[1]) as progress,
        closing(Library.open(folder / "library")) as library,
    ):
        with writing(folder):
            bench = demo_benchmark(
                folder,
                n_films=n_films,
                minutes=minutes,
                n_questions=n_questions,
                seed=seed,
                progress=progress.rendering,
            )
        index_films(library, bench.films, encoder=models.encoder, progress=progress.indexing)
        return evaluate(
            bench.films,
            bench.items,
            strategies=strategies,
            models=models,
            library=library,
            settings=config.ask_settings(knows_only_demo_world=models.knows_only_demo_world),
            progress=progress.asking,
            resume_file=folder / "answers.jsonl",
        )
