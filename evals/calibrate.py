"""Fits the calibration of P(yes) on what an evaluation's runs judged.

    python -m evals.calibrate FOLDER

reads the library and the questions of `longshot eval demo --out FOLDER` and prints temperature and
bias of sigmoid((logit + bias) / temperature). Looks that show a true span are positives; both
classes weigh the same, so that a calibrated 0.5 speaks neither for nor against.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evals.failures import anchors_of, shows
from evals.items import load_items
from index.runs import RunStore

_STEPS = 60
_RIDGE = 1e-3
"""Keeps the fit finite where the classes can be told apart without error."""


def fit(p_yes: Sequence[float], truth: Sequence[bool]) -> tuple[float, float]:
    """(temperature, bias) by logistic regression on the logit, both classes weighing the same.

    Raises:
        ValueError: one of the classes is missing.
    """
    p = np.clip(np.asarray(p_yes, float), 1e-6, 1 - 1e-6)
    y = np.asarray(truth, float)
    if not 0 < y.sum() < len(y):
        raise ValueError("both looks that show the evidence and looks that don't are needed")
    weight = np.where(y == 1, 0.5 / y.sum(), 0.5 / (1 - y).sum())
    x = np.stack([np.log(p / (1 - p)), np.ones_like(p)], 1)
    slope, shift = _newton(x, y, weight)
    return 1 / slope, shift / slope


def _newton(
    x: NDArray[np.float64], y: NDArray[np.float64], weight: NDArray[np.float64]
) -> tuple[float, float]:
    theta = np.array([1.0, 0.0])
    for _ in range(_STEPS):
        chance = 1 / (1 + np.exp(-np.clip(x @ theta, -30, 30)))
        gradient = x.T @ (weight * (y - chance)) - _RIDGE * (theta - [1.0, 0.0])
        curvature = (x * (weight * chance * (1 - chance))[:, None]).T @ x + _RIDGE * np.eye(2)
        theta = theta + np.linalg.solve(curvature, gradient)
    return float(theta[0]), float(theta[1])


def judged(folder: Path) -> tuple[list[float], list[bool]]:
    """P(yes) of every finding of the folder's runs, and whether its look shows the evidence."""
    items = {(Path(i.video).name, i.question): i for i in load_items(folder / "questions.jsonl")}
    p_yes, truth = [], []
    with closing(RunStore.open(folder / "library")) as runs:
        for run in runs.runs(limit=1_000_000):
            item = items.get((Path(run.video_path).name, run.question))
            if item is None:
                continue
            for found in (f for step in runs.steps(run.run_id) for f in step.findings):
                p_yes.append(found.p_yes)
                truth.append(shows(found.span, anchors_of(item)))
    return p_yes, truth


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m evals.calibrate")
    parser.add_argument("folder", type=Path)
    p_yes, truth = judged(parser.parse_args().folder)
    temperature, bias = fit(p_yes, truth)
    sys.stdout.write(
        f"temperature {temperature:.3f}, bias {bias:.3f} "
        f"({sum(truth)} looks with the evidence, {len(truth) - sum(truth)} without)\n"
    )


if __name__ == "__main__":
    main()
