"""How well the embedded VideoLLM tells evidence from near misses."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from agent.confidence import Fit, logit, sigmoid
from agent.videollm import VideoLLM
from demo.train.branches import reflect_branch
from demo.train.cases import LATEST_S, as_prompt, clips_of
from demo.train.contexts import Context, look, pool_source
from demo.train.pool import Pool
from demo.world import ALL_PAIRS
from evals.calibrate import fit_logistic
from evals.metrics import ece

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Judged:
    """P(yes) on clips that hold the evidence, on near misses, and on scenes without anything."""

    p_yes: tuple[float, ...]
    truth: tuple[bool, ...]
    kinds: tuple[str, ...]
    """Of the questions whose evidence is looked for."""
    misses: tuple[str, ...]
    """How those that are to be denied come near; "" for the others."""

    def auc(self) -> float:
        return auc(
            [p for p, t in zip(self.p_yes, self.truth, strict=True) if t],
            [p for p, t in zip(self.p_yes, self.truth, strict=True) if not t],
        )

    def of(self, keep: Callable[[str], bool]) -> Judged:
        """The questions of some kinds."""
        return self._where([keep(kind) for kind in self.kinds])

    def missed(self, miss: str) -> Judged:
        """All that is there, against what comes near in one way."""
        rows = zip(self.truth, self.misses, strict=True)
        return self._where([truth or near == miss for truth, near in rows])

    def _where(self, kept: Sequence[bool]) -> Judged:
        def some(values: tuple[_T, ...]) -> tuple[_T, ...]:
            return tuple(v for v, keep in zip(values, kept, strict=True) if keep)

        return Judged(some(self.p_yes), some(self.truth), some(self.kinds), some(self.misses))

    def calibrated_ece(self) -> float:
        """ECE of the second half under a calibration fitted on the first."""
        half = len(self.truth) // 2
        rows = [(logit(p),) for p in self.p_yes[:half]]
        (first,), bias = fit_logistic(rows, self.truth[:half])
        fit = Fit(first=first, bias=bias)
        return ece([sigmoid(fit.log_odds(p)) for p in self.p_yes[half:]], self.truth[half:])


def auc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """Chance that a positive scores above a negative, ties counting half; NaN without either."""
    if not positive or not negative:
        return float("nan")
    a, b = np.array(positive)[:, None], np.array(negative)[None]
    return float((a > b).mean() + 0.5 * (a == b).mean())


def measure_reflections(
    videollm: VideoLLM, pool: Pool, *, n: int, seed: int, condition: str = "true"
) -> Judged:
    """P(yes) on `n` questions; near misses name any pair, also those that training never showed."""
    rng = random.Random(seed)
    source = pool_source(pool)
    p_yes, truth, kinds, misses = [], [], [], []
    for _ in range(n):
        view = look(rng, source, n_pairs=rng.randint(2, 4), start_s=rng.uniform(0, LATEST_S))
        context = Context((view,))
        branch = reflect_branch(rng, context.scenes, pairs=ALL_PAIRS)
        clips = clips_of(pool, context.views, condition=condition, rng=rng)
        p_yes.append(videollm.judge(as_prompt(branch, 1), clips).p_yes)
        truth.append(branch.reply == "yes")
        kinds.append(branch.kind)
        misses.append(branch.miss)
    return Judged(tuple(p_yes), tuple(truth), tuple(kinds), tuple(misses))
