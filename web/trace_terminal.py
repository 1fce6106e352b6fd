"""Traces on a terminal: stepping through a run, two runs side by side."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from agent.lineage import is_from_parent
from agent.trace_diff import Difference, StepPair, TraceDiff
from agent.types import Answer
from index.run_rows import RunRow, StepRow
from web.run_terminal import print_end, print_head, print_whole_step
from web.terminal import cost, entry, format_span

_KEYS = "[enter] next   [b] back   [a number] that step   [p] prompts   [q] leave"
_MOST_CHARACTERS = 60


# -- replay


def replay_plain(
    out: Console, run: RunRow, steps: Sequence[StepRow], answer: Answer | None
) -> None:
    """Every step in order, each with what had been spent by then."""
    print_head(out, run)
    for position in range(len(steps)):
        _print_step(out, run, steps, position, prompts=False)
    print_end(out, run, answer)


def replay_by_hand(
    out: Console,
    run: RunRow,
    steps: Sequence[StepRow],
    answer: Answer | None,
    *,
    read_line: Callable[[], str],
) -> None:
    """One step at a time, forward and back; after the last one the answer.

    Args:
        read_line: what the person typed; raises EOFError at the end of the input.
    """
    print_head(out, run)
    position, prompts = 0, False
    while True:
        if position < len(steps):
            _print_step(out, run, steps, position, prompts=prompts)
        else:
            print_end(out, run, answer)
        out.print(_KEYS, style="dim")
        try:
            word = read_line().strip().lower()
        except EOFError:
            return
        if word in ("q", "quit"):
            return
        prompts = word == "p"
        position = _next_position(word, position, last=len(steps))


def _next_position(word: str, position: int, *, last: int) -> int:
    """Where a key leads; the position after the last step is the answer."""
    if word == "p":
        return position
    if word in ("b", "back"):
        return max(0, position - 1)
    if word.isdecimal():
        return min(int(word), last)
    return min(position + 1, last)


def _print_step(
    out: Console, run: RunRow, steps: Sequence[StepRow], position: int, *, prompts: bool
) -> None:
    step = steps[position]
    print_whole_step(out, step, prompts=prompts)
    if is_from_parent(run, step):
        entry(out, "taken", f"over from run {run.parent_id}")
    entry(out, "so far", _so_far(run, steps[: position + 1]))


def _so_far(run: RunRow, steps: Sequence[StepRow]) -> str:
    """Spent of given, after some steps."""
    names = ("visual_tokens", "calls", "seconds")
    spent = {name: sum(step.usage.get(name, 0) for step in steps) for name in names}
    spent["looks"] = sum(len(step.looks) for step in steps)
    limits = run.settings["budget"]
    order = ("visual_tokens", "looks", "calls", "seconds")
    return ", ".join(f"{spent[n]:,.0f} of {limits[n]:,.0f} {n.replace('_', ' ')}" for n in order)


# -- two runs


def print_diff(out: Console, diff: TraceDiff) -> None:
    """What differs before, where the runs part, both from there on, and how they end."""
    a, b = diff.a.run.run_id, diff.b.run.run_id
    if diff.setup:
        out.print(_differences("begun with", diff.setup, a, b))
        out.print()
    parts = diff.parts_at
    if parts is None:
        out.print(f"all {len(diff.pairs)} steps are the same")
    else:
        about = ", ".join(parts.differs)
        out.print(f"the runs part at step {parts.step_index}: {about}", style="bold")
        out.print(_steps(diff.pairs[max(0, parts.step_index - 1) :], a, b))
    out.print()
    if diff.outcome:
        out.print(_differences("ended with", diff.outcome, a, b))
    else:
        out.print("both ended alike")
    if diff.cited_tiou is not None:
        entry(out, "cited", f"the spans overlap by {diff.cited_tiou:.0%} of what either cites")


def _differences(title: str, rows: Sequence[Difference], a: str, b: str) -> Table:
    table = _table(title, a, b)
    for row in rows:
        table.add_row(row.what, _short(row.a), _short(row.b))
    return table


def _steps(pairs: Sequence[StepPair], a: str, b: str) -> Table:
    table = _table("step", a, b)
    for pair in pairs:
        mark = "≠" if pair.differs else "="
        table.add_row(f"{pair.step_index} {mark}", _step_text(pair.a), _step_text(pair.b))
    return table


def _step_text(step: StepRow | None) -> Text:
    if step is None:
        return Text("(had ended)", style="dim")
    lines = [f"{step.node}: {step.why}"]
    lines += [f"looked at {format_span(k.span)}, {len(k.times_s)} frames" for k in step.looks]
    lines += [f"{format_span(f.span)} shows it: {f.confidence:.2f}" for f in step.findings]
    lines += [f"said “{' '.join(c.output.split())}”" for c in step.calls if c.output.strip()]
    if step.usage.get("calls"):
        lines.append(cost({k: v for k, v in step.usage.items() if k != "looks"}))
    return Text("\n".join(lines))


def _table(*names: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in names:
        table.add_column(name, overflow="fold")
    return table


def _short(value: Any) -> Text:
    if value is None:
        return Text("–", style="dim")
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = " ".join(text.split())
    return Text(text if len(text) <= _MOST_CHARACTERS else f"{text[: _MOST_CHARACTERS - 1]}…")
