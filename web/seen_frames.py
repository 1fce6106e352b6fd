"""The frames of a look as the model saw them: decoded again, or those that the run kept.

A look's frames are decoded from the film at their own times and at the size of the look; while the
film is there this gives the very pixels that the model was shown. Without it the small pictures
that the run keeps of some frames are all that is left.
"""

from __future__ import annotations

import contextlib
import io
import threading
from collections import OrderedDict

from PIL import Image

from index.library import Library
from index.run_rows import LookRow
from index.types import Pixels, Video

_MOST_LOOKS = 96
_FASTEST = 1
# A film's time is stored as a float and comes back through JSON: the same frame either way.
_SAME_S = 0.005


class SeenFrames:
    """Pictures of looks; the last ones are kept. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[object, ...], list[bytes]] = OrderedDict()

    def pictures(self, library: Library, video: Video, look: LookRow) -> list[bytes]:
        """PNGs of a look's frames, in order.

        Raises:
            MediaError: the film is gone or unreadable.
        """
        key = (video.content_hash, look.times_s, look.width_px, look.height_px)
        # Under one lock: a browser asks for all frames of a look at once, and one pass gives all.
        with self._lock:
            if key not in self._kept:
                self._kept[key] = _decode(library, video, look)
            self._kept.move_to_end(key)
            while len(self._kept) > _MOST_LOOKS:
                self._kept.popitem(last=False)
            return self._kept[key]


def stored_picture(look: LookRow, index: int, kept: list[tuple[float, bytes]]) -> bytes | None:
    """The small JPEG that the run kept of a frame; None where it kept none."""
    wanted_s = look.times_s[index]
    return next((jpeg for time_s, jpeg in kept if abs(time_s - wanted_s) <= _SAME_S), None)


def _decode(library: Library, video: Video, look: LookRow) -> list[bytes]:
    with contextlib.closing(library.reader(video)) as reader:
        frames = reader.frames_at(look.times_s, width_px=look.width_px, height_px=look.height_px)
    return [_png(frame.pixels) for frame in frames]


def _png(pixels: Pixels) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=_FASTEST)
    return buffer.getvalue()
