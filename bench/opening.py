"""What it takes to open a long film, with and without the frame table that the library keeps.

    python -m bench.opening

Films of one, three and ten hours at 24 frames a second, tiny pictures: one minute is encoded, its
packets are written again and again. Each is opened in turn by a pass over its packets and over the
table as the library keeps it, unpacking included. The files lie in the machine's file cache; from a
disk the pass reads all their bytes as well.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import av
import numpy as np

from index.media import open_video
from index.stored_tables import packed, unpacked

HOURS = (1, 3, 10)
_FPS, _PART_S, _PAIRS = 24, 60, 5


def long_film(path: Path, *, hours: int) -> Path:
    """A film of so many hours, whose minutes are alike."""
    rng = np.random.default_rng(0)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=_FPS, options={"bf": "0", "g": "48"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        packets = []
        for _ in range(_PART_S * _FPS):
            pixels = rng.integers(0, 256, (48, 64, 3), dtype=np.uint8)
            packets += stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24"))
        packets += stream.encode(None)
        unit = round(1 / (_FPS * packets[0].time_base))
        kept = [(bytes(packet), packet.is_keyframe) for packet in packets]
        for position in range(hours * 3600 * _FPS):
            data, is_keyframe = kept[position % len(kept)]
            packet = av.Packet(data)
            packet.stream, packet.time_base = stream, packets[0].time_base
            packet.pts = packet.dts = position * unit
            packet.is_keyframe = is_keyframe
            container.mux(packet)
    return path


def open_once(path: Path, data: bytes | None) -> None:
    """Opens a film, over a packed table where one is given."""
    open_video(path, table=None if data is None else unpacked(data)).close()


def seconds_of(opening: Callable[[], object]) -> float:
    """Wall time of one call."""
    began_s = time.perf_counter()
    opening()
    return time.perf_counter() - began_s


def main() -> None:
    sys.stdout.write("| hours | frames | pass, s | kept table, s | ratio | table, kB |\n")
    sys.stdout.write("| --- | --- | --- | --- | --- | --- |\n")
    with tempfile.TemporaryDirectory() as folder:
        for hours in HOURS:
            path = long_film(Path(folder) / f"{hours}.mp4", hours=hours)
            with closing(open_video(path)) as reader:
                data, n_frames = packed(reader.table), reader.facts.n_frames
            passes = partial(open_once, path, None), partial(open_once, path, data)
            pairs = [tuple(seconds_of(each) for each in passes) for _ in range(_PAIRS)]
            read_s, kept_s = (statistics.median(column) for column in zip(*pairs, strict=True))
            ratio = statistics.median(a / b for a, b in pairs)
            sys.stdout.write(
                f"| {hours} | {n_frames} | {read_s:.2f} | {kept_s:.3f} | {ratio:.0f} |"
                f" {len(data) / 1000:.0f} |\n"
            )
            path.unlink()


if __name__ == "__main__":
    main()
