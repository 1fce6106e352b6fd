"""Dense labels: what stands in every cell of a grid laid over a frame or a pair of frames.

The renderer knows it exactly; clip-level labels alone left the towers at chance in an experiment.

    channel   classes
    kind      0 nothing, then KINDS
    colour    0 nothing, then COLOURS; IGNORE for nameless tints
    action    0 nothing, then ACTIONS
    digit     0 no sign, then DIGITS
    centre    1 where a thing's centre lies: what counting needs
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from demo.draw import placements, sign_centre_y
from demo.world import ACTIONS, COLOURS, DIGITS, KINDS, Scene

IGNORE = -100
CHANNELS = ("kind", "colour", "action", "digit", "centre")
CLASSES = (len(KINDS) + 1, len(COLOURS) + 1, len(ACTIONS) + 1, len(DIGITS) + 1, 2)
ASPECT = 5 / 3
"""Width over height of the pictures that scenes are drawn on; things are square there."""
_COLOURS = tuple(COLOURS)
_REACH = 0.40
"""A thing fills its sprite's square up to this share on each side of its centre."""

Labels = NDArray[np.int64]
"""(channels, rows, columns)."""


def _box(
    centre: tuple[float, float], half: tuple[float, float], *, rows: int, columns: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]] | None:
    """The cells whose centres lie in a box, at least the one the centre lies in."""
    (x, y), (half_x, half_y) = centre, half
    at_x = (np.arange(columns) + 0.5) / columns
    at_y = (np.arange(rows) + 0.5) / rows
    in_x = np.abs(at_x - x) <= max(half_x, 0.5 / columns)
    in_y = np.abs(at_y - y) <= max(half_y, 0.5 / rows)
    if not (in_x.any() and in_y.any()):
        return None
    rows_at, columns_at = np.nonzero(in_y[:, None] & in_x[None])
    return rows_at, columns_at


def dense_labels(scene: Scene, times_s: Sequence[float], *, rows: int, columns: int) -> Labels:
    """Labels of the frames at `times_s` seen as one picture; earlier frames win."""
    labels = np.zeros((len(CHANNELS), rows, columns), np.int64)
    for time_s in reversed(times_s):
        for thing in placements(scene, time_s):
            half = (thing.size * _REACH / ASPECT, thing.size * _REACH)
            cells = _box((thing.x, thing.y), half, rows=rows, columns=columns)
            if cells is None:
                continue
            group = scene.groups[thing.group_index]
            colour = IGNORE if group.tint else _COLOURS.index(group.colour) + 1
            labels[0][cells] = KINDS.index(group.kind) + 1
            labels[1][cells] = colour
            labels[2][cells] = ACTIONS.index(group.action) + 1
    _mark_centres(labels[4], scene, times_s[0])
    if scene.sign is not None:
        board_y = sign_centre_y(scene) - 0.125 * scene.sign_size
        half = (scene.sign_size * 0.37 / ASPECT, scene.sign_size * 0.36)
        cells = _box((scene.sign_x, board_y), half, rows=rows, columns=columns)
        if cells is not None:
            labels[:, cells[0], cells[1]] = 0
            labels[3][cells] = DIGITS.index(scene.sign) + 1
    return labels


def scene_wide(labels: Labels) -> Labels:
    """The labels with the sign's digit in every cell, as places are.

    A visual token sees the whole picture through the tower's attention and may carry it. A digit in
    one cell of many was never found by the language model (seen: at chance for 1,000 steps, while
    places were read at once).
    """
    wide = labels.copy()
    wide[CHANNELS.index("digit")] = labels[CHANNELS.index("digit")].max()
    return wide


def _mark_centres(channel: NDArray[np.int64], scene: Scene, time_s: float) -> None:
    rows, columns = channel.shape
    for thing in placements(scene, time_s):
        row, column = int(thing.y * rows), int(thing.x * columns)
        if 0 <= row < rows and 0 <= column < columns:
            channel[row, column] = 1
