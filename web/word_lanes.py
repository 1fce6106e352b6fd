"""The command that measures search by lane, on demo films that speak."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from web.flags import config_of, consoles, json_option, model_options, open_pair, print_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.config import Config
    from agent.models import Models
    from evals.word_lanes import LaneRow
    from index.library import Library
    from web.progress import WorkProgress


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
    type=click.FloatRange(min=0.34, max=600),
    help="Their length.",
)
@click.option(
    "--each",
    default=20,
    show_default=True,
    type=click.IntRange(min=1),
    help="Searches a kind and film.",
)
@click.option(
    "--ask",
    "n_asked",
    default=0,
    show_default=True,
    type=click.IntRange(min=0),
    help="Questions a kind and film that the agent answers.",
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
    n_asked: int,
    seed: int,
    screen_text: bool,
    out: Path,
    as_json: bool,
) -> None:
    """Search sealed films that speak, by pictures, by words, and by both; print the table.

    With --ask also questions are answered, whose table stands below.
    """
    from agent.models import open_chosen_encoder
    from evals.demo_films import writing
    from evals.word_lanes import index_with_words, make_films, measure_lanes, rows_to_json, table_of
    from index.library import Library
    from web.progress import WorkProgress

    config = config_of(ctx)
    models = open_pair(config, default="demo") if n_asked else None
    if config.models == "auto":
        config = replace(config, models="demo")
    encoder = (
        models.encoder if models else open_chosen_encoder(config.choice(), device=config.device)
    )
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
            answers = (
                _answers(config, models, library, paths, n_each=n_asked, progress=progress)
                if models
                else []
            )
    if as_json:
        print_json({"searches": rows_to_json(rows), "answers": rows_to_json(answers)})
    else:
        click.echo("\n\n".join(table_of(each) for each in (rows, answers) if each))


def _answers(
    config: Config,
    models: Models,
    library: Library,
    films: Sequence[Path],
    *,
    n_each: int,
    progress: WorkProgress,
) -> list[LaneRow]:
    """The agent's answers by lane."""
    from evals.word_answers import measure_answers

    return measure_answers(
        library,
        films,
        models=models,
        settings=config.ask_settings(knows_only_demo_world=models.knows_only_demo_world),
        n_each=n_each,
        tell=lambda done, total: progress.show("asking", done=done, total=total),
    )
