"""The places of the demo world as pictures, each different for every number."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

WIDTH_PX, HEIGHT_PX = 400, 240
"""Size of the master pictures; frames show a part of them, scaled."""
_Colour = tuple[int, int, int]
_Draw = ImageDraw.ImageDraw


class Brush:
    """A picture under work: its drawing, its chance, its horizon."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.horizon = int(HEIGHT_PX * rng.uniform(0.38, 0.58))
        self.image = Image.new("RGB", (WIDTH_PX, HEIGHT_PX))
        self.draw: _Draw = ImageDraw.Draw(self.image)

    def near(self, colour: _Colour, spread: float = 14) -> _Colour:
        red, green, blue = (
            int(min(255, max(0, v + self.rng.uniform(-spread, spread)))) for v in colour
        )
        return red, green, blue

    def fade(self, top_px: int, bottom_px: int, *, start: _Colour, end: _Colour) -> None:
        """A vertical gradient over whole lines."""
        first, last = np.array(self.near(start), float), np.array(self.near(end), float)
        for y in range(top_px, bottom_px):
            share = (y - top_px) / max(1, bottom_px - top_px - 1)
            red, green, blue = (int(v) for v in first * (1 - share) + last * share)
            self.draw.line([0, y, WIDTH_PX, y], fill=(red, green, blue))

    def ground(self, sky: tuple[_Colour, _Colour], earth: tuple[_Colour, _Colour]) -> None:
        self.fade(0, self.horizon, start=sky[0], end=sky[1])
        self.fade(self.horizon, HEIGHT_PX, start=earth[0], end=earth[1])

    def x(self) -> int:
        return self.rng.randint(0, WIDTH_PX)


def _beach(b: Brush) -> None:
    b.ground(((110, 185, 240), (190, 225, 250)), ((60, 140, 200), (90, 180, 210)))
    shore = int(HEIGHT_PX * b.rng.uniform(0.66, 0.76))
    b.fade(shore, HEIGHT_PX, start=(235, 215, 160), end=(215, 190, 130))
    for _ in range(9):
        x, y = b.x(), b.rng.randint(b.horizon, shore)
        b.draw.line([x, y, x + b.rng.randint(20, 60), y], fill=(225, 240, 250), width=2)
    x = b.rng.randint(30, WIDTH_PX - 30)
    b.draw.ellipse([x - 16, 14, x + 16, 46], fill=b.near((255, 240, 150)))


def _forest(b: Brush) -> None:
    b.ground(((120, 170, 130), (150, 190, 140)), ((60, 100, 45), (40, 75, 30)))
    for _ in range(b.rng.randint(11, 18)):
        x, base, side = b.x(), b.horizon + b.rng.randint(-6, 50), b.rng.randint(34, 76)
        b.draw.rectangle([x - 4, base - side // 2, x + 4, base], fill=b.near((85, 60, 35)))
        for level in range(3):
            y = base - side // 3 - level * side // 4
            half = side // 2 - level * 7
            triangle = [(x - half, y), (x + half, y), (x, base - side - level * side // 4)]
            b.draw.polygon(triangle, fill=b.near((25, 85, 40)))


def _kitchen(b: Brush) -> None:
    b.ground(((240, 225, 200), (235, 215, 185)), ((170, 125, 85), (140, 100, 65)))
    step, joint = b.rng.randint(18, 28), b.near((215, 200, 180))
    for x in range(0, WIDTH_PX, step):
        b.draw.line([x, 0, x, b.horizon], fill=joint)
    for y in range(0, b.horizon, step):
        b.draw.line([0, y, WIDTH_PX, y], fill=joint)
    b.draw.rectangle([0, b.horizon, WIDTH_PX, b.horizon + 11], fill=b.near((110, 105, 100)))
    door = WIDTH_PX // 4
    for i in range(b.rng.randint(3, 4)):
        x, y = i * door + b.rng.randint(0, 14), b.horizon + 20
        wood = b.near((160, 115, 75))
        b.draw.rectangle([x + 5, y, x + door - 11, HEIGHT_PX], outline=(90, 60, 40), fill=wood)
        knob = [x + door // 2 - 3, y + 15, x + door // 2 + 3, y + 21]
        b.draw.ellipse(knob, fill=(60, 50, 40))
    x = b.rng.randint(0, WIDTH_PX - 80)
    pane = b.near((170, 210, 235))
    b.draw.rectangle([x, 10, x + 74, 62], fill=pane, outline=(120, 80, 50), width=4)


def _street(b: Brush) -> None:
    b.ground(((165, 180, 195), (190, 200, 205)), ((100, 100, 104), (75, 75, 80)))
    x = 0
    while x < WIDTH_PX:
        width, height = b.rng.randint(34, 68), b.rng.randint(46, b.horizon)
        wall = b.near(b.rng.choice([(165, 120, 95), (150, 140, 130), (185, 160, 130)]))
        b.draw.rectangle([x, b.horizon - height, x + width - 3, b.horizon], fill=wall)
        for top in range(b.horizon - height + 8, b.horizon - 8, 19):
            for left in range(x + 7, x + width - 11, 15):
                glass = b.near((120, 150, 175), 10)
                b.draw.rectangle([left, top, left + 7, top + 10], fill=glass)
        x += width
    b.draw.rectangle([0, b.horizon, WIDTH_PX, b.horizon + 9], fill=b.near((170, 168, 160)))
    line = (b.horizon + HEIGHT_PX) // 2 + 8
    for x in range(b.rng.randint(-28, 0), WIDTH_PX, 50):
        b.draw.rectangle([x, line, x + 28, line + 4], fill=(225, 220, 200))


def _city(b: Brush) -> None:
    b.ground(((8, 10, 35), (35, 25, 70)), ((30, 28, 45), (18, 18, 30)))
    for _ in range(70):
        b.draw.point((b.x(), b.rng.randint(0, b.horizon)), fill=(220, 220, 240))
    x = 0
    while x < WIDTH_PX:
        width, height = b.rng.randint(27, 52), b.rng.randint(40, b.horizon)
        wall = b.near((28, 30, 55), 8)
        b.draw.rectangle([x, b.horizon - height, x + width - 3, b.horizon + 8], fill=wall)
        for top in range(b.horizon - height + 5, b.horizon, 11):
            for left in range(x + 4, x + width - 7, 9):
                if b.rng.random() < 0.55:
                    lamp = b.near((240, 215, 120), 15)
                    b.draw.rectangle([left, top, left + 4, top + 4], fill=lamp)
        x += width


def _snow(b: Brush) -> None:
    b.ground(((190, 205, 225), (215, 225, 238)), ((240, 244, 250), (215, 225, 240)))
    for _ in range(3):
        x, side = b.x(), b.rng.randint(40, 82)
        rock = [(x - side, b.horizon), (x + side, b.horizon), (x, b.horizon - side)]
        b.draw.polygon(rock, fill=b.near((150, 165, 190)))
        third, top = side // 3, b.horizon - side * 2 // 3
        cap = [(x - third, top), (x + third, top), (x, b.horizon - side)]
        b.draw.polygon(cap, fill=(245, 248, 252))
    for _ in range(140):
        x, y = b.x(), b.rng.randint(0, HEIGHT_PX)
        b.draw.ellipse([x, y, x + 3, y + 3], fill=(252, 253, 255))


def _desert(b: Brush) -> None:
    b.ground(((240, 190, 120), (250, 220, 165)), ((225, 170, 95), (195, 135, 65)))
    for _ in range(3):
        x, side = b.x(), b.rng.randint(70, 140)
        dune = [x - side, b.horizon - side // 5, x + side, b.horizon + side]
        b.draw.ellipse(dune, fill=b.near((220, 165, 90)))
    for _ in range(b.rng.randint(2, 4)):
        x, y, green = (
            b.rng.randint(14, WIDTH_PX - 14),
            b.horizon + b.rng.randint(7, 50),
            (70, 120, 60),
        )
        b.draw.rectangle([x - 4, y - 42, x + 4, y], fill=b.near(green))
        b.draw.rectangle([x - 15, y - 28, x, y - 22], fill=b.near(green))
        b.draw.rectangle([x - 15, y - 39, x - 11, y - 22], fill=b.near(green))


def _field(b: Brush) -> None:
    b.ground(((100, 170, 245), (180, 215, 250)), ((130, 195, 75), (90, 160, 50)))
    for _ in range(3):
        x, y = b.x(), b.rng.randint(11, max(12, b.horizon - 34))
        for i in range(3):
            box = [x + i * 14, y - i % 2 * 6, x + 31 + i * 14, y + 17]
            b.draw.ellipse(box, fill=(248, 250, 252))
    for _ in range(60):
        x, y = b.x(), b.rng.randint(b.horizon + 6, HEIGHT_PX)
        petal = b.rng.choice([(250, 240, 120), (250, 250, 250), (240, 150, 190)])
        b.draw.ellipse([x, y, x + 3, y + 3], fill=petal)
    rail, wood = b.horizon + 14, (150, 110, 70)
    for x in range(0, WIDTH_PX, 31):
        b.draw.rectangle([x, rail - 11, x + 3, rail + 6], fill=wood)
    b.draw.line([0, rail - 6, WIDTH_PX, rail - 6], fill=wood, width=2)


_PLACES: dict[str, Callable[[Brush], None]] = {
    "beach": _beach,
    "forest": _forest,
    "kitchen": _kitchen,
    "street": _street,
    "city": _city,
    "snow": _snow,
    "desert": _desert,
    "field": _field,
}


@lru_cache(maxsize=64)
def background(place: str, number: int, *, width_px: int, height_px: int) -> NDArray[np.int16]:
    """The place with that number, (height, width, 3) int16 in 0..255, with a little grain."""
    brush = Brush(random.Random(f"{place}/{number}"))
    _PLACES[place](brush)
    scaled = brush.image.resize((width_px, height_px), Image.Resampling.BILINEAR)
    chance = np.random.default_rng(brush.rng.randrange(2**31))
    grain = (
        chance.normal(0, 3, (height_px // 4 + 1, width_px // 4 + 1, 1)).repeat(4, 0).repeat(4, 1)
    )
    pixels = np.asarray(scaled).astype(np.int16) + grain[:height_px, :width_px].astype(np.int16)
    return pixels.clip(0, 255)
