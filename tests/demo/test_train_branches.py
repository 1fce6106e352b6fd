"""The questions that training asks about what it shows."""

import random
from collections import Counter
from dataclasses import replace

import pytest

from demo.phrases import caption
from demo.train.branches import (
    answer_branch,
    answered_request_branch,
    branches,
    kind_branch,
    reflect_branch,
)
from demo.train.contexts import fresh_take, random_context
from demo.train.judging import Judged
from demo.train.measure import chance
from demo.train.topics import Branch
from demo.world import (
    ACTIONS,
    ALL_PAIRS,
    COLOURS,
    KINDS,
    MAX_COUNT,
    SceneRules,
    random_scene,
)

CONTEXTS = ("look", "cut", "several")


def judged(n: int) -> list[Branch]:
    rng = random.Random(1)
    asked = []
    for number in range(n):
        context = random_context(
            rng, fresh_take, kind=CONTEXTS[number % len(CONTEXTS)], first=False
        )
        asked.append(reflect_branch(rng, context.scenes))
    return asked


def test_the_kind_of_a_question_does_not_say_whether_its_evidence_is_there() -> None:
    asked, yes = Counter[str](), Counter[str]()
    for branch in judged(2000):
        asked[branch.kind] += 1
        yes[branch.kind] += branch.reply == "yes"
    assert len(asked) == 11
    assert all(0.3 < yes[kind] / n < 0.7 for kind, n in asked.items()), (yes, asked)


def test_many_yes_or_no_questions_are_about_a_thing_named_by_its_place() -> None:
    about = [branch for branch in judged(600) if branch.kind == "attribute"]
    assert 0.25 < len(about) / 600 < 0.45
    assert all("colour" in branch.prompt for branch in about)


def test_the_judged_can_be_told_apart_by_their_questions() -> None:
    both = Judged(
        (0.9, 0.2, 0.1, 0.8),
        (True, True, False, False),
        ("count", "sign") * 2,
        ("", "", "another kind", "another colour"),
    )
    assert both.auc() == 0.75
    assert both.of(lambda kind: kind == "count").auc() == 1.0
    assert both.of(lambda kind: kind == "sign").auc() == 0.0
    assert both.missed("another kind").auc() == 1.0
    assert both.missed("another colour").auc() == 0.5


def test_only_what_is_alone_in_its_colour_is_named_by_it() -> None:
    rng = random.Random(3)
    scene = random_scene(rng, SceneRules(n_groups=2, n_things=1))
    boats, cat = (
        replace(scene.groups[0], colour="red", kind="boat", positions=((0.3, 0.5), (0.7, 0.5))),
        replace(scene.groups[1], colour="blue", kind="cat"),
    )
    apart = replace(scene, groups=(boats, cat))
    asked = {kind_branch(rng, [apart]) for _ in range(40)}
    assert {b.reply for b in asked if b and "What are the red ones?" in b.prompt} == {"boats"}
    assert {b.reply for b in asked if b and "What is the blue one?" in b.prompt} == {"cat"}
    assert None not in asked
    alike = replace(scene, groups=(cat, replace(cat, kind="ball")))
    assert [kind_branch(rng, [alike]) for _ in range(40)] == [None] * 40
    assert kind_branch(rng, [apart, apart]) is None


def test_what_is_denied_says_how_near_it_comes() -> None:
    near = Counter[str]()
    for branch in judged(1000):
        assert bool(branch.miss) == (branch.reply == "no")
        near[branch.miss] += 1
    assert set(near) - {""} == {
        "all but the sign",
        "another colour",
        "another kind",
        "colour and kind of two things",
        "its kind, another place",
        "its place, another kind",
        "nothing of it",
    }


@pytest.mark.parametrize(
    ("task", "guessed"),
    [
        ("one clip: attribute", 1 / len(COLOURS)),
        ("several clips: action that order tells", 1 / len(ACTIONS)),
        ("named by colour: kind", 1 / len(KINDS)),
        ("order: after", 1 / (len(ALL_PAIRS) * MAX_COUNT)),
    ],
)
def test_chance_is_one_of_the_possible_replies(task: str, guessed: float) -> None:
    assert chance(task) == f"{guessed:.2f}"
    assert chance("caption: exact") == "–"


def test_one_or_several_does_not_say_whether_it_is_there() -> None:
    """What is asked for agrees in number with a thing that is shown, there or not."""
    rng = random.Random(2)
    several = Counter[str]()
    for _ in range(1500):
        scene = fresh_take(rng, 8).clip.scene
        branch = reflect_branch(rng, [scene])
        numbers = {group.n > 1 for group in scene.groups}
        if len(numbers) > 1 or branch.kind in ("count", "attribute") or "fish" in branch.question:
            continue
        many = any(f" {word}s" in branch.question for word in KINDS)
        assert many == numbers.pop(), (branch.question, scene)
        several[branch.reply] += many
    assert min(several["yes"], several["no"]) > 50


def test_a_question_says_what_has_to_be_found_and_its_own_words() -> None:
    rng = random.Random(2)
    loosened = 0
    for _ in range(200):
        scene = fresh_take(rng, 8).clip.scene
        branch = answer_branch(rng, [scene])
        if branch is None:
            continue
        assert branch.about in {group.pair for group in scene.groups}
        exact = branch.exact()
        assert exact.prompt.endswith("in a few words. If they do not show it, answer: not enough.")
        assert exact.question in exact.prompt
        assert (exact.reply, exact.about) == (branch.reply, branch.about)
        loosened += exact != branch
    assert 30 < loosened < 120


def test_looks_that_show_the_answer_are_among_what_is_asked() -> None:
    rng = random.Random(5)
    asked = Counter[str]()
    for _ in range(100):
        context = random_context(rng, fresh_take, kind="look", first=False)
        asked.update(b.task for b in branches(rng, context, n=4, easy=False))
        over_two = random_context(rng, fresh_take, kind="cut", first=False)
        assert answered_request_branch(rng, over_two.scenes) is None
    assert 2 <= asked["request:answered"] <= 30


def test_a_caption_does_not_tell_in_which_order_a_scene_lists_its_things() -> None:
    rng = random.Random(5)
    listed = [random_scene(rng, SceneRules(n_groups=2)) for _ in range(20)]
    turned = [replace(scene, groups=scene.groups[::-1]) for scene in listed]
    assert [caption(scene) for scene in listed] == [caption(scene) for scene in turned]
    named = [[group.kind for group in scene.groups] for scene in listed]
    assert all(
        words.index(min(kinds)) < words.index(max(kinds))
        for words, kinds in zip(map(caption, listed), named, strict=True)
    )
