"""Many questions: films one after the other, the questions of a film side by side.

A film is indexed where it is not yet, opened once, and asked all its questions while its vectors
and frames are warm; the next film is made ready meanwhile. Every answer and every failure goes into
the record at once, so a batch that is killed goes on with what has no line yet.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

from agent.ask import ask
from agent.batch_lines import BatchQuestion
from agent.batch_record import BatchRecord, Line, answer_line
from agent.chat_shape import chat_completion
from agent.films import film_to_ask, named_film, same_film
from agent.library_wide import MOST_FILMS, ask_library
from agent.models import Models
from agent.open_film import OpenFilm, open_film
from agent.settings import AskSettings
from agent.shared_videollm import shared
from agent.videollm import VideoLLM
from index.build import IndexSettings, build
from index.errors import BusyError, LongshotError
from index.library import Library
from index.run_rows import StepRow
from index.types import Video

_log = logging.getLogger(__name__)
_LOOK_AGAIN_S = 0.5
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class BatchEvent:
    """How far a batch is, after a question has ended."""

    done: int
    total: int
    """Of the questions that this run of the batch asks."""
    failed: int
    tokens: int
    """Read and written by the VideoLLM so far."""


class BatchProgress(Protocol):
    """Told what a batch is doing."""

    def indexing(self, event: Any, /) -> None: ...
    def asked(self, event: BatchEvent, /) -> None: ...
    def waiting(self, why: str, /) -> None: ...


@dataclass(frozen=True, slots=True)
class BatchSettings:
    """How a batch is worked on."""

    workers: int = 4
    """Questions at the same time; their calls of the VideoLLM are batched where it can."""
    videos: Path | None = None
    """Folder in which films are looked for first."""
    most_films: int = MOST_FILMS
    """Films that a question of the whole library is put to."""
    ask: AskSettings = field(default_factory=AskSettings)
    index: IndexSettings = field(default_factory=IndexSettings)


def to_ask(
    questions: Sequence[BatchQuestion],
    lines: Mapping[str, Line],
    *,
    retry_failed: bool = False,
    limit: int | None = None,
) -> list[BatchQuestion]:
    """The questions that have no line in a record yet, or with `retry_failed` a failed one."""
    open_ = [
        question
        for question in questions
        if question.custom_id not in lines
        or (retry_failed and lines[question.custom_id]["error"] is not None)
    ]
    return open_[:limit]


def changed(questions: Sequence[BatchQuestion], lines: Mapping[str, Line]) -> list[BatchQuestion]:
    """Questions whose id has a line for another question: they were edited since."""
    return [q for q in questions if lines.get(q.custom_id, {}).get("asked", q.asked) != q.asked]


def run_batch(
    library: Library,
    questions: Sequence[BatchQuestion],
    *,
    record: BatchRecord,
    models: Models,
    settings: BatchSettings,
    progress: BatchProgress,
) -> None:
    """Ask the questions and keep every answer; what was recorded of them before is replaced.

    Raises:
        LibraryError: the library belongs to another encoder, or the disk is full. What goes wrong
            with one film or one question is a line of the record instead.
    """
    library.check_encoder(models.encoder.identity)
    record.forget({question.custom_id for question in questions})
    batch = _Batch(library, record, models, settings, progress, total=len(questions))
    batch.run(questions)


class _Stopped(Exception):
    """The batch is ending: a question stops at its next step and can go on later."""


class _Batch:
    """One batch under way."""

    def __init__(
        self,
        library: Library,
        record: BatchRecord,
        models: Models,
        settings: BatchSettings,
        progress: BatchProgress,
        *,
        total: int,
    ) -> None:
        self._library = library
        self._record = record
        self._models = _shared(models)
        self._settings = settings
        self._progress = progress
        self._telling = threading.Lock()
        self._told = ""
        """Whom it was last said that this batch waits for."""
        self._stopped = threading.Event()
        self._event = BatchEvent(done=0, total=total, failed=0, tokens=0)

    def run(self, questions: Sequence[BatchQuestion]) -> None:
        open_groups: deque[_Group] = deque()
        with ThreadPoolExecutor(self._settings.workers) as pool:
            try:
                for group in self._by_film(questions):
                    open_groups.append(self._begin(group, pool))
                    # The next film is made ready while one is asked; no more than two lie open.
                    if len(open_groups) > 1:
                        open_groups[0].end()
                        open_groups.popleft()
                while open_groups:
                    open_groups[0].end()
                    open_groups.popleft()
            except BaseException:
                self._stopped.set()
                pool.shutdown(wait=True, cancel_futures=True)
                raise
            finally:
                for group_left in open_groups:
                    group_left.film.close()

    def _by_film(self, questions: Sequence[BatchQuestion]) -> list[list[BatchQuestion]]:
        """The questions of each film together, whatever they call it, in the order of the first
        ones; those of the whole library last, when every film is there."""
        folder = self._settings.videos
        names = {q.video for q in questions if q.video is not None}
        films = {name: same_film(self._library, name, folder=folder) for name in names}
        groups: dict[str, list[BatchQuestion]] = {}
        of_library: list[BatchQuestion] = []
        for question in questions:
            if question.video is None:
                of_library.append(question)
            else:
                groups.setdefault(films[question.video], []).append(question)
        return [*groups.values(), *([of_library] if of_library else [])]

    def _begin(self, questions: Sequence[BatchQuestion], pool: ThreadPoolExecutor) -> _Group:
        """Make the film of these questions ready and hand them out."""
        film = contextlib.ExitStack()
        try:
            answer = self._ready(questions[0].video, film)
        except Exception as error:  # noqa: BLE001 one bad film must not end the batch
            film.close()
            for question in questions:
                self._keep(question, error=_failure(error))
            return _Group(film, [])
        return _Group(film, [pool.submit(self._ask, q, answer) for q in questions])

    def _ready(self, video: str | None, film: contextlib.ExitStack) -> _Ask:
        """What answers questions about a film; about the whole library, where none is named."""
        # A handle of its own: the next film is indexed through ours at the same time.
        library = film.enter_context(contextlib.closing(Library.open(self._library.folder)))
        if video is None:
            self._index_folder()
            return lambda question: self._ask_everywhere(library, question)
        found = self._indexed(video)
        opened = film.enter_context(open_film(library, found))
        return lambda question: self._ask_film(library, opened, question)

    def _indexed(self, video: str) -> Video:
        name = named_film(video, folder=self._settings.videos)
        return self._when_free(
            lambda: film_to_ask(
                self._library,
                name,
                encoder=self._models.encoder,
                settings=self._settings.index,
                progress=self._progress.indexing,
            )
        )

    def _index_folder(self) -> None:
        """Everything in the folder of films, for questions of the whole library."""
        if self._settings.videos is None:
            return
        folder = self._settings.videos
        report = self._when_free(
            lambda: build(
                self._library,
                [folder],
                encoder=self._models.encoder,
                settings=self._settings.index,
                progress=self._progress.indexing,
            )
        )
        for failure in report.failures:
            _log.warning("not in the library: %s", failure.message)

    def _when_free(self, work: Callable[[], _T]) -> _T:
        """Do what writes to the library once no other process does: that one may index this film.

        Questions on other films are answered meanwhile.
        """
        while True:
            try:
                return work()
            except BusyError as error:
                if error.message != self._told:
                    self._progress.waiting(error.message)
                self._told = error.message
                time.sleep(_LOOK_AGAIN_S)

    def _ask(self, question: BatchQuestion, answer: _Ask) -> None:
        """One question, in a thread of its own: its answer or its failure is kept."""
        try:
            response = answer(question)
        except _Stopped:
            return
        except Exception as error:  # noqa: BLE001 one question must not end the batch
            # What fails while all is being put away says nothing about the question.
            if self._stopped.is_set():
                return
            self._keep(question, error=_failure(error))
        else:
            self._keep(question, response=response)

    def _ask_film(
        self, library: Library, opened: OpenFilm, question: BatchQuestion
    ) -> dict[str, Any]:
        video = opened.film.video
        answer = ask(
            library,
            video,
            question.question,
            options=question.options,
            models=self._models,
            settings=self._settings.ask,
            opened=opened,
            begun=self._record.begun(question.custom_id),
            on_run=lambda run: self._record.begin(question.custom_id, run.run_id),
            on_step=self._unless_stopped,
        )
        return {**answer.to_json(), "video": str(video.path)}

    def _ask_everywhere(self, library: Library, question: BatchQuestion) -> dict[str, Any]:
        answer = ask_library(
            library,
            question.question,
            options=question.options,
            models=self._models,
            settings=self._settings.ask,
            most_films=self._settings.most_films,
            begun=self._record.begun(question.custom_id),
            on_run=lambda run: self._record.begin(question.custom_id, run.run_id),
            on_step=self._unless_stopped,
        )
        return answer.to_json()

    def _unless_stopped(self, step: StepRow) -> None:
        if self._stopped.is_set():
            raise _Stopped

    def _keep(
        self,
        question: BatchQuestion,
        *,
        response: dict[str, Any] | None = None,
        error: dict[str, Any] | None = None,
    ) -> None:
        tokens = _tokens(response) if response else 0
        if response and question.is_chat:
            response = chat_completion(response)
        self._record.add(
            answer_line(question.custom_id, asked=question.asked, response=response, error=error)
        )
        with self._telling:
            before = self._event
            self._event = replace(
                before,
                done=before.done + 1,
                failed=before.failed + (error is not None),
                tokens=before.tokens + tokens,
            )
            self._progress.asked(self._event)


_Ask = Callable[[BatchQuestion], dict[str, Any]]


@dataclass(slots=True)
class _Group:
    """A film's questions under way."""

    film: contextlib.ExitStack
    answers: list[Future[None]]

    def end(self) -> None:
        """Wait for the answers, and close the film."""
        for answer in self.answers:
            answer.result()
        self.film.close()


def _shared(models: Models) -> Models:
    """The models as several threads may use them; one that several nodes use stays one."""
    fronts: dict[int, VideoLLM] = {}
    for each in (models.videollm, *models.by_node.values()):
        fronts.setdefault(id(each), shared(each))
    return replace(
        models,
        videollm=fronts[id(models.videollm)],
        by_node={node: fronts[id(own)] for node, own in models.by_node.items()},
    )


def _failure(error: Exception) -> dict[str, Any]:
    """An error as it stands in a line; one that nobody foresaw is logged too."""
    if isinstance(error, LongshotError):
        code = type(error).__name__.removesuffix("Error").lower()
        return {"code": code, "message": error.message, "hint": error.hint}
    _log.error("a question failed", exc_info=error)
    text = " ".join(f"{type(error).__name__}: {error}".split())
    return {"code": "bug", "message": text, "hint": "please report it"}


def _tokens(response: dict[str, Any]) -> int:
    usage = response["usage"]
    return int(usage.get("input_tokens", 0) + usage.get("output_tokens", 0))
