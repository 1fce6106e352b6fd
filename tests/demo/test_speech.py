"""Demo films that speak: lines, titles, and searches that need one or both."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np

from demo.film import render
from demo.script import make_script
from demo.speech import NEEDS, subtitles_text, with_words, word_questions
from demo.truth import FilmScript, load_truth
from index.words_subtitles import parse_subtitles

SCRIPT = with_words(make_script(3, 8))


def shot_of(script: FilmScript, span: tuple[float, float]) -> int:
    return next(i for i, shot in enumerate(script.shots) if shot.span == span)


def test_pictures_and_planted_things_are_those_of_the_film_without_words() -> None:
    plain = make_script(3, 8)
    assert [shot.scene for shot in SCRIPT.shots] == [shot.scene for shot in plain.shots]
    assert (SCRIPT.needles, plain.lines) == (plain.needles, ())


def test_every_line_is_inside_its_shot() -> None:
    for line in SCRIPT.lines:
        start_s, end_s = SCRIPT.shots[line.shot_index].span
        assert start_s <= line.start_s < line.end_s <= end_s


def test_what_needs_words_is_said_once_and_what_needs_both_more_often() -> None:
    questions = word_questions(SCRIPT, n_each=9)
    assert {question.needs for question in questions} == set(NEEDS)
    for question in questions:
        index = shot_of(SCRIPT, question.span)
        topic = SCRIPT.lines[index].topic
        n_said = sum(line.topic == topic for line in SCRIPT.lines)
        if question.needs == "words":
            assert topic in question.text
            assert n_said == 1
        elif question.needs == "both":
            assert topic in question.text
            assert n_said == 3
            (needle,) = [n for n in SCRIPT.needles if index in n.shot_indexes and n.role == "times"]
            assert len(needle.shot_indexes) >= 2
            said = {line.shot_index for line in SCRIPT.lines if line.topic == topic}
            assert said & set(needle.shot_indexes) == {index}


def test_a_film_that_speaks_has_its_subtitles_its_titles_and_its_truth(tmp_path: Path) -> None:
    script = with_words(make_script(2, 1))
    film = tmp_path / "film.mp4"
    render(script, film, n_processes=1)
    assert load_truth(film) == script
    cues = parse_subtitles((tmp_path / "film.en.srt").read_text(), ending=".srt")
    assert cues.problems == ()
    assert [line.text for line in cues.lines] == [line.text for line in script.lines]
    shot = next(shot for shot in script.shots if shot.title)
    with av.open(str(film)) as container:
        frames = [f for f in container.decode(video=0) if shot.start_s <= f.time < shot.end_s]
    foot = frames[0].to_ndarray(format="rgb24")[-24:]
    # A dark band with white writing.
    assert np.median(foot) < 40
    assert foot.max() > 200


def test_a_script_without_words_is_stored_as_before() -> None:
    assert subtitles_text(()) == ""
    assert make_script(3, 8).shots[3].title == ""
