"""Search: a text, the pictures that look like it, the words that say it, and the moments they make.

Two lanes rank on their own: pictures by cosine, words by the share of the query that is said or
written. Reciprocal rank fusion joins them: a moment's score is the sum over its lanes of

    weight × strength / (60 + rank)      picture: 1 × 1      words: 2 × square of the share

over the most it can be, so 1.0 is the first of both lanes with every word said. Ranks are fused
because a cosine and a share cannot be compared. With these weights a moment that says all of the
query stays before one that looks right and says two thirds of it.

Source: Cormack, Clarke and Büttcher 2009, "Reciprocal rank fusion". Ours differs: the word lane's
part shrinks with the share of the query that was not found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

import numpy as np

from index.errors import InputError
from index.types import Hit, Span, Vectors, Video
from tools.prior import robust_z
from tools.query import Query, parse_query
from tools.words import Passage, WordFinder, find_passages, snippet

Lane = Literal["picture", "words", "both"]
LANES: tuple[Lane, ...] = ("picture", "words", "both")


class TextEncoder(Protocol):
    """What turns texts into vectors of the library's space."""

    def encode_texts(self, texts: Sequence[str]) -> Vectors: ...


class ClipVectorsLike(Protocol):
    """The clips of a film."""

    @property
    def spans(self) -> tuple[Span, ...]: ...
    @property
    def vectors(self) -> Vectors: ...


class SearchLibrary(Protocol):
    """What finds clips near to vectors, and lines by their words."""

    @property
    def words(self) -> WordFinder: ...
    def videos(self) -> list[Video]: ...
    def nearest(
        self, vectors: Vectors, *, limit: int, video_ids: Sequence[int] | None = None
    ) -> list[list[Hit]]: ...
    def clips(self, video_id: int) -> ClipVectorsLike: ...


@dataclass(frozen=True, slots=True)
class SearchSettings:
    """The constants of a search."""

    picture_weight: float = 1.0
    words_weight: float = 2.0
    rank_constant: int = 60
    """How slowly a rank's worth falls: 60 is the source's."""
    least_cosine: float = -1.0
    """Pictures below this are not hits. It depends on the encoder: look at its scores first."""
    least_share: float = 0.5
    """A passage that holds less of the query is not a hit."""
    overlap: float = 0.5
    """Share of the shorter span from which two hits of a lane are one moment."""


@dataclass(frozen=True, slots=True)
class LaneHit:
    """What one lane says for a moment."""

    lane: str
    """"picture" or "words"."""
    rank: int
    """In its lane, from 1."""
    score: float
    """A cosine, or the share of the query that is said."""
    text: str = ""
    """The words around what was asked for."""
    source: str = ""
    """"subtitles", "speech" or "screen"."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A span that is returned to a person."""

    video_id: int
    span: Span
    score: float
    """Fused, 0..1: compare within one search only."""
    lane: str
    """"picture", "words", or "both"."""
    n_hits: int
    """Hits that made it, near-duplicates among them."""
    found: tuple[LaneHit, ...] = ()
    """One for each lane that found it."""


def search(
    library: SearchLibrary,
    encoder: TextEncoder | None,
    text: str,
    *,
    limit: int = 10,
    video_ids: Sequence[int] | None = None,
    lane: Lane = "both",
    within: Span | None = None,
    settings: SearchSettings | None = None,
) -> list[Moment]:
    """The moments that look like a text or say it, best first; [] where nothing does.

    Args:
        encoder: may be None for words alone.
        within: only what touches this part of a film.

    Raises:
        InputError: the text is empty or says only what to leave out, or the limit is not positive.
    """
    query = parse_query(text)
    if limit < 1:
        raise InputError(f"a limit of {limit} finds nothing", "give 1 or more")
    settings = settings or SearchSettings()
    hits: list[Hit] = []
    if lane != "words":
        if encoder is None:
            raise InputError("pictures cannot be searched without an encoder", "use --lane words")
        # Several hits may be one moment: ask for more than are wanted.
        hits = picture_hits(
            library, encoder, query, limit=4 * limit, video_ids=video_ids, within=within
        )
    passages: list[Passage] = []
    if lane != "picture":
        passages = find_passages(
            library.words,
            query,
            least=settings.least_share,
            seen_too=lane == "both",
            video_ids=video_ids,
            within=within,
        )
    pictures = moments_of(
        [hit for hit in hits if hit.score >= settings.least_cosine], overlap=settings.overlap
    )
    # A quoted phrase has to be said: no picture shows that.
    alone = not query.phrases or lane == "picture"
    return fused(pictures, passages, query, settings=settings, lane=lane, alone=alone)[:limit]


def picture_hits(
    library: SearchLibrary,
    encoder: TextEncoder,
    query: Query,
    *,
    limit: int,
    video_ids: Sequence[int] | None = None,
    within: Span | None = None,
) -> list[Hit]:
    """The clips nearest to what is wanted, without those that show what is left out.

    A clip shows it where it stands out among all clips more for that text than for what is wanted:
    cosines of two texts cannot be compared as they are, since a short or common text is near to
    every picture.
    """
    vectors = encoder.encode_texts([query.wanted, *query.excluded])
    if within is None and not query.excluded:
        return library.nearest(vectors[:1], limit=limit, video_ids=video_ids)[0]
    everywhere = [video.video_id for video in library.videos()]
    films = {n: library.clips(n) for n in (everywhere if video_ids is None else video_ids)}
    places = [(video_id, span) for video_id, clips in films.items() for span in clips.spans]
    if not places:
        return []
    scores = np.concatenate([clips.vectors @ vectors.T for clips in films.values()])
    stands_out = np.stack([robust_z(column) for column in scores.T], axis=1)
    hits = [
        Hit(video_id, span, float(wanted), "picture")
        for (video_id, span), wanted, z in zip(places, scores[:, 0], stands_out, strict=True)
        if z[0] >= z.max() and (within is None or span.overlap_s(within) > 0)
    ]
    return sorted(hits, key=lambda hit: (-hit.score, hit.video_id, hit.span))[:limit]


def moments_of(hits: Sequence[Hit], *, overlap: float = 0.5) -> list[Moment]:
    """Hits of one lane without near-duplicates, best first; their scores are the hits'.

    A hit that shares at least `overlap` of the shorter span with a better one of its video and
    lane joins that one; hits that merely touch stay apart, or a whole film would melt into one.
    """
    moments: list[Moment] = []
    for hit in sorted(hits, key=lambda h: (-h.score, h.video_id, h.span)):
        same = next((i for i, m in enumerate(moments) if _repeats(hit, m, overlap)), None)
        if same is None:
            moments.append(Moment(hit.video_id, hit.span, hit.score, hit.lane, 1))
        else:
            moments[same] = replace(moments[same], n_hits=moments[same].n_hits + 1)
    return moments


def fused(
    pictures: Sequence[Moment],
    passages: Sequence[Passage],
    query: Query,
    *,
    settings: SearchSettings,
    lane: Lane,
    alone: bool,
) -> list[Moment]:
    """Both lanes' moments as one list, best first.

    Args:
        pictures, passages: each in its lane's order.
        alone: whether a picture counts without words.
    """
    weights = {"picture": settings.picture_weight, "words": settings.words_weight}
    used = weights.values() if lane == "both" else [weights[lane]]
    most = sum(used) / (settings.rank_constant + 1)

    def worth(name: str, rank: int, strength: float) -> float:
        return weights[name] * strength / (settings.rank_constant + rank) / most

    moments = [
        replace(
            moment,
            score=worth("picture", rank, 1.0),
            found=(LaneHit("picture", rank, moment.score),),
        )
        for rank, moment in enumerate(pictures, 1)
    ]
    for rank, passage in enumerate(passages, 1):
        said = LaneHit(
            "words", rank, passage.score, snippet(passage.text, query.terms), passage.source
        )
        score = worth("words", rank, passage.score**2)
        at = next((i for i, m in enumerate(moments) if _belongs(passage, m)), None)
        if at is None:
            moments.append(Moment(passage.video_id, passage.span, score, "words", 1, (said,)))
        else:
            exact = bool(query.phrases)
            moments[at] = _joined(moments[at], passage, said, score, exact=exact)
    kept = [m for m in moments if alone or m.lane != "picture"]
    return sorted(kept, key=lambda m: (-m.score, m.lane == "picture", m.video_id, m.span))


def _joined(
    moment: Moment, passage: Passage, said: LaneHit, score: float, *, exact: bool
) -> Moment:
    """A moment that this passage is part of; a second passage only counts as one more hit.

    A phrase is where it is said (`exact`); else the moment is the picture's span and the words'.
    """
    if moment.lane != "picture":
        return replace(moment, n_hits=moment.n_hits + 1)
    return replace(
        moment,
        span=passage.span if exact else moment.span,
        score=moment.score + score,
        lane="both",
        n_hits=moment.n_hits + 1,
        found=(*moment.found, said),
    )


def _belongs(passage: Passage, moment: Moment) -> bool:
    """Whether at least half of the passage is said during the moment, so not across a cut."""
    if passage.video_id != moment.video_id:
        return False
    return 2 * passage.span.overlap_s(moment.span) >= passage.span.duration_s


def _repeats(hit: Hit, moment: Moment, overlap: float) -> bool:
    if (hit.video_id, hit.lane) != (moment.video_id, moment.lane):
        return False
    shorter = min(hit.span.duration_s, moment.span.duration_s)
    return hit.span.overlap_s(moment.span) >= overlap * shorter
