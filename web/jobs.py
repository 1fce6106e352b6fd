"""Work that takes longer than a request: questions and indexing, one at a time of each kind.

A job keeps what it has to say as a list of events, so that whoever watches may come late, go away
and come back. Jobs live as long as the server; what they make (runs, indexed films) is in the
library and stays.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from index.errors import InputError, LibraryError, LongshotError

_log = logging.getLogger(__name__)

Kind = Literal["ask", "index"]
_KINDS: tuple[Kind, ...] = ("ask", "index")
_MOST_KEPT = 200
_MOST_WAITING = 50


class JobStopped(LibraryError):
    """Somebody stopped the job. A library error, because these end an indexing run."""

    def __init__(self) -> None:
        super().__init__("stopped by the person", "start it again to go on")


@dataclass(frozen=True, slots=True)
class Event:
    """Something that a job said."""

    name: str
    """run, step, answer, report; the state of the job itself is not an event."""
    data: dict[str, Any]


@dataclass(slots=True, eq=False)
class Job:
    """One piece of work. Written by its worker alone, read by anybody."""

    kind: Kind
    title: str
    """The question, or what is indexed."""
    work: Callable[[Job], None]
    job_id: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    created_at: str = field(
        default_factory=lambda: datetime.now(UTC).isoformat(timespec="milliseconds")
    )
    state: str = "queued"
    """queued, running, done, failed or stopped."""
    video_id: int | None = None
    run_id: str | None = None
    stage: str = ""
    done: float = 0.0
    total: float = 0.0
    error: str = ""
    hint: str = ""
    events: list[Event] = field(default_factory=list)
    _began_s: float = 0.0
    _stop: threading.Event = field(default_factory=threading.Event)

    @property
    def has_ended(self) -> bool:
        return self.state in ("done", "failed", "stopped")

    def say(self, name: str, data: dict[str, Any]) -> None:
        """Add an event."""
        self.events.append(Event(name, data))

    def progress(self, stage: str, *, done: float, total: float) -> None:
        """Say how far the work is.

        Raises:
            JobStopped: somebody wants it to end.
        """
        self.check()
        if stage != self.stage:
            self._began_s = time.monotonic()
        self.stage, self.done, self.total = stage, done, total

    @property
    def left_s(self) -> float | None:
        """Seconds that the stage will still take; None where that cannot be told."""
        if self.state != "running" or not 0 < self.done < self.total:
            return None
        return (time.monotonic() - self._began_s) * (self.total - self.done) / self.done

    def check(self) -> None:
        """Passes unless somebody wants the job to end.

        Raises:
            JobStopped: that.
        """
        if self._stop.is_set():
            raise JobStopped

    def stop(self) -> None:
        """Ask the job to end at its next step; one that waits never begins."""
        self._stop.set()
        if self.state == "queued":
            self.state = "stopped"

    def run(self) -> None:
        """Do the work; how it ended is in the state."""
        if self.has_ended:
            return
        self.state = "running"
        try:
            self.work(self)
        except JobStopped:
            self.state = "stopped"
        except LongshotError as error:
            self._fail(error.message, error.hint)
        except Exception as error:  # noqa: BLE001  A worker may not die of one job.
            _log.exception("job %s failed", self.job_id)
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            self._fail(f"the job failed: {reason}", "please report this")
        else:
            self.state = "done"

    def _fail(self, message: str, hint: str) -> None:
        self.error, self.hint = message, hint
        self.state = "failed"


class JobBoard:
    """The jobs of a server, and a worker for each kind."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()
        self._queues: dict[Kind, queue.SimpleQueue[Job | None]] = {
            kind: queue.SimpleQueue() for kind in _KINDS
        }
        self._workers = [
            threading.Thread(target=self._serve, args=(kind,), name=f"{kind} jobs", daemon=True)
            for kind in _KINDS
        ]
        for worker in self._workers:
            worker.start()

    def add(self, job: Job) -> Job:
        """Put a job in its line.

        Raises:
            InputError: too many wait already.
        """
        with self._lock:
            if sum(each.state == "queued" for each in self._jobs.values()) >= _MOST_WAITING:
                raise InputError(
                    f"{_MOST_WAITING} jobs are waiting already", "try again when some have ended"
                )
            self._jobs[job.job_id] = job
            self._forget_old()
        self._queues[job.kind].put(job)
        return job

    def get(self, job_id: str) -> Job | None:
        with self._lock:
            return self._jobs.get(job_id)

    def all(self) -> Sequence[Job]:
        """The jobs, the newest first."""
        with self._lock:
            return list(reversed(self._jobs.values()))

    def close(self, *, wait_s: float) -> None:
        """Stop every job at its next step, and wait at most this long for the workers."""
        for job in self.all():
            job.stop()
        for kind in _KINDS:
            self._queues[kind].put(None)
        deadline_s = time.monotonic() + wait_s
        for worker in self._workers:
            worker.join(max(0.0, deadline_s - time.monotonic()))

    def _serve(self, kind: Kind) -> None:
        while (job := self._queues[kind].get()) is not None:
            job.run()

    def _forget_old(self) -> None:
        ended = [job for job in self._jobs.values() if job.has_ended]
        for job in ended[: max(0, len(self._jobs) - _MOST_KEPT)]:
            del self._jobs[job.job_id]


def job_to_json(job: Job) -> dict[str, Any]:
    """A job as it stands."""
    left_s = job.left_s
    return {
        "id": job.job_id,
        "kind": job.kind,
        "title": job.title,
        "state": job.state,
        "created_at": job.created_at,
        "video_id": job.video_id,
        "run_id": job.run_id,
        "progress": {
            "stage": job.stage,
            "done": round(job.done, 3),
            "total": round(job.total, 3),
            "left_s": None if left_s is None else round(left_s, 1),
        },
        "error": {"message": job.error, "hint": job.hint} if job.error else None,
    }
