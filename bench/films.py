"""Small films that carry their own truth: every frame shows its number as black and white blocks.

Rendered with PyAV, so that neither tests nor measurements need an ffmpeg program or foreign files.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from index.types import Pixels

WIDTH_PX, HEIGHT_PX = 320, 192
_TIME_BASE = 90_000
_N_BITS = 14
_BIT_PX = 20
_MARK_PX = 24


@dataclass(frozen=True, slots=True)
class Film:
    """A rendered film and when each of its frames is shown."""

    path: Path
    times_s: tuple[float, ...]
    """Player's timeline, in order of the frame numbers."""

    def number_at(self, time_s: float) -> int:
        """The number of the frame that is on screen then."""
        return max(0, int(np.searchsorted(self.times_s, time_s + 1e-6, side="right")) - 1)


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a film is encoded."""

    name: str
    fps: int = 25
    codec: str = "libx264"
    options: dict[str, str] = field(default_factory=dict)
    start_s: float = 0.0
    gaps_s: Sequence[float] = ()
    """Lengths of the frames, over and over; empty for a constant rate."""

    @property
    def ticks(self) -> int:
        """Of a second; AVI and MPEG-4 count whole frames."""
        return self.fps if self.name.endswith(".avi") else _TIME_BASE


def number_picture(number: int, *, colour: tuple[int, int, int] = (90, 90, 90)) -> Pixels:
    """A picture of a number: blocks for its bits, and a red mark at the bottom left."""
    pixels = np.full((HEIGHT_PX, WIDTH_PX, 3), colour, np.uint8)
    for bit in range(_N_BITS):
        left = 16 + bit * _BIT_PX
        pixels[16:48, left : left + _BIT_PX - 2] = 255 if number >> bit & 1 else 0
    pixels[-_MARK_PX:, :_MARK_PX] = (255, 0, 0)
    return pixels


def read_number(pixels: Pixels) -> int:
    """The number that an upright picture of any size shows."""
    height_px, width_px = pixels.shape[:2]
    number = 0
    row = round(32 * height_px / HEIGHT_PX)
    for bit in range(_N_BITS):
        column = round((16 + (bit + 0.45) * _BIT_PX) * width_px / WIDTH_PX)
        number |= int(pixels[row - 1 : row + 2, column - 1 : column + 2].mean() > 128) << bit
    return number


def is_upright(pixels: Pixels) -> bool:
    """Whether the red mark is at the bottom left."""
    corner = pixels[-4:, :4].reshape(-1, 3).mean(axis=0)
    return bool(corner[0] > 150 and corner[1] < 90)


def render(
    folder: Path,
    recipe: Recipe,
    *,
    n_frames: int,
    picture: Callable[[int], Pixels] = number_picture,
) -> Film:
    """Write a film; `picture` draws the frame of a number."""
    times_s = _times(recipe, n_frames)
    path = folder / recipe.name
    options = {"preset": "ultrafast", "crf": "20"} if recipe.codec == "libx264" else {}
    with av.open(str(path), "w") as container:
        stream = container.add_stream(
            recipe.codec, rate=recipe.fps, options=options | recipe.options
        )
        stream.width, stream.height, stream.pix_fmt = WIDTH_PX, HEIGHT_PX, "yuv420p"
        stream.codec_context.time_base = Fraction(1, recipe.ticks)
        for number, time_s in enumerate(times_s):
            frame = av.VideoFrame.from_ndarray(picture(number), format="rgb24")
            frame.pts = round((recipe.start_s + time_s) * recipe.ticks)
            frame.time_base = Fraction(1, recipe.ticks)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return Film(path, tuple(times_s))


def _times(recipe: Recipe, n_frames: int) -> list[float]:
    if not recipe.gaps_s:
        return [number / recipe.fps for number in range(n_frames)]
    gaps = [recipe.gaps_s[number % len(recipe.gaps_s)] for number in range(n_frames)]
    return [0.0, *np.cumsum(gaps)[:-1].tolist()]


def turn(film: Film, to: Path, *, quarter_turns: int) -> Film:
    """The same mp4 with a display matrix that turns it counter-clockwise by quarter turns.

    PyAV cannot write a display matrix, so the track header's identity matrix is replaced.
    """
    one, minus = (1 << 16).to_bytes(4, "big"), (-(1 << 16)).to_bytes(4, "big", signed=True)
    nil, last = bytes(4), (1 << 30).to_bytes(4, "big")
    identity = one + nil * 3 + one + nil * 3 + last
    turned = {
        1: nil + minus + nil + one + nil * 4 + last,
        2: minus + nil * 3 + minus + nil * 3 + last,
        3: nil + one + nil + minus + nil * 4 + last,
    }[quarter_turns]
    data = film.path.read_bytes()
    track = data.index(b"tkhd")
    at = data.index(identity, track)
    to.write_bytes(data[:at] + turned + data[at + len(turned) :])
    return Film(to, film.times_s)


LONG_GROUPS = {"g": "250", "keyint_min": "250", "sc_threshold": "0", "bf": "3", "b_adapt": "0"}
PLAIN = {"g": "50", "bf": "0"}
RECIPES = (
    Recipe("constant.mp4", options=PLAIN),
    Recipe("bframes.mp4", options=LONG_GROUPS),
    Recipe("variable.mp4", options={"bf": "2"}, gaps_s=(1 / 60, 1 / 30, 1 / 15, 2 / 15)),
    Recipe("offset.mp4", options={"bf": "2"}, start_s=2.0),
    Recipe("offset.mkv", options={"bf": "2"}, start_s=2.0),
    Recipe("bframes.ts", options=LONG_GROUPS, start_s=2.0),
)
AVI_RECIPES = (
    Recipe("h264.avi", options={"bf": "2", "g": "24"}),
    Recipe("open.avi", options={"bf": "2", "g": "24", "x264-params": "open-gop=1"}),
    Recipe("mpeg4.avi", codec="mpeg4", options={"bf": "2", "g": "24"}),
    Recipe("plain.avi", options=PLAIN),
)
