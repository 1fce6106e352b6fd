"""Training goes on from its own checkpoints alone, and says in a line what is in its way."""

import shutil
from collections import namedtuple
from dataclasses import replace
from pathlib import Path

import pytest
from transformers import Qwen3VLForConditionalGeneration

from demo.train.__main__ import QUICK, WEIGHTS, Pipeline, main, take_over
from demo.train.pool import empty_scene, make_pool, unseen_scene
from demo.train.recipe import Recipe, claim, models_hash, words_hash
from demo.train.tokenizer import clip_tokenizer, video_tokenizer
from demo.train.video_config import video_config
from index.errors import InputError

RECIPE = Recipe({"joint_steps": 450}, {"train_clips": 140}, 1.0, None, "0")
Usage = namedtuple("Usage", "total used free")


def test_a_work_folder_is_of_one_training(tmp_path: Path) -> None:
    claim(tmp_path, RECIPE)
    claim(tmp_path, RECIPE)
    others = {
        "rate": replace(RECIPE, rate=0.6),
        "begin": replace(RECIPE, begin="a"),
        "steps": replace(RECIPE, steps={"joint_steps": 1500}),
        "words": replace(RECIPE, words="1"),
    }
    for name, other in others.items():
        with pytest.raises(InputError, match=f"of other {name}"):
            claim(tmp_path, other)
    claim(tmp_path, RECIPE)


def test_checkpoints_of_nobody_knows_what_are_refused(tmp_path: Path) -> None:
    (tmp_path / "joint.pt").write_bytes(b"")
    with pytest.raises(InputError, match="nothing says"):
        claim(tmp_path, RECIPE)


def test_words_in_other_places_are_others() -> None:
    words = video_tokenizer().get_vocab()
    turned = {**words, "cups": words["cats"], "cats": words["cups"]}
    assert words_hash(words) != words_hash(turned)
    assert words_hash(words) == words_hash(dict(reversed(words.items())))


def test_a_run_is_refused_where_another_was(tmp_path: Path) -> None:
    """What began with other models must not take over the checkpoints."""
    pair = tmp_path / "pair"
    shutil.copytree(WEIGHTS, pair)
    runs = [
        Pipeline(tmp_path / "work", QUICK, weights=tmp_path, begin=begin) for begin in (None, pair)
    ]
    claim(runs[0].work, runs[0].recipe())
    with pytest.raises(InputError, match="of other rate, begin"):
        runs[1].run(["joint"])
    # The models that it began with have changed since.
    before = models_hash(pair)
    (pair / "vlm" / "model.safetensors").write_bytes(b"other")
    assert models_hash(pair) != before


def test_what_is_in_the_way_is_said_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "tower.pt").write_bytes(b"")
    monkeypatch.setattr("sys.argv", ["train", "--quick", "--work", str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    said = capsys.readouterr().err
    assert "nothing says what the checkpoints" in said
    assert said.count("\n") == 1


def test_a_pool_that_is_drawn_otherwise_is_refused(tmp_path: Path) -> None:
    made = {"n_clips": 2, "n_frames": 2, "seed": 3}
    make_pool(tmp_path / "pool", scene=unseen_scene, **made)
    make_pool(tmp_path / "pool", scene=unseen_scene, **made)
    with pytest.raises(InputError, match="drawn otherwise"):
        make_pool(tmp_path / "pool", scene=empty_scene, **made)


def test_a_pool_that_does_not_fit_is_not_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Usage(10**9, 10**9 - 1000, 1000))
    with pytest.raises(InputError, match=r"would take 0\.0 GB"):
        make_pool(tmp_path / "pool", scene=unseen_scene, n_clips=2, n_frames=2, seed=3)
    assert list((tmp_path / "pool").iterdir()) == []


def test_a_model_of_another_shape_is_refused(tmp_path: Path) -> None:
    tokenizer, words = video_tokenizer(), clip_tokenizer()
    config = video_config(words)
    config.vision_config.depth += 1
    deeper = Qwen3VLForConditionalGeneration(config)
    deeper.save_pretrained(tmp_path)
    words.save_pretrained(tmp_path)
    model = Qwen3VLForConditionalGeneration(video_config(tokenizer))
    with pytest.raises(InputError, match="another shape"):
        take_over(model, tokenizer, folder=tmp_path)
    with pytest.raises(InputError, match="no model can be read"):
        take_over(model, tokenizer, folder=tmp_path / "nothing")
