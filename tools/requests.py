"""Span-density requests: what a model writes when it wants to look closer.

    <span>62.00 - 68.00</span><fps>3</fps><size>high</size>

and, once it has seen enough, how it marks its answer: `<answer>a red boat</answer>`.

A request is clamped to what the question is about, all of the film or parts of it; where the cap
on frames binds, the density falls and the span stays. What cannot be honoured becomes a `Refusal`
whose code a program can read; nothing that was written is dropped in silence.

Source: DynFrame, arXiv 2605.26680 (the tags). Ours differs: en and em dashes, `mm:ss`, several
requests in one reply, an optional size, refusals.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

from index.types import Span

Size = Literal["low", "high"]
RefusalCode = Literal[
    "bad_time", "empty_span", "outside_film", "bad_fps", "bad_size", "already_seen", "too_dear"
]

_NUMBER = r"\d+(?:\.\d+)?|\.\d+"
_TIME = rf"(?:\d+\s*:\s*)?(?:\d+\s*:\s*)?(?:{_NUMBER})"
_RANGE = re.compile(
    rf"^\s*({_TIME})\s*s?(?:ec(?:onds?)?)?\s*(?:-|–|—|−|to|\.\.+|,)\s*({_TIME})\s*s?(?:ec(?:onds?)?)?\s*$"
)
_SPAN_TAG = re.compile(r"<\s*span\s*>(.*?)<\s*/\s*span\s*>", re.IGNORECASE | re.DOTALL)
_ASKED = re.compile(r"<\s*span\s*>", re.IGNORECASE)
_FPS_TAG = re.compile(r"<\s*fps\s*>(.*?)<\s*/\s*fps\s*>", re.IGNORECASE | re.DOTALL)
_SIZE_TAG = re.compile(r"<\s*size\s*>(.*?)<\s*/\s*size\s*>", re.IGNORECASE | re.DOTALL)
_ANSWER_TAG = re.compile(r"<\s*answer\s*>(.*?)(?:<\s*/\s*answer\s*>|$)", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Request:
    """A span that a model asks to see."""

    span: Span
    fps: float | None
    """Frames a second, already under the cap; None: the film's motion decides."""
    size: Size | None = None
    """None: the controller decides."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that cannot be honoured."""

    code: RefusalCode
    text: str
    """What was written, or the span that was read from it."""
    detail: str
    """One line for the model: what is wrong and what would do."""


@dataclass(frozen=True, slots=True)
class ParsedRequests:
    """All that a reply asked for, in its order."""

    requests: tuple[Request, ...]
    refusals: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """What a request must stay within."""

    film: Span
    parts: tuple[Span, ...] = ()
    """The stretches of it that the question is about, in order; () where it is about all of it."""
    max_fps: float = 30.0

    def __post_init__(self) -> None:
        if self.max_fps <= 0:
            raise ValueError(f"max_fps {self.max_fps}")

    def inside(self, span: Span) -> Span | None:
        """The span from the first part to the last; None where it meets none of them."""
        parts = self.parts or (self.film,)
        if not any(span.overlap_s(part) > 0 for part in parts):
            return None
        return span.clamp(Span(parts[0].start_s, parts[-1].end_s))

    def told(self, span: Span) -> str:
        """Where requests may lie, for one that does not."""
        if self.parts in ((), (self.film,)):
            return f"the film ends at {self.film.end_s:.2f} seconds"
        near = min(self.parts, key=lambda part: abs(part.middle_s - span.middle_s))
        where = f"{near.start_s:.2f} to {near.end_s:.2f} s"
        if len(self.parts) == 1:
            return f"the question is about {where} of the film"
        return f"the question is about {len(self.parts)} parts of the film; the nearest is {where}"


def seconds_of(text: str) -> float | None:
    """Seconds of "62.5", "1:02.5" or "0:01:02.5"; None where it is no time."""
    parts = [part.strip() for part in text.strip().split(":")]
    if not 1 <= len(parts) <= 3 or not re.fullmatch(_NUMBER, parts[-1]):
        return None
    if any(not part.isdecimal() for part in parts[:-1]):
        return None
    total = 0.0
    for part in parts:
        total = total * 60 + float(part)
    return total if math.isfinite(total) else None


def parse_requests(text: str, *, limits: RequestLimits) -> ParsedRequests:
    """The requests in a model's reply; text without tags holds none."""
    requests: list[Request] = []
    refusals: list[Refusal] = []
    tags = list(_SPAN_TAG.finditer(text))
    for position, tag in enumerate(tags):
        end = tags[position + 1].start() if position + 1 < len(tags) else len(text)
        found = _one(tag.group(1), text[tag.end() : end], limits)
        if isinstance(found, Request):
            requests.append(found)
        else:
            refusals.append(found)
    return ParsedRequests(tuple(requests), tuple(refusals))


def asks_for_a_look(text: str) -> bool:
    """Whether a reply holds a request, be it cut off or one that cannot be honoured."""
    return _ASKED.search(text) is not None


def without_answer_tags(text: str) -> str:
    """What a reply gives as its answer; all of it where no tags mark one."""
    tag = _ANSWER_TAG.search(text)
    return tag.group(1).strip() if tag else text


def _one(span_text: str, rest: str, limits: RequestLimits) -> Request | Refusal:
    """One request: the inside of its span tag, and what follows up to the next one."""
    span = _span(span_text, limits)
    if isinstance(span, Refusal):
        return span
    fps = _fps(rest, limits.max_fps)
    if isinstance(fps, Refusal):
        return fps
    size = _size(rest)
    if isinstance(size, Refusal):
        return size
    return Request(span=span, fps=fps, size=size)


def _span(text: str, limits: RequestLimits) -> Span | Refusal:
    match = _RANGE.match(text)
    start_s = seconds_of(match.group(1)) if match else None
    end_s = seconds_of(match.group(2)) if match else None
    if start_s is None or end_s is None:
        return Refusal("bad_time", text, "write the span as start - end, in seconds")
    if not start_s < end_s:
        return Refusal("empty_span", text, "the start must be before the end")
    written = Span(start_s, end_s)
    return limits.inside(written) or Refusal("outside_film", text, limits.told(written))


def _fps(rest: str, max_fps: float) -> float | Refusal | None:
    tag = _FPS_TAG.search(rest)
    if tag is None:
        return None
    written = tag.group(1).strip()
    value = float(written) if re.fullmatch(_NUMBER, written) else 0.0
    if not 0 < value <= max_fps:
        return Refusal("bad_fps", written, f"fps must be above 0 and at most {max_fps:g}")
    return value


def _size(rest: str) -> Size | Refusal | None:
    tag = _SIZE_TAG.search(rest)
    if tag is None:
        return None
    written = tag.group(1).strip().lower()
    if written == "low":
        return "low"
    if written == "high":
        return "high"
    return Refusal("bad_size", tag.group(1).strip(), "size must be low or high")
