"""Where an open_clip encoder's weights come from, and whether they can be had at all.

Checked before open_clip is asked to load anything: it answers an unknown name with a traceback, and
a missing network by trying again for a minute.
"""

from __future__ import annotations

import difflib
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import open_clip

from index.errors import ModelError
from index.notices import NOTICES

_LOCAL = "local-dir:"
_HUB = "hf-hub:"
_REACHABLE_WITHIN_S = 3.0


def load_options(name: str, weights: str | None) -> dict[str, Any]:
    """Arguments for open_clip, after checking what it would only warn about.

    Raises:
        ModelError: an unknown name, no weights of that name, or none here and no network.
    """
    if name.startswith(_LOCAL):
        _check_folder(Path(name.removeprefix(_LOCAL)))
        return {}
    if name.startswith(_HUB):
        repository = name.removeprefix(_HUB)
        _check_reachable(name, cached=_in_hub_cache(repository, ("open_clip_config.json",)))
        return {}
    known = open_clip.list_models()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=4, cutoff=0.4) or ["ViT-B-32"]
        raise ModelError(
            f'"{name}" is not an encoder',
            f"near names: {', '.join(near)}; or local-dir:FOLDER, or hf-hub:OWNER/MODEL",
        )
    tags = open_clip.list_pretrained_tags_by_model(name)
    if weights is None:
        raise ModelError(f"no weights named for the encoder {name}", _choices(tags))
    if Path(weights).is_file():
        return {"pretrained": weights}
    if weights not in tags:
        raise ModelError(f'"{weights}" is neither a file nor weights of {name}', _choices(tags))
    found = open_clip.get_pretrained_cfg(name, weights)
    _check_reachable(f"{name}:{weights}", cached=_is_cached(found))
    # Weights trained with the quick form of GELU give wrong vectors without it; open_clip warns.
    quick = {"force_quick_gelu": True} if found.get("quick_gelu") else {}
    return {"pretrained": weights, **quick}


def is_here(name: str, weights: str | None) -> bool:
    """Are the weights that open_clip knows by this name on this machine? Asks no network."""
    if name.startswith(_HUB):
        return _in_hub_cache(name.removeprefix(_HUB), ("open_clip_config.json",))
    return _is_cached(open_clip.get_pretrained_cfg(name, weights or ""))


def _choices(tags: Sequence[str]) -> str:
    return f"name weights, one of: {', '.join(tags)}; or a file" if tags else "name a weights file"


def _check_folder(folder: Path) -> None:
    if not (folder / "open_clip_config.json").is_file():
        raise ModelError(
            f"there is no open_clip_config.json in {folder}",
            "name a folder with an open_clip config and weights",
        )
    if not any(folder.glob("*.safetensors")) and not any(folder.glob("*.bin")):
        raise ModelError(
            f"there are no weights in {folder}", "put open_clip_model.safetensors there"
        )


def _check_reachable(label: str, *, cached: bool) -> None:
    """Say that a download begins; fail at once where it would be tried again for a minute.

    Raises:
        ModelError: the weights are not on this machine, and the hub does not answer.
    """
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE or not _answers(constants.ENDPOINT):
        if not cached:
            raise ModelError(
                f"the weights of {label} are not on this machine, and there is no network",
                "download them once with a network, or use --encoder local-dir:FOLDER",
            )
        # What is cached is then used without asking the hub for a newer version.
        constants.HF_HUB_OFFLINE = True
    elif not cached:
        NOTICES.info("downloading the encoder %s, once", label)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(
            urllib.request.Request(address, method="HEAD"), timeout=_REACHABLE_WITHIN_S
        ):
            return True
    except urllib.error.HTTPError:
        return True
    except (OSError, ValueError):
        return False


def _is_cached(pretrained: dict[str, Any]) -> bool:
    hub = str(pretrained.get("hf_hub") or "")
    if hub:
        # "owner/model/" for the usual file names, "owner/model/file" for another one.
        owner, model, *file = hub.split("/")
        names = [name for name in file if name]
        usual = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")
        if _in_hub_cache(f"{owner}/{model}", names or usual):
            return True
    url = str(pretrained.get("url") or "")
    return bool(url) and (Path.home() / ".cache" / "clip" / Path(url).name).is_file()


def _in_hub_cache(repository: str, files: Sequence[str]) -> bool:
    from huggingface_hub import try_to_load_from_cache

    return any(isinstance(try_to_load_from_cache(repository, file), str) for file in files)
