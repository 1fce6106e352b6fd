"""How a batch looks on a terminal, and its summary as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from agent.batch import BatchEvent
from agent.batch_lines import BatchQuestion, QuestionFile
from agent.estimate import BatchEstimate, Cost
from evals.batch_score import SummaryRow, total_of
from index.build import ProgressEvent
from index.times import format_time
from web.progress import WorkProgress


class BatchBar:
    """A batch's progress on one bar: films while they are indexed, then questions."""

    def __init__(self, progress: WorkProgress) -> None:
        self._progress = progress
        self._last: BatchEvent | None = None

    def indexing(self, event: ProgressEvent) -> None:
        # The next film is indexed while questions are asked: their bar says more.
        if self._last is None:
            self._progress.indexing(event)

    def waiting(self, why: str) -> None:
        self._progress.note(f"{why}; waiting for it")

    def asked(self, event: BatchEvent) -> None:
        self._last = event
        failed = f", {event.failed} failed" if event.failed else ""
        beside = f"{event.tokens:,} tokens{failed}"
        self._progress.show("asking", done=event.done, total=event.total, beside=beside)


def print_problems(
    errors: Console,
    found: QuestionFile,
    edited: Sequence[BatchQuestion],
    *,
    source: Path,
    output: Path,
) -> None:
    """Lines that are not asked, one line each."""
    for bad in found.bad:
        _line(errors, f"{source} line {bad.line}: {bad.message}")
    for question in edited:
        _line(
            errors,
            f"{source} line {question.line}: {output} holds the answer to another question under "
            f"{question.custom_id!r} (give it another custom_id, or name another -o)",
        )


def print_estimate(out: Console, estimate: BatchEstimate) -> None:
    """What a batch would cost."""
    wide = f", {estimate.n_library_wide} of the whole library" if estimate.n_library_wide else ""
    _line(out, f"questions  {estimate.n_questions}{wide}")
    _line(out, f"films      {len(estimate.films_indexed)} indexed")
    if estimate.films_to_index:
        length = format_time(estimate.to_index_s)
        _line(out, f"           {len(estimate.films_to_index)} to index, together {length} of film")
        _line(out, f"indexing   {_indexing(estimate)}")
    if estimate.likely is None:
        _line(out, "likely     unknown: this library has no runs of this model yet")
    else:
        _line(out, f"likely     {_cost(estimate.likely)}, by {estimate.n_runs} earlier runs")
    _line(out, f"at most    {_cost(estimate.most)}, by the budget")
    for problem in estimate.problems:
        _line(out, f"problem    {problem}")


def print_summary(out: Console, rows: Sequence[SummaryRow], *, n_open: int, n_bad: int) -> None:
    """A row for each film and kind, then each kind, then all."""
    table = Table(box=None, pad_edge=False, show_edge=False)
    table.add_column("film", overflow="fold")
    table.add_column("kind")
    names = ("questions", "answered", "not found", "guesses", "failed", "right", "tokens", "time")
    for name in names:
        table.add_column(name, justify="right")
    names_of = _short_names([row.video for row in rows])
    for row in (*rows, *_kinds(rows), total_of(rows, video="all", kind="all")):
        name = names_of.get(row.video, row.video)
        table.add_row(*(Text(cell) for cell in (name, *_cells(row))))
    out.print(table)
    left = [f"{n_open} not asked yet"] * bool(n_open) + [
        f"{n_bad} bad line{'s' if n_bad > 1 else ''}"
    ] * bool(n_bad)
    if left:
        _line(out, ", ".join(left))


def summary_to_json(rows: Sequence[SummaryRow], *, n_open: int, n_bad: int) -> dict[str, Any]:
    """The summary: rows by film and kind, by kind, and all."""
    return {
        "rows": [_to_json(row) for row in rows],
        "kinds": [_to_json(row) for row in _kinds(rows)],
        "all": _to_json(total_of(rows, video="all", kind="all")),
        "n_not_asked": n_open,
        "n_bad_lines": n_bad,
    }


def _kinds(rows: Sequence[SummaryRow]) -> list[SummaryRow]:
    """Rows added up by kind; none where there is one film."""
    if len({row.video for row in rows}) < 2:
        return []
    kinds = dict.fromkeys(row.kind for row in rows)
    return [total_of([r for r in rows if r.kind == kind], video="all", kind=kind) for kind in kinds]


def _short_names(videos: Sequence[str]) -> dict[str, str]:
    """Each film's file name; its whole path where another film has the same one."""
    names = {video: Path(video).name for video in videos}
    many = Counter(names.values())
    return {video: name if many[name] == 1 else video for video, name in names.items()}


def _cells(row: SummaryRow) -> tuple[str, ...]:
    """A row without its film."""
    right = f"{row.n_right} of {row.n_judged}" if row.n_judged else "–"
    counts = (row.n, row.n_answered, row.n_not_found, row.n_guesses, row.n_failed)
    return (
        row.kind,
        *(str(count) for count in counts),
        *(right, f"{row.tokens:,}", format_time(row.seconds)),
    )


def _to_json(row: SummaryRow) -> dict[str, Any]:
    accuracy = None if row.accuracy is None else round(row.accuracy, 4)
    return {**asdict(row), "seconds": round(row.seconds, 3), "accuracy": accuracy}


def _indexing(estimate: BatchEstimate) -> str:
    """How long films take to index, and how that is known."""
    source = (
        "as fast as the films of this library"
        if estimate.is_speed_measured
        else "assumed, for one processor core: this library has indexed no film yet"
    )
    time = format_time(estimate.indexing_s)
    return f"about {time}, at {estimate.index_speed:.0f} × real time ({source})"


def _cost(cost: Cost) -> str:
    return f"{cost.visual_tokens:,} visual tokens, {format_time(cost.seconds)} one by one"


def _line(console: Console, text: str) -> None:
    console.print(text, soft_wrap=True)
