"""The later stages of the VideoLLM: language over symbols, then both over pixels.

Symbolic stage: visual tokens are made from labels (codebook.py), so binding, copying times and
judging are learned cheaply. Joint stage: pixels through the tower, with the dense loss kept as a
small auxiliary one and some symbolic batches mixed in.
"""

from __future__ import annotations

import random
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from demo.train.branches import (
    binding_branches,
    branches,
    copying_branches,
    request_branches,
    rewrite_branch,
)
from demo.train.checkpoint import load_checkpoint, save_checkpoint
from demo.train.codebook import CodeHead, SymbolicTower, time_loss
from demo.train.contexts import (
    Context,
    Source,
    binding_context,
    copying_context,
    fresh_take,
    pool_source,
    random_context,
)
from demo.train.curriculum import PHASES, Curriculum
from demo.train.encoder import Log
from demo.train.forward import Early, Stream, patches, see, think
from demo.train.labels import dense_labels, scene_wide
from demo.train.optimizer import MasterWeights, compute_dtype, held
from demo.train.packing import IGNORE, Packed, Packer
from demo.train.pool import Pool
from demo.train.topics import Branch
from demo.train.tower import TowerTrainer
from demo.train.video_config import CELL_PX, HIDDEN, MERGE
from demo.world import PLACES

SYMBOLIC_STEPS, JOINT_STEPS = 4000, 1500
SYMBOLIC_LR, JOINT_LR = 1.5e-3, 1e-3
SYMBOLIC_MATRIX_LR, JOINT_MATRIX_LR = 0.02, 0.013
BRANCHES, BINDING_BRANCHES = 4, 8
ROWS = {
    "look": 16,
    "ask": 14,
    "bind": 12,
    "large": 5,
    "cut": 14,
    "several": 10,
    "strip": 5,
    "copy": 24,
    "words": 28,
}
"""Contexts a step: about equally many tokens."""
DENSE_WEIGHT = 0.1
APART_WEIGHT = 0.1
"""Of the tower's loss on things in nameless colours, in the joint stage."""
TIME_WEIGHT = 0.2
SYMBOLIC_SHARE = 0.3
"""Share of the joint stage's steps that stay symbolic."""
COOLDOWN = 0.3
"""Share of a stage's steps, the last ones, in which the rates fall to almost nothing."""
CHECKPOINT_STEPS = 30


class VideoTrainer:
    """The whole model under training. `run` goes on from the last checkpoint of its stage."""

    def __init__(
        self,
        model: Any,
        packer: Packer,
        *,
        work: Path,
        device: str,
        pool: Pool | None = None,
        tower: TowerTrainer | None = None,
        rate: float = 1.0,
        cooldown: float = COOLDOWN,
    ) -> None:
        """`pool` and `tower`: of the joint stage. `rate`: share of the learning rates; `cooldown`:
        share of the steps, the last ones, in which these fall."""
        self.model, self.packer, self.work, self.device, self.pool = (
            model,
            packer,
            work,
            device,
            pool,
        )
        self.taught_tower, self.cooldown = tower, cooldown
        self.tower, self.language = model.model.visual, model.model.language_model
        self.symbols = SymbolicTower(HIDDEN)
        self.code_head = tower.code_head if tower else CodeHead(HIDDEN)
        self.dtype = compute_dtype(device)
        for module in (model, self.code_head):
            module.to(device=device, dtype=self.dtype)
        self.weights = MasterWeights(
            (model, self.code_head) if pool is not None else (self.language,),
            lr=rate * (SYMBOLIC_LR if pool is None else JOINT_LR),
            matrix_lr=rate * (SYMBOLIC_MATRIX_LR if pool is None else JOINT_MATRIX_LR),
            is_matrix=_in_block,
            # Those of numbers are held, and no other word should shrink beside them.
            is_whole=lambda name, parameter: "embed_tokens" in name,
        )
        # Pixels come when the phases are over; copying goes on from where it stands.
        self.taught = Curriculum(phase=0 if pool is None else len(PHASES) - 1)

    def full_model(self) -> Any:
        """The model with the fp32 master weights in it, on the CPU, ready to be saved."""
        copied = type(self.model)(self.model.config)
        copied.load_state_dict(self.model.state_dict())
        master = {id(p): m for p, m in zip(self.weights.live, self.weights.master, strict=True)}
        with torch.no_grad():
            for mine, live in zip(copied.parameters(), self.model.parameters(), strict=True):
                mine.copy_(master.get(id(live), live))
        return copied.eval()

    # -- batches ---------------------------------------------------------------------------------

    def batch(
        self, rng: random.Random, source: Source, *, symbolic: bool
    ) -> tuple[list[Context | None], list[list[Branch]]]:
        """Contexts of one kind, so that rows are about equally long, with their branches."""
        kind = self.taught.kind(rng, symbolic=symbolic)
        if kind == "words":
            asked = [[rewrite_branch(rng) for _ in range(BRANCHES)] for _ in range(ROWS[kind])]
            return [None] * len(asked), asked
        rows = [self._row(rng, source, kind) for _ in range(ROWS[kind])]
        return [context for context, _ in rows], [asked for _, asked in rows]

    def _row(self, rng: random.Random, source: Source, kind: str) -> tuple[Context, list[Branch]]:
        taught = self.taught
        if kind == "ask":
            context = binding_context(rng)
            return context, binding_branches(rng, context, n=BRANCHES, short=False)
        if kind == "bind":
            context = binding_context(rng)
            return context, binding_branches(rng, context, n=BINDING_BRANCHES, short=True)
        if kind == "copy":
            rung = taught.copying(rng)
            size = {"n_pairs": rung.n_pairs, "latest_s": rung.latest_s}
            context = copying_context(rng, **size, sizes=rung.sizes)
            return context, copying_branches(rng, context, n=BRANCHES, short=rung.short)
        context = random_context(rng, source, kind=kind, first=taught.first)
        if context.strip:
            return context, request_branches(rng, context, n=BRANCHES)
        return context, branches(rng, context, n=BRANCHES, easy=taught.easy)

    def symbolic_tokens(self, contexts: list[Context | None], rng: random.Random) -> Tensor:
        """(visual tokens of the batch, hidden), in packing order."""
        out = []
        for view in (v for c in contexts if c for v in c.views):
            for take, a, b in view.pairs():
                scene = take.clip.scene
                times = (take.clip.time_s(a), take.clip.time_s(b))
                grid = dense_labels(scene, times, rows=view.rows, columns=view.columns)
                labels = scene_wide(grid)
                out.append(self.symbols.tokens(labels, PLACES.index(scene.place), rng))
        if not out:
            return torch.zeros(0, HIDDEN, dtype=self.dtype, device=self.device)
        return torch.from_numpy(np.concatenate(out)).to(self.device, self.dtype)

    def pixel_tokens(self, contexts: list[Context | None], *, train: bool) -> tuple[Tensor, Tensor]:
        """Visual tokens from the pool's frames, and the dense loss on them.

        Pairs of one size go through the tower together and are put back in packing order.
        """
        assert self.pool is not None
        groups: dict[tuple[int, int], list[tuple[int, Any, int, int]]] = defaultdict(list)
        order = 0
        for view in (v for c in contexts if c for v in c.views):
            for take, a, b in view.pairs():
                groups[view.rows, view.columns].append((order, take, a, b))
                order += 1
        tokens: list[Tensor] = [torch.empty(0)] * order
        dense = torch.zeros((), device=self.device)
        for (rows, columns), members in groups.items():
            frames = np.stack([self.pool.frames[t.pool_index, [a, b]] for _, t, a, b in members])
            pixels = patches(frames, height_px=rows * CELL_PX, width_px=columns * CELL_PX)
            pixels = pixels.to(self.device)
            if train:
                shape = (len(members), 1, 1)
                gain = 1 + 0.16 * (torch.rand(shape, device=self.device) - 0.5)
                pixels = pixels * gain + 0.12 * (torch.rand(shape, device=self.device) - 0.5)
            grid = {"rows": rows * MERGE, "columns": columns * MERGE}
            seen = see(self.tower, pixels.to(self.dtype), **grid).tokens
            if train:
                labels, places = _labels(members, rows=rows, columns=columns)
                part = self.code_head.loss(seen, labels.to(self.device), places.to(self.device))
                dense = dense + part * len(members) / order
            for (number, *_), row in zip(members, seen, strict=True):
                tokens[number] = row
        if not tokens:
            return torch.zeros(0, HIDDEN, dtype=self.dtype, device=self.device), dense
        return torch.cat(tokens), dense

    # -- loss ------------------------------------------------------------------------------------

    def logits(self, packed: Packed, visual: Tensor) -> tuple[Tensor, Tensor, Early]:
        """Logits (learned tokens, vocabulary), the flat indices (batch·L) they stand at, and early
        hidden states."""
        embed = self.language.embed_tokens
        x = embed(packed.ids)
        if len(packed.places):
            shown = visual[packed.shown].to(x.dtype)
            x = x.flatten(0, 1).index_copy(0, packed.places, shown).view_as(x)
        hidden, early = think(self.language, Stream.start(self.language, x, packed.positions))
        where = (packed.labels != IGNORE).flatten().nonzero()[:, 0]
        chosen = hidden.flatten(0, 1)[where]
        return F.linear(chosen, embed.weight).float(), where, early

    def loss(self, batches: list[Packed], visual: Tensor, asked: list[list[Branch]]) -> Tensor:
        """Cross-entropy; a branch of n tokens weighs n^½, each of its numbers 1. Notes which
        replies were right.

        With the plain sum, captions and requests would drown the one-token replies. Beside it
        stands how well visual tokens know their times.
        """
        total, weights, times = visual.new_zeros(()), 0.0, visual.new_zeros(())
        flat = [branch for row in asked for branch in row]
        for packed in batches:
            logits, where, early = self.logits(packed, visual)
            wanted = packed.labels.flatten()[where]
            owner = where // packed.labels.shape[-1]
            size = torch.bincount(owner)[owner].float()
            weight = size.pow(-0.5).masked_fill(self.packer.are_numbers(wanted), 1.0)
            loss = F.cross_entropy(logits, wanted, reduction="none")
            total = total + (loss * weight).sum()
            weights += float(weight.sum())
            times = times + _times_loss(packed, early) * (len(packed.asked) / len(flat))
            for row, right in right_branches(owner, logits.argmax(-1) == wanted).items():
                self.taught.note(flat[int(packed.asked[row])].task, right=right)
        return total / weights + TIME_WEIGHT * times

    # -- the loop --------------------------------------------------------------------------------

    def run(self, *, name: str, steps: int, log: Log) -> None:
        path = self.work / f"{name}.pt"
        start = 0
        if saved := load_checkpoint(path):
            self.weights.load(saved["weights"])
            self.taught = Curriculum(**saved["taught"])
            start = saved["step"]
        source = fresh_take if self.pool is None else pool_source(self.pool)
        for step in range(start, steps):
            loss = self._step(step, steps=steps, source=source)
            if step % 50 == 0:
                log(f"{name} {step}/{steps} loss {loss:.3f} {self._state_words(step)}")
            if (step + 1) % CHECKPOINT_STEPS == 0 or step + 1 == steps:
                state = {"weights": self.weights.state(), "taught": self.taught.state()}
                save_checkpoint({**state, "step": step + 1}, path)

    def _state_words(self, step: int) -> str:
        taught = self.taught
        where = f"phase {PHASES[taught.phase]} rung {taught.rung}"
        tasks = {k: round(v, 2) for k, v in sorted(taught.running.items())}
        return f"{where} {tasks}" if step % 100 == 0 else where

    def _step(self, step: int, *, steps: int, source: Source) -> float:
        torch.manual_seed(step)
        rng = random.Random(f"{self.pool is None}/{step}")
        symbolic = self.pool is None or rng.random() < SYMBOLIC_SHARE
        takes = fresh_take if symbolic else source
        contexts, asked = self.batch(rng, takes, symbolic=symbolic)
        batches = [b.to(self.device) for b in self.packer.pack(contexts, asked)]
        dense: Tensor | float = 0.0
        if symbolic:
            visual = self.symbolic_tokens(contexts, rng)
        else:
            visual, dense = self.pixel_tokens(contexts, train=True)
        loss = self.loss(batches, visual, asked)
        torch.autograd.backward(loss + DENSE_WEIGHT * dense)
        if not symbolic and self.taught_tower is not None:
            # The pool shows some pairs of colour and kind and no others: without things in nameless
            # colours the tower comes to tell shapes by their colours.
            apart = self.taught_tower.apart_loss(step)
            torch.autograd.backward(APART_WEIGHT * apart)
        warmup = min(80, steps // 5)
        self.weights.step(held(step, steps=steps, warmup=warmup, cooldown=self.cooldown))
        self.taught.advance(level=step / steps)
        return float(loss.detach())


def _in_block(name: str, parameter: torch.nn.Parameter) -> bool:
    return parameter.ndim == 2 and ("layers." in name or "blocks." in name)


def _times_loss(packed: Packed, early: Early) -> Tensor:
    """How badly visual tokens know their times."""
    if not len(packed.places):
        return early.timed.new_zeros(())
    own, start = (x.flatten(0, 1)[packed.places] for x in (early.timed, early.started))
    return time_loss(own, packed.times[0], which=0) + time_loss(start, packed.times[1], which=1)


def _labels(members: list[Any], *, rows: int, columns: int) -> tuple[Tensor, Tensor]:
    labels, places = [], []
    for _, take, a, b in members:
        times = (take.clip.time_s(a), take.clip.time_s(b))
        grid = scene_wide(dense_labels(take.clip.scene, times, rows=rows, columns=columns))
        labels.append(grid.reshape(len(grid), -1))
        places.append(PLACES.index(take.clip.scene.place))
    return torch.from_numpy(np.stack(labels)), torch.tensor(places)


def right_branches(owner: Tensor, right: Tensor) -> dict[int, bool]:
    """Whether all tokens of a branch were predicted: equal to greedy decoding giving the reply."""
    numbers, inverse = torch.unique(owner, return_inverse=True)
    wrong = torch.zeros(len(numbers), device=owner.device)
    wrong.index_add_(0, inverse, (~right).float())
    return {int(n): bool(w == 0) for n, w in zip(numbers, wrong, strict=True)}
