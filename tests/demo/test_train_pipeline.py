"""`python -m demo.train`: from nothing to two models that load like any other, and their report."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from agent.models import open_models
from demo.train.__main__ import QUICK, STAGES, WEIGHTS, Pipeline


@pytest.mark.slow
def test_the_whole_pipeline_writes_models_that_load_and_a_report(tmp_path: Path) -> None:
    weights = tmp_path / "weights"
    Pipeline(tmp_path / "work", QUICK, weights=weights).run(list(STAGES))

    models = open_models(str(weights / "vlm"), encoder=f"local-dir:{weights / 'clip'}")
    assert models.knows_only_demo_world
    assert models.videollm.capabilities.options_by == "text"
    assert models.encoder.identity.dimension == 128
    report = (weights / "REPORT.md").read_text()
    for part in ("R@1", "one clip: place", "strip of 16: span", "rewrite", "AUC"):
        assert part in report


@pytest.mark.slow
def test_a_stage_that_was_interrupted_goes_on_where_it_was(tmp_path: Path) -> None:
    work = tmp_path / "work"
    pipeline = Pipeline(work, QUICK, weights=tmp_path / "weights")
    pipeline.encoder()
    first = (work / "encoder.pt").read_bytes()
    Pipeline(work, QUICK, weights=tmp_path / "weights").encoder()
    assert (work / "encoder.pt").read_bytes() == first


@pytest.mark.slow
def test_training_goes_on_from_a_saved_videollm(tmp_path: Path) -> None:
    """Without a step it is saved as it came, and the encoder is left alone."""
    no_step = replace(QUICK, tower_steps=0, symbolic_steps=0, joint_steps=0)
    weights = tmp_path / "weights"
    Pipeline(tmp_path / "work", no_step, weights=weights, begin=WEIGHTS / "vlm").run(["save"])
    ours, theirs = (load_file(f / "vlm" / "model.safetensors") for f in (weights, WEIGHTS))
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    assert not (weights / "clip").exists()
