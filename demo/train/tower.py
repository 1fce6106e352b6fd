"""First stage of the VideoLLM: its vision tower learns what stands in every cell.

Crowded scenes with half of the things in nameless colours (shapes must be known by their form),
mixed with ordinary ones, at several sizes.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from demo.train.codebook import CodeHead
from demo.train.dense import DenseHead, dense_accuracy
from demo.train.encoder import Log
from demo.train.forward import patches, see
from demo.train.labels import dense_labels, scene_wide
from demo.train.optimizer import MasterWeights, compute_dtype, cosine
from demo.train.pool import Pool
from demo.train.video_config import CELL_PX, HIDDEN, PATCH_PX, VISION_HIDDEN
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
STEPS = 3000
LR, MATRIX_LR = 2e-3, 0.02
CROWDED_SHARE = 0.45
CHECKPOINT_STEPS = 250


class TowerTrainer:
    """The tower and its two reading heads. `run` goes on from the last checkpoint."""

    def __init__(self, tower: Any, crowd: Pool, plain: Pool, *, work: Path, device: str) -> None:
        self.tower, self.pools, self.work, self.device = tower, (crowd, plain), work, device
        self.dtype = compute_dtype(device)
        torch.manual_seed(1)
        self.patch_head, self.code_head = DenseHead(VISION_HIDDEN), CodeHead(HIDDEN)
        for module in (tower, self.patch_head, self.code_head):
            module.to(device=device, dtype=self.dtype)
        self.weights = MasterWeights(
            (tower, self.patch_head, self.code_head),
            lr=LR,
            matrix_lr=MATRIX_LR,
            is_matrix=lambda name, p: p.ndim == 2 and name.startswith("blocks"),
        )

    def batch(
        self, pool: Pool, picks: list[tuple[int, int, int]], *, height_px: int, width_px: int
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Patches, patch labels (library order), cell labels and places of (clip, frame, frame)."""
        frames = np.stack([pool.frames[i, [a, b]] for i, a, b in picks])
        fine, coarse = [], []
        rows, columns = height_px // CELL_PX, width_px // CELL_PX
        for i, a, b in picks:
            clip = pool.clips[i]
            times = (clip.time_s(a), clip.time_s(b))
            labels = dense_labels(clip.scene, times, rows=2 * rows, columns=2 * columns)
            merged = labels.reshape(-1, rows, 2, columns, 2).transpose(0, 1, 3, 2, 4)
            fine.append(merged.reshape(len(labels), -1))
            whole = scene_wide(dense_labels(clip.scene, times, rows=rows, columns=columns))
            coarse.append(whole.reshape(len(whole), -1))
        places = [PLACES.index(pool.clips[i].scene.place) for i, _, _ in picks]
        pixels = patches(frames, height_px=height_px, width_px=width_px)
        return (
            pixels.to(self.device),
            torch.from_numpy(np.stack(fine)).to(self.device),
            torch.from_numpy(np.stack(coarse)).to(self.device),
            torch.tensor(places, device=self.device),
        )

    def forward(self, pixels: Tensor, *, height_px: int, width_px: int) -> tuple[Tensor, Tensor]:
        rows, columns = height_px // PATCH_PX, width_px // PATCH_PX
        return see(self.tower, pixels.to(self.dtype), rows=rows, columns=columns)

    def loss(self, step: int) -> Tensor:
        rng = random.Random(7_000_003 + step)
        height_px, width_px, n = rng.choice(SIZES)
        pool = self.pools[0 if rng.random() < CROWDED_SHARE else 1]
        picks = []
        for _ in range(n):
            first = rng.randrange(pool.frames.shape[1] - 1)
            picks.append((rng.randrange(len(pool)), first, first + 1))
        size = {"height_px": height_px, "width_px": width_px}
        pixels, fine, coarse, places = self.batch(pool, picks, **size)
        gain = 1 + 0.16 * (torch.rand(n, 1, 1, device=self.device) - 0.5)
        pixels = pixels * gain + 0.12 * (torch.rand(n, 1, 1, device=self.device) - 0.5)
        tokens, fine_tokens = self.forward(pixels, **size)
        return self.patch_head.loss(fine_tokens, fine) + self.code_head.loss(tokens, coarse, places)

    def run(self, *, steps: int = STEPS, log: Log, held_out: Pool | None = None) -> None:
        path = self.work / "tower.pt"
        start = 0
        if path.exists():
            saved = torch.load(path, weights_only=True)
            self.weights.load(saved["weights"])
            start = saved["step"]
        for step in range(start, steps):
            torch.manual_seed(step)
            loss = self.loss(step)
            torch.autograd.backward(loss)
            self.weights.step(cosine(step, steps=steps, warmup=60))
            if step % 50 == 0:
                log(f"tower {step}/{steps} loss {float(loss.detach()):.3f}")
            if (step + 1) % CHECKPOINT_STEPS == 0 or step + 1 == steps:
                if held_out is not None:
                    log(f"tower {step + 1} held out {self.accuracy(held_out)}")
                torch.save({"weights": self.weights.state(), "step": step + 1}, path)

    @torch.no_grad()
    def accuracy(self, pool: Pool, n: int = 200) -> dict[str, float]:
        """Share of filled cells read right from the visual tokens, by channel."""
        n = min(n, len(pool))
        right: dict[str, list[int]] = {}
        size = {"height_px": 128, "width_px": 224}
        for start in range(0, n, 40):
            picks = [(i, 0, 1) for i in range(start, min(n, start + 40))]
            pixels, _, coarse, _ = self.batch(pool, picks, **size)
            tokens, _ = self.forward(pixels, **size)
            for name, (good, count) in dense_accuracy(
                self.code_head.logits(tokens), coarse
            ).items():
                total = right.setdefault(name, [0, 0])
                total[0] += good
                total[1] += count
        return {name: round(good / max(1, count), 3) for name, (good, count) in right.items()}
