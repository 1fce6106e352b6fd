"""Runs an evaluation: every strategy over every question, resumable, and the report."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from agent.models import Models
from agent.settings import AskSettings
from evals.film_view import FilmView
from evals.items import Item, Outcome
from evals.record import Key, Record
from evals.report import Asked, EvalReport, asked, report_of
from evals.strategies import strategy_named
from index.errors import InputError
from index.library import Library
from index.media import open_video
from index.types import Video
from prompts.render import FOLDER
from tools.look import FrameCache

OURS = "spotlight"
EQUAL_TOKENS = ("uniform", "topk")
"""Strategies that may show as many visual tokens as ours used."""


@dataclass(frozen=True, slots=True)
class EvalEvent:
    """One question answered, or found answered in the record."""

    done: int
    total: int
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
    progress: EvalProgress = ignore_event,
    resume_file: Path | None = None,
) -> EvalReport:
    """Asks every question by every strategy; returns the rows.

    Of a question the agent is asked first, since uniform and topk may show as many visual tokens
    as it used; where it is not among the strategies, as many as the budget allows.

    Args:
        films: the films of the questions; all of them indexed in `library`.
        questions: whose `video` names one of the films.
        strategies: names of evals/strategies.py.
        models: those that answer; also the library's encoder.
        settings: of the agent, its budget among them.
        progress: told after every question.
        resume_file: where outcomes are kept as they come; those in it already are not made again.

    Raises:
        InputError: an unknown strategy, or a question about a film that is not among `films`.
        LibraryError: the library was indexed with another encoder.
    """
    names = [OURS] * (OURS in strategies) + [s for s in strategies if s != OURS]
    for name in names:
        strategy_named(name)
    library.check_encoder(models.encoder.identity)
    videos = _videos(films, questions, library)
    run = _Run(models, library, settings, Record(resume_file), progress)
    run.total = len(questions) * len(names)
    answers: dict[str, list[Asked]] = {name: [] for name in names}
    for reference, video in videos.items():
        with run.film(video) as view:
            for item in (q for q in questions if q.video == reference):
                for name, outcome in run.answers(view, item, names):
                    if outcome is not None:
                        answers[name].append(asked(item, outcome))
    ordered = {name: answers[name] for name in strategies}
    return report_of(ordered, about=_about(videos.values(), models, settings))


def _videos(films: Sequence[Path], questions: Sequence[Item], library: Library) -> dict[str, Video]:
    """The film of every reference that the questions use, in their order."""
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
    total: int = 0
    done: int = 0

    @contextlib.contextmanager
    def film(self, video: Video) -> Iterator[FilmView]:
        """The film, open for the baselines."""
        with contextlib.closing(open_video(video.path)) as reader:
            yield FilmView(self.library, video, FrameCache(reader), self.models, self.settings)

    def answers(
        self, view: FilmView, item: Item, names: Sequence[str]
    ) -> list[tuple[str, Outcome | None]]:
        """Every strategy's outcome for one item."""
        visual_tokens = self.settings.budget.visual_tokens
        found: list[tuple[str, Outcome | None]] = []
        for name in names:
            outcome = self._answer(view, item, name, visual_tokens)
            if name == OURS and outcome is not None:
                visual_tokens = outcome.visual_tokens
            found.append((name, outcome))
        return found

    def _answer(self, view: FilmView, item: Item, name: str, visual_tokens: int) -> Outcome | None:
        key = Key(
            view.video.content_hash, item.custom_id, name, self._setting(item, name, visual_tokens)
        )
        resumed = key in self.record
        if not resumed:
            view.begin()
            self.record.add(key, strategy_named(name)(view, item, visual_tokens))
        outcome = self.record[key]
        self.done += 1
        right = asked(item, outcome).right if outcome else None
        self.progress(EvalEvent(self.done, self.total, name, item.custom_id, right, resumed))
        return outcome

    def _setting(self, item: Item, name: str, visual_tokens: int) -> str:
        plain = [
            _model_names(self.models),
            asdict(self.settings),
            [item.question, list(item.options)],
            _prompt_hashes(),
            visual_tokens if name in EQUAL_TOKENS else 0,
        ]
        text = json.dumps(plain, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def _model_names(models: Models) -> dict[str, str]:
    return {
        "encoder": models.encoder.identity.name,
        "encoder_weights": models.encoder.identity.weights_hash,
        "videollm": models.videollm.name,
        "videollm_weights": models.videollm.weights_hash,
    }


@cache
def _prompt_hashes() -> list[str]:
    """What the prompts say, so that a record of other prompts is not taken for one of these."""
    return [hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(FOLDER.glob("*.j2"))]


def _about(videos: Iterable[Video], models: Models, settings: AskSettings) -> dict[str, Any]:
    return {
        "films": [
            {"content_hash": v.content_hash, "duration_s": round(v.facts.duration_s, 3)}
            for v in videos
        ],
        "models": _model_names(models),
        "settings": asdict(settings),
    }
