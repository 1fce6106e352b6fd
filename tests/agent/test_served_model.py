"""A real server on loopback: `transformers serve` with the embedded model."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.ask import ask
from agent.backends import endpoint
from agent.backends.endpoint import EndpointVideoLLM
from agent.endpoint_settings import EndpointSettings
from agent.models import DEMO_FOLDER, ModelChoice, Models
from agent.settings import AskSettings
from index.encoder_hash import HashEncoder
from index.errors import ModelError
from index.runs import RunStore
from prompts.render import render
from tests.agent.backends.conftest import noise
from tests.agent.conftest import PlainLibrary

pytestmark = pytest.mark.slow
MODEL = str(DEMO_FOLDER / "vlm")
CLIP = noise((10.0, 11.0, 12.0), width_px=96, height_px=64)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = tmp_path_factory.mktemp("serve")
    program = Path(sys.executable).with_name("transformers")
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HUB_CACHE": str(folder)}
    with (folder / "log").open("wb") as log:
        words = [program, "serve", MODEL, "--device", "cpu", "--host", "127.0.0.1"]
        with subprocess.Popen(
            [*words, "--port", str(port)], env=environment, stdout=log, stderr=log
        ) as server:
            try:
                _wait(f"http://127.0.0.1:{port}/v1/models", server)
                yield f"http://127.0.0.1:{port}/v1"
            finally:
                server.terminate()


def _wait(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline:
        assert server.poll() is None, "the server has ended"
        try:
            urllib.request.urlopen(url, timeout=5)
        except OSError:
            time.sleep(0.5)
        else:
            return
    raise AssertionError("the server did not start")


@pytest.fixture
def served(address: str) -> EndpointVideoLLM:
    return EndpointVideoLLM(MODEL, EndpointSettings(base_url=address, retries=1))


def test_pictures_are_read_and_their_tokens_counted_by_the_server(served: EndpointVideoLLM) -> None:
    estimate = served.clip_tokens(n_frames=3, width_px=96, height_px=64)
    with_clip = served.reply(render("caption", n_clips=1), [CLIP], max_tokens=8)
    without = served.reply(render("caption", n_clips=0), [], max_tokens=8)
    assert with_clip.text
    # The model's grid is of 32 px: 3 by 2 for a frame.
    assert with_clip.usage.visual_tokens >= 3 * 6
    assert 3 * 6 < with_clip.usage.input_tokens - without.usage.input_tokens <= estimate
    assert 0 < with_clip.usage.output_tokens <= 8


def test_a_judgement_says_where_its_probability_comes_from(served: EndpointVideoLLM) -> None:
    judged = served.judge(render("reflect", n_clips=1, question="when is it red?"), [CLIP])
    notes = (endpoint.BY_LOGPROBS, endpoint.BY_WORDS, endpoint.BY_YES_OR_NO, endpoint.UNREADABLE)
    assert judged.note in notes
    assert 0 <= judged.p_yes <= 1


def test_the_same_call_gives_the_same_reply(served: EndpointVideoLLM) -> None:
    prompt = render("caption", n_clips=1)
    first, second = (served.reply(prompt, [CLIP], max_tokens=8).text for _ in range(2))
    assert first == second


def test_a_whole_question_is_answered_through_the_server(
    served: EndpointVideoLLM, library: PlainLibrary, settings: AskSettings
) -> None:
    choice = ModelChoice("openai:demo", "hash", "openai:demo", "by name")
    models = Models(choice, HashEncoder(), served)
    answer = ask(library, library.video, "What is red?", models=models, settings=settings)
    assert answer.models["videollm"] == served.name
    assert answer.usage["input_tokens"] > answer.usage["visual_tokens"] > 0
    store = RunStore.open(library.folder)
    calls = [call for step in store.steps(answer.run_id) for call in step.calls]
    store.close()
    assert {call.model for call in calls} == {served.name}
    assert all(call.note for call in calls if call.prompt_name == "reflect")


def test_a_model_that_the_server_cannot_load_is_one_line(address: str) -> None:
    other = EndpointVideoLLM("no/such-model", EndpointSettings(base_url=address, retries=0))
    with pytest.raises(ModelError) as caught:
        other.reply(render("caption", n_clips=0), [])
    assert "\n" not in str(caught.value)
