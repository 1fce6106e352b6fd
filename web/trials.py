"""Commands for trying the program out: films with known truth, questions about them, a tour."""

from __future__ import annotations

from pathlib import Path

import click

from web.flags import (
    absent_option,
    budget_option,
    config_of,
    consoles,
    json_option,
    kinds_option,
    model_options,
    open_pair,
    print_json,
)

# From 20 seconds to 10 hours; the script itself says so to the fraction.
_LENGTH = click.FloatRange(min=0.34, max=600)
_COUNT = click.IntRange(min=1)
_FOLDER = click.Path(path_type=Path, file_okay=False)
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.group("demo")
def demo_group() -> None:
    """Films of the demo world, questions about them, and a tour of the program."""


@demo_group.command("film")
@click.option("--seed", default=0, show_default=True, help="Which film.")
@click.option("--minutes", default=60.0, show_default=True, type=_LENGTH, help="Its length.")
@click.option("--out", default=".", type=_FOLDER, metavar="FOLDER", help="Where it goes.")
@click.option("--words", is_flag=True, help="With titles, and subtitles beside it.")
@json_option
def demo_film(seed: int, minutes: float, out: Path, words: bool, as_json: bool) -> None:
    """Render a film, with its truth beside it."""
    from demo.truth import truth_path
    from evals.demo_films import make_film
    from web.progress import WorkProgress

    _, errors = consoles()
    with WorkProgress(errors) as progress:
        path = make_film(out, seed=seed, minutes=minutes, progress=progress.rendering, words=words)
    if as_json:
        print_json({"film": str(path), "truth": str(truth_path(path)), "seed": seed})
    else:
        click.echo(f"{path}\n{truth_path(path)}")


@demo_group.command("questions")
@click.argument("films", nargs=-1, required=True, type=_FILE, metavar="FILM_OR_TRUTH...")
@click.option("--n", default=50, show_default=True, type=_COUNT, help="Questions a film, at most.")
@click.option("--seed", default=0, show_default=True, help="Which questions.")
@absent_option
@kinds_option
@click.option("-o", "--output", type=_FILE, metavar="FILE", help="Write here, not on the screen.")
def demo_questions(
    films: tuple[Path, ...],
    n: int,
    seed: int,
    absent: float | None,
    kinds: tuple[str, ...] | None,
    output: Path | None,
) -> None:
    """Make questions with their answers and evidence: one JSON object a line."""
    import json

    from evals.demo_films import film_of, question_rows, writing

    rows = [
        row
        for film in films
        for row in question_rows(film_of(film), n=n, seed=seed, kinds=kinds, absent_share=absent)
    ]
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
