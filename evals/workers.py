"""Questions of an evaluation asked by several processes at once.

Each process has models of its own and the film open, and asks whole questions: the strategies of a
question in their order, since baselines may show what ours used. What it finds goes back to the
process that started it, which alone writes the record, in the questions' order. So the numbers are
those of one process; only the seconds of a question grow where processes share a core.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from agent.ask import make_tables
from agent.models import Models
from agent.settings import AskSettings
from demo.film import die_with_parent
from evals.asking import Asking, prepared_texts
from evals.film_vectors import TextVectors
from evals.film_view import FilmView
from evals.items import Item, Outcome
from evals.record import Key, Record
from evals.report import Series
from index.library import Library
from index.types import Video

Known = dict[Key, Outcome | None]
Opener = Callable[[], Models]
"""Opens the models in a process; it must be picklable."""


@dataclass(frozen=True, slots=True)
class Job:
    """What every process needs to know."""

    opener: Opener
    library: Path
    settings: AskSettings
    questions: tuple[Item, ...]
    """All of them: their texts are embedded together, as one process would."""
    every: tuple[Series, ...]
    whole_budget: bool
    n_workers: int


@contextlib.contextmanager
def asked_by_workers(
    job: Job, videos: dict[str, Video], record: Record
) -> Iterator[dict[Item, Future[Known]]]:
    """The outcomes of each question that are not on record, as they come."""
    make_tables(job.library)
    # A fresh process: a fork would copy the locks of threads that decode or compute.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(job.n_workers, context, initializer=_begin, initargs=(job,))
    try:
        yield {
            item: pool.submit(_ask, videos[item.video], item, record.about(item.custom_id))
            for item in sorted(job.questions, key=lambda q: list(videos).index(q.video))
        }
    finally:
        pool.shutdown(cancel_futures=True)


@dataclass(slots=True)
class _Worker:
    """A process: its models, and the film that it has open."""

    job: Job
    models: Models
    library: Library
    open_film: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    view: FilmView | None = None

    def ask(self, video: Video, item: Item, known: Known) -> Known:
        """The outcomes that were not known."""
        record = Record(None)
        for key, outcome in known.items():
            record.add(key, outcome)
        if self.view is None or self.view.video != video:
            texts = prepared_texts(self.models, self.job.questions)
            self.open_film.close()
            asking = self._asking(record, texts)
            self.view = self.open_film.enter_context(asking.film(video))
        asking = self._asking(record, self.view.vectors.texts)
        asking.answers(video, self.view, item, self.job.every)
        return {k: o for k, o in record.about(item.custom_id).items() if k not in known}

    def _asking(self, record: Record, texts: TextVectors) -> Asking:
        job = self.job
        return Asking(self.models, self.library, job.settings, record, texts, job.whole_budget)


_worker: _Worker | None = None
"""This process's own; a pool's tasks find what its initialiser made only in the module."""


def _begin(job: Job) -> None:
    global _worker
    # A pool's processes hold its pipes themselves: they would wait for ever, each with its models.
    die_with_parent()
    # The process that started it hears Ctrl-C and lets the questions under way end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    n_threads = max(1, (os.cpu_count() or 1) // job.n_workers)
    os.environ.setdefault("OMP_NUM_THREADS", str(n_threads))
    _worker = _Worker(job, job.opener(), Library.open(job.library))


def _ask(video: Video, item: Item, known: Known) -> Known:
    assert _worker is not None, "the initialiser ran"
    return _worker.ask(video, item, known)
