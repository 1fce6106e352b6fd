"""The command that asks one question, of a film or of the whole library: ask."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

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
    from agent.config import Config
    from agent.types import Question
    from index.run_rows import RunRow


@click.command("ask")
@click.argument("words", nargs=-1, required=True, metavar="[FILM] QUESTION")
@click.option("--option", multiple=True, metavar="TEXT", help="One option; repeat it.")
@click.option("--options", metavar="A|B|C", help="All options at once.")
@films_option
@budget_option
@set_option
@model_options
@library_option
@json_option
@click.pass_context
def ask_command(
    ctx: click.Context,
    words: tuple[str, ...],
    option: tuple[str, ...],
    options: str | None,
    films: int,
    as_json: bool,
) -> None:
    """Ask a film a question; without a film, the whole library.

    A film that is not in the library is indexed first.
    """
    from agent.types import Question

    if len(words) > 2:
        raise click.UsageError("give one film and one question, each in quotes")
    film, question = words if len(words) == 2 else (None, words[0])
    if film is None and Path(question).expanduser().exists():
        raise click.UsageError(f"{question} is a film: what is the question?")
    asked = Question(question)
    with as_usage("--options" if options else "--option"):
        asked = replace(asked, options=(*option, *(options.split("|") if options else ())))
    config = config_of(ctx)
    if film is None:
        _ask_library(config, asked, films=films, as_json=as_json)
    else:
        _ask_film(config, film, asked, as_json=as_json)


def _ask_film(config: Config, film: str, asked: Question, *, as_json: bool) -> None:
    from agent.ask import ask
    from agent.estimate import estimate_question
    from agent.films import check_film, film_to_ask
    from web.progress import WorkProgress
    from web.terminal import entry, print_answer, print_estimate, print_step

    out, errors = consoles()
    with library_to_read(config) as library:
        check_film(library, film)
    with open_library(config, create=True) as library:
        models = open_pair(config, library)
        with WorkProgress(errors, as_times=True) as progress:
            video = film_to_ask(
                library,
                film,
                encoder=models.encoder,
                settings=config.index,
                progress=progress.indexing,
            )
        steps = errors if as_json else out
        settings = config.ask_settings(knows_only_demo_world=models.knows_only_demo_world)
        print_estimate(
            errors, estimate_question(video, videollm=models.videollm, settings=settings)
        )
        began_at = datetime.now(UTC).isoformat(timespec="milliseconds")

        def tell(run: RunRow) -> None:
            if run.started_at < began_at:
                entry(steps, "continues", f"run {run.run_id}, begun {run.started_at}")

        answer = ask(
            library,
            video,
            asked.text,
            options=asked.options,
            models=models,
            settings=settings,
            on_step=lambda step: print_step(steps, step),
            on_run=tell,
        )
    if as_json:
        print_json(answer.to_json())
    else:
        print_answer(out, answer, video)


def _ask_library(config: Config, asked: Question, *, films: int, as_json: bool) -> None:
    from agent.films import all_films
    from agent.library_wide import ask_library
    from web.library_terminal import print_library_answer, print_next_film
    from web.terminal import print_step

    out, errors = consoles()
    steps = errors if as_json else out
    with open_library(config) as library:
        all_films(library)
        models = open_pair(config, library)
        answer = ask_library(
            library,
            asked.text,
            options=asked.options,
            models=models,
            settings=config.ask_settings(knows_only_demo_world=models.knows_only_demo_world),
            most_films=films,
            on_film=lambda video, position, n: print_next_film(steps, video, position, n),
            on_step=lambda step: print_step(steps, step),
        )
    if as_json:
        print_json(answer.to_json())
    else:
        print_library_answer(out, answer)
