"""Fits the confidences of a pair of models on what an evaluation's runs saw.

    python -m evals.calibrate FOLDER…                 print the fits
    python -m evals.calibrate FOLDER… --store LIBRARY keep them in that library, as a new version
    python -m evals.calibrate FOLDER… --ship          keep them with the program (agent/fits.json)

reads the libraries and the questions of `longshot eval demo --absent 0.4 --out FOLDER`; take films
that no table uses. Of a question that was asked again the last run counts. Six stages
(agent/confidence.py): the film's best cosine, one look, two looks, the whole search, the same with
its second looks, the answer. The first and the whole search are read together with the film's
length: take films of several lengths, for with one alone the length is left out.
In every stage both classes weigh the same, so that the log-odds of a fit are a log likelihood
ratio (of second looks: with what it says that there was one). Only the answer's fit
keeps the shares of right and wrong, since it is read as it stands; absent questions weigh as much
in it as the prior expects of them, however many were asked.

The last three read what the search made of the first three: after new weights run the evaluation
and this command twice, the second time on runs that the first fits made.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections import defaultdict
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from agent.confidence import (
    Fit,
    Stage,
    StoredFit,
    logit,
    pair_hash,
    prompts_hash,
    ship,
    shipped_fits,
)
from agent.presets import settings_from_dict
from agent.settings import AskSettings
from agent.trace import load_run
from agent.types import Answer
from evals.failures import anchors_of, close_steps, shows
from evals.items import Item, load_items
from evals.matching import is_right
from evals.strategies import outcome_of
from index.run_rows import RunRow, StepRow
from index.runs import RunStore
from prompts.render import file_hash

_STEPS = 60
_RIDGE = 1e-3
"""Keeps the fit finite where the classes can be told apart without error."""
_FEWEST = 8
"""A stage with fewer observations of a class than this is not fitted."""

_COLUMNS: dict[Stage, tuple[str, ...]] = {
    "presence": ("first", "length"),
    "look": ("first",),
    "verify": ("first", "second", "named", "cosine"),
    "search": ("first", "length"),
    "twice": ("first", "second", "length"),
    "answer": ("first",),
}
"""What the numbers of a case are weighed by in its fit."""

_Key = tuple[str, str, Stage]
"""Hash of the model, hashes of the prompts, stage."""


@dataclass(slots=True)
class Observations:
    """What is known of one stage: a row of numbers and the truth for each case."""

    rows: list[tuple[float, ...]] = field(default_factory=list)
    truth: list[bool] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)

    def add(self, truth: bool, *row: float, weight: float = 1.0) -> None:
        self.rows.append(row)
        self.truth.append(truth)
        self.weights.append(weight)

    @property
    def n_with(self) -> int:
        return sum(self.truth)

    @property
    def n_without(self) -> int:
        return len(self.truth) - self.n_with


def fit_logistic(
    rows: Sequence[Sequence[float]],
    truth: Sequence[bool],
    *,
    case_weights: Sequence[float] = (),
    even: bool = True,
) -> tuple[list[float], float]:
    """(weights, bias) by logistic regression; no weight is negative.

    What says yes never speaks against it: where it seems to, a small sample or the choice of what
    was looked at twice says so, and the column is left out.

    Args:
        case_weights: how much each case weighs; none: all the same.
        even: both classes weigh the same, whatever their cases do.

    Raises:
        ValueError: one of the classes is missing.
    """
    y = np.asarray(truth, float)
    if not 0 < y.sum() < len(y):
        raise ValueError("both cases with the evidence and cases without it are needed")
    weight = np.asarray(case_weights, float) if len(case_weights) else np.ones(len(y))
    if even:
        weight = weight / np.where(y == 1, (weight * y).sum(), (weight * (1 - y)).sum())
    weight = weight / weight.sum()
    x = np.asarray(rows, float)
    # Of one scale, so that the ridge means the same for a cosine and for a logit.
    spread = x.std(axis=0)
    used = spread > 1e-9
    scale = np.where(used, spread, 1.0)
    while True:
        theta = _newton(np.column_stack([(x / scale)[:, used], np.ones(len(y))]), y, weight)
        if (theta[:-1] >= 0).all():
            break
        used[used] = theta[:-1] >= 0
    weights = np.zeros(x.shape[1])
    weights[used] = theta[:-1] / scale[used]
    return [float(w) for w in weights], float(theta[-1])


def _newton(
    x: NDArray[np.float64], y: NDArray[np.float64], weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    theta = np.zeros(x.shape[1])
    for _ in range(_STEPS):
        chance = 1 / (1 + np.exp(-np.clip(x @ theta, -30, 30)))
        gradient = x.T @ (weight * (y - chance)) - _RIDGE * theta
        curvature = (x * (weight * chance * (1 - chance))[:, None]).T @ x
        theta = theta + np.linalg.solve(curvature + _RIDGE * np.eye(x.shape[1]), gradient)
    return theta


def observed(folders: Sequence[Path]) -> dict[_Key, Observations]:
    """What the runs of evaluations' folders saw, for every model, prompt and stage."""
    found: dict[_Key, Observations] = defaultdict(Observations)
    for folder in folders:
        _observe(found, folder)
    return found


def _observe(found: dict[_Key, Observations], folder: Path) -> None:
    items = {
        (Path(item.video).name, item.question, item.options): item
        for item in load_items(folder / "questions.jsonl")
    }
    with closing(RunStore.open(folder / "library")) as runs:
        last: dict[tuple[str, str, tuple[str, ...]], RunRow] = {}
        for run in runs.runs(limit=-1):
            key = (Path(run.video_path).name, run.question, run.options)
            if key in items and run.answer:
                last.setdefault(key, run)
        n_absent = sum(items[key].is_absent for key in last)
        for key, run in last.items():
            _, steps, answer = load_run(runs, run.run_id)
            _read(found, items[key], run, steps)
            share = n_absent / len(last)
            _read_end(found, items[key], run, steps, answer, absent_share=share)


def _read(
    found: dict[_Key, Observations], item: Item, run: RunRow, steps: Sequence[StepRow]
) -> None:
    """The survey's cosine, the looks and the second looks of a run. Of an order question, whose
    looks are for one of its things each, only the answer counts."""
    if item.kind == "order":
        return
    model, true = run.models["videollm_weights"], anchors_of(item)
    film_s = next((float(s.data["film_s"]) for s in steps if "film_s" in s.data), 3600.0)
    look = settings_from_dict({"look": run.settings.get("look", {})}).look
    for step in close_steps(steps, look):
        if step.node == "survey" and not item.options:
            cosine = float(step.data["best_cosine"])
            found[run.models["encoder_weights"], "", "presence"].add(
                not item.is_absent, cosine, -math.log(film_s / 3600)
            )
        again = {row["finding"]: row for row in step.data.get("second_looks", ())}
        for each in step.findings:
            truth = shows(each.span, true)
            if step.node == "reflect":
                found[_key(model, "look", steps)].add(truth, logit(each.p_yes))
            # Runs of versions that did not note how a second look was read say nothing about it.
            elif (row := again.get(each.finding_id)) is not None:
                first, second = (logit(p) for p in row["p_yes"])
                pair = pair_hash(model, run.models["encoder_weights"])
                key = _key(pair, "verify", steps)
                found[key].add(truth, first, second, row["named"], row["cosine"])


def _read_end(
    found: dict[_Key, Observations],
    item: Item,
    run: RunRow,
    steps: Sequence[StepRow],
    answer: Answer | None,
    *,
    absent_share: float,
) -> None:
    """What the whole search said, and the answer's own confidence, both before any fit."""
    model = run.models["videollm_weights"]
    last = next((s for s in reversed(steps) if s.node == "answer"), None)
    if last is None or answer is None:
        return
    judged = any(c.prompt_name == "reflect" for s in steps for c in s.calls)
    seen = last.data.get("presence")
    # Runs of versions that did not note the hours say nothing about them.
    if judged and seen is not None and "hours" in seen and item.kind != "order":
        shortness, log_ratio = -math.log(float(seen["hours"])), float(seen["log_ratio"])
        found[_key(model, "search", steps)].add(not item.is_absent, log_ratio, shortness)
        if (second := seen.get("second")) is not None:
            found[_key(model, "twice", steps)].add(
                not item.is_absent, log_ratio, float(second), shortness
            )
    if answer.status != "answered":
        return
    raw = float(last.data["verdict"]["confidence"])
    right = is_right(item, outcome_of(answer, steps))
    expected = AskSettings().survey.prior.absent
    weight = expected / absent_share if item.is_absent else (1 - expected) / (1 - absent_share)
    found[_key(model, "answer", steps)].add(right, logit(raw), weight=weight)


def _key(model: str, stage: Stage, steps: Sequence[StepRow]) -> _Key:
    """What a stage of a run is fitted for: the prompts that it was asked with."""
    asked = {c.prompt_name: c.prompt_hash for s in steps for c in s.calls}
    return model, prompts_hash(stage, lambda name: asked.get(name) or file_hash(name)), stage


def fits_of(found: dict[_Key, Observations], *, source: str) -> list[StoredFit]:
    """A fit for every stage that has enough of both classes."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    fits = []
    for (model, prompt, stage), seen in sorted(found.items()):
        if min(seen.n_with, seen.n_without) < _FEWEST:
            continue
        rows = _without_one_length(seen.rows) if "length" in _COLUMNS[stage] else seen.rows
        weights, bias = fit_logistic(
            rows, seen.truth, case_weights=seen.weights, even=stage != "answer"
        )
        if stage == "presence" and not weights[0]:
            # Its slope is the scale of the cosines; where they say nothing there is none.
            continue
        if stage == "verify":
            look = found[model.partition("+")[0], prompt.partition("+")[0], "look"]
            bias += _chosen(look, seen)
        if stage == "twice":
            bias += _chosen(found[model, prompt.partition("+")[0], "search"], seen)
        fit = Fit(**dict(zip(_COLUMNS[stage], weights, strict=True)), bias=bias)
        old = [f.version for f in shipped_fits() if (f.model_hash, f.stage) == (model, stage)]
        fits.append(
            StoredFit(
                model_hash=model,
                prompt_hash=prompt,
                stage=stage,
                version=max(old, default=0) + 1,
                fit=fit,
                n_with=seen.n_with,
                n_without=seen.n_without,
                source=source,
                fitted_at=now,
            )
        )
    return fits


def _without_one_length(rows: Sequence[tuple[float, ...]]) -> list[tuple[float, ...]]:
    """The rows with lengths (the last number) that tell something: films of about one length
    differ by chance alone."""
    lengths = [row[-1] for row in rows]
    if max(lengths) - min(lengths) >= math.log(2):
        return list(rows)
    return [(*row[:-1], 0.0) for row in rows]


def _chosen(all_: Observations, again: Observations) -> float:
    """What it says already that a look, or a search, came to a second one (natural log of a ratio).

    A fit on the chosen alone knows only what tells them apart from each other.
    """
    with_evidence = again.n_with / all_.n_with
    return math.log(with_evidence / (again.n_without / all_.n_without))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m evals.calibrate")
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("folders", nargs="+", type=Path, help="an evaluation's --out")
    parser.add_argument(
        "--stage", action="append", choices=get_args(Stage), help="fit this one alone; repeatable"
    )
    parser.add_argument("--store", type=Path, metavar="LIBRARY", help="keep the fits there")
    parser.add_argument("--ship", action="store_true", help="keep them with the program")
    given = parser.parse_args()
    for folder in given.folders:
        if not (folder / "questions.jsonl").exists():
            parser.error(f"{folder} is no evaluation's --out: it holds no questions.jsonl")
    found = observed(given.folders)
    source = ", ".join(folder.name for folder in given.folders)
    fits = [
        fit for fit in fits_of(found, source=source) if not given.stage or fit.stage in given.stage
    ]
    for (_, _, stage), seen in sorted(found.items()):
        if min(seen.n_with, seen.n_without) < _FEWEST:
            sys.stdout.write(
                f"{stage}: {seen.n_with} with, {seen.n_without} without: too few to fit\n"
            )
    for each in fits:
        weights = f"first {each.fit.first:.3f}, second {each.fit.second:.3f}"
        weights += f", named {each.fit.named:.3f}, cosine {each.fit.cosine:.3f}"
        weights += f", length {each.fit.length:.3f}"
        sys.stdout.write(
            f"{each.stage}: {weights}, bias {each.fit.bias:.3f}"
            f" ({each.n_with} with the evidence, {each.n_without} without)\n"
        )
    if given.store is not None:
        with closing(RunStore.open(given.store)) as runs:
            for each in fits:
                row = {k: v for k, v in each.to_json().items() if k != "version"}
                sys.stdout.write(f"{each.stage} is version {runs.store_fit(row)} there\n")
    if given.ship:
        sys.stdout.write(f"written to {ship(fits)}\n")


if __name__ == "__main__":
    main()
