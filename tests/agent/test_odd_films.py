"""Films of any sort: still, of one shot, shorter than a clip, of a single frame."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import av
import numpy as np
import pytest

from agent.ask import ask
from agent.backends.scripted import knowing
from agent.settings import AskSettings, LookSettings
from index.build import build
from index.encoder_hash import HashEncoder
from index.library import Library
from index.types import Span
from tests.agent.conftest import models_with

SETTINGS = AskSettings(look=LookSettings(short_side_px=32, high_short_side_px=64))
QUESTIONS = (
    "Where is the red wall?",
    "When does the red wall appear?",
    "How many times does the red wall appear at the end?",
    "What comes right after the red wall?",
)


def write(path: Path, *, n_frames: int, moving: bool) -> None:
    """Eight frames a second: a grey wall, over which a red square may move."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=8, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
        for number in range(n_frames):
            pixels = np.full((96, 160, 3), 120, np.uint8)
            if moving:
                left = number % 140
                pixels[30:60, left : left + 20] = (255, 0, 0)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))


@pytest.mark.parametrize(
    ("name", "n_frames", "moving"),
    [("still", 160, False), ("oneshot", 480, True), ("tiny", 4, True), ("frame", 1, False)],
)
def test_every_question_of_a_film_of_any_sort_ends_with_a_status_inside_its_budget(
    tmp_path: Path, name: str, n_frames: int, moving: bool
) -> None:
    film = tmp_path / f"{name}.mp4"
    write(film, n_frames=n_frames, moving=moving)
    with closing(Library.open(tmp_path / "library", create=True)) as library:
        encoder = HashEncoder()
        report = build(library, [film], encoder=encoder, progress=lambda event: None)
        assert not report.failures
        (video,) = library.videos()
        half_s = video.facts.duration_s / 2
        for seen in ([], [Span(0, half_s)]):
            models = models_with(knowing(seen))
            for question in QUESTIONS:
                found = ask(library, video, question, models=models, settings=SETTINGS)
                assert found.status in ("answered", "not_found", "out_of_budget")
                assert found.usage["looks"] <= SETTINGS.budget.looks
                for citation in found.citations:
                    assert 0 <= citation.span.start_s < citation.span.end_s
                    assert citation.span.end_s <= video.facts.duration_s + 0.05
                if not seen:
                    assert found.status != "answered"
