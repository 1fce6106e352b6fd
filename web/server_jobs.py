"""Routes of questions and of jobs: begin, watch, stop."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from agent.ask import ask, resume
from agent.config import BudgetLimits
from agent.presets import with_budget
from agent.trace import step_to_json
from agent.types import Question
from index.run_rows import RunRow, StepRow
from index.types import Video
from web.jobs import Job, job_to_json
from web.payload import runs_to_json
from web.server_desk import Desk, NotFoundError, film_of
from web.server_library import DeskNeeded

router = APIRouter(tags=["jobs"])

_POLL_S = 0.05
_SIGN_OF_LIFE_S = 10.0
_STREAM_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}


class AskRequest(BaseModel):
    """A question to a film."""

    model_config = ConfigDict(extra="forbid")

    video: str = Field(min_length=1, max_length=4096)
    """Its number, name, hash or path."""
    question: str = Field(max_length=10_000)
    options: list[str] = Field(default_factory=list, max_length=50)
    budget: BudgetLimits = BudgetLimits()
    """Limits that differ from the server's own."""


@router.post("/v1/ask", status_code=202)
def ask_film(desk: DeskNeeded, request: AskRequest) -> dict[str, Any]:
    """Ask a film a question, as a job: its steps come over `/v1/jobs/{id}/events`."""
    with desk.library() as library:
        video = film_of(library, request.video)
    asked = Question(
        " ".join(request.question.split()), tuple(each.strip() for each in request.options)
    )

    def work(job: Job) -> None:
        _ask(desk, job, video, asked, request.budget)

    job = Job("ask", asked.text, work=work, video_id=video.video_id)
    return job_to_json(desk.jobs.add(job))


@router.post("/v1/runs/{run_id}/resume", status_code=202)
def resume_run(desk: DeskNeeded, run_id: str) -> dict[str, Any]:
    """Go on with a run that was broken off, as a job."""
    with desk.runs() as runs:
        run = runs.load(run_id)
    if run is None:
        raise NotFoundError(f"no run {run_id!r}", "see /v1/runs")

    def work(job: Job) -> None:
        models = _models(desk, job)
        with desk.library() as library:
            answer = resume(library, run.run_id, models=models, on_step=_teller(job))
        job.say("answer", answer.to_json())

    job = Job("ask", run.question, work=work, video_id=run.video_id, run_id=run.run_id)
    _begun(desk, job, run)
    return job_to_json(desk.jobs.add(job))


@router.get("/v1/jobs")
def list_jobs(desk: DeskNeeded) -> dict[str, Any]:
    """The jobs since the server began, the newest first."""
    return {"jobs": [job_to_json(job) for job in desk.jobs.all()]}


@router.get("/v1/jobs/{job_id}")
def one_job(desk: DeskNeeded, job_id: str) -> dict[str, Any]:
    return job_to_json(_job(desk, job_id))


@router.delete("/v1/jobs/{job_id}")
def stop_job(desk: DeskNeeded, job_id: str) -> dict[str, Any]:
    """Ask a job to end at its next step. What it has done is kept and can be gone on with."""
    job = _job(desk, job_id)
    job.stop()
    return job_to_json(job)


@router.get("/v1/jobs/{job_id}/events", response_class=StreamingResponse)
async def job_events(
    desk: DeskNeeded,
    request: Request,
    job_id: str,
    last_event_id: Annotated[int | None, Header(ge=-1)] = None,
) -> StreamingResponse:
    """Server-sent events: `job` whenever its state changes, and what it says: `run`, `step`,
    `answer`, `report`. A client that comes back is told what it missed."""
    job = _job(desk, job_id)
    first = 0 if last_event_id is None else last_event_id + 1
    return StreamingResponse(
        _events(job, request, first=first),
        media_type="text/event-stream",
        headers=_STREAM_HEADERS,
    )


async def _events(job: Job, request: Request, *, first: int) -> AsyncIterator[str]:
    position, shown, said_s = first, "", time.monotonic()
    while not await request.is_disconnected():
        # Read before the events: a job that has ended says nothing more.
        has_ended = job.has_ended
        for event in job.events[position:]:
            yield _event(event.name, event.data, number=position)
            position += 1
            said_s = time.monotonic()
        now = json.dumps(job_to_json(job))
        if now != shown:
            yield _event("job", json.loads(now))
            shown, said_s = now, time.monotonic()
        if has_ended:
            return
        if time.monotonic() - said_s > _SIGN_OF_LIFE_S:
            yield ": still here\n\n"
            said_s = time.monotonic()
        await asyncio.sleep(_POLL_S)


def _event(name: str, data: dict[str, Any], *, number: int | None = None) -> str:
    mark = "" if number is None else f"id: {number}\n"
    return f"{mark}event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


def _ask(desk: Desk, job: Job, video: Video, asked: Question, limits: BudgetLimits) -> None:
    models = _models(desk, job)
    settings = desk.config.ask_settings(knows_only_demo_world=models.knows_only_demo_world)
    with desk.library() as library:
        answer = ask(
            library,
            video,
            asked.text,
            options=asked.options,
            models=models,
            settings=with_budget(settings, **limits.model_dump()),
            on_step=_teller(job),
            on_run=lambda run: _begun(desk, job, run),
        )
    job.say("answer", answer.to_json())


def _models(desk: Desk, job: Job) -> Any:
    job.progress("loading the models", done=0, total=0)
    models = desk.models()
    job.progress("asking", done=0, total=0)
    return models


def _begun(desk: Desk, job: Job, run: RunRow) -> None:
    """A run begins, or one that was broken off goes on: what it had done is told first."""
    job.run_id = run.run_id
    job.say("run", {**runs_to_json([run])[0], "settings": run.settings})
    with desk.runs() as runs:
        for step in runs.steps(run.run_id):
            job.say("step", step_to_json(step))


def _teller(job: Job) -> Callable[[StepRow], None]:
    def tell(step: StepRow) -> None:
        job.say("step", step_to_json(step))
        job.check()

    return tell


def _job(desk: Desk, job_id: str) -> Job:
    job = desk.jobs.get(job_id)
    if job is None:
        raise NotFoundError(f"no job {job_id!r}", "jobs are forgotten when the server ends")
    return job
