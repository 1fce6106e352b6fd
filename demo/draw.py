"""Frames of a scene.

A `SceneFilm` prepares what does not change in a shot once, so that an hour of film is drawn at
several hundred frames a second. All arithmetic is on integers; the same scene, time, size and noise
number give the same pixels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demo.places import background
from demo.sprites import Sprite, shade_of, sign_sprite, sprite
from demo.world import Group, Scene

PLAY = 1.25
"""The background is this much larger than the frame: the camera's free play."""
BLINK_PERIOD_S, BLINK_ON_S = 1.5, 0.9
BOUNCE_PERIOD_S = 1.7
SIZE_PERIOD_S = 6.0
SPIN_DEGREES_PER_S, SPIN_STEP = 90, 10
_NOISE = (np.random.default_rng(0).normal(0, 1, (500, 800, 3)) * 16).astype(np.int16)


@dataclass(frozen=True, slots=True)
class Placement:
    """Where one thing stands at a moment, in shares of the picture."""

    group_index: int
    x: float
    y: float
    size: float
    """Height as a share of the picture's height; things are square."""
    angle: int


def _shift(group: Group, time_s: float) -> tuple[float, float]:
    way = group.speed * time_s
    if group.action == "moves left":
        return -way, 0.0
    if group.action == "moves right":
        return way, 0.0
    if group.action == "moves up":
        return 0.0, -way * 1.3
    if group.action == "moves down":
        return 0.0, way * 1.3
    if group.action == "bounces":
        return 0.0, -0.24 * abs(math.sin((time_s + group.phase) * math.pi / BOUNCE_PERIOD_S))
    return 0.0, 0.0


def _size(group: Group, time_s: float) -> float:
    share = ((time_s + group.phase) / SIZE_PERIOD_S) % 1
    if group.action == "grows":
        return group.size * (0.6 + 0.8 * share)
    if group.action == "shrinks":
        return group.size * (1.4 - 0.8 * share)
    return group.size


def placements(scene: Scene, time_s: float) -> list[Placement]:
    """What is to be seen at a time, in drawing order. A blinking thing may be away."""
    found = []
    for index, group in enumerate(scene.groups):
        hidden = (time_s + group.phase) % BLINK_PERIOD_S > BLINK_ON_S
        if group.action == "blinks" and hidden:
            continue
        dx, dy = _shift(group, time_s)
        turned = (time_s + group.phase) * SPIN_DEGREES_PER_S // SPIN_STEP * SPIN_STEP
        angle = int(turned) % 360 if group.action == "spins" else 0
        for x, y in group.positions:
            # What leaves the picture on one side comes in on the other.
            at_x = (x + dx) % 1.0 if dx else x
            at_y = (y + dy) % 1.0 if dy and group.action != "bounces" else y + dy
            found.append(Placement(index, at_x, at_y, _size(group, time_s), angle))
    return found


def sign_centre_y(scene: Scene) -> float:
    """Height of the middle of the sign's sprite, whose post stands on the lower edge."""
    return 0.99 - scene.sign_size / 2


def _blit(canvas: NDArray[np.int16], image: Sprite, x_px: float, y_px: float) -> None:
    colour, rest = image
    height, width = colour.shape[:2]
    left, top = round(x_px - width / 2), round(y_px - height / 2)
    y0, y1 = max(0, top), min(canvas.shape[0], top + height)
    x0, x1 = max(0, left), min(canvas.shape[1], left + width)
    if y0 >= y1 or x0 >= x1:
        return
    part = (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
    under = canvas[y0:y1, x0:x1].astype(np.uint16)
    canvas[y0:y1, x0:x1] = (under * rest[part] + colour[part]) >> 8


class SceneFilm:
    """Draws frames of one scene at one size."""

    def __init__(self, scene: Scene, *, width_px: int, height_px: int) -> None:
        self.scene, self.width_px, self.height_px = scene, width_px, height_px
        self._ground = background(
            scene.place,
            scene.background,
            width_px=int(width_px * PLAY),
            height_px=int(height_px * PLAY),
        )
        self._tints = [g.tint or shade_of(g.colour, g.variant) for g in scene.groups]
        light = (np.arange(256) * scene.light).clip(0, 255)
        self._light = light.astype(np.int16)
        self._noise = (_NOISE * scene.noise / 16).round().astype(np.int16) if scene.noise else None

    def frame(self, time_s: float, *, noise_number: int = 0) -> NDArray[np.uint8]:
        """(height, width, 3) uint8 RGB at `time_s` seconds into the shot."""
        canvas = self._crop(time_s)
        scene = self.scene
        for thing in placements(scene, time_s):
            kind, tint = scene.groups[thing.group_index].kind, self._tints[thing.group_index]
            side_px = max(6, round(thing.size * self.height_px / 2) * 2)
            image = sprite(kind, tint, side_px, thing.angle)
            _blit(canvas, image, thing.x * self.width_px, thing.y * self.height_px)
        # The sign stands in front: a digit that a thing hides could not be asked for.
        if scene.sign is not None:
            image = sign_sprite(scene.sign, max(8, round(scene.sign_size * self.height_px)))
            y_px = sign_centre_y(scene) * self.height_px
            _blit(canvas, image, scene.sign_x * self.width_px, y_px)
        lit = self._light[canvas]
        if self._noise is not None:
            lit += self._noise_tile(noise_number)
        return lit.clip(0, 255).astype(np.uint8)

    def _crop(self, time_s: float) -> NDArray[np.int16]:
        room_y = self._ground.shape[0] - self.height_px
        room_x = self._ground.shape[1] - self.width_px
        (drift_x, drift_y), (origin_x, origin_y) = self.scene.drift, self.scene.origin
        # A triangle wave: the camera turns back at the end of its free play.
        left = int(abs((origin_x + drift_x * time_s) % 2 - 1) * room_x)
        top = int(abs((origin_y + drift_y * time_s) % 2 - 1) * room_y)
        return self._ground[top : top + self.height_px, left : left + self.width_px].copy()

    def _noise_tile(self, number: int) -> NDArray[np.int16]:
        assert self._noise is not None
        rows, columns = self._noise.shape[0] - self.height_px, self._noise.shape[1] - self.width_px
        y, x = number * 7919 % max(1, rows), number * 104729 % max(1, columns)
        return self._noise[y : y + self.height_px, x : x + self.width_px]
