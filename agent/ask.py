"""Ask a film a question: make or continue a run, and drive the graph to its end.

A run is its id, its row in the library, and its checkpoints. A killed run continues from the last
node that finished, either by its id or by asking the same question of the same film again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sqlite3
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from agent.films import with_pictures
from agent.fork import ForkPlan, check_shapes, forked_run, seed_checkpoint, state_before
from agent.models import Models
from agent.open_film import FilmRows, OpenFilm, open_film
from agent.presets import settings_for, settings_of
from agent.settings import AskSettings
from agent.state import initial_state
from agent.types import Answer, Question, answer_from_json
from agent.workspace import OnStep, Workspace
from index.disk import telling_when_full
from index.encoder import EncoderIdentity
from index.errors import InputError, LongshotError, MediaError, ModelError
from index.processes import is_alive
from index.run_rows import RunRow, StepRow
from index.runs import RunStore
from index.types import Video

_LOCK_WAIT_S = 30.0
# Runs that this very process is working on: its own id says nothing about a second question.
_running: set[str] = set()
_claiming = threading.RLock()


class AskLibrary(FilmRows, Protocol):
    """What asking needs of a library."""

    @property
    def folder(self) -> Path: ...
    def videos(self) -> list[Video]: ...
    def check_encoder(self, identity: EncoderIdentity) -> None: ...


OnRun = Callable[[RunRow], None]


def ignore_step(step: StepRow) -> None:
    """Watches nothing."""


def ignore_run(run: RunRow) -> None:
    """Needs no number."""


def ask(
    library: AskLibrary,
    video: Video,
    question: str,
    *,
    options: Sequence[str] = (),
    models: Models,
    settings: AskSettings | None = None,
    opened: OpenFilm | None = None,
    begun: Sequence[str] = (),
    on_step: OnStep = ignore_step,
    on_run: OnRun = ignore_run,
) -> Answer:
    """The answer to a question about a film of the library.

    The same question with the same models and settings, left unfinished by a process that is gone,
    is continued.

    Args:
        settings: None: those that fit the VideoLLM.
        opened: the film, where several questions share it; None: opened for this one alone.
        begun: runs that the caller began before and knows no answer of: where one of them is this
            very question and has ended, its answer is given.
        on_step: called after every step with its row, pictures included.
        on_run: called with the run's row before its first step.

    Raises:
        InputError: an empty question, options that are no choice, or a film without pictures.
        LibraryError: the film was indexed with another encoder, or the disk is full.
        MediaError: the film's file is gone or unreadable.
    """
    asked = Question(text=" ".join(question.split()), options=tuple(o.strip() for o in options))
    settings = settings or settings_for(knows_only_demo_world=models.videollm.knows_only_demo_world)
    with_pictures(video)
    library.check_encoder(models.encoder.identity)
    new = _new_run(video, asked, models, settings)
    with (
        telling_when_full(library.folder),
        contextlib.closing(RunStore.open(library.folder)) as runs,
        contextlib.ExitStack() as stack,
    ):
        for old in filter(None, map(runs.load, begun)):
            if old.question_key == new.question_key and old.answer:
                return answer_from_json(old.answer)
        run = stack.enter_context(_claimed(runs, new, lambda: runs.start(new)))
        on_run(run)
        return _drive(library, video, run, models=models, runs=runs, opened=opened, on_step=on_step)


def resume(
    library: AskLibrary, run_id: str, *, models: Models, on_step: OnStep = ignore_step
) -> Answer:
    """Continue a run to its end; a run that has ended gives its answer again.

    Raises:
        InputError: no such run, its film has left the library, or it is being worked on.
        LibraryError: the disk is full.
        ModelError: the models are not those that began the run.
    """
    with (
        telling_when_full(library.folder),
        contextlib.closing(RunStore.open(library.folder)) as runs,
    ):
        run = _load(runs, run_id)
        if run.answer:
            return answer_from_json(run.answer)
        # By what name an encoder was asked for is its own affair: its weights are compared.
        old, new = ({**names, "encoder": ""} for names in (run.models, models.names()))
        if old != new:
            begun, hint = f"was begun with {old['videollm']}", "continue it with the same --models"
            if old["videollm"] == new["videollm"]:
                begun += ", and its weights or the encoder's are others now"
                hint = "name the models and the encoder of then, or ask again"
            raise ModelError(f"run {run.run_id} {begun}", hint)
        video = _film_of(library, run)
        library.check_encoder(models.encoder.identity)
        if not _is_taken_over(runs, run):
            raise InputError(f"run {run.run_id} is being worked on", "wait for it to end")
        with _marked(run.run_id):
            return _drive(library, video, run, models=models, runs=runs, on_step=on_step)


def fork(
    library: AskLibrary,
    run_id: str,
    plan: ForkPlan,
    *,
    models: Models,
    on_step: OnStep = ignore_step,
    on_run: OnRun = ignore_run,
) -> Answer:
    """Go on from a step of a run, ended or not, as a new run that names it as its parent.

    The same fork, left unfinished by a process that is gone, is continued.

    Raises:
        InputError: no such run or step, or the film has left the library.
        LibraryError: the film was indexed with another encoder, or the disk is full.
        MediaError: the film's file is gone or unreadable.
    """
    from agent.graph import build_graph

    with (
        telling_when_full(library.folder),
        contextlib.closing(RunStore.open(library.folder)) as runs,
    ):
        parent = _load(runs, run_id)
        video = _film_of(library, parent)
        if not video.path.exists():
            # Before anything is written: a run that cannot begin is none.
            raise MediaError(f"{video.path} is not there any more", "index it where it is now")
        library.check_encoder(models.encoder.identity)
        new = forked_run(parent, plan, models=models.names())

        def begin() -> None:
            steps = runs.steps(parent.run_id)
            with _checkpointer(library.folder) as saver:
                graph = build_graph(checkpointer=saver)
                state = state_before(graph, parent, steps, plan.from_step)
                check_shapes(state, models.videollm.capabilities, steps)
                # Before the row: a run that is listed can always be gone on with.
                seed_checkpoint(graph, new.run_id, state, steps)
            runs.start_from(new, parent.run_id, n_steps=plan.from_step)

        with _claimed(runs, new, begin) as run:
            on_run(run)
            return _drive(library, video, run, models=models, runs=runs, on_step=on_step)


def _load(runs: RunStore, run_id: str) -> RunRow:
    run = runs.load(run_id)
    if run is None:
        raise InputError(f"no run {run_id!r}", "longshot trace list shows them")
    return run


def _film_of(library: AskLibrary, run: RunRow) -> Video:
    video = next((v for v in library.videos() if v.content_hash == run.video_hash), None)
    if video is None:
        raise InputError(f"the film of run {run.run_id} is not in the library", "index it")
    return video


def _drive(
    library: AskLibrary,
    video: Video,
    run: RunRow,
    *,
    models: Models,
    runs: RunStore,
    opened: OpenFilm | None = None,
    on_step: OnStep,
) -> Answer:
    """Run the graph from its last checkpoint, or from the start, and write down the end."""
    from agent.graph import build_graph, step_limit  # langgraph takes a second to import

    settings = settings_of(run)
    config = {"configurable": {"thread_id": run.run_id}, "recursion_limit": step_limit(settings)}
    with contextlib.ExitStack() as stack:
        opened = opened or stack.enter_context(open_film(library, video))
        workspace = Workspace(
            run_id=run.run_id,
            question=Question(run.question, run.options),
            film=opened.film,
            frames=opened.frames,
            encoder=models.encoder,
            videollm=models.videollm,
            settings=settings,
            runs=runs,
            on_step=on_step,
            own_prompts=run.own_prompts,
            by_node=models.by_node,
        )
        graph = build_graph(checkpointer=stack.enter_context(_checkpointer(library.folder)))
        snapshot = graph.get_state(config)
        # Not `next` alone: after a kill it can be empty while a task is still listed.
        pending = bool(snapshot.next or snapshot.tasks)
        if pending or not snapshot.values.get("answer"):
            start = None if pending else initial_state()
            try:
                for _ in graph.stream(start, config, context=workspace, durability="sync"):
                    pass
            except LongshotError as error:
                # The run stays unfinished, so that it can go on once the cause is gone.
                runs.interrupt(run.run_id, reason=f"interrupted: {error}")
                raise
        answer = answer_from_json(graph.get_state(config).values["answer"])
    runs.finish(
        run.run_id,
        status=answer.status,
        stop_reason=answer.stop_reason,
        answer=answer.to_json(),
    )
    return answer


def make_tables(folder: Path) -> None:
    """Makes the tables of runs and checkpoints in a library's folder.

    Processes that made them at the same time would find the files locked.
    """
    RunStore.open(folder).close()
    with _checkpointer(folder):
        pass


@contextlib.contextmanager
def _checkpointer(folder: Path) -> Iterator[Any]:
    from langgraph.checkpoint.sqlite import SqliteSaver

    connection = sqlite3.connect(
        folder / "checkpoints.db", check_same_thread=False, timeout=_LOCK_WAIT_S
    )
    try:
        # A checkpoint that the system loses in a power cut costs one repeated step, no more.
        connection.execute("pragma synchronous=normal")
        saver = SqliteSaver(connection)
        with _claiming:
            # Two threads that make its tables at once: one of them would find the file locked.
            saver.setup()
        yield saver
    finally:
        connection.close()


@contextlib.contextmanager
def _claimed(runs: RunStore, new: RunRow, begin: Callable[[], None]) -> Iterator[RunRow]:
    """The run to drive: the same one left unfinished by a process that is gone, or the new one.

    Questions asked at the same time by this process never take the same run.

    Args:
        begin: writes down the new one.
    """
    with contextlib.ExitStack() as stack:
        with _claiming:
            left = runs.unfinished(new.question_key)
            old = next((each for each in left if _is_taken_over(runs, each)), None)
            if old is not None:
                run = replace(old, process_id=os.getpid())
            else:
                run = new
                begin()
            stack.enter_context(_marked(run.run_id))
        yield run


@contextlib.contextmanager
def _marked(run_id: str) -> Iterator[None]:
    _running.add(run_id)
    try:
        yield
    finally:
        _running.discard(run_id)


def _new_run(video: Video, asked: Question, models: Models, settings: AskSettings) -> RunRow:
    names = models.names()
    plain = asdict(settings)
    identity = [video.content_hash, asked.text, list(asked.options), names, plain]
    key = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:32]
    return RunRow(
        run_id=uuid.uuid4().hex[:12],
        video_id=video.video_id,
        video_hash=video.content_hash,
        video_path=str(video.path),
        question=asked.text,
        options=asked.options,
        models=names,
        settings=plain,
        question_key=key,
        started_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
        process_id=os.getpid(),
    )


def _is_taken_over(runs: RunStore, run: RunRow) -> bool:
    """Whether an unfinished run is this process's now: nobody worked on it or was quicker."""
    return not _is_worked_on(run) and runs.take_over(run, process_id=os.getpid())


def _is_worked_on(run: RunRow) -> bool:
    """Whether a living process is busy with the run."""
    if run.process_id == os.getpid():
        return run.run_id in _running
    return is_alive(run.process_id)
