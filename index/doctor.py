"""What of indexing works on this machine, and what is missing. Nothing is changed by looking."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import shutil
import sqlite3
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from index.errors import LongshotError
from index.library import Library
from index.store import DATABASE_NAME

_PACKAGES = {
    "torch": "torch",
    "open_clip": "open_clip_torch",
    "av": "av",
    "sqlite_utils": "sqlite-utils",
    "langgraph": "langgraph",
    "transformers": "transformers",
}
_LITTLE_SPACE_BYTES = 2 << 30


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    status: Literal["ok", "warn", "missing"]
    detail: str
    hint: str = ""


def examine(library_folder: Path) -> list[Check]:
    """All checks, in the order in which to read them."""
    return [
        _python(),
        *(_package(module, name) for module, name in _PACKAGES.items()),
        _faiss(),
        _decord(),
        _gpu(),
        _disk(library_folder),
        _library(library_folder),
    ]


def _python() -> Check:
    version = ".".join(str(part) for part in sys.version_info[:3])
    return Check("python", "ok", f"{version}, SQLite {sqlite3.sqlite_version}")


def _package(module: str, name: str) -> Check:
    if importlib.util.find_spec(module) is None:
        return Check(name, "missing", "not installed", "run: uv sync")
    return Check(name, "ok", importlib.metadata.version(name))


def _faiss() -> Check:
    if importlib.util.find_spec("faiss") is None:
        return Check("faiss", "missing", "not installed", "run: uv sync")
    import faiss

    # Uninstalling one of faiss-cpu and faiss-gpu deletes files of the other: a hollow package.
    if not hasattr(faiss, "IndexFlatIP"):
        return Check("faiss", "missing", "its files are gone", "run: uv sync --reinstall")
    return Check("faiss", "ok", f"{faiss.__version__}, {faiss.get_num_gpus()} GPUs")


def _decord() -> Check:
    if importlib.util.find_spec("decord") is None:
        return Check("decord", "warn", "not installed: PyAV reads every file", "nothing to do")
    return Check("decord", "ok", f"{importlib.metadata.version('decord')} (used when named)")


def _gpu() -> Check:
    if importlib.util.find_spec("torch") is None:
        return Check("gpu", "missing", "torch is not installed", "run: uv sync")
    import torch

    if torch.cuda.is_available():
        properties = torch.cuda.get_device_properties(0)
        memory_gb = properties.total_memory / (1 << 30)
        return Check("gpu", "ok", f"{properties.name}, {memory_gb:.0f} GiB")
    if torch.backends.mps.is_available():
        return Check("gpu", "ok", "Apple GPU (mps)")
    return Check("gpu", "warn", f"none: {os.cpu_count()} CPU cores are used", "a GPU is faster")


def _disk(folder: Path) -> Check:
    there = next(each for each in (folder, *folder.absolute().parents) if each.exists())
    free_bytes = shutil.disk_usage(there).free
    detail = f"{free_bytes / (1 << 30):.1f} GiB free at {there}"
    if not os.access(there, os.W_OK):
        return Check("disk", "missing", f"{there} is not writable", "choose another --library")
    if free_bytes < _LITTLE_SPACE_BYTES:
        return Check("disk", "warn", detail, "an hour of film takes about 30 MB")
    return Check("disk", "ok", detail)


def _library(folder: Path) -> Check:
    if not (folder / DATABASE_NAME).exists():
        return Check("library", "warn", f"none yet in {folder}", "longshot index PATH makes one")
    try:
        library = Library.open(folder, create=False)
    except LongshotError as error:
        return Check("library", "missing", error.message, error.hint)
    try:
        identity = library.encoder_identity()
        n_films = len(library.videos())
        detail = f"{folder}: {n_films} films, encoder {identity.name if identity else 'none yet'}"
        stale = n_films > 0 and _is_stale(folder, library.store.generation)
    finally:
        library.close()
    if stale:
        return Check(
            "library", "warn", f"{detail}; vectors out of date", "made again when searched"
        )
    return Check("library", "ok", detail)


def _is_stale(folder: Path, generation: int) -> bool:
    try:
        manifest = json.loads((folder / "vectors" / "manifest.json").read_text(encoding="utf-8"))
        return bool(manifest["generation"] != generation)
    except (OSError, ValueError, KeyError, TypeError):
        return True
