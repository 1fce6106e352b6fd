"""How well the embedded VideoLLM tells evidence from near misses."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from agent.confidence import Fit, logit, sigmoid
from agent.videollm import VideoLLM
from demo.train.branches import reflect_branch
from demo.train.cases import LATEST_S, as_prompt, clips_of
from demo.train.contexts import Context, look, pool_source
from demo.train.pool import Pool
from demo.train.topics import branch_of, kinds_for, topic_of
from demo.world import ALL_PAIRS, Pair, SceneRules, random_scene
from evals.logistic import fit_logistic
from evals.metrics import auc, ece

_T = TypeVar("_T")
FAR_MISS = "nothing of it"
"""The one way to be denied in which nothing that is asked for is shown."""
EMPTY = "an empty shot"
EMPTY_PLACE = "an empty shot of the right place"
_HALVINGS = 40
_RESAMPLED = 1000


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
        """What is there, against what comes near in one way, asked for as that is: named by its
        place or by its colour."""
        rows = list(zip(self.truth, self.kinds, self.misses, strict=True))
        named = {_by_place(kind) for _, kind, near in rows if near == miss}
        return self._where(
            [near == miss or (truth and _by_place(kind) in named) for truth, kind, near in rows]
        )

    def _where(self, kept: Sequence[bool]) -> Judged:
        def some(values: tuple[_T, ...]) -> tuple[_T, ...]:
            return tuple(v for v, keep in zip(values, kept, strict=True) if keep)

        return Judged(some(self.p_yes), some(self.truth), some(self.kinds), some(self.misses))

    def near(self) -> Judged:
        """All that is there, against what comes near in any way."""
        return self._where([miss != FAR_MISS for miss in self.misses])

    def calibrated(self) -> Judged:
        """The second half, as a calibration that was fitted on the first reads it."""
        half = len(self.truth) // 2
        rows = [(logit(p),) for p in self.p_yes[:half]]
        (first,), bias = fit_logistic(rows, self.truth[:half])
        fit = Fit(first=first, bias=bias)
        later = self._where([index >= half for index in range(len(self.truth))])
        return replace(later, p_yes=tuple(sigmoid(fit.log_odds(p)) for p in later.p_yes))

    def ece(self) -> float:
        """Expected calibration error of P(yes) as it stands."""
        return ece(self.p_yes, self.truth)

    def ece_interval(self) -> tuple[float, float]:
        """Of the ECE: the middle 95 % over resampled questions.

        The ECE of few questions is too high, and of resampled ones higher still: what a well
        calibrated model would get lies near the lower end.
        """
        rng = np.random.default_rng(0)
        p_yes, truth = np.array(self.p_yes), np.array(self.truth)
        draws = rng.integers(len(p_yes), size=(_RESAMPLED, len(p_yes)))
        got = [ece(p_yes[drawn].tolist(), truth[drawn].tolist()) for drawn in draws]
        low, high = np.quantile(got, (0.025, 0.975))
        return float(low), float(high)

    def and_also(self, other: Judged) -> Judged:
        """Both, one after the other."""
        return Judged(
            self.p_yes + other.p_yes,
            self.truth + other.truth,
            self.kinds + other.kinds,
            self.misses + other.misses,
        )

    def auc_interval(self) -> tuple[float, float]:
        """Of the AUC, 95 %."""
        n_yes = sum(self.truth)
        return auc_interval(self.auc(), n_yes, len(self.truth) - n_yes)


def _by_place(kind: str) -> bool:
    return kind == "attribute"


def auc_interval(
    value: float, n_positive: int, n_negative: int, *, z: float = 1.959964
) -> tuple[float, float]:
    """The 95 % interval of an AUC: all A with |A - value| ≤ z · SE(A).

    SE(A)² = (A(1-A) + (n⁺-1)(A/(2-A) - A²) + (n⁻-1)(2A²/(1+A) - A²)) / (n⁺ n⁻)

    Source: Hanley & McNeil, Radiology 143 (1982), for SE. Ours differs: it is taken at A and not at
    the measured value, as Wilson's interval does, since there it is 0 where nothing was confused,
    however few were asked. 0 to 1 where there are no positives or no negatives.
    """
    if not n_positive or not n_negative:
        return 0.0, 1.0

    def held(a: float) -> bool:
        by_positive = (n_positive - 1) * (a / (2 - a) - a * a)
        by_negative = (n_negative - 1) * (2 * a * a / (1 + a) - a * a)
        spread = max(0.0, a * (1 - a) + by_positive + by_negative)
        return abs(a - value) <= z * math.sqrt(spread / (n_positive * n_negative))

    return _edge(value, 0.0, held), _edge(value, 1.0, held)


def _edge(inside: float, outside: float, held: Callable[[float], bool]) -> float:
    """Where, from a value that is held to one that need not be, holding ends."""
    for _ in range(_HALVINGS):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if held(middle) else (inside, middle)
    return inside


def measure_empty(videollm: VideoLLM, pool: Pool, *, n: int, seed: int) -> Judged:
    """P(yes) on `n` questions about shots in which nothing is: half of them name the place that is
    shown ("the boat on the beach"), half are like any others.

    Args:
        pool: clips of scenes without things.
    """
    rng = random.Random(seed)
    source = pool_source(pool)
    p_yes, kinds, misses = [], [], []
    for number in range(n):
        view = look(rng, source, n_pairs=rng.randint(2, 4), start_s=rng.uniform(0, LATEST_S))
        (scene,) = (take.clip.scene for take in view.takes)
        by_place = number % 2 == 0
        # The question is made about a thing that another shot of that place could hold.
        thing = random_scene(rng, SceneRules(pairs=ALL_PAIRS, places=(scene.place,), n_groups=1))
        group = thing.groups[0]
        others = [kind for kind in kinds_for(thing, group) if kind != "attribute"]
        kind = "attribute" if by_place else rng.choice(others)
        topic = topic_of(rng, thing, group, kind)
        branch = branch_of("reflect", topic.ask(rng), "no", "reflect:no")
        clips = clips_of(pool, (view,), rng=rng)
        p_yes.append(videollm.judge(as_prompt(branch, 1), clips).p_yes)
        kinds.append(kind)
        misses.append(EMPTY_PLACE if by_place else EMPTY)
    return Judged(tuple(p_yes), (False,) * n, tuple(kinds), tuple(misses))


def measure_reflections(
    videollm: VideoLLM,
    pool: Pool,
    *,
    n: int,
    seed: int,
    condition: str = "true",
    pairs: Collection[Pair] = ALL_PAIRS,
) -> Judged:
    """P(yes) on `n` questions, the same under each condition.

    Args:
        condition: one of `CONDITIONS`, or "no frames".
        pairs: what is there and asked for; near misses name any pair, also those that training
            never showed.
    """
    rng, shown = random.Random(seed), random.Random(seed + 1)
    source = pool_source(pool)
    p_yes, kinds, misses = [], [], []
    truth: list[bool] = []
    while len(truth) < n:
        view = look(rng, source, n_pairs=rng.randint(2, 4), start_s=rng.uniform(0, LATEST_S))
        context = Context((view,))
        branch = reflect_branch(rng, context.scenes, pairs=ALL_PAIRS)
        if branch.about is not None and branch.about not in pairs:
            continue
        clips = []
        if condition != "no frames":
            clips = clips_of(pool, context.views, condition=condition, rng=shown)
        p_yes.append(videollm.judge(as_prompt(branch.exact(), len(clips)), clips).p_yes)
        truth.append(branch.reply == "yes")
        kinds.append(branch.kind)
        misses.append(branch.miss)
    return Judged(tuple(p_yes), tuple(truth), tuple(kinds), tuple(misses))
