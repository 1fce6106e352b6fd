"""The things of the demo world as small pictures: drawn once large, then scaled and turned."""

from __future__ import annotations

import math
import random
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from demo.world import COLOURS

SIZE_PX = 192
"""Side of the master drawings."""
_GLASS = (188, 224, 246, 255)
_Colour = tuple[int, ...]
_Draw = ImageDraw.ImageDraw


class Paint:
    """The few colours that one drawing uses."""

    def __init__(self, rgb: tuple[int, int, int]) -> None:
        self.fill: _Colour = (*rgb, 255)
        dark = sum(rgb) <= 130
        self.line: _Colour = (178, 178, 178, 255) if dark else (18, 18, 18, 255)
        factor = 1.7 if dark else 0.58
        self.shade: _Colour = (*(min(255, int(v * factor) + (24 if dark else 0)) for v in rgb), 255)


def _ball(d: _Draw, p: Paint) -> None:
    d.ellipse([10, 10, 182, 182], fill=p.fill, outline=p.line, width=8)
    d.pieslice([10, 10, 182, 182], 60, 120, fill=p.shade, outline=p.line, width=6)
    d.pieslice([10, 10, 182, 182], 240, 300, fill=p.shade, outline=p.line, width=6)


def _car(d: _Draw, p: Paint) -> None:
    d.polygon([(44, 96), (66, 44), (134, 44), (160, 96)], fill=p.fill, outline=p.line, width=8)
    d.rectangle([4, 92, 188, 142], fill=p.fill, outline=p.line, width=8)
    d.polygon([(66, 92), (80, 58), (126, 58), (142, 92)], fill=_GLASS)
    for x in (22, 122):
        d.ellipse(
            [x, 114, x + 50, 164], fill=(34, 34, 34, 255), outline=(210, 210, 210, 255), width=9
        )


def _cat(d: _Draw, p: Paint) -> None:
    d.polygon([(34, 76), (38, 4), (92, 44)], fill=p.fill, outline=p.line, width=8)
    d.polygon([(158, 76), (154, 4), (100, 44)], fill=p.fill, outline=p.line, width=8)
    d.ellipse([22, 30, 170, 150], fill=p.fill, outline=p.line, width=8)
    d.ellipse([52, 132, 140, 190], fill=p.fill, outline=p.line, width=8)
    for x in (58, 108):
        d.ellipse([x, 66, x + 28, 100], fill=(250, 250, 190, 255), outline=p.line, width=4)
        d.ellipse([x + 10, 72, x + 18, 96], fill=(0, 0, 0, 255))
    for y in (106, 122):
        d.line([(8, y), (66, 112)], fill=p.line, width=5)
        d.line([(184, y), (126, 112)], fill=p.line, width=5)


def _robot(d: _Draw, p: Paint) -> None:
    d.line([96, 6, 96, 36], fill=p.line, width=9)
    d.rectangle([48, 28, 144, 90], fill=p.fill, outline=p.line, width=8)
    d.rectangle([36, 96, 156, 158], fill=p.fill, outline=p.line, width=8)
    for x in (60, 104):
        d.rectangle([x, 46, x + 28, 70], fill=(238, 255, 238, 255), outline=p.line, width=4)
    for box in ((6, 98, 32, 152), (160, 98, 186, 152), (52, 160, 84, 190), (108, 160, 140, 190)):
        d.rectangle(list(box), fill=p.shade, outline=p.line, width=6)
    for y in (112, 132):
        d.line([60, y, 132, y], fill=p.line, width=6)


def _kite(d: _Draw, p: Paint) -> None:
    d.polygon([(96, 2), (172, 72), (96, 150), (20, 72)], fill=p.fill, outline=p.line, width=8)
    d.polygon([(96, 2), (172, 72), (96, 72)], fill=p.shade)
    d.polygon([(96, 150), (20, 72), (96, 72)], fill=p.shade)
    d.line([96, 4, 96, 150], fill=p.line, width=6)
    d.line([22, 72, 170, 72], fill=p.line, width=6)
    d.line([(96, 150), (74, 164), (112, 176), (88, 190)], fill=p.line, width=8)


def _boat(d: _Draw, p: Paint) -> None:
    d.polygon([(4, 122), (188, 122), (154, 176), (38, 176)], fill=p.fill, outline=p.line, width=8)
    d.line([94, 6, 94, 122], fill=p.line, width=10)
    d.polygon([(104, 10), (178, 108), (104, 108)], fill=p.fill, outline=p.line, width=6)
    d.polygon([(84, 30), (24, 108), (84, 108)], fill=p.shade, outline=p.line, width=6)


def _star(d: _Draw, p: Paint) -> None:
    points = []
    for i in range(10):
        radius = 94 if i % 2 == 0 else 40
        angle = i * math.pi / 5
        points.append((96 + radius * math.sin(angle), 100 - radius * math.cos(angle)))
    d.polygon(points, fill=p.fill, outline=p.line, width=8)


def _fish(d: _Draw, p: Paint) -> None:
    d.polygon([(140, 96), (188, 40), (188, 152)], fill=p.shade, outline=p.line, width=8)
    d.ellipse([4, 44, 158, 148], fill=p.fill, outline=p.line, width=8)
    d.polygon([(66, 50), (116, 12), (120, 56)], fill=p.shade, outline=p.line, width=6)
    d.ellipse([28, 74, 56, 102], fill=(255, 255, 255, 255), outline=p.line, width=6)
    d.arc([62, 62, 106, 132], 280, 80, fill=p.line, width=8)


def _cup(d: _Draw, p: Paint) -> None:
    d.arc([104, 58, 188, 140], 250, 110, fill=p.line, width=22)
    d.polygon([(18, 34), (138, 34), (124, 178), (32, 178)], fill=p.fill, outline=p.line, width=8)
    d.ellipse([18, 18, 138, 54], fill=p.shade, outline=p.line, width=8)
    d.line([(26, 108), (130, 108)], fill=p.shade, width=18)


def _house(d: _Draw, p: Paint) -> None:
    d.rectangle([30, 86, 162, 184], fill=p.fill, outline=p.line, width=8)
    d.polygon([(6, 92), (96, 8), (186, 92)], fill=p.shade, outline=p.line, width=8)
    d.rectangle([80, 126, 114, 184], fill=(112, 72, 40, 255), outline=p.line, width=5)
    for x in (42, 122):
        d.rectangle([x, 104, x + 28, 134], fill=_GLASS, outline=p.line, width=5)


_DRAWINGS = {
    "ball": _ball,
    "car": _car,
    "cat": _cat,
    "robot": _robot,
    "kite": _kite,
    "boat": _boat,
    "star": _star,
    "fish": _fish,
    "cup": _cup,
    "house": _house,
}

Sprite = tuple[NDArray[np.uint16], NDArray[np.uint16]]
"""Colour times alpha, and 256 minus alpha, both (h, w, 3 or 1) uint16 on a scale of 256."""


def _to_sprite(image: Image.Image) -> Sprite:
    pixels = np.asarray(image).astype(np.uint16)
    alpha = pixels[..., 3:] + (pixels[..., 3:] >> 7)  # 0..256, so that opaque is exact
    return np.ascontiguousarray(pixels[..., :3] * alpha), np.ascontiguousarray(256 - alpha)


def shade_of(colour: str, variant: int) -> tuple[int, int, int]:
    """One of a few shades of a named colour."""
    rng = random.Random(f"{colour}/{variant}")
    red, green, blue = (min(255, max(0, v + rng.randint(-10, 10))) for v in COLOURS[colour])
    return red, green, blue


@lru_cache(maxsize=2048)
def _master(kind: str, rgb: tuple[int, int, int]) -> Image.Image:
    image = Image.new("RGBA", (SIZE_PX, SIZE_PX), (0, 0, 0, 0))
    _DRAWINGS[kind](ImageDraw.Draw(image), Paint(rgb))
    return image


@lru_cache(maxsize=16384)
def sprite(kind: str, rgb: tuple[int, int, int], side_px: int, angle: int) -> Sprite:
    """A thing at a size and an angle (degrees, anticlockwise)."""
    image = _master(kind, rgb)
    if angle:
        image = image.rotate(angle, Image.Resampling.BILINEAR)
    return _to_sprite(image.resize((side_px, side_px), Image.Resampling.BOX))


@lru_cache(maxsize=512)
def sign_sprite(digit: str, height_px: int) -> Sprite:
    """A white board with a red rim, a digit on it, on a post."""
    image = Image.new("RGBA", (160, 200), (0, 0, 0, 0))
    d = ImageDraw.Draw(image)
    d.rectangle([72, 130, 88, 200], fill=(108, 74, 40, 255))
    d.rectangle([6, 4, 154, 146], fill=(252, 252, 252, 255), outline=(205, 20, 20, 255), width=9)
    font = ImageFont.load_default(size=138)
    ink = (8, 8, 8, 255)
    d.text((80, 75), digit, fill=ink, font=font, anchor="mm", stroke_width=4, stroke_fill=ink)
    width_px = max(4, round(height_px * 0.8))
    return _to_sprite(image.resize((width_px, height_px), Image.Resampling.BOX))
