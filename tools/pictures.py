"""Single pictures: small JPEGs for the trace, other sizes, and what tells two of them apart."""

from __future__ import annotations

import hashlib
import io

import numpy as np
from PIL import Image

from index.types import Pixels

_JPEG_QUALITY = 70


def jpeg_of(pixels: Pixels, *, height_px: int) -> bytes:
    """A picture (H, W, 3) as a JPEG no higher than `height_px`."""
    image = Image.fromarray(pixels)
    if image.height > height_px:
        image = image.resize((max(1, round(image.width * height_px / image.height)), height_px))
    out = io.BytesIO()
    image.save(out, format="JPEG", quality=_JPEG_QUALITY)
    return out.getvalue()


def resized(pixels: Pixels, *, width_px: int, height_px: int) -> Pixels:
    """A picture (H, W, 3) at another size."""
    image = Image.fromarray(pixels).resize((width_px, height_px), Image.Resampling.BILINEAR)
    return np.asarray(image)


def pixel_hash(pixels: Pixels) -> str:
    """SHA-256 of a picture (H, W, 3), 64 hex digits.

    What is hashed: "WIDTHxHEIGHT", a line feed, and the RGB bytes by rows.
    """
    height_px, width_px = pixels.shape[:2]
    digest = hashlib.sha256(f"{width_px}x{height_px}\n".encode())
    digest.update(np.ascontiguousarray(pixels).tobytes())
    return digest.hexdigest()
