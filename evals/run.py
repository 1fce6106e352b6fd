"""Runs an evaluation: every strategy over every question and budget, resumable, and the report."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from agent.models import Models
from agent.settings import AskSettings, with_budget
from evals.ablation import ABLATIONS
from evals.failures import cause_of
from evals.film_vectors import FilmVectors, TextVectors, cues_of
from evals.film_view import CACHE_BYTES, FilmView
from evals.identity import model_names, setting_of
from evals.items import Item, Outcome
from evals.record import Key, Record
from evals.report import EvalReport, Failed, Series, report_of
from evals.rows import Asked, asked
from evals.strategies import AGENTS, ORACLE, OURS, strategy_named
from index.errors import InputError
from index.library import Library
from index.media import open_video
from index.runs import RunStore
from index.types import Video
from tools.look import FrameCache


@dataclass(frozen=True, slots=True)
class EvalEvent:
    """One question answered, or found answered in the record."""

    done: int
    total: int
    minutes: float
    """Length of the films that are asked."""
    strategy: str
    custom_id: str
    right: bool | None
    """None where the strategy has nothing to say."""
    resumed: bool


class EvalProgress(Protocol):
    """Told after every question of every strategy."""

    def __call__(self, event: EvalEvent, /) -> None: ...


def ignore_event(event: EvalEvent) -> None:
    """Watches nothing."""


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

    Raises:
        InputError: an unknown strategy, or a question about a film that is not among `films`.
        LibraryError: the library was indexed with another encoder.
    """
    for name in strategies:
        strategy_named(name)
    library.check_encoder(models.encoder.identity)
    videos = videos_of(films, questions, library)
    every = series_of(strategies, budgets or (settings.budget.visual_tokens,))
    texts = TextVectors(models.encoder)
    texts.prepare(text for item in questions for text in cues_of(item).texts)
    run = _Run(
        models, library, settings, record or Record(None), progress, texts, whole_budget, minutes
    )
    run.total = len(questions) * len(every)
    answers: dict[Series, list[Asked]] = {series: [] for series in every}
    for reference, video in videos.items():
        with run.film(video) as view:
            for item in (q for q in questions if q.video == reference):
                for series, outcome in run.answers(view, item, every).items():
                    if outcome is not None:
                        answers[series].append(asked(item, outcome))
    failed = _failed(answers, videos, library, settings)
    about = _about(videos.values(), models, settings, minutes=minutes)
    return report_of(answers, failed=failed, minutes=minutes, about=about)


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


@dataclass(slots=True)
class _Run:
    """One evaluation under way."""

    models: Models
    library: Library
    settings: AskSettings
    record: Record
    progress: EvalProgress
    texts: TextVectors
    whole_budget: bool
    minutes: float
    total: int = 0
    done: int = 0
    _changed: dict[Series, AskSettings] = field(default_factory=dict)

    @contextlib.contextmanager
    def film(self, video: Video) -> Iterator[FilmView]:
        """The film, open for the baselines."""
        vectors = FilmVectors.read(
            self.library, video, texts=self.texts, survey=self.settings.survey
        )
        with contextlib.closing(open_video(video.path)) as reader:
            frames = FrameCache(reader, limit_bytes=CACHE_BYTES)
            yield FilmView(self.library, video, frames, self.models, self.settings, vectors)

    def answers(
        self, view: FilmView, item: Item, every: Sequence[Series]
    ) -> dict[Series, Outcome | None]:
        """Every series' outcome for one item."""
        found: dict[Series, Outcome | None] = {}
        for series in every:
            tokens = series.budget or 0
            ours = found.get(Series(OURS, series.budget))
            if ours is not None and series.strategy not in AGENTS and not self.whole_budget:
                tokens = ours.visual_tokens
            found[series] = self._answer(view, item, series, tokens)
        return found

    def _answer(
        self, view: FilmView, item: Item, series: Series, visual_tokens: int
    ) -> Outcome | None:
        settings = self._settings(series)
        setting = setting_of(
            series.strategy, item, visual_tokens, models=self.models, settings=settings
        )
        key = Key(view.video.content_hash, item.custom_id, series.strategy, setting)
        resumed = key in self.record
        if not resumed:
            view.begin(settings)
            self.record.add(key, strategy_named(series.strategy)(view, item, visual_tokens))
        outcome = self.record[key]
        self.done += 1
        right = asked(item, outcome).right if outcome else None
        event = EvalEvent(
            self.done, self.total, self.minutes, series.strategy, item.custom_id, right, resumed
        )
        self.progress(event)
        return outcome

    def _settings(self, series: Series) -> AskSettings:
        """The settings under a series' budget, with its part switched off where it is one."""
        if series not in self._changed:
            settings = with_budget(self.settings, visual_tokens=series.budget)
            change = ABLATIONS.get(series.strategy)
            self._changed[series] = change(settings) if change else settings
        return self._changed[series]


def _failed(
    answers: dict[Series, list[Asked]],
    videos: dict[str, Video],
    library: Library,
    settings: AskSettings,
) -> list[Failed]:
    """The agents' failures, each with the step of its trace that lost it."""
    found = []
    with contextlib.closing(RunStore.open(library.folder)) as runs:
        for series, each in answers.items():
            for one in each if series.strategy in AGENTS else ():
                cause = cause_of(
                    one.item,
                    one.outcome,
                    right=one.right,
                    steps=() if one.right else runs.steps(one.outcome.run_id),
                    film=videos[one.item.video].span,
                    accept=settings.reflect.accept,
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
