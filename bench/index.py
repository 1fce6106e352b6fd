"""How fast films are indexed, next to decoding alone and encoding alone, in one run.

    python -m bench.index FILM [--encoder NAME] [--weights TAG] [--device cpu] [--precision fp32]

"decode" takes one frame a second, "scan" also the glimpses in which cuts are seen, "encode" gives
as many frames as the film has seconds to the encoder from memory, "index" is the whole of it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from index.build import IndexSettings, build
from index.encoder import Encoder, open_encoder
from index.errors import LongshotError
from index.film import working_size
from index.library import Library
from index.media import VideoReader, open_video


def main(arguments: Sequence[str]) -> None:
    """Prints a table of seconds and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("film", type=Path)
    parser.add_argument("--encoder", default="local-dir:demo/weights/clip")
    parser.add_argument("--weights")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--precision", default="auto")
    given = parser.parse_args(arguments)
    encoder = open_encoder(
        given.encoder, weights=given.weights, device=given.device, precision=given.precision
    )
    reader = open_video(given.film)
    settings = IndexSettings()
    parts: dict[str, Callable[[], object]] = {
        "decode": lambda: _decode(reader, encoder, settings),
        "scan": lambda: _scan(reader, encoder, settings),
        "encode": lambda: _encode(reader, encoder, settings),
        "index": lambda: _index(given.film, encoder, settings),
    }
    seconds = {name: _seconds(part) for name, part in parts.items()}
    facts = reader.facts
    _say(
        f"{given.film.name}: {facts.duration_s:.0f} s, {facts.width_px} × {facts.height_px},"
        f" {facts.fps:.1f} frames a second; {encoder.identity.name}\n"
    )
    _say("| part | seconds | times real time |\n| --- | --- | --- |")
    for name, spent_s in seconds.items():
        _say(f"| {name} | {spent_s:.1f} | {facts.duration_s / spent_s:.0f} |")
    alone_s = seconds["decode"] + seconds["encode"]
    _say(f"\nindex / decode {seconds['index'] / seconds['decode']:.2f}")
    _say(f"index / encode {seconds['index'] / seconds['encode']:.2f}")
    _say(f"index / (decode + encode) {seconds['index'] / alone_s:.2f}")


def _decode(reader: VideoReader, encoder: Encoder, settings: IndexSettings) -> None:
    width_px, height_px = working_size(reader.facts, encoder, settings)
    for _ in reader.sample(every_s=settings.every_s, width_px=width_px, height_px=height_px):
        pass


def _scan(reader: VideoReader, encoder: Encoder, settings: IndexSettings) -> None:
    width_px, height_px = working_size(reader.facts, encoder, settings)
    for _ in reader.scan(
        every_s=settings.every_s,
        glimpse_every_s=settings.glimpse_every_s,
        width_px=width_px,
        height_px=height_px,
    ):
        pass


def _encode(reader: VideoReader, encoder: Encoder, settings: IndexSettings) -> None:
    width_px, height_px = working_size(reader.facts, encoder, settings)
    shape = (settings.batch_size, height_px, width_px, 3)
    pictures = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    for _ in range(round(reader.facts.duration_s / settings.every_s / settings.batch_size)):
        encoder.encode_frames(pictures)


def _index(film: Path, encoder: Encoder, settings: IndexSettings) -> None:
    with tempfile.TemporaryDirectory() as folder:
        library = Library.open(Path(folder))
        report = build(
            library, [film], encoder=encoder, settings=settings, progress=lambda event: None
        )
        library.close()
    for failure in report.failures:
        raise LongshotError(failure.message, failure.hint)


def _seconds(part: Callable[[], object]) -> float:
    begin = time.perf_counter()
    part()
    return time.perf_counter() - begin


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
