"""The command line over a small film of the demo world, with the fakes for models."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import app
from demo.film import render
from demo.script import make_script


@dataclass(frozen=True, slots=True)
class Result:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Longshot = Callable[..., Result]


@pytest.fixture(scope="package")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two films of twenty seconds, one.mp4 and two.mp4."""
    folder = tmp_path_factory.mktemp("films")
    for seed, name in enumerate(("one", "two"), 1):
        render(make_script(seed, 1 / 3), folder / f"{name}.mp4", n_processes=1)
    return folder


@pytest.fixture(scope="package")
def indexed_once(films: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library that holds both films; copied, because making one takes a while."""
    folder = tmp_path_factory.mktemp("library") / "library"
    assert app.run(["index", str(films), "--library", str(folder), "--models", "scripted"]) == 0
    return folder


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Commands see neither the person's environment nor their files."""
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith("LONGSHOT_")]:
        del os.environ[name]
    home = str(tmp_path / "home")
    os.environ.update(HOME=home, XDG_CONFIG_HOME=home, XDG_DATA_HOME=home, HF_HUB_OFFLINE="1")
    os.environ.update(LONGSHOT_LIBRARY=str(tmp_path / "library"), LONGSHOT_MODELS="scripted")
    yield dict(os.environ)
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def longshot(environment: dict[str, str], capsys: pytest.CaptureFixture[str]) -> Longshot:
    """Runs a command line on an empty library."""

    def call(*words: str | Path, models: str = "scripted") -> Result:
        os.environ["LONGSHOT_MODELS"] = models
        capsys.readouterr()
        code = app.run([str(word) for word in words])
        return Result(code, *capsys.readouterr())

    return call


@pytest.fixture
def indexed(longshot: Longshot, indexed_once: Path, tmp_path: Path) -> Longshot:
    """The same on a library that holds both films."""
    shutil.copytree(indexed_once, tmp_path / "library")
    return longshot


@pytest.fixture
def seeing(tmp_path: Path) -> str:
    """The fake VideoLLM that sees the evidence between 5 and 15 s of any film."""
    path = tmp_path / "script.json"
    path.write_text(json.dumps({"evidence": [[5, 15]], "answer": "red", "option_index": 1}))
    return f"scripted:{path}"
