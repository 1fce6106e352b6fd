"""A run as the exporters take it: its rows, and its frames as small pictures.

Exporters read nothing but this value, so an export needs neither the film nor a model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import quote

from agent.trace import load_run
from agent.types import Answer
from index.errors import InputError, LibraryError
from index.library import Library
from index.run_rows import CallRow, LookRow, RunRow, StepRow
from index.runs import RunStore
from index.types import Video

FrameUri = Callable[[LookRow, int], str | None]
"""Where the k-th frame of a look can be seen; None: nowhere."""


@dataclass(frozen=True, slots=True)
class Traced:
    """A run with all that was recorded of it."""

    run: RunRow
    steps: tuple[StepRow, ...]
    answer: Answer | None
    pictures: Mapping[tuple[str, int], bytes]
    """JPEGs by look and the frame's position in it."""
    video: Video | None = None
    """The film, where the library still has it."""
    glances: Mapping[float, bytes] = field(default_factory=dict)
    """JPEGs of the survey's small frames, by time in seconds."""

    def look(self, look_id: str) -> LookRow | None:
        return next((k for s in self.steps for k in s.looks if k.look_id == look_id), None)

    def looks_of(self, call: CallRow) -> list[LookRow]:
        """The looks that a call was shown, in its order."""
        found = (self.look(look_id) for look_id in call.look_ids)
        return [look for look in found if look is not None]

    def starts(self) -> list[datetime]:
        """When each step began; where that was not recorded, right after the one before it."""
        now = datetime.fromisoformat(self.run.started_at)
        starts = []
        for step in self.steps:
            now = datetime.fromisoformat(step.started_at) if step.started_at else now
            starts.append(now)
            now += timedelta(seconds=step.usage.get("seconds", 0.0))
        return starts


def load_traced(library: Library, runs: RunStore, run_id: str) -> Traced:
    """A run by its id or the beginning of it.

    Raises:
        InputError: there is no such run, or several begin like it.
    """
    run, steps, answer = load_run(runs, run_id)
    video = library.with_content(run.video_hash)
    return Traced(
        run=run,
        steps=tuple(steps),
        answer=answer,
        pictures=_pictures(runs, steps, run.run_id),
        video=video,
        glances=_glances(library, video, steps),
    )


def _pictures(
    runs: RunStore, steps: Sequence[StepRow], run_id: str
) -> dict[tuple[str, int], bytes]:
    """The stored frames of a run's looks."""
    found = {}
    for look in (look for step in steps for look in step.looks):
        by_time = dict(runs.thumbnails(run_id, look.look_id))
        for k, time_s in enumerate(look.times_s):
            if time_s in by_time:
                found[look.look_id, k] = by_time[time_s]
    return found


def _glances(library: Library, video: Video | None, steps: Sequence[StepRow]) -> dict[float, bytes]:
    """The survey's small frames, which lie in the library's strip; none once that is gone."""
    times = [t for step in steps for t in step.data.get("strip", {}).get("times_s", ())]
    if video is None or not times:
        return {}
    try:
        return dict(zip(times, library.strip_jpegs(video.video_id, times), strict=True))
    except LibraryError:
        return {}


def film_uri(run: RunRow) -> FrameUri:
    """A frame as a moment of the film's own file, by a media fragment."""
    film = Path(run.video_path).absolute().as_uri()
    return lambda look, k: f"{film}#t={look.times_s[k]:.3f}"


def picture_uri(traced: Traced, folder: Path, *, base: Path) -> FrameUri:
    """A frame as its small picture below `folder`, named from `base`."""
    place = quote(folder.relative_to(base).as_posix())

    def uri(look: LookRow, k: int) -> str | None:
        if (look.look_id, k) not in traced.pictures:
            return None
        return f"{place}/{picture_name(look.look_id, k)}"

    return uri


def picture_name(look_id: str, k: int) -> str:
    return f"look-{look_id}-{k:02}.jpg"


def write_pictures(traced: Traced, folder: Path) -> None:
    """Write every stored frame of the run as a file.

    Raises:
        InputError: the folder cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for (look_id, k), jpeg in traced.pictures.items():
            (folder / picture_name(look_id, k)).write_bytes(jpeg)
    except OSError as error:
        raise InputError(
            f"cannot write to {folder}: {error.strerror}", "choose another -o"
        ) from error
