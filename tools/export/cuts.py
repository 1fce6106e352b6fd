"""What is exported: a person's items, set on the frames of their films.

All items are checked before anything is written: a slip in the last one costs no half export.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from index.errors import InputError
from index.times import format_time
from index.types import Span
from tools.export.film_frames import FilmFrames, FrameSpan, one_line

_END_TOLERANCE_S = 0.1


@dataclass(frozen=True, slots=True)
class ExportItem:
    """A span of a film that a person wants as a file."""

    path: Path
    """The film."""
    span: Span
    label: str
    """What it shows, in one line; may be empty."""
    note: str = ""
    """Where it comes from: "hit 2, picture, 0.31", "citation of run 72965847c197"."""
    score: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """An item on the frames of its film."""

    film: FilmFrames
    positions: FrameSpan
    """Pictures, by their places in the film's table."""
    frames: FrameSpan
    """The same, as editing programs number them."""
    span: Span
    """When these pictures are on screen."""
    label: str
    note: str
    score: float | None

    @property
    def title(self) -> str:
        """The label, or the film's name and the time where there is none."""
        return self.label or f"{self.film.path.stem} {format_time(self.span.start_s)}"


ReadFilm = Callable[[Path], FilmFrames]


def make_cuts(items: Sequence[ExportItem], read: ReadFilm, *, padding_s: float = 0.0) -> list[Cut]:
    """The items on whole frames, in their order; each film is read once.

    Args:
        padding_s: seconds added on both sides, inside the film.

    Raises:
        InputError: there are no items, a span lies outside its film, or the padding is negative.
        MediaError: a film is missing or cannot be read.
    """
    if not items:
        raise InputError("there is nothing to export")
    if padding_s < 0:
        raise InputError(f"a padding of {padding_s:g} s is negative", "give 0 or more seconds")
    films: dict[Path, FilmFrames] = {}
    for item in items:
        if item.path not in films:
            films[item.path] = read(item.path)
    return [_cut(item, films[item.path], padding_s) for item in items]


def films_of(cuts: Sequence[Cut]) -> list[FilmFrames]:
    """The films of the cuts, each once, in the order in which they come."""
    return list({cut.film.path: cut.film for cut in cuts}.values())


def _cut(item: ExportItem, film: FilmFrames, padding_s: float) -> Cut:
    whole = Span(0.0, film.facts.duration_s)
    if item.span.start_s >= whole.end_s or item.span.end_s > whole.end_s + _END_TOLERANCE_S:
        asked = "–".join(format_time(t, decimals=3) for t in (item.span.start_s, item.span.end_s))
        length = format_time(whole.end_s, decimals=3)
        raise InputError(
            f"{asked} is outside {film.name}, which lasts {length}", "is it the right film?"
        )
    positions = film.positions(item.span.widen(padding_s, whole))
    return Cut(
        film=film,
        positions=positions,
        frames=film.frames(positions),
        span=film.span_of(positions),
        label=one_line(item.label),
        note=one_line(item.note),
        score=item.score,
    )
