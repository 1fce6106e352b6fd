"""Our search with one part switched off, or one that is off switched on, by settings alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from agent.settings import AskSettings, SurveySettings

Change = Callable[[AskSettings], AskSettings]


def _prior(s: AskSettings) -> AskSettings:
    """The vectors say nothing: the prior is even."""
    return replace(s, survey=replace(s.survey, prior=replace(s.survey.prior, floor=1.0)))


def _pooling(s: AskSettings) -> AskSettings:
    """A shot is as likely as its best second is. The fits that read cosines are those of shots."""
    return replace(s, survey=replace(s.survey, prior=replace(s.survey.prior, pool=0.01)))


def _belief(s: AskSettings) -> AskSettings:
    """Looks are ordered by the prior; what was found no longer moves the order."""
    return replace(s, spotlight=replace(s.spotlight, follow_findings=False))


def _adaptive_size(s: AskSettings) -> AskSettings:
    """One size for all frames."""
    return replace(s, look=replace(s.look, high_short_side_px=s.look.short_side_px))


def _density(s: AskSettings) -> AskSettings:
    """One density for all looks, whatever moves in them."""
    fps = (s.look.still_fps + s.look.lively_fps) / 2
    return replace(s, look=replace(s.look, still_fps=fps, lively_fps=fps))


def _reflection(s: AskSettings) -> AskSettings:
    """No look is judged: the answer comes from the likeliest looks of the first turn."""
    return replace(s, reflect=replace(s.reflect, judge=False))


def _description(s: AskSettings) -> AskSettings:
    """A second look is described as well as judged; the embedded models go without, and what the
    words say weighs nothing in their fit."""
    return replace(s, verify=replace(s.verify, describe=True))


def _second_look(s: AskSettings) -> AskSettings:
    """What was found waits for its second look until the belief in it is high enough."""
    return replace(s, spotlight=replace(s.spotlight, second_look_first=False))


def _wide_turns(s: AskSettings) -> AskSettings:
    """Every look is a turn of its own, however little it may find."""
    return replace(s, spotlight=replace(s.spotlight, looks_per_turn=1))


def _price(s: AskSettings) -> AskSettings:
    """A look costs nothing but its share of the budget: the search spends it."""
    return replace(s, spotlight=replace(s.spotlight, look_price=0.0))


def _moves(s: AskSettings) -> AskSettings:
    """An ambiguous window is left as it is: no halves, no closer or wider look, no shift."""
    return replace(s, reflect=replace(s.reflect, moves=False))


def _related(s: AskSettings) -> AskSettings:
    """A finding says nothing for the seconds beside it."""
    return replace(s, reflect=replace(s.reflect, related_gain=0.0))


def _rewrite(s: AskSettings) -> AskSettings:
    """Retrieved by the question and its options alone, not in the model's words."""
    return replace(s, survey=replace(s.survey, rewrite_tokens=0))


def _more_clips(s: AskSettings) -> AskSettings:
    """Up to three findings in one prompt for a question about one moment, not the best alone."""
    return replace(s, answer=replace(s.answer, clips=3, near_best=0.0))


def _cuts(s: AskSettings) -> AskSettings:
    """The film is one long shot, for the prior as well, cut into windows around the key spans of
    its vectors alone."""
    return replace(s, spotlight=replace(s.spotlight, follow_cuts=False))


def _check(s: AskSettings) -> AskSettings:
    """The first reply stands: no check of completeness."""
    return replace(s, answer=replace(s.answer, passes=1))


def _strip(s: AskSettings) -> AskSettings:
    """A glance over the peaks, so requests of the model's own; the embedded models have none."""
    return replace(s, survey=replace(s.survey, strip_pairs=SurveySettings().strip_pairs))


ABLATIONS: dict[str, Change] = {
    "without-prior": _prior,
    "without-pooling": _pooling,
    "without-belief": _belief,
    "without-adaptive-size": _adaptive_size,
    "without-density": _density,
    "without-reflection": _reflection,
    "without-second-look-first": _second_look,
    "without-wide-turns": _wide_turns,
    "without-price": _price,
    "without-cuts": _cuts,
    "without-moves": _moves,
    "without-related": _related,
    "without-rewrite": _rewrite,
    "without-check": _check,
    "with-more-clips": _more_clips,
    "with-description": _description,
    "with-strip": _strip,
}
