"""Files of questions: JSON lines, CSV, and the batch file of the OpenAI API.

A line is read on its own: one that cannot be is a `BadLine` with its number, and the rest goes on.
Fields beside ours (a benchmark's own) are passed over, except those that look like a slip of ours:
a misspelt "video" would otherwise ask the whole library.
"""

from __future__ import annotations

import csv
import difflib
import hashlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

from agent.types import Question
from index.errors import InputError

_FIELDS = ("custom_id", "video", "question", "options", "answer")
_TRUTH = ("kind", "status", "evidence")
_ALSO_KNOWN = ("form", "id", "method", "url", "body", "subject", "asks")
_LIKE_OURS = 0.8
_LONGEST_LINE_CHARS = 10_000_000


@dataclass(frozen=True, slots=True)
class BatchQuestion:
    """One question of a file, and what the file says of its truth."""

    custom_id: str
    line: int
    """Where it stands, from 1; in a CSV file the row's last line."""
    video: str | None
    """None: the whole library is asked."""
    question: str
    options: tuple[str, ...] = ()
    answer: str | None = None
    """The right answer, where the file gives one."""
    kind: str | None = None
    status: str | None = None
    """ "answered" or "not_found": the right status, where the file gives one."""
    evidence: tuple[tuple[float, float], ...] = ()
    """Where the film shows it, in seconds."""
    is_chat: bool = False
    """Asked in the shape of the OpenAI API; answered in it too."""

    @property
    def asked(self) -> str:
        """A short hash of what is asked, for telling that a line was changed."""
        plain = json.dumps([self.video, self.question, list(self.options)])
        return hashlib.sha256(plain.encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that is no question."""

    line: int
    message: str


@dataclass(frozen=True, slots=True)
class QuestionFile:
    """What a file holds, in its order."""

    questions: tuple[BatchQuestion, ...]
    bad: tuple[BadLine, ...]


def read_questions(path: Path) -> QuestionFile:
    """The questions of a file: CSV by its ending, JSON lines else.

    Raises:
        InputError: the file cannot be read, or it is CSV without a column "question".
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}", "give a UTF-8 text file") from error
    rows = _csv_rows(text, path) if path.suffix.lower() == ".csv" else _json_rows(text)
    questions: dict[str, BatchQuestion] = {}
    bad: list[BadLine] = []
    for line, row in rows:
        try:
            found = _question(line, row() if callable(row) else row)
            if found.custom_id in questions:
                first = questions[found.custom_id].line
                raise InputError(f"custom_id {found.custom_id!r} stands in line {first} already")
            questions[found.custom_id] = found
        except InputError as error:
            bad.append(BadLine(line, str(error)))
    return QuestionFile(tuple(questions.values()), tuple(bad))


def _json_rows(text: str) -> Iterator[tuple[int, Any]]:
    # Not splitlines: a line of JSON may hold U+2028 and other breaks unescaped.
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield number, lambda line=line: _json_object(line)


def _json_object(line: str) -> dict[str, Any]:
    if len(line) > _LONGEST_LINE_CHARS:
        raise InputError(f"a line of {len(line):,} characters is no question")
    try:
        data = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"no JSON: {error}") from error
    if not isinstance(data, dict):
        raise InputError(f"a JSON object is needed, not {type(data).__name__}")
    return data


def _csv_rows(text: str, path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    reader = csv.DictReader(io.StringIO(text, newline=""))
    names = [name.strip() for name in reader.fieldnames or ()]
    if "question" not in names:
        raise InputError(
            f'{path} has no column "question" (it has: {", ".join(names) or "nothing"})',
            f"its first row names the columns: {', '.join(_FIELDS)}",
        )
    reader.fieldnames = names
    for row in reader:
        given = {key: value for key, value in row.items() if isinstance(value, str) and value}
        if row.get(None):
            given["more values than columns"] = "yes"
        if given:
            yield reader.line_num, given


def _question(line: int, row: Mapping[str, Any]) -> BatchQuestion:
    """The question of one line.

    Raises:
        InputError: what is wrong with it.
    """
    if "more values than columns" in row:
        raise InputError("more values than columns", 'put text that holds a comma into "quotes"')
    _check_names(row)
    is_chat = "body" in row
    fields = {**row, **_from_chat(row)} if is_chat else dict(row)
    video, text = _text(fields, "video"), _text(fields, "question") or ""
    asked = Question(" ".join(text.split()), _options(fields.get("options")))
    plain = json.dumps([video, asked.text, list(asked.options)])
    custom_id = _text(fields, "custom_id")
    return BatchQuestion(
        # A line without an id gets one that stays when lines are moved.
        custom_id=custom_id or hashlib.sha256(plain.encode()).hexdigest()[:12],
        line=line,
        video=video,
        question=asked.text,
        options=asked.options,
        answer=_text(fields, "answer"),
        kind=_text(fields, "kind"),
        status=_status(fields),
        evidence=_evidence(fields.get("evidence")),
        is_chat=is_chat,
    )


def _check_names(row: Mapping[str, Any]) -> None:
    known = (*_FIELDS, *_TRUTH, *_ALSO_KNOWN)
    for name in row:
        if name not in known:
            near = difflib.get_close_matches(name.lower(), _FIELDS, n=1, cutoff=_LIKE_OURS)
            if near:
                raise InputError(f"no field {name!r}", f"did you mean {near[0]!r}?")


def _text(fields: Mapping[str, Any], name: str) -> str | None:
    """A field as text; None where it is absent, null or empty."""
    value = fields.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise InputError(f"{name} is {value!r}", "a text is needed")
    text = str(value).strip()
    if not text.isprintable() and any("\ud800" <= char <= "\udfff" for char in text):
        raise InputError(f"{name} holds half a character: {value!r}", "write it as UTF-8")
    return text or None


def _options(value: Any) -> tuple[str, ...]:
    """Options from a list, or from one text: a JSON list, or divided by |."""
    if isinstance(value, str):
        text = value.strip()
        value = _listed(text) if text.startswith("[") else text.split("|") if text else []
    if value is None:
        return ()
    if not isinstance(value, list) or not all(
        isinstance(each, str | int | float) and not isinstance(each, bool) for each in value
    ):
        raise InputError(f"options are {value!r}", "a list of texts is needed")
    return tuple(str(each).strip() for each in value)


def _listed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise InputError(f"options {text!r} are no list: {error}") from error


def _status(fields: Mapping[str, Any]) -> str | None:
    status = _text(fields, "status")
    if status not in (None, "answered", "not_found"):
        raise InputError(f"status is {status!r}", "answered or not_found is the truth of a line")
    return status


def _evidence(value: Any) -> tuple[tuple[float, float], ...]:
    if isinstance(value, str):
        value = _listed(value)
    try:
        return tuple((float(start), float(end)) for start, end in value or ())
    except (TypeError, ValueError) as error:
        raise InputError(f"evidence is {value!r}", "[[start, end], …] in seconds") from error


# -- the batch file of the OpenAI API


def _from_chat(row: Mapping[str, Any]) -> dict[str, Any]:
    """Our fields from {"custom_id", "method", "url", "body"}.

    The question is the text of the one user message; the film is a `video_url` part of it, or
    `metadata.video`. A system message is passed over: the agent has its own prompts.
    """
    body = row["body"]
    if isinstance(body, str):
        body = _json_object(body)
    if not isinstance(body, dict):
        raise InputError("body is no JSON object")
    url = str(row.get("url", "/v1/chat/completions"))
    if not url.endswith("/chat/completions"):
        raise InputError(f"url is {url!r}", "/v1/chat/completions is answered")
    metadata = body.get("metadata") or {}
    texts, film = _user_message(body.get("messages"))
    fields = {"question": "\n".join(texts), "video": film}
    if isinstance(metadata, dict):
        fields |= {name: metadata[name] for name in ("video", "options") if metadata.get(name)}
    return {name: value for name, value in fields.items() if value is not None}


def _user_message(messages: Any) -> tuple[list[str], str | None]:
    if not isinstance(messages, list) or not all(isinstance(each, dict) for each in messages):
        raise InputError("body.messages is no list of messages")
    asked = [each for each in messages if each.get("role") not in ("system", "developer")]
    if len(asked) != 1 or asked[0].get("role") != "user":
        raise InputError("body.messages holds a conversation", "give one message of the user")
    content = asked[0].get("content")
    parts: Sequence[Any] = (
        [{"type": "text", "text": content}] if isinstance(content, str) else content or []
    )
    texts: list[str] = []
    film: str | None = None
    for part in parts:
        kind = part.get("type") if isinstance(part, dict) else None
        if kind == "text":
            texts.append(str(part.get("text", "")))
        elif kind == "video_url":
            film = _local(part.get("video_url"))
        else:
            raise InputError(f"a part of the message is {kind or part!r}", "text and video_url are")
    return texts, film


def _local(value: Any) -> str:
    """The path that a `video_url` names."""
    url = value.get("url") if isinstance(value, dict) else value
    if not isinstance(url, str) or not url:
        raise InputError(f"video_url is {value!r}", "name a file")
    if url.startswith("file:"):
        return unquote(urlparse(url).path)
    if "://" in url or url.startswith("data:"):
        raise InputError(f"video_url {url[:60]!r} is no file here", "name a path or file:///path")
    return url
