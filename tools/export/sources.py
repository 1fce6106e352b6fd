"""Where items come from: a run's citations, the JSON of a search or an answer, spans by hand.

What is read here was written by others: every field is checked, unknown ones are passed over.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from index.errors import InputError
from index.run_rows import CitationRow, RunRow
from index.times import parse_time
from index.types import Span
from tools.export.cuts import ExportItem

_DASHES = ("–", "-")


class FindFilm(Protocol):
    """Finds a film's file by what a record says of it."""

    def __call__(
        self, *, path: str = "", video_id: int | None = None, content_hash: str = ""
    ) -> Path:
        """An existing file.

        Raises:
            InputError: no film fits.
            MediaError: its file is not where it was.
        """
        ...


class _Record(BaseModel):
    """A span as `search --json` and `ask --json` give it."""

    model_config = ConfigDict(extra="ignore")

    start: float = Field(ge=0, allow_inf_nan=False)
    end: float = Field(ge=0, allow_inf_nan=False)
    video: str = ""
    video_id: int | None = None
    label: str = ""
    what: str = ""
    text: str = ""
    score: float | None = None
    modality: str = ""


def items_of_run(run: RunRow, citations: Sequence[CitationRow], find: FindFilm) -> list[ExportItem]:
    """The citations of a run.

    Raises:
        InputError: it has none, or its film is not found.
    """
    if not citations:
        hint = "its search has not ended" if run.status == "running" else "see longshot trace show"
        raise InputError(f"run {run.run_id} has no citations", hint)
    path = find(path=run.video_path, content_hash=run.video_hash)
    n_all = len(citations)
    return [
        ExportItem(
            path, row.span, row.what or run.question, f"citation {n}/{n_all} of run {run.run_id}"
        )
        for n, row in enumerate(citations, 1)
    ]


def items_of_json(text: str, find: FindFilm, *, name: str) -> list[ExportItem]:
    """The spans in a JSON document or in JSON lines.

    Understood: the JSON of `search`, `ask`, `batch` and `trace show`, and lists of
    {video, start, end, label}.

    Args:
        name: where the text is from, for messages.

    Raises:
        InputError: no JSON, no spans in it, a span that is none, or a film that is not found.
    """
    items = []
    for place, value in _documents(text, name=name):
        for record, defaults in _records(value, {}, place=place):
            items.append(_item({**defaults, **record}, find, place=place))
    if not items:
        raise InputError(f"{name} holds no hits, citations or moments")
    return items


def item_of_span(path: Path, text: str) -> ExportItem:
    """An item of "1:20-1:35" or "1:20-1:35 the red car leaves".

    Raises:
        InputError: the text is no span.
    """
    times, _, label = text.strip().partition(" ")
    mark = next((dash for dash in _DASHES if dash in times), None)
    if mark is None:
        raise InputError(f'"{text}" is not a span', "write START-END, such as 1:20-1:35")
    start, _, end = times.partition(mark)
    start_s, end_s = parse_time(start), parse_time(end)
    if start_s >= end_s:
        raise InputError(f'"{text}" ends before it starts', "write START-END, such as 1:20-1:35")
    return ExportItem(path, Span(start_s, end_s), label.strip())


def _documents(text: str, *, name: str) -> Iterator[tuple[str, Any]]:
    """(where, value) of the one document, or of each line."""
    try:
        yield name, json.loads(text)
        return
    except json.JSONDecodeError as error:
        whole = error
    lines = [(n, line) for n, line in enumerate(text.splitlines(), 1) if line.strip()]
    if len(lines) < 2:
        raise InputError(f"{name} is not JSON: {whole.msg}, line {whole.lineno}") from whole
    for number, line in lines:
        try:
            yield f"{name}, line {number}", json.loads(line)
        except json.JSONDecodeError as error:
            raise InputError(f"{name}, line {number} is not JSON: {error.msg}") from error


def _records(
    value: Any, defaults: dict[str, Any], *, place: str
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """(record, what holds for it from around it) of everything that has a start and an end."""
    if isinstance(value, list):
        for each in value:
            yield from _records(each, defaults, place=place)
        return
    if not isinstance(value, dict):
        raise InputError(f"{place}: {json.dumps(value)[:60]} is no hit, citation or moment")
    around = {key: value[key] for key in ("video", "video_id") if value.get(key) is not None}
    known = {**defaults, **around}
    if "start" in value or "end" in value:
        yield value, known
    elif "hits" in value:
        label = {"label": str(value.get("query", ""))}
        yield from _records(value["hits"], {**known, **label}, place=place)
    elif "citations" in value:
        label = {"label": str(value.get("question", ""))}
        yield from _records(value["citations"], {**known, **label}, place=place)
    elif isinstance(value.get("answer"), dict) or isinstance(value.get("response"), dict):
        # A trace holds its answer, a line of a batch its response.
        inner = value["answer"] if isinstance(value.get("answer"), dict) else value["response"]
        yield from _records(inner, known, place=place)


def _item(values: dict[str, Any], find: FindFilm, *, place: str) -> ExportItem:
    try:
        record = _Record(**{key: value for key, value in values.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{place}: {field}: {first['msg']}") from error
    if record.start >= record.end:
        raise InputError(f"{place}: a span {record.start:g}..{record.end:g} s is empty")
    path = find(path=record.video, video_id=record.video_id)
    found = [record.modality] if record.modality else []
    if record.score is not None:
        found.append(f"score {record.score:.3f}")
    label = record.what or record.text or record.label
    return ExportItem(path, Span(record.start, record.end), label, ", ".join(found), record.score)
