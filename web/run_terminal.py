"""A run on a terminal: the list of runs, and one of them with all its steps."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from rich.console import Console

from agent.types import Answer
from index.run_rows import CallRow, RunRow, StepRow
from web.terminal import (
    cost,
    entry,
    format_span,
    outcome,
    plain_table,
    print_step,
    quoted,
    witnessed,
)

_LEVELS = " ▁▂▃▄▅▆▇█"
_MAP_COLUMNS = 60


def print_runs(out: Console, runs: Sequence[RunRow]) -> None:
    """Runs, the newest first."""
    if not runs:
        out.print("no questions were asked yet")
        return
    table = plain_table("run", "started", "status", "film", "question", "answer", right=())
    for run in runs:
        table.add_row(
            run.run_id,
            run.started_at[:19].replace("T", " "),
            run.status,
            Path(run.video_path).name,
            run.question,
            str(run.answer.get("answer", "")),
        )
    out.print(table)


def print_trace(
    out: Console,
    run: RunRow,
    steps: Sequence[StepRow],
    answer: Answer | None,
    *,
    prompts: bool,
) -> None:
    """Every step of a run: why, what was looked at, what was said, what it cost."""
    print_head(out, run)
    for step in steps:
        print_whole_step(out, step, prompts=prompts)
    print_end(out, run, answer)


def print_head(out: Console, run: RunRow) -> None:
    """What was asked of which film and which models."""
    entry(out, "run", f"{run.run_id}, {run.started_at}")
    entry(out, "film", run.video_path)
    entry(out, "question", run.question)
    for number, option in enumerate(run.options):
        entry(out, "", f"({chr(ord('a') + number)}) {option}")
    entry(out, "models", f"{run.models['videollm']}; {run.models['encoder']}")
    print_parent(out, run)


def print_parent(out: Console, run: RunRow) -> None:
    """What a fork goes on from, and what it changes; nothing for another run."""
    if run.parent_id is None:
        return
    entry(out, "fork of", f"run {run.parent_id}, from step {run.fork_step}")
    for kind, changes in run.fork_changes.items():
        for name, change in changes.items():
            before, after = ("none" if value is None else value for value in change)
            entry(out, "changed", f"{kind} {name}: {before} → {after}")
    if not run.fork_changes:
        entry(out, "changed", "nothing")


def print_whole_step(out: Console, step: StepRow, *, prompts: bool) -> None:
    """A step with its calls, its beliefs and its cost."""
    out.print()
    out.print(f"step {step.step_index}", style="bold")
    print_step(out, step)
    for call in step.calls:
        _print_call(out, call, prompts=prompts)
    if step.belief_after:
        _print_beliefs(out, step)
    if step.usage.get("calls"):
        entry(out, "cost", cost(step.usage))


def print_end(out: Console, run: RunRow, answer: Answer | None) -> None:
    """How a run ended, or that it has not."""
    out.print()
    kind = answer.kind if answer is not None else "moment"
    status = outcome(run.status, answer.answer if answer is not None else "", kind=kind)
    entry(out, "status", f"{status}; {run.stop_reason}" if run.stop_reason else status)
    if answer is not None:
        entry(out, "answer", answer.answer or outcome(answer.status, "", kind=kind))
        for citation in answer.citations:
            entry(out, witnessed(citation), f"{format_span(citation.span)}  {citation.what}")
        entry(out, "cost", cost(answer.usage))


def _print_call(out: Console, call: CallRow, *, prompts: bool) -> None:
    looks = f", looks {' '.join(call.look_ids)}" if call.look_ids else ""
    entry(out, "call", f"{call.prompt_name} ({call.prompt_hash}{looks}): {_result(call)}")
    if prompts:
        for line in call.prompt_text.splitlines():
            entry(out, "", f"| {line}")


def _result(call: CallRow) -> str:
    scores = ", ".join(f"{name} {value:.3f}" for name, value in call.probabilities.items())
    if not call.is_written:
        return scores
    said = quoted(call.output).strip() or "an empty reply"
    return f"{said} ({scores})" if scores else said


def _print_beliefs(out: Console, step: StepRow) -> None:
    if step.belief_before:
        entry(out, "before", f"|{belief_map(step.belief_before)}|")
    absent = "" if step.absent_after is None else f"  nowhere {step.absent_after:.0%}"
    entry(out, "belief", f"|{belief_map(step.belief_after)}|{absent}")


def belief_map(masses: Sequence[float]) -> str:
    """A film's belief from left to right, each column's height against the highest one."""
    n = min(_MAP_COLUMNS, len(masses))
    edges = [round(i * len(masses) / n) for i in range(n + 1)] if n else [0]
    sums = [sum(masses[a:b]) for a, b in pairwise(edges)]
    most = max(sums, default=0.0)
    if most <= 0:
        return " " * n
    return "".join(_LEVELS[round(value / most * (len(_LEVELS) - 1))] for value in sums)
