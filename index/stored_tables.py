"""Frame tables kept in the library, so that a film is not read from end to end to open it.

A table is a pass over all packets of a file: under a second for an hour, and all its bytes from
the disk. Packed it is small: presentation times as differences, which mostly are one number
(some ten kB for ten hours at a constant rate).
"""

from __future__ import annotations

import io
import json
import logging
import zipfile
import zlib
from collections.abc import Iterable
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from sqlite_utils import Database

from index.transactions import writing

if TYPE_CHECKING:
    from index.frame_table import FrameTable

_log = logging.getLogger(__name__)


class FrameTableStore:
    """The frame tables of the films of one library."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def keep(self, video_id: int, table: FrameTable) -> None:
        """Save a film's table in the place of any other."""
        with writing(self._db):
            row = {"video_id": video_id, "packed": packed(table)}
            self._db["frame_tables"].upsert(row, pk="video_id")

    def has(self, video_id: int) -> bool:
        """Whether a film's table is kept."""
        query = "select 1 from frame_tables where video_id = ?"
        return self._db.execute(query, [video_id]).fetchone() is not None

    def of(self, video_id: int) -> FrameTable | None:
        """A film's table; None where none is kept, or it is damaged: the file tells it again."""
        query = "select packed from frame_tables where video_id = ?"
        row = self._db.execute(query, [video_id]).fetchone()
        if row is None:
            return None
        try:
            return unpacked(row[0])
        except (ValueError, KeyError, TypeError, OSError, zipfile.BadZipFile, zlib.error) as error:
            _log.warning("the frame table of film %d is damaged: %s", video_id, error)
            return None


def packed(table: FrameTable) -> bytes:
    """A frame table as bytes; `unpacked` gives an equal one."""
    clock = table.clock
    rest = {
        "time_base": str(clock.time_base),
        "start_s": clock.start_s,
        "start_pts": clock.start_pts,
        "end_s": table.end_s,
        "hides_preroll": table.hides_preroll,
        "notes": table.notes,
    }
    file = io.BytesIO()
    np.savez_compressed(
        file,
        pts=_steps(table.pts),
        keyframe_pts=_steps(table.keyframe_pts),
        keyframe_dts=_steps(table.keyframe_dts),
        shown_from=_steps(table.shown_at.keys()),
        shown_to=_steps(table.shown_at.values()),
        rest=np.frombuffer(json.dumps(rest).encode(), np.uint8),
    )
    return file.getvalue()


def unpacked(data: bytes) -> FrameTable:
    """The frame table of some packed bytes.

    Raises:
        ValueError, KeyError, TypeError, OSError, zipfile.BadZipFile, zlib.error: they are damaged.
    """
    from index.frame_table import Clock, FrameTable  # PyAV is imported only where a film is opened.

    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        rest = json.loads(arrays["rest"].tobytes())
        shown = (np.cumsum(arrays[name]).tolist() for name in ("shown_from", "shown_to"))
        return FrameTable(
            pts=np.cumsum(arrays["pts"]),
            clock=Clock(Fraction(rest["time_base"]), rest["start_s"], rest["start_pts"]),
            end_s=rest["end_s"],
            keyframe_pts=tuple(np.cumsum(arrays["keyframe_pts"]).tolist()),
            keyframe_dts=tuple(np.cumsum(arrays["keyframe_dts"]).tolist()),
            hides_preroll=rest["hides_preroll"],
            notes=tuple(rest["notes"]),
            shown_at=dict(zip(*shown, strict=True)),
        )


def _steps(numbers: Iterable[int]) -> NDArray[np.int64]:
    values = np.fromiter(numbers, np.int64)
    before = np.concatenate([np.zeros(1, np.int64), values])[: len(values)]
    return np.asarray(values - before, dtype=np.int64)
