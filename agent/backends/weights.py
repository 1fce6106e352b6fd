"""Where a model's weights are: a folder, the hub's cache, or the hub itself; and their identity.

The network is asked only for a hub id that is not in the cache, with a short limit, so that a
machine without one is told so at once.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from fnmatch import fnmatch
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from index.errors import ModelError
from index.notices import NOTICES

NOTES_FILE = "longshot.json"
NETWORK_LIMIT_S = 5.0
# Weights that can be loaded without running code from them.
_PATTERNS = ["*.json", "*.safetensors", "*.txt", "*.model", "*.jinja"]
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_CHOICES = (
    "name a transformers folder or a hub id such as Qwen/Qwen3-VL-2B-Instruct; "
    "or demo, which knows only the demo world"
)


class ModelNotes(BaseModel):
    """What `longshot.json` beside the weights says of a model; without the file: the defaults."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    options_by: Literal["letter", "text"] = "letter"
    demo_world: bool = False
    """Trained on the project's rendered films and nothing else."""
    max_visual_tokens: int | None = None
    """The most visual tokens a prompt may hold, where the model was trained on fewer than its
    configuration allows."""


def read_notes(folder: Path) -> ModelNotes:
    """The model's own notes.

    Raises:
        ModelError: the file is there and does not fit.
    """
    path = folder / NOTES_FILE
    if not path.is_file():
        return ModelNotes()
    try:
        return ModelNotes.model_validate_json(path.read_text(encoding="utf-8"))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise ModelError(f"{path}: {where}: {first['msg']}") from error


def model_type(folder: Path) -> str:
    """The class of model that the folder's configuration names.

    Raises:
        ModelError: the configuration cannot be read or names none.
    """
    try:
        named = json.loads((folder / "config.json").read_text(encoding="utf-8"))["model_type"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{folder / 'config.json'} names no model_type", _CHOICES) from error
    return str(named)


def missing_files(folder: Path) -> list[str]:
    """Names of the files that a transformers folder needs and that are not there."""
    needed = {"config.json"}
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        needed |= set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
    elif not any(folder.glob("*.safetensors")):
        needed.add("model.safetensors")
    return sorted(name for name in needed if not (folder / name).is_file())


def find_weights(name: str) -> Path:
    """The folder that holds the model `name`, downloaded where it is a hub id not had yet.

    Raises:
        ModelError: no such folder or hub id, files missing, or no network.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        if missing := missing_files(folder):
            raise ModelError(
                f"{folder} is not a whole model: no {', '.join(missing[:3])}", _CHOICES
            )
        return folder
    if not _HUB_ID.fullmatch(name):
        raise ModelError(f"no model folder {name}", _CHOICES)
    return _cached(name) or _download(name)


def is_here(name: str) -> bool:
    """Are the model's weights on this machine? Asks no network."""
    folder = Path(name).expanduser()
    if folder.is_dir():
        return not missing_files(folder)
    return bool(_HUB_ID.fullmatch(name)) and _cached(name) is not None


def _cached(hub_id: str) -> Path | None:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        # The same patterns as of the download: what it left out is not missed.
        folder = Path(snapshot_download(hub_id, local_files_only=True, allow_patterns=_PATTERNS))
    except LocalEntryNotFoundError:
        return None
    return None if missing_files(folder) else folder


def _download(hub_id: str) -> Path:
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.constants import HF_HUB_OFFLINE
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
    )

    if HF_HUB_OFFLINE:
        raise ModelError(f"{hub_id} is not in the cache and HF_HUB_OFFLINE is set", _CHOICES)
    try:
        about = HfApi().model_info(hub_id, timeout=NETWORK_LIMIT_S, files_metadata=True)
        NOTICES.info("downloading %s from the model hub, once%s", hub_id, _size_told(about))
        folder = Path(snapshot_download(hub_id, allow_patterns=_PATTERNS))
    except GatedRepoError as error:
        raise ModelError(
            f"{hub_id} asks for its licence to be accepted", "accept it there, then: hf auth login"
        ) from error
    except RepositoryNotFoundError as error:
        raise ModelError(f"the hub has no model {hub_id}", _CHOICES) from error
    except (HfHubHTTPError, LocalEntryNotFoundError) as error:
        raise ModelError(f"{hub_id} cannot be downloaded: {error}", _CHOICES) from error
    except (_transport_error(), ConnectionError, TimeoutError) as error:
        raise ModelError(
            f"{hub_id} is not on this machine and the hub cannot be reached ({error})", _CHOICES
        ) from error
    except OSError as error:
        raise ModelError(f"{hub_id} cannot be written: {error}", "free some disk space") from error
    if missing := missing_files(folder):
        raise ModelError(f"{hub_id} has no safetensors weights: no {missing[0]}", _CHOICES)
    return folder


def _size_told(about: Any) -> str:
    """How much is downloaded, ", 4.4 GB"; "" where the hub does not say."""
    files = [
        each
        for each in about.siblings or ()
        if any(fnmatch(each.rfilename, pattern) for pattern in _PATTERNS)
    ]
    if not files or any(each.size is None for each in files):
        return ""
    megabytes = sum(each.size for each in files) / 10**6
    return f", {megabytes / 1000:.1f} GB" if megabytes >= 1000 else f", {megabytes:.1f} MB"


def _transport_error() -> type[Exception]:
    """The network errors of the HTTP client that huggingface_hub uses: httpx or a fork."""
    from huggingface_hub import get_session

    client = import_module(type(get_session()).__mro__[-2].__module__.partition(".")[0])
    error: type[Exception] = client.TransportError
    return error


@cache
def _file_sha256(path: Path, size_bytes: int, mtime_ns: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def weights_hash(folder: Path) -> str:
    """First 16 hex digits of a SHA-256 over the names and contents of the safetensors files.

    The hub's cache names a file's blob by its SHA-256, so those are not read again.

    Raises:
        ModelError: the folder holds no safetensors file.
    """
    paths = sorted(folder.glob("*.safetensors"))
    if not paths:
        raise ModelError(f"{folder} holds no safetensors weights", _CHOICES)
    digest = hashlib.sha256()
    for path in paths:
        real = Path(os.path.realpath(path))
        if real.parent.name == "blobs" and _SHA256.fullmatch(real.name):
            of_file = real.name
        else:
            status = real.stat()
            of_file = _file_sha256(real, status.st_size, status.st_mtime_ns)
        digest.update(f"{path.name} {of_file}\n".encode())
    return digest.hexdigest()[:16]
