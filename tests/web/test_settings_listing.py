"""`longshot settings`: what is shown is what a file may hold, and every setting is explained."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from agent.config import FILE_NAME, load_config
from agent.presets import settings_for
from app import run
from web.settings_listing import as_toml


@pytest.mark.parametrize("demo", [True, False])
def test_what_is_shown_is_a_file_that_sets_the_same(tmp_path: Path, demo: bool) -> None:
    settings = settings_for(knows_only_demo_world=demo)
    (tmp_path / FILE_NAME).write_text("\n".join(as_toml(settings)), encoding="utf-8")
    config = load_config({}, environ={}, config_folder=tmp_path)
    # Over the other model's settings, so that nothing holds by itself.
    assert config.ask_settings(knows_only_demo_world=not demo) == settings


def test_every_section_and_every_setting_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["settings", "--models", "demo", "--set", "reflect.answer_risk=0.125"]) == 0
    shown = capsys.readouterr().out
    assert tomllib.loads(shown)["search"]["reflect"]["answer_risk"] == 0.125
    lines = shown.splitlines()
    for position, line in enumerate(lines):
        if line.startswith("[") or " = " in line.partition("#")[0]:
            assert lines[position - 1].startswith("# "), line


@pytest.mark.parametrize(
    "given", ["reflect.answer_risk", "reflect.answer_risk=often", "x=1", "=1", "reflect.__doc__=1"]
)
def test_what_sets_nothing_is_wrong_usage(given: str) -> None:
    assert run(["settings", "--set", given]) == 2
