"""Rendered training clips on disk, so that no step waits for the renderer.

A pool is a folder with `frames.npy` (n, frames, height, width, 3) uint8, memory-mapped, and
`clips.jsonl`. It is made once from a seed and reused by every stage.
"""

from __future__ import annotations

import io
import json
import math
import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from demo.draw import SceneFilm
from demo.world import (
    ALL_PAIRS,
    CELLS,
    FILM_BACKGROUNDS,
    HELD_OUT,
    MAX_COUNT,
    TRAIN_PAIRS,
    Group,
    Scene,
    SceneRules,
    random_group,
    random_scene,
    recolour,
    scene_from_json,
    scene_to_json,
)
from index.errors import InputError

HEIGHT_PX, WIDTH_PX = 144, 240
DENSITIES = (0.5, 1.0, 2.0, 2.0, 4.0, 4.0, 8.0)
"""Frames per second that clips are shown at, as often as they stand here."""
# Half of the clips pass through a lossy coder, as every real frame has.
COMPRESSED_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class PoolClip:
    """One clip: its scene, when in the shot it starts, and its density."""

    scene: Scene
    start_s: float
    fps: float

    def time_s(self, frame_index: int) -> float:
        return self.start_s + frame_index / self.fps


class Pool:
    """Clips with their frames. Frames stay on disk until they are used."""

    def __init__(self, folder: Path) -> None:
        self.frames: NDArray[np.uint8] = np.load(folder / "frames.npy", mmap_mode="r")
        lines = (folder / "clips.jsonl").read_text().splitlines()
        self.clips = [_clip_from_json(json.loads(line)) for line in lines]

    def __len__(self) -> int:
        return len(self.clips)


def _clip_from_json(data: dict[str, object]) -> PoolClip:
    scene = scene_from_json(data["scene"])  # type: ignore[arg-type]
    return PoolClip(scene, float(str(data["start_s"])), float(str(data["fps"])))


def _compress(pixels: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


def training_scene(rng: random.Random) -> Scene:
    return random_scene(rng, SceneRules(pairs=TRAIN_PAIRS))


def unseen_scene(rng: random.Random) -> Scene:
    """Unseen background, any pair."""
    return random_scene(rng, SceneRules(pairs=ALL_PAIRS, backgrounds=FILM_BACKGROUNDS))


def held_out_scene(rng: random.Random) -> Scene:
    """Unseen background, the first group a pair that training never showed."""
    scene = unseen_scene(rng)
    others = {g.kind for g in scene.groups[1:]}
    colour, kind = rng.choice([p for p in sorted(HELD_OUT) if p[1] not in others])
    first = replace(scene.groups[0], colour=colour, kind=kind)
    return replace(scene, groups=(first, *scene.groups[1:]))


def empty_scene(rng: random.Random) -> Scene:
    """Unseen background, and nothing before it but perhaps a sign."""
    return replace(unseen_scene(rng), groups=())


def crowded_scene(rng: random.Random) -> Scene:
    """Many things at once, half of them in nameless colours: for dense labels."""
    scene = random_scene(rng, SceneRules(n_groups=1))
    cells = [(x, y) for x in (0.13, 0.38, 0.62, 0.87) for y in (0.27, 0.72)]
    rng.shuffle(cells)
    left = cells[: rng.randint(4, 8)]
    groups: list[Group] = []
    while left:
        base = random_scene(rng, SceneRules(n_groups=1, n_things=1)).groups[0]
        n = min(len(left), rng.choice((1, 1, 1, 1, 2, 3, 4)))
        places = tuple(
            (x + rng.uniform(-0.05, 0.05), y + rng.uniform(-0.07, 0.07)) for x, y in left[:n]
        )
        left = left[n:]
        group = replace(base, positions=places, size=rng.uniform(0.26, 0.52 if n == 1 else 0.46))
        groups.append(recolour(group, rng) if rng.random() < 0.5 else group)
    return replace(scene, groups=tuple(groups))


def counted_scene(rng: random.Random) -> Scene:
    """One to four alike, of any size.

    Elsewhere single things are larger: a tower that sees size alone is right about many numbers,
    and learns no counting.
    """
    scene = training_scene(rng)
    cells = list(CELLS)
    rng.shuffle(cells)
    groups = []
    for group in scene.groups:
        n = rng.randint(1, MAX_COUNT if len(scene.groups) == 1 else 3)
        placed = random_group(rng, pair=group.pair, n=n, action=group.action, cells=cells)
        groups.append(replace(placed, size=rng.uniform(0.26, 0.42)))
    return replace(scene, groups=tuple(groups))


def _drawn(
    rng: random.Random, scene: Callable[[random.Random], Scene], n_frames: int
) -> tuple[PoolClip, NDArray[np.uint8]]:
    """The next clip and its frames."""
    clip = PoolClip(scene(rng), rng.uniform(0, 8), rng.choice(DENSITIES))
    film = SceneFilm(clip.scene, width_px=WIDTH_PX, height_px=HEIGHT_PX)
    quality = rng.randrange(25, 90) if rng.random() < COMPRESSED_SHARE else None
    shown = []
    for k in range(n_frames):
        pixels = film.frame(clip.time_s(k), noise_number=rng.randrange(1000))
        shown.append(pixels if quality is None else _compress(pixels, quality))
    return clip, np.stack(shown)


def make_pool(
    folder: Path,
    *,
    scene: Callable[[random.Random], Scene],
    n_clips: int,
    n_frames: int,
    seed: int,
) -> Pool:
    """Renders a pool, unless the folder holds it already.

    Raises:
        InputError: what the folder holds is drawn otherwise by now, or the disk has no room.
    """
    rng = random.Random(seed)
    if (folder / "clips.jsonl").exists():
        pool = Pool(folder)
        clip, pixels = _drawn(rng, scene, n_frames)
        if pool.clips[0] != clip or not np.array_equal(pool.frames[0], pixels):
            raise InputError(
                f"the clips in {folder} are drawn otherwise by now", "remove the folder"
            )
        return pool
    folder.mkdir(parents=True, exist_ok=True)
    shape = (n_clips, n_frames, HEIGHT_PX, WIDTH_PX, 3)
    # A map of a file on a full disk ends the process without a word.
    needed, free = math.prod(shape), shutil.disk_usage(folder).free
    if needed > free:
        raise InputError(
            f"{folder} would take {needed / 1e9:.1f} GB, and {free / 1e9:.1f} are free",
            "name another folder with --pools",
        )
    frames = np.lib.format.open_memmap(
        folder / "frames.npy", mode="w+", dtype=np.uint8, shape=shape
    )
    lines = []
    for index in range(n_clips):
        clip, frames[index] = _drawn(rng, scene, n_frames)
        data = {"scene": scene_to_json(clip.scene), "start_s": clip.start_s, "fps": clip.fps}
        lines.append(json.dumps(data))
    frames.flush()
    # The list is written last: a folder without it is an unfinished pool.
    (folder / "clips.jsonl").write_text("\n".join(lines) + "\n")
    return Pool(folder)
