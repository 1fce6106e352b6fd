"""Whether the answers of a batch are right, where its file says so, and how many of what kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.batch_lines import BatchQuestion
from agent.chat_shape import answer_in
from agent.films import same_film
from agent.plan import times_in
from evals.items import Item, Outcome
from evals.matching import is_right, same_words
from index.types import Span

_KINDS = {"count": "times"}
"""The agent's kinds to those of the matching rules, where these differ."""
NO_FILM = "(whole library)"


@dataclass(frozen=True, slots=True)
class SummaryRow:
    """What became of the questions of one film and kind."""

    video: str
    """The film's path; the name that was given where no file is there."""
    kind: str
    n: int
    n_answered: int
    n_not_found: int
    n_guesses: int
    n_failed: int
    n_judged: int
    """Answered in any way, with a right answer in the file."""
    n_right: int
    tokens: int
    """Read and written by the VideoLLM."""
    seconds: float

    @property
    def accuracy(self) -> float | None:
        return self.n_right / self.n_judged if self.n_judged else None


def right_or_not(question: BatchQuestion, answer: Mapping[str, Any]) -> bool | None:
    """Whether an answer's JSON is what the file calls right; None: the file does not say."""
    if question.answer is None and question.status != "not_found" and not question.evidence:
        return None
    if str(answer["kind"]).startswith("library") and not question.options:
        return _right_of_library(question, answer)
    return is_right(_item(question, answer), _outcome(answer))


def summary_rows(
    questions: Sequence[BatchQuestion],
    lines: Mapping[str, Mapping[str, Any]],
    *,
    videos: Path | None = None,
) -> list[SummaryRow]:
    """A row for each film and kind, in the order of the questions; those without a line are left
    out.

    Args:
        videos: folder in which films were looked for first.
    """
    answered = [q for q in questions if q.custom_id in lines]
    films = _films(answered, lines, videos)
    groups: dict[tuple[str, str], list[tuple[BatchQuestion, Mapping[str, Any]]]] = {}
    for question in answered:
        line = lines[question.custom_id]
        film = NO_FILM if question.video is None else films[question.video]
        key = (film, question.kind or _kind_of(line))
        groups.setdefault(key, []).append((question, line))
    return [_row(video, kind, pairs) for (video, kind), pairs in groups.items()]


def _films(
    questions: Sequence[BatchQuestion], lines: Mapping[str, Mapping[str, Any]], videos: Path | None
) -> dict[str, str]:
    """Each name of a film to the one path that stands for all its names.

    Which film a name meant, an answer says; where a name has none, the file that it leads to.
    """
    paths: dict[str, str] = {}
    for question in questions:
        response = lines[question.custom_id]["response"]
        if question.video is not None and response:
            path = answer_in(response).get("video") or question.video
            paths.setdefault(question.video, same_film(None, path, folder=None))
    names = {q.video for q in questions if q.video is not None and q.video not in paths}
    return paths | {name: same_film(None, name, folder=videos) for name in names}


def total_of(rows: Sequence[SummaryRow], *, video: str = "", kind: str = "") -> SummaryRow:
    """Rows added up, under another name."""
    names = ("n", "n_answered", "n_not_found", "n_guesses", "n_failed", "n_judged", "n_right")
    counts = {name: sum(getattr(row, name) for row in rows) for name in (*names, "tokens")}
    seconds = sum(row.seconds for row in rows)
    return SummaryRow(video=video, kind=kind, seconds=seconds, **counts)


def _row(
    video: str, kind: str, pairs: Sequence[tuple[BatchQuestion, Mapping[str, Any]]]
) -> SummaryRow:
    answers = [(q, answer_in(line["response"])) for q, line in pairs if line["response"]]
    statuses = [answer["status"] for _, answer in answers]
    judged = [r for r in (right_or_not(q, a) for q, a in answers) if r is not None]
    usages = [answer["usage"] for _, answer in answers]
    return SummaryRow(
        video=video,
        kind=kind,
        n=len(pairs),
        n_answered=statuses.count("answered"),
        n_not_found=statuses.count("not_found"),
        n_guesses=statuses.count("out_of_budget"),
        n_failed=len(pairs) - len(answers),
        n_judged=len(judged),
        n_right=sum(judged),
        tokens=int(sum(u.get("input_tokens", 0) + u.get("output_tokens", 0) for u in usages)),
        seconds=sum(u.get("seconds", 0.0) for u in usages),
    )


def _kind_of(line: Mapping[str, Any]) -> str:
    return str(answer_in(line["response"])["kind"]) if line["response"] else "?"


def _right_of_library(question: BatchQuestion, answer: Mapping[str, Any]) -> bool:
    """Names of films as a set, by file name or stem; words else."""
    if question.status == "not_found":
        return bool(answer["status"] == "not_found")
    if answer["kind"] != "library films":
        return same_words(answer["answer"], question.answer or "")
    return _film_names(answer["answer"]) == _film_names(question.answer or "")


def _film_names(text: str) -> set[str]:
    names = (name.strip().casefold() for name in text.split(","))
    return {name.rsplit(".", 1)[0] for name in names if name}


def _item(question: BatchQuestion, answer: Mapping[str, Any]) -> Item:
    kind = question.kind or _KINDS.get(str(answer["kind"]), str(answer["kind"]))
    expected = question.answer or ""
    spans = tuple(Span(start, end) for start, end in question.evidence if start < end)
    return Item(
        custom_id=question.custom_id,
        video=question.video or "",
        kind=kind,
        form="choice" if question.options else "open",
        question=question.question,
        options=question.options,
        answer=_chosen(expected, question.options),
        evidence=spans or tuple(times_in(expected)),
        status="not_found" if question.status == "not_found" else "answered",
    )


def _chosen(expected: str, options: Sequence[str]) -> str:
    """The option that is meant: by its text, or else by its letter, as benchmarks often write."""
    letter = expected.strip(" ().").lower()
    if options and expected not in options and len(letter) == 1 and letter.isalpha():
        position = ord(letter) - ord("a")
        if 0 <= position < len(options):
            return options[position]
    return expected


def _outcome(answer: Mapping[str, Any]) -> Outcome:
    return Outcome(
        answer=answer["answer"],
        choice=answer["choice"],
        status=answer["status"],
        confidence=answer["confidence"],
        citations=tuple(Span(c["start"], c["end"]) for c in answer["citations"]),
        spans=tuple(Span(start, end) for start, end in answer["spans"]),
        looked=(),
        n_frames=0,
        visual_tokens=int(answer["usage"].get("visual_tokens", 0)),
        calls=int(answer["usage"].get("calls", 0)),
        seconds=float(answer["usage"].get("seconds", 0.0)),
    )
