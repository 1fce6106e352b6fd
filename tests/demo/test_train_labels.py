"""What the towers are taught: labels of cells, and pools whose numbers have to be counted."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import torch

from demo.draw import BLINK_ON_S
from demo.train.dense import HalfWayHead
from demo.train.forward import patches
from demo.train.labels import CHANNELS, CLASSES, centre_labels, dense_labels
from demo.train.pool import counted_scene
from demo.train.tower import in_library_order
from demo.world import Scene, SceneRules, random_scene

SHOWN_S, AWAY_S = 0.1, BLINK_ON_S + 0.05
NUMBER = CHANNELS.index("number")


def _still(n_things: int) -> Scene:
    rules = SceneRules(n_groups=1, n_things=n_things, sign=False, actions=("spins",))
    return random_scene(random.Random(n_things), rules)


def test_every_cell_of_a_thing_holds_the_number_of_its_group() -> None:
    for n in (1, 2, 3, 4):
        number = dense_labels(_still(n), (0.0, 0.5), rows=8, columns=14)[NUMBER]

        assert set(np.unique(number)) == {0, n}


def test_centres_are_as_many_as_things() -> None:
    for n in (1, 2, 3, 4):
        centres = centre_labels(_still(n), (0.0, 0.5), rows=8, columns=14)

        assert centres.shape == (1, 8, 14)
        assert centres.sum() == n


def test_a_blinking_thing_has_no_centre_while_it_is_away() -> None:
    scene = random_scene(random.Random(1), SceneRules(n_groups=1, actions=("blinks",)))
    group = replace(scene.groups[0], phase=0.0)
    scene = replace(scene, groups=(group,))
    counts = {
        int(centre_labels(scene, (t, t), rows=8, columns=14).sum()) for t in (SHOWN_S, AWAY_S)
    }

    assert counts == {0, group.n}


def test_sizes_do_not_tell_numbers_in_counted_scenes() -> None:
    rng = random.Random(3)
    sizes: dict[int, list[float]] = {}
    for _ in range(400):
        for group in counted_scene(rng).groups:
            sizes.setdefault(group.n, []).append(group.size)

    means = {n: float(np.mean(found)) for n, found in sizes.items()}
    assert sorted(means) == [1, 2, 3, 4]
    assert max(means.values()) - min(means.values()) < 0.02


def test_labels_of_patches_stand_in_the_order_of_pixels() -> None:
    rows, columns = 4, 6
    values = np.arange(rows * columns, dtype=np.uint8).reshape(rows, columns)
    frame = np.repeat(np.repeat(values, 16, 0), 16, 1)
    frames = np.stack([frame, frame])[None, ..., None].repeat(3, -1)

    pixels = patches(frames, height_px=rows * 16, width_px=columns * 16)[0]

    shown = torch.round((pixels.mean(-1) * 0.5 + 0.5) * 255).int().tolist()
    assert shown == in_library_order(values[None].astype(np.int64))[0].tolist()


def test_the_head_half_way_learns_centres_and_leaves_numbers_alone() -> None:
    torch.manual_seed(0)
    head = HalfWayHead(16)
    tokens, centres = torch.randn(2, 30, 16), torch.zeros(2, 30, dtype=torch.long)
    centres[:, ::7] = 1
    labels = torch.zeros(2, len(CHANNELS), 30, dtype=torch.long)
    other = labels.clone()
    other[:, NUMBER] = CLASSES[NUMBER] - 1

    plain = head.loss(tokens, labels, centres)

    assert torch.equal(plain, head.loss(tokens, other, centres))
    assert not torch.equal(plain, head.loss(tokens, labels, 1 - centres))
