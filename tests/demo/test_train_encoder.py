"""What the embedded encoder is taught: texts that are nearly true, and one loss for both ways."""

import random
from pathlib import Path

import numpy as np
import pytest
import torch

from demo.train.captions import near_scene, scene_traits, text_for
from demo.train.encoder import EncoderTrainer, _images, _soft_match
from demo.train.pool import Pool, crowded_scene, make_pool, training_scene
from demo.world import HELD_OUT
from index.encoder_openclip import load


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


@pytest.fixture(scope="module")
def pools(tmp_path_factory: pytest.TempPathFactory) -> tuple[Pool, Pool]:
    folder = tmp_path_factory.mktemp("pools")
    return (
        make_pool(folder / "train", scene=training_scene, n_clips=16, n_frames=2, seed=5),
        make_pool(folder / "crowd", scene=crowded_scene, n_clips=8, n_frames=2, seed=6),
    )


@pytest.mark.slow
def test_a_few_steps_lower_the_loss_and_the_saved_encoder_is_the_same(
    pools: tuple[Pool, Pool], tmp_path: Path
) -> None:
    """Through the loader that any open_clip folder takes, its preprocessing included."""
    trainer = EncoderTrainer(*pools, tmp_path, device="cpu")
    losses = []
    for step in range(24):
        loss = trainer.loss(step, batch=16)
        torch.autograd.backward(loss)
        trainer.weights.step(1.0)
        losses.append(float(loss.detach()))
    assert np.mean(losses[-6:]) < 0.9 * np.mean(losses[:6])

    trainer.save(tmp_path / "clip")
    loaded = load(f"local-dir:{tmp_path / 'clip'}", weights=None, device="cpu", precision="fp32")
    frames = pools[0].frames[:8, 0]
    texts = ["a red boat on the beach", "two blue cars"]
    trainer.model.load_state_dict(trainer._full_state())
    model = trainer.model.float().eval()
    with torch.no_grad():
        shown = model.visual(_images(np.array(frames), train=False))[0].numpy()
        told = model.encode_text(trainer.tokens(texts)).numpy()
    for mine, theirs in (
        (shown, loaded.encode_frames(np.array(frames))),
        (told, loaded.encode_texts(texts)),
    ):
        unit = mine / np.linalg.norm(mine, axis=1, keepdims=True)
        # Saved in fp16, and pictures are resized in whole grey levels: cosines of one.
        assert (unit * theirs).sum(1).min() > 0.999
