"""Questions are sound: decided by the film, answered rightly, with options of one right value."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from demo.facts import KINDS, NOT_FOUND, clock, span_words
from demo.phrases import answer, thing
from demo.questions import (
    Question,
    make_questions,
    question_to_json,
)
from demo.script import make_script
from demo.truth import FilmShot

SCRIPT = make_script(11, 60)
QUESTIONS = make_questions(SCRIPT, video="hour.mp4", n=400, seed=1)


def of(kind: str) -> list[Question]:
    return [q for q in QUESTIONS if q.kind == kind]


def shot_at(start_s: float) -> FilmShot:
    return next(s for s in SCRIPT.shots if s.start_s == start_s)


def test_an_hour_has_questions_of_every_kind_in_both_forms() -> None:
    n_of = Counter((q.kind, q.form) for q in QUESTIONS)
    assert set(n_of) == {(kind, form) for kind in KINDS for form in ("open", "choice")}


@pytest.mark.parametrize("kind", ["place", "count", "direction", "action", "sign"])
def test_answers_of_one_shot_are_what_the_shot_shows(kind: str) -> None:
    for q in of(kind):
        scene = shot_at(q.evidence[0][0]).scene
        colour, noun = q.subject.split()
        assert answer(kind, scene, (colour, noun)) == q.answer


def test_the_colour_asked_for_is_that_of_the_kind_in_the_place() -> None:
    for q in of("attribute"):
        kind, place = q.subject.split(", ")
        scene = shot_at(q.evidence[0][0]).scene
        assert scene.place == place
        assert [g.colour for g in scene.groups if g.kind == kind] == [q.answer]


@pytest.mark.parametrize(("kind", "step"), [("after", 1), ("before", -1)])
def test_order_answers_name_the_neighbours_only_group(kind: str, step: int) -> None:
    for q in of(kind):
        colour, noun = q.subject.split()
        index = next(
            i for i, s in enumerate(SCRIPT.shots) if s.scene.group_of((colour, noun)) is not None
        )
        groups = SCRIPT.shots[index + step].scene.groups
        assert [thing(g) for g in groups] == [q.answer]
        assert SCRIPT.shots[index + step].span in q.evidence
        assert SCRIPT.shots[index].span in q.evidence


def test_times_and_all_count_every_appearance() -> None:
    for q in of("times") + of("all"):
        colour, noun = q.subject.split()
        spans = tuple(s.span for s in SCRIPT.shots if s.scene.group_of((colour, noun)))
        assert q.evidence == spans
        assert q.answer == (str(len(spans)) if q.kind == "times" else span_words(spans))


def test_a_first_time_is_the_first_of_all_and_the_others_are_wrong_options() -> None:
    for q in of("first"):
        assert len(q.evidence) > 1
        assert q.answer == span_words([min(q.evidence)])
        if q.options:
            assert span_words([sorted(q.evidence)[1]]) in q.options


def test_an_order_question_names_two_things_that_are_there_once() -> None:
    for q in of("order"):
        things = q.subject.split(", ")
        assert len(things) == len(q.evidence) == 2
        assert all(thing in q.question for thing in things)
        named = [s.scene for s in SCRIPT.shots if s.span == min(q.evidence)]
        assert any(q.answer.removeprefix("the ").startswith(g.colour) for g in named[0].groups)
        assert q.options is None or set(q.options) == {f"the {thing}" for thing in things}


def test_absent_subjects_are_not_in_the_film() -> None:
    for q in of("absent"):
        assert (q.status, q.answer, q.evidence) == ("not_found", NOT_FOUND, ())
        if q.asks == "attribute":
            kind, place = q.subject.split(", ")
            assert not any(s.scene.place == place and s.scene.has_kind(kind) for s in SCRIPT.shots)
        else:
            colour, noun = q.subject.split()
            assert not any(s.scene.group_of((colour, noun)) for s in SCRIPT.shots)


def test_absent_questions_ask_many_templates() -> None:
    first = [q.asks for q in of("absent") if q.form == "open"][:11]
    assert len(set(first)) >= 9


def test_choices_have_different_options_with_one_right_or_none() -> None:
    for minutes in (1 / 3, 3, 60):
        script = make_script(2, minutes)
        for q in make_questions(script, video="f.mp4", n=300, seed=0, forms=("choice",)):
            assert q.options is not None
            assert len(set(q.options)) == (2 if q.kind == "order" else 4)
            assert (q.answer in q.options) == (q.kind != "absent")


def test_the_right_option_stands_anywhere() -> None:
    places = Counter(
        q.options.index(q.answer) for q in QUESTIONS if q.options and q.kind != "absent"
    )
    assert min(places[i] for i in range(4)) > 20


def test_answers_of_a_kind_are_spread_out() -> None:
    for kind, most in (("count", 0.4), ("direction", 0.45), ("place", 0.25), ("sign", 0.25)):
        answers = Counter(q.answer for q in of(kind)[:16] if q.form == "open")
        assert max(answers.values()) / sum(answers.values()) <= most, kind


def test_fifty_questions_take_every_kind_about_twice() -> None:
    some = make_questions(SCRIPT, video="hour.mp4", n=50, seed=1)
    n_of = Counter(q.kind for q in some)
    assert len(some) == 50
    assert set(n_of) == set(KINDS)
    assert set(n_of.values()) <= {2, 4, 6}


def test_names_are_unique_and_the_same_seed_gives_the_same_questions() -> None:
    assert len({q.custom_id for q in QUESTIONS}) == len(QUESTIONS)
    assert make_questions(SCRIPT, video="hour.mp4", n=400, seed=1) == QUESTIONS


@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 1.0])
def test_a_share_of_absent_questions_holds_in_every_beginning(share: float) -> None:
    made = make_questions(
        SCRIPT, video="f.mp4", n=60, seed=1, forms=("choice",), absent_share=share
    )
    assert len(made) == 60
    for n in (4, 20, 60):
        n_absent = sum(q.kind == "absent" for q in made[:n])
        assert abs(n_absent - n * share) <= 0.5
    others = {q.kind for q in made if q.kind != "absent"}
    assert len(others) == (0 if share == 1 else len(KINDS) - 1)


def test_absent_questions_stand_beside_the_kinds_that_were_chosen() -> None:
    made = make_questions(SCRIPT, video="f.mp4", n=20, seed=1, kinds=("times",), absent_share=0.5)
    assert Counter(q.kind for q in made) == {"times": 10, "absent": 10}


def test_a_film_with_too_few_absent_subjects_keeps_the_share() -> None:
    script = make_script(2, 1 / 3)
    made = make_questions(script, video="f.mp4", n=10_000, seed=0, absent_share=0.9)
    n_absent = sum(q.kind == "absent" for q in made)
    assert n_absent < 10_000 * 0.9
    assert n_absent / len(made) == pytest.approx(0.9, abs=0.1)


def test_a_share_above_one_is_refused() -> None:
    with pytest.raises(ValueError, match=r"share of 1\.5"):
        make_questions(SCRIPT, video="f.mp4", n=1, seed=0, absent_share=1.5)


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="smell"):
        make_questions(SCRIPT, video="f.mp4", n=1, seed=0, kinds=("smell",))


def test_an_open_line_has_no_options_and_a_batch_finds_what_it_needs() -> None:
    line = json.loads(json.dumps(question_to_json(QUESTIONS[0])))
    assert "options" not in line
    assert {"custom_id", "video", "question"} <= set(line)
    assert line["evidence"] == [list(span) for span in QUESTIONS[0].evidence]


def test_times_are_written_to_the_nearest_second() -> None:
    assert clock(3723.5) == "1:02:04"
    assert span_words([(61.2, 69.6), (600.0, 604.0)]) == "0:01:01 - 0:01:10, 0:10:00 - 0:10:04"
