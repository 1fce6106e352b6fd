"""Reading with decord, in a child process that can be killed.

decord loops for ever on some files and holds the interpreter while it does; no timeout inside the
process can stop it. It also ignores start offsets and edit lists. So it is used only for files
that the frame table shows to be plain, its own times are compared with the table before the first
frame is believed, and every call has a deadline.
"""

from __future__ import annotations

import contextlib
import importlib.util
import math
import multiprocessing
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from index.decord_child import serve
from index.errors import MediaError
from index.frame_table import FrameTable
from index.media import GLIMPSE_HEIGHT_PX, GLIMPSE_WIDTH_PX, Glimpse, Sample
from index.media_pyav import PyavReader
from index.types import Frame, Pixels, VideoFacts

_OPEN_WITHIN_S = 30.0
_READ_WITHIN_S = 60.0
_SAME_TIME_S = 1.5e-3
_CONTAINERS = ("mp4", "matroska")
_CODECS = ("h264", "mpeg4", "vp8", "vp9")
_N_AT_ONCE = 64


class DecordReader:
    """A video opened with decord. Facts and times come from the frame table."""

    facts: VideoFacts
    table: FrameTable

    def __init__(self, path: Path, *, table: FrameTable | None = None) -> None:
        self._path = path
        if importlib.util.find_spec("decord") is None:
            raise MediaError(
                "decord is not installed on this machine", 'write backend = "auto" in the settings'
            )
        # PyAV checks times and names what is odd; its decoder is not used after that.
        self._plain = PyavReader(path, table=table)
        self.facts, self.table = self._plain.facts, self._plain.table
        self._child: _Child | None = None
        try:
            reason = why_unfit(self._plain)
            if reason:
                raise MediaError(f"decord would read {path} wrongly: {reason}", "use auto or pyav")
            self._child = _Child(path)
            self._check_times(self._child.ask("times", within_s=_OPEN_WITHIN_S))
        except BaseException:
            self.close()
            raise

    def frames_at(self, times_s: Sequence[float], *, width_px: int, height_px: int) -> list[Frame]:
        indices = [self.table.index_at(self._plain.inside(time_s)) for time_s in times_s]
        wanted = sorted(set(indices))
        found = {
            index: Frame(float(self.table.times_s[index]), pixels)
            for index, pixels in self._pictures(wanted, width_px=width_px, height_px=height_px)
        }
        return [found[index] for index in indices]

    def sample(
        self, *, every_s: float, width_px: int, height_px: int, start_s: float = 0.0
    ) -> Iterator[Frame]:
        for seen in self.scan(
            every_s=every_s,
            glimpse_every_s=math.inf,
            width_px=width_px,
            height_px=height_px,
            start_s=start_s,
        ):
            if isinstance(seen, Sample):
                yield seen.frame

    def scan(
        self,
        *,
        every_s: float,
        glimpse_every_s: float,
        width_px: int,
        height_px: int,
        start_s: float = 0.0,
    ) -> Iterator[Sample | Glimpse]:
        n_times = max(1, math.ceil((self.table.end_s - start_s) / every_s - 1e-6))
        grid: dict[int, list[float]] = {}
        for position in range(n_times):
            at_s = start_s + every_s * position
            grid.setdefault(self.table.index_at(at_s), []).append(at_s)
        glimpsed = self._glimpsed(every_s=glimpse_every_s, start_s=start_s)
        wanted = sorted({*grid, *glimpsed})
        for index, pixels in self._pictures(wanted, width_px=width_px, height_px=height_px):
            time_s = float(self.table.times_s[index])
            if index in glimpsed:
                yield Glimpse(time_s, _shrink(pixels))
            for at_s in grid.get(index, ()):
                yield Sample(at_s, Frame(time_s, pixels))

    def close(self) -> None:
        if self._child is not None:
            self._child.kill()
        self._plain.close()

    def _glimpsed(self, *, every_s: float, start_s: float) -> set[int]:
        """Positions of the first frame of each stretch of `every_s`."""
        if not math.isfinite(every_s):
            return set()
        cells = np.floor(self.table.times_s / every_s + 1e-6)
        first = np.flatnonzero(np.diff(cells, prepend=-1) > 0)
        kept = first[self.table.times_s[first] >= start_s]
        return {int(index) for index in kept}

    def _pictures(
        self, indices: Sequence[int], *, width_px: int, height_px: int
    ) -> Iterator[tuple[int, Pixels]]:
        assert self._child is not None
        for begin in range(0, len(indices), _N_AT_ONCE):
            some = list(indices[begin : begin + _N_AT_ONCE])
            pictures = self._child.ask("frames", some, within_s=_READ_WITHIN_S)
            for index, pixels in zip(some, pictures, strict=True):
                yield index, _resize(pixels, width_px, height_px)

    def _check_times(self, times_s: Any) -> None:
        """decord's own times must be the table's; where they differ it would show other frames."""
        if len(times_s) != len(self.table.times_s):
            counts = f"{len(times_s)} frames where the file has {len(self.table.times_s)}"
            raise MediaError(f"decord would read {self._path} wrongly: it counts {counts}")
        worst_s = float(np.abs(np.asarray(times_s) - self.table.times_s).max())
        if worst_s > _SAME_TIME_S:
            raise MediaError(
                f"decord would read {self._path} wrongly: its times are off by {worst_s:.3f} s",
                "use auto or pyav",
            )


def why_unfit(reader: PyavReader) -> str:
    """Why decord would not read this file right; empty where nothing speaks against it."""
    table, facts = reader.table, reader.facts
    if not any(name in reader.format for name in _CONTAINERS):
        return f"it is a {reader.format} file"
    if facts.codec not in _CODECS:
        return f"its codec is {facts.codec}"
    if abs(table.clock.start_s) > _SAME_TIME_S or table.times_s[0] > _SAME_TIME_S:
        return "it does not start at zero"
    if table.hides_preroll:
        return "an edit list hides some frames"
    spoiled = [note for note in facts.notes if note.startswith(("truncated", "damaged"))]
    return spoiled[0] if spoiled else ""


class _Child:
    """The process in which decord runs, and a question-and-answer pipe to it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        # A fresh process: a fork would copy locks that decoding threads of this one hold.
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(str(path), theirs), daemon=True)
        self._process.start()
        theirs.close()

    def ask(self, *question: object, within_s: float) -> Any:
        """The child's answer.

        Raises:
            MediaError: decord failed, died, or gave no answer in time and was killed.
        """
        try:
            self._pipe.send(question)
            if not self._pipe.poll(within_s):
                self.kill()
                raise MediaError(
                    f"decord gave no answer on {self._path} within {within_s:.0f} s",
                    "use auto or pyav",
                )
            answer = self._pipe.recv()
        except (EOFError, OSError) as error:
            self.kill()
            raise MediaError(f"decord died on {self._path}", "use auto or pyav") from error
        if isinstance(answer, str):
            raise MediaError(f"decord cannot read {self._path}: {answer}", "use auto or pyav")
        return answer

    def kill(self) -> None:
        with contextlib.suppress(ValueError):
            self._process.kill()
            self._process.join()
            self._process.close()
        self._pipe.close()


def _resize(pixels: Pixels, width_px: int, height_px: int) -> Pixels:
    if pixels.shape[:2] == (height_px, width_px):
        return pixels
    picture = Image.fromarray(pixels).resize((width_px, height_px), Image.Resampling.BILINEAR)
    return np.asarray(picture)


def _shrink(pixels: Pixels) -> Pixels:
    size = (GLIMPSE_WIDTH_PX, GLIMPSE_HEIGHT_PX)
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BOX))
