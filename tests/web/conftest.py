"""A served library: in this process for the API, in another one for a browser."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import Browser

import app
from agent.ask import ask
from agent.config import Config, load_config
from agent.models import open_models
from demo.film import render
from demo.script import make_script
from index.build import build
from index.library import Library
from tests.web.browsing import Visit, browser, server, visit
from web.server import build_app
from web.server_desk import Desk, IndexRights

HOME = "http://127.0.0.1:8765"


@pytest.fixture(scope="session", autouse=True)
def no_settings_of_this_machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Neither the person's environment nor their files."""
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith("LONGSHOT_")]:
        del os.environ[name]
    home = str(tmp_path_factory.mktemp("home"))
    os.environ.update(HOME=home, XDG_CONFIG_HOME=home, XDG_DATA_HOME=home, HF_HUB_OFFLINE="1")
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half a minute of the demo world."""
    path = tmp_path_factory.mktemp("films") / "film.mp4"
    render(make_script(1, 0.5), path, n_processes=1)
    return path


@pytest.fixture(scope="session")
def asked_once(film: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library that holds the film and one run, made with the fakes; copied by `library`."""
    folder = tmp_path_factory.mktemp("asked") / "library"
    flags = ["--library", str(folder), "--models", "scripted"]
    assert app.run(["ask", str(film), "what is on the beach?", *flags]) == 0
    return folder


LINE = "The keeper lives in the old lighthouse."


@pytest.fixture(scope="session")
def said(film: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library with one run, answered by a line of its film's subtitles without a look."""
    folder = tmp_path_factory.mktemp("said")
    spoken = Path(shutil.copy(film, folder / "spoken.mp4"))
    spoken.with_suffix(".srt").write_text(f"1\n00:00:12,000 --> 00:00:14,000\n{LINE}\n")
    flags = ["--library", str(folder / "library"), "--models", "scripted"]
    question = "What does the voice say about the lighthouse?"
    assert app.run(["ask", str(spoken), question, *flags]) == 0
    return folder / "library"


@pytest.fixture
def library(asked_once: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(asked_once, tmp_path / "library"))


@pytest.fixture
def config(library: Path) -> Config:
    return load_config({"library": library, "models": "scripted"}, environ={})


@pytest.fixture
def client(config: Config) -> Iterator[TestClient]:
    """The API for this machine alone, that may add films from anywhere."""
    desk = Desk(config, IndexRights(folders=(), anywhere=True))
    server = build_app(desk, names=frozenset(), token=None)
    with TestClient(server, base_url=HOME, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with browser() as opened:
        yield opened


HOSTILE_NAME = "</script><script>alert(1)<script> & “Ünïcode” 電影.mp4"


@pytest.fixture(scope="session")
def demo_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A minute of the demo world, indexed and asked twice with the embedded models."""
    folder = tmp_path_factory.mktemp("demo")
    film = folder / HOSTILE_NAME.replace("/", "∕")
    render(make_script(3, 1), film, n_processes=1)
    models = open_models("demo")
    with contextlib.closing(Library.open(folder / "library")) as library:
        report = build(library, [film], encoder=models.encoder, progress=lambda event: None)
        for question in ("where is the blue fish?", "when does the red cat appear?"):
            ask(library, report.indexed[0], question, models=models)
    return folder / "library"


@pytest.fixture(scope="session")
def demo_server(demo_library: Path) -> Iterator[str]:
    with server(demo_library, models="demo") as address:
        yield address


@pytest.fixture
def visited(chromium: Browser, demo_server: str) -> Iterator[Visit]:
    """A page of the demo library; it must end without a complaint."""
    made = visit(chromium, demo_server)
    yield made
    made.page.close()
    assert made.complaints == []
