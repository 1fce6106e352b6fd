"""Questions about a demo film, with their answers and the spans that show them.

Every question can be decided from the film alone, because its subject is reserved there (see
demo/script.py). A question comes in two forms: open, and as a choice of four. Absent questions
ask any of the kinds about a subject that never appears: their status is "not_found", and none of
their options is right.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from typing import Any, Literal

from demo.facts import KINDS, N_OPTIONS, Fact, FactMaker, Span
from demo.truth import FilmScript

Form = Literal["open", "choice"]
FORMS: tuple[Form, ...] = ("open", "choice")


@dataclass(frozen=True, slots=True)
class Question:
    """One line of a question file."""

    custom_id: str
    video: str
    """Path of the film as the asker will write it."""
    kind: str
    """One of KINDS."""
    asks: str
    """The template: as `kind`, but what an absent question asks for where that is "absent"."""
    form: Form
    question: str
    options: tuple[str, ...] | None
    answer: str
    evidence: tuple[Span, ...]
    """True spans in seconds; empty for an absent subject."""
    status: Literal["answered", "not_found"]
    subject: str
    """Colour and kind, or kind and place: "red boat", "boat, snow"."""


def make_questions(
    script: FilmScript,
    *,
    video: str,
    n: int,
    seed: int,
    kinds: Sequence[str] | None = None,
    forms: Sequence[Form] = FORMS,
    absent_share: float | None = None,
) -> list[Question]:
    """Up to `n` questions about a film, every kind as often as the film allows.

    A question is asked in all of `forms` in a row, so n questions are n / len(forms) facts. Within
    a kind, answers are balanced as far as what was planted allows.

    Args:
        script: the film's truth.
        video: the film's path, as it shall stand in the questions.
        n: how many; a short film has fewer.
        seed: which questions, wordings and wrong options.
        kinds: which kinds, of KINDS; None: all.
        forms: "open", "choice" or both.
        absent_share: share of the facts, 0 to 1, whose subject never appears, as far as the film
            has such subjects, whether `kinds` has "absent" or not; None: as many as of any other
            kind.

    Raises:
        ValueError: a kind or a form that does not exist, or a share that is none.
    """
    kinds = KINDS if kinds is None else kinds
    unknown = [k for k in (*kinds, *forms) if k not in (*KINDS, *FORMS)]
    if unknown:
        raise ValueError(f"no such kind or form of question: {unknown[0]}")
    if absent_share is not None and not 0 <= absent_share <= 1:
        raise ValueError(f"a share of {absent_share:g} absent questions: it must be 0 to 1")
    if absent_share and "absent" not in kinds:
        kinds = (*kinds, "absent")
    rng = random.Random(f"questions/{script.seed}/{seed}")
    maker = FactMaker(script, rng)
    pools = {kind: iter(_balanced(maker.facts(kind), rng)) for kind in kinds}
    made: list[Question] = []
    turns = _in_turn(pools) if absent_share is None else _with_absent(pools, share=absent_share)
    for number, fact in enumerate(turns):
        if len(made) >= n:
            break
        name = f"{Path(video).stem}-{script.seed}-{seed}-{number:03d}-{fact.kind}"
        made += [_row(fact, form, name, video, rng) for form in forms]
    return made[:n]


def _in_turn(pools: dict[str, Iterator[Fact]]) -> Iterator[Fact]:
    """One of each pool, again and again, until all are empty."""
    left = dict(pools)
    while left:
        for kind in tuple(left):
            fact = next(left[kind], None)
            if fact is None:
                del left[kind]
            else:
                yield fact


def _with_absent(pools: dict[str, Iterator[Fact]], *, share: float) -> Iterator[Fact]:
    """The facts of all pools such that of the first n about n · share are absent ones.

    It ends where more of either would break the share.
    """
    others = _in_turn({kind: pool for kind, pool in pools.items() if kind != "absent"})
    absent = pools.get("absent", iter(()))
    n_absent = 0
    for n in count(1):
        wants_absent = n_absent < round(n * share)
        fact = next(absent if wants_absent else others, None)
        if fact is None:
            return
        n_absent += wants_absent
        yield fact


def _balanced(facts: Sequence[Fact], rng: random.Random) -> Iterator[Fact]:
    """The facts in an order in which every beginning has its answers and templates spread out.

    Facts come in order of preference; a subject planted for the kind stands before one that
    merely fits, so the order is only bent where answers repeat.
    """
    left = list(facts)
    used: Counter[str] = Counter()
    while left:
        fact = min(left, key=lambda f: used[f.answer] + used[f"asks {f.asks}"])
        left.remove(fact)
        used.update((fact.answer, f"asks {fact.asks}"))
        yield fact


def _row(fact: Fact, form: Form, name: str, video: str, rng: random.Random) -> Question:
    absent = fact.kind == "absent"
    options = None
    if form == "choice":
        wrong = list(dict.fromkeys(w for w in fact.wrong if w != fact.answer))
        right = [] if absent else [fact.answer]
        drawn = [*right, *wrong[: N_OPTIONS - len(right)]]
        options = tuple(rng.sample(drawn, len(drawn)))
    return Question(
        custom_id=f"{name}-{form}",
        video=video,
        kind=fact.kind,
        asks=fact.asks,
        form=form,
        question=fact.text,
        options=options,
        answer=fact.answer,
        evidence=fact.evidence,
        status="not_found" if absent else "answered",
        subject=fact.subject,
    )


# -- lines of a question file


def question_to_json(question: Question) -> dict[str, Any]:
    """One line of a question file; `options` is left out where there are none."""
    data = asdict(question)
    if question.options is None:
        del data["options"]
    return data
