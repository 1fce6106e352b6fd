"""Timed words of a film: lines of subtitles, of speech, and of text on the screen.

A line's text is data that came from a file: it is shown and searched, never obeyed. Times are on
the player's timeline, like everything else.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from index.errors import InputError
from index.types import Span
from index.words_terms import terms_of

Source = Literal["subtitles", "speech", "screen"]
SOURCES: tuple[Source, ...] = ("subtitles", "speech", "screen")
"""Best first: of two sources that say the same at the same time the first one's line is kept."""

_LONGEST_TEXT = 2_000
_ADJACENT_S = 0.5


@dataclass(frozen=True, slots=True)
class WordLine:
    """What is said or written during a span."""

    span: Span
    text: str
    """One line, without styling. While a track is read, rows of a cue are divided by newlines."""
    source: Source
    language: str = ""
    """Two or three letters; "" where it is not known."""
    track: str = ""
    """Which file or stream it came from, as a person would name it."""


@dataclass(frozen=True, slots=True)
class Track:
    """One source of words of a film, as it was read."""

    name: str
    """"film.en.srt", "stream 2 (mov_text)", "speech (small)", "screen"."""
    source: Source
    language: str
    stamp: str
    """Changes when the source does: what tells whether it must be read again."""
    lines: tuple[WordLine, ...]
    problems: tuple[str, ...] = ()
    """What was left out and why, one line each, with file and position."""


@dataclass(frozen=True, slots=True)
class WordSettings:
    """Which words of films are read. Subtitles always are: they cost nothing."""

    speech: str = "off"
    """"off", or the weights to hear with: a name of Whisper's or a folder."""
    speech_language: str = ""
    """Two letters; "" lets the model tell."""
    screen_text: bool = False
    """Whether text in the pictures is read: one or two seconds of a processor for each picture."""
    screen_every_s: float = 8.0
    """A longer shot is read in parts of at most this length."""

    def __post_init__(self) -> None:
        if self.screen_every_s <= 0:
            raise InputError(f"{self.screen_every_s} s between pictures is none", "use 8")
        if not self.speech.strip():
            raise InputError("the weights for speech have no name", 'use "off", or name them')


def plain_text(text: str) -> str:
    """The text without control characters, runs of spaces as one; at most 2,000 characters."""
    kept = "".join(" " if c.isspace() else c for c in text if c.isspace() or _is_shown(c))
    return " ".join(kept.split())[:_LONGEST_TEXT]


def _is_shown(character: str) -> bool:
    # Cc: control, Cs: lone surrogates, Co: private use, Cn: unassigned. Cf would tear apart emoji
    # and Persian words, but the marks that turn the direction of text can hide what it says.
    category = unicodedata.category(character)
    return category not in ("Cc", "Cs", "Co", "Cn") and character not in "‪‫‬‭‮⁦⁧⁨⁩"


def merged_lines(tracks: Iterable[Sequence[WordLine]]) -> list[WordLine]:
    """The lines of all tracks in time order, each thing said once.

    Within a track a line that goes on (or is repeated at once) becomes one, and rows that a rolling
    caption shows again are taken away. A line that another source has too, at the same time, is
    kept from the better source: tracks come with the best first.
    """
    kept: list[WordLine] = []
    for lines in tracks:
        seen = _by_terms(kept)
        for line in _unrolled(lines):
            same = seen.get(_key(line), ())
            if not any(other.span.overlap_s(line.span) > 0 for other in same):
                kept.append(line)
    return sorted(kept, key=lambda line: (line.span, line.text))


def _unrolled(lines: Sequence[WordLine]) -> list[WordLine]:
    """One track's lines, one row of text each, without repeats."""
    found: list[WordLine] = []
    rows_before: list[str] = []
    for line in sorted(lines, key=lambda line: line.span):
        rows = [row for row in (plain_text(row) for row in line.text.splitlines()) if row]
        near = bool(found) and line.span.start_s - found[-1].span.end_s <= _ADJACENT_S
        new = rows[_n_repeated(rows_before, rows) :] if near else rows
        rows_before = rows
        if new:
            found.append(replace(line, text=" ".join(new)))
        elif rows and near:
            last = found[-1]
            end_s = max(last.span.end_s, line.span.end_s)
            found[-1] = replace(last, span=Span(last.span.start_s, end_s))
    return found


def _n_repeated(before: Sequence[str], rows: Sequence[str]) -> int:
    """How many of the first rows are the last ones of the cue before."""
    for n in range(min(len(before), len(rows)), 0, -1):
        if list(before[-n:]) == list(rows[:n]):
            return n
    return 0


def _by_terms(lines: Iterable[WordLine]) -> dict[tuple[str, ...], list[WordLine]]:
    found: dict[tuple[str, ...], list[WordLine]] = {}
    for line in lines:
        found.setdefault(_key(line), []).append(line)
    return found


def _key(line: WordLine) -> tuple[str, ...]:
    return terms_of(line.text) or (line.text,)
