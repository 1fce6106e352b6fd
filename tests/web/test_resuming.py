"""The command `resume`: what is known of a run comes before its models."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

import app
from agent.backends.endpoint import EndpointVideoLLM
from agent.endpoint_settings import EndpointSettings
from index.runs import RunStore

Resume = Callable[..., tuple[int, str, str]]
URL = "http://127.0.0.1:9/v1"
"""Nothing listens there."""


@pytest.fixture
def run_id(library: Path) -> str:
    with closing(RunStore.open(library)) as runs:
        return runs.runs()[0].run_id


@pytest.fixture
def resume(library: Path, run_id: str, capsys: pytest.CaptureFixture[str]) -> Resume:
    """Goes on with the library's run; gives exit code, output and errors."""

    def call(*flags: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = app.run(["resume", run_id, *flags, "--library", str(library)])
        return (code, *capsys.readouterr())

    return call


def stopped(library: Path, **models: str) -> None:
    """Makes the run one that was stopped right before its end, begun with these models."""
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    with closing(sqlite3.connect(library / "library.db")) as database, database:
        database.execute(
            "update runs set status = 'running', answer = '{}', process_id = ?,"
            " models = json_patch(models, ?)",
            [gone.pid, json.dumps(models)],
        )


def test_a_run_that_has_ended_gives_its_answer_without_a_model(resume: Resume) -> None:
    code, out, errors = resume("--models", "/no/model", "--encoder", "no-encoder")
    assert (code, errors) == (0, "")
    assert "\nAnswer: " in out


def test_a_run_goes_on_with_the_models_that_began_it(library: Path, resume: Resume) -> None:
    """Its own name is enough, whatever the settings say."""
    (library / "longshot.toml").write_text(f'models = "/no/model"\nbase_url = "{URL}"\n')
    served = EndpointVideoLLM("m", EndpointSettings(base_url=URL))
    names = {"videollm": served.name, "videollm_weights": served.weights_hash}
    stopped(library, **names)
    code, out, errors = resume("--encoder", "hash", "--json")
    assert (code, errors) == (0, "")
    assert json.loads(out)["models"]["encoder"]
    with closing(RunStore.open(library)) as runs:
        assert runs.runs()[0].status != "running"


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        (("--models", "/no/model"), "openai:m at 127.0.0.1:9, not with /no/model"),
        ((), "openai:m at 127.0.0.1:9, not with openai:m at no address"),
        (("--base-url", "http://other/v1"), "openai:m at 127.0.0.1:9, not with openai:m at other"),
        (
            ("--models", "openai:m,answer=openai:big", "--base-url", URL),
            "no model of its own for answer, not with openai:big at 127.0.0.1:9",
        ),
    ],
)
def test_other_models_are_refused_before_one_is_opened(
    library: Path, resume: Resume, flags: tuple[str, ...], complaint: str
) -> None:
    stopped(library, videollm="openai:m at 127.0.0.1:9")
    # An encoder that is not there: nothing may come to opening it.
    code, out, errors = resume("--encoder", "no-encoder", *flags)
    assert (code, out) == (1, "")
    assert errors.startswith(f"error: the run was begun with {complaint} (leave --models out")
