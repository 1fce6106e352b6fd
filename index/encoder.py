"""Encoders turn pictures and texts into vectors of one space: the Protocol and how to open one."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from index.types import Pixels, Vectors


@dataclass(frozen=True, slots=True)
class EncoderIdentity:
    """What decides an encoder's vectors. Those of two unequal identities are never compared."""

    name: str = field(compare=False)
    """As given to `open_encoder`, with the weights' tag. Another name for equal weights is fine."""
    weights_hash: str
    """SHA-256 over the loaded tensors; equal weights in another file have the same."""
    dimension: int
    preprocessing: str
    """Size, resize mode, mean and deviation, as JSON."""


class Encoder(Protocol):
    """Pictures and texts to unit vectors."""

    identity: EncoderIdentity
    input_width_px: int
    """Size of the picture that the model sees; larger ones are shrunk to it."""
    input_height_px: int

    def encode_frames(self, frames: Pixels) -> Vectors:
        """(N, H, W, 3) uint8 RGB to (N, D) float32 of unit length; N may be 0."""
        ...

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """(N, D) float32 of unit length, in the order of the texts; N may be 0."""
        ...


def open_encoder(
    name: str, *, weights: str | None = None, device: str = "auto", precision: str = "auto"
) -> Encoder:
    """An encoder, ready to encode.

    Args:
        name: an open_clip model name (with `weights`), "local-dir:FOLDER" with an open_clip config
            and weights, "hf-hub:OWNER/MODEL", or "hash", the fake that knows only colour words.
        weights: a pretrained tag of that model, or a file of weights.
        device: "auto", "cpu", "cuda", "cuda:1", "mps".
        precision: "auto", "fp32" or "bf16". "auto" takes bf16 on a GPU or a processor that
            multiplies bf16, if its vectors agree with those of fp32 on a few pictures; else fp32.

    Raises:
        ModelError: an unknown name, no weights, no network, or a device that is not there.
    """
    if name == "hash":
        module = importlib.import_module("index.encoder_hash")
        fake: Encoder = module.HashEncoder()
        return fake
    module = importlib.import_module("index.encoder_openclip")
    real: Encoder = module.load(name, weights=weights, device=device, precision=precision)
    return real
