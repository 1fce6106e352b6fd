"""The command that measures search by lane, on demo films that speak."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import click

from web.flags import config_of, consoles, json_option, model_options, print_json


@click.command("words")
@click.option(
    "--films",
    default=3,
    show_default=True,
    type=click.IntRange(min=1, max=1000),
    help="How many films.",
)
@click.option(
    "--minutes",
    default=10.0,
    show_default=True,
    type=click.FloatRange(min=0.3, max=600),
    help="Their length.",
)
@click.option(
    "--each",
    default=20,
    show_default=True,
    type=click.IntRange(min=1),
    help="Searches a kind and film.",
)
@click.option("--seed", default=70, show_default=True, help="Which films and searches.")
@click.option("--screen-text/--no-screen-text", default=True, help="Read the titles.")
@click.option(
    "--out",
    default="longshot-words",
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
)
@model_options
@json_option
@click.pass_context
def eval_words(
    ctx: click.Context,
    films: int,
    minutes: float,
    each: int,
    seed: int,
    screen_text: bool,
    out: Path,
    as_json: bool,
) -> None:
    """Search sealed films that speak, by pictures, by words, and by both; print the table."""
    from agent.models import open_chosen_encoder
    from evals.demo_films import writing
    from evals.word_lanes import index_with_words, make_films, measure_lanes, rows_to_json, table_of
    from index.library import Library
    from web.progress import WorkProgress

    config = config_of(ctx)
    if config.models == "auto":
        config = replace(config, models="demo")
    encoder = open_chosen_encoder(config.choice(), device=config.device)
    with WorkProgress(consoles()[1]) as progress, writing(out):
        paths = make_films(
            out, n_films=films, minutes=minutes, seed=seed, progress=progress.rendering
        )
        with closing(Library.open(out / "library")) as library:
            index_with_words(
                library,
                paths,
                encoder=encoder,
                screen_text=screen_text,
                progress=progress.indexing,
            )
            rows = measure_lanes(
                library,
                paths,
                encoder=encoder,
                n_each=each,
                tell=lambda done, total: progress.show("searching", done=done, total=total),
            )
    if as_json:
        print_json(rows_to_json(rows))
    else:
        click.echo(table_of(rows))
