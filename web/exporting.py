"""The command that writes moments, citations and hits as files."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from index.errors import InputError
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
    from tools.export.clips import Written
    from tools.export.cuts import Cut, ExportItem
    from tools.export.sources import FindFilm

_FORMATS = (
    "clips", "reel", "csv", "vtt", "srt", "chapters", "markers", "edl", "fcp7", "fcpxml", "otio",
)  # fmt: skip


_PADDING = Number(min=0.0)


@dataclass(frozen=True, slots=True)
class _Asked:
    """The command's flags, by their names."""

    source: str | None
    name: str | None
    output: Path | None
    text: str | None
    limit: int
    threshold: float | None
    video: tuple[str, ...]
    span: tuple[str, ...]
    padding: float
    cut: str
    rate: str | None
    drop_frame: bool | None
    start: str
    title: str
    force: bool
    as_json: bool

    def __post_init__(self) -> None:
        if self.name is None and self.output is None:
            raise click.UsageError("say what to write: --as FORMAT, or -o FILE")
        if sum((self.source is not None, bool(self.span), self.text is not None)) != 1:
            raise click.UsageError("name one source: a run, a file, -, --search or --span")
        if self.span and len(self.video) != 1:
            raise click.UsageError("--span needs the film: --video VIDEO, once")
        if self.name == "reel" and self.cut == "copy":
            raise click.UsageError("a reel is always encoded: its parts need not fit each other")


@click.command("export")
@click.argument("source", required=False, metavar="[RUN|FILE|-]")
@click.option("--as", "name", type=click.Choice(_FORMATS), help="Default: by the output's name.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="File or folder to write.")
@click.option("--search", "text", metavar="TEXT", help="Export what a search finds.")
@click.option("--limit", default=10, show_default=True, type=click.IntRange(min=1))
@click.option("--threshold", type=COSINE, metavar="COSINE", help="No picture below this cosine.")
@click.option("--video", multiple=True, metavar="VIDEO", help="The film of --span or --search.")
@click.option("--span", multiple=True, metavar="START-END", help="A moment; a label may follow.")
@click.option(
    "--padding", default=0.0, type=_PADDING, metavar="SECONDS", help="More film on both sides."
)
@click.option("--cut", type=click.Choice(("exact", "copy")), default="exact", show_default=True)
@click.option("--rate", metavar="FPS", help="Count frames at this rate, not at the film's own.")
@click.option("--drop-frame/--no-drop-frame", default=None, help="Default: as the film has it.")
@click.option("--start", default="01:00:00:00", metavar="TIMECODE", help="Of the timeline.")
@click.option("--title", default="Longshot", help="Of the timeline or the reel.")
@click.option("--force", is_flag=True, help="Replace files that are there already.")
@model_options
@library_option
@json_option
@click.pass_context
def export_command(ctx: click.Context, /, **options: Any) -> None:
    """Write moments as clips, a reel, captions, chapters, tables, or lists for editing programs.

    Give a run (its citations), a file or - with the JSON of a search or an answer, --search, or
    --video with --span.
    """
    from tools.export.cuts import make_cuts
    from tools.export.film_frames import read_film
    from tools.export.formats import FORMATS, format_for
    from tools.export.timecode import parse_rate
    from web.export_text import print_written, written_to_json

    asked = _Asked(**options)
    with as_usage("--output"):
        name = asked.name or format_for(asked.output or Path())
    if asked.output is None and (FORMATS[name].scope == "media" or asked.as_json):
        raise click.UsageError(f"say where to write with -o ({name})")
    with as_usage("--rate"):
        fps = parse_rate(asked.rate) if asked.rate is not None else None
    cuts = make_cuts(
        _items(ctx, asked),
        lambda path: read_film(path, fps=fps, drop=asked.drop_frame),
        padding_s=asked.padding,
    )
    if asked.output is None:
        _to_standard_output(name, cuts, asked)
        return
    written = _write(name, cuts, asked.output, asked)
    if asked.as_json:
        print_json(written_to_json(name, cuts, written))
    else:
        print_written(*consoles(), cuts, written)


def _items(ctx: click.Context, asked: _Asked) -> list[ExportItem]:
    """What the person named, in one of four ways."""
    from tools.export.sources import items_of_json
    from web.export_films import FilmFinder

    source, spans, text = asked.source, asked.span, asked.text
    with contextlib.ExitStack() as stack:
        config = config_of(ctx)
        library = _once(lambda: stack.enter_context(open_library(config)))
        find = FilmFinder(library)
        if spans:
            return _by_hand(asked, find.named)
        if text is not None:
            return _searched(config, library(), text, asked)
        if source == "-":
            return items_of_json(sys.stdin.read(), find, name="standard input")
        assert source is not None
        if Path(source).is_file():
            return items_of_json(_read(Path(source)), find, name=source)
        return _cited(library(), source, find)


def _by_hand(asked: _Asked, named: Callable[[str], Path]) -> list[ExportItem]:
    from tools.export.sources import item_of_span

    path = named(asked.video[0])
    with as_usage("--span"):
        return [item_of_span(path, span) for span in asked.span]


def _searched(config: Config, library: Library, text: str, asked: _Asked) -> list[ExportItem]:
    from tools.export.sources import items_of_json
    from tools.query import parse_query
    from tools.search import SearchSettings, search
    from web.export_films import FilmFinder
    from web.found import hits_to_json

    videos = {each.video_id: each for each in library.videos()}
    wanted = [library.find(each).video_id for each in asked.video]
    choice = config.choice(library.encoder_identity())
    encoder = open_told_encoder(config, choice)
    library.check_encoder(encoder.identity)
    least = -1.0 if asked.threshold is None else asked.threshold
    moments = search(
        library,
        encoder,
        text,
        limit=asked.limit,
        video_ids=wanted or None,
        settings=SearchSettings(least_cosine=least),
    )
    if not moments:
        raise InputError(f'nothing found for "{text}"', "lower --threshold, or use other words")
    found = json.dumps(hits_to_json(parse_query(text), moments, videos))
    return items_of_json(found, FilmFinder(lambda: library), name="the search")


def _cited(library: Library, run_id: str, find: FindFilm) -> list[ExportItem]:
    from agent.trace import load_run
    from index.runs import RunStore
    from tools.export.sources import items_of_run

    with contextlib.closing(RunStore.open(library.folder)) as store:
        run, _, _ = load_run(store, run_id)
        return items_of_run(run, store.citations(run.run_id), find)


def _to_standard_output(name: str, cuts: list[Cut], asked: _Asked) -> None:
    from tools.export.files import as_bytes
    from tools.export.formats import text_of

    text = text_of(name, cuts, title=asked.title, start_code=asked.start)
    # As it stands, line ends included.
    sys.stdout.buffer.write(as_bytes(text))
    sys.stdout.buffer.flush()


def _write(name: str, cuts: list[Cut], output: Path, asked: _Asked) -> list[Written]:
    from tools.export.clips import FILM_SUFFIXES, write_chaptered, write_clips, write_reel
    from tools.export.texts import write_texts
    from web.progress import WorkProgress

    force, title = asked.force, asked.title
    with WorkProgress(consoles()[1], as_times=True) as progress:

        def show(label: str, done_s: float, total_s: float) -> None:
            progress.show(label, done=done_s, total=total_s)

        if name == "clips":
            return list(write_clips(cuts, output, how=asked.cut, force=force, progress=show))
        if name == "reel":
            return [write_reel(cuts, output, title=title, force=force, progress=show)]
        if name == "chapters" and output.suffix.lower() in FILM_SUFFIXES:
            return [write_chaptered(cuts, output, force=force, progress=show)]
    start = asked.start
    return list(write_texts(name, cuts, output, title=title, start_code=start, force=force))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}") from error


def _once(make: Callable[[], Library]) -> Callable[[], Library]:
    """The same library for every caller, opened when the first one wants it."""
    made: list[Library] = []

    def get() -> Library:
        if not made:
            made.append(make())
        return made[0]

    return get
