"""A film's sound between two times, sample by sample, with silence where it has none.

Samples are placed by their own presentation times, so that sound which begins late, has holes or
was cut stays in step with the picture.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from index.frame_table import decoded
from index.media_pyav import open_container

Samples = NDArray[np.float32]
"""(channels, N), -1..1."""

_GAP_S = 0.05
"""Times in milliseconds jitter: only a jump beyond this is a hole or an overlap."""
_LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1"}
_RATES_HZ = (48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 96_000, 88_200)
_SEEK_BACK_S = (1.0, 10.0, 60.0)
_BLOCK = 4096


@dataclass(frozen=True, slots=True)
class SoundShape:
    """Rate and channels that are written."""

    rate_hz: int
    n_channels: int

    @property
    def layout(self) -> str:
        return _LAYOUTS[self.n_channels]


def shape_for(rate_hz: int, n_channels: int) -> SoundShape:
    """The nearest that AAC takes: other layouts are mixed to stereo, other rates made 48 kHz."""
    return SoundShape(
        rate_hz if rate_hz in _RATES_HZ else _RATES_HZ[0],
        n_channels if n_channels in _LAYOUTS else 2,
    )


def silence(shape: SoundShape, n_samples: int) -> Iterator[Samples]:
    """`n_samples` of nothing, in blocks."""
    while n_samples > 0:
        block = min(n_samples, _BLOCK)
        yield np.zeros((shape.n_channels, block), np.float32)
        n_samples -= block


def read_sound(
    path: Path, stream_index: int, *, start_s: Fraction, n_samples: int, shape: SoundShape
) -> Iterator[Samples]:
    """Exactly `n_samples` from a raw presentation time on, in blocks.

    Args:
        start_s: raw time, container start included.
    """
    at = 0
    for first, samples in _placed(path, stream_index, start_s=start_s, shape=shape):
        if abs(first - at) <= _GAP_S * shape.rate_hz:
            first = at
        elif first > at:
            yield from silence(shape, min(first, n_samples) - at)
            at = min(first, n_samples)
        samples = samples[:, max(0, at - first) : max(0, n_samples - first)]
        if samples.shape[1]:
            yield samples
            at += samples.shape[1]
        if at >= n_samples:
            return
    yield from silence(shape, n_samples - at)


def _placed(
    path: Path, stream_index: int, *, start_s: Fraction, shape: SoundShape
) -> Iterator[tuple[int, Samples]]:
    """(place of the first sample, counted from `start_s`; samples) of each decoded frame."""
    with open_container(path) as container:
        stream = container.streams[stream_index]
        resampler = av.AudioResampler(format="fltp", layout=shape.layout, rate=shape.rate_hz)
        for frame in _frames_from(container, stream, start_s):
            place = (frame.pts * stream.time_base - start_s) * shape.rate_hz
            begins = math.floor(place + Fraction(1, 2))
            frame.pts = None
            for resampled in resampler.resample(frame):
                samples: Samples = resampled.to_ndarray()
                # The part before the wanted time goes here, so that a jump is seen rightly.
                before = max(0, -begins)
                if before < samples.shape[1]:
                    yield max(0, begins), samples[:, before:]
                begins += samples.shape[1]


def _frames_from(container: Any, stream: Any, start_s: Fraction) -> Iterator[Any]:
    """Decoded frames from before a raw time on; from the beginning where no seek lands before."""
    for back_s in (*_SEEK_BACK_S, None):
        _seek(container, stream, None if back_s is None else float(start_s) - back_s)
        frames = decoded(container, stream)
        first = next(frames, None)
        if first is None:
            continue
        # A stream that begins late begins late from everywhere: the last try tells.
        if back_s is None or first.pts * stream.time_base <= start_s:
            yield first
            yield from frames
            return


def _seek(container: Any, stream: Any, time_s: float | None) -> None:
    try:
        if time_s is None:
            container.seek(0)
        else:
            container.seek(int(time_s / stream.time_base), stream=stream, backward=True)
    except av.error.FFmpegError:
        container.seek(0)
