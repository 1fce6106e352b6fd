"""From outcomes to the report: a row for each strategy, budget and film length, and what they mean
beside each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evals.compare import CurvePoint, paired_difference, tokens_to_reach
from evals.failures import Cause, counted
from evals.rows import Asked, row_of, without_nan
from evals.strategies import ORACLE, OURS


@dataclass(frozen=True, slots=True)
class Series:
    """One strategy at one budget."""

    strategy: str
    budget: int | None
    """Visual tokens a question; None for the oracle, which no budget binds."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A question that an agent got wrong, or cited badly, and the step that lost it."""

    series: Series
    asked: Asked
    cause: Cause


@dataclass(frozen=True, slots=True)
class EvalReport:
    """The rows of an evaluation."""

    rows: tuple[dict[str, Any], ...]
    failures: tuple[dict[str, Any], ...]
    """One for each failed question of an agent: its cause, and its trace's id."""
    about: dict[str, Any]
    """Films, models, settings: what the numbers were made with."""

    def to_json(self) -> dict[str, Any]:
        return {
            "rows": list(self.rows),
            "curves": curves(self.rows),
            "reach": reach(self.rows),
            "failures": list(self.failures),
            "about": self.about,
        }


def report_of(
    answers: Mapping[Series, Sequence[Asked]],
    *,
    failed: Sequence[Failed] = (),
    minutes: float,
    about: dict[str, Any],
) -> EvalReport:
    """Rows in the order of the series.

    Args:
        minutes: length of the films that were asked.
    """
    oracle = {
        a.item.custom_id: a.right
        for s, each in answers.items()
        if s.strategy == ORACLE
        for a in each
    }
    rows = []
    for series, each in answers.items():
        ours = answers.get(Series(OURS, series.budget), ())
        causes = [(f.asked.item.kind, f.cause) for f in failed if f.series == series]
        rows.append(
            {
                **row_of(series.strategy, each, oracle=oracle),
                "budget": series.budget,
                "minutes": minutes,
                "ours_ahead": _ahead(ours, each) if ours and series.strategy != OURS else None,
                "failures": counted(causes),
            }
        )
    failures = tuple(_failure(f, minutes=minutes) for f in failed)
    return EvalReport(tuple(rows), failures, about)


def joined(reports: Sequence[EvalReport]) -> EvalReport:
    """Reports of several film lengths as one."""
    return EvalReport(
        rows=tuple(row for report in reports for row in report.rows),
        failures=tuple(f for report in reports for f in report.failures),
        about={"benchmarks": [report.about for report in reports]},
    )


def curves(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Accuracy against the tokens that were really used: a curve a strategy and length."""
    found: dict[tuple[str, float], list[Mapping[str, Any]]] = {}
    for row in rows:
        found.setdefault((row["strategy"], row["minutes"]), []).append(row)
    names = ("budget", "visual_tokens", "accuracy", "low", "high")
    return [
        {
            "strategy": strategy,
            "minutes": minutes,
            "points": [{name: row[name] for name in names} for row in each],
        }
        for (strategy, minutes), each in found.items()
    ]


def reach(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """For each of our rows: the tokens at which the others are as accurate; None: not up to the
    most that they were measured with, which stand beside them."""
    points: dict[tuple[str, float], list[CurvePoint]] = {}
    for row in rows:
        if row["accuracy"] is not None and row["strategy"] != ORACLE:
            place = points.setdefault((row["strategy"], row["minutes"]), [])
            place.append(CurvePoint(row["visual_tokens"], row["accuracy"]))
    return [
        {
            "minutes": row["minutes"],
            "budget": row["budget"],
            "accuracy": row["accuracy"],
            "visual_tokens": row["visual_tokens"],
            "others": {
                name: tokens_to_reach(each, row["accuracy"])
                for name, each in _others(points, row["minutes"]).items()
            },
            "measured_to": {
                name: max(point.visual_tokens for point in each)
                for name, each in _others(points, row["minutes"]).items()
            },
        }
        for row in rows
        if row["strategy"] == OURS and row["accuracy"] is not None
    ]


def _others(
    points: Mapping[tuple[str, float], list[CurvePoint]], minutes: float
) -> dict[str, list[CurvePoint]]:
    """The measured points of every strategy but ours, of one film length."""
    return {n: each for (n, length), each in points.items() if length == minutes and n != OURS}


def _ahead(ours: Sequence[Asked], other: Sequence[Asked]) -> dict[str, Any]:
    """Our accuracy minus the other's, on the questions that both were asked."""
    common = {a.item.custom_id for a in ours} & {a.item.custom_id for a in other}
    found = paired_difference(_by_fact(ours, common), _by_fact(other, common))
    plain = {"n_facts": found.n_facts, "value": found.value, "low": found.low, "high": found.high}
    return dict(without_nan(plain))


def _by_fact(answers: Sequence[Asked], common: set[str]) -> dict[str, list[float]]:
    facts: dict[str, list[float]] = {}
    for each in answers:
        if each.item.custom_id in common:
            facts.setdefault(each.item.fact, []).append(float(each.right))
    return facts


def _failure(failed: Failed, *, minutes: float) -> dict[str, Any]:
    item, outcome = failed.asked.item, failed.asked.outcome
    return {
        "strategy": failed.series.strategy,
        "budget": failed.series.budget,
        "minutes": minutes,
        "custom_id": item.custom_id,
        "kind": item.kind,
        "right": failed.asked.right,
        "cause": failed.cause,
        "answer": outcome.answer,
        "truth": item.answer,
        "stop_reason": outcome.note,
        "trace_id": outcome.run_id,
    }
