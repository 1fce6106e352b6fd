"""Prompts and true replies over a context, in the words of the project's own prompt files.

A branch is what stands around the clips, a question in a prompt, and the reply. Many branches are
asked over one context.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from demo.phrases import (
    NUMBER_WORDS,
    PLACE_PHRASES,
    caption,
    plural,
    thing,
    things,
    visual_caption,
)
from demo.phrases import answer as true_answer
from demo.train.contexts import Context, View
from demo.train.curriculum import COPY_TASK
from demo.train.near_misses import asked_of, near_miss
from demo.train.topics import (
    ANSWER_KINDS,
    COUNT_WEIGHTS,
    MOTION_KINDS,
    NO_REQUEST,
    NOT_ENOUGH,
    Branch,
    Topic,
    branch_of,
    kinds_for,
    topic_of,
)
from demo.world import COLOURS, KINDS, PLACES, TRAIN_PAIRS, Group, Pair, Scene

_ORDER_SHARE = 0.3
_PLAIN_WEIGHT = 4
"""Of a question about one attribute, beside `COUNT_WEIGHTS`."""
MOTION_FPS, ORDER_FPS, STILL_FPS = 4, 2, 1


def _unique(scenes: list[Scene], topic: Topic) -> int | None:
    """The only scene that holds the topic's evidence, if one alone does."""
    found = [k for k, s in enumerate(scenes) if topic.shown_in(s)]
    return found[0] if len(found) == 1 else None


def answer_branch(rng: random.Random, scenes: list[Scene], *, short: bool = False) -> Branch | None:
    scene = rng.choice(scenes)
    group = rng.choice(scene.groups)
    kind = rng.choice(kinds_for(scene, group))
    topic = topic_of(rng, scene, group, kind)
    if _unique(scenes, topic) is None:
        return None
    reply = true_answer(kind, scene, group.pair)
    task = f"answer:{kind}"
    asked = topic.ask(rng)
    return branch_of("answer", asked, reply, task, rng=rng, short=short, about=group.pair)


def kind_branch(rng: random.Random, scenes: list[Scene]) -> Branch | None:
    """What the only thing of its colour is."""
    group = rng.choice(rng.choice(scenes).groups)
    if not _alone_in_colour(scenes, group):
        return None
    question, reply = _kind_question(group)
    return branch_of("answer", question, reply, "answer:kind", rng=rng, about=group.pair)


def _kind_question(group: Group) -> tuple[str, str]:
    # As everywhere the question says whether it is about one or several: how many is asked apart.
    asked = f"is the {group.colour} one" if group.n == 1 else f"are the {group.colour} ones"
    return f"What {asked}?", _noun(group)


def _noun(group: Group) -> str:
    return group.kind if group.n == 1 else plural(group.kind)


def _alone_in_colour(scenes: Sequence[Scene], group: Group) -> bool:
    return sum(g.colour == group.colour for s in scenes for g in s.groups) == 1


def plain_branch(rng: random.Random, scenes: list[Scene]) -> Branch | None:
    """A question with less to bind: by kind alone, by colour alone, or about the place."""
    if len(scenes) > 1:
        return None
    scene = scenes[0]
    group = rng.choice(scene.groups)
    verb = "is" if group.n == 1 else "are"
    noun = _noun(group)
    alone = _alone_in_colour(scenes, group)
    does = "does" if group.n == 1 else "do"
    choices = [
        (f"What colour {verb} the {noun}?", group.colour),
        ("Which place is this?", scene.place),
        (f"What {does} the {noun} do?", true_answer("action", scene, group.pair)),
    ]
    if alone:
        choices.append(_kind_question(group))
    weights = [_PLAIN_WEIGHT] * len(choices)
    choices.append((f"How many {plural(group.kind)} are there?", NUMBER_WORDS[group.n]))
    weights.append(COUNT_WEIGHTS[group.n])
    if scene.sign is not None:
        # A sign fills one cell of many: what is hardest to find is asked most.
        choices.append(("What number is on the sign?", scene.sign))
        weights.append(2 * sum(weights))
    ((question, reply),) = rng.choices(choices, weights)
    return branch_of("answer", question, reply, "answer:plain", rng=rng)


def plain_reflect(rng: random.Random, scenes: list[Scene]) -> Branch | None:
    """ "Is it there?" with one attribute: appears before whole descriptions can be matched."""
    kinds = {g.kind for s in scenes for g in s.groups}
    colours = {g.colour for s in scenes for g in s.groups}
    places = {s.place for s in scenes}
    family = rng.choice(("kind", "colour", "place"))
    true_set, every = {
        "kind": (kinds, KINDS),
        "colour": (colours, tuple(COLOURS)),
        "place": (places, PLACES),
    }[family]
    wanted = rng.random() < 0.5
    values = [v for v in every if (v in true_set) == wanted]
    if not values:  # a long strip may show every colour
        return None
    value = rng.choice(values)
    question = {
        "kind": f"Where is the {value}?",
        "colour": f"Where is something {value}?",
        "place": f"What can be seen {PLACE_PHRASES.get(value, '')}?",
    }[family]
    reply = "yes" if wanted else "no"
    return branch_of("reflect", question, reply, f"reflect1:{reply}", rng=rng)


def reflect_branch(
    rng: random.Random,
    scenes: list[Scene],
    *,
    short: bool = False,
    pairs: Sequence[Pair] = TRAIN_PAIRS,
) -> Branch:
    """Is it there? Half of the questions are about what is, half about near misses of `pairs`."""
    if rng.random() < 0.5:
        scene = rng.choice(scenes)
        group = rng.choice(scene.groups)
        topic = topic_of(rng, scene, group, asked_of(rng, scene, group))
    else:
        topic = near_miss(rng, scenes, pairs=pairs)
        for _ in range(4):
            if not any(topic.shown_in(s) for s in scenes):
                break
            topic = near_miss(rng, scenes, pairs=pairs)
    reply = "yes" if any(topic.shown_in(s) for s in scenes) else "no"
    branch = branch_of("reflect", topic.ask(rng), reply, f"reflect:{reply}", rng=rng, short=short)
    if reply == "no":
        return replace(branch, kind=topic.kind, miss=topic.miss)
    return replace(branch, kind=topic.kind, about=topic.pair)


def absent_branch(rng: random.Random, scenes: list[Scene]) -> Branch | None:
    topic = near_miss(rng, scenes)
    if topic.kind not in ANSWER_KINDS or any(topic.shown_in(s) for s in scenes):
        return None
    return branch_of("answer", topic.ask(rng), NOT_ENOUGH, "answer:absent", rng=rng)


def order_branch(rng: random.Random, scenes: list[Scene]) -> Branch | None:
    if len(scenes) < 2:
        return None
    first = rng.randrange(len(scenes) - 1)
    a, b = scenes[first], scenes[first + 1]
    known, asked, kind = (a, b, "after") if rng.random() < 0.5 else (b, a, "before")
    subject = rng.choice(known.groups)
    topic = Topic(kind, subject.pair, n=subject.n)
    if len(asked.groups) != 1 or _unique(scenes, topic) is None:
        return None
    reply, task = thing(asked.groups[0]), f"answer:{kind}"
    return branch_of("answer", topic.ask(rng), reply, task, rng=rng, about=subject.pair)


def caption_branch(rng: random.Random, scenes: list[Scene]) -> Branch | None:
    if len(scenes) != 1:
        return None
    return branch_of("caption", "", caption(scenes[0]), "caption")


def shown_branch(rng: random.Random, scenes: list[Scene]) -> Branch | None:
    """What an order question asks of the shot beside its anchor."""
    if len(scenes) != 1:
        return None
    return branch_of("shown", "", things(scenes[0].groups), "shown")


def rewrite_branch(rng: random.Random) -> Branch:
    kind = rng.choice((*ANSWER_KINDS, "when", "after", "before", "times", "all"))
    topic = Topic(kind, rng.choice(TRAIN_PAIRS), n=rng.choice((1, 1, 2)), place=rng.choice(PLACES))
    reply = visual_caption(kind, topic.pair, n=topic.n, place=topic.place)
    return branch_of("rewrite", topic.ask(rng), reply, "rewrite", rng=rng)


def request_branch(rng: random.Random, view: View, *, short: bool = False) -> Branch | None:
    """The span from the first to the last pair that shows the subject, in the strip's own times.

    Whole seconds: a look is far longer than what is cut off, and one number is one token.

    Args:
        short: only a few words of the prompt.
    """

    scenes = [t.clip.scene for t in view.takes]
    tags = view.tags()
    if rng.random() < 0.25:
        topic = near_miss(rng, scenes)
        if any(topic.shown_in(s) for s in scenes):
            return None
        return branch_of(
            "request", topic.ask(rng), NO_REQUEST, "request:none", rng=rng, short=short
        )
    which = rng.randrange(len(scenes))
    group = rng.choice(scenes[which].groups)
    kinds = [*kinds_for(scenes[which], group), "when", "after", "before"]
    topic = topic_of(rng, scenes[which], group, rng.choice(kinds))
    if _unique(scenes, topic) is None:
        return None
    first = sum(len(t.frame_indices) // 2 for t in view.takes[:which])
    last = first + len(view.takes[which].frame_indices) // 2 - 1
    fps = STILL_FPS
    if topic.kind in MOTION_KINDS:
        fps = MOTION_FPS
    elif topic.kind in ("after", "before"):
        fps = ORDER_FPS
    start, end = (tags[k].partition(".")[0] for k in (first, last))
    if start == end:
        return None
    reply = f"<span>{start} - {end}</span><fps>{fps}</fps>"
    asked = topic.ask(rng)
    return branch_of(
        "request", asked, reply, "request:span", rng=rng, short=short, about=group.pair
    )


def answered_request_branch(rng: random.Random, scenes: list[Scene]) -> Branch | None:
    """What a look that shows the answer leaves to ask for: nothing."""
    if len(scenes) != 1:
        return None
    group = rng.choice(scenes[0].groups)
    topic = topic_of(rng, scenes[0], group, rng.choice(kinds_for(scenes[0], group)))
    asked, task = topic.ask(rng), "request:answered"
    return branch_of("request", asked, NO_REQUEST, task, rng=rng, about=group.pair)


def branches(rng: random.Random, context: Context, *, n: int, easy: bool) -> list[Branch]:
    """`n` branches over a context.

    Args:
        easy: with many questions about one attribute: matching one comes before matching
            whole descriptions.
    """
    scenes = context.scenes
    out: list[Branch] = []
    while len(out) < n:
        branch = _any_branch(rng, scenes, easy=easy)
        if branch is not None:
            out.append(branch)
    return out


def request_branches(
    rng: random.Random, context: Context, *, n: int, short: bool = False
) -> list[Branch]:
    """`n` requests over a strip."""
    out: list[Branch] = []
    while len(out) < n:
        branch = request_branch(rng, context.views[0], short=short)
        if branch is not None:
            out.append(branch)
    return out


def copying_branches(rng: random.Random, context: Context, *, n: int, short: bool) -> list[Branch]:
    """`n` requests of the rows that teach nothing else."""
    return [
        branch if branch.reply == NO_REQUEST else replace(branch, task=COPY_TASK)
        for branch in request_branches(rng, context, n=n, short=short)
    ]


def binding_branches(rng: random.Random, context: Context, *, n: int, short: bool) -> list[Branch]:
    """`n` questions about things of the context."""
    out: list[Branch] = []
    while len(out) < n:
        branch = _finding(rng, context.scenes, short=short)
        if branch is not None:
            out.append(replace(branch, task=f"bind:{branch.task.partition(':')[2]}"))
    return out


def _finding(rng: random.Random, scenes: list[Scene], *, short: bool) -> Branch | None:
    if rng.random() < 0.5:
        return reflect_branch(rng, scenes, short=short)
    return answer_branch(rng, scenes, short=short)


def _any_branch(rng: random.Random, scenes: list[Scene], *, easy: bool) -> Branch | None:
    chance = rng.random()
    if chance < (0.30 if easy else 0.05):
        return plain_branch(rng, scenes)
    if chance < (0.50 if easy else 0.10):
        return plain_reflect(rng, scenes)
    if len(scenes) > 1 and rng.random() < _ORDER_SHARE:
        return order_branch(rng, scenes)
    chance = rng.random()
    if chance < 0.32:
        return reflect_branch(rng, scenes)
    if chance < 0.57:
        return answer_branch(rng, scenes)
    if chance < 0.63:
        return absent_branch(rng, scenes)
    if chance < 0.71:
        # Of a kind of its own: among the answers' it was too rare to learn whether one or several.
        return kind_branch(rng, scenes)
    if chance < 0.74:
        return answered_request_branch(rng, scenes)
    if chance < 0.84:
        return shown_branch(rng, scenes)
    # In a caption every part has to be right: it teaches all of them at once.
    return caption_branch(rng, scenes)
