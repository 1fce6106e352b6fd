"""Ways to answer a question about a film, by name.

    spotlight   the agent
    oracle      the same model shown exactly the true spans
    without-…   the agent with one part switched off (evals/ablation.py)
    the others  one prompt over what a selection chose (evals/selection/)

The others use the agent's prompts and its ordinary frame size, and may show as many visual tokens
as they are given, as far as one prompt of the model holds them; what they really used is in the
outcome. Asked by one prompt, they reject only where the model says "not enough", which it cannot
say to options.

The oracle answers questions whose answer is a span, a number of spans or an order as the agent
does: each true span is judged by the reflection prompt, read by the fit that the agent's looks are
read by, and those that pass are the answer. It has nothing to say about absent subjects, which have
no true span: those it leaves out.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from agent.ask import ask
from agent.events import read_order
from agent.evidence import NOT_ENOUGH, normalised
from agent.kinds import nearest_number, said
from agent.order import option_in_order, said_in_order
from agent.plan import option_by_number, option_by_time, parse_question, thing_of
from agent.types import Answer, Question
from evals.ablation import ABLATIONS
from evals.film_view import FilmView, Said
from evals.items import Item, Outcome, Status
from evals.selection.named import BASELINES, selection_named
from index.errors import InputError
from index.run_rows import StepRow
from index.runs import RunStore
from index.types import Span

Strategy = Callable[[FilmView, Item, int], Outcome | None]
"""Answers an item with so many visual tokens; None where it has nothing to say about it."""

OURS, ORACLE = "spotlight", "oracle"
AGENTS = (OURS, *ABLATIONS)
"""Those that run the agent: they leave a trace, and keep to the budget of the settings."""
STRATEGIES = (OURS, ORACLE, *BASELINES, *ABLATIONS)
GROUPS = {"all": (OURS, ORACLE, *BASELINES), "ablation": AGENTS}


def strategies_of(text: str) -> list[str]:
    """The strategies of "a,b,c", where "all" and "ablation" stand for several; each once.

    Raises:
        InputError: one is unknown, or none is named.
    """
    given = [name.strip() for name in text.split(",") if name.strip()]
    names = [name for each in given for name in GROUPS.get(each, (each,))]
    for name in names or [text]:
        if name not in STRATEGIES:
            known = ", ".join((*STRATEGIES, *GROUPS))
            raise InputError(f"no strategy {name!r}", f"known: {known}")
    return list(dict.fromkeys(names))


def strategy_named(name: str) -> Strategy:
    """The strategy of a name in STRATEGIES.

    Raises:
        InputError: there is none of that name.
    """
    strategies_of(name)
    if name == ORACLE:
        return oracle
    return spotlight if name in AGENTS else _by_selection(name)


def spotlight(view: FilmView, item: Item, visual_tokens: int) -> Outcome:
    """The agent; it keeps to the settings' own budget."""
    answer = ask(
        view.library,
        view.video,
        item.question,
        options=item.options,
        models=view.models,
        settings=view.settings,
    )
    with contextlib.closing(RunStore.open(view.library.folder)) as runs:
        steps = runs.steps(answer.run_id)
    return outcome_of(answer, steps)


def outcome_of(answer: Answer, steps: Sequence[StepRow]) -> Outcome:
    """The agent's answer and the steps that led to it, as an outcome.

    What was shown is read from the calls: a second look is judged and described, and its frames
    were shown twice; a look that nobody judged was not shown.
    """
    looks = [look for step in steps for look in step.looks]
    n_shown = Counter(name for step in steps for call in step.calls for name in call.look_ids)
    n_frames = sum(len(look.times_s) * n_shown[look.look_id] for look in looks)
    strips = [(step.data.get("strip") or {}).get("times_s", ()) for step in steps]
    n_asked = [sum(call.prompt_name == "request" for call in step.calls) for step in steps]
    times_s = {t for look in looks if n_shown[look.look_id] for t in look.times_s}
    times_s |= {t for strip, n in zip(strips, n_asked, strict=True) if n for t in strip}
    return Outcome(
        answer=answer.answer,
        choice=answer.choice,
        status=answer.status,
        confidence=answer.confidence,
        citations=tuple(c.span for c in answer.citations),
        spans=answer.spans,
        looked=tuple(look.span for look in looks if n_shown[look.look_id]),
        # The strip's, each as often as the model was asked over it.
        n_frames=n_frames + sum(n * len(s) for n, s in zip(n_asked, strips, strict=True)),
        n_distinct=len(times_s),
        visual_tokens=int(answer.usage["visual_tokens"]),
        calls=int(answer.usage["calls"]),
        seconds=float(answer.usage["seconds"]),
        note=answer.stop_reason,
        run_id=answer.run_id,
    )


def _by_selection(name: str) -> Strategy:
    def answer(view: FilmView, item: Item, visual_tokens: int) -> Outcome:
        select = selection_named(name, view.settings)
        shown = select(view.vectors.sheet(item), view.purse(visual_tokens))
        return _outcome(view, view.ask(_question(item), view.clips_of(shown)))

    return answer


def oracle(view: FilmView, item: Item, visual_tokens: int) -> Outcome | None:
    """The true spans, shown as the agent shows its evidence."""
    if item.is_absent:
        return None
    if item.kind in ("when", "times", "all", "first"):
        return _judged(view, item)
    if item.kind == "order":
        return _compared(view, item)
    spans, name = list(item.evidence), "answer"
    if item.kind in ("after", "before") and view.settings.answer.neighbour_alone:
        # As the agent asks such a model: of the two true shots, the one beside the anchor.
        spans, name = [max(spans) if item.kind == "after" else min(spans)], "shown"
    clips = [view.clip_of(span, view.close_shape()) for span in spans]
    heard = view.ask(_question(item), clips, prompt_name=name)
    return _outcome(view, heard, citations=item.evidence)


def _judged(view: FilmView, item: Item) -> Outcome:
    question = parse_question(item.question).reflect_question
    shape = view.close_shape()
    chances = [view.judge(question, view.clip_of(span, shape)) for span in item.evidence]
    accept = view.settings.reflect.accept
    spans = tuple(s for s, p in zip(item.evidence, chances, strict=True) if p >= accept)
    if item.kind == "first":
        spans = spans[:1]
    confidence = min((p for p in chances if p >= accept), default=max(chances))
    if not spans:
        return _outcome(view, Said("", None, confidence), status="not_found")
    text = str(len(spans)) if item.kind == "times" else ", ".join(said(s) for s in spans)
    heard = Said(text, _pick(item, spans), confidence)
    return replace(_outcome(view, heard, citations=spans), spans=spans)


def _compared(view: FilmView, item: Item) -> Outcome:
    """Each thing is given the true span that it is judged to be in, and code compares."""
    asked = read_order(item.question.rstrip("?"))
    assert asked is not None, "an order question names its things"
    shape = view.close_shape()
    clips = [view.clip_of(span, shape) for span in item.evidence]
    places: list[tuple[int, str]] = []
    confidence = 1.0
    for position in range(len(asked.things)):
        question = thing_of(asked.things, position).reflect_question
        chances = [view.judge(question, clip) for clip in clips]
        best = max(range(len(clips)), key=chances.__getitem__)
        confidence *= chances[best]
        if chances[best] < view.settings.reflect.accept:
            return _outcome(view, Said("", None, confidence), status="not_found")
        places.append((best, asked.things[position]))
    things = [thing for _, thing in sorted(places)]
    choice = option_in_order(asked, things, item.options) if item.options else None
    heard = Said(said_in_order(asked, things), choice, confidence)
    return _outcome(view, heard, citations=item.evidence)


def _pick(item: Item, spans: Sequence[Span]) -> int | None:
    if not item.options:
        return None
    if item.kind == "times":
        exact = option_by_number(item.options, len(spans))
        return exact if exact is not None else nearest_number(item.options, len(spans))
    return option_by_time(item.options, spans)


def _question(item: Item) -> Question:
    return Question(text=item.question, options=item.options)


def _outcome(
    view: FilmView, heard: Said, *, status: Status | None = None, citations: Sequence[Span] = ()
) -> Outcome:
    """What the model said, with the view's counts. "Not enough" is a rejection."""
    if status is None:
        rejects = heard.choice is None and normalised(heard.text) == NOT_ENOUGH
        status = "not_found" if rejects else "answered"
    return Outcome(
        answer=heard.text,
        choice=heard.choice,
        status=status,
        confidence=heard.confidence,
        citations=tuple(citations),
        spans=(),
        looked=tuple(view.looked),
        n_frames=view.n_frames,
        n_distinct=len(view.shown_s),
        visual_tokens=view.usage.visual_tokens,
        calls=view.usage.calls,
        seconds=view.seconds,
    )
