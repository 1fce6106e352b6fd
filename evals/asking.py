"""One question put to every strategy at every budget; what is on record is not asked again."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from agent.models import Models
from agent.presets import with_budget
from agent.settings import AskSettings
from evals.ablation import ABLATIONS
from evals.film_vectors import FilmVectors, TextVectors, cues_of
from evals.film_view import CACHE_BYTES, FilmView
from evals.identity import setting_of
from evals.items import Item, Outcome
from evals.record import Key, Record
from evals.report import Series
from evals.rows import asked
from evals.strategies import AGENTS, OURS, strategy_named
from index.library import Library
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


def prepared_texts(models: Models, questions: Sequence[Item]) -> TextVectors:
    """The vectors of all that the questions are retrieved by, embedded together."""
    texts = TextVectors(models.encoder)
    texts.prepare(text for item in questions for text in cues_of(item).texts)
    return texts


@dataclass(slots=True)
class Asking:
    """What asks: models, settings, and the record of what was asked."""

    models: Models
    library: Library
    settings: AskSettings
    record: Record
    texts: TextVectors
    whole_budget: bool
    tell: Callable[[Item, Series, Key, Outcome | None], None] = lambda *_: None
    """Told every outcome."""
    _changed: dict[Series, AskSettings] = field(default_factory=dict)

    @contextlib.contextmanager
    def film(self, video: Video) -> Iterator[FilmView]:
        """The film, open for the baselines."""
        vectors = FilmVectors.read(
            self.library, video, texts=self.texts, survey=self.settings.survey
        )
        with contextlib.closing(self.library.reader(video)) as reader:
            frames = FrameCache(reader, limit_bytes=CACHE_BYTES)
            yield FilmView(self.library, video, frames, self.models, self.settings, vectors)

    def answers(
        self, video: Video, view: FilmView | None, item: Item, every: Sequence[Series]
    ) -> dict[Series, Outcome | None]:
        """Every series' outcome for one item; what was not on record is, on return.

        Args:
            view: the film, open; None where all of it is on record.
            every: ours before the baselines of its budget, which may show what it used.
        """
        found: dict[Series, Outcome | None] = {}
        for series in every:
            tokens = series.budget or 0
            ours = found.get(Series(OURS, series.budget))
            if ours is not None and series.strategy not in AGENTS and not self.whole_budget:
                tokens = ours.visual_tokens
            found[series] = self._answer(video, view, item, series, tokens)
        return found

    def _answer(
        self,
        video: Video,
        view: FilmView | None,
        item: Item,
        series: Series,
        visual_tokens: int,
    ) -> Outcome | None:
        settings = self.settings_of(series)
        setting = setting_of(
            series.strategy, item, visual_tokens, models=self.models, settings=settings
        )
        key = Key(video.content_hash, item.custom_id, series.strategy, setting)
        if key not in self.record:
            assert view is not None, "what is not on record is asked of an open film"
            view.begin(settings)
            self.record.add(key, strategy_named(series.strategy)(view, item, visual_tokens))
        outcome = self.record[key]
        self.tell(item, series, key, outcome)
        return outcome

    def settings_of(self, series: Series) -> AskSettings:
        """The settings under a series' budget, with its part switched off where it is one."""
        if series not in self._changed:
            settings = with_budget(self.settings, visual_tokens=series.budget)
            change = ABLATIONS.get(series.strategy)
            self._changed[series] = change(settings) if change else settings
        return self._changed[series]


@dataclass(slots=True)
class Teller:
    """Tells how far an evaluation is."""

    progress: EvalProgress
    minutes: float
    total: int
    resumed: frozenset[Key]
    """What was on record before it began."""
    done: int = 0

    def __call__(self, item: Item, series: Series, key: Key, outcome: Outcome | None) -> None:
        self.done += 1
        self.progress(
            EvalEvent(
                done=self.done,
                total=self.total,
                minutes=self.minutes,
                strategy=series.strategy,
                custom_id=item.custom_id,
                right=asked(item, outcome).right if outcome else None,
                resumed=key in self.resumed,
            )
        )
