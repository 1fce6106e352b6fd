"""Settings: flags over the environment over the library's file over the person's own file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.config import FILE_NAME, Config, load_config, parse_budget, parse_setting
from agent.fork import ForkPlan, forked_run
from agent.presets import settings_for, settings_from_dict, settings_of
from index.encoder import EncoderIdentity
from index.errors import InputError
from index.run_rows import RunRow

ENCODER = EncoderIdentity("ViT-B-32:tag", weights_hash="0", dimension=8, preprocessing="{}")


def load(
    tmp_path: Path, *, flags: Mapping[str, Any] | None = None, environ: dict[str, str] | None = None
) -> Config:
    return load_config(flags or {}, environ=environ or {}, config_folder=tmp_path / "config")


def write(folder: Path, text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE_NAME).write_text(text, encoding="utf-8")


def test_each_source_wins_over_those_below_it(tmp_path: Path) -> None:
    library = tmp_path / "library"
    write(tmp_path / "config", f'library = "{library}"\nmodels = "own"\nencoder = "own"')
    assert load(tmp_path).models == "own"
    write(library, 'models = "library"\nencoder = "library"')
    assert load(tmp_path).models == "library"
    assert load(tmp_path, environ={"LONGSHOT_MODELS": "environment"}).models == "environment"
    config = load(tmp_path, flags={"models": "flag"}, environ={"LONGSHOT_MODELS": "environment"})
    assert (config.models, config.encoder, config.library) == ("flag", "library", library)


def test_limits_of_a_budget_are_taken_one_by_one(tmp_path: Path) -> None:
    write(tmp_path / "config", "[budget]\nlooks = 5\nvisual_tokens = 900")
    config = load(tmp_path, flags={"budget": {"looks": 7}})
    settings = config.ask_settings(knows_only_demo_world=False)
    assert (settings.budget.looks, settings.budget.visual_tokens) == (7, 900)
    assert settings.budget.calls == 120


def test_settings_of_the_search_are_taken_one_by_one(tmp_path: Path) -> None:
    write(tmp_path / "config", "[search.reflect]\nanswer_risk = 0.1\nabsent_risk = 0.2")
    flags = {"search": parse_setting("reflect.answer_risk=0.3")}
    flags["search"] |= parse_setting("survey.prior.floor = 0.5")
    config = load(tmp_path, flags=flags)
    for demo in (False, True):
        settings = config.ask_settings(knows_only_demo_world=demo)
        assert (settings.reflect.answer_risk, settings.reflect.absent_risk) == (0.3, 0.2)
        assert settings.survey.prior.floor == 0.5
        # What nobody set fits the model.
        assert settings.look.short_side_px == (96 if demo else 256)


def test_a_run_of_before_is_not_asked_what_its_model_may_not_know() -> None:
    now = asdict(settings_for(knows_only_demo_world=False))
    assert settings_from_dict(now) == settings_for(knows_only_demo_world=False)
    del now["answer"]["ask_for_looks"], now["answer"]["option_not_enough"]
    del now["survey"]["cue_objects"]
    before = settings_from_dict(now)
    assert (before.answer.ask_for_looks, before.answer.option_not_enough) == (False, False)
    assert before.survey.cue_objects == 0


def test_without_any_source_the_defaults_hold(tmp_path: Path) -> None:
    config = load(tmp_path, environ={"LONGSHOT_MODELS": "", "PATH": "/bin"})
    assert (config.models, config.encoder, config.device) == ("auto", None, "auto")
    assert config.index.clip_s == 8.0


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("model = 'x'", "model from"),
        ("[budget]\nlooks = 0", "budget.looks from"),
        ("[budget]\nlooks = 'many'", "budget.looks from"),
        ("[index]\nclip = 3", "index.clip from"),
        ("models = ''", "models from"),
        ("models =", "is no TOML"),
        ("[search.reflect]\nanswer_risc = 0.1", "reflect.answer_risc is no setting"),
        ("[search]\nreflect = 0.1", "reflect is no setting"),
        ("[search.reflect.accept]\nx = 1", "reflect.accept is no setting"),
        ("[search.reflect]\naccept = 'much'", "longshot.toml: search.reflect.accept"),
        ("[search.reflect]\naccept = inf", "reflect.accept is inf"),
        ("[search.reflect]\naccept = true", "search.reflect.accept: "),
        ("[search.reflect]\nambiguous = [0.1, nan]", "reflect.ambiguous is nan"),
        ("[search.reflect.fit]\nlog_odds = 1", "reflect.fit.log_odds is no setting"),
        ("[search.spotlight]\nlongest_s = 0.0", "longest_s of 0.0 is no length"),
        ("[search.spotlight]\nlook_price = 1.5", "look_price of 1.5 is no chance"),
        ("[search.spotlight.lengths]\nlengths_s = []", "are no lengths"),
        ("[search.budget]\nlooks = 3", "has a section of its own"),
        ("[index]\nevery_s = 0.3", "0.3 s between frames"),
    ],
)
def test_a_bad_value_in_a_file_is_an_error_that_names_it(
    tmp_path: Path, text: str, names: str
) -> None:
    write(tmp_path / "config", text)
    with pytest.raises(InputError, match=names):
        load(tmp_path)


def test_an_unknown_name_in_the_environment_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="LONGSHOT_MODLES"):
        load(tmp_path, environ={"LONGSHOT_MODLES": "demo"})


def test_a_librarys_file_cannot_name_another_library(tmp_path: Path) -> None:
    write(tmp_path / "library", 'library = "/other"')
    with pytest.raises(InputError, match="names a library"):
        load(tmp_path, flags={"library": tmp_path / "library"})


def test_a_library_goes_on_with_its_own_encoder(tmp_path: Path) -> None:
    config = load(tmp_path, flags={"models": "/some/folder"})
    assert config.choice(ENCODER).encoder == "ViT-B-32:tag"
    named = load(tmp_path, flags={"models": "/some/folder", "encoder": "other"})
    assert named.choice(ENCODER).encoder == "other"


def test_an_encoders_folder_is_kept_whole(tmp_path: Path) -> None:
    encoder = load(tmp_path, flags={"encoder": "local-dir:clip"}).encoder
    assert encoder == f"local-dir:{Path.cwd() / 'clip'}"


def test_a_pair_brings_its_own_encoder(tmp_path: Path) -> None:
    for name in ("scripted", "scripted:file.json"):
        assert load(tmp_path, flags={"models": name}).choice(ENCODER).encoder == "hash"
    demo = load(tmp_path, flags={"models": "demo"}).choice(ENCODER)
    assert demo.encoder.startswith("local-dir:")


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("6000", {"visual_tokens": 6000}),
        ("tokens=6000, looks=20", {"visual_tokens": 6000, "looks": 20}),
        ("seconds=1.5,calls=3", {"seconds": 1.5, "calls": 3}),
    ],
)
def test_a_budget_in_words(text: str, limits: dict[str, float]) -> None:
    assert parse_budget(text) == limits


@pytest.mark.parametrize(
    "text", ["", "many", "looks=0", "looks=1.5", "looks=-1", "1,2", "eyes=2", "seconds=nan", "1,"]
)
def test_what_is_no_budget_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="no budget"):
        parse_budget(text)


@given(st.text(max_size=20))
def test_any_text_is_a_budget_or_an_input_error(text: str) -> None:
    try:
        limits = parse_budget(text)
    except InputError:
        return
    assert limits
    assert all(value > 0 for value in limits.values())


def test_the_key_comes_from_the_environment_and_is_not_shown(tmp_path: Path) -> None:
    environ = {"LONGSHOT_API_KEY": "sk-1", "LONGSHOT_BASE_URL": "http://box:8000/v1"}
    config = load_config({}, environ=environ, config_folder=tmp_path)
    assert (config.endpoint.api_key, config.endpoint.base_url) == ("sk-1", "http://box:8000/v1")
    assert "sk-1" not in repr(config)


@pytest.mark.parametrize(
    ("url", "key"), [("https://api.openai.com/v1", "sk-o"), ("http://box:8000/v1", "")]
)
def test_the_key_of_openai_goes_to_openai_alone(tmp_path: Path, url: str, key: str) -> None:
    environ = {"OPENAI_API_KEY": "sk-o"}
    config = load_config({"base_url": url}, environ=environ, config_folder=tmp_path)
    assert config.endpoint.api_key == key


def test_the_manners_towards_a_server_are_set_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "longshot.toml").write_text("[endpoint]\nretries = 0\ntimeout_s = 5.5\n")
    endpoint = load_config({}, environ={}, config_folder=tmp_path).endpoint
    assert (endpoint.retries, endpoint.timeout_s, endpoint.concurrency) == (0, 5.5, 4)


def test_a_run_of_another_version_says_so_with_what_to_do() -> None:
    settings = {"survey": {"prior": {"smooth_s": 0.5}}}
    run = RunRow("r7", 1, "c0ffee", "", "Where?", (), {}, settings, "k", "2026-01-01", 1)
    for begin in (settings_of, lambda run: forked_run(run, ForkPlan(1), models={})):
        with pytest.raises(InputError, match=r"r7 was begun by another version.*ask the question"):
            begin(run)
