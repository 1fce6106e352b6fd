"""All SQL of timed words: the tracks of a film, its lines with duplicates merged, and their search.

A track keeps its lines as they were read, so that one source can be read again without the
others. The lines that are searched are made from all tracks of the film, in one step.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from sqlite_utils import Database

from index.transactions import writing
from index.types import Span
from index.words import SOURCES, Track, WordLine, merged_lines
from index.words_terms import follow_each_other, stem_of, terms_of

JOINED_GAP_S = 3.0
_N_JOINED = 12


@dataclass(frozen=True, slots=True)
class FoundLine:
    """A line that holds at least one of the terms asked for."""

    video_id: int
    line: WordLine
    rank: float
    """bm25 of FTS5: lower is better."""


@dataclass(frozen=True, slots=True)
class Term:
    """A term of a query: the word itself, or another word of the same stem."""

    exact: str
    stem: str


class WordStore:
    """The words of a library, over its database."""

    def __init__(self, db: Database) -> None:
        self._db = db

    # Tracks

    def stamps(self, video_id: int) -> dict[tuple[str, str], str]:
        """(source, name) → stamp of every track that was read."""
        rows = self._db.query(
            "select source, name, stamp from word_tracks where video_id = ?", [video_id]
        )
        return {(row["source"], row["name"]): row["stamp"] for row in rows}

    def tracks(self, video_id: int) -> list[Track]:
        """The tracks of a film as they were read, the best sources first."""
        rows = self._db.query(
            "select * from word_tracks where video_id = ? order by track_id", [video_id]
        )
        found = [_track(row) for row in rows]
        return sorted(found, key=lambda track: SOURCES.index(track.source))

    def save(
        self,
        video_id: int,
        tracks: Sequence[Track],
        *,
        gone: Sequence[tuple[str, str]],
        end_s: float,
    ) -> None:
        """Keep tracks that were read, forget those that are gone, and make the lines again.

        Args:
            gone: (source, name) of tracks whose source is not there any more.
            end_s: the film's end; lines behind it are not searched.
        """
        with writing(self._db):
            for source, name in [*gone, *((track.source, track.name) for track in tracks)]:
                self._db.execute(
                    "delete from word_tracks where video_id = ? and source = ? and name = ?",
                    [video_id, source, name],
                )
            self._db["word_tracks"].insert_all(_row(video_id, track) for track in tracks)
            self._publish(video_id, end_s=end_s)

    def remove(self, video_id: int) -> None:
        """Forget a film's words."""
        with writing(self._db):
            self._clear_lines(video_id)
            self._db.execute("delete from word_tracks where video_id = ?", [video_id])

    # Lines

    def lines(self, video_id: int) -> list[WordLine]:
        """A film's lines in time order, duplicates merged."""
        rows = self._db.query(
            "select * from words where video_id = ? order by start_s, word_id", [video_id]
        )
        return [_line(row) for row in rows]

    def counts(self, video_id: int) -> dict[str, int]:
        """Lines by source."""
        rows = self._db.query(
            "select source, count(*) as n from words where video_id = ? group by source", [video_id]
        )
        counted = {row["source"]: int(row["n"]) for row in rows}
        return {source: counted[source] for source in SOURCES if source in counted}

    @property
    def n_lines(self) -> int:
        """Lines of the whole library."""
        return int(self._db.execute("select count(*) from words").fetchone()[0])

    def n_with(self, term: Term) -> int:
        """Lines of the whole library that hold a term."""
        sql = "select count(*) from words_fts where words_fts match ?"
        return int(self._db.execute(sql, [_any_of([term])]).fetchone()[0])

    def with_any(
        self, terms: Sequence[Term], *, limit: int, video_ids: Sequence[int] | None = None
    ) -> list[FoundLine]:
        """Lines that hold one of the terms at least, the best first."""
        if not terms:
            return []
        rows = self._matching(_any_of(terms), limit=limit, video_ids=video_ids)
        return [FoundLine(row["video_id"], _line(row), row["rank"]) for row in rows]

    def with_phrase(
        self, terms: Sequence[str], *, limit: int, video_ids: Sequence[int] | None = None
    ) -> list[FoundLine]:
        """Lines in which these words begin to follow each other; the next line may go on."""
        quoted = " ".join(terms)
        rows = self._matching(f'joined : "{quoted}"', limit=limit, video_ids=video_ids)
        return [
            FoundLine(row["video_id"], _line(row), row["rank"])
            for row in rows
            # What stands in the next line alone is that line's.
            if follow_each_other(terms, row["joined"].split(), n_first=len(terms_of(row["text"])))
        ]

    def _matching(
        self, match: str, *, limit: int, video_ids: Sequence[int] | None
    ) -> Iterator[dict[str, Any]]:
        marks = ",".join("?" * len(video_ids or ()))
        only = f"and words.video_id in ({marks})" if video_ids is not None else ""
        rows: Iterator[dict[str, Any]] = self._db.query(
            "select words.*, joined, bm25(words_fts, 2.0, 1.0, 0.0) as rank from words_fts"
            " join words on words.word_id = words_fts.rowid"
            " join videos on videos.video_id = words.video_id"
            f" where words_fts match ? and videos.state = 'ready' {only}"
            " order by rank, words.word_id limit ?",
            [match, *(video_ids or ()), limit],
        )
        return rows

    # Making the lines

    def _publish(self, video_id: int, *, end_s: float) -> None:
        self._clear_lines(video_id)
        film = Span(0.0, end_s)
        lines = []
        for line in merged_lines(track.lines for track in self.tracks(video_id)):
            span = line.span.clamp(film)
            if span is not None:
                lines.append((span, line))
        first = self._db.execute("select coalesce(max(word_id), 0) from words").fetchone()[0] + 1
        self._db["words"].insert_all(
            {
                "word_id": word_id,
                "video_id": video_id,
                "start_s": span.start_s,
                "end_s": span.end_s,
                "text": line.text,
                "source": line.source,
                "language": line.language,
                "track": line.track,
            }
            for word_id, (span, line) in enumerate(lines, first)
        )
        self._db.conn.executemany(
            "insert into words_fts (rowid, exact, stems, joined) values (?, ?, ?, ?)",
            _indexed([line for _, line in lines], first),
        )

    def _clear_lines(self, video_id: int) -> None:
        self._db.execute(
            "delete from words_fts where rowid in (select word_id from words where video_id = ?)",
            [video_id],
        )
        self._db.execute("delete from words where video_id = ?", [video_id])


def _indexed(lines: Sequence[WordLine], first: int) -> Iterator[tuple[int, str, str, str]]:
    """Rows of the full-text index: words, stems, and words with the next line's first ones."""
    terms = [terms_of(line.text) for line in lines]
    following = [*_joins(lines), False]
    for index, line in enumerate(lines):
        more = terms[index + 1][:_N_JOINED] if following[index] else ()
        stems = (stem_of(term, line.language) for term in terms[index])
        yield (
            first + index,
            " ".join(terms[index]),
            " ".join(stems),
            " ".join((*terms[index], *more)),
        )


def _joins(lines: Sequence[WordLine]) -> Iterator[bool]:
    for line, following in pairwise(lines):
        near = following.span.start_s - line.span.end_s <= JOINED_GAP_S
        yield near and line.track == following.track


def _any_of(terms: Sequence[Term]) -> str:
    # Terms hold letters, digits and marks only; the quotes keep words like OR from being operators.
    return " OR ".join(f'exact : "{term.exact}" OR stems : "{term.stem}"' for term in terms)


def _row(video_id: int, track: Track) -> dict[str, Any]:
    plain = [[each.span.start_s, each.span.end_s, each.text] for each in track.lines]
    return {
        "video_id": video_id,
        "source": track.source,
        "name": track.name,
        "language": track.language,
        "stamp": track.stamp,
        "lines": json.dumps(plain, ensure_ascii=False),
        "problems": json.dumps(list(track.problems), ensure_ascii=False),
    }


def _track(row: dict[str, Any]) -> Track:
    lines = (
        WordLine(Span(start_s, end_s), text, row["source"], row["language"], row["name"])
        for start_s, end_s, text in json.loads(row["lines"])
    )
    problems = tuple(json.loads(row["problems"]))
    return Track(row["name"], row["source"], row["language"], row["stamp"], tuple(lines), problems)


def _line(row: dict[str, Any]) -> WordLine:
    span = Span(row["start_s"], row["end_s"])
    return WordLine(span, row["text"], row["source"], row["language"], row["track"])
