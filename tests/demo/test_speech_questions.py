"""Questions whose answers need words, pictures, or both."""

from __future__ import annotations

from demo.script import make_script
from demo.speech import NEEDS, times_said, with_words
from demo.speech_questions import lane_questions
from demo.truth import FilmScript

SCRIPT = with_words(make_script(3, 8))


def shot_of(script: FilmScript, span: tuple[float, float]) -> int:
    return next(i for i, shot in enumerate(script.shots) if shot.span == span)


def test_every_need_has_questions_whose_answer_is_among_the_options() -> None:
    questions = lane_questions(SCRIPT, n_each=5)
    assert {question.needs for question in questions} == set(NEEDS)
    for question in questions:
        assert (question.answer in question.options) == (question.needs != "sign")
        assert len(set(question.options)) == len(question.options)


def test_what_needs_both_is_told_by_neither_alone() -> None:
    for question in lane_questions(SCRIPT, n_each=50):
        if question.needs == "both":
            index = shot_of(SCRIPT, question.span)
            line, (group,) = SCRIPT.lines[index], SCRIPT.shots[index].scene.groups
            assert question.answer == group.colour
            assert question.answer not in line.text
            assert times_said(SCRIPT, line.topic) == 1
            colours = {
                g.colour for s in SCRIPT.shots for g in s.scene.groups if g.kind == group.kind
            }
            assert len(colours) > 1


def test_every_shot_of_a_recurring_thing_may_share_a_topic() -> None:
    (needle, *_) = [each for each in SCRIPT.needles if each.role == "times"]
    shared = [i for i in needle.shot_indexes if times_said(SCRIPT, SCRIPT.lines[i].topic) == 3]
    assert len(shared) == len(needle.shot_indexes)
