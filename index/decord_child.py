"""What runs in decord's process: answers questions about one file until it is killed.

An answer is an array, or a text that says what went wrong.
"""

from __future__ import annotations

import os
import re
from typing import Any

import numpy as np


def serve(path: str, pipe: Any) -> None:
    """Answer ("times",) with (N,) seconds and ("frames", indices) with (M, H, W, 3) pixels."""
    import decord

    # Its FFmpeg writes to the terminal; what matters comes back as an answer.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)

    try:
        reader = decord.VideoReader(path, num_threads=1)
    except (decord.DECORDError, RuntimeError) as error:
        reader, failure = None, _line(error)
    while True:
        try:
            kind, *rest = pipe.recv()
        except EOFError:
            return
        if reader is None:
            pipe.send(failure)
            continue
        try:
            pipe.send(_times(reader) if kind == "times" else _frames(reader, rest[0]))
        except (decord.DECORDError, RuntimeError, IndexError) as error:
            pipe.send(_line(error))


def _times(reader: Any) -> Any:
    return np.asarray(reader.get_frame_timestamp(range(len(reader))))[:, 0]


def _frames(reader: Any, indices: list[int]) -> Any:
    pixels = reader.get_batch(indices).asnumpy()
    # Without this the decoding thread goes on reading ahead and fills the memory.
    reader.seek(0)
    return pixels


def _line(error: Exception) -> str:
    text = (str(error).strip().splitlines() or [type(error).__name__])[0]
    # decord begins with the time and its own source file.
    return re.sub(r"^\[[\d:]+\] \S+: ", "", text)
