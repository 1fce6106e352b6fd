"""The command that finds moments, by pictures and by words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from web.flags import (
    COSINE,
    Number,
    as_usage,
    config_of,
    consoles,
    json_option,
    library_option,
    model_options,
    open_library,
    open_told_encoder,
    print_json,
)

if TYPE_CHECKING:
    from agent.config import Config
    from index.library import Library
    from index.types import Span
    from tools.search import TextEncoder

_SHARE = Number(0.0, 1.0)


@click.command("search")
@click.argument("text")
@click.option("--video", multiple=True, metavar="VIDEO", help="Only this film; may be repeated.")
@click.option(
    "--lane",
    default="both",
    show_default=True,
    type=click.Choice(["picture", "words", "both"]),
    help="Search pictures, words, or both.",
)
@click.option("--from", "from_time", metavar="TIME", help="Only from this time of a film on.")
@click.option("--to", "to_time", metavar="TIME", help="Only up to this time of a film.")
@click.option("--limit", default=10, show_default=True, type=click.IntRange(min=1))
@click.option("--threshold", type=COSINE, metavar="COSINE", help="No picture below this cosine.")
@click.option(
    "--share", default=0.5, show_default=True, type=_SHARE, help="Least share of the words."
)
@click.option(
    "--group",
    default="moment",
    show_default=True,
    type=click.Choice(["moment", "film"]),
    help="List moments, or films with their best moments.",
)
@click.option(
    "--format",
    "form",
    default="text",
    show_default=True,
    type=click.Choice(["text", "json", "qvhighlights"]),
    help="How the result is printed.",
)
@model_options
@library_option
@json_option
@click.pass_context
def search_command(
    ctx: click.Context,
    text: str,
    video: tuple[str, ...],
    lane: str,
    from_time: str | None,
    to_time: str | None,
    limit: int,
    threshold: float | None,
    share: float,
    group: str,
    form: str,
    as_json: bool,
) -> None:
    """Find the moments that look like a text or say it.

    A "quoted phrase" must be said or written; -word and "without …" leave things out.
    """
    from agent.films import all_films
    from tools.highlights import highlights
    from tools.query import parse_query
    from tools.search import SearchSettings, search
    from web.found import films_of, hits_to_json, print_films, print_moments

    query = parse_query(text)
    within = _within(from_time, to_time)
    settings = SearchSettings(
        least_share=share, least_cosine=-1.0 if threshold is None else threshold
    )
    config = config_of(ctx)
    with open_library(config) as library:
        videos = {each.video_id: each for each in all_films(library)}
        chosen = [library.find(each).video_id for each in video] or None
        encoder = None if lane == "words" else _encoder(config, library)
        moments = search(
            library,
            encoder,
            text,
            limit=limit,
            video_ids=chosen,
            lane=lane,  # type: ignore[arg-type]
            within=within,
            settings=settings,
        )
        for notice in query.notices:
            click.echo(notice, err=True)
        if form == "qvhighlights":
            for row in highlights(library, encoder, query, moments):
                print_json(row, indent=None)
        elif as_json or form == "json":
            print_json(hits_to_json(query, moments, videos, by_film=group == "film"))
        elif group == "film":
            print_films(consoles()[0], films_of(moments), videos, text=text)
        else:
            print_moments(consoles()[0], moments, videos, text=text)


def _encoder(config: Config, library: Library) -> TextEncoder:
    choice = config.choice(library.encoder_identity())
    encoder = open_told_encoder(config, choice)
    library.check_encoder(encoder.identity)
    return encoder


def _within(from_time: str | None, to_time: str | None) -> Span | None:
    """The part of films to search; None: all of them."""
    from index.types import Span

    if from_time is None and to_time is None:
        return None
    start_s = 0.0 if from_time is None else _seconds("--from", from_time)
    end_s = start_s + _LONGEST_FILM_S if to_time is None else _seconds("--to", to_time)
    if start_s >= end_s:
        raise click.UsageError(f"--from {from_time} is not before --to {to_time}")
    return Span(start_s, end_s)


_LONGEST_FILM_S = 1e6


def _seconds(flag: str, text: str) -> float:
    from index.times import parse_time

    with as_usage(flag):
        return parse_time(text)
