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
    ("name", "section"), [("search.reflect.answer_risk", "reflect"), ("search.belief_bins", "")]
)
def test_a_setting_may_be_named_with_its_whole_section(
    capsys: pytest.CaptureFixture[str], name: str, section: str
) -> None:
    value = "0.125" if section else "123"
    assert run(["settings", "--models", "demo", "--set", f"{name}={value}"]) == 0
    shown = tomllib.loads(capsys.readouterr().out)["search"]
    last = name.rpartition(".")[2]
    assert (shown[section] if section else shown)[last] == float(value)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("reflect.answer_risk", '"reflect.answer_risk" is no setting'),
        ("reflect.answer_risk=often", "often is no value in TOML (for reflect.answer_risk)"),
        ("reflect.answer_risk=", "nothing is no value in TOML"),
        ("x=1", "search.x is no setting of the search"),
        ("=1", '"=1" is no setting'),
        ("search=1", "search.search is no setting of the search"),
        ("reflect.__doc__=1", "search.reflect.__doc__ is no setting of the search"),
        ("budget.looks=3", "the budget is set with --budget looks=3"),
        ("search.budget.visual_tokens=9", "the budget is set with --budget visual_tokens=9"),
        ("budget=3", "the budget is set with --budget tokens=3"),
    ],
)
def test_what_sets_nothing_is_wrong_usage_that_says_why(
    capsys: pytest.CaptureFixture[str], given: str, told: str
) -> None:
    assert run(["settings", "--set", given]) == 2
    assert f"Invalid value for --set: {told}" in capsys.readouterr().err


def test_the_flag_that_is_named_for_the_budget_is_taken() -> None:
    words = ["settings", "--models", "demo", "--budget"]
    assert [run([*words, flag]) for flag in ("looks=3", "visual_tokens=9", "tokens=3")] == [0] * 3
