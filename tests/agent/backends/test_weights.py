"""Finding weights, and knowing them again."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent.backends.weights import (
    ModelNotes,
    find_weights,
    is_here,
    missing_files,
    model_type,
    read_notes,
    weights_hash,
)
from index.errors import ModelError
from tests.agent.backends import tiny_hub


def model_folder(folder: Path, *files: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in files:
        (folder / name).write_bytes(name.encode())
    return folder


def test_a_whole_folder_is_its_own_place(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "m", "config.json", "model.safetensors")
    assert find_weights(str(folder)) == folder


def test_a_folder_without_weights_is_refused(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "m", "config.json")
    with pytest.raises(ModelError, match=r"not a whole model: no model\.safetensors"):
        find_weights(str(folder))


def test_a_shard_that_is_missing_is_named(tmp_path: Path) -> None:
    folder = model_folder(tmp_path, "config.json", "a.safetensors")
    index = '{"weight_map": {"x": "a.safetensors", "y": "b.safetensors"}}'
    (folder / "model.safetensors.index.json").write_text(index)
    assert missing_files(folder) == ["b.safetensors"]


@pytest.mark.parametrize("name", ["/no/such/folder", "./model", "Qwen", "a/b/c", "my model/x"])
def test_what_is_neither_a_folder_nor_a_hub_id_is_refused(name: str) -> None:
    with pytest.raises(ModelError, match="no model folder") as caught:
        find_weights(name)
    assert "demo" in caught.value.hint


def test_weights_are_here_when_their_folder_is_whole(tmp_path: Path) -> None:
    assert is_here(str(model_folder(tmp_path / "whole", "config.json", "model.safetensors")))
    assert not is_here(str(model_folder(tmp_path / "half", "config.json")))
    assert not is_here(str(tmp_path / "none"))


def test_the_hash_is_over_names_and_contents(tmp_path: Path) -> None:
    folder = model_folder(tmp_path, "config.json", "b.safetensors", "a.safetensors")
    lines = "".join(
        f"{name} {hashlib.sha256(name.encode()).hexdigest()}\n"
        for name in ("a.safetensors", "b.safetensors")
    )
    assert weights_hash(folder) == hashlib.sha256(lines.encode()).hexdigest()[:16]


def test_other_weights_have_another_hash(tmp_path: Path) -> None:
    folder = model_folder(tmp_path, "model.safetensors")
    before = weights_hash(folder)
    (folder / "model.safetensors").write_bytes(b"trained a little longer")
    assert weights_hash(folder) != before


def test_a_blob_of_the_hubs_cache_is_known_by_its_name(tmp_path: Path) -> None:
    """The cache names a blob by its SHA-256: the same weights in a folder have the same hash."""
    digest = hashlib.sha256(b"model.safetensors").hexdigest()
    blobs = model_folder(tmp_path / "cache" / "blobs", digest)
    snapshot = model_folder(tmp_path / "cache" / "snapshots")
    (snapshot / "model.safetensors").symlink_to(blobs / digest)
    plain = model_folder(tmp_path / "plain", "model.safetensors")
    assert weights_hash(snapshot) == weights_hash(plain)


def test_without_notes_a_model_chooses_by_letter(tmp_path: Path) -> None:
    assert read_notes(tmp_path) == ModelNotes(options_by="letter", demo_world=False)


def test_notes_beside_the_weights_are_read(tmp_path: Path) -> None:
    (tmp_path / "longshot.json").write_text('{"options_by": "text", "demo_world": true}')
    assert read_notes(tmp_path) == ModelNotes(options_by="text", demo_world=True)


@pytest.mark.parametrize("text", ['{"options_by": "number"}', '{"demo": true}', "not json"])
def test_notes_that_do_not_fit_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "longshot.json").write_text(text)
    with pytest.raises(ModelError, match=r"longshot\.json"):
        read_notes(tmp_path)


@pytest.mark.parametrize("text", ["{}", "[]", "no json"])
def test_a_configuration_without_a_type_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(ModelError, match="names no model_type"):
        model_type(tmp_path)


_FINDS = """
import sys
from agent.backends.weights import find_weights, is_here, missing_files
from web.notices import show_notices
show_notices()
assert not missing_files(find_weights(sys.argv[1])) and is_here(sys.argv[1])
"""


def found_in_a_process(home: Path, address: str) -> str:
    """What is said meanwhile. The hub's settings are read when it is imported: hence a process."""
    surroundings = {**os.environ, "HF_HOME": str(home), "HF_ENDPOINT": address}
    surroundings.pop("HF_HUB_OFFLINE", None)
    surroundings["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
    words = [sys.executable, "-c", _FINDS, tiny_hub.MODEL]
    done = subprocess.run(words, env=surroundings, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    return done.stderr


def test_a_model_is_downloaded_once_and_this_is_told_with_its_size(tmp_path: Path) -> None:
    """Then it is found without the hub, though files that are no weights were left there."""
    with tiny_hub.hub() as address:
        told = found_in_a_process(tmp_path, address)
    assert told == "downloading owner/tiny from the model hub, once, 3.0 MB\n"
    assert found_in_a_process(tmp_path, address) == ""
