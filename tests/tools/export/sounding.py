"""Films whose frames show their numbers and whose sound clicks with them: their own truth.

Every half second there is a click of 5 ms, and the frame on screen with it is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from bench.films import HEIGHT_PX, WIDTH_PX, number_picture, read_number
from index.media_pyav import PyavReader
from tools.export.film_frames import read_film

CLICK_EVERY_S = Fraction(1, 2)
RATE_HZ = 48_000
_TICKS = 240_000
_CLICK_S = 0.005


@dataclass(frozen=True, slots=True)
class Seen:
    """What a film shows when all of it is decoded."""

    numbers: list[int]
    times_s: list[float]
    end_s: float
    clicks_s: list[float]
    """When each click begins, on the same clock as the pictures."""


def render_sounding(
    path: Path,
    *,
    fps: Fraction,
    n_frames: int,
    start_s: float = 0.0,
    lengths: Sequence[int] = (1,),
    sound: bool = True,
    timecode: str = "",
) -> Path:
    """Write a film with B-frames and a keyframe every 24 frames.

    Args:
        lengths: lengths of the frames in grid places, over and over.
    """
    start = round(start_s * _TICKS)
    with av.open(str(path), "w") as out:
        video = out.add_stream("libx264", rate=fps, options={"g": "24", "bf": "2"})
        video.width, video.height, video.pix_fmt = WIDTH_PX, HEIGHT_PX, "yuv420p"
        video.time_base = video.codec_context.time_base = Fraction(1, _TICKS)
        if timecode:
            video.metadata["timecode"] = timecode
        audio = out.add_stream("aac", rate=RATE_HZ, layout="mono") if sound else None
        place = 0
        for number in range(n_frames):
            frame = av.VideoFrame.from_ndarray(number_picture(number), format="rgb24")
            frame.pts, frame.time_base = start + round(place * _TICKS / fps), Fraction(1, _TICKS)
            out.mux(video.encode(frame))
            place += lengths[number % len(lengths)]
        out.mux(video.encode(None))
        if audio is not None:
            samples = clicks(float(place / fps))
            track = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
            track.sample_rate, track.pts = RATE_HZ, round(start_s * RATE_HZ)
            track.time_base = Fraction(1, RATE_HZ)
            out.mux(audio.encode(track))
            out.mux(audio.encode(None))
    return path


def clicks(length_s: float) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """(1, N) silence with a click every half second, the first at zero."""
    samples = np.zeros((1, round(length_s * RATE_HZ)), np.float32)
    burst = 0.9 * np.sin(np.arange(round(_CLICK_S * RATE_HZ)) * 0.6).astype(np.float32)
    for at in range(0, samples.shape[1] - len(burst), round(CLICK_EVERY_S * RATE_HZ)):
        samples[0, at : at + len(burst)] = burst
    return samples


def look_at(path: Path) -> Seen:
    """Decode all of a film: numbers, times, clicks."""
    reader = PyavReader(path)
    times_s = reader.table.times_s.tolist()
    frames = reader.frames_at(times_s, width_px=WIDTH_PX, height_px=HEIGHT_PX)
    start_s = reader.table.clock.start_s
    reader.close()
    return Seen(
        [read_number(frame.pixels) for frame in frames],
        times_s,
        reader.table.end_s,
        [at - start_s for at in _clicks_s(path)],
    )


def _clicks_s(path: Path) -> list[float]:
    """Raw times at which silence ends."""
    if read_film(path).sound is None:
        return []
    found: list[float] = []
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            loud = np.flatnonzero(np.abs(frame.to_ndarray()).max(axis=0) > 0.25)
            for at in loud.tolist():
                time_s = frame.time + at / frame.sample_rate
                if not found or time_s - found[-1] > 0.1:
                    found.append(time_s)
    return found
