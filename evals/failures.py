"""Why a question failed, read from the trace of its run and the truth about it.

    not retrieved       the prior does not hold the true span among its best stretches (of 1/200 of
                        the film each, all that a trace keeps: see N_RETRIEVED)
    not looked at       it does, but no look of the search shows the span
    misjudged           a look shows it and was judged not to; or a look that shows none of it was
                        judged to, where that decided (an absent subject, a moment too many)
    refused             a look shows it and was judged so, and the search ended as "not found": the
                        second looks, or all that was seen, doubted it
    misread             a look shows it and was judged so, and the answer is wrong all the same
    cited badly         the answer rests on another span, or is right with a citation beside it

A question fails at the first of these steps that lost it. Of a question with several moments the
worst of them counts. An order question is searched by its anchor, so that is what must be found.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, get_args

from agent.moves import is_glance
from agent.settings import AskSettings, LookSettings
from evals.items import Item, Outcome
from evals.metrics import best_tiou
from index.run_rows import FindingRow, StepRow
from index.types import Span

Cause = Literal[
    "not retrieved",
    "not looked at",
    "misjudged",
    "refused",
    "misread",
    "cited badly",
    "no trace",
]
CAUSES: tuple[Cause, ...] = get_args(Cause)
N_RETRIEVED = 32
"""A span counts as retrieved when it touches one of so many heaviest stretches of the prior: as
wide a shortlist as the literature finds evidence in. The trace keeps the prior as 200 equal
stretches (`AskSettings.belief_bins`), so that this is 16 % of any film. A stretch of a quarter of
an hour is 4.5 s; of ten hours it is three minutes, which is many windows: the longer the film, the
more often a span that the prior ranks low there counts as "not looked at"."""
SHOWN_SHARE = 0.5
"""A look shows a true span when it shares at least this much of the shorter of the two."""
GOOD_TIOU = 0.5
"""A first citation below this tIoU with every true span is a bad one."""


def cause_of(
    item: Item,
    outcome: Outcome,
    *,
    right: bool,
    steps: Sequence[StepRow],
    film: Span,
    settings: AskSettings,
) -> Cause | None:
    """The step that lost the question; None: nothing did.

    Args:
        steps: the run's trace; empty where it is gone.
        settings: those that the question was asked with: what a glance is, and from which
            confidence on a finding counts as showing the evidence.
    """
    if right:
        return "cited badly" if _badly_cited(item, outcome) else None
    if not steps:
        return "no trace"
    if item.is_absent:
        return "misjudged"
    close, accept = close_steps(steps, settings.look), settings.reflect.accept
    findings = [f for step in close for f in step.findings]
    lost: list[Cause] = []
    for span in anchors_of(item):
        lost += _lost(span, close, film=film, accept=accept, ever=item.kind == "order")
    if lost:
        return min(lost, key=CAUSES.index)
    if outcome.status == "not_found":
        return "refused"
    accepted = [f.span for f in findings if f.confidence >= accept]
    if item.kind in ("times", "all", "first") and any(
        not shows(s, item.evidence) for s in accepted
    ):
        return "misjudged"
    cited = outcome.citations or outcome.spans
    elsewhere = bool(cited) and not any(shows(c, item.evidence) for c in cited)
    return "cited badly" if elsewhere else "misread"


def close_steps(steps: Sequence[StepRow], settings: LookSettings) -> list[StepRow]:
    """The steps without what glances found: a moment lies between their frames more often than in
    one of them, so they say nothing about what the model makes of it.

    Args:
        settings: those that the question was asked with.
    """
    glances = {
        look.look_id
        for step in steps
        for look in step.looks
        if is_glance(look.span, len(look.times_s), settings)
    }
    return [
        replace(step, findings=tuple(f for f in step.findings if f.look_id not in glances))
        for step in steps
    ]


def _lost(
    span: Span, steps: Sequence[StepRow], *, film: Span, accept: float, ever: bool
) -> list[Cause]:
    """Where the search lost a true span; empty: the last step that judged it saw it.

    Args:
        steps: without what glances found.
        ever: what any step saw there counts, not the last alone: of several things one shows the
            evidence of one search and is judged by the next as well.
    """
    judged: list[FindingRow] = []
    for step in steps:
        found = [f for f in step.findings if shows(f.span, [span])]
        judged = judged + found if ever else found or judged
    if any(f.confidence >= accept for f in judged):
        return []
    if judged:
        return ["misjudged"]
    prior = next((s.belief_before or s.belief_after for s in steps if s.belief_after), ())
    return ["not looked at" if retrieved(span, prior, film=film) else "not retrieved"]


def retrieved(span: Span, prior: Sequence[float], *, film: Span) -> bool:
    """Whether the span touches one of the heaviest stretches of a belief's profile.

    Args:
        prior: masses of equal stretches of the film, as a trace keeps them; ties count as in.
    """
    if not prior:
        return False
    least = sorted(prior, reverse=True)[min(N_RETRIEVED, len(prior)) - 1]
    step_s = film.duration_s / len(prior)
    touched = (
        mass
        for i, mass in enumerate(prior)
        if film.start_s + i * step_s < span.end_s and film.start_s + (i + 1) * step_s > span.start_s
    )
    return max(touched, default=0.0) >= least


def anchors_of(item: Item) -> list[Span]:
    """The spans that the reflection question asks about: of an order question, its anchor."""
    spans = sorted(item.evidence)
    if item.kind == "after":
        return spans[:1]
    return spans[-1:] if item.kind == "before" else spans


def shows(span: Span, true: Sequence[Span]) -> bool:
    """Whether a look at `span` shows a true span, or a good part of it."""
    return any(span.overlap_s(t) >= SHOWN_SHARE * min(span.duration_s, t.duration_s) for t in true)


def _badly_cited(item: Item, outcome: Outcome) -> bool:
    if item.is_absent or not outcome.citations:
        return not item.is_absent
    return best_tiou(outcome.citations[0], item.evidence) < GOOD_TIOU


def counted(causes: Sequence[tuple[str, Cause]]) -> dict[str, dict[str, int]]:
    """Cause → kind of question → how many; causes in the order of the steps."""
    found: dict[str, dict[str, int]] = {}
    for cause in CAUSES:
        kinds = Counter(kind for kind, each in causes if each == cause)
        if kinds:
            found[cause] = dict(kinds)
    return found
