"""What the embedded encoder finds: captions, short queries, and nothing where nothing is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demo.phrases import PLACE_PHRASES, article, caption
from demo.train.captions import pair_trait, place_trait, scene_traits
from demo.train.judging import auc_interval
from demo.train.pool import Pool
from demo.world import ALL_PAIRS, PLACES
from evals.metrics import Share, auc, share
from index.encoder import Encoder


@dataclass(frozen=True, slots=True)
class Retrieval:
    recall_at_1: Share
    """Of the captions whose own clip's frame is the nearest of all; so many captions."""
    recall_at_5: Share
    average_precisions: tuple[float, ...]
    """Over single frames, one of each clip: of the queries "a red boat" and "a scene on the beach",
    for those that match something."""
    absent_auc: float
    """Chance that the best score of a query that matches something is above that of one that
    matches nothing."""
    n_absent: int
    """Queries that match nothing in this pool."""

    @property
    def n_present(self) -> int:
        """Queries that match something."""
        return len(self.average_precisions)

    @property
    def mean_average_precision(self) -> float:
        return float(np.mean(self.average_precisions))

    def mean_interval(self, *, z: float = 1.959964) -> tuple[float, float]:
        """Of the mean average precision, 95 %: mean ± z · s / √n over the queries, at most 1."""
        half = z * float(np.std(self.average_precisions, ddof=1)) / self.n_present**0.5
        mean = self.mean_average_precision
        return max(0.0, mean - half), min(1.0, mean + half)

    def absent_interval(self) -> tuple[float, float]:
        """Of the absent AUC, 95 %."""
        return auc_interval(self.absent_auc, self.n_present, self.n_absent)


def measure_retrieval(encoder: Encoder, pool: Pool, *, n: int = 200) -> Retrieval:
    """Text to clip among `n` clips with distinct captions, one frame each."""
    picks = _distinct(pool, n)
    images = encoder.encode_frames(np.ascontiguousarray(pool.frames[list(picks.values()), 0]))
    scores = encoder.encode_texts(list(picks)) @ images.T
    rank = (scores > np.diag(scores)[:, None]).sum(1)
    texts, needs = _short_queries()
    traits = np.stack([scene_traits(pool.clips[i].scene) for i in picks.values()])
    matches = traits @ needs.T >= needs.sum(1)[None] - 0.1
    short = encoder.encode_texts(texts) @ images.T
    found = matches.any(0)
    best = short.max(1)
    precisions = [_average_precision(short[q], matches[:, q]) for q in np.nonzero(found)[0]]
    return Retrieval(
        recall_at_1=share(int((rank < 1).sum()), len(picks)),
        recall_at_5=share(int((rank < 5).sum()), len(picks)),
        average_precisions=tuple(precisions),
        absent_auc=auc(best[found].tolist(), best[~found].tolist()),
        n_absent=int((~found).sum()),
    )


def _distinct(pool: Pool, n: int) -> dict[str, int]:
    """Captions and the first clip of each; blinking things may be away in the one frame."""
    picks: dict[str, int] = {}
    for index, clip in enumerate(pool.clips):
        still = not any(g.action == "blinks" for g in clip.scene.groups)
        if still and len(picks) < n:
            words = caption(clip.scene, action=False)
            words = words.replace(". the sign says", " with the number").rstrip(".")
            suffix = " on a sign" if clip.scene.sign is not None else ""
            picks.setdefault(words + suffix, index)
    return picks


def _average_precision(scores: NDArray[np.float32], truth: NDArray[np.bool_]) -> float:
    ranked = truth[np.argsort(-scores)]
    hits = np.cumsum(ranked)
    return float((hits / np.arange(1, len(ranked) + 1))[ranked].mean())


def _short_queries() -> tuple[list[str], NDArray[np.float32]]:
    texts = [article(f"{colour} {kind}") for colour, kind in ALL_PAIRS]
    needs = [pair_trait(colour, kind) for colour, kind in ALL_PAIRS]
    texts += [f"a scene {PLACE_PHRASES[place]}" for place in PLACES]
    needs += [place_trait(place) for place in PLACES]
    return texts, np.stack(needs)
