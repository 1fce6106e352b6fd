"""What the embedded encoder is taught: texts that are nearly true, and one loss for both ways."""

import random

import numpy as np
import pytest
import torch

from demo.train.captions import near_scene, scene_traits, text_for
from demo.train.encoder import _soft_match
from demo.train.pool import training_scene
from demo.world import HELD_OUT


def test_a_near_scene_differs_in_one_trait_and_shows_no_held_out_pair() -> None:
    rng = random.Random(0)
    changed = {"kind": 0, "colour": 0, "place": 0}
    for _ in range(300):
        scene = training_scene(rng)
        near = near_scene(rng, scene)
        differs = [name for name in ("kind", "colour") if _differs(scene, near, name)]
        differs += ["place"] * (scene.place != near.place)
        assert len(differs) == 1
        changed[differs[0]] += 1
        assert not {g.pair for g in near.groups} & HELD_OUT
    assert changed["kind"] > changed["place"] > 30
    assert changed["colour"] > 30


def _differs(scene: object, near: object, name: str) -> bool:
    pairs = zip(scene.groups, near.groups, strict=True)  # type: ignore[attr-defined]
    return any(getattr(a, name) != getattr(b, name) for a, b in pairs)


def test_some_texts_of_near_scenes_are_true_all_the_same() -> None:
    rng = random.Random(1)
    true = 0
    for _ in range(200):
        scene = training_scene(rng)
        _, needs = text_for(rng, near_scene(rng, scene))
        true += bool(scene_traits(scene) @ needs >= needs.sum() - 0.1)
    assert 20 < true < 120


def test_the_match_loss_is_least_where_every_match_stands_out() -> None:
    match = torch.tensor([[1.0, 0, 0], [0, 1, 0]])
    sure = _soft_match(torch.where(match > 0, 20.0, -20.0), match)
    assert float(sure) == pytest.approx(0, abs=1e-5)
    # Rows among three texts, columns among two images; the third text is no column.
    even = _soft_match(torch.zeros(2, 3), match)
    assert float(even) == pytest.approx((np.log(3) + np.log(2)) / 2, abs=1e-5)
    # A text that is true of nothing pulls no image, but must be told from the true one.
    tempting = torch.tensor([[20.0, -20, 20], [-20, 20, -20]])
    assert float(_soft_match(tempting, match)) == pytest.approx(np.log(2) / 4, abs=1e-4)
