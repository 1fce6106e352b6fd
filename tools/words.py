"""The word lane: passages of subtitles, speech and on-screen text that hold what is asked for.

A passage is a line, or a few near ones that hold more of the query together. Its score is the
share of the query that it holds, each word weighed by how rare it is in the library: 1.0 is all of
it, and a word that no film says keeps every score below that.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from typing import Protocol

from index.types import Span
from index.words import WordLine
from index.words_store import FoundLine, Term
from index.words_terms import stem_of, terms_of
from tools.query import Query

NEAR_S = 6.0
"""Lines nearer than this may be one passage."""
LONGEST_S = 20.0
_N_LINES = 400


class WordFinder(Protocol):
    """What finds lines by their terms."""

    @property
    def n_lines(self) -> int: ...
    def n_with(self, term: Term) -> int: ...
    def with_any(
        self, terms: Sequence[Term], *, limit: int, video_ids: Sequence[int] | None = None
    ) -> list[FoundLine]: ...
    def with_phrase(
        self, terms: Sequence[str], *, limit: int, video_ids: Sequence[int] | None = None
    ) -> list[FoundLine]: ...


@dataclass(frozen=True, slots=True)
class Passage:
    """Lines of one film that hold what is asked for."""

    video_id: int
    span: Span
    score: float
    """Share of the query that is said or written here, 0..1."""
    lines: tuple[WordLine, ...]
    rank: float
    """bm25 of its best line; lower is better."""

    @property
    def text(self) -> str:
        return " … ".join(line.text for line in self.lines)

    @property
    def source(self) -> str:
        return self.lines[0].source


def find_passages(
    words: WordFinder,
    query: Query,
    *,
    least: float,
    seen_too: bool = False,
    each_line: bool = False,
    video_ids: Sequence[int] | None = None,
    within: Span | None = None,
) -> list[Passage]:
    """The passages that hold enough of the query, best first.

    Enough is every quoted phrase where there are any, else `least` of the query. Passages that
    hold what the query leaves out are not among them.

    Args:
        seen_too: words that no line of the library holds may be meant for the pictures; they do
            not count against `least`, only against the score.
        each_line: lines that by themselves hold as much as their neighbours together are passages
            of their own; else only the first of them is one.
    """
    weights = term_weights(words, query.terms)
    if not weights:
        return []
    found = words.with_any([*weights], limit=_N_LINES, video_ids=video_ids)
    asked = sum(w for term, w in weights.items() if not seen_too or words.n_with(term))
    enough = 0.0 if query.phrases else least * asked / sum(weights.values())
    said = [
        words.with_phrase(terms_of(phrase), limit=_N_LINES, video_ids=video_ids)
        for phrase in query.phrases
    ]
    quoted = [{_place(each) for each in some} for some in said]
    lines = _once([*found, *(each for some in said for each in some)])
    if within is not None:
        lines = [each for each in lines if each.line.span.overlap_s(within) > 0]
    banned = _banned(words, query.excluded, video_ids)
    passages = []
    for group in _near(lines):
        together = _holding(group, quoted, weights)
        if together is None:
            continue
        alone = [_holding([each], quoted, weights) for each in group] if each_line else []
        found_here = [p for p in alone if p is not None and p.score >= together.score - 1e-9]
        passages += [
            passage
            for passage in found_here or [together]
            if passage.score >= enough - 1e-9 and not _touches(passage, banned)
        ]
    return sorted(passages, key=lambda p: (-round(p.score, 6), p.rank, p.video_id, p.span))


def term_weights(words: WordFinder, terms: Iterable[str]) -> dict[Term, float]:
    """How much each term tells: the inverse of how many lines hold it.

    A word that no line holds weighs as the rarest one that does: it may well be meant for the
    pictures.
    """
    n = words.n_lines
    weights = {}
    for text in terms if n else ():
        term = Term(text, stem_of(text))
        n_with = max(1, words.n_with(term))
        weights[term] = math.log(1 + (n - n_with + 0.5) / (n_with + 0.5))
    return weights


def covered(text: str, language: str, weights: dict[Term, float]) -> frozenset[Term]:
    """The terms that a line holds."""
    own = set(terms_of(text))
    stems = {stem_of(term, language) for term in own}
    return frozenset(term for term in weights if term.exact in own or term.stem in stems)


def snippet(text: str, terms: Sequence[str], *, longest: int = 120) -> str:
    """The part of a text around the first of some terms, "…" where something is left away."""
    if len(text) <= longest:
        return text
    wanted = {form for term in terms for form in (term, stem_of(term))}
    pieces = text.split(" ")
    at = 0
    for index, piece in enumerate(pieces):
        if any(term in wanted or stem_of(term) in wanted for term in terms_of(piece)):
            at = sum(len(each) + 1 for each in pieces[:index])
            break
    start = max(0, min(at - longest // 3, len(text) - longest))
    cut = text[start : start + longest]
    return f"{'…' if start else ''}{cut.strip()}{'…' if start + longest < len(text) else ''}"


def _holding(
    group: Sequence[FoundLine],
    quoted: Sequence[Set[tuple[int, WordLine]]],
    weights: dict[Term, float],
) -> Passage | None:
    """The passage of some lines; None where a quoted phrase is not among them."""
    must = [[each for each in group if _place(each) in places] for places in quoted]
    return _passage(group, [some[0] for some in must], weights) if all(must) else None


def _passage(
    group: Sequence[FoundLine], must: Sequence[FoundLine], weights: dict[Term, float]
) -> Passage:
    """The fewest lines of a group that hold as much of the query as all of them."""
    total = sum(weights.values())
    holds = [covered(each.line.text, each.line.language, weights) for each in group]
    chosen = [index for index, each in enumerate(group) if each in must]
    have: set[Term] = {term for index in chosen for term in holds[index]}

    def gain(index: int) -> float:
        return sum(weights[term] for term in holds[index] - have)

    while True:
        best = max(range(len(group)), key=lambda index: (gain(index), -group[index].rank, -index))
        if gain(best) <= 0:
            break
        chosen.append(best)
        have |= holds[best]
    # A phrase of stop words alone has no terms of weight; it is there all the same.
    kept = sorted({*chosen} or {0})
    spans = [group[index].line.span for index in kept]
    return Passage(
        video_id=group[0].video_id,
        span=Span(min(s.start_s for s in spans), max(s.end_s for s in spans)),
        score=sum(weights[term] for term in have) / total,
        lines=tuple(group[index].line for index in kept),
        rank=min(group[index].rank for index in kept),
    )


def _once(lines: Iterable[FoundLine]) -> list[FoundLine]:
    """Each line once, in the order of films and time."""
    by_place = {_place(each): each for each in lines}
    return sorted(by_place.values(), key=lambda each: (each.video_id, each.line.span))


def _place(found: FoundLine) -> tuple[int, WordLine]:
    return found.video_id, found.line


def _near(lines: Sequence[FoundLine]) -> Iterable[list[FoundLine]]:
    group: list[FoundLine] = []
    for each in lines:
        if group and (
            each.video_id != group[0].video_id
            or each.line.span.start_s - max(g.line.span.end_s for g in group) > NEAR_S
            or each.line.span.end_s - group[0].line.span.start_s > LONGEST_S
        ):
            yield group
            group = []
        group.append(each)
    if group:
        yield group


def _banned(
    words: WordFinder, excluded: Sequence[str], video_ids: Sequence[int] | None
) -> list[FoundLine]:
    found = []
    for text in excluded:
        terms = terms_of(text)
        found += words.with_phrase(terms, limit=_N_LINES, video_ids=video_ids)
        if len(terms) == 1:
            term = Term(terms[0], stem_of(terms[0]))
            found += words.with_any([term], limit=_N_LINES, video_ids=video_ids)
    return found


def _touches(passage: Passage, lines: Sequence[FoundLine]) -> bool:
    return any(
        each.video_id == passage.video_id and each.line.span.overlap_s(passage.span) > 0
        for each in lines
    )
