"""Facts of a demo film that can be asked for, each with its answer and plausible wrong answers.

A fact is a question before it has a form; demo/questions.py makes open questions and choices of it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from demo.phrases import (
    NUMBER_WORDS,
    PLURAL_ACTIONS,
    QUESTIONS,
    answer,
    article,
    ask,
    subject_words,
    thing,
)
from demo.truth import FilmScript, FilmShot, Needle
from demo.world import (
    ACTIONS,
    ALL_PAIRS,
    COLOURS,
    DIGITS,
    DIRECTIONS,
    MAX_COUNT,
    PLACES,
    Pair,
)

_T = TypeVar("_T")
Span = tuple[float, float]

KINDS = (*QUESTIONS, "absent")
N_OPTIONS = 4
NOT_FOUND = "not in this film"
"""The answer text of an absent question."""
_MOST_TIMES = 6


@dataclass(frozen=True, slots=True)
class Fact:
    """A question before it has a form."""

    kind: str
    asks: str
    text: str
    answer: str
    wrong: tuple[str, ...]
    """Plausible other answers; at least N_OPTIONS for an absent subject, one for an order."""
    evidence: tuple[Span, ...]
    subject: str


class FactMaker:
    """Makes the facts of each kind."""

    def __init__(self, script: FilmScript, rng: random.Random) -> None:
        self.script, self.rng = script, rng

    def facts(self, kind: str) -> list[Fact]:
        """All facts of a kind, those planted for it first, else in random order."""
        if kind == "absent":
            return self._absent()
        if kind in ("times", "all", "first"):
            needles = [n for n in self.script.needles if n.role == "times"]
            return [self._recurring(kind, n) for n in self._shuffled(needles)]
        if kind == "attribute":
            needles = [n for n in self.script.needles if n.role == kind]
            return [self._attribute(n) for n in self._shuffled(needles)]
        singles = [n for n in self.script.needles if n.role not in ("times", "attribute")]
        if kind == "order":
            pairs = zip(*[iter(self._shuffled(singles))] * 2, strict=False)
            return [self._order(a, b) for a, b in pairs]
        needles = sorted(self._shuffled(singles), key=lambda n: n.role != kind)
        found = (self._single(kind, needle) for needle in needles)
        return [fact for fact in found if fact]

    def _shuffled(self, values: Iterable[_T]) -> list[_T]:
        every = list(values)
        return self.rng.sample(every, len(every))

    def _ask(self, kind: str, pair: Pair, *, n: int = 1, place: str = "") -> str:
        return ask(kind, pair, n=n, place=place, wording=self.rng.randrange(4))

    # -- kinds

    def _single(self, kind: str, needle: Needle) -> Fact | None:
        """A fact about a subject that appears once; None where the shot can't answer the kind."""
        index = needle.shot_indexes[0]
        shot = self.script.shots[index]
        group = shot.scene.group_of(needle.pair)
        assert group is not None, "a needle's shot shows it"
        if kind == "direction" and group.action not in DIRECTIONS:
            return None
        if kind == "sign" and shot.scene.sign is None:
            return None
        evidence: tuple[Span, ...] = (shot.span,)
        if kind in ("after", "before"):
            neighbour = self.script.shots[index + (1 if kind == "after" else -1)]
            if len(neighbour.scene.groups) != 1:
                return None
            # Both shots are needed to see that one follows the other.
            evidence = tuple(sorted((shot.span, neighbour.span)))
            right = thing(neighbour.scene.groups[0])
            wrong = self._things(index, right)
        elif kind == "when":
            right, wrong = span_words([shot.span]), self._other_spans(needle, 1)
        else:
            right = answer(kind, shot.scene, needle.pair)
            wrong = self._values(kind, right, n=group.n)
        return Fact(
            kind=kind,
            asks=kind,
            text=self._ask(kind, needle.pair, n=group.n),
            answer=right,
            wrong=tuple(wrong),
            evidence=evidence,
            subject=" ".join(needle.pair),
        )

    def _attribute(self, needle: Needle) -> Fact:
        shot = self.script.shots[needle.shot_indexes[0]]
        group = shot.scene.group_of(needle.pair)
        assert group is not None, "a needle's shot shows it"
        assert needle.place is not None, "an attribute is asked of a kind in a place"
        return Fact(
            kind="attribute",
            asks="attribute",
            text=self._ask("attribute", needle.pair, n=group.n, place=needle.place),
            answer=group.colour,
            wrong=tuple(self._values("attribute", group.colour)),
            evidence=(shot.span,),
            subject=f"{group.kind}, {needle.place}",
        )

    def _recurring(self, kind: str, needle: Needle) -> Fact:
        spans = tuple(self.script.shots[i].span for i in needle.shot_indexes)
        if kind == "times":
            right, wrong = str(len(spans)), self._values("times", str(len(spans)))
        elif kind == "first":
            # Its later times are plausible, and wrong.
            right = span_words(spans[:1])
            wrong = [*(span_words([s]) for s in spans[1:]), *self._other_spans(needle, 1)]
        else:
            right, wrong = span_words(spans), self._other_spans(needle, len(spans))
        return Fact(
            kind=kind,
            asks=kind,
            text=self._ask(kind, needle.pair),
            answer=right,
            wrong=tuple(wrong),
            evidence=spans,
            subject=" ".join(needle.pair),
        )

    def _order(self, a: Needle, b: Needle) -> Fact:
        """Which of two subjects that appear once each comes first."""
        shots = [self.script.shots[n.shot_indexes[0]] for n in (a, b)]
        groups = [s.scene.group_of(n.pair) for s, n in zip(shots, (a, b), strict=True)]
        words = [subject_words(g.pair, g.n) for g in groups if g is not None]
        first = 0 if shots[0].start_s < shots[1].start_s else 1
        wording = self.rng.randrange(4)
        n = groups[0].n if groups[0] else 1
        return Fact(
            kind="order",
            asks="order",
            text=ask("order", a.pair, n=n, other=words[1], wording=wording),
            answer=f"the {words[first]}",
            wrong=(f"the {words[1 - first]}",),
            evidence=tuple(sorted(s.span for s in shots)),
            subject=", ".join(words),
        )

    def _absent(self) -> list[Fact]:
        """Every template about absent subjects, each subject once before any comes again."""
        pairs = self._shuffled(self.script.absent_pairs)
        places = self._shuffled(self.script.absent_places)
        asks = self._shuffled(k for k in QUESTIONS if k not in ("attribute", "order"))
        facts = [self._absent_place(kind, place) for kind, place in places]
        for turn in range(len(asks)):
            for at, pair in enumerate(pairs):
                facts.append(self._absent_pair(asks[(at + turn) % len(asks)], pair))
        return facts

    def _absent_place(self, kind: str, place: str) -> Fact:
        text = self._ask("attribute", ("", kind), place=place)
        wrong = self._values("attribute", "")
        return Fact("absent", "attribute", text, NOT_FOUND, tuple(wrong), (), f"{kind}, {place}")

    def _absent_pair(self, asks: str, pair: Pair) -> Fact:
        n = self.rng.choice((1, 1, 2)) if asks not in ("times", "all", "first") else 1
        if asks in ("after", "before"):
            wrong = self._things(len(self.script.shots) // 2, "")
        elif asks in ("when", "all", "first"):
            n_spans = 1 if asks != "all" else self.rng.randint(2, 3)
            wrong = self._other_spans(Needle("absent", pair, None, ()), n_spans)
        else:
            wrong = self._values(asks, "", n=n)
        text = self._ask(asks, pair, n=n)
        return Fact("absent", asks, text, NOT_FOUND, tuple(wrong), (), " ".join(pair))

    # -- wrong options

    def _values(self, kind: str, right: str, *, n: int = 1) -> list[str]:
        """The kind's other values in random order."""
        values: dict[str, Callable[[], Iterable[str]]] = {
            "attribute": lambda: COLOURS,
            "place": lambda: PLACES,
            "count": lambda: NUMBER_WORDS[1 : MAX_COUNT + 1],
            "direction": DIRECTIONS.values,
            "action": lambda: (PLURAL_ACTIONS[a] if n > 1 else a for a in ACTIONS),
            "sign": lambda: DIGITS,
            "times": lambda: (str(i) for i in range(1, _MOST_TIMES + 1)),
        }
        return [v for v in self._shuffled(values[kind]()) if v != right]

    def _things(self, index: int, right: str) -> list[str]:
        """Things of other shots, the nearest first: what else stands about the subject."""
        shots = self.script.shots
        near = sorted(range(len(shots)), key=lambda i: (abs(i - index), i))
        found = [thing(shots[i].scene.groups[0]) for i in near if i != index]
        nearest = [t for t in dict.fromkeys(found) if t != right][:2]
        rest = [t for t in dict.fromkeys(found) if t != right and t not in nearest]
        # A film of four shots has too few things of its own.
        made_up = (article(" ".join(p)) for p in self.rng.sample(ALL_PAIRS, N_OPTIONS))
        return [*nearest, *self._shuffled(rest), *(t for t in made_up if t != right)]

    def _other_spans(self, needle: Needle, n_spans: int) -> list[str]:
        """Spans of shots without the subject, those of near misses before the others."""
        colour, kind = needle.pair

        def is_far(shot: FilmShot) -> bool:
            return not any(colour == g.colour or kind == g.kind for g in shot.scene.groups)

        free = [
            shot
            for shot in self._shuffled(self.script.shots)
            if not any(g.pair == needle.pair for g in shot.scene.groups)
        ]
        free.sort(key=is_far)
        found = []
        for number in range(N_OPTIONS):
            # Sets of spans may share spans with each other, a single span may not.
            some = free[number::N_OPTIONS][:n_spans]
            if some:
                found.append(span_words(sorted(s.span for s in some)))
        return found


def clock(time_s: float) -> str:
    """ "1:02:03", to the nearest second."""
    seconds = int(time_s + 0.5)
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def span_words(spans: Iterable[Span]) -> str:
    """ "0:01:02 - 0:01:09, 0:10:00 - 0:10:04"."""
    return ", ".join(f"{clock(start)} - {clock(end)}" for start, end in spans)
