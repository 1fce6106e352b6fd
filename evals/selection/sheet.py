"""What a selection works with: a film's stored vectors against one question, and what it may spend.

All selections see the same sheet: the same index, and the same caption of the question. Published
methods put the question itself (F2C with its options) to their encoder; here every one of them
gets the rule-made caption that ours gets, so that they differ in what they choose and in nothing
else.

A published "frame" is a *moment* here: models that fuse frames in pairs charge a lone frame like a
pair, so one moment is one pair of neighbouring frames, and n frames are n moments.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.types import Seconds, Shot, Span, Vectors
from tools.keyclips import ClipShape, TokenCounter
from tools.look import FrameGrid
from tools.prior import Scores

Curve = NDArray[np.float64]

PAIR_GAP_S = 0.5
"""Time between the frames of a moment: enough to see a motion."""


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """A film and a question."""

    film: Span
    times_s: Seconds
    """(N,) about one a second."""
    vectors: Vectors
    """(N, D) unit vectors of the frames at these times."""
    scores: Curve
    """(N,) cosine of each frame with the question's caption."""
    motion: Any
    """(N,) picture change in each second, 0..1."""
    groups: tuple[tuple[Scores, ...], ...]
    """The cosines that our own prior is made of: of frames and clips, with caption and options."""
    shots: tuple[Shot, ...]
    seed: int
    """For the methods that draw: the same film and question, the same draws."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Frames at even times over a span, at one size."""

    span: Span
    shape: ClipShape


@dataclass(frozen=True, slots=True)
class Purse:
    """What may be shown in one prompt."""

    visual_tokens: int
    """Without time tags, as a model reports them."""
    price: TokenCounter
    """Visual tokens of a clip."""
    grid: FrameGrid
    source_px: tuple[int, int]
    """Width and height of the film."""
    short_side_px: int
    """Of an ordinary frame: the agent's looks have it too."""
    high_short_side_px: int
    """Of a large one."""
    many_sizes: bool
    """Whether the model pays less for smaller frames, and takes several sizes in one prompt."""

    def size_px(self, shrink: float = 1.0) -> tuple[int, int]:
        """(width, height) of an ordinary frame whose sides are divided by `shrink`."""
        side_px = round(self.short_side_px / shrink) if self.many_sizes else self.short_side_px
        return self.grid.size_px(source=self.source_px, short_side_px=side_px)

    def cost(self, shown: Sequence[Shown]) -> int:
        """Visual tokens of all of it."""
        return sum(
            self.price(
                n_frames=s.shape.n_frames, width_px=s.shape.width_px, height_px=s.shape.height_px
            )
            for s in shown
        )

    def shape(self, *, n_moments: int = 1, shrink: float = 1.0) -> ClipShape:
        """Moments that follow each other without a gap, or a lone one."""
        return ClipShape(n_moments * self.grid.frames_per_pair, *self.size_px(shrink))

    @property
    def n_moments(self) -> int:
        """How many ordinary moments the tokens pay for; 1 at least."""
        shape = self.shape()
        each = self.price(
            n_frames=shape.n_frames, width_px=shape.width_px, height_px=shape.height_px
        )
        return max(1, self.visual_tokens // each)


Selection = Callable[[Sheet, Purse], list[Shown]]
"""What to show, in time order, for at most the purse's tokens (one moment where not even one is
paid for)."""
Picker = Callable[[Sheet, int], list[int]]
"""Positions of at most so many seconds of the sheet."""


def moment(
    sheet: Sheet, purse: Purse, first: int, *, n_seconds: int = 1, shrink: float = 1.0
) -> Shown:
    """The moments of some seconds in a row, from position `first` on, one each second.

    A lone moment is two frames half a second apart; of seconds in a row every half second has a
    frame.
    """
    per_pair = purse.grid.frames_per_pair
    length_s = n_seconds * per_pair * PAIR_GAP_S
    film = sheet.film
    begin_s = float(sheet.times_s[first]) - PAIR_GAP_S / 2
    start_s = max(film.start_s, min(begin_s, film.end_s - length_s))
    span = Span(start_s, min(start_s + length_s, film.end_s))
    return Shown(span, purse.shape(n_moments=n_seconds, shrink=shrink))


def by_seconds(pick: Picker) -> Selection:
    """The selection that shows an ordinary moment at every second that is picked."""

    def select(sheet: Sheet, purse: Purse) -> list[Shown]:
        picked = sorted(set(pick(sheet, min(purse.n_moments, len(sheet.times_s)))))
        return [moment(sheet, purse, position) for position in picked]

    return select


def filled(picked: Sequence[int], scores: Curve, n: int) -> list[int]:
    """The first `n` distinct positions of `picked`; places left go to the best of the others."""
    kept = list(dict.fromkeys(picked))[:n]
    if len(kept) < n:
        taken = set(kept)
        best = np.argsort(-scores, kind="stable")
        kept += [int(i) for i in best if int(i) not in taken][: n - len(kept)]
    return kept


def unit_scaled(scores: Curve) -> Curve:
    """Scores from 0 to 1 over the film; zeros where all are the same."""
    low, high = float(scores.min()), float(scores.max())
    return (scores - low) / (high - low) if high > low else np.zeros_like(scores)
