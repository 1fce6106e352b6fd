"""Asking from the command line when the machine does not play along."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import app
from index.library import Library
from tests.web.browsing import ROOT

_FULL = """
import resource, signal, sys, app
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), -1))
sys.exit(app.run(sys.argv[2:]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no limit on file sizes")
def test_a_full_disk_is_one_line_and_the_question_goes_on_later(
    library: Path, film: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["ask", str(film), "what is on the moon?", "--library", str(library)]
    words += ["--models", "scripted"]
    done = subprocess.run(
        [sys.executable, "-c", _FULL, "150000", *words], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 1, done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"error: the disk is full: nothing more can be written to {library}")
    assert "Traceback" not in done.stderr
    assert app.run(words) == 0
    assert "\ncontinues  run " in f"\n{capsys.readouterr().out}"
    assert app.run([*words, "--budget", "looks=9"]) == 0
    assert "continues" not in capsys.readouterr().out


@pytest.mark.parametrize("words", [("ask", "When is it red?"), ("search", "a red car")])
def test_an_empty_library_is_told_before_a_model_is_opened(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, str]
) -> None:
    Library.open(tmp_path).close()
    flags = ["--library", str(tmp_path), "--models", "/no/model", "--encoder", "no-encoder"]
    assert app.run([*words, *flags]) == 1
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith("error: the library is empty (index films first")


@pytest.mark.parametrize("name", ["nofilm.mp4", "no/film"])
def test_a_mistyped_path_is_told_as_one_and_leaves_no_library(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    flags = ["--library", str(tmp_path / "new"), "--models", "scripted"]
    assert app.run(["ask", name, "What is red?", *flags]) == 1
    line = f"error: there is no file {name}, and no film of that name in the library"
    assert capsys.readouterr().err == f"{line} (check the path)\n"
    assert not (tmp_path / "new").exists()


def test_a_mistyped_name_of_a_film_of_the_library_is_helped(
    library: Path, film: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["ask", f"{film.stem}m.mp4", "What is red?", "--library", str(library)]
    assert app.run(words) == 1
    assert f"(check the path; did you mean {film.name}?)" in capsys.readouterr().err
