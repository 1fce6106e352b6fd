"""First stage of the VideoLLM: its vision tower learns what stands in every cell.

Crowded scenes with half of the things in nameless colours (shapes must be known by their form) and
scenes whose numbers cannot be told from sizes, mixed with ordinary ones. All of one size first:
counting is an average over the picture, which says something else at every size, and was not
learned from all sizes at once.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from demo.train.checkpoint import load_checkpoint, save_checkpoint
from demo.train.codebook import CodeHead
from demo.train.dense import DenseHead, HalfWayHead, dense_accuracy
from demo.train.encoder import Log
from demo.train.forward import Seen, patches, see
from demo.train.labels import Labels, centre_labels, dense_labels, scene_wide
from demo.train.optimizer import MasterWeights, compute_dtype, cosine
from demo.train.pool import Pool
from demo.train.video_config import CELL_PX, HIDDEN, MERGE, PATCH_PX, VISION_HIDDEN
from demo.world import PLACES

SIZES = (
    (64, 96, 112),
    (96, 160, 48),
    (96, 160, 48),
    (128, 224, 28),
    (128, 224, 28),
    (192, 320, 12),
    (256, 448, 6),
)
"""(height, width, pairs a step)."""
FIRST_SIZE, FIRST_SHARE = (96, 160, 48), 0.4
"""The only size in the first share of the steps."""
POOL_SHARES = (0.25, 0.35, 0.40)
"""Of crowded, counted and plain pairs."""
STEPS = 3000
LR, MATRIX_LR = 2e-3, 0.02
CHECKPOINT_STEPS = 250


@dataclass(frozen=True, slots=True)
class _Pairs:
    pixels: Tensor
    """(pairs, patches, 1536)."""
    fine: Tensor
    """Labels of patches in the library's order, (pairs, channels, patches)."""
    centres: Tensor
    """Whether a thing's centre lies in a patch, (pairs, patches)."""
    coarse: Tensor
    """Labels of visual tokens, (pairs, channels, cells)."""
    places: Tensor


def in_library_order(labels: Labels) -> Labels:
    """(channels, rows, columns) of patches -> (channels, patches) in the library's order."""
    channels, rows, columns = labels.shape
    cells = labels.reshape(channels, rows // MERGE, MERGE, columns // MERGE, MERGE)
    return cells.transpose(0, 1, 3, 2, 4).reshape(channels, -1)


class TowerTrainer:
    """The tower and its reading heads. `run` goes on from the last checkpoint."""

    def __init__(
        self,
        tower: Any,
        pools: tuple[Pool, Pool, Pool],
        *,
        work: Path,
        device: str,
        heads_first: int = 0,
        rate: float = 1.0,
    ) -> None:
        """`pools`: crowded, counted and plain pairs. `heads_first`: for so many steps the tower
        stays as it is, as one that was saved, without its heads, does until they can read it again;
        such a tower need not begin with pictures of one size. `rate`: share of the learning
        rates once the tower learns."""
        self.tower, self.pools, self.work, self.device = tower, pools, work, device
        self.dtype = compute_dtype(device)
        torch.manual_seed(1)
        self.patch_head, self.code_head = DenseHead(VISION_HIDDEN), CodeHead(HIDDEN)
        self.half_way_head = HalfWayHead(VISION_HIDDEN)
        heads = (self.patch_head, self.code_head, self.half_way_head)
        for module in (tower, *heads):
            module.to(device=device, dtype=self.dtype)
        self.heads_first, self.rate = heads_first, rate
        self.weights = MasterWeights(
            (tower, *heads),
            lr=LR,
            matrix_lr=MATRIX_LR,
            is_matrix=lambda name, p: p.ndim == 2 and name.startswith("blocks"),
        )

    def batch(
        self, pool: Pool, picks: list[tuple[int, int, int]], *, height_px: int, width_px: int
    ) -> _Pairs:
        """Pixels and labels of (clip, frame, frame)."""
        frames = np.stack([pool.frames[i, [a, b]] for i, a, b in picks])
        fine, centres, coarse = [], [], []
        rows, columns = height_px // CELL_PX, width_px // CELL_PX
        for i, a, b in picks:
            clip = pool.clips[i]
            scene, times = clip.scene, (clip.time_s(a), clip.time_s(b))
            fine.append(
                in_library_order(dense_labels(scene, times, rows=2 * rows, columns=2 * columns))
            )
            spots = centre_labels(scene, times, rows=2 * rows, columns=2 * columns)
            centres.append(in_library_order(spots)[0])
            whole = scene_wide(dense_labels(scene, times, rows=rows, columns=columns))
            coarse.append(whole.reshape(len(whole), -1))
        places = [PLACES.index(pool.clips[i].scene.place) for i, _, _ in picks]
        pixels = patches(frames, height_px=height_px, width_px=width_px)
        labels = (torch.from_numpy(np.stack(part)) for part in (fine, centres, coarse))
        parts = (pixels, *labels, torch.tensor(places))
        return _Pairs(*(part.to(self.device) for part in parts))

    def forward(self, pixels: Tensor, *, height_px: int, width_px: int) -> Seen:
        rows, columns = height_px // PATCH_PX, width_px // PATCH_PX
        return see(self.tower, pixels.to(self.dtype), rows=rows, columns=columns)

    def loss(self, step: int, *, one_size: bool) -> Tensor:
        """Of all heads, on a batch of the stage."""
        rng = random.Random(7_000_003 + step)
        size = FIRST_SIZE if one_size else rng.choice(SIZES)
        pairs, seen = self._seen(rng, rng.choices(self.pools, POOL_SHARES)[0], size)
        behind = self.patch_head.loss(seen.patches, pairs.fine)
        half_way = self.half_way_head.loss(seen.half_way, pairs.fine, pairs.centres)
        return behind + half_way + self.code_head.loss(seen.tokens, pairs.coarse, pairs.places)

    def apart_loss(self, step: int) -> Tensor:
        """Of the codes alone, on crowded pairs, where half of the things are in nameless colours,
        and on counted ones."""
        rng = random.Random(8_000_009 + step)
        pool = rng.choices(self.pools[:2], POOL_SHARES[:2])[0]
        pairs, seen = self._seen(rng, pool, rng.choice(SIZES))
        return self.code_head.loss(seen.tokens, pairs.coarse, pairs.places)

    def _seen(
        self, rng: random.Random, pool: Pool, size: tuple[int, int, int]
    ) -> tuple[_Pairs, Seen]:
        """Pairs of a pool at (height, width, how many), a little brighter or darker, and what the
        tower makes of them."""
        height_px, width_px, n = size
        picks = []
        for _ in range(n):
            first = rng.randrange(pool.frames.shape[1] - 1)
            picks.append((rng.randrange(len(pool)), first, first + 1))
        pairs = self.batch(pool, picks, height_px=height_px, width_px=width_px)
        gain = 1 + 0.16 * (torch.rand(n, 1, 1, device=self.device) - 0.5)
        shift = 0.12 * (torch.rand(n, 1, 1, device=self.device) - 0.5)
        lit = pairs.pixels * gain + shift
        return pairs, self.forward(lit, height_px=height_px, width_px=width_px)

    def run(self, *, steps: int = STEPS, log: Log, held_out: Pool | None = None) -> None:
        path = self.work / "tower.pt"
        start = 0
        if saved := load_checkpoint(path):
            self.weights.load(saved["weights"])
            start = saved["step"]
        for step in range(start, steps):
            torch.manual_seed(step)
            learns = step >= self.heads_first
            self.tower.requires_grad_(learns)
            fresh = not self.heads_first
            loss = self.loss(step, one_size=fresh and step < FIRST_SHARE * steps)
            torch.autograd.backward(loss)
            # Heads begin from nothing also where the tower goes on gently.
            factor = self.rate if learns else 1.0
            self.weights.step(factor * cosine(step, steps=steps, warmup=60))
            if step % 50 == 0:
                log(f"tower {step}/{steps} loss {float(loss.detach()):.3f}")
            if (step + 1) % CHECKPOINT_STEPS == 0 or step + 1 == steps:
                if held_out is not None:
                    log(f"tower {step + 1} held out {self.accuracy(held_out)}")
                save_checkpoint({"weights": self.weights.state(), "step": step + 1}, path)
        # The joint stage teaches the tower too.
        self.tower.requires_grad_(True)

    @torch.no_grad()
    def accuracy(self, pool: Pool, n: int = 200) -> dict[str, float]:
        """Share of filled cells read right from the visual tokens, by channel."""
        n = min(n, len(pool))
        right: dict[str, list[int]] = {}
        size = {"height_px": 128, "width_px": 224}
        for start in range(0, n, 40):
            picks = [(i, 0, 1) for i in range(start, min(n, start + 40))]
            pairs = self.batch(pool, picks, **size)
            logits = self.code_head.logits(self.forward(pairs.pixels, **size).tokens)
            for name, (good, count) in dense_accuracy(logits, pairs.coarse).items():
                total = right.setdefault(name, [0, 0])
                total[0] += good
                total[1] += count
        return {name: round(good / max(1, count), 3) for name, (good, count) in right.items()}
