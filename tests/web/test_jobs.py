"""Jobs: one at a time of a kind, stoppable, never the end of their worker."""

from __future__ import annotations

import threading
import time

from web.jobs import Job, JobBoard, job_to_json


def wait_for(job: Job) -> Job:
    deadline = time.monotonic() + 5
    while not job.has_ended and time.monotonic() < deadline:
        time.sleep(0.005)
    assert job.has_ended
    return job


def test_jobs_of_a_kind_go_one_after_the_other_and_kinds_beside_each_other() -> None:
    board = JobBoard()
    release, order = threading.Event(), []

    def wait(job: Job) -> None:
        release.wait(5)
        order.append("first ask")

    first = board.add(Job("ask", "a", work=wait))
    second = board.add(Job("ask", "b", work=lambda job: order.append("second ask")))
    wait_for(board.add(Job("index", "c", work=lambda job: order.append("index"))))
    assert order == ["index"]
    release.set()
    wait_for(second)
    assert order == ["index", "first ask", "second ask"]
    assert [job.title for job in board.all()] == ["c", "b", "a"]
    assert first.state == "done"
    board.close(wait_s=1)


def test_a_bug_in_a_job_fails_it_and_the_next_one_runs() -> None:
    board = JobBoard()
    broken = wait_for(board.add(Job("ask", "a", work=lambda job: [][1])))
    assert broken.state == "failed"
    assert job_to_json(broken)["error"]["message"].startswith("the job failed: IndexError")
    assert wait_for(board.add(Job("ask", "b", work=lambda job: None))).state == "done"
    board.close(wait_s=1)


def test_a_job_is_stopped_at_its_next_step_or_before_it_begins() -> None:
    board = JobBoard()
    begun = threading.Event()

    def count(job: Job) -> None:
        begun.set()
        for done in range(10_000):
            job.progress("counting", done=done, total=10_000)
            time.sleep(0.001)

    running, waiting = (
        board.add(Job("ask", "a", work=count)),
        board.add(Job("ask", "b", work=count)),
    )
    assert begun.wait(5)
    waiting.stop()
    running.stop()
    assert wait_for(running).state == "stopped"
    assert waiting.state == "stopped"
    board.close(wait_s=1)
    assert waiting.done == 0


def test_the_time_left_follows_from_what_is_done() -> None:
    job = Job("index", "a", work=lambda job: None)
    assert job.left_s is None
    job.state = "running"
    job.progress("reading", done=0, total=4)
    time.sleep(0.05)
    job.progress("reading", done=1, total=4)
    assert job.left_s is not None
    assert 0.15 <= job.left_s < 2
