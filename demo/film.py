"""Draws a film script into an H.264 mp4 with a tone, and writes the truth beside it.

Frame i is on screen at i / fps and shows its shot as many seconds after the cut as that time is.
Films are drawn in parts by processes of their own; the parts' packets are then copied into one
file, so the same script gives the same pictures with any number of processes. The film and its
truth appear under their names only when they are whole.
"""

from __future__ import annotations

import heapq
import json
import multiprocessing
import os
import shutil
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any, Protocol

import av
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter
from PIL import Image, ImageDraw, ImageFont

from demo.draw import SceneFilm
from demo.speech import subtitles_text
from demo.truth import FilmScript, script_to_json, truth_path

KEYFRAME_S = 2
PART_S = 60.0
"""About how much film one process draws at a time."""
TONE_HZ, TONE_RATE_HZ = 220, 8_000
_VIDEO_OPTIONS = {
    "preset": "veryfast",
    "crf": "25",
    # Without B-frames the pictures' order is their time order, in every player.
    "bf": "0",
    "threads": "1",
}


class FilmProgress(Protocol):
    """Told how many frames of the film are drawn."""

    def __call__(self, done: int, total: int) -> None: ...


@dataclass(frozen=True, slots=True)
class _Picture:
    """How the film's pictures are made."""

    width_px: int
    height_px: int
    fps: int


def render(
    script: FilmScript,
    path: Path,
    *,
    width_px: int = 320,
    height_px: int = 192,
    n_processes: int | None = None,
    progress: FilmProgress | None = None,
) -> Path:
    """Writes the film to `path` (mp4) and its truth beside it; returns the truth's path.

    Args:
        script: what to draw; its frame rate is the film's.
        path: where the film goes; its folder is made.
        width_px: an even number.
        height_px: an even number.
        n_processes: how many draw at once, beside this one; the machine's cores where None.
        progress: told after every part.

    Raises:
        ValueError: the size is odd or too small.
        OSError: the file can't be written.
    """
    if width_px % 2 or height_px % 2 or min(width_px, height_px) < 32:
        raise ValueError(f"a film of {width_px}x{height_px} px: sides must be even, 32 or more")
    path.parent.mkdir(parents=True, exist_ok=True)
    # Another process may be drawing the same film; what a killed one of this number left goes.
    work = path.with_name(f".{path.name}.unfinished{os.getpid()}")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    try:
        picture = _Picture(width_px, height_px, script.fps)
        parts = _draw_parts(script, work, picture, n_processes=n_processes, progress=progress)
        _join(parts, work / "whole.mp4", fps=script.fps, duration_s=script.duration_s)
        return _publish(script, work, path)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _publish(script: FilmScript, work: Path, path: Path) -> Path:
    """Moves the whole film and its truth to their names, the truth first."""
    truth = truth_path(path)
    text = json.dumps(script_to_json(script), separators=(",", ":"))
    (work / "truth.json").write_text(text + "\n", encoding="utf-8")
    if script.lines:
        # Its words come first too: a film that is indexed at once must find them.
        (work / "words.srt").write_text(subtitles_text(script.lines), encoding="utf-8")
        os.replace(work / "words.srt", path.with_suffix(".en.srt"))
    # A film without its truth, or with another's, must not exist under its name; a truth without
    # its film does no harm.
    path.unlink(missing_ok=True)
    os.replace(work / "truth.json", truth)
    os.replace(work / "whole.mp4", path)
    return truth


# -- drawing


def _parts(script: FilmScript) -> list[FilmScript]:
    """The script cut into runs of whole shots of about PART_S seconds."""
    runs = groupby(script.shots, key=lambda shot: int(shot.start_s // PART_S))
    return [FilmScript(script.seed, script.fps, tuple(shots), (), (), ()) for _, shots in runs]


def _draw_parts(
    script: FilmScript,
    work: Path,
    picture: _Picture,
    *,
    n_processes: int | None,
    progress: FilmProgress | None,
) -> list[Path]:
    parts = _parts(script)
    paths = [work / f"part-{index:05d}.mp4" for index in range(len(parts))]
    done = 0
    for n_frames in _drawn(parts, paths, picture, n_processes=n_processes):
        done += n_frames
        if progress:
            progress(done, script.n_frames)
    return paths


def _drawn(
    parts: Sequence[FilmScript],
    paths: Sequence[Path],
    picture: _Picture,
    *,
    n_processes: int | None,
) -> Iterator[int]:
    """Draws every part; yields each one's number of frames when it is done."""
    n = min(len(parts), n_processes or os.cpu_count() or 1)
    # Spawned, not forked: the parent may have threads (of a model, of a server). Nor does the
    # parent draw, be it one part: in a process that had lived long, x264 now and then (one test
    # run in twenty) predicted the same pictures otherwise, and a film must always be the same.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(n, context, initializer=die_with_parent) as pool:
        jobs = [
            pool.submit(_draw_part, part, path, picture)
            for part, path in zip(parts, paths, strict=True)
        ]
        try:
            for job in as_completed(jobs):
                yield job.result()
        finally:
            for job in jobs:
                job.cancel()


def die_with_parent() -> None:
    """Ends this process when the one that started it is gone, killed ones included."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _draw_part(part: FilmScript, path: Path, picture: _Picture) -> int:
    """Encodes the shots of a part into a file that begins at time 0; returns its frames."""
    first = round(part.shots[0].start_s * picture.fps)
    count = 0
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=picture.fps, options=_VIDEO_OPTIONS)
        stream.width, stream.height, stream.pix_fmt = picture.width_px, picture.height_px, "yuv420p"
        stream.codec_context.gop_size = KEYFRAME_S * picture.fps
        # One converter for all frames: the encoder's own would be set up anew for each.
        to_yuv = VideoReformatter()
        for index, pixels in _frames(part, picture):
            rgb = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            # On one thread: as many parts are drawn at once as there are cores.
            frame = to_yuv.reformat(
                rgb, format="yuv420p", interpolation=Interpolation.BILINEAR, threads=1
            )
            frame.pts, frame.time_base = index - first, Fraction(1, picture.fps)
            container.mux(stream.encode(frame))
            count += 1
        container.mux(stream.encode())
    return count


def _frames(part: FilmScript, picture: _Picture) -> Iterator[tuple[int, np.ndarray[Any, Any]]]:
    """Frames of the film with their numbers."""
    for shot in part.shots:
        film = SceneFilm(shot.scene, width_px=picture.width_px, height_px=picture.height_px)
        first, end = round(shot.start_s * picture.fps), round(shot.end_s * picture.fps)
        for index in range(first, end):
            time_s = (index - first) / picture.fps
            pixels = film.frame(time_s, noise_number=index)
            yield index, titled(pixels, shot.title) if shot.title else pixels


def titled(pixels: np.ndarray[Any, Any], title: str) -> np.ndarray[Any, Any]:
    """The frame, (H, W, 3) uint8, with a title on a dark band at its foot."""
    picture = Image.fromarray(pixels)
    draw = ImageDraw.Draw(picture)
    height_px = max(12, picture.height // 7)
    top = picture.height - height_px
    draw.rectangle((0, top, picture.width, picture.height), fill=(16, 16, 16))
    font = ImageFont.load_default(size=0.75 * height_px)
    draw.text(
        (picture.width // 2, top + height_px // 2), title, font=font, fill="white", anchor="mm"
    )
    return np.asarray(picture)


# -- joining


def _join(parts: Sequence[Path], path: Path, *, fps: int, duration_s: float) -> None:
    """Copies the parts' packets one after the other into one file, and adds the tone."""
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as out:
        with av.open(str(parts[0])) as first:
            video = out.add_stream_from_template(first.streams.video[0])
        audio = out.add_stream(
            "aac", rate=TONE_RATE_HZ, layout="mono", options={"aac_coder": "fast"}
        )
        audio.bit_rate = 24_000
        pictures = _copied(parts, video, fps=fps)
        sounds = _tone(audio, duration_s=duration_s)
        for packet in heapq.merge(pictures, sounds, key=_packet_time):
            out.mux(packet)


def _packet_time(packet: Any) -> Fraction:
    time: Fraction = packet.dts * packet.time_base
    return time


def _copied(parts: Sequence[Path], stream: Any, *, fps: int) -> Iterator[Any]:
    """The parts' packets, frame i of the film at i / fps."""
    n_frames = 0
    for part in parts:
        with av.open(str(part)) as container:
            for packet in container.demux(video=0):
                if packet.dts is None:  # the demuxer's closing packet
                    continue
                packet.stream = stream
                packet.time_base = Fraction(1, fps)
                packet.pts = packet.dts = n_frames
                packet.duration = 1
                n_frames += 1
                yield packet


def _tone(stream: Any, *, duration_s: float) -> Iterator[Any]:
    """Packets of a steady quiet tone."""
    n_samples = int(duration_s * TONE_RATE_HZ)
    step = 1024
    period = TONE_RATE_HZ // np.gcd(TONE_HZ, TONE_RATE_HZ)
    angle = 2 * np.pi * TONE_HZ * np.arange(period + step) / TONE_RATE_HZ
    wave = (0.05 * np.sin(angle)).astype(np.float32)[None, :]
    for start in range(0, n_samples, step):
        at = start % period
        piece = np.ascontiguousarray(wave[:, at : at + min(step, n_samples - start)])
        frame = av.AudioFrame.from_ndarray(piece, format="fltp", layout="mono")
        frame.sample_rate, frame.pts = TONE_RATE_HZ, start
        frame.time_base = Fraction(1, TONE_RATE_HZ)
        yield from stream.encode(frame)
    yield from stream.encode(None)
