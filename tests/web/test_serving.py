"""The command `serve`: addresses, tokens, ports."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

import app
from agent.config import load_config
from web.server_desk import Desk, IndexRights
from web.server_listen import address

ROOT = Path(__file__).resolve().parent.parent.parent


def test_a_port_in_use_is_an_error_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        code = app.run(["serve", "--port", port, "--library", str(tmp_path / "library")])
    out, err = capsys.readouterr()
    assert (code, out) == (1, "")
    assert err.startswith(f"error: cannot listen on 127.0.0.1:{port}: ")
    assert err.count("\n") == 1


def test_a_folder_that_is_not_there_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = str(tmp_path / "missing")
    assert app.run(["serve", "--films", missing, "--library", str(tmp_path / "library")]) == 2
    assert f"--films: {missing} is not a folder" in capsys.readouterr().err


def test_the_printed_address_can_be_opened() -> None:
    assert address("127.0.0.1", 8765, None) == "http://127.0.0.1:8765/"
    assert address("::1", 80, None) == "http://[::1]:80/"
    assert address("nas", 1, "a b&c") == "http://nas:1/?token=a%20b%26c"
    assert address("0.0.0.0", 1, None) == f"http://{socket.gethostname()}:1/"


def test_an_address_for_others_gets_a_token_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import app; app.main()", "serve", "--host", "0.0.0.0"]
    with subprocess.Popen(
        [*command, "--port", "0", "--library", str(tmp_path / "library")],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout is not None
        line = server.stdout.readline()
        token = line.partition("?token=")[2].split()[0]
        assert len(token) >= 32
        server.terminate()
        server.wait(30)


def test_the_models_may_be_those_of_another_server(tmp_path: Path) -> None:
    """Opening asks nothing of it: its address is enough."""
    flags = {"models": "openai:m", "encoder": "hash", "base_url": "http://127.0.0.1:9/v1"}
    config = load_config({"library": tmp_path, **flags}, environ={}, config_folder=tmp_path)
    desk = Desk(config, IndexRights(folders=(), anywhere=True))
    try:
        assert desk.models().videollm.name == "openai:m at 127.0.0.1:9"
    finally:
        desk.close()


def test_a_token_in_the_environment_is_no_setting(tmp_path: Path) -> None:
    environ = {"LONGSHOT_TOKEN": "secret", "LONGSHOT_LIBRARY": str(tmp_path)}
    assert load_config({}, environ=environ, config_folder=tmp_path).library == tmp_path
