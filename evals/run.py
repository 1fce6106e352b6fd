"""Runs an evaluation: every strategy over every question and budget, resumable, and the report."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from agent.models import Models
from agent.settings import AskSettings
from evals.asking import Asking, EvalProgress, Teller, ignore_event, prepared_texts
from evals.failures import cause_of
from evals.identity import model_names
from evals.items import Item, Outcome
from evals.record import Record
from evals.report import EvalReport, Failed, Series, report_of
from evals.rows import Asked, asked
from evals.strategies import AGENTS, ORACLE, OURS, strategy_named
from evals.workers import Job, Opener, asked_by_workers
from index.errors import InputError
from index.library import Library
from index.runs import RunStore
from index.types import Video


def evaluate(
    films: Sequence[Path],
    questions: Sequence[Item],
    *,
    strategies: Sequence[str],
    models: Models,
    library: Library,
    settings: AskSettings,
    budgets: Sequence[int] = (),
    whole_budget: bool = False,
    minutes: float = 0.0,
    progress: EvalProgress = ignore_event,
    record: Record | None = None,
    n_workers: int = 1,
    opener: Opener | None = None,
) -> EvalReport:
    """Asks every question by every strategy at every budget; returns the rows.

    Of a question the agent is asked first, since the baselines may show as many visual tokens as
    it used; where it is not among the strategies, as many as the budget allows.

    Args:
        films: the films of the questions; all of them indexed in `library`.
        questions: whose `video` names one of the films.
        strategies: names of evals/strategies.py.
        models: those that answer; also the library's encoder.
        settings: of the agent.
        budgets: visual tokens a question, ascending or not; none: the settings' own.
        whole_budget: the baselines may show the whole budget, however little the agent used.
        minutes: length of the films, for the rows.
        progress: told after every question.
        record: where outcomes are kept as they come; those in it already are not made again.
        n_workers: processes that ask; the numbers are the same with any.
        opener: opens the same models in another process; needed for more than one.

    Raises:
        ValueError: several workers, and no way to open their models.
        InputError: an unknown strategy, or a question about a film that is not among `films`.
        LibraryError: the library was indexed with another encoder.
    """
    for name in strategies:
        strategy_named(name)
    library.check_encoder(models.encoder.identity)
    videos = videos_of(films, questions, library)
    every = series_of(strategies, budgets or (settings.budget.visual_tokens,))
    record = record if record is not None else Record(None)
    tell = Teller(progress, minutes, len(questions) * len(every), frozenset(record))
    texts = prepared_texts(models, questions)
    asking = Asking(models, library, settings, record, texts, whole_budget, tell)
    found = _found(asking, videos, questions, every, n_workers=n_workers, opener=opener)
    answers: dict[Series, list[Asked]] = {series: [] for series in every}
    for item, outcomes in found:
        for series, outcome in outcomes.items():
            if outcome is not None:
                answers[series].append(asked(item, outcome))
    failed = _failed(answers, videos, asking)
    about = _about(videos.values(), models, settings, minutes=minutes)
    return report_of(answers, failed=failed, minutes=minutes, about=about)


_Found = Iterator[tuple[Item, dict[Series, Outcome | None]]]
"""Questions with what every series found, film by film."""


def _found(
    asking: Asking,
    videos: dict[str, Video],
    questions: Sequence[Item],
    every: Sequence[Series],
    *,
    n_workers: int,
    opener: Opener | None,
) -> _Found:
    if n_workers == 1:
        return _by_one(asking, videos, questions, every)
    if opener is None:
        raise ValueError(f"{n_workers} workers need to open models of their own")
    return _by_several(asking, videos, questions, every, n_workers=n_workers, opener=opener)


def _by_one(
    asking: Asking, videos: dict[str, Video], questions: Sequence[Item], every: Sequence[Series]
) -> _Found:
    for reference, video in videos.items():
        with asking.film(video) as view:
            for item in (q for q in questions if q.video == reference):
                yield item, asking.answers(video, view, item, every)


def _by_several(
    asking: Asking,
    videos: dict[str, Video],
    questions: Sequence[Item],
    every: Sequence[Series],
    *,
    n_workers: int,
    opener: Opener,
) -> _Found:
    job = Job(
        opener=opener,
        library=asking.library.folder,
        settings=asking.settings,
        questions=tuple(questions),
        every=tuple(every),
        whole_budget=asking.whole_budget,
        n_workers=n_workers,
    )
    with asked_by_workers(job, videos, asking.record) as coming:
        for reference, video in videos.items():
            for item in (q for q in questions if q.video == reference):
                for key, outcome in coming[item].result().items():
                    asking.record.add(key, outcome)
                yield item, asking.answers(video, None, item, every)


def series_of(strategies: Sequence[str], budgets: Sequence[int]) -> list[Series]:
    """The oracle once, and every other strategy at every budget; ours first, for its tokens."""
    found = [Series(ORACLE, None)] * (ORACLE in strategies)
    others = [s for s in strategies if s not in (OURS, ORACLE)]
    for budget in dict.fromkeys(budgets):
        found += [Series(OURS, budget)] * (OURS in strategies)
        found += [Series(name, budget) for name in others]
    return found


def videos_of(
    films: Sequence[Path], questions: Sequence[Item], library: Library
) -> dict[str, Video]:
    """The film of every reference that the questions use, in their order.

    Raises:
        InputError: a question is about another film, or one that is not indexed.
    """
    known = {str(path): path for path in films}
    by_name = {path.name: path for path in films}
    found: dict[str, Video] = {}
    for item in questions:
        if item.video in found:
            continue
        path = known.get(item.video) or by_name.get(Path(item.video).name)
        if path is None:
            raise InputError(
                f"question {item.custom_id} is about {item.video}, which is not among the films",
                "name that film too",
            )
        found[item.video] = library.find(str(path))
    return found


def _failed(
    answers: dict[Series, list[Asked]], videos: dict[str, Video], asking: Asking
) -> list[Failed]:
    """The agents' failures, each with the step of its trace that lost it."""
    found = []
    with contextlib.closing(RunStore.open(asking.library.folder)) as runs:
        for series, each in answers.items():
            for one in each if series.strategy in AGENTS else ():
                cause = cause_of(
                    one.item,
                    one.outcome,
                    right=one.right,
                    steps=() if one.right else runs.steps(one.outcome.run_id),
                    film=videos[one.item.video].span,
                    settings=asking.settings_of(series),
                )
                if cause is not None:
                    found.append(Failed(series, one, cause))
    return found


def _about(
    videos: Iterable[Video], models: Models, settings: AskSettings, *, minutes: float
) -> dict[str, Any]:
    return {
        "minutes": minutes,
        "films": [
            {"content_hash": v.content_hash, "duration_s": round(v.facts.duration_s, 3)}
            for v in videos
        ],
        "models": model_names(models),
        "settings": asdict(settings),
    }
