"""`python -m demo.train`: from nothing to two models that load like any other, and their report."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import Qwen3VLForConditionalGeneration

from agent.models import open_models
from demo.train import encoder
from demo.train.__main__ import QUICK, STAGES, WEIGHTS, Pipeline, main, take_over
from demo.train.cases import ANSWERED
from demo.train.checkpoint import load_checkpoint, save_checkpoint
from demo.train.encoder import EncoderTrainer
from demo.train.forward import see
from demo.train.tokenizer import clip_tokenizer, video_tokenizer
from demo.train.video_config import video_config


@pytest.mark.slow
def test_the_whole_pipeline_writes_models_that_load_and_a_report(tmp_path: Path) -> None:
    weights = tmp_path / "weights"
    Pipeline(tmp_path / "work", QUICK, weights=weights).run(list(STAGES))

    models = open_models(str(weights / "vlm"), encoder=f"local-dir:{weights / 'clip'}")
    assert models.knows_only_demo_world
    assert models.videollm.capabilities.options_by == "text"
    assert models.encoder.identity.dimension == 128
    report = (weights / "REPORT.md").read_text()
    # Not the densities: they are told of the requests made, and a model of three steps makes none.
    asked = ("one clip: ", "named by colour: kind", "strip of 16: span", f"{ANSWERED}: none")
    for part in ("R@1", *asked, "rewrite", "AUC"):
        assert part in report


@pytest.mark.slow
def test_a_stage_that_was_interrupted_ends_as_an_unbroken_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoder, "CHECKPOINT_STEPS", 1)
    weights = tmp_path / "weights"
    unbroken = Pipeline(tmp_path / "unbroken", QUICK, weights=weights).encoder()
    shutil.copytree(tmp_path / "unbroken" / "pools", tmp_path / "broken" / "pools")
    loss = EncoderTrainer.loss

    def interrupted(self: EncoderTrainer, step: int) -> torch.Tensor:
        if step == 2:
            raise KeyboardInterrupt
        return loss(self, step)

    broken = Pipeline(tmp_path / "broken", QUICK, weights=weights)
    with monkeypatch.context() as patch:
        patch.setattr(EncoderTrainer, "loss", interrupted)
        with pytest.raises(KeyboardInterrupt):
            broken.encoder()
    saved = load_checkpoint(tmp_path / "broken" / "encoder.pt")
    assert saved is not None
    assert saved["step"] == 2

    goes_on = Pipeline(tmp_path / "broken", QUICK, weights=weights).encoder()
    for mine, theirs in zip(goes_on.weights.master, unbroken.weights.master, strict=True):
        assert torch.equal(mine, theirs)


def test_a_checkpoint_is_replaced_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "stage.pt"
    assert load_checkpoint(path) is None
    save_checkpoint({"step": 1}, path)

    def killed(state: object, file: Path) -> None:
        file.write_bytes(b"half")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(torch, "save", killed)
        with pytest.raises(KeyboardInterrupt):
            save_checkpoint({"step": 2}, path)

    assert load_checkpoint(path) == {"step": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_pools_of_two_sizes_are_two(tmp_path: Path) -> None:
    sizes = replace(QUICK, test_clips=2)
    few = Pipeline(tmp_path, sizes, weights=tmp_path).pool("held")
    more = Pipeline(tmp_path, replace(sizes, test_clips=3), weights=tmp_path).pool("held")
    again = Pipeline(tmp_path, sizes, weights=tmp_path).pool("held")
    assert [len(pool) for pool in (few, more, again)] == [2, 3, 2]


def test_weights_are_taken_over_from_another_vocabulary(tmp_path: Path) -> None:
    tokenizer, older = video_tokenizer(), clip_tokenizer()
    torch.manual_seed(1)
    saved = Qwen3VLForConditionalGeneration(video_config(older))
    saved.save_pretrained(tmp_path)
    older.save_pretrained(tmp_path)
    model = Qwen3VLForConditionalGeneration(video_config(tokenizer))
    mine, theirs = (m.get_input_embeddings().weight for m in (model, saved))
    number = tokenizer.convert_tokens_to_ids("1234")
    own = mine[number].clone()

    take_over(model, tokenizer, folder=tmp_path)

    ids = [t.convert_tokens_to_ids("Ġseconds") for t in (tokenizer, older)]
    assert torch.equal(mine[ids[0]], theirs[ids[1]])
    assert torch.equal(mine[number], own)
    assert torch.equal(model.lm_head.weight, mine)
    assert torch.equal(model.model.visual.merger.norm.weight, saved.model.visual.merger.norm.weight)
    assert torch.equal(
        model.model.language_model.layers[2].mlp.up_proj.weight,
        saved.model.language_model.layers[2].mlp.up_proj.weight,
    )


def test_a_deeper_tower_says_what_the_saved_one_says(tmp_path: Path) -> None:
    tokenizer = video_tokenizer()
    config = video_config(tokenizer)
    config.vision_config.depth -= 2
    torch.manual_seed(1)
    saved = Qwen3VLForConditionalGeneration(config)
    saved.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    deeper = Qwen3VLForConditionalGeneration(video_config(tokenizer))

    take_over(deeper, tokenizer, folder=tmp_path)

    towers = [model.model.visual for model in (saved, deeper)]
    assert len(towers[1].blocks) == len(towers[0].blocks) + 2
    pixels = torch.rand(2, 24, 1536) - 0.5
    with torch.no_grad():
        tokens = [see(tower, pixels, rows=4, columns=6).tokens for tower in towers]
    assert torch.equal(*tokens)


@pytest.mark.slow
def test_training_goes_on_from_saved_models(tmp_path: Path) -> None:
    """Without a step they are saved as they came."""
    no_step = replace(QUICK, encoder_steps=0, tower_steps=0, symbolic_steps=0, joint_steps=0)
    first, second = tmp_path / "first", tmp_path / "second"
    for weights, begin in ((first, WEIGHTS), (second, first)):
        work = tmp_path / f"{weights.name}-work"
        going_on = Pipeline(work, no_step, weights=weights, pools=tmp_path / "pools", begin=begin)
        going_on.run(["save"])
    shipped, ours, again = (
        load_file(f / "vlm" / "model.safetensors") for f in (WEIGHTS, first, second)
    )
    assert shipped.keys() == ours.keys() == again.keys()
    # The shipped weights may have another vocabulary; all else is theirs.
    assert all(torch.equal(ours[n], shipped[n]) for n in shipped if "embed_tokens" not in n)
    assert all(torch.equal(again[n], ours[n]) for n in ours)
    encoders = [load_file(f / "clip" / encoder.WEIGHTS_FILE) for f in (WEIGHTS, first)]
    assert encoders[0].keys() == encoders[1].keys()
    assert all(torch.equal(encoders[0][n], encoders[1][n]) for n in encoders[0])


@pytest.mark.slow
def test_so_much_of_the_saved_model_is_kept_as_is_said(tmp_path: Path) -> None:
    few = replace(QUICK, encoder_steps=0, tower_steps=1, symbolic_steps=0, joint_steps=1)
    shipped = load_file(WEIGHTS / "vlm" / "model.safetensors")
    same = {}
    for kept in (1.0, 0.0):
        weights = tmp_path / f"kept-{kept}"
        going_on = Pipeline(tmp_path / "work", few, weights=weights, begin=WEIGHTS, kept=kept)
        going_on.run(["save"])
        saved = load_file(weights / "vlm" / "model.safetensors")
        same[kept] = all(torch.equal(saved[n], shipped[n]) for n in saved if "embed" not in n)
    assert same == {1.0: True, 0.0: False}


def test_how_to_go_on_needs_something_to_go_on_from(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["train", "--steps", "5"])
    with pytest.raises(SystemExit):
        main()
    assert "go on from with --start" in capsys.readouterr().err


@pytest.mark.parametrize(
    "wrong", [("--kept", "2"), ("--rate", "0"), ("--steps", "-1"), ("--tower", "-1")]
)
def test_a_share_or_number_that_makes_no_sense_is_refused(
    wrong: tuple[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["train", "--start", str(WEIGHTS), *wrong])
    with pytest.raises(SystemExit):
        main()
    assert "--kept a share from 0 to 1" in capsys.readouterr().err
