"""Dense labels: what stands in every cell of a grid laid over a frame or a pair of frames.

The renderer knows it exactly; clip-level labels alone left the towers at chance in an experiment.
The number of a group stands in each of its cells: the tower, which sees the whole picture, counts,
and the language model reads the number where it reads the action. Marked centres, to be counted by
the language model, were never counted (right as often on grey frames).

    channel   classes
    kind      0 nothing, then KINDS
    colour    0 nothing, then COLOURS; IGNORE for nameless tints
    action    0 nothing, then ACTIONS
    digit     0 no sign, then DIGITS
    number    0 nothing, then how many things of the group there are, 1 to MAX_COUNT
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from demo.draw import placements, sign_centre_y
from demo.world import ACTIONS, COLOURS, DIGITS, KINDS, MAX_COUNT, Group, Scene

IGNORE = -100
CHANNELS = ("kind", "colour", "action", "digit", "number")
CLASSES = (len(KINDS) + 1, len(COLOURS) + 1, len(ACTIONS) + 1, len(DIGITS) + 1, MAX_COUNT + 1)
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
            labels[4][cells] = _number(scene, group)
    if scene.sign is not None:
        board_y = sign_centre_y(scene) - 0.125 * scene.sign_size
        half = (scene.sign_size * 0.37 / ASPECT, scene.sign_size * 0.36)
        cells = _box((scene.sign_x, board_y), half, rows=rows, columns=columns)
        if cells is not None:
            labels[:, cells[0], cells[1]] = 0
            labels[3][cells] = DIGITS.index(scene.sign) + 1
    return labels


def centre_labels(scene: Scene, times_s: Sequence[float], *, rows: int, columns: int) -> Labels:
    """(1, rows, columns): 1 where the centre of a thing lies in the first frame, else 0.

    A step on the way to numbers: one spot a thing can be counted, an area cannot.
    """
    labels = np.zeros((1, rows, columns), np.int64)
    for thing in placements(scene, times_s[0]):
        row, column = int(thing.y * rows), int(thing.x * columns)
        if 0 <= row < rows and 0 <= column < columns:
            labels[0, row, column] = 1
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


def _number(scene: Scene, group: Group) -> int:
    """How many things look like this group's, as far as that can be named."""
    if group.tint:
        return IGNORE
    alike = sum(g.n for g in scene.groups if g.pair == group.pair and not g.tint)
    return min(alike, MAX_COUNT)
