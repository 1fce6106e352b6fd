"""Names of models: what each means, and what is said when it cannot be had."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agent.backends import BACKENDS, BY_MODEL_TYPE, backend_class
from agent.endpoint_settings import EndpointSettings
from agent.models import (
    TIERS,
    ModelChoice,
    choose_models,
    choose_tier,
    open_models,
    open_videollm,
    recorded_name,
    split_encoder_name,
)
from index.errors import ModelError


@pytest.mark.parametrize(
    ("gpu_gb", "tier"),
    [(0, "small"), (8, "small"), (10, "medium"), (19.9, "medium"), (20, "large"), (80, "large")],
)
def test_auto_takes_the_largest_pair_that_fits(gpu_gb: float, tier: str) -> None:
    assert choose_tier(gpu_gb).name == tier


def test_the_table_ends_with_a_pair_for_any_machine() -> None:
    assert TIERS[-1].min_gpu_gb == 0
    assert [tier.min_gpu_gb for tier in TIERS] == sorted(
        (tier.min_gpu_gb for tier in TIERS), reverse=True
    )


def test_auto_on_a_cpu_names_real_models_and_why() -> None:
    choice = choose_models("auto", device="cpu")
    assert choice.videollm == "Qwen/Qwen3-VL-2B-Instruct"
    assert choice.encoder == "ViT-B-32:datacomp_xl_s13b_b90k"
    assert choice.why.startswith("auto: small")


def test_auto_never_chooses_the_demo_models() -> None:
    for tier in TIERS:
        assert "demo" not in tier.encoder + tier.videollm


def test_an_encoder_of_ones_own_replaces_that_of_the_pair() -> None:
    choice = choose_models("auto", encoder="local-dir:mine", device="cpu")
    assert choice.encoder == "local-dir:mine"
    assert choice.videollm == "Qwen/Qwen3-VL-2B-Instruct"


def test_a_model_by_name_gets_the_encoder_that_fits_the_machine() -> None:
    choice = choose_models("some/model", device="cpu")
    assert (choice.encoder, choice.videollm) == ("ViT-B-32:datacomp_xl_s13b_b90k", "some/model")


def test_the_demo_pair_is_two_folders_of_the_project() -> None:
    choice = choose_models("demo")
    assert choice.encoder.endswith("demo/weights/clip")
    assert choice.videollm.endswith("demo/weights/vlm")


def test_no_name_is_an_error() -> None:
    with pytest.raises(ModelError, match="no model named"):
        choose_models(" ")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("ViT-B-32:datacomp_xl_s13b_b90k", ("ViT-B-32", "datacomp_xl_s13b_b90k")),
        ("ViT-B-32:C:/w.safetensors", ("ViT-B-32", "C:/w.safetensors")),
        ("local-dir:/a/b", ("local-dir:/a/b", None)),
        ("hf-hub:timm/x", ("hf-hub:timm/x", None)),
        ("hash", ("hash", None)),
    ],
)
def test_an_encoders_name_and_weights(text: str, parts: tuple[str, str | None]) -> None:
    assert split_encoder_name(text) == parts


def test_the_scripted_pair_opens_without_weights() -> None:
    models = open_models("scripted")
    assert "fake" in models.videollm.name
    assert not models.knows_only_demo_world
    assert models.encoder.encode_texts(["red"]).shape[0] == 1


def test_a_script_of_ones_own(tmp_path: Path) -> None:
    script = tmp_path / "script.json"
    script.write_text(json.dumps({"evidence": [[10, 12]], "answer": "blue"}))
    choice = choose_models(f"scripted:{script}")
    assert choice.encoder == "hash"
    assert "fake" in open_videollm(choice).name


def test_a_script_that_does_not_fit_is_one_line(tmp_path: Path) -> None:
    script = tmp_path / "script.json"
    script.write_text('{"evidence": "all of it"}')
    with pytest.raises(ModelError, match="script") as caught:
        open_models(f"scripted:{script}")
    assert "\n" not in str(caught.value)


def test_a_folder_that_is_not_there_names_the_choices() -> None:
    with pytest.raises(ModelError, match="no model folder /no/such") as caught:
        open_models("/no/such")
    assert "hub id" in caught.value.hint
    assert "demo" in caught.value.hint


def test_missing_demo_weights_name_the_command_that_makes_them(tmp_path: Path) -> None:
    choice = ModelChoice("demo", "hash", str(tmp_path / "vlm"), "by name")
    with pytest.raises(ModelError, match="demo models are not there") as caught:
        open_videollm(choice)
    assert "make models" in caught.value.hint


def test_a_folder_of_a_class_that_transformers_does_not_know(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "no_such_model"}')
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(ModelError, match="transformers cannot load") as caught:
        open_videollm(ModelChoice("x", "hash", str(tmp_path), "by name"), device="cpu")
    assert "\n" not in str(caught.value)


def test_damaged_weights_are_one_line(tmp_path: Path) -> None:
    from tests.agent.backends import tiny_models

    folder = tiny_models.make("qwen3_vl", tmp_path)
    (folder / "model.safetensors").write_bytes(b"\0" * 100)
    with pytest.raises(ModelError, match="transformers cannot load") as caught:
        open_videollm(ModelChoice("x", "hash", str(folder), "by name"), device="cpu")
    assert "\n" not in str(caught.value)


def test_weights_that_lack_a_tensor_are_never_filled_with_random_ones(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    from tests.agent.backends import tiny_models

    folder = tiny_models.make("qwen3_vl", tmp_path)
    tensors = load_file(folder / "model.safetensors")
    del tensors["model.language_model.norm.weight"]
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"weights are missing, .*norm\.weight"):
        open_videollm(ModelChoice("x", "hash", str(folder), "by name"), device="cpu")


@pytest.mark.parametrize("device", ["cuda:99", "gpu", "abacus"])
def test_a_device_that_is_not_here_is_refused(tmp_path: Path, device: str) -> None:
    from tests.agent.backends import tiny_models

    folder = tiny_models.make("qwen3_vl", tmp_path)
    with pytest.raises(ModelError, match=f"no device '{device}'"):
        open_videollm(ModelChoice("x", "hash", str(folder), "by name"), device=device)


def test_a_model_says_that_it_knows_only_the_demo_world(tmp_path: Path) -> None:
    from tests.agent.backends import tiny_models

    folder = tiny_models.make("qwen3_vl", tmp_path)
    (folder / "longshot.json").write_text('{"options_by": "text", "demo_world": true}')
    model = open_videollm(ModelChoice("x", "hash", str(folder), "by name"), device="cpu")
    assert model.knows_only_demo_world
    assert model.capabilities.options_by == "text"


def test_without_a_network_a_missing_model_is_said_at_once(tmp_path: Path) -> None:
    """In a process of its own, because the hub's settings are read when it is imported."""
    code = (
        "from agent.models import *\n"
        "from index.errors import ModelError\n"
        "try: open_models('auto', device='cpu')\n"
        "except ModelError as error: print(error)\n"
    )
    # Nothing listens on the discard port: a machine whose network is down.
    surroundings = {
        **os.environ,
        "HF_HOME": str(tmp_path),
        "HF_ENDPOINT": "http://127.0.0.1:9",
    }
    surroundings.pop("HF_HUB_OFFLINE", None)
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=surroundings,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "--models auto chose Qwen/Qwen3-VL-2B-Instruct" in done.stdout
    assert "cannot be reached" in done.stdout
    assert "demo" in done.stdout
    assert done.stdout.count("\n") == 1
    assert time.monotonic() - started < 30


def test_an_unknown_backend_lists_the_known() -> None:
    with pytest.raises(ModelError, match="no backend 'qwen9'") as caught:
        backend_class("qwen9")
    assert "qwen3_vl" in caught.value.hint


def test_every_backend_and_every_model_type_has_its_class() -> None:
    for name in BACKENDS:
        assert isinstance(backend_class(name), type)
    assert set(BY_MODEL_TYPE.values()) <= set(BACKENDS)


@pytest.mark.parametrize("name", ["scripted", "openai:m", "openai:look at me"])
def test_the_name_of_the_record_is_known_before_a_model_is_opened(name: str) -> None:
    endpoint = EndpointSettings(base_url="http://me:secret@Host:8000/v1")
    choice = choose_models(name, encoder="hash")
    opened = open_videollm(choice, endpoint=endpoint)
    assert recorded_name(choice, endpoint) == opened.name
    assert "secret" not in opened.name


@pytest.mark.parametrize("address", ["", "host:80", "ftp://host", "http://", "http://host:port"])
def test_an_address_that_is_none_is_one_line(address: str) -> None:
    with pytest.raises(ModelError, match="openai:m needs the address of its server"):
        open_videollm(choose_models("openai:m", encoder="hash"), endpoint=EndpointSettings(address))
