"""The answers of a batch as one table: CSV or Parquet, by the file's ending.

A row for each answered or failed question, in the order of the questions. The record stays the
source: a table is made anew from it, in one step.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from agent.batch_lines import BatchQuestion
from agent.chat_shape import answer_in
from index.disk import replace_file, telling_when_full
from index.errors import InputError

COLUMNS: dict[str, str] = {
    "custom_id": "string",
    "run_id": "string",
    "video": "string",
    "question": "string",
    "options": "string",
    "kind": "string",
    "status": "string",
    "answer": "string",
    "choice": "int64",
    "confidence": "double",
    "expected": "string",
    "right": "bool",
    "citations": "string",
    "spans": "string",
    "visual_tokens": "int64",
    "input_tokens": "int64",
    "output_tokens": "int64",
    "calls": "int64",
    "looks": "int64",
    "seconds": "double",
    "encoder": "string",
    "videollm": "string",
    "stop_reason": "string",
    "error_code": "string",
    "error": "string",
}
"""Name and type of every column; lists stand as JSON text."""

_COUNTS = ("visual_tokens", "input_tokens", "output_tokens", "calls", "looks")
Judge = Callable[[BatchQuestion, Mapping[str, Any]], bool | None]


def table_rows(
    questions: Sequence[BatchQuestion], lines: Mapping[str, Mapping[str, Any]], *, judge: Judge
) -> list[dict[str, Any]]:
    """Every question that has a line, with what became of it; `judge` says whether it is right."""
    return [
        _row(question, lines[question.custom_id], judge)
        for question in questions
        if question.custom_id in lines
    ]


def check_table(path: Path) -> None:
    """Passes where a table can be written under the name.

    Raises:
        InputError: an ending that means no kind of table.
    """
    if path.suffix.lower() not in _WRITERS:
        raise InputError(f"{path} is no table", f"end it in {' or '.join(_WRITERS)}")


def write_table(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write the table; a reader sees the old file or the whole new one.

    Raises:
        InputError: it cannot be written there.
        LibraryError: the disk is full.
    """
    check_table(path)
    write = _WRITERS[path.suffix.lower()]
    try:
        with telling_when_full(path.parent):
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(path, partial(write, rows=rows))
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}", "name another") from error


def _row(question: BatchQuestion, line: Mapping[str, Any], judge: Judge) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(COLUMNS)
    row |= {
        "custom_id": question.custom_id,
        "video": question.video,
        "question": question.question,
        "options": _json(list(question.options)),
        "kind": question.kind,
        "expected": question.answer,
    }
    if line["error"]:
        message, hint = line["error"]["message"], line["error"].get("hint")
        row |= {
            "status": "failed",
            "error_code": line["error"]["code"],
            "error": f"{message} ({hint})" if hint else message,
        }
        return row
    answer = answer_in(line["response"])
    usage = answer["usage"]
    row |= {
        "run_id": answer["id"],
        "video": answer.get("video") or question.video,
        "kind": question.kind or answer["kind"],
        "right": judge(question, answer),
        "citations": _json([[c["video_id"], c["start"], c["end"]] for c in answer["citations"]]),
        "spans": _json(answer["spans"]),
        "seconds": round(float(usage.get("seconds", 0.0)), 3),
        "encoder": answer["models"].get("encoder"),
        "videollm": answer["models"].get("videollm"),
        "stop_reason": answer.get("stop_reason"),
        **{name: answer[name] for name in ("status", "answer", "choice", "confidence")},
        **{name: int(usage.get(name, 0)) for name in _COUNTS},
    }
    return row


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _write_csv(path: Path, *, rows: Sequence[Mapping[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(COLUMNS))
        writer.writeheader()
        writer.writerows(rows)


def _write_parquet(path: Path, *, rows: Sequence[Mapping[str, Any]]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {"string": pa.string(), "int64": pa.int64(), "double": pa.float64(), "bool": pa.bool_()}
    schema = pa.schema([(name, types[kind]) for name, kind in COLUMNS.items()])
    pq.write_table(pa.Table.from_pylist(list(rows), schema=schema), path)


_WRITERS: dict[str, Callable[..., None]] = {".csv": _write_csv, ".parquet": _write_parquet}
