"""Selections alone: which of them show the evidence, without asking any VideoLLM.

Prices are those of Qwen3-VL (pairs of frames on a 32-pixel grid, without time tags), frames have
the agent's sizes, so tokens mean the same as in an evaluation with the model.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.settings import AskSettings
from evals.asking import EvalEvent, EvalProgress, ignore_event
from evals.film_vectors import FilmVectors, TextVectors, cues_of
from evals.items import Item
from evals.metrics import seconds_of
from evals.ranking import RECALL_TOLERANCES_S, evidence_recall, evidence_tiou
from evals.run import videos_of
from evals.selection.named import SELECTIONS, selection_named
from evals.selection.sheet import Purse, Shown
from evals.tables import Column, aligned, labels_of, number, percent
from index.encoder import Encoder
from index.errors import InputError
from index.library import Library
from index.types import Video
from tools.look import FrameGrid, even_times

PATCH_PX, FRAMES_PER_PAIR = 32, 2


@dataclass(frozen=True, slots=True)
class SelectionReport:
    """The rows: a strategy, a budget, a film length each."""

    rows: tuple[dict[str, Any], ...]

    def to_json(self) -> dict[str, Any]:
        return {"rows": list(self.rows)}

    def table(self) -> str:
        """Aligned text."""
        if not self.rows:
            return "nothing was selected"
        columns = [*labels_of(self.rows), *_COLUMNS]
        lines = [[show(row) for _, show in columns] for row in self.rows]
        return aligned([[name for name, _ in columns], *lines])


def select_all(
    films: Sequence[Path],
    questions: Sequence[Item],
    *,
    strategies: Sequence[str],
    encoder: Encoder,
    library: Library,
    settings: AskSettings,
    budgets: Sequence[int],
    minutes: float,
    progress: EvalProgress = ignore_event,
) -> SelectionReport:
    """What every strategy would show of every question that the film answers.

    Raises:
        InputError: a strategy that selects nothing, or a question about another film.
        LibraryError: the library was indexed with another encoder.
    """
    check_selections(strategies)
    library.check_encoder(encoder.identity)
    present = [item for item in questions if not item.is_absent]
    videos = videos_of(films, present, library)
    texts = TextVectors(encoder)
    texts.prepare(text for item in present for text in cues_of(item).texts)
    found: dict[tuple[int, str], list[_One]] = {(b, s): [] for b in budgets for s in strategies}
    done, total = 0, len(present) * len(found)
    for reference, video in videos.items():
        film = FilmVectors.read(library, video, texts=texts, survey=settings.survey)
        for item in (q for q in present if q.video == reference):
            for (budget, name), ones in found.items():
                ones.append(
                    _selected(name, item, film, purse_of(video, budget, settings), settings)
                )
                done += 1
                progress(EvalEvent(done, total, minutes, name, item.custom_id, None, resumed=False))
    rows = [_row(name, budget, ones, minutes) for (budget, name), ones in found.items() if ones]
    return SelectionReport(tuple(rows))


def check_selections(strategies: Sequence[str]) -> None:
    """Passes where all of these choose by vectors alone.

    Raises:
        InputError: one does not.
    """
    for name in strategies:
        if name not in SELECTIONS:
            raise InputError(f"no selection {name!r}", f"known: {', '.join(SELECTIONS)}")


def purse_of(video: Video, visual_tokens: int, settings: AskSettings) -> Purse:
    """So many tokens at Qwen3-VL's prices."""

    def price(*, n_frames: int, width_px: int, height_px: int) -> int:
        return -(-n_frames // FRAMES_PER_PAIR) * (width_px // PATCH_PX) * (height_px // PATCH_PX)

    return Purse(
        visual_tokens=visual_tokens,
        price=price,
        grid=FrameGrid(patch_px=PATCH_PX, frames_per_pair=FRAMES_PER_PAIR),
        source_px=(video.facts.width_px, video.facts.height_px),
        short_side_px=settings.look.short_side_px,
        high_short_side_px=settings.look.high_short_side_px,
        many_sizes=True,
    )


@dataclass(frozen=True, slots=True)
class _One:
    """One selection, measured."""

    recalls: tuple[float, ...]
    tiou: float
    all_met: bool
    visual_tokens: int
    n_frames: int
    shown_s: float
    seconds: float


def _selected(
    name: str, item: Item, film: FilmVectors, purse: Purse, settings: AskSettings
) -> _One:
    sheet = film.sheet(item)
    select = selection_named(name, settings)
    began_s = time.perf_counter()
    shown = select(sheet, purse)
    seconds = time.perf_counter() - began_s
    times_s = sorted(t for s in shown for t in even_times(s.span, s.shape.n_frames))
    spans = [s.span for s in shown]
    recalls = tuple(
        evidence_recall(times_s, item.evidence, tolerance_s=each) for each in RECALL_TOLERANCES_S
    )
    return _One(
        recalls=recalls,
        tiou=evidence_tiou(spans, item.evidence),
        all_met=recalls[0] == 1.0,
        visual_tokens=purse.cost(shown),
        n_frames=_frames(shown),
        shown_s=seconds_of(spans),
        seconds=seconds,
    )


def _frames(shown: Sequence[Shown]) -> int:
    return sum(s.shape.n_frames for s in shown)


def _row(name: str, budget: int, ones: Sequence[_One], minutes: float) -> dict[str, Any]:
    """Means over the questions; the time is the median, since a machine has other things to do."""
    n = len(ones)
    times_s = sorted(one.seconds for one in ones)
    recalls = {
        f"recall_{tolerance:g}s": sum(one.recalls[i] for one in ones) / n
        for i, tolerance in enumerate(RECALL_TOLERANCES_S)
    }
    return {
        "strategy": name,
        "n": n,
        **recalls,
        "all_within_1s": sum(one.all_met for one in ones) / n,
        "tiou": sum(one.tiou for one in ones) / n,
        "visual_tokens": sum(one.visual_tokens for one in ones) / n,
        "frames": sum(one.n_frames for one in ones) / n,
        "shown_s": sum(one.shown_s for one in ones) / n,
        "milliseconds": 1000 * times_s[n // 2],
        "budget": budget,
        "minutes": minutes,
    }


def _recall_column(tolerance: str) -> Column:
    return f"±{tolerance} s", lambda row: percent(row[f"recall_{tolerance}s"])


_COLUMNS: tuple[Column, ...] = (
    ("n", lambda r: str(r["n"])),
    *(_recall_column(f"{each:g}") for each in RECALL_TOLERANCES_S),
    ("all ±1 s", lambda r: percent(r["all_within_1s"])),
    ("tIoU", lambda r: number(r["tiou"], 2)),
    ("tokens", lambda r: number(r["visual_tokens"], 0)),
    ("frames", lambda r: number(r["frames"], 0)),
    ("seconds shown", lambda r: number(r["shown_s"], 0)),
    ("ms", lambda r: number(r["milliseconds"], 1)),
)
