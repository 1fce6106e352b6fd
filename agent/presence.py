"""Whether the film holds what is asked for, by the whole search.

Vectors and looks say it as one log ratio: of a single moment what the belief gained over "nowhere"
(tools/belief.py), of several what their windows say together (agent/moments.py). Each look is read
by its own fit as if looks erred by themselves. They do not: what misleads one look at a near miss
misleads the second, and the more windows a film has the likelier one of them misleads both. So the
whole is read once more together with the hours that were searched, by a fit of its own on the ends
of searches in films of several lengths, with and without the evidence (stage "search" of
`python -m evals.calibrate`). Without that fit it stands as it is.

The log ratio weighs a finding by what the vectors had expected there. In a long film the moment may
stand far down their order: two looks may be sure of it, and the film is still doubted. So once
something was looked at twice, how sure the best of those looks are is read as well, by another fit
(stage "twice").
"""

from __future__ import annotations

from dataclasses import dataclass

from agent.confidence import Fit, Stage, StoredFit, fit_for, logit, sigmoid
from agent.moments import Moments, moments_of
from agent.settings import ReflectSettings
from agent.state import FindingState, State, intent_of, span_of
from agent.workspace import Workspace
from index.types import Span
from tools.belief import Belief


@dataclass(frozen=True, slots=True)
class Presence:
    """What a search says about whether the film holds it."""

    log_ratio: float
    """Natural log of P(all that was seen | held) / P(… | not held), before the fit."""
    absent: float
    """Probability that the film does not hold it, by the fit and the prior."""
    fit: str
    """Which fit that was, for the trace."""
    hours: float
    """Length of what the question is about, which the fit reads as well."""
    second: float | None = None
    """Log-odds of the finding that a second look is surest of, at least 0; None before any."""


def presence_of(ws: Workspace, state: State) -> Presence:
    """What the search says so far; every film holds the whole of itself."""
    hours = sum(part.duration_s for part in ws.parts(state)) / 3600
    if intent_of(state).wants_whole:
        return Presence(0.0, 0.0, "none: nothing is searched for", hours)
    before = ws.settings.survey.prior.absent
    if intent_of(state).wants_all:
        gained = logit(1 - ws.prior(state).belief.absent) - logit(1 - before)
        log_ratio = gained + moments_seen(ws, state)[1].log_ratio
    else:
        log_ratio = logit(1 - ws.belief(state).absent) - logit(1 - before)
    second = _surest(state)
    stored = _fit(ws, twice=second is not None)
    odds = stored.fit.log_odds(sigmoid(log_ratio), second=sigmoid(second or 0.0), hours=hours)
    return Presence(log_ratio, sigmoid(logit(before) - odds), stored.named, hours, second)


def _surest(state: State) -> float | None:
    """Log-odds of the finding that a second look is surest of; even where it shows nothing."""
    again = [logit(f["confidence"]) for f in state["findings"] if f["verified"]]
    return max(0.0, *again) if again else None


def _fit(ws: Workspace, *, twice: bool) -> StoredFit:
    """The fit of the whole search: that of second looks where there was one and it is fitted."""
    stage: Stage = "twice" if twice else "search"
    found = fit_for(
        ws.runs,
        model_hash=ws.videollm.weights_hash,
        prompt_hash=ws.prompts_hash(stage),
        stage=stage,
        default=Fit(),
    )
    return found if found.version or not twice else _fit(ws, twice=False)


def settled(ws: Workspace, state: State, belief: Belief) -> Belief:
    """The belief with "nowhere" as the whole search says; places keep their proportions."""
    return belief.with_absent(presence_of(ws, state).absent)


def moments_seen(ws: Workspace, state: State) -> tuple[list[FindingState], Moments]:
    """The last finding of every window, and what is believed of the moments.

    Of the same window only the last finding counts: a second look holds the first.
    """
    last: list[FindingState] = []
    settings = ws.settings.reflect
    for found in reversed(state["findings"]):
        span = span_of(found)
        if not any(same_window(span_of(k), span, settings) for k in last):
            last.append(found)
    prior = ws.prior(state).belief
    masses = prior.masses([span_of(f) for f in last]) / asked_mass(ws, state)
    # Windows may share up to half of their time: together they are no more than all.
    masses = masses / max(1.0, float(masses.sum()))
    ratios = [f["log_ratio"] for f in last]
    return last, moments_of(list(masses), ratios, settings=ws.settings.several)


def asked_mass(ws: Workspace, state: State) -> float:
    """The prior belief in the parts of the film that the question is about."""
    return float(ws.prior(state).belief.masses(ws.parts(state)).sum())


def same_window(a: Span, b: Span, settings: ReflectSettings) -> bool:
    """Whether two looks are of one window."""
    return a.overlap_s(b) >= settings.same_share * min(a.duration_s, b.duration_s)
