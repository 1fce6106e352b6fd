"""A small film of plain colours, and a library of it made without the indexer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from agent.ask import ignore_step
from agent.backends.scripted import ScriptedVideoLLM
from agent.confidence import Stage
from agent.models import ModelChoice, Models
from agent.settings import AskSettings, BudgetSettings, LookSettings
from agent.state import FindingState, LookState, State, initial_state
from agent.types import Question
from agent.videollm import Capabilities
from agent.workspace import Film, Workspace
from index.encoder import EncoderIdentity
from index.encoder_hash import HashEncoder
from index.errors import LibraryError
from index.film_rows import ClipVectors, Timeline
from index.media import VideoReader, open_video
from index.run_rows import RunRow
from index.runs import RunStore
from index.types import Frame, Shot, Span, Video
from index.words import WordLine
from tools.look import FrameCache

SHOT_S = 10.0
COLOURS = {
    "grey": (128, 128, 128),
    "black": (0, 0, 0),
    "white": (255, 255, 255),
    "red": (255, 0, 0),
    "blue": (0, 0, 255),
    "green": (0, 255, 0),
}
_HALF = ("grey", "black", "white")
FILM = (*_HALF, *_HALF, "red", *_HALF, "grey", "blue", "black", "white", "grey", "red", "black")
"""One colour for each ten-second shot; red is at 60-70 s and at 150-160 s, blue at 110-120 s."""


class NoWords:
    """What is said in the film: nothing."""

    def lines(self, video_id: int) -> list[WordLine]:
        return []


@dataclass(slots=True)
class PlainLibrary:
    """What asking needs of a library, over one film, without the indexer."""

    folder: Path
    video: Video
    encoder: HashEncoder = field(default_factory=HashEncoder)

    @property
    def words(self) -> NoWords:
        return NoWords()

    def videos(self) -> list[Video]:
        return [self.video]

    def timeline(self, video_id: int) -> Timeline:
        times = np.arange(int(self.video.facts.duration_s)) + 0.5
        vectors = self.encoder.encode_frames(np.stack([f.pixels for f in self._frames(times)]))
        return Timeline(times, vectors, np.full(len(times), 0.02, np.float32))

    def clips(self, video_id: int) -> ClipVectors:
        rows = self.timeline(video_id)
        shots = self.shots(video_id)
        middles = [int(s.span.middle_s) for s in shots]
        return ClipVectors(tuple(s.span for s in shots), rows.vectors[middles])

    def shots(self, video_id: int) -> list[Shot]:
        n = int(self.video.facts.duration_s / SHOT_S)
        return [Shot(i, Span(i * SHOT_S, (i + 1) * SHOT_S)) for i in range(n)]

    def strip(self, video_id: int, times_s: Sequence[float]) -> list[Frame]:
        return self._frames(times_s)

    def reader(self, video: Video) -> VideoReader:
        return open_video(video.path)

    def check_encoder(self, identity: EncoderIdentity) -> None:
        if identity != self.encoder.identity:
            raise LibraryError("the film was indexed with another encoder", "index it again")

    def _frames(self, times_s: Sequence[float]) -> list[Frame]:
        return [Frame(float(t), plain_frame(FILM[int(t // SHOT_S)])) for t in times_s]


def plain_frame(colour: str) -> NDArray[np.uint8]:
    return np.full((96, 160, 3), COLOURS[colour], np.uint8)


def write_film(path: Path) -> None:
    """Two frames a second of plain colours, H.264."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=2, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
        for colour in FILM:
            for _ in range(int(SHOT_S * 2)):
                frame = av.VideoFrame.from_ndarray(plain_frame(colour), format="rgb24")
                container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


@pytest.fixture(scope="session")
def film_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "colours.mp4"
    write_film(path)
    return path


@pytest.fixture
def library(tmp_path: Path, film_path: Path) -> PlainLibrary:
    reader = open_video(film_path)
    video = Video(video_id=1, content_hash="c0ffee", path=film_path, facts=reader.facts)
    reader.close()
    return PlainLibrary(tmp_path, video)


@pytest.fixture
def settings() -> AskSettings:
    return AskSettings(
        budget=BudgetSettings(visual_tokens=6_000, looks=22, calls=80, seconds=60),
        look=LookSettings(short_side_px=32, high_short_side_px=64),
    )


def models_with(videollm: ScriptedVideoLLM) -> Models:
    """The fake VideoLLM beside the fake encoder."""
    choice = ModelChoice(asked="scripted", encoder="hash", videollm="scripted", why="a test")
    return Models(choice=choice, encoder=HashEncoder(), videollm=videollm)


WorkspaceMaker = Callable[..., tuple[Workspace, State]]


@pytest.fixture
def workspace(library: PlainLibrary, settings: AskSettings) -> WorkspaceMaker:
    """Makes a workspace and the state a node starts from, for tests of single nodes."""

    def make(
        videollm: ScriptedVideoLLM, question: str, *, options: tuple[str, ...] = (), **state: object
    ) -> tuple[Workspace, State]:
        runs = RunStore.open(library.folder)
        runs.start(RunRow("r1", 1, "c0ffee", "", question, options, {}, {}, "k", "2026-01-01", 1))
        ws = Workspace(
            run_id="r1",
            question=Question(question, options),
            film=Film(
                library.video,
                library.timeline(1),
                library.clips(1),
                tuple(library.shots(1)),
                lambda times_s: library.strip(1, times_s),
            ),
            frames=FrameCache(open_video(library.video.path)),
            encoder=HashEncoder(),
            videollm=videollm,
            settings=settings,
            runs=runs,
            on_step=ignore_step,
        )
        full: State = {**initial_state(), "question": question, **state}  # type: ignore[typeddict-item]
        return ws, full

    return make


def fit_the_search(ws: Workspace, stage: Stage = "search", **fit: float) -> None:
    """Keeps a fit of whole searches."""
    row = {
        "model_hash": ws.videollm.weights_hash,
        "prompt_hash": ws.prompts_hash(stage),
        "stage": stage,
        "n_with": 10,
        "n_without": 10,
        "source": "a test",
        "fitted_at": "2026-01-01",
    }
    ws.runs.store_fit({**row, "fit": fit})


class OneSize(ScriptedVideoLLM):
    """A fake whose frames all have one size."""

    @property
    def capabilities(self) -> Capabilities:
        return replace(super().capabilities, adaptive_size=False)


def looked(start_s: float, end_s: float, look_id: str = "1.0", *, n_frames: int = 4) -> LookState:
    """A look of the search."""
    return {
        "look_id": look_id,
        "start_s": start_s,
        "end_s": end_s,
        "n_frames": n_frames,
        "width_px": 64,
        "height_px": 32,
        "tokens": 6 * n_frames,
        "source": "belief",
    }


def found(
    start_s: float,
    end_s: float,
    *,
    p_yes: float,
    log_ratio: float,
    verified: bool = False,
    finding_id: str = "2.0",
) -> FindingState:
    """What look 1.0 showed; its confidence is P(yes)."""
    return {
        "finding_id": finding_id,
        "look_id": "1.0",
        "start_s": start_s,
        "end_s": end_s,
        "p_yes": p_yes,
        "confidence": p_yes,
        "log_ratio": log_ratio,
        "verified": verified,
    }
