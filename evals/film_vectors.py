"""A film's stored vectors, read once, and the sheets that selections work with.

Texts are embedded once for all films, strategies and budgets, in one batch where they are known
beforehand.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from agent.plan import caption_of, option_caption, parse_question
from agent.settings import SurveySettings
from evals.items import Item
from evals.selection.sheet import Sheet
from index.encoder import Encoder
from index.film_rows import ClipVectors, Timeline
from index.library import Library
from index.types import Shot, Video
from tools.prior import Scores


class TextVectors:
    """Unit vectors of texts, each embedded once."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._known: dict[str, NDArray[np.float32]] = {}

    def prepare(self, texts: Iterable[str]) -> None:
        """Embed what is not known yet, in one batch."""
        missing = list(dict.fromkeys(t for t in texts if t not in self._known))
        if missing:
            vectors = self._encoder.encode_texts(missing)
            self._known.update(zip(missing, vectors, strict=True))

    def of(self, text: str) -> NDArray[np.float32]:
        """(D,) the vector of a text."""
        self.prepare([text])
        return self._known[text]


@dataclass(frozen=True, slots=True)
class Cues:
    """What a question is retrieved by."""

    caption: str
    with_options: tuple[str, ...]
    """The caption with each option; empty for questions that are answered in time."""

    @property
    def texts(self) -> tuple[str, ...]:
        return self.caption, *self.with_options


def cues_of(item: Item) -> Cues:
    """As the agent's plan makes them, without the model's rewrite."""
    intent = parse_question(item.question)
    caption = caption_of(intent.subject)
    options = item.options if intent.kind == "moment" else ()
    return Cues(caption, tuple(option_caption(item.question, option) for option in options))


@dataclass(slots=True)
class FilmVectors:
    """One film's rows."""

    video: Video
    timeline: Timeline
    clips: ClipVectors
    shots: tuple[Shot, ...]
    texts: TextVectors
    survey: SurveySettings
    _last: tuple[Cues, Sheet] | None = field(default=None)

    @classmethod
    def read(
        cls, library: Library, video: Video, *, texts: TextVectors, survey: SurveySettings
    ) -> FilmVectors:
        """All that the index holds of a film."""
        number = video.video_id
        return cls(
            video=video,
            timeline=library.timeline(number),
            clips=library.clips(number),
            shots=tuple(library.shots(number)),
            texts=texts,
            survey=survey,
        )

    def sheet(self, item: Item) -> Sheet:
        """The sheet of a question; the last one is kept, for it is asked by many strategies."""
        cues = cues_of(item)
        if self._last is None or self._last[0] != cues:
            self._last = (cues, self._made(cues))
        return self._last[1]

    def _made(self, cues: Cues) -> Sheet:
        self.texts.prepare(cues.texts)
        timeline = self.timeline
        groups = [self._group([cues.caption], self.survey.question_weight)]
        if cues.with_options:
            groups.append(self._group(cues.with_options, self.survey.option_weight))
        scores = timeline.vectors @ self.texts.of(cues.caption)
        seed = zlib.crc32(f"{self.video.content_hash}/{cues.caption}".encode())
        return Sheet(
            film=self.video.span,
            times_s=timeline.times_s,
            vectors=timeline.vectors,
            scores=scores.astype(np.float64),
            motion=timeline.motion.astype(np.float64),
            groups=tuple(lane for group in groups for lane in group),
            shots=self.shots,
            seed=seed,
        )

    def _group(self, texts: Sequence[str], weight: float) -> list[tuple[Scores, ...]]:
        """Cosines with frames and with clips: one lane each, for texts that count by their best."""
        share = self.survey.frame_weight
        middles = np.array([span.middle_s for span in self.clips.spans])
        lanes = [
            (self.timeline.times_s, self.timeline.vectors, share),
            (middles, self.clips.vectors, 1 - share),
        ]
        return [
            tuple(Scores(times, rows @ self.texts.of(t), weight * part) for t in texts)
            for times, rows, part in lanes
            if len(times) and part > 0
        ]
