"""The tables of an evaluation as plain text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from evals.failures import CAUSES
from evals.report import EvalReport, reach
from evals.rows import KINDS_OVER_ORACLE

Row = Mapping[str, Any]
Column = tuple[str, Callable[[Row], str]]

_MAIN: tuple[Column, ...] = (
    ("n", lambda r: str(r["n"])),
    ("accuracy", lambda r: percent(r["accuracy"])),
    ("95 %", lambda r: f"{100 * r['low']:.0f}–{100 * r['high']:.0f}"),
    ("/oracle", lambda r: number(r["over_oracle"], 2)),
    ("ours ahead", lambda r: _ahead(r["ours_ahead"])),
    ("tokens", lambda r: number(r["visual_tokens"], 0)),
    ("frames", lambda r: number(r["frames"], 0)),
    ("distinct", lambda r: number(r["distinct_frames"], 0)),
    ("looks", lambda r: number(r["looks"], 1)),
    ("calls", lambda r: number(r["calls"], 1)),
    ("seconds", lambda r: number(r["seconds"], 2)),
)
_TRUST: tuple[Column, ...] = (
    *(
        (f"/oracle {group}", lambda r, group=group: number(r["over_oracle_by"][group], 2))
        for group in KINDS_OVER_ORACLE
    ),
    ("false answers", lambda r: _at_most(r["absent"], "false_answers", of="n")),
    ("false rejections", lambda r: _at_most(r["absent"], "false_rejections", of="n_present")),
    ("rejects P", lambda r: number(r["absent"]["rejection_precision"], 2)),
    ("rejects R", lambda r: number(r["absent"]["rejection_recall"], 2)),
    ("grounded", lambda r: percent(r["groundedness"])),
    ("ECE", lambda r: number(r["calibration"]["ece"], 2)),
    ("exact ≤", lambda r: number(r["calibration"]["ece_of_exact"], 2)),
    ("Brier", lambda r: number(r["calibration"]["brier"], 2)),
    ("AUC", lambda r: number(r["calibration"]["auc"], 2)),
    ("of", lambda r: str(r["calibration"]["n"])),
)
TRUST_NOTE = (
    "/oracle: right answers over the oracle's, by kinds of questions. After ≤: the upper end of the"
    " 95 % interval. Rejects P: of the questions that were rejected, those that are absent; R: of"
    " the absent ones, those that were. Grounded: of right answers; the others are right without"
    " looking. Exact ≤: what the ECE of exact confidences stays below in 19 of 20 draws. AUC:"
    " how often a right answer is surer than a wrong one. All of so many answers: the baselines'"
    " open ones have no confidence."
)
_IN_TIME: tuple[Column, ...] = (
    ("K", lambda r: number(r["temporal"].get("n_predicted"), 1)),
    ("P spans", lambda r: number(r["temporal"].get("precision_by_spans"), 2)),
    ("P truths", lambda r: number(r["temporal"].get("precision_by_truths"), 2)),
    ("P seconds", lambda r: number(r["temporal"].get("precision_by_seconds"), 2)),
    ("recall", lambda r: number(r["temporal"].get("recall"), 2)),
    ("F1 spans", lambda r: number(r["temporal"].get("f1_by_spans"), 2)),
    ("F1 truths", lambda r: number(r["temporal"].get("f1_by_truths"), 2)),
    ("F1 seconds", lambda r: number(r["temporal"].get("f1_by_seconds"), 2)),
    ("mIoU", lambda r: number(r["citations"]["miou"], 2)),
    ("R@1 .3", lambda r: number(r["citations"]["r1_0.3"], 2)),
    ("R@1 .5", lambda r: number(r["citations"]["r1_0.5"], 2)),
    ("R@1 .7", lambda r: number(r["citations"]["r1_0.7"], 2)),
    ("mAP", lambda r: number(r["ranked"]["map"], 2)),
    ("HIT@1", lambda r: number(r["ranked"]["hit_at_1"], 2)),
    ("all F1", lambda r: number(r["all_f1"], 2)),
)
TIME_NOTE = (
    "In time, with a tolerance of 5 s: K = cited (else looked-at) spans, a question's mean; P spans"
    " = those near a true one / K; P truths = true spans met / K; P seconds = their seconds near a"
    " true one / all their seconds; recall = true spans met / all; F1: each formula with recall."
    " mIoU to HIT@1 are about citations, all F1 about the moments that an open question for all of"
    " them got."
)
KIND_NOTE = "In percent, with the 95 % interval of so many facts (both forms of one count once)."


def report_table(report: EvalReport) -> str:
    """Everything that a person wants to see, as aligned text."""
    rows = report.rows
    if not rows:
        return "nothing was asked"
    parts = [
        aligned(_lines(rows, _MAIN)),
        f"{aligned(_kind_lines(rows))}\n{KIND_NOTE}",
        f"{aligned(_lines(rows, _TRUST))}\n{TRUST_NOTE}",
        f"{aligned(_lines(rows, _IN_TIME))}\n{TIME_NOTE}",
    ]
    for title, lines in (
        ("Failures by cause", _failure_lines(rows)),
        ("Visual tokens for the same accuracy as ours", _reach_lines(rows)),
    ):
        if lines:
            parts.append(f"{title}\n{aligned(lines)}")
    return "\n\n".join(parts)


def labels_of(rows: Sequence[Row]) -> list[Column]:
    """The columns that name a row: budget and length only where they differ."""
    labels: list[Column] = [("strategy", lambda r: str(r["strategy"]))]
    if len({r["minutes"] for r in rows}) > 1:
        labels.append(("minutes", lambda r: f"{r['minutes']:g}"))
    if len({r["budget"] for r in rows} - {None}) > 1:
        labels.append(("budget", lambda r: number(r["budget"], 0)))
    return labels


def aligned(lines: Sequence[Sequence[str]]) -> str:
    """The first column to the left, the others to the right."""
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f} %"


def number(value: float | None, n_decimals: int) -> str:
    return "–" if value is None else f"{value:.{n_decimals}f}"


def _lines(rows: Sequence[Row], columns: Sequence[Column]) -> list[list[str]]:
    every = [*labels_of(rows), *columns]
    return [[name for name, _ in every], *([show(row) for _, show in every] for row in rows)]


def _at_most(found: Mapping[str, Any], what: str, *, of: str) -> str:
    """A share with its interval's upper end; a dash where nothing was asked."""
    if not found[of]:
        return "–"
    return f"{percent(found[what])} (≤ {percent(found[f'{what}_high'])})"


def _ahead(found: Mapping[str, Any] | None) -> str:
    if found is None or found["value"] is None:
        return "–"
    return f"{100 * found['value']:+.0f} ({100 * found['low']:+.0f}…{100 * found['high']:+.0f})"


def _kind_lines(rows: Sequence[Row]) -> list[list[str]]:
    """Accuracy by kind and by form, with intervals; under a name the number of its questions."""
    kinds = list(dict.fromkeys(kind for row in rows for kind in row["kinds"]))
    forms = list(dict.fromkeys(form for row in rows for form in row["forms"]))
    places = [("kinds", kind) for kind in kinds] + [("forms", form) for form in forms]

    counts = [max(row[g].get(n, {}).get("n", 0) for row in rows) for g, n in places]
    labels = labels_of(rows)
    return [
        [*(name for name, _ in labels), *kinds, *(f"({form})" for form in forms)],
        ["", *("" for _ in labels[1:]), *(f"of {count}" for count in counts)],
        *(
            [*(show(row) for _, show in labels)]
            + [_with_interval(row[g].get(n)) for g, n in places]
            for row in rows
        ),
    ]


def _with_interval(found: Mapping[str, Any] | None) -> str:
    if found is None or found["accuracy"] is None:
        return "–"
    value, low, high = (100 * found[name] for name in ("accuracy", "low", "high"))
    return f"{value:.0f} ({low:.0f}–{high:.0f})"


def _failure_lines(rows: Sequence[Row]) -> list[list[str]]:
    """A line for each agent's row and cause, by kind."""
    failing = [row for row in rows if row["failures"]]
    kinds = list(dict.fromkeys(k for r in failing for c in r["failures"].values() for k in c))
    if not failing:
        return []
    labels = labels_of(rows)
    lines = [[*(name for name, _ in labels), "cause", "all", *kinds]]
    for row in failing:
        for cause in (c for c in CAUSES if c in row["failures"]):
            found = row["failures"][cause]
            shown = [str(found[k]) if k in found else "" for k in kinds]
            lines.append(
                [*(show(row) for _, show in labels), cause, str(sum(found.values())), *shown]
            )
    return lines


def _reach_lines(rows: Sequence[Row]) -> list[list[str]]:
    found = [each for each in reach(rows) if each["others"]]
    if not found:
        return []
    others = list(dict.fromkeys(name for each in found for name in each["others"]))
    lines = [["minutes", "budget", "accuracy", "ours", *others]]
    for each in found:
        cells = [_reached(each, name) for name in others]
        head = [f"{each['minutes']:g}", number(each["budget"], 0), percent(each["accuracy"])]
        lines.append([*head, number(each["visual_tokens"], 0), *cells])
    return lines


def _reached(each: Mapping[str, Any], name: str) -> str:
    """The tokens, or up to how many it was measured in vain; a dash where it was not asked."""
    if name not in each["others"]:
        return "–"
    tokens = each["others"][name]
    return number(tokens, 0) if tokens else f"never (to {each['measured_to'][name]:.0f})"
