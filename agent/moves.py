"""What a finding makes the search look at next: closer, in halves, wider, or a little to the side.

An ambiguous window is split where it is long and seen larger where it is short; one that stays
ambiguous is seen wider, since what it shows may need what stands around it. A window that was cut
out of a long shot is shifted to the side where the belief stands higher. Every move is made once
for a stretch, so that no chain of moves goes on for ever.

Source: VTS, arXiv 2607.16189 (zoom out and shift, loop detector). Ours differs: the moves join one
queue and wait for their turn by what they are expected to tell.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from agent.settings import LookSettings, ReflectSettings, SpotlightSettings
from agent.state import FindingState, LookState, ProposalState, Source, span_of
from index.types import Shot, Span, union
from tools.belief import Belief


def moves(
    found: FindingState, taken: LookState, *, settings: ReflectSettings, bounds: Span
) -> list[ProposalState]:
    """Further looks at an ambiguous window: halves or larger, then wider; then nothing more."""
    low, high = settings.ambiguous
    if not low <= found["confidence"] <= high:
        return []
    span = span_of(found)
    if taken["source"] in ("split", "closer", "shift"):
        wider = span.widen(span.duration_s / 2, bounds)
        return [] if wider == span else [_proposal(wider, "wider")]
    if taken["source"] == "wider":
        return []
    if span.duration_s > settings.split_longer_s:
        halves = (Span(span.start_s, span.middle_s), Span(span.middle_s, span.end_s))
        return [_proposal(half, "split") for half in halves]
    return [_proposal(span, "closer", high=True)]


def shifted(
    found: FindingState,
    taken: LookState,
    *,
    settings: ReflectSettings,
    shot: Shot | None,
    belief: Belief,
) -> list[ProposalState]:
    """The window half its length to the side of more belief, where no cut bounds it there."""
    span = span_of(found)
    if found["confidence"] < settings.ambiguous[0] or taken["source"] == "shift" or shot is None:
        return []
    half_s = span.duration_s / 2
    sides = [
        Span(start_s, start_s + span.duration_s)
        for start_s in (span.start_s - half_s, span.start_s + half_s)
        if start_s >= shot.span.start_s and start_s + span.duration_s <= shot.span.end_s
    ]
    if not sides:
        return []
    outside = [
        Span(s.start_s, span.start_s) if s < span else Span(span.end_s, s.end_s) for s in sides
    ]
    masses = [belief.mass(part) for part in outside]
    return [_proposal(sides[masses.index(max(masses))], "shift")]


def is_glance(span: Span, n_frames: int, settings: LookSettings) -> bool:
    """Whether a moment may well lie between a look's frames: the model asked for a long span."""
    return span.duration_s > settings.widest_gap_s * n_frames


def close_looks(looks: Iterable[LookState], settings: LookSettings) -> list[LookState]:
    """The looks that showed their spans: all but glances."""
    return [k for k in looks if not is_glance(span_of(k), k["n_frames"], settings)]


def goes_in_circles(looks: Sequence[LookState], *, settings: SpotlightSettings) -> bool:
    """Whether the last looks showed hardly anything that had not been looked at before."""
    recent = [k for k in looks if k["source"] != "answer"]
    if len(recent) <= settings.loop_looks:
        return False
    before = recent[: -settings.loop_looks]
    shown_s = sum(span_of(k).duration_s for k in recent[-settings.loop_looks :])
    new_s = _seconds(recent) - _seconds(before)
    return new_s < settings.loop_new_share * shown_s


def _seconds(looks: Iterable[LookState]) -> float:
    """Seconds that were looked at, each once."""
    return sum(span.duration_s for span in union(span_of(k) for k in looks))


def _proposal(span: Span, source: Source, *, high: bool = False) -> ProposalState:
    return {
        "start_s": span.start_s,
        "end_s": span.end_s,
        "source": source,
        "fps": None,
        "high": high,
    }
