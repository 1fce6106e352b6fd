"""Progress of long work: a bar on a terminal, a line now and then where there is none."""

from __future__ import annotations

import time
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress import Task as RichTask
from rich.text import Text

from index.build import ProgressEvent
from index.times import format_time

if TYPE_CHECKING:
    from evals.asking import EvalEvent

_LINE_EVERY_S = 10.0
_STAGES = {
    "read": "reading",
    "index": "indexing",
    "screen": "reading text in the pictures",
    "speech": "listening",
}


class WorkProgress:
    """Shows how far a piece of work is: stage, n of m, time left. A context manager."""

    def __init__(self, console: Console, *, as_times: bool = False) -> None:
        self._console = console
        self._as_times = as_times
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            _DoneColumn(as_times=as_times),
            TextColumn("left"),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[beside]}", markup=False),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task: TaskID | None = None
        self._label = ""
        self._began_s = self._last_line_s = 0.0

    def __enter__(self) -> WorkProgress:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def show(self, label: str, *, done: float, total: float, beside: str = "") -> None:
        """`done` of `total` of the piece of work that the label names; `beside` follows it."""
        if label != self._label:
            self._begin(label, total=total)
        if self._task is not None:
            self._bar.update(self._task, completed=done, total=total, beside=beside)
        if not self._console.is_terminal:
            self._line(done, total, beside)

    def note(self, text: str) -> None:
        """A line of its own, above the bar."""
        self._console.print(text, soft_wrap=True)

    def indexing(self, event: ProgressEvent) -> None:
        """An event of an indexing run."""
        place = f"{event.film_index + 1}/{event.n_films} " if event.n_films > 1 else ""
        stage = _STAGES.get(event.stage, event.stage)
        self.show(f"{place}{event.path.name}: {stage}", done=event.done, total=event.total)

    def rendering(self, film: Path, done: int, total: int) -> None:
        """Frames drawn of a film."""
        self.show(f"{film.name}: drawing", done=done, total=total)

    def asking(self, event: EvalEvent) -> None:
        """A question answered in an evaluation."""
        label = f"films of {event.minutes:g} minutes: asking"
        self.show(label, done=event.done, total=event.total)

    def hide(self) -> None:
        """Take the bar away until there is something to show again."""
        if self._task is not None:
            self._bar.remove_task(self._task)
        self._task, self._label = None, ""

    def _begin(self, label: str, *, total: float) -> None:
        self._label = label
        self._began_s = self._last_line_s = time.monotonic()
        if self._task is not None:
            self._bar.remove_task(self._task)
        self._task = self._bar.add_task(label, total=total, beside="")

    def _line(self, done: float, total: float, beside: str) -> None:
        now_s = time.monotonic()
        if now_s - self._last_line_s < _LINE_EVERY_S or not 0 < done < total:
            return
        self._last_line_s = now_s
        left = f"{format_time((now_s - self._began_s) * (total - done) / done)} left"
        shown = f"{_amount(done, self._as_times)}/{_amount(total, self._as_times)}"
        text = ", ".join(filter(None, (f"{self._label} {shown}", left, beside)))
        self._console.print(text, soft_wrap=True)


class _DoneColumn(ProgressColumn):
    """n/m, as times of a film where the work is counted in its seconds."""

    def __init__(self, *, as_times: bool) -> None:
        super().__init__()
        self._as_times = as_times

    def render(self, task: RichTask) -> Text:
        done, total = task.completed, task.total or 0
        return Text(f"{_amount(done, self._as_times)}/{_amount(total, self._as_times)}")


def _amount(value: float, as_times: bool) -> str:
    return format_time(max(0.0, value)) if as_times else f"{value:,.0f}"
