"""One strategy's row: accuracy by kind and form with intervals, grounding, calibration, costs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from evals.items import Item, Outcome
from evals.matching import all_f1, is_right, spans_of
from evals.metrics import (
    Share,
    auc,
    brier,
    citation_score,
    ece,
    ece_of_exact,
    groundedness,
    rejection_score,
    seconds_of,
    share,
    temporal_score,
)
from evals.ranking import hit_at_1, mean_ap

KINDS_OVER_ORACLE = {
    "one moment": ("attribute", "place", "direction", "action", "sign", "when", "first"),
    "order, count": ("count", "after", "before", "order", "times", "all"),
}
"""Groups of kinds whose accuracy over the oracle is told apart: those that one moment answers, and
those that take several things, or several moments, and their number or order."""


@dataclass(frozen=True, slots=True)
class Asked:
    """An item, what a strategy made of it, and whether that is right."""

    item: Item
    outcome: Outcome
    right: bool


def asked(item: Item, outcome: Outcome) -> Asked:
    """The item judged."""
    return Asked(item, outcome, is_right(item, outcome))


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
        "over_oracle_by": {
            group: _over([a for a in answers if a.item.kind in kinds], oracle)
            for group, kinds in KINDS_OVER_ORACLE.items()
        },
        "visual_tokens": _mean(answers, lambda o: o.visual_tokens),
        "frames": _mean(answers, lambda o: o.n_frames),
        "distinct_frames": _mean(
            answers, lambda o: math.nan if o.n_distinct is None else o.n_distinct
        ),
        "looks": _mean(answers, lambda o: len(o.looked)),
        "calls": _mean(answers, lambda o: o.calls),
        "seconds": _mean(answers, lambda o: o.seconds),
        "kinds": _by(answers, lambda a: a.item.kind),
        "forms": _by(answers, lambda a: a.item.form),
        "statuses": _statuses(answers),
        "citations": _citations(present),
        "temporal": _temporal(present),
        "all_f1": _all_f1(present),
        "ranked": _ranked(present),
        "absent": _absent(answers),
        "calibration": _calibration(answers),
        "groundedness": grounded,
        "right_without_looking": 1 - grounded,
    }
    return dict(without_nan(row))


def _accuracy(answers: Sequence[Asked]) -> dict[str, Any]:
    found = _share(answers, lambda a: a.right)
    return {"n": found.n, "accuracy": found.value, "low": found.low, "high": found.high}


def _share(answers: Sequence[Asked], holds: Callable[[Asked], bool]) -> Share:
    """Of how many it holds. The forms of one fact are right or wrong together, so the interval is
    that of so many facts."""
    n_facts = len({(a.item.video, a.item.fact) for a in answers})
    return share(sum(map(holds, answers)), len(answers), n_independent=n_facts)


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
    names = (
        *("n_predicted", "precision_by_spans", "precision_by_truths", "precision_by_seconds"),
        *("recall", "f1_by_spans", "f1_by_truths", "f1_by_seconds"),
    )
    means = {name: sum(getattr(s, name) for s in scores) / len(scores) for name in names}
    looked = [seconds_of(a.outcome.looked) for a in present]
    return {"n": len(scores), **means, "looked_s": sum(looked) / len(looked)}


def _ranked(present: Sequence[Asked]) -> dict[str, Any]:
    """mAP and HIT@1 of the citations, best first, over present questions that were not rejected."""
    given = [a for a in present if a.outcome.status != "not_found"]
    if not any(a.outcome.citations for a in given):
        given = []
    pairs = [(a.outcome.citations, a.item.evidence) for a in given]
    return {"n": len(pairs), "map": mean_ap(pairs), "hit_at_1": hit_at_1(pairs)}


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
    false_answers = _share(absent, lambda a: a.outcome.status == "answered")
    rejected = [(a.outcome.status == "not_found", a.item.is_absent) for a in answers]
    rejection = rejection_score(rejected)
    rejections = _share(present, lambda a: a.outcome.status == "not_found")
    return {
        "n": len(absent),
        "false_answers": false_answers.value,
        "false_answers_high": false_answers.high,
        "n_present": len(present),
        "false_rejections": rejections.value,
        "false_rejections_high": rejections.high,
        "rejection_precision": rejection.precision,
        "rejection_recall": rejection.recall,
    }


def _calibration(answers: Sequence[Asked]) -> dict[str, Any]:
    """Of the confidences that there are: of every answer of ours, of the choices alone where one
    prompt is answered. A rejection's confidence is that nothing is there."""
    sure = [(a, a.outcome.confidence) for a in answers if a.outcome.confidence is not None]
    confidences, rights = [c for _, c in sure], [a.right for a, _ in sure]
    facts = [(a.item.video, a.item.fact) for a, _ in sure]
    return {
        "n": len(sure),
        "ece": ece(confidences, rights),
        "ece_of_exact": ece_of_exact(confidences, facts),
        "brier": brier(confidences, rights),
        "auc": auc(
            [c for a, c in sure if a.right],
            [c for a, c in sure if not a.right],
        ),
    }


def without_nan(value: Any) -> Any:
    """The value with None for every figure that is not a number: JSON knows no NaN."""
    if isinstance(value, dict):
        return {key: without_nan(each) for key, each in value.items()}
    return None if isinstance(value, float) and math.isnan(value) else value
