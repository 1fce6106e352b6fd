"""A text, the pictures like it, the words that say it, and the moments they make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from index.errors import InputError
from index.library import Library
from index.types import Hit, Span, Vectors, Video, VideoFacts
from index.words import Track, WordLine
from index.words_store import WordStore
from tools.highlights import highlights
from tools.query import parse_query
from tools.search import Moment, SearchSettings, moments_of, search

FACTS = VideoFacts(100.0, 0.0, 64, 36, 800, 8.0, "h264", 0, True)
CONCEPTS = ("boat", "beach")


@dataclass(frozen=True, slots=True)
class Rows:
    """Clips, or a timeline."""

    spans: tuple[Span, ...]
    times_s: np.ndarray
    vectors: Vectors


class SmallWorld:
    """Films of ten-second clips whose vectors are given, and an encoder of two words."""

    def __init__(self, words: WordStore, films: dict[int, list[tuple[float, float]]]) -> None:
        self.words = words
        self.films = films

    def videos(self) -> list[Video]:
        return [Video(n, f"{n}", Path(f"{n}.mp4"), FACTS) for n in self.films]

    def clips(self, video_id: int) -> Rows:
        rows = np.asarray(self.films[video_id], np.float32)
        spans = tuple(Span(10.0 * i, 10.0 * i + 10) for i in range(len(rows)))
        return Rows(spans, np.arange(len(rows)) * 10.0, rows)

    timeline = clips

    def nearest(
        self, vectors: Vectors, *, limit: int, video_ids: Sequence[int] | None = None
    ) -> list[list[Hit]]:
        hits = [
            Hit(n, span, float(row @ vectors[0]), "picture")
            for n in (self.films if video_ids is None else video_ids)
            for span, row in zip(self.clips(n).spans, self.clips(n).vectors, strict=True)
        ]
        return [sorted(hits, key=lambda hit: -hit.score)[:limit]]

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        rows = [[float(concept in text) for concept in CONCEPTS] for text in texts]
        return np.asarray(rows, np.float32)


def said(start_s: float, end_s: float, text: str) -> WordLine:
    return WordLine(Span(start_s, end_s), text, "subtitles", "en", "film.srt")


@pytest.fixture
def world(tmp_path: Path) -> SmallWorld:
    """Two films; a boat at 20-30 s of the first, a beach with a boat at 50-60 s of it."""
    store = Library.open(tmp_path / "library").store
    lines = {
        1: [
            said(22, 24, "There goes the ferry."),
            said(42, 44, "The keeper lights the lamp"),
            said(44.5, 46, "of the old lighthouse."),
            said(70, 72, "A lamp, a lamp!"),
        ],
        2: [said(5, 8, "Nobody mends the lighthouse any more.")],
    }
    for number, own in lines.items():
        video_id = store.begin_video(
            str(number), path=Path(f"{number}.mp4"), facts=FACTS, settings="{}"
        )
        store.set_state(video_id, "ready")
        track = Track("film.srt", "subtitles", "en", "1", tuple(own))
        store.words.save(video_id, [track], gone=(), end_s=100)
    nothing = (0.0, 0.1)
    films = {1: [nothing] * 10, 2: [nothing] * 10}
    films[1][2], films[1][5], films[1][8] = (0.9, 0.0), (0.5, 0.8), (0.0, 0.7)
    return SmallWorld(store.words, films)


def found(world: SmallWorld, text: str, **options: object) -> list[Moment]:
    return search(world, world, text, **options)  # type: ignore[arg-type]


def hit(start_s: float, end_s: float, score: float, video_id: int = 1) -> Hit:
    return Hit(video_id, Span(start_s, end_s), score, "picture")


def test_a_repeated_hit_joins_the_better_one() -> None:
    moments = moments_of([hit(0, 8, 0.3), hit(2, 10, 0.5), hit(30, 38, 0.4)])
    assert [(m.span.start_s, m.score, m.n_hits) for m in moments] == [(2, 0.5, 2), (30, 0.4, 1)]


def test_hits_that_only_touch_and_other_videos_stay_apart() -> None:
    moments = moments_of([hit(0, 8, 0.3), hit(8, 16, 0.2), hit(0, 8, 0.1, video_id=2)])
    assert len(moments) == 3


def test_pictures_alone_are_ranked_by_their_cosine(world: SmallWorld) -> None:
    moments = found(world, "boat", lane="picture", limit=2)
    assert [(m.span.start_s, m.found[0].score) for m in moments] == [
        (20.0, pytest.approx(0.9)),
        (50.0, pytest.approx(0.5)),
    ]


def test_words_alone_need_no_encoder(world: SmallWorld) -> None:
    (best, *_) = search(world, None, "the old lighthouse lamp", lane="words")
    assert (best.video_id, best.span) == (1, Span(42, 46))
    assert best.found[0].score == pytest.approx(1.0)
    assert best.found[0].text == "The keeper lights the lamp … of the old lighthouse."
    with pytest.raises(InputError):
        search(world, None, "lighthouse")


def test_a_moment_that_both_lanes_find_is_one_and_comes_first(world: SmallWorld) -> None:
    best, *rest = found(world, "ferry boat")
    assert best.lane == "both"
    assert best.span == Span(20, 30)
    assert [each.lane for each in best.found] == ["picture", "words"]
    assert all(each.score < best.score for each in rest)


def test_a_moment_first_in_both_lanes_with_all_words_scores_one(world: SmallWorld) -> None:
    world.films[1][4] = (0.0, 1.0)
    world.words.save(
        1, [Track("x", "subtitles", "en", "", (said(44, 46, "beach"),))], gone=(), end_s=100
    )
    assert found(world, "beach")[0].score == pytest.approx(1.0)


def test_half_of_the_words_is_too_little_and_the_share_decides(world: SmallWorld) -> None:
    assert found(world, "lighthouse parliament", lane="words") == []
    settings = SearchSettings(least_share=0.1)
    assert len(found(world, "lighthouse parliament", lane="words", settings=settings)) == 2


def test_a_quoted_phrase_must_be_said(world: SmallWorld) -> None:
    moments = found(world, '"lamp of the old"')
    assert [(m.video_id, m.span) for m in moments] == [(1, Span(42, 46))]
    assert found(world, '"old of the lamp"') == []


def test_what_is_left_out_goes_from_both_lanes(world: SmallWorld) -> None:
    assert [m.span.start_s for m in found(world, "boat -beach", lane="picture", limit=1)] == [20.0]
    assert all(m.span.start_s != 50.0 for m in found(world, "boat without a beach"))
    moments = found(world, "lamp -keeper", lane="words")
    assert [m.span.start_s for m in moments] == [70.0]


def test_a_text_that_is_near_to_every_picture_leaves_out_only_where_it_stands_out(
    tmp_path: Path,
) -> None:
    # (cosine with "boat", cosine with "beach"): the second word is near to everything.
    films = {1: [(0.3, 0.5), (0.0, 0.52), (0.0, 0.48), (0.0, 0.5), (0.3, 0.9), (0.1, 0.51)]}
    store = Library.open(tmp_path / "library").words
    moments = found(SmallWorld(store, films), "boat -beach", lane="picture", limit=6)
    assert moments[0].span.start_s == 0.0
    assert all(moment.span.start_s != 40.0 for moment in moments)


def test_films_and_times_narrow_both_lanes(world: SmallWorld) -> None:
    assert {m.video_id for m in found(world, "lighthouse", video_ids=[2])} == {2}
    inside = found(world, "lamp", within=Span(48, 80))
    assert inside[0].lane == "both"
    assert inside[0].span.overlap_s(Span(70, 72)) > 0
    assert all(m.span.end_s > 48 for m in inside)


def test_nothing_is_an_answer(world: SmallWorld) -> None:
    assert found(world, "parliament", settings=SearchSettings(least_cosine=0.3)) == []


@pytest.mark.parametrize(("text", "limit"), [("  ", 5), ("car", 0)])
def test_an_empty_text_or_limit_is_refused(world: SmallWorld, text: str, limit: int) -> None:
    with pytest.raises(InputError):
        found(world, text, limit=limit)


def test_highlights_have_a_window_and_a_score_every_two_seconds(world: SmallWorld) -> None:
    query = parse_query("ferry boat")
    rows = highlights(world, world, query, found(world, query.text, limit=1))
    assert [(row["vid"], row["pred_relevant_windows"][0][:2]) for row in rows] == [("1", [20, 30])]
    scores = rows[0]["pred_saliency_scores"]
    assert len(scores) == 50
    assert scores[10] == pytest.approx(1.9)
    assert scores[30] == 0.0


@pytest.mark.parametrize("text", ['" OR 1=1 --', "a* AND NEAR(b)", "film\x00", "{{ x }} <b>", "'"])
def test_nothing_that_is_typed_is_a_command(world: SmallWorld, text: str) -> None:
    try:
        found(world, text)
    except InputError:
        return
