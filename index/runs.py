"""All SQL of runs: what was asked, every step, look, finding and citation, and small pictures.

A run's rows are enough to show every step without a model. Rows are written as the run goes, each
step in one transaction, keyed by (run, step): a step that a killed run repeats replaces itself.
The tables live in the library's database; `index/run_schema.py` makes them.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from index.run_rows import (
    CitationRow,
    LookRow,
    RunRow,
    StepRow,
    finding_to_row,
    look_from_row,
    look_to_row,
    run_from_row,
    run_to_row,
    step_from_row,
    step_to_row,
)
from index.run_schema import migrate
from index.transactions import writing
from index.types import Span

_LOCK_WAIT_S = 30.0


class RunStore:
    """The rows of runs in one library; usable from any one thread at a time."""

    def __init__(self, db: Database) -> None:
        self._db: Any = db
        migrate(db)

    @classmethod
    def open(cls, library_folder: Path) -> RunStore:
        """Open the runs of a library, making their tables where they are missing."""
        connection = sqlite3.connect(
            library_folder / "library.db", check_same_thread=False, timeout=_LOCK_WAIT_S
        )
        connection.execute("pragma journal_mode=wal")
        connection.execute("pragma synchronous=normal")
        return cls(Database(connection))

    def close(self) -> None:
        self._db.conn.close()

    def start(self, run: RunRow) -> None:
        with writing(self._db):
            self._db["runs"].insert(run_to_row(run))

    def start_from(self, run: RunRow, parent_id: str, *, n_steps: int) -> None:
        """Start a run that begins with the first `n_steps` steps of another, copied in whole."""
        with writing(self._db):
            self._db["runs"].insert(run_to_row(run))
            ids = {"new": run.run_id, "old": parent_id, "n": n_steps}
            for table in ("steps", "looks", "findings"):
                self._copy(table, "step_index < :n", ids)
            taken = "select look_id from looks where run_id = :old and step_index < :n"
            self._copy("thumbnails", f"look_id in ({taken})", ids)

    def take_over(self, run: RunRow, *, process_id: int) -> bool:
        """Note which process works on an unfinished run now; False: another one was quicker."""
        with writing(self._db):
            changed = self._db.conn.execute(
                "update runs set process_id = ? where run_id = ? and process_id = ?",
                [process_id, run.run_id, run.process_id],
            )
        return bool(changed.rowcount)

    def interrupt(self, run_id: str, *, reason: str) -> None:
        """Note why an unfinished run stands still."""
        with writing(self._db):
            self._db["runs"].update(run_id, {"stop_reason": reason})

    def finish(self, run_id: str, *, status: str, stop_reason: str, answer: dict[str, Any]) -> None:
        with writing(self._db):
            self._db["runs"].update(
                run_id, {"status": status, "stop_reason": stop_reason, "answer": json.dumps(answer)}
            )

    def load(self, run_id: str) -> RunRow | None:
        """A run by its id or an unambiguous beginning of it; None where there is none."""
        rows = list(
            self._db.query(
                "select * from runs where run_id = :id or substr(run_id, 1, length(:id)) = :id"
                " order by run_id = :id desc limit 2",
                {"id": run_id},
            )
        )
        if not rows or (len(rows) == 2 and rows[0]["run_id"] != run_id):
            return None
        return run_from_row(rows[0])

    def runs(
        self,
        *,
        limit: int = 50,
        offset: int = 0,
        video_hash: str | None = None,
        status: str | None = None,
        text: str | None = None,
    ) -> list[RunRow]:
        """Runs, the newest first; `text` is looked for in questions and replies."""
        conditions = {
            "video_hash = :hash": video_hash,
            "status = :status": status,
            "instr(lower(question || ' ' || coalesce(json_extract(answer, '$.answer'), '')),"
            " lower(:text))": text,
        }
        given = " and ".join(each for each, value in conditions.items() if value)
        sql = (
            f"select * from runs {f'where {given}' if given else ''}"
            " order by started_at desc, rowid desc limit :limit offset :offset"
        )
        values = {"hash": video_hash, "status": status, "text": text}
        found = self._db.query(sql, {**values, "limit": limit, "offset": offset})
        return [run_from_row(r) for r in found]

    def unfinished(self, question_key: str) -> list[RunRow]:
        """The runs of this very question that have not ended, the newest first."""
        rows = self._db.query(
            "select * from runs where question_key = :k and status = 'running'"
            " order by started_at desc, rowid desc",
            {"k": question_key},
        )
        return [run_from_row(row) for row in rows]

    def remove_video(self, video_hash: str) -> None:
        """Forget every run on a film."""
        with writing(self._db):
            ids = [r.run_id for r in self.runs(limit=-1, video_hash=video_hash)]
            for run_id in ids:
                for table in ("steps", "looks", "findings", "citations", "thumbnails", "runs"):
                    self._db[table].delete_where("run_id = ?", [run_id])

    def record(self, run_id: str, step: StepRow) -> None:
        """Write a step with its looks, findings and pictures; a step written before is replaced."""
        where = "run_id = ? and step_index = ?"
        with writing(self._db):
            key = [run_id, step.step_index]
            self._db.execute(
                "delete from thumbnails where run_id = ? and look_id in"
                f" (select look_id from looks where {where})",
                [run_id, *key],
            )
            for table in ("looks", "findings", "steps"):
                self._db[table].delete_where(where, key)
            self._db["steps"].insert(step_to_row(run_id, step))
            self._db["looks"].insert_all(look_to_row(run_id, step, k) for k in step.looks)
            self._db["findings"].insert_all(finding_to_row(run_id, step, f) for f in step.findings)
            self._db["thumbnails"].insert_all(
                {"run_id": run_id, "look_id": look.look_id, "time_s": t, "jpeg": jpeg}
                for look in step.looks
                for t, jpeg in look.thumbnails
            )

    def _copy(self, table: str, where: str, ids: dict[str, Any]) -> None:
        names = ", ".join(c.name for c in self._db[table].columns if c.name != "run_id")
        self._db.execute(
            f"insert into {table} (run_id, {names})"
            f" select :new, {names} from {table} where run_id = :old and {where}",
            ids,
        )

    def steps(self, run_id: str) -> list[StepRow]:
        """A run's steps in order, without pictures."""
        looks = _by_step(self._db["looks"].rows_where("run_id = ?", [run_id], order_by="rowid"))
        findings = _by_step(
            self._db["findings"].rows_where("run_id = ?", [run_id], order_by="rowid")
        )
        rows = self._db["steps"].rows_where("run_id = ?", [run_id], order_by="step_index")
        return [
            step_from_row(r, looks.get(r["step_index"], []), findings.get(r["step_index"], []))
            for r in rows
        ]

    def look(self, run_id: str, look_id: str) -> LookRow | None:
        """One look of a run, without its pictures."""
        rows = self._db["looks"].rows_where("run_id = ? and look_id = ?", [run_id, look_id])
        return next((look_from_row(row) for row in rows), None)

    def looks(self, run_id: str) -> list[LookRow]:
        """Every look of a run, in order."""
        return [look for step in self.steps(run_id) for look in step.looks]

    def cite(self, run_id: str, citations: Sequence[CitationRow]) -> None:
        """Replace a run's citations."""
        with writing(self._db):
            self._db["citations"].delete_where("run_id = ?", [run_id])
            self._db["citations"].insert_all(
                {
                    "run_id": run_id,
                    "position": position,
                    "start_s": c.span.start_s,
                    "end_s": c.span.end_s,
                    "what": c.what,
                    "look_id": c.look_id,
                }
                for position, c in enumerate(citations)
            )

    def citations(self, run_id: str) -> list[CitationRow]:
        rows = self._db["citations"].rows_where("run_id = ?", [run_id], order_by="position")
        return [CitationRow(Span(r["start_s"], r["end_s"]), r["what"], r["look_id"]) for r in rows]

    def thumbnails(self, run_id: str, look_id: str) -> list[tuple[float, bytes]]:
        """(time in seconds, JPEG) of a look's stored frames, in time order."""
        rows = self._db["thumbnails"].rows_where(
            "run_id = ? and look_id = ?", [run_id, look_id], order_by="time_s"
        )
        return [(r["time_s"], r["jpeg"]) for r in rows]

    def fit_row(self, *, model_hash: str, prompt_hash: str, stage: str) -> dict[str, Any] | None:
        """The newest fit of a model and its prompts; None: none is stored here."""
        rows = self._db["fits"].rows_where(
            "model_hash = ? and prompt_hash = ? and stage = ?",
            [model_hash, prompt_hash, stage],
            order_by="version desc",
            limit=1,
        )
        return next(({**row, "fit": json.loads(row["fit"])} for row in rows), None)

    def store_fit(self, row: dict[str, Any]) -> int:
        """Keep a fit beside the older ones of its model, prompts and stage.

        Args:
            row: model_hash, prompt_hash, stage, fit (weights by name), n_with, n_without, source,
                fitted_at.

        Returns:
            Its version.
        """
        with writing(self._db):
            keys = {key: row[key] for key in ("model_hash", "prompt_hash", "stage")}
            newest = self.fit_row(**keys)
            version = newest["version"] + 1 if newest else 1
            self._db["fits"].insert({**row, "version": version, "fit": json.dumps(row["fit"])})
        return int(version)


def _by_step(rows: Any) -> dict[int, list[dict[str, Any]]]:
    grouped: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        grouped.setdefault(row["step_index"], []).append(row)
    return grouped
