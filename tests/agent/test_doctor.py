"""What this machine can run, and what is missing."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from agent import doctor
from agent.doctor import examine_all
from agent.models import pair_is_here


def test_every_pair_of_models_is_named(tmp_path: Path) -> None:
    checks = {check.name: check for check in examine_all(tmp_path)}
    assert {"models large", "models medium", "models small", "models demo"} <= set(checks)
    assert any("--models auto takes here" in check.detail for check in checks.values())


def test_a_pair_is_here_with_both_of_its_models(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for videollm, encoder in ((True, False), (False, True), (True, True)):
        monkeypatch.setattr("agent.backends.weights.is_here", lambda name, here=videollm: here)
        monkeypatch.setattr("index.pretrained.is_here", lambda name, tag, here=encoder: here)
        assert {pair_is_here(tier) for tier in doctor.TIERS} == {videollm and encoder}


def test_without_torch_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "torch" else find(name)
    )
    checks = {check.name: check for check in examine_all(tmp_path)}
    assert checks["torch"].status == "missing"
    assert checks["torch"].hint == "run: uv sync"
    assert not any(name.startswith("models") for name in checks)
