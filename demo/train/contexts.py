"""What the VideoLLM is shown in training: clips of different number, length, size and density.

A context is a list of views (one clip of a prompt each); a view is made of takes, each take some
frames of one scene. The same contexts serve the symbolic stage, where fresh scenes are made on the
fly, and the joint stage, where frames come from a pool.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from demo.train.pool import DENSITIES, Pool, PoolClip
from demo.world import Scene, SceneRules, random_scene

LONGEST_FILM_S = 36_000.0
LOOK_SIZES = ((3, 5), (3, 5), (4, 7), (4, 7), (4, 7), (2, 3))
"""Rows and columns in cells of 32 px: 160×96, 224×128 and 96×64 px."""
STRIP_SIZES = ((3, 5), (3, 5), (2, 3))
LARGE_SIZES = ((6, 10), (8, 14))
FIRST_SIZES = ((2, 3), (3, 5))
"""What looks begin with: attention finds one cell of six long before one of a hundred."""
LONGEST_PAIRS = 4
LONGEST_STRIP = 32
"""Pairs."""
FRESH_SIGN_SHARE = 0.6


@dataclass(frozen=True, slots=True)
class Take:
    """Frames of one scene, an even number of them."""

    clip: PoolClip
    pool_index: int | None
    frame_indices: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class View:
    """One clip of a prompt."""

    takes: tuple[Take, ...]
    times_s: tuple[float, ...]
    """The film time of every frame."""
    rows: int
    columns: int

    def pairs(self) -> list[tuple[Take, int, int]]:
        """The frames two by two, as the model fuses them."""
        out = []
        for take in self.takes:
            k = take.frame_indices
            out += [(take, k[i], k[i + 1]) for i in range(0, len(k), 2)]
        return out

    def tags(self) -> list[str]:
        """The time that stands before each pair."""
        times = self.times_s
        return [f"{(times[i] + times[i + 1]) / 2:.1f}" for i in range(0, len(times), 2)]


@dataclass(frozen=True, slots=True)
class Context:
    views: tuple[View, ...]
    strip: bool = False

    @property
    def scenes(self) -> list[Scene]:
        """The scenes in their order; a scene in two pairs stands once."""
        return [take.clip.scene for view in self.views for take in view.takes]


Source = Callable[[random.Random, int], Take]
"""Gives a take of that many frames."""


def fresh_take(rng: random.Random, n_frames: int) -> Take:
    scene = random_scene(rng, SceneRules(sign=rng.random() < FRESH_SIGN_SHARE))
    return _whole_clip(rng, scene, n_frames)


def single_take(rng: random.Random, n_frames: int) -> Take:
    """One group only: on a cell or two, two groups hide each other."""
    return _whole_clip(rng, random_scene(rng, SceneRules(n_groups=1)), n_frames)


def two_take(rng: random.Random, n_frames: int) -> Take:
    """Two groups of one thing each."""
    rules = SceneRules(n_groups=2, n_things=1, sign=rng.random() < FRESH_SIGN_SHARE)
    return _whole_clip(rng, random_scene(rng, rules), n_frames)


def _whole_clip(rng: random.Random, scene: Scene, n_frames: int) -> Take:
    clip = PoolClip(scene, rng.uniform(0, 8), rng.choice(DENSITIES))
    return Take(clip, None, tuple(range(n_frames)))


def pool_source(pool: Pool) -> Source:
    """Takes from a pool; every second frame of a clip halves its density.

    Not of the sparsest: in four seconds a thing moves half a picture, and which way cannot be told.
    """
    longest = pool.frames.shape[1]

    def take(rng: random.Random, n_frames: int) -> Take:
        index = rng.randrange(len(pool))
        halved = n_frames * 2 <= longest and rng.random() < 0.3
        stride = 2 if halved and pool.clips[index].fps > min(DENSITIES) else 1
        first = rng.randrange(longest - (n_frames - 1) * stride)
        return Take(pool.clips[index], index, tuple(first + stride * k for k in range(n_frames)))

    return take


def _start(rng: random.Random) -> float:
    return rng.choice(
        (0.0, rng.uniform(0, 60), rng.uniform(0, 4000), rng.uniform(0, LONGEST_FILM_S))
    )


def _gap(take: Take) -> float:
    return (take.frame_indices[1] - take.frame_indices[0]) / take.clip.fps


def look(
    rng: random.Random,
    source: Source,
    *,
    n_pairs: int,
    start_s: float,
    sizes: Sequence[tuple[int, int]] = LOOK_SIZES,
) -> View:
    """A clip of one scene."""
    take = source(rng, 2 * n_pairs)
    gap = _gap(take)
    rows, columns = rng.choice(sizes)
    times = tuple(start_s + k * gap for k in range(2 * n_pairs))
    return View((take,), times, rows, columns)


def across_cut(rng: random.Random, source: Source, *, n_pairs: int, start_s: float) -> View:
    """A clip that begins in one shot and ends in the next."""
    first_pairs = rng.randrange(1, n_pairs)
    takes = (source(rng, 2 * first_pairs), source(rng, 2 * (n_pairs - first_pairs)))
    gap = _gap(takes[0])
    rows, columns = rng.choice(LOOK_SIZES)
    times = tuple(start_s + k * gap for k in range(2 * n_pairs))
    return View(takes, times, rows, columns)


def strip(
    rng: random.Random,
    source: Source,
    *,
    n_pairs: int,
    sizes: Sequence[tuple[int, int]] = STRIP_SIZES,
) -> View:
    """Small frames of some shots of a film, two pairs of each, as the survey shows its peaks.

    Args:
        n_pairs: an even number.
    """
    rows, columns = rng.choice(sizes)
    takes: list[Take] = []
    times: list[float] = []
    now = _start(rng)
    for _ in range(n_pairs // 2):
        takes.append(source(rng, 4))
        now += rng.uniform(2, 40) if rng.random() < 0.5 else rng.uniform(40, 400)
        within_s = rng.uniform(1.5, 6)
        for _ in range(2):
            times += [now, now + 1.0]
            now += within_s
    return View(tuple(takes), tuple(times), rows, columns)


def random_context(rng: random.Random, source: Source, *, kind: str, first: bool) -> Context:
    """A context of a kind: "look", "large", "cut", "several" or "strip".

    Args:
        first: one pair of few cells and things in a look, as training begins.
    """
    start = _start(rng)
    if kind == "look":
        if first:
            few = rng.choice((single_take, two_take))
            return Context((look(rng, few, n_pairs=1, start_s=start, sizes=FIRST_SIZES),))
        n_pairs = rng.randint(1, LONGEST_PAIRS)
        return Context((look(rng, source, n_pairs=n_pairs, start_s=start),))
    if kind == "large":
        n_pairs = rng.randint(1, 2)
        return Context((look(rng, source, n_pairs=n_pairs, start_s=start, sizes=LARGE_SIZES),))
    if kind == "cut":
        n_pairs = rng.randint(2, LONGEST_PAIRS)
        return Context((across_cut(rng, source, n_pairs=n_pairs, start_s=start),))
    if kind == "several":
        views = []
        for _ in range(rng.randint(2, 3)):
            views.append(look(rng, source, n_pairs=rng.randint(1, 3), start_s=start))
            start = views[-1].times_s[-1] + rng.choice((1.0, rng.uniform(1, 600)))
        return Context(tuple(views))
    return Context(
        (strip(rng, source, n_pairs=2 * rng.randint(2, LONGEST_STRIP // 2)),), strip=True
    )


def copying_context(
    rng: random.Random,
    *,
    n_pairs: int,
    latest_s: int,
    sizes: Sequence[tuple[int, int]],
) -> Context:
    """A symbolic strip of few and coarse cells before `latest_s`: all to find and to copy.

    Half of the strips lie near in time, as one film's do.

    Args:
        n_pairs: an even number.
    """
    rows, columns = rng.choice(sizes)
    first, reach = 0, latest_s
    if rng.random() < 0.5:
        reach = min(reach, 10 * n_pairs)
        first = rng.randrange(latest_s - reach + 1)
    seconds = sorted(first + s for s in rng.sample(range(reach), n_pairs))
    takes = tuple(single_take(rng, 4) for _ in range(n_pairs // 2))
    # Both frames of a pair at its time: no other gap than these.
    tenths = rng.choice(((0,), (5,), range(10)))
    times_s = tuple(t for s in seconds for t in [s + rng.choice(tenths) / 10] * 2)
    return Context((View(takes, times_s, rows, columns),), strip=True)


def binding_context(rng: random.Random) -> Context:
    """Symbolic: two different things in one picture, or one in each of some pairs of few cells."""
    if rng.random() < 0.4:
        start_s = _start(rng)
        return Context((look(rng, two_take, n_pairs=1, start_s=start_s, sizes=((3, 5),)),))
    n_pairs = rng.choice((2, 4, 4, 6, 8))
    return Context((strip(rng, single_take, n_pairs=n_pairs, sizes=((1, 1), (1, 2))),))
