"""The tour that `make demo` gives: a long film, its index, a question of every sort."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.ask import ask
from agent.models import Models
from agent.settings import AskSettings
from agent.types import Answer
from demo.questions import FORMS
from evals.demo_films import RenderProgress, index_films, make_film, questions_about
from evals.items import Item
from evals.matching import is_right
from evals.strategies import outcome_of
from index.build import Progress
from index.errors import InputError
from index.library import Library
from index.run_rows import StepRow
from index.times import format_time
from index.types import Span

KINDS = ("attribute", "sign", "absent", "place", "when", "direction", "after", "times")
"""What the tour asks for, in this order: every sort of question that the agent treats differently,
and one that the film does not answer."""


@dataclass(frozen=True, slots=True)
class Stop:
    """One question of the tour, its answer and the truth."""

    item: Item
    answer: Answer
    right: bool
    seconds: float

    def text(self) -> str:
        """Question, answer, truth, citation and cost, in lines."""
        answer = self.answer
        reply = answer.answer or "not in this film"
        usage = answer.usage
        options = f"  ({' | '.join(self.item.options)})" if self.item.options else ""
        true = f", shown at {_spans(self.item.evidence)}" if self.item.evidence else ""
        return "\n".join(
            (
                f"{self.item.question}{options}",
                f"  answer  {reply}  ({answer.status}, confidence {answer.confidence:.2f})",
                f"  truth   {self.item.answer}{true}  → {'right' if self.right else 'WRONG'}",
                f"  seen    {_spans([c.span for c in answer.citations]) or 'nothing is cited'}",
                f"  cost    visual tokens {usage['visual_tokens']:,.0f}, looks"
                f" {usage['looks']:.0f}, calls {usage['calls']:.0f}, {self.seconds:.1f} s",
            )
        )


@dataclass(frozen=True, slots=True)
class Tour:
    """All of it."""

    film: Path
    duration_s: float
    render_s: float
    """Near 0 where the film was there already."""
    index_s: float
    stops: tuple[Stop, ...]

    def table(self) -> str:
        """What was asked and what was right, and how long everything took."""
        head = ("kind", "question", "answer", "truth", "right", "s")
        rows = [head, *(_row(stop) for stop in self.stops)]
        widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        ]
        n_right = sum(stop.right for stop in self.stops)
        asked_s = sum(stop.seconds for stop in self.stops)
        return "\n".join(
            (
                *lines,
                "",
                f"{n_right} of {len(self.stops)} right. A film of {format_time(self.duration_s)}:"
                f" rendered in {self.render_s:.0f} s, indexed in {self.index_s:.0f} s,"
                f" asked in {asked_s:.0f} s.",
            )
        )


def tour_questions(film: Path, *, n: int, seed: int) -> list[Item]:
    """Up to `n` questions, a kind after the other, open ones and choices in turn."""
    items = questions_about(film, n=len(FORMS) * n, seed=seed, kinds=KINDS, forms=FORMS)
    # A question stands there in all its forms in a row.
    facts = [items[i : i + len(FORMS)] for i in range(0, len(items), len(FORMS))]
    return [forms[number % len(forms)] for number, forms in enumerate(facts)][:n]


def give_tour(
    folder: Path,
    *,
    models: Models,
    settings: AskSettings,
    minutes: float,
    seed: int,
    n_questions: int,
    rendering: RenderProgress,
    indexing: Progress,
    on_stop: Callable[[Stop], None],
) -> Tour:
    """Make the film, index it, ask about it.

    Everything lies in the folder; a second tour there finds the film rendered and indexed.

    Raises:
        InputError: the film cannot be made or written, or is too short for any question.
    """
    began_s = time.monotonic()
    film = make_film(folder, seed=seed, minutes=minutes, progress=rendering)
    render_s = time.monotonic() - began_s
    items = tour_questions(film, n=n_questions, seed=seed)
    if not items:
        raise InputError(f"a film of {minutes:g} minutes holds nothing to ask for", "--minutes 5")
    library = Library.open(folder / "library")
    try:
        index_s = index_films(library, [film], encoder=models.encoder, progress=indexing)
        stops = []
        for item in items:
            stops.append(_stop(library, film, item, models=models, settings=settings))
            on_stop(stops[-1])
        duration_s = library.find(str(film)).facts.duration_s
    finally:
        library.close()
    return Tour(film, duration_s, render_s, index_s, tuple(stops))


def _stop(
    library: Library, film: Path, item: Item, *, models: Models, settings: AskSettings
) -> Stop:
    steps: list[StepRow] = []
    began_s = time.monotonic()
    answer = ask(
        library,
        library.find(str(film)),
        item.question,
        options=item.options,
        models=models,
        settings=settings,
        on_step=steps.append,
    )
    right = is_right(item, outcome_of(answer, steps))
    return Stop(item, answer, right, time.monotonic() - began_s)


def _row(stop: Stop) -> tuple[str, ...]:
    reply = stop.answer.answer or "not in this film"
    right = "yes" if stop.right else "no"
    return (
        stop.item.kind,
        stop.item.question,
        reply,
        stop.item.answer,
        right,
        f"{stop.seconds:.1f}",
    )


def _spans(spans: Sequence[Span]) -> str:
    return ", ".join(f"{format_time(s.start_s)}–{format_time(s.end_s)}" for s in spans)
