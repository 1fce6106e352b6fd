"""Encoders of open_clip: any of its models with any weights, by name, folder or hub.

Pictures go through tensors, not PIL, by the model's own preprocessing (size, which may be
rectangular, resize mode, mean, deviation). Weights that are not there are an error: open_clip
itself would go on with random ones.
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import open_clip
import torch
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as tv

from index.encoder import EncoderIdentity
from index.errors import ModelError
from index.precision import multiplies_bf16
from index.pretrained import load_options
from index.types import Pixels, Vectors

_log = logging.getLogger(__name__)

_LARGEST_BATCH = 256
_SAME_COSINE = 0.999
_N_PROBE_PICTURES = 4
_PRECISIONS = ("auto", "fp32", "bf16")


class OpenClipEncoder:
    """A loaded open_clip model with its tokenizer."""

    def __init__(
        self, model: Any, tokenizer: Any, *, name: str, device: torch.device, precision: str
    ) -> None:
        settings = dict(model.visual.preprocess_cfg)
        self._size = _pair(settings["size"])
        self._resize_mode = str(settings["resize_mode"])
        self._interpolation = InterpolationMode(settings["interpolation"])
        self._fill = settings.get("fill_color", 0)
        self._tokenizer = tokenizer
        self._tokenizing = threading.Lock()
        self._device = device
        self._dtype = torch.float32
        self._mean = torch.tensor(settings["mean"], device=device).view(1, 3, 1, 1)
        self._deviation = torch.tensor(settings["std"], device=device).view(1, 3, 1, 1)
        weights_hash = _hash_weights(model)
        self._model = model.to(device).eval()
        self.input_height_px, self.input_width_px = self._size
        self._lower_precision(precision)
        self.identity = EncoderIdentity(
            name=name,
            weights_hash=weights_hash,
            dimension=int(self.encode_texts(["a"]).shape[1]),
            preprocessing=json.dumps(settings, sort_keys=True, default=list),
        )

    def encode_frames(self, frames: Pixels) -> Vectors:
        """(N, H, W, 3) uint8 RGB to (N, D) unit float32.

        Raises:
            ModelError: one picture alone does not fit into the device's memory.
        """
        n_at_once, start, rows = _LARGEST_BATCH, 0, []
        while start < len(frames):
            try:
                rows.append(self._encode_batch(frames[start : start + n_at_once]))
            except torch.OutOfMemoryError as error:
                if n_at_once == 1:
                    raise ModelError(
                        f"{self.identity.name} does not fit into the memory of {self._device}",
                        "choose a smaller encoder, or --device cpu",
                    ) from error
                n_at_once = min(n_at_once, len(frames)) // 2 or 1
                _log.warning("out of memory on %s: batches of %d", self._device, n_at_once)
                continue
            start += n_at_once
        return np.concatenate(rows) if rows else self._none()

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """(N, D) unit float32; what exceeds the model's context is cut off."""
        if not texts:
            return self._none()
        # A tokenizer of the hub keeps its padding in itself: threads take turns.
        with self._tokenizing:
            tokens = self._tokenizer(list(texts)).to(self._device)
        with torch.inference_mode():
            return _unit(self._model.encode_text(tokens))

    def _none(self) -> Vectors:
        return np.zeros((0, self.identity.dimension), np.float32)

    def _encode_batch(self, frames: Pixels) -> Vectors:
        with torch.inference_mode():
            pictures = torch.from_numpy(np.ascontiguousarray(frames)).to(self._device)
            pictures = self._fit(pictures.permute(0, 3, 1, 2))
            pictures = (pictures.float() / 255 - self._mean) / self._deviation
            return _unit(self._model.encode_image(pictures.to(self._dtype)))

    def _fit(self, pictures: torch.Tensor) -> torch.Tensor:
        """(N, 3, H, W) uint8 to the model's size, as its resize mode says."""
        height_px, width_px = self._size
        if self._resize_mode == "squash":
            return self._resize(pictures, height_px, width_px)
        ratios = (height_px / pictures.shape[2], width_px / pictures.shape[3])
        ratio = min(ratios) if self._resize_mode == "longest" else max(ratios)
        # As open_clip does: torchvision cuts to whole pixels for a square, its own code rounds.
        square = height_px == width_px and self._resize_mode != "longest"
        whole = int if square else round
        new_height_px = height_px if ratio == ratios[0] else whole(pictures.shape[2] * ratio)
        new_width_px = width_px if ratio == ratios[1] else whole(pictures.shape[3] * ratio)
        pictures = self._resize(pictures, max(1, new_height_px), max(1, new_width_px))
        if self._resize_mode != "longest":
            cropped: torch.Tensor = tv.center_crop(pictures, [height_px, width_px])
            return cropped
        left, top = (width_px - pictures.shape[3]) // 2, (height_px - pictures.shape[2]) // 2
        right, bottom = width_px - pictures.shape[3] - left, height_px - pictures.shape[2] - top
        padded: torch.Tensor = tv.pad(pictures, [left, top, right, bottom], fill=self._fill)
        return padded

    def _resize(self, pictures: torch.Tensor, height_px: int, width_px: int) -> torch.Tensor:
        if tuple(pictures.shape[2:]) == (height_px, width_px):
            return pictures
        resized: torch.Tensor = tv.resize(
            pictures, [height_px, width_px], interpolation=self._interpolation, antialias=True
        )
        return resized

    def _lower_precision(self, precision: str) -> None:
        """Cast to bf16 where it is wanted and its vectors agree with those of fp32.

        Raises:
            ModelError: bf16 was asked for by name and does not agree.
        """
        if precision == "fp32" or (precision == "auto" and not multiplies_bf16(self._device)):
            return
        rng = np.random.default_rng(0)
        shape = (_N_PROBE_PICTURES, *self._size, 3)
        pictures = rng.integers(0, 256, size=shape, dtype=np.uint8)
        exact = self._encode_batch(pictures)
        self._model, self._dtype = self._model.to(torch.bfloat16), torch.bfloat16
        cosine = float((exact * self._encode_batch(pictures)).sum(axis=1).min())
        if cosine >= _SAME_COSINE:
            return
        if precision == "bf16":
            raise ModelError(
                f"bf16 changes this encoder's vectors (cosine {cosine:.4f})", "use fp32"
            )
        _log.info("bf16 changes the vectors (cosine %.4f): fp32 is used", cosine)
        self._model, self._dtype = self._model.to(torch.float32), torch.float32


def load(name: str, *, weights: str | None, device: str, precision: str) -> OpenClipEncoder:
    """The encoder of a name; see `open_encoder`."""
    if precision not in _PRECISIONS:
        raise ModelError(f'"{precision}" is no precision', f"one of {', '.join(_PRECISIONS)}")
    target = _device(device)
    options = load_options(name, weights)
    try:
        model = open_clip.create_model(name, require_pretrained=True, **options)
        tokenizer = open_clip.get_tokenizer(name)
    except (RuntimeError, ValueError, OSError, KeyError) as error:
        raise ModelError(
            f"the encoder {name} cannot be loaded: {_first_line(error)}",
            "check its folder or weights; or name another with --encoder",
        ) from error
    label = f"{name}:{weights}" if weights else name
    return OpenClipEncoder(model, tokenizer, name=label, device=target, precision=precision)


def _device(device: str) -> torch.device:
    if device == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        wanted = torch.device(device)
        torch.zeros(1, device=wanted)
    except (RuntimeError, AssertionError) as error:
        raise ModelError(f'the device "{device}" is not there', "use auto or cpu") from error
    return wanted


def _hash_weights(model: Any) -> str:
    """SHA-256 over the tensors by name, whatever file they came from."""
    digest = hashlib.sha256()
    for key, tensor in sorted(model.state_dict().items()):
        digest.update(f"{key} {tuple(tensor.shape)} {tensor.dtype}".encode())
        digest.update(tensor.detach().contiguous().flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _pair(size: Any) -> tuple[int, int]:
    """(height, width)."""
    return (int(size), int(size)) if isinstance(size, int) else (int(size[0]), int(size[1]))


def _unit(features: torch.Tensor) -> Vectors:
    features = torch.nn.functional.normalize(features.float(), dim=-1)
    vectors: Vectors = features.cpu().numpy()
    return vectors


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
