"""Fits the confidences of a pair of models on what an evaluation's runs saw.

    python -m evals.calibrate FOLDER…                 print the fits
    python -m evals.calibrate FOLDER… --store LIBRARY keep them in that library, as a new version
    python -m evals.calibrate FOLDER… --ship          keep them with the program (agent/fits.json)

reads the libraries and the questions of `longshot eval demo --absent 0.4 --out FOLDER`; take films
that no table uses. Of a question that was asked again the last run counts, runs of versions whose
prior was over seconds do not. Six stages (agent/confidence.py): the cosine of the film's best shot,
one look, two looks, the whole search, the same with its second looks, the answer. The first, the
whole search and the answer are read together with the film's length: take films of several
lengths, for with one alone the length is left out.
One look and two looks are also fitted for each type of answer (agent/answer_type.py), drawn to the
fit of all. In every stage both classes weigh the same, so that the log-odds of a fit are a log
likelihood ratio (of second looks: with what it says that there was one). Only the answer's fit
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

from agent.answer_type import AnswerType, answer_type_of
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
from evals.logistic import fit_logistic, fit_part
from evals.matching import is_right
from evals.strategies import outcome_of
from index.run_rows import RunRow, StepRow
from index.runs import RunStore
from prompts.render import file_hash

_FEWEST = 8
"""A stage with fewer observations of a class than this is not fitted."""
_FEWEST_OF_A_TYPE = 4
"""Nor is a type of answer with fewer than this: it is read like all."""

_COLUMNS: dict[Stage, tuple[str, ...]] = {
    "presence": ("first", "length"),
    "look": ("first",),
    "verify": ("first", "second", "named", "cosine"),
    "search": ("first", "length"),
    "twice": ("first", "second", "length"),
    "answer": ("first", "options", "length"),
}
"""What the numbers of a case are weighed by in its fit."""

_PULL: dict[Stage, float] = {"look": 3.0, "verify": 30.0}
"""Stages that are fitted for each type of answer as well, and how much those fits are drawn to
that of all (evals/logistic.py). A fit of four columns and few cases needs more of it. Found on runs
of other films than it was judged by: docs/design/0003."""

_BEFORE: dict[Stage, Stage] = {"verify": "look", "twice": "search"}
"""What a stage's cases were chosen by: a second look is taken where the first found something."""

_Key = tuple[str, str, Stage]
"""Hash of the model, hashes of the prompts, stage."""


@dataclass(slots=True)
class Observations:
    """What is known of one stage: a row of numbers and the truth for each case."""

    rows: list[tuple[float, ...]] = field(default_factory=list)
    truth: list[bool] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    types: list[AnswerType] = field(default_factory=list)

    def add(
        self, truth: bool, *row: float, weight: float = 1.0, type_: AnswerType = "other"
    ) -> None:
        self.rows.append(row)
        self.truth.append(truth)
        self.weights.append(weight)
        self.types.append(type_)

    def of(self, type_: AnswerType) -> Observations:
        """The cases of one type of answer."""
        some = Observations()
        for row, truth, weight, each in zip(
            self.rows, self.truth, self.weights, self.types, strict=True
        ):
            if each == type_:
                some.add(truth, *row, weight=weight, type_=type_)
        return some

    @property
    def n_with(self) -> int:
        return sum(self.truth)

    @property
    def n_without(self) -> int:
        return len(self.truth) - self.n_with


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
        last = {key: run for key, run in last.items() if _by_shots(run)}
        n_absent = sum(items[key].is_absent for key in last)
        for key, run in last.items():
            _, steps, answer = load_run(runs, run.run_id)
            _read(found, items[key], run, steps)
            share = n_absent / len(last)
            _read_end(found, items[key], run, steps, answer, absent_share=share)


def _by_shots(run: RunRow) -> bool:
    """Whether a run's cosines are of shots: before, a prior did not pool the seconds of a shot."""
    return "pool" in run.settings.get("survey", {}).get("prior", {"pool": 0})


def _read(
    found: dict[_Key, Observations], item: Item, run: RunRow, steps: Sequence[StepRow]
) -> None:
    """The survey's cosine, the looks and the second looks of a run. Of an order question, whose
    looks are for one of its things each, only the answer counts."""
    if item.kind == "order":
        return
    model, true = run.models["videollm_weights"], anchors_of(item)
    film_s = next((float(s.data["film_s"]) for s in steps if "film_s" in s.data), 3600.0)
    judged = (s.data["reflect_question"] for s in steps if "reflect_question" in s.data)
    type_ = answer_type_of(next(judged, run.question))
    look = settings_from_dict({"look": run.settings.get("look", {})}).look
    for step in close_steps(steps, look):
        if step.node == "survey" and not item.options:
            cosine = float(step.data["best_cosine"])
            key = _key(run.models["encoder_weights"], "presence", steps)
            found[key].add(not item.is_absent, cosine, -math.log(film_s / 3600))
        again = {row["finding"]: row for row in step.data.get("second_looks", ())}
        for each in step.findings:
            truth = shows(each.span, true)
            if step.node == "reflect":
                found[_key(model, "look", steps)].add(truth, logit(each.p_yes), type_=type_)
            # Runs of versions that did not note how a second look was read say nothing about it.
            elif (row := again.get(each.finding_id)) is not None:
                first, second = (logit(p) for p in row["p_yes"])
                pair = pair_hash(model, run.models["encoder_weights"])
                key = _key(pair, "verify", steps)
                found[key].add(truth, first, second, row["named"], row["cosine"], type_=type_)


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
    if answer.status != "answered" or seen is None or "hours" not in seen:
        return
    raw = float(last.data["verdict"]["confidence"])
    right = is_right(item, outcome_of(answer, steps))
    expected = AskSettings().survey.prior.absent
    weight = expected / absent_share if item.is_absent else (1 - expected) / (1 - absent_share)
    row = (logit(raw), float(bool(item.options)), -math.log(float(seen["hours"])))
    found[_key(model, "answer", steps)].add(right, *row, weight=weight)


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
        once: Observations | None = None
        if (before := _BEFORE.get(stage)) is not None:
            once = found[model.partition("+")[0], _first_of(prompt, before), before]
        by_type = _by_type(stage, seen, of_all=(weights, bias), once=once)
        fit = _fit(stage, weights, bias + (_chosen(once, seen) if once else 0.0))
        old = [f.version for f in shipped_fits() if (f.model_hash, f.stage) == (model, stage)]
        fits.append(
            StoredFit(
                model_hash=model,
                prompt_hash=prompt,
                stage=stage,
                version=max(old, default=0) + 1,
                fit=fit,
                by_type=by_type,
                n_with=seen.n_with,
                n_without=seen.n_without,
                source=source,
                fitted_at=now,
            )
        )
    return fits


def _first_of(prompt_hash: str, before: Stage) -> str:
    """What the earlier stage's cases are kept by: it reads the first of these prompts alone."""
    return prompts_hash(before, lambda name: prompt_hash.partition("+")[0])


def _fit(stage: Stage, weights: Sequence[float], bias: float) -> Fit:
    return Fit(**dict(zip(_COLUMNS[stage], weights, strict=True)), bias=bias)


def _by_type(
    stage: Stage,
    seen: Observations,
    *,
    of_all: tuple[Sequence[float], float],
    once: Observations | None,
) -> dict[AnswerType, Fit]:
    """A fit for each type of answer of which there are some cases of both classes."""
    pull = _PULL.get(stage)
    if pull is None:
        return {}
    spread = np.std(np.asarray(seen.rows, float), axis=0).tolist()
    fits: dict[AnswerType, Fit] = {}
    for type_ in get_args(AnswerType):
        part = seen.of(type_)
        if min(part.n_with, part.n_without) < _FEWEST_OF_A_TYPE:
            continue
        weights, bias = fit_part(part.rows, part.truth, of_all=of_all, spread=spread, pull=pull)
        if once is not None:
            bias += _chosen(once.of(type_), part, like=(once, seen))
        fits[type_] = _fit(stage, weights, bias)
    return fits


def _without_one_length(rows: Sequence[tuple[float, ...]]) -> list[tuple[float, ...]]:
    """The rows with lengths (the last number) that tell something: films of about one length
    differ by chance alone."""
    lengths = [row[-1] for row in rows]
    if max(lengths) - min(lengths) >= math.log(2):
        return list(rows)
    return [(*row[:-1], 0.0) for row in rows]


def _chosen(
    all_: Observations,
    again: Observations,
    *,
    like: tuple[Observations, Observations] | None = None,
) -> float:
    """What it says already that a look, or a search, came to a second one (natural log of a ratio).

    A fit on the chosen alone knows only what tells them apart from each other.

    Args:
        like: the whole that these are a part of: its shares count as so many cases more.
    """
    n = _FEWEST if like else 0
    whole = like or (all_, again)
    with_evidence = (again.n_with + n * whole[1].n_with / whole[0].n_with) / (all_.n_with + n)
    without = (again.n_without + n * whole[1].n_without / whole[0].n_without) / (all_.n_without + n)
    return math.log(with_evidence / without)


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
        weights += f", length {each.fit.length:.3f}, options {each.fit.options:.3f}"
        sys.stdout.write(
            f"{each.stage}: {weights}, bias {each.fit.bias:.3f}"
            f" ({each.n_with} with the evidence, {each.n_without} without)\n"
        )
        for type_, fit in each.by_type.items():
            words = f"first {fit.first:.3f}, second {fit.second:.3f}, bias {fit.bias:.3f}"
            sys.stdout.write(f"  {type_} asked for: {words}\n")
    if given.store is not None:
        with closing(RunStore.open(given.store)) as runs:
            for each in fits:
                row = {k: v for k, v in each.to_json().items() if k != "version"}
                sys.stdout.write(f"{each.stage} is version {runs.store_fit(row)} there\n")
    if given.ship:
        sys.stdout.write(f"written to {ship(fits)}\n")


if __name__ == "__main__":
    main()
