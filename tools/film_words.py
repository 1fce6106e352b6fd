"""One film's words in memory, searched like a library's: for a run, which reads its film once."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from index.words import WordLine
from index.words_store import JOINED_GAP_S, FoundLine, Term
from index.words_terms import follow_each_other, stem_of, terms_of


class FilmWords:
    """The lines of one film, in time order; finds them as the library's word store does."""

    def __init__(self, lines: Sequence[WordLine]) -> None:
        self._lines = tuple(lines)
        self._terms = [terms_of(line.text) for line in lines]
        self._forms = [
            {*terms, *(stem_of(term, line.language) for term in terms)}
            for line, terms in zip(lines, self._terms, strict=True)
        ]

    @property
    def n_lines(self) -> int:
        return len(self._lines)

    def n_with(self, term: Term) -> int:
        return sum(bool({term.exact, term.stem} & forms) for forms in self._forms)

    def with_any(
        self, terms: Sequence[Term], *, limit: int, video_ids: Sequence[int] | None = None
    ) -> list[FoundLine]:
        """Lines that hold one of the terms at least, those that hold most of them first."""
        held = [
            sum(bool({term.exact, term.stem} & forms) for term in terms) for forms in self._forms
        ]
        order = sorted((i for i, n in enumerate(held) if n), key=lambda i: (-held[i], i))
        return [FoundLine(0, self._lines[i], -float(held[i])) for i in order[:limit]]

    def with_phrase(
        self, terms: Sequence[str], *, limit: int, video_ids: Sequence[int] | None = None
    ) -> list[FoundLine]:
        """Lines in which these words begin to follow each other; the next line may go on."""
        found = [
            FoundLine(0, line, -1.0)
            for line, own, joined in zip(self._lines, self._terms, self._joined(), strict=True)
            if follow_each_other(terms, joined, n_first=len(own))
        ]
        return found[:limit]

    def _joined(self) -> list[tuple[str, ...]]:
        joined = list(self._terms)
        for index, (line, following) in enumerate(pairwise(self._lines)):
            near = following.span.start_s - line.span.end_s <= JOINED_GAP_S
            if near and line.track == following.track:
                joined[index] = (*joined[index], *self._terms[index + 1])
        return joined
