"""From outcomes to the table: one row a strategy, with intervals, by kind and by form."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evals.items import Item, Outcome
from evals.matching import all_f1, is_right, spans_of
from evals.metrics import (
    brier,
    citation_score,
    ece,
    groundedness,
    seconds_of,
    share,
    temporal_score,
)


@dataclass(frozen=True, slots=True)
class Asked:
    """An item, what a strategy made of it, and whether that is right."""

    item: Item
    outcome: Outcome
    right: bool


def asked(item: Item, outcome: Outcome) -> Asked:
    """The item judged."""
    return Asked(item, outcome, is_right(item, outcome))


@dataclass(frozen=True, slots=True)
class EvalReport:
    """The rows of an evaluation."""

    rows: tuple[dict[str, Any], ...]
    about: dict[str, Any]
    """Films, models, settings: what the numbers were made with."""

    def to_json(self) -> dict[str, Any]:
        return {"rows": list(self.rows), "about": self.about}

    def table(self) -> str:
        """Plain text, two tables: the strategies, and their accuracy by kind."""
        return f"{_main_table(self.rows)}\n\n{_kind_table(self.rows)}"


def report_of(answers: Mapping[str, Sequence[Asked]], *, about: dict[str, Any]) -> EvalReport:
    """Rows in the order of the strategies."""
    oracle = {a.item.custom_id: a.right for a in answers.get("oracle", ())}
    rows = [row_of(name, each, oracle=oracle) for name, each in answers.items()]
    return EvalReport(tuple(rows), about)


def row_of(strategy: str, answers: Sequence[Asked], *, oracle: dict[str, bool]) -> dict[str, Any]:
    """One strategy's figures; costs are means a question. None stands where nothing was measured.

    Args:
        oracle: which questions the oracle gets right, for accuracy over the oracle.
    """
    present = [a for a in answers if not a.item.is_absent]
    right = [a for a in present if a.right]
    grounded = groundedness([(a.outcome.looked, a.item.evidence) for a in right])
    row = {
        "strategy": strategy,
        **_accuracy(answers),
        "over_oracle": _over(answers, oracle),
        "visual_tokens": _mean(answers, lambda o: o.visual_tokens),
        "frames": _mean(answers, lambda o: o.n_frames),
        "looks": _mean(answers, lambda o: len(o.looked)),
        "calls": _mean(answers, lambda o: o.calls),
        "seconds": _mean(answers, lambda o: o.seconds),
        "kinds": _by(answers, lambda a: a.item.kind),
        "forms": _by(answers, lambda a: a.item.form),
        "statuses": _statuses(answers),
        "citations": _citations(present),
        "temporal": _temporal(present),
        "all_f1": _all_f1(present),
        "absent": _absent(answers),
        "calibration": _calibration(answers),
        "groundedness": grounded,
        "right_without_looking": 1 - grounded,
    }
    return {key: _without_nan(value) for key, value in row.items()}


def _accuracy(answers: Sequence[Asked]) -> dict[str, Any]:
    found = share(sum(a.right for a in answers), len(answers))
    return {"n": found.n, "accuracy": found.value, "low": found.low, "high": found.high}


def _over(answers: Sequence[Asked], oracle: dict[str, bool]) -> float:
    """Accuracy divided by the oracle's, on the questions that the oracle was asked."""
    common = [a for a in answers if a.item.custom_id in oracle]
    ceiling = sum(oracle[a.item.custom_id] for a in common)
    return sum(a.right for a in common) / ceiling if ceiling else math.nan


def _mean(answers: Sequence[Asked], cost: Callable[[Outcome], float]) -> float:
    return sum(cost(a.outcome) for a in answers) / len(answers) if answers else math.nan


def _by(answers: Sequence[Asked], key: Callable[[Asked], str]) -> dict[str, Any]:
    names = list(dict.fromkeys(key(a) for a in answers))
    return {name: _accuracy([a for a in answers if key(a) == name]) for name in names}


def _statuses(answers: Sequence[Asked]) -> dict[str, int]:
    names = ("answered", "not_found", "out_of_budget")
    return {name: sum(a.outcome.status == name for a in answers) for name in names}


def _citations(present: Sequence[Asked]) -> dict[str, Any]:
    """Over present questions that were not rejected; empty for strategies that cite nothing."""
    given = [a for a in present if a.outcome.status != "not_found"]
    if not any(a.outcome.citations for a in given):
        given = []
    found = citation_score([(a.outcome.citations, a.item.evidence) for a in given])
    recalls = {f"r1_{at:g}": value for at, value in found.recall_at_1.items()}
    return {"n": found.n, "miou": found.miou, **recalls}


def _temporal(present: Sequence[Asked]) -> dict[str, Any]:
    """Means over present questions; the prediction is what is cited, else what was looked at."""
    scores = [
        temporal_score(a.outcome.citations or a.outcome.looked, a.item.evidence) for a in present
    ]
    if not scores:
        return {"n": 0}
    names = ("precision_by_spans", "precision_by_seconds", "recall", "f1_by_spans", "f1_by_seconds")
    means = {name: sum(getattr(s, name) for s in scores) / len(scores) for name in names}
    looked = [seconds_of(a.outcome.looked) for a in present]
    return {"n": len(scores), **means, "looked_s": sum(looked) / len(looked)}


def _all_f1(present: Sequence[Asked]) -> float:
    """Mean F1 of the moments found, over open "all the times" questions."""
    asked_for = [a for a in present if a.item.kind == "all" and not a.item.options]
    scores = [all_f1(spans_of(a.outcome), a.item.evidence) for a in asked_for]
    return sum(scores) / len(scores) if scores else math.nan


def _absent(answers: Sequence[Asked]) -> dict[str, Any]:
    """False answers among absent questions, false rejections among the others.

    A best guess that is marked as one is no false answer.
    """
    absent = [a for a in answers if a.item.is_absent]
    present = [a for a in answers if not a.item.is_absent]
    false_answers = share(sum(a.outcome.status == "answered" for a in absent), len(absent))
    rejections = share(sum(a.outcome.status == "not_found" for a in present), len(present))
    return {
        "n": len(absent),
        "false_answers": false_answers.value,
        "false_answers_high": false_answers.high,
        "n_present": len(present),
        "false_rejections": rejections.value,
        "false_rejections_high": rejections.high,
    }


def _calibration(answers: Sequence[Asked]) -> dict[str, Any]:
    """Of the confidences that there are; a rejection's confidence is that nothing is there."""
    sure = [(a.outcome.confidence, a.right) for a in answers if a.outcome.confidence is not None]
    confidences, rights = [c for c, _ in sure], [r for _, r in sure]
    return {"n": len(sure), "ece": ece(confidences, rights), "brier": brier(confidences, rights)}


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(each) for key, each in value.items()}
    return None if isinstance(value, float) and math.isnan(value) else value


# -- text

_COLUMNS: tuple[tuple[str, Callable[[dict[str, Any]], str]], ...] = (
    ("strategy", lambda r: str(r["strategy"])),
    ("n", lambda r: str(r["n"])),
    ("accuracy", lambda r: _percent(r["accuracy"])),
    ("95 %", lambda r: f"{100 * r['low']:.0f}–{100 * r['high']:.0f}"),
    ("/oracle", lambda r: _number(r["over_oracle"], 2)),
    ("tokens", lambda r: _number(r["visual_tokens"], 0)),
    ("frames", lambda r: _number(r["frames"], 0)),
    ("looks", lambda r: _number(r["looks"], 1)),
    ("calls", lambda r: _number(r["calls"], 1)),
    ("seconds", lambda r: _number(r["seconds"], 1)),
    ("mIoU", lambda r: _number(r["citations"]["miou"], 2)),
    ("R@1 .5", lambda r: _number(r["citations"]["r1_0.5"], 2)),
    ("false ans.", lambda r: _percent(r["absent"]["false_answers"])),
    ("false rej.", lambda r: _percent(r["absent"]["false_rejections"])),
    ("ECE", lambda r: _number(r["calibration"]["ece"], 2)),
    ("grounded", lambda r: _percent(r["groundedness"])),
)


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f} %"


def _number(value: float | None, n_decimals: int) -> str:
    return "–" if value is None else f"{value:.{n_decimals}f}"


def _main_table(rows: Sequence[dict[str, Any]]) -> str:
    return _aligned(
        [[name for name, _ in _COLUMNS], *([show(r) for _, show in _COLUMNS] for r in rows)]
    )


def _kind_table(rows: Sequence[dict[str, Any]]) -> str:
    kinds = list(dict.fromkeys(kind for row in rows for kind in row["kinds"]))
    lines = [["kind", *(str(row["strategy"]) for row in rows)]]
    for kind in kinds:
        lines.append([kind, *(_kind_cell(row["kinds"].get(kind)) for row in rows)])
    for form in dict.fromkeys(form for row in rows for form in row["forms"]):
        lines.append([f"({form})", *(_kind_cell(row["forms"].get(form)) for row in rows)])
    return _aligned(lines)


def _kind_cell(found: dict[str, Any] | None) -> str:
    return "–" if found is None else f"{_percent(found['accuracy'])} of {found['n']}"


def _aligned(lines: Sequence[Sequence[str]]) -> str:
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )
