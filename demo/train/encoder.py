"""Training of the embedded CLIP: an open_clip model with a dense auxiliary loss on its patches.

Texts are matched softly: each image against every text of the batch that is true of it. Beside each
image's own text stand others that are nearly true of it, so that one trait decides. The dense
loss is what makes shapes appear (an experiment: R@1 0.55 without it, 0.72 with it); a third of its
pictures are crowded, with things in nameless colours, so that shapes are known without colours.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from open_clip.model import CLIP
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from demo.train.captions import near_scene, scene_traits, text_for
from demo.train.checkpoint import load_checkpoint, save_checkpoint
from demo.train.dense import DenseHead
from demo.train.labels import dense_labels
from demo.train.optimizer import MasterWeights, compute_dtype, cosine
from demo.train.pool import Pool, PoolClip
from demo.train.tokenizer import clip_tokenizer
from index.errors import InputError

HEIGHT_PX, WIDTH_PX, PATCH_PX = 96, 160, 16
ROWS, COLUMNS = HEIGHT_PX // PATCH_PX, WIDTH_PX // PATCH_PX
CONTEXT_TOKENS = 40
BATCH, CROWDED_BATCH = 128, 64
STEPS = 3000
LR, MATRIX_LR = 1.5e-3, 0.02
WEIGHTS_FILE = "open_clip_model.safetensors"
DENSE_WEIGHT = 0.5
CHECKPOINT_STEPS = 250
PREPROCESS = {
    "mean": [0.5, 0.5, 0.5],
    "std": [0.25, 0.25, 0.25],
    "interpolation": "bicubic",
    "resize_mode": "squash",
}

Log = Callable[[str], None]


def config(vocabulary: int, end_id: int) -> dict[str, Any]:
    """The open_clip model config."""
    vision = {
        "image_size": [HEIGHT_PX, WIDTH_PX],
        "layers": 5,
        "width": 192,
        "head_width": 64,
        "patch_size": PATCH_PX,
    }
    text = {
        "context_length": CONTEXT_TOKENS,
        "vocab_size": vocabulary,
        "width": 128,
        "heads": 2,
        "layers": 3,
        "hf_tokenizer_name": "longshot-demo",
        "pool_type": "eos",
        "eos_id": end_id,
    }
    return {"embed_dim": 128, "vision_cfg": vision, "text_cfg": text}


@contextmanager
def plain_attention() -> Iterator[None]:
    """Attention written out: its bf16 backward on CPU is faster than the fused one's."""

    def attend(
        q: Tensor, k: Tensor, v: Tensor, attn_mask: Tensor | None = None, *_: object, **rest: Any
    ) -> Tensor:
        scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)
        if rest.get("is_causal"):
            length = q.shape[-2]
            attn_mask = torch.full((length, length), float("-inf")).triu(1).to(scores.dtype)
        if attn_mask is not None:
            scores = scores + attn_mask
        return F.softmax(scores.float(), -1).to(v.dtype) @ v

    fused = F.scaled_dot_product_attention
    setattr(F, "scaled_dot_product_attention", attend)  # noqa: B010 - its type is fixed
    try:
        yield
    finally:
        setattr(F, "scaled_dot_product_attention", fused)  # noqa: B010


def _images(frames: np.ndarray[Any, Any], *, train: bool) -> Tensor:
    x = torch.from_numpy(frames).permute(0, 3, 1, 2).float() / 255
    if train and random.random() < 0.5:
        height = random.choice((72, 96, 112))
        x = F.interpolate(x, size=(height, height * 5 // 3), mode="bilinear", antialias=True)
    mode = "bilinear" if train else "bicubic"
    x = F.interpolate(x, size=(HEIGHT_PX, WIDTH_PX), mode=mode, antialias=True)
    if train:
        gain = 1 + 0.16 * (torch.rand(len(x), 1, 1, 1) - 0.5)
        x = x * gain + 0.1 * (torch.rand(len(x), 1, 1, 1) - 0.5)
    return (x.clamp(0, 1) - 0.5) / 0.25


def _soft_match(logits: Tensor, match: Tensor) -> Tensor:
    """Cross-entropy both ways, evenly over all that match; texts true of no image are only there
    to be told from."""
    rows = -(F.log_softmax(logits, 1) * match / match.sum(1, keepdim=True)).sum(1).mean()
    some = match.sum(0) > 0
    logits, match = logits[:, some], match[:, some]
    columns = -(F.log_softmax(logits, 0) * match / match.sum(0, keepdim=True)).sum(0).mean()
    return (rows + columns) / 2


def _drawn(
    pool: Pool, rng: random.Random, n: int
) -> tuple[np.ndarray[Any, Any], list[PoolClip], list[float], list[int]]:
    """Some frames of a pool, one a clip, with their clips, times and the clips' indices."""
    ids = sorted(rng.sample(range(len(pool)), min(n, len(pool))))
    picks = [rng.randrange(pool.frames.shape[1]) for _ in ids]
    frames = np.stack([pool.frames[i, k] for i, k in zip(ids, picks, strict=True)])
    clips = [pool.clips[i] for i in ids]
    return frames, clips, [c.time_s(k) for c, k in zip(clips, picks, strict=True)], ids


class EncoderTrainer:
    """One CLIP under training. `run` goes on from the last checkpoint in the work folder."""

    def __init__(
        self,
        pool: Pool,
        crowded: Pool,
        work: Path,
        *,
        device: str,
        seed: int = 0,
        begin: Path | None = None,
    ) -> None:
        """`begin`: a saved one of this shape, to go on from, with its tokenizer."""
        torch.manual_seed(seed)
        self.pool, self.crowded = pool, crowded
        self.work, self.device, self.seed = work, device, seed
        self.begin = begin
        self.tokenizer = self._new_tokenizer()
        self.config = config(len(self.tokenizer), self.tokenizer.eos_token_id)
        self.model = CLIP(**self.config, output_dict=False)
        if begin is not None:
            try:
                self.model.load_state_dict(load_file(begin / WEIGHTS_FILE))
            except (OSError, RuntimeError, SafetensorError) as error:
                raise InputError(f"{begin} holds no encoder of this shape: {error}") from error
        self.model.visual.output_tokens = True
        self.head = DenseHead(192)
        self.dtype = compute_dtype(device)
        both = (self.model, self.head)
        for module in both:
            module.to(device=device)
        # Before bf16 rounds them: what is saved has three bits more, and goes on as it was.
        self.weights = MasterWeights(
            both,
            lr=LR,
            matrix_lr=MATRIX_LR,
            is_matrix=lambda name, p: p.ndim == 2 and "resblocks" in name,
        )
        for module in both:
            module.to(dtype=self.dtype)
        self.last = 0.0
        """The dense part of the last loss."""
        self.traits = np.stack([scene_traits(c.scene) for c in pool.clips])

    def _new_tokenizer(self) -> PreTrainedTokenizerFast:
        """That of the saved model, whose words it knows; the demo's may be more by now."""
        if self.begin is None:
            return clip_tokenizer()
        return PreTrainedTokenizerFast.from_pretrained(self.begin)

    def tokens(self, texts: list[str]) -> Tensor:
        batch = self.tokenizer(
            texts,
            return_tensors="pt",
            max_length=CONTEXT_TOKENS,
            padding="max_length",
            truncation=True,
        )
        ids: Tensor = batch.input_ids
        return ids.to(self.device)

    def loss(self, step: int, batch: int = BATCH) -> Tensor:
        rng = random.Random(self.seed * 1_000_003 + step)
        frames, clips, times_s, ids = _drawn(self.pool, rng, batch)
        own = [text_for(rng, c.scene) for c in clips]
        near = [text_for(rng, near_scene(rng, c.scene)) for c in clips]
        texts, needs = zip(*own, *near, strict=True)
        needs_array = np.stack(needs)
        has = (self.traits[ids] @ needs_array.T) >= needs_array.sum(1)[None] - 0.1
        match = torch.from_numpy(has.astype(np.float32)).to(self.device)
        pooled, patches = self.model.visual(self._lit(frames))
        image = F.normalize(pooled.float(), dim=-1)
        text = F.normalize(self.model.encode_text(self.tokens(list(texts))).float(), dim=-1)
        logits = self.model.logit_scale.float().exp().clamp(max=100) * image @ text.T
        dense = self._dense(patches, clips, times_s)
        frames, clips, times_s, _ = _drawn(self.crowded, rng, batch * CROWDED_BATCH // BATCH)
        dense = dense + self._dense(self.model.visual(self._lit(frames))[1], clips, times_s)
        self.last = float(dense.detach())
        return _soft_match(logits, match) + DENSE_WEIGHT * dense

    def _lit(self, frames: np.ndarray[Any, Any]) -> Tensor:
        return _images(frames, train=True).to(self.device, self.dtype)

    def _dense(self, patches: Tensor, clips: list[PoolClip], times_s: list[float]) -> Tensor:
        labels = [
            dense_labels(c.scene, [t], rows=ROWS, columns=COLUMNS)
            for c, t in zip(clips, times_s, strict=True)
        ]
        flat = torch.from_numpy(np.stack(labels)).flatten(2).to(self.device)
        return self.head.loss(patches, flat, skip=("action",))

    def run(self, *, steps: int = STEPS, log: Log) -> None:
        path = self.work / "encoder.pt"
        start = 0
        if saved := load_checkpoint(path):
            self.weights.load(saved["weights"])
            start = saved["step"]
        with plain_attention():
            for step in range(start, steps):
                random.seed(step)
                torch.manual_seed(step)
                loss = self.loss(step)
                torch.autograd.backward(loss)
                self.weights.step(cosine(step, steps=steps, warmup=100))
                if step % 50 == 0:
                    shown = f"loss {float(loss.detach()):.3f} dense {self.last:.3f}"
                    log(f"encoder {step}/{steps} {shown}")
                if (step + 1) % CHECKPOINT_STEPS == 0 or step + 1 == steps:
                    save_checkpoint({"weights": self.weights.state(), "step": step + 1}, path)

    def save(self, folder: Path) -> None:
        """Writes an open_clip folder: config, fp16 safetensors, tokenizer."""
        folder.mkdir(parents=True, exist_ok=True)
        # A new one: one that was used keeps how it was padded.
        self._new_tokenizer().save_pretrained(folder)
        described = {"model_cfg": self.config, "preprocess_cfg": PREPROCESS}
        (folder / "open_clip_config.json").write_text(json.dumps(described, indent=1) + "\n")
        state = {k: v.half().contiguous() for k, v in self._full_state().items()}
        save_file(state, folder / WEIGHTS_FILE)

    def _full_state(self) -> dict[str, Tensor]:
        """The state with the fp32 master weights in place of the bf16 ones."""
        master = {id(p): m for p, m in zip(self.weights.live, self.weights.master, strict=True)}
        state = dict(self.model.state_dict())
        for name, parameter in self.model.named_parameters():
            state[name] = master[id(parameter)].detach()
        return state
