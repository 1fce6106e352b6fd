"""Text in the pictures, read from distinct frames only.

Candidates are the middles of shots (of parts of long shots). Those whose small stored picture is
the one before, up to noise, show the same text and are not read again; the others are decoded from
the film at a size in which small writing can be read.
"""

from __future__ import annotations

import importlib
import math
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from index.media import open_video
from index.types import Frame, Pixels, Shot, Span
from index.words import Track, WordLine

NAME = "screen (rapidocr)"
_BLOCK_PX = 16
_SAME = 0.06
_LONGEST_SIDE_PX = 1280
_LEAST_SCORE = 0.8
_LEAST_SCORE_OF_ONE = 0.95

Strip = Callable[[Sequence[float]], list[Frame]]
OnPicture = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Reading:
    """A stretch that one picture stands for, and the picture's time."""

    span: Span
    time_s: float


def screen_stamp(every_s: float) -> str:
    """What changes when pictures would be chosen otherwise."""
    return f"rapidocr/{every_s:g}"


def screen_track(
    path: Path, *, shots: Sequence[Shot], strip: Strip, every_s: float, progress: OnPicture
) -> Track:
    """The text on the screen of a film, one line for each distinct picture that has any."""
    chosen = distinct(candidates(shots, every_s=every_s), strip)
    lines = []
    with closing(open_video(path)) as reader:
        scale = min(1.0, _LONGEST_SIDE_PX / max(reader.facts.width_px, reader.facts.height_px))
        width_px = max(1, round(reader.facts.width_px * scale))
        height_px = max(1, round(reader.facts.height_px * scale))
        for index, reading in enumerate(chosen):
            frame = reader.frames_at([reading.time_s], width_px=width_px, height_px=height_px)[0]
            rows = text_rows(frame.pixels)
            if rows:
                lines.append(WordLine(reading.span, "\n".join(rows), "screen", "", NAME))
            progress(index + 1, len(chosen))
    return Track(NAME, "screen", "", screen_stamp(every_s), tuple(lines))


def candidates(shots: Sequence[Shot], *, every_s: float) -> Iterator[Reading]:
    """Equal parts of every shot, no longer than `every_s`, with their middles."""
    for shot in shots:
        n = max(1, math.ceil(shot.span.duration_s / every_s))
        step_s = shot.span.duration_s / n
        for index in range(n):
            start_s = shot.span.start_s + index * step_s
            span = Span(start_s, shot.span.end_s if index == n - 1 else start_s + step_s)
            yield Reading(span, span.middle_s)


def distinct(readings: Iterator[Reading], strip: Strip) -> list[Reading]:
    """The readings whose picture is not the one before; those before it stand for the others."""
    found: list[Reading] = []
    before: Pixels | None = None
    for reading in readings:
        picture = strip([reading.time_s])[0].pixels
        follows = bool(found) and found[-1].span.end_s == reading.span.start_s
        if before is not None and follows and not _differs(before, picture):
            last = found[-1]
            found[-1] = replace(last, span=Span(last.span.start_s, reading.span.end_s))
            continue
        found.append(reading)
        before = picture
    return found


def _differs(before: Pixels, after: Pixels) -> bool:
    """Whether any block changed: a new line of text is small against the whole picture."""
    height_px, width_px = (side // _BLOCK_PX * _BLOCK_PX for side in before.shape[:2])
    if before.shape != after.shape or not height_px or not width_px:
        return True
    change = np.abs(before.astype(np.int16) - after.astype(np.int16)).mean(axis=2) / 255
    blocks = change[:height_px, :width_px].reshape(
        height_px // _BLOCK_PX, _BLOCK_PX, width_px // _BLOCK_PX, _BLOCK_PX
    )
    return bool(blocks.mean(axis=(1, 3)).max() > _SAME)


def text_rows(pixels: Pixels) -> list[str]:
    """The rows of text in a picture, (H, W, 3) uint8 RGB, from top to bottom."""
    found = _reader()(np.ascontiguousarray(pixels[:, :, ::-1]))
    if found.txts is None:
        return []
    rows = [
        (float(box[:, 1].mean()), float(box[:, 0].min()), text.strip())
        for box, text, score in zip(found.boxes, found.txts, found.scores, strict=True)
        if _is_sure(text.strip(), float(score))
    ]
    return [text for _, _, text in sorted(rows)]


def _is_sure(text: str, score: float) -> bool:
    n = sum(character.isalnum() for character in text)
    return n > 0 and score >= (_LEAST_SCORE if n > 1 else _LEAST_SCORE_OF_ONE)


@cache
def _reader() -> Any:
    package = importlib.import_module("rapidocr")
    # By itself it takes a thread for each core of the machine, also where it may use one only: the
    # threads then wait for each other, and a picture took four times as long.
    threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return package.RapidOCR(
        params={
            "Global.log_level": "error",
            "EngineConfig.onnxruntime.intra_op_num_threads": threads or 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )
