"""Lines of words: terms in many scripts, merged duplicates, the store and its search."""

from __future__ import annotations

from pathlib import Path

import pytest

from index.library import Library
from index.types import Span, VideoFacts
from index.words import Source, Track, WordLine, merged_lines, plain_text
from index.words_store import Term, WordStore
from index.words_terms import content_terms, stem_of, terms_of
from tools.film_words import FilmWords


def line(
    start_s: float, end_s: float, text: str, source: Source = "subtitles", language: str = "en"
) -> WordLine:
    return WordLine(Span(start_s, end_s), text, source, language, source)


def track(*lines: WordLine, name: str = "a.srt", stamp: str = "1") -> Track:
    return Track(name, lines[0].source if lines else "subtitles", "en", stamp, lines)


def texts(lines: list[WordLine]) -> list[str]:
    return [each.text for each in lines]


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("The harbour's boats don’t", ("the", "harbour", "boats", "dont")),
        ("L'école d'été", ("ecole", "ete")),
        ("Straße ＡＢＣ", ("strasse", "abc")),
        ("हिन्दी नमस्ते", ("हिन्दी", "नमस्ते")),
        ("東京タワー", ("東", "京", "タ", "ワ", "ー")),
        ("한국어", ("한", "국", "어")),
        ("… — !", ()),
    ],
)
def test_text_is_cut_into_terms_as_its_script_asks(text: str, terms: tuple[str, ...]) -> None:
    assert terms_of(text) == terms


def test_plurals_are_stemmed_in_english_only() -> None:
    stems = [stem_of(term) for term in ("boats", "boxes", "cities", "glass", "bus")]
    assert stems == ["boat", "box", "city", "glass", "bus"]
    assert stem_of("gatos", "es") == "gatos"


def test_a_question_of_small_words_keeps_them() -> None:
    assert content_terms("What does the keeper say about the tide?") == ("keeper", "tide")
    assert content_terms("who is it") == ("who", "is", "it")


def test_control_characters_and_direction_marks_never_reach_a_line() -> None:
    assert plain_text("a\x1b[31mb\u202ec\n d\x00") == "a[31mbc d"


def test_a_rolling_caption_says_each_row_once() -> None:
    rolled = [
        line(0, 2, "one"),
        line(2, 4, "one\ntwo"),
        line(4, 6, "two\nthree"),
        line(6, 7, "three"),
    ]
    found = merged_lines([rolled])
    assert texts(found) == ["one", "two", "three"]
    assert found[-1].span == Span(4, 7)


def test_the_same_words_later_are_said_again() -> None:
    assert len(merged_lines([[line(0, 2, "No."), line(10, 12, "No.")]])) == 2


def test_what_two_sources_say_at_once_is_kept_from_the_better_one() -> None:
    found = merged_lines(
        [
            [line(1, 3, "Land ahoy!")],
            [line(1.4, 2.5, "land AHOY", "speech"), line(5, 6, "Yes", "speech")],
        ]
    )
    assert [(each.text, each.source) for each in found] == [
        ("Land ahoy!", "subtitles"),
        ("Yes", "speech"),
    ]


# -- the store


@pytest.fixture
def words(tmp_path: Path) -> WordStore:
    """An empty store with two films of a minute that are ready."""
    store = Library.open(tmp_path / "library").store
    facts = VideoFacts(60.0, 0.0, 64, 36, 480, 8.0, "h264", 0, True)
    for name in ("a", "b"):
        video_id = store.begin_video(name, path=Path(f"{name}.mp4"), facts=facts, settings="{}")
        store.set_state(video_id, "ready")
    return store.words


def found(words: WordStore, *terms: str) -> list[str]:
    wanted = [Term(term, stem_of(term)) for term in terms]
    return sorted(each.line.text for each in words.with_any(wanted, limit=9))


def test_lines_are_found_by_word_and_by_stem(words: WordStore) -> None:
    words.save(1, [track(line(0, 2, "Two boats."), line(3, 5, "A bus"))], gone=(), end_s=60)
    assert found(words, "boat") == ["Two boats."]
    assert found(words, "nothing") == []
    assert words.n_with(Term("boats", "boat")) == 1


def test_words_that_mean_something_to_sqlite_are_words_here(words: WordStore) -> None:
    words.save(1, [track(line(0, 2, "either or NEAR and not"))], gone=(), end_s=60)
    assert found(words, "or", "near") == ["either or NEAR and not"]


def test_a_phrase_goes_on_in_the_next_line_but_not_over_a_pause(words: WordStore) -> None:
    lines = (line(0, 2, "meet me at"), line(2.1, 4, "the old mill"), line(9, 10, "tonight"))
    words.save(1, [track(*lines)], gone=(), end_s=60)
    assert texts([f.line for f in words.with_phrase(("at", "the", "old"), limit=9)]) == [
        "meet me at"
    ]
    assert words.with_phrase(("mill", "tonight"), limit=9) == []


def test_a_phrase_that_stands_in_the_next_line_alone_is_that_line_s(words: WordStore) -> None:
    lines = (line(0, 2, "Meet me there."), line(2.1, 4, "The old mill is closed."))
    words.save(1, [track(*lines)], gone=(), end_s=60)
    for finder in (words, FilmWords(words.lines(1))):
        found = finder.with_phrase(("the", "old", "mill"), limit=9)
        assert texts([each.line for each in found]) == ["The old mill is closed."]
        across = finder.with_phrase(("there", "the", "old"), limit=9)
        assert texts([each.line for each in across]) == ["Meet me there."]


def test_a_phrase_in_an_unspaced_script_is_found_inside_a_line(words: WordStore) -> None:
    words.save(1, [track(line(0, 2, "私は東京に行く", language="ja"))], gone=(), end_s=60)
    assert len(words.with_phrase(terms_of("東京"), limit=9)) == 1
    assert words.with_phrase(terms_of("京東"), limit=9) == []


def test_lines_behind_the_films_end_are_cut_off(words: WordStore) -> None:
    words.save(1, [track(line(58, 70, "last"), line(61, 62, "late"))], gone=(), end_s=60)
    assert [(each.text, each.span.end_s) for each in words.lines(1)] == [("last", 60.0)]


def test_a_track_that_is_read_again_replaces_its_lines_and_no_others(words: WordStore) -> None:
    first, second = track(line(0, 2, "old")), track(line(5, 6, "kept"), name="b.srt")
    words.save(1, [first, second], gone=(), end_s=60)
    words.save(2, [track(line(0, 2, "old"))], gone=(), end_s=60)
    words.save(1, [track(line(0, 2, "new"), stamp="2")], gone=(), end_s=60)
    assert texts(words.lines(1)) == ["new", "kept"]
    assert words.stamps(1) == {("subtitles", "a.srt"): "2", ("subtitles", "b.srt"): "1"}
    assert [each.video_id for each in words.with_any([Term("old", "old")], limit=9)] == [2]


def test_a_removed_film_leaves_no_words(words: WordStore) -> None:
    words.save(1, [track(line(0, 2, "gone"))], gone=(), end_s=60)
    words.remove(1)
    assert (words.lines(1), words.n_lines, words.stamps(1)) == ([], 0, {})
    assert found(words, "gone") == []
