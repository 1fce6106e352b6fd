"""All SQL of index runs: one row for each call that indexes, and how fast films were read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlite_utils import Database

from index.transactions import writing


class IndexRunStore:
    """The rows of index runs in one library."""

    def __init__(self, db: Database) -> None:
        self._db: Any = db

    def begin(self, *, encoder: str) -> int:
        """Note that a run begins; returns its number."""
        row = {"started_at": _now(), "encoder": encoder}
        with writing(self._db):
            return int(self._db["index_runs"].insert(row).last_pk)

    def finish(
        self,
        index_run_id: int,
        *,
        n_indexed: int,
        n_unchanged: int,
        n_failed: int,
        film_s: float,
        film_took_s: float,
    ) -> None:
        """Note what became of a run.

        Args:
            film_s: seconds of film that it read; what an earlier run had saved is not among them.
            film_took_s: seconds that these took, words included.
        """
        row = {
            **{"finished_at": _now(), "n_indexed": n_indexed, "n_unchanged": n_unchanged},
            **{"n_failed": n_failed, "film_s": film_s, "film_took_s": film_took_s},
        }
        with writing(self._db):
            self._db["index_runs"].update(index_run_id, row)

    def speed(self, *, last: int = 20) -> float | None:
        """Seconds of film that are indexed in a second, over the last runs with the last encoder.

        None where no run of it has read a film to its end.
        """
        film_s, took_s = self._db.execute(
            "select sum(film_s), sum(film_took_s) from (select film_s, film_took_s from index_runs"
            " where film_s > 0 and encoder = (select encoder from index_runs"
            " order by index_run_id desc limit 1) order by index_run_id desc limit ?)",
            [last],
        ).fetchone()
        return float(film_s / took_s) if took_s else None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
