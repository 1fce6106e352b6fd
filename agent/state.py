"""The graph's state: plain JSON types only, so that a checkpoint is small and comes back as it was.

Pixels, models and the film's vectors are never in it. The belief is not either: it is the prior
(made again from the cues) times the updates listed here.
"""

from __future__ import annotations

from typing import Any, Literal, TypedDict

from agent.plan import Intent
from index.types import Span

Next = Literal["plan", "survey", "spotlight", "look", "reflect", "answer", "end"]
Source = Literal["belief", "request", "split", "closer", "wider", "shift", "even", "answer"]


class Cue(TypedDict):
    """A text to retrieve by."""

    text: str
    group: str
    """"rewrite", "question", "cue objects" or "options": cues of one group count by their best;
    "after", "before" or "during": something that the question names the time by."""
    weight: float


class WindowState(TypedDict):
    """A window to look at, with the shape that the budget allows."""

    start_s: float
    end_s: float
    source: Source
    why: str
    fps: float | None
    """What the model asked for; None: nobody did."""
    n_frames: int
    width_px: int
    height_px: int


class ProposalState(TypedDict):
    """A window that joined the queue beside the shots."""

    start_s: float
    end_s: float
    source: Source
    fps: float | None
    high: bool


class LookState(TypedDict):
    """A look that was delivered."""

    look_id: str
    start_s: float
    end_s: float
    n_frames: int
    width_px: int
    height_px: int
    tokens: int
    source: Source


class FindingState(TypedDict):
    """What a look showed."""

    finding_id: str
    look_id: str
    start_s: float
    end_s: float
    p_yes: float
    confidence: float
    log_ratio: float
    """What it says for its span (natural log), second look included."""
    verified: bool
    """Whether this is the second look."""


class UpdateState(TypedDict):
    """What changed the belief."""

    start_s: float
    end_s: float
    log_ratio: float
    cause: str


class EventState(TypedDict):
    """Where one of several things was found whose order is asked for."""

    thing: str
    """As the question names it."""
    start_s: float
    end_s: float
    confidence: float
    absent: float
    """Probability that the film does not hold it, by its search."""


class CitedLineState(TypedDict):
    """A line of words that the answer rests on."""

    start_s: float
    end_s: float
    text: str


class State(TypedDict, total=False):
    """One run. Every node returns the keys that it changed, whole."""

    step_index: int
    next: Next
    kind: str
    subject: str
    question: str
    """The question without what it says about the time, by the clock or by a line that is said:
    what the evidence is asked."""
    reflect_question: str
    things: list[str]
    """Of an order question: all that is to be found, one after the other."""
    events: list[EventState]
    """Those that were found, in the order of `things`; the next of them is searched now."""
    earlier_looks: list[LookState]
    """Looks of the searches for those: they say nothing about what is searched now."""
    bounds: list[float]
    parts: list[list[float]]
    """The stretches of the bounds that are meant, where these are not all of it; in order."""
    cues: list[Cue]
    cited_lines: list[CitedLineState]
    flat: bool
    updates: list[UpdateState]
    proposals: list[ProposalState]
    chosen: list[WindowState]
    looks: list[LookState]
    unjudged: list[str]
    """Looks that no reflection has seen yet."""
    findings: list[FindingState]
    attempts: int
    looks_before_answer: int
    """How many looks there were when an answer was tried last; runs of older versions lack it."""
    guess: dict[str, Any]
    """The best reply so far that did not pass."""
    stop_reason: str
    spent: dict[str, float]
    usage: dict[str, float]
    answer: dict[str, Any]
    """The answer's JSON; present only at the end."""


def initial_state() -> State:
    """The state that a run starts from; everything is there, so that nodes need no defaults."""
    return State(
        step_index=0,
        next="survey",
        kind="moment",
        subject="",
        question="",
        reflect_question="",
        things=[],
        events=[],
        earlier_looks=[],
        bounds=[],
        parts=[],
        cues=[],
        cited_lines=[],
        flat=False,
        updates=[],
        proposals=[],
        chosen=[],
        looks=[],
        unjudged=[],
        findings=[],
        attempts=0,
        looks_before_answer=0,
        guess={},
        stop_reason="",
        spent={"visual_tokens": 0, "looks": 0, "calls": 0, "seconds": 0.0},
        usage={},
        answer={},
    )


def span_of(item: Any) -> Span:
    """The span of a window, look, finding, proposal or update."""
    return Span(item["start_s"], item["end_s"])


def intent_of(state: State) -> Intent:
    """The question's kind and subject, as the plan left them."""
    return Intent(
        kind=state["kind"],  # type: ignore[arg-type]
        subject=state["subject"],
        reflect_question=state["reflect_question"],
        things=tuple(state["things"]),
    )
