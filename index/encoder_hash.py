"""The "hash" encoder: a fake for tests that need neither weights nor torch.

It knows what a plain colour looks like and nothing else: a text's vector is that of the colours
it names, plus a little that its other words decide. Its identity says that it is a fake.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from index.encoder import EncoderIdentity
from index.types import Pixels, Vectors

_GRID = 4
_LEVELS = 4
_DIMENSION = 64
_WORD_WEIGHT = 0.05
_COLOURS = {
    "red": (255, 0, 0),
    "green": (0, 255, 0),
    "blue": (0, 0, 255),
    "yellow": (255, 255, 0),
    "magenta": (255, 0, 255),
    "cyan": (0, 255, 255),
    "black": (0, 0, 0),
    "white": (255, 255, 255),
    "grey": (128, 128, 128),
}


class HashEncoder:
    """Colour histograms over a 4 × 4 grid, projected to 64 dimensions."""

    def __init__(self) -> None:
        self.identity = EncoderIdentity(
            name="hash (a fake for tests: knows colours only)",
            weights_hash=hashlib.sha256(b"longshot hash encoder 1").hexdigest(),
            dimension=_DIMENSION,
            preprocessing="{}",
        )
        self.input_width_px = 64
        self.input_height_px = 36
        rng = np.random.default_rng(0)
        self._projection = rng.standard_normal((_GRID**2 * _LEVELS**3, _DIMENSION))

    def encode_frames(self, frames: Pixels) -> Vectors:
        """(N, H, W, 3) uint8 RGB to (N, 64) unit float32."""
        if not len(frames):
            return np.zeros((0, _DIMENSION), np.float32)
        return _unit(np.stack([_histogram(frame) for frame in frames]) @ self._projection)

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """(N, 64) unit float32: the colours that are named, and a trace of the other words."""
        if not texts:
            return np.zeros((0, _DIMENSION), np.float32)
        return _unit(np.stack([self._text(text) for text in texts]))

    def _text(self, text: str) -> NDArray[np.float64]:
        total = np.zeros(_DIMENSION)
        for word in re.findall(r"\w+", text.lower()) or [""]:
            if word in _COLOURS:
                plain = np.full((_GRID, _GRID, 3), _COLOURS[word], np.uint8)
                vector = _histogram(plain) @ self._projection
                total += vector / np.linalg.norm(vector)
            else:
                seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8])
                noise = np.random.default_rng(seed).standard_normal(_DIMENSION)
                total += _WORD_WEIGHT * noise / np.linalg.norm(noise)
        return total


def _histogram(frame: Pixels) -> NDArray[np.float64]:
    """Counts of coarse colours in each cell of the grid, flattened."""
    counts = []
    for rows in np.array_split(frame, _GRID, axis=0):
        for cell in np.array_split(rows, _GRID, axis=1):
            level = cell.reshape(-1, 3).astype(np.int64) * _LEVELS // 256
            code = (level[:, 0] * _LEVELS + level[:, 1]) * _LEVELS + level[:, 2]
            counts.append(np.bincount(code, minlength=_LEVELS**3) / max(1, len(code)))
    return np.concatenate(counts)


def _unit(vectors: NDArray[np.float64]) -> Vectors:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(norms, 1e-12), dtype=np.float32)
