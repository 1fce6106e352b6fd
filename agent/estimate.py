"""What a question or a batch will cost, said before it is asked.

Of a batch it is said before any model is loaded. The most is what the budget allows. What is likely
comes from the runs that this library has of the same model: where there are none, nothing is
guessed. The time to index films comes from the speed at which this library has indexed others;
where there are none, a speed is assumed, and that is said.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from agent.batch_lines import BatchQuestion
from agent.films import check_film, named_film, same_film
from agent.settings import AskSettings, BudgetSettings
from agent.videollm import VideoLLM
from index.build import video_files
from index.errors import LongshotError
from index.library import Library
from index.media import open_video
from index.run_rows import RunRow
from index.types import Video
from tools.look import FrameGrid

_MOST_RUNS = 200
ASSUMED_INDEX_SPEED = 7.0
"""Seconds of film that are indexed in a second, where no film tells: ViT-B-32 encodes 7.3 pictures
a second of one processor core, and a second of film is one picture. More cores or a GPU are several
times as fast, a large encoder several times as slow."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of questions asked one after the other."""

    visual_tokens: int
    seconds: float


@dataclass(frozen=True, slots=True)
class QuestionEstimate:
    """What is ahead of one question."""

    tokens_per_look: int
    """Of a look as dense as motion makes it."""
    looks: int
    most: Cost
    """What the budget allows; an answer at once takes far less."""


def estimate_question(
    video: Video, *, videollm: VideoLLM, settings: AskSettings
) -> QuestionEstimate:
    """The most that a question about this film will use."""
    can, budget = videollm.capabilities, settings.budget
    grid = FrameGrid(patch_px=can.patch_px, frames_per_pair=can.frames_per_pair)
    width_px, height_px = grid.size_px(
        source=(video.facts.width_px, video.facts.height_px),
        short_side_px=settings.look.short_side_px,
    )
    tokens_per_look = videollm.clip_tokens(
        n_frames=grid.even(settings.look.most_frames), width_px=width_px, height_px=height_px
    )
    return QuestionEstimate(
        tokens_per_look=tokens_per_look,
        looks=min(budget.looks, budget.visual_tokens // max(1, tokens_per_look)),
        most=Cost(budget.visual_tokens, budget.seconds),
    )


@dataclass(frozen=True, slots=True)
class BatchEstimate:
    """What is ahead of a batch."""

    n_questions: int
    n_library_wide: int
    """Of them, those put to the whole library."""
    most: Cost
    """What the budgets allow: no batch uses more."""
    likely: Cost | None
    """By the median of earlier runs of this model; None: there are none."""
    n_runs: int
    """Earlier runs that `likely` rests on."""
    films_indexed: tuple[str, ...]
    films_to_index: tuple[str, ...]
    to_index_s: float
    """Length of the films that are not indexed yet, in seconds of film."""
    indexing_s: float
    """How long indexing them will likely take."""
    index_speed: float
    """Seconds of film in a second, on which that rests."""
    is_speed_measured: bool
    """By the films of this library; else it is assumed."""
    problems: tuple[str, ...]
    """Films that cannot be asked as things are, in words."""


def estimate_batch(
    library: Library,
    questions: Sequence[BatchQuestion],
    *,
    runs: Sequence[RunRow],
    videollm: str,
    budget: BudgetSettings,
    videos: Path | None,
    most_films: int,
) -> BatchEstimate:
    """The estimate for questions that are still to be asked.

    Args:
        runs: of the library, the newest first.
        videollm: the model's name, as runs record it.
        videos: folder in which films are looked for first.
        most_films: films that a question of the whole library is put to.
    """
    films = _Films(library, videos)
    for name in dict.fromkeys(q.video for q in questions if q.video is not None):
        films.look_at(name)
    n_wide = sum(question.video is None for question in questions)
    if n_wide and videos is not None:
        films.look_below(videos)
    n_known = len(library.videos()) + len(films.new)
    to_index_s = sum(films.new.values())
    measured = library.store.index_runs.speed()
    speed = measured or ASSUMED_INDEX_SPEED
    n_runs_ahead = len(questions) - n_wide + n_wide * min(most_films, max(1, n_known))
    known = [r for r in runs if r.answer and r.models.get("videollm") == videollm][:_MOST_RUNS]
    likely = _median_cost(known)
    return BatchEstimate(
        n_questions=len(questions),
        n_library_wide=n_wide,
        most=_times(n_runs_ahead, Cost(budget.visual_tokens, budget.seconds)),
        likely=_times(n_runs_ahead, likely) if likely else None,
        n_runs=len(known),
        films_indexed=tuple(films.indexed),
        films_to_index=tuple(films.new),
        to_index_s=to_index_s,
        indexing_s=to_index_s / speed,
        index_speed=speed,
        is_speed_measured=measured is not None,
        problems=tuple(films.problems),
    )


class _Films:
    """Which films there are, without indexing one."""

    def __init__(self, library: Library, folder: Path | None) -> None:
        self._library = library
        self._folder = folder
        self._known = {str(video.path.resolve()) for video in library.videos()}
        self.indexed: dict[str, None] = {}
        self.new: dict[str, float] = {}
        self.problems: list[str] = []

    def look_at(self, video: str) -> None:
        """Sort a film in: indexed, to be indexed with its length in seconds, or a problem."""
        try:
            check_film(self._library, named_film(video, folder=self._folder))
            self._sort_in(same_film(self._library, video, folder=self._folder))
        except LongshotError as error:
            self.problems.append(str(error))

    def look_below(self, folder: Path) -> None:
        """Sort in every film of a folder."""
        for path in video_files([folder])[0]:
            self.look_at(str(path))

    def _sort_in(self, path: str) -> None:
        if path in self._known:
            self.indexed[path] = None
        elif path not in self.new:
            with contextlib.closing(open_video(Path(path))) as reader:
                self.new[path] = reader.facts.duration_s


def _median_cost(runs: Sequence[RunRow]) -> Cost | None:
    usages = [run.answer["usage"] for run in runs]
    if not usages:
        return None
    return Cost(
        visual_tokens=round(median(usage.get("visual_tokens", 0) for usage in usages)),
        seconds=median(usage.get("seconds", 0.0) for usage in usages),
    )


def _times(n: int, cost: Cost) -> Cost:
    return Cost(n * cost.visual_tokens, n * cost.seconds)
