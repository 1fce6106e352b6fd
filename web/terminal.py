"""How results look on a terminal: steps, answers, moments, figures.

Only words and layout stand here. Everything reads the same without colour and through a pipe;
nothing that comes from a film, a model or a person is taken for markup.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.filesize import decimal
from rich.table import Table
from rich.text import Text

from agent.types import Answer, Citation
from index.build import BuildReport, Failure, FilmWords
from index.run_rows import CallRow, LookRow, StepRow
from index.stats import LibraryStats
from index.times import format_time
from index.types import Span, Video

if TYPE_CHECKING:
    from agent.estimate import QuestionEstimate
    from index.doctor import Check

DEMO_NOTICE = (
    "These are the embedded demo models. They know only the demo world (`longshot demo film`); "
    "what they say about any other film means nothing."
)
_PIPE_WIDTH = 160
STATUSES = {
    "answered": "answered",
    "not_found": "not in this film",
    "out_of_budget": "a guess: the search was not sure of it",
    "running": "not finished",
}
_NO_ANSWER = "no answer: the search ended before it was sure"


def console(*, error: bool = False) -> Console:
    """Standard output, or standard error, without markup."""
    is_terminal = (sys.stderr if error else sys.stdout).isatty()
    return Console(
        stderr=error,
        markup=False,
        highlight=False,
        emoji=False,
        width=None if is_terminal else _PIPE_WIDTH,
    )


def format_span(span: Span) -> str:
    """ "0:01:27–0:01:32", with tenths where whole seconds would say nothing."""
    decimals = 0 if span.duration_s >= 2 else 1
    start, end = (format_time(t, decimals=decimals) for t in (span.start_s, span.end_s))
    return f"{start}–{end}"


# -- steps


def print_step(out: Console, step: StepRow) -> None:
    """A step while it goes: its reason, what was looked at and what that showed."""
    entry(out, step.node, step.why)
    for line in _details(step):
        entry(out, "", line)


def _details(step: StepRow) -> Iterable[str]:
    if step.node == "plan" and step.data.get("subject"):
        yield f"looking for: {step.data['subject']}"
    if step.node == "words":
        for found in step.data["passages"]:
            span = format_span(Span(found["start"], found["end"]))
            yield f"{span}  {found['share']:.0%} in {found['source']}{quoted(found['text'])}"
    if step.node == "survey" and step.data.get("shortlist_s"):
        yield "candidates at " + ", ".join(format_time(t) for t in step.data["shortlist_s"])
    for request in step.data.get("requests") or ():
        yield f"the model asks for {_request(request)}"
    for look in step.looks:
        yield f"{_look(look)}: {look.why}{_cached(step, look)}"
    for finding in step.findings:
        yield f"{format_span(finding.span)}  P(yes) {finding.p_yes:.2f}{quoted(finding.text)}"
    if step.node == "answer":
        yield from (_outcome(call) for call in step.calls)


def _request(request: Mapping[str, object]) -> str:
    """A request in words, whatever the node keeps of it."""
    start, end = request.get("start"), request.get("end")
    if isinstance(start, int | float) and isinstance(end, int | float) and 0 <= start < end:
        fps = request.get("fps")
        at = f" at {fps:g} fps" if isinstance(fps, int | float) else ""
        return f"{format_span(Span(start, end))}{at}"
    return ", ".join(f"{key} {value}" for key, value in request.items())


def _look(look: LookRow) -> str:
    return (
        f"{format_span(look.span)}  {len(look.times_s)} frames of {look.width_px}×{look.height_px}"
        f" ({look.fps:.2g} fps, {look.tokens} tokens)"
    )


def _cached(step: StepRow, look: LookRow) -> str:
    """How many frames needed no decoding; nothing where none, or where it was not recorded."""
    n = step.data.get("cached_frames", {}).get(look.look_id)
    return f" ({n} of {len(look.times_s)} frames from the cache)" if n else ""


def _outcome(call: CallRow) -> str:
    if call.is_written:
        return f"said{quoted(call.output) or ' nothing'}"
    shown = ", ".join(f"{name} {value:.2f}" for name, value in call.probabilities.items())
    return f"{call.prompt_name}: {shown}"


def quoted(text: str) -> str:
    """Words on one line in quotes, with a space before them; nothing where there are none."""
    return f" “{' '.join(text.split())}”" if text.strip() else ""


# -- answers


def print_estimate(out: Console, estimate: QuestionEstimate) -> None:
    """The most that a question will cost, before it is asked."""
    text = (
        f"at most {estimate.most.visual_tokens:,} visual tokens, {estimate.looks} looks of about"
        f" {estimate.tokens_per_look} tokens"
    )
    entry(out, "budget", text)


def print_answer(out: Console, answer: Answer, video: Video) -> None:
    """The end of a run: reply, cited spans, cost."""
    out.print()
    ended = outcome(answer.status, answer.answer, kind=answer.kind)
    sure = f"confidence {answer.confidence:.2f}"
    said = f"  ({ended}, {sure})" if answer.answer else f"  ({sure})"
    reply = answer.answer or ended
    out.print(Text.assemble((f"Answer: {reply}", "bold"), said), soft_wrap=True)
    for citation in answer.citations:
        link = f"{video.path}#t={citation.span.start_s:.3f},{citation.span.end_s:.3f}"
        entry(out, witnessed(citation), f"{format_span(citation.span)}  {citation.what}  {link}")
    entry(out, "cost", cost(answer.usage))
    entry(out, "ended", answer.stop_reason)
    for note in answer.notes:
        entry(out, "note", note)
    entry(out, "trace", f"longshot trace show {answer.run_id}")


def outcome(status: str, reply: str, *, kind: str = "moment") -> str:
    """How a question ended, in words: a guess that is none is no answer."""
    if kind == "whole" and status == "not_found":
        return "no answer"  # No film lacks what it is about.
    return _NO_ANSWER if status == "out_of_budget" and not reply else STATUSES.get(status, status)


def witnessed(citation: Citation) -> str:
    """How a citation's span was met with."""
    return "said" if citation.lane == "words" else "seen"


def cost(usage: Mapping[str, float]) -> str:
    """What was spent, in words."""
    named = (("visual_tokens", "visual token"), ("looks", "look"), ("calls", "call"))
    parts = [_count(usage[key], word) for key, word in named if key in usage]
    return ", ".join([*parts, f"{usage['seconds']:.1f} s"])


def _count(n: float, word: str, several: str = "") -> str:
    return f"{n:,.0f} {word}" if n == 1 else f"{n:,.0f} {several or f'{word}s'}"


# -- library


def print_report(out: Console, errors: Console, report: BuildReport) -> None:
    """What an indexing run did; what failed goes to the errors."""
    for video in report.indexed:
        entry(out, "indexed", _film(video))
    for video in report.unchanged:
        entry(out, "unchanged", _film(video))
    for copy in report.copies:
        entry(out, "copy", f"{copy.video.video_id}  {copy.path} (the same as {copy.video.path})")
    for failure in report.failures:
        print_failure(errors, failure)
    print_words(out, errors, report.words)
    n_failed = len(report.failures)
    failed = f", {n_failed} failed" if n_failed else ""
    copies = f", {_count(len(report.copies), 'copy', 'copies')}" if report.copies else ""
    out.print(
        f"{len(report.indexed)} indexed, {len(report.unchanged)} unchanged{copies}{failed}"
        f" in {report.seconds:.1f} s",
        soft_wrap=True,
    )


def print_failure(errors: Console, failure: Failure) -> None:
    hint = f" ({failure.hint})" if failure.hint else ""
    errors.print(f"failed: {failure.message}{hint}", soft_wrap=True)


def counted_words(counts: Mapping[str, int]) -> str:
    """ "12 subtitles, 3 screen", or "none"."""
    return ", ".join(f"{n} {source}" for source, n in counts.items()) or "none"


def print_words(out: Console, errors: Console, words: Sequence[FilmWords]) -> None:
    """The timed words of films after an indexing run; what could not be read goes to the errors."""
    for each in words:
        name = each.video.path.name
        if each.counts:
            tracks = ", ".join(each.tracks)
            entry(out, "words", f"{name}: {counted_words(each.counts)} ({tracks})")
        for problem in each.problems if each.changed else ():
            errors.print(f"words of {name}: {problem}", soft_wrap=True)


def print_stats(out: Console, stats: LibraryStats, runs: Mapping[str, int]) -> None:
    """A library in figures."""
    entry(out, "library", str(stats.folder))
    entry(out, "encoder", stats.encoder or "none yet")
    entry(out, "films", f"{len(stats.videos)}, together {format_time(stats.duration_s)}")
    entry(out, "size", decimal(stats.size_bytes))
    counted = ", ".join(f"{n} {STATUSES.get(status, status)}" for status, n in runs.items())
    entry(out, "runs", counted or "none")
    if not stats.videos:
        return
    table = plain_table(
        "no", "length", "size", "shots", "clips", "words", "film", right=(0, 1, 3, 4)
    )
    for each in stats.videos:
        facts = each.video.facts
        table.add_row(
            str(each.video.video_id),
            format_time(facts.duration_s),
            f"{facts.width_px}×{facts.height_px}" if each.video.has_pictures else "sound",
            str(each.n_shots),
            str(each.n_clips),
            counted_words(each.words),
            _where(each.video),
        )
    out.print(table)


def _film(video: Video) -> str:
    notes = f" ({'; '.join(video.facts.notes)})" if video.facts.notes else ""
    return f"{video.video_id}  {format_time(video.facts.duration_s)}  {video.path}{notes}"


def _where(video: Video) -> str:
    return str(video.path) if video.path.exists() else f"{video.path} (not there any more)"


def print_checks(out: Console, checks: Sequence[Check]) -> None:
    """What this machine has and lacks; marks that are words, for readers without colour."""
    for check in checks:
        hint = f"  → {check.hint}" if check.hint else ""
        style = {"ok": "green", "warn": "yellow"}.get(check.status, "red")
        out.print(
            Text.assemble((f"{check.status:<8}", style), f"{check.name}: {check.detail}{hint}"),
            soft_wrap=True,
        )


# -- layout


def entry(out: Console, name: str, text: str) -> None:
    """A line with its name in front."""
    out.print(Text.assemble((f"{name:<10}", "bold cyan"), " ", text), soft_wrap=True)


def plain_table(*names: str, right: Sequence[int]) -> Table:
    """A table without lines; columns at the positions in `right` are flush right."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for position, name in enumerate(names):
        table.add_column(name, justify="right" if position in right else "left", overflow="fold")
    return table
