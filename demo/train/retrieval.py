"""What the embedded encoder finds: captions, short queries, and nothing where nothing is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from demo.phrases import PLACE_PHRASES, article, caption
from demo.train.captions import N_TRAITS, pair_trait, place_trait, scene_traits
from demo.train.judging import auc_interval
from demo.train.pool import Pool
from demo.truth import load_truth
from demo.world import ALL_PAIRS, PLACES
from evals.metrics import Share, auc, share
from index.build import build
from index.encoder import Encoder
from index.errors import MediaError
from index.library import Library
from index.types import Vectors

SEEN_S = 0.5
"""What a clip has less of than this is not taken to be in it."""


@dataclass(frozen=True, slots=True)
class ShortQueries:
    """What the queries "a red boat" and "a scene on the beach" find among pictures or clips."""

    average_precisions: tuple[float, ...]
    """Of those that match something."""
    absent_auc: float
    """Chance that the best score of a query that matches something is above that of one that
    matches nothing."""
    n_absent: int
    """Queries that match nothing."""

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


@dataclass(frozen=True, slots=True)
class Retrieval:
    """What is found among single frames, one of each clip of a pool."""

    recall_at_1: Share
    """Of the captions whose own clip's frame is the nearest of all; so many captions."""
    recall_at_5: Share
    short: ShortQueries


def measure_retrieval(encoder: Encoder, pool: Pool, *, n: int = 200) -> Retrieval:
    """Text to clip among `n` clips with distinct captions, one frame each."""
    picks = _distinct(pool, n)
    images = encoder.encode_frames(np.ascontiguousarray(pool.frames[list(picks.values()), 0]))
    scores = encoder.encode_texts(list(picks)) @ images.T
    # What is as near as its own counts against it: vectors that are all alike find nothing.
    rank = (scores >= np.diag(scores)[:, None]).sum(1) - 1
    traits = np.stack([scene_traits(pool.clips[i].scene) for i in picks.values()])
    return Retrieval(
        recall_at_1=share(int((rank < 1).sum()), len(picks)),
        recall_at_5=share(int((rank < 5).sum()), len(picks)),
        short=_short_queries_among(encoder, images, traits),
    )


def measure_film(encoder: Encoder, film: Path, library: Library) -> tuple[int, ShortQueries]:
    """A rendered film's clips as its index has them: how many, and what short queries find.

    A clip holds what its shots show, where it has half a second of them.

    Args:
        library: where the film is indexed, with this encoder, unless it is there.

    Raises:
        MediaError: the film cannot be read.
    """
    report = build(library, [film], encoder=encoder, progress=lambda event: None)
    if report.failures:
        raise MediaError(report.failures[0].message)
    (video,) = (*report.indexed, *report.unchanged)
    clips, shots = library.clips(video.video_id), load_truth(film).shots
    traits = np.zeros((len(clips.spans), N_TRAITS), np.float32)
    for row, span in zip(traits, clips.spans, strict=True):
        for shot in shots:
            if min(span.end_s, shot.end_s) - max(span.start_s, shot.start_s) >= SEEN_S:
                row[:] = np.maximum(row, scene_traits(shot.scene))
    return len(clips.spans), _short_queries_among(encoder, clips.vectors, traits)


def _short_queries_among(
    encoder: Encoder, vectors: Vectors, traits: NDArray[np.float32]
) -> ShortQueries:
    texts, needs = _short_queries()
    matches = traits @ needs.T >= needs.sum(1)[None] - 0.1
    scores = encoder.encode_texts(texts) @ vectors.T
    found = matches.any(0)
    best = scores.max(1)
    precisions = [_average_precision(scores[q], matches[:, q]) for q in np.nonzero(found)[0]]
    return ShortQueries(
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
