"""Prompts and true replies over a context, in the words of the project's own prompt files.

A branch is what follows the clips: a question in a prompt, and the reply. Many branches share the
clips of one context.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

from demo.phrases import (
    NUMBER_WORDS,
    PLACE_PHRASES,
    ask,
    caption,
    plural,
    thing,
    things,
    visual_caption,
)
from demo.phrases import answer as true_answer
from demo.train.contexts import Context, View
from demo.train.curriculum import COPY_TASK
from demo.world import (
    COLOURS,
    DIRECTIONS,
    KINDS,
    PLACES,
    TRAIN_PAIRS,
    Group,
    Pair,
    Scene,
)
from prompts.render import render

NOT_ENOUGH = "not enough"
NO_REQUEST = "none"
_SLOT = "\ue002"
ANSWER_KINDS = ("attribute", "place", "count", "direction", "action", "sign")
# How often a kind is asked where the scene has it; a sign stands in every third scene only.
_WEIGHTS = {"attribute": 3, "place": 2, "direction": 4, "action": 4, "sign": 12}
MOTION_KINDS = frozenset({"direction", "action"})
_FIND_SHARE = 0.3
_ORDER_SHARE = 0.3
_CUES = {
    "answer": "Answer in a few words.",
    "reflect": "Answer yes or no.",
    "request": "Reply with <span>",
}
"""What stands for a prompt file's instruction where many questions share a row."""
_LOOSE_SHARE, _LEFT_OUT, _PUT_IN = 0.4, 0.15, 0.1
_WORD = re.compile(r"\n|[^\S\n]*\S+")
_FILLERS = (
    *("please", "just", "now", "here", "so", "well", "then", "only", "quite", "rather", "really"),
    *("simply", "also", "still", "always", "clearly", "surely", "again", "once", "today", "maybe"),
    *("perhaps", "indeed", "exactly", "briefly", "kindly", "carefully", "truly", "given", "said"),
    *("each", "more", "less", "good", "short", "plain", "whole", "full", "clear"),
)
"""Words that change nothing; "very" is not among them: the report tries it as an unknown one."""
MOTION_FPS, ORDER_FPS, STILL_FPS = 4, 2, 1
_COUNT_WEIGHTS = {1: 1, 2: 2, 3: 2, 4: 5}
"""Counts are asked the more, the rarer they are: with a prior, the model never looked."""


@dataclass(frozen=True, slots=True)
class Branch:
    prompt: str
    reply: str
    task: str
    """For reports: "answer:place", "reflect:yes", …"""


@cache
def _around(name: str) -> tuple[str, str]:
    values = {} if name == "caption" else {"question": _SLOT, "options": ()}
    parts = render(name, n_clips=0, **values).text.split(_SLOT)
    return (parts[0], parts[1]) if len(parts) == 2 else (parts[0], "")


def prompt(
    name: str, question: str = "", *, rng: random.Random | None = None, short: bool = False
) -> str:
    """The prompt file's text after the clips, quickly.

    Args:
        short: only a few words of it.
        rng: now and then words of the instruction are left out and others put in, so that no model
            learns one string.
    """
    before, after = _around(name)
    if short:
        return f"{before}{question}\n{_CUES[name]}"
    if rng is not None and rng.random() < _LOOSE_SHARE:
        after = "".join(_loosened(_WORD.findall(after), rng))
    return f"{before}{question}{after}"


def _loosened(words: Sequence[str], rng: random.Random) -> Iterator[str]:
    for word in words:
        if rng.random() < _PUT_IN:
            yield f" {rng.choice(_FILLERS)}"
        if rng.random() > _LEFT_OUT:
            yield word


@dataclass(frozen=True, slots=True)
class Topic:
    """What a question is about."""

    kind: str
    pair: Pair
    n: int = 1
    place: str = ""

    def ask(self, rng: random.Random) -> str:
        wording = 0 if rng.random() < 0.7 else 1
        return ask(self.kind, self.pair, n=self.n, place=self.place, wording=wording)

    def shown_in(self, scene: Scene) -> bool:
        """Whether the scene holds the evidence."""
        if self.kind == "attribute":
            return scene.place == self.place and scene.has_kind(self.pair[1])
        if scene.group_of(self.pair) is None:
            return False
        return self.kind != "sign" or scene.sign is not None


def _kinds_for(scene: Scene, group: Group) -> list[str]:
    weights = {**_WEIGHTS, "count": _COUNT_WEIGHTS[group.n]}
    kinds = [k for k in ANSWER_KINDS for _ in range(weights[k])]
    if scene.sign is None:
        kinds = [k for k in kinds if k != "sign"]
    if group.action not in DIRECTIONS:
        kinds = [k for k in kinds if k != "direction"]
    return kinds


def _topic(rng: random.Random, scene: Scene, group: Group, kind: str) -> Topic:
    return Topic(kind, group.pair, n=group.n, place=scene.place if kind == "attribute" else "")


def _near_miss(rng: random.Random, scenes: list[Scene]) -> Topic:
    """A topic close to what is shown: most often it isn't there, but it may be."""
    scene = rng.choice(scenes)
    group = rng.choice(scene.groups)
    kind = rng.choice((*ANSWER_KINDS, "when", "after", "before", "times", "all"))
    colour, noun = group.pair
    chance = rng.random()
    if kind == "attribute":
        place, noun = scene.place, noun
        if chance < 0.5:
            place = rng.choice(PLACES)
        else:
            noun = rng.choice(KINDS)
        return Topic(kind, (colour, noun), n=group.n, place=place)
    if chance < 0.3:
        choices = [p for p in TRAIN_PAIRS if p[1] == noun]
    elif chance < 0.6:
        choices = [p for p in TRAIN_PAIRS if p[0] == colour]
    elif chance < 0.8:
        # The colour of one thing with the kind of another: nothing but binding tells.
        mixed = {(g.colour, h.kind) for s in scenes for g in s.groups for h in s.groups}
        choices = [p for p in TRAIN_PAIRS if p in mixed]
    else:
        choices = list(TRAIN_PAIRS)
    return Topic(kind, rng.choice(choices or list(TRAIN_PAIRS)), n=rng.choice((1, 1, 2)))


def _unique(scenes: list[Scene], topic: Topic) -> Scene | None:
    """The only scene that holds the topic's evidence, if it holds it once."""
    found = [s for s in scenes if topic.shown_in(s)]
    return found[0] if len(found) == 1 else None


def answer_branch(rng: random.Random, scenes: list[Scene], *, short: bool = False) -> Branch | None:
    scene = rng.choice(scenes)
    group = rng.choice(scene.groups)
    kind = rng.choice(_kinds_for(scene, group))
    topic = _topic(rng, scene, group, kind)
    if _unique(scenes, topic) is None:
        return None
    reply = true_answer(kind, scene, group.pair)
    return Branch(prompt("answer", topic.ask(rng), rng=rng, short=short), reply, f"answer:{kind}")


def plain_branch(rng: random.Random, scenes: list[Scene]) -> Branch | None:
    """A question with less to bind: by kind alone, by colour alone, or about the place."""
    if len(scenes) > 1:
        return None
    scene = scenes[0]
    group = rng.choice(scene.groups)
    verb = "is" if group.n == 1 else "are"
    noun = group.kind if group.n == 1 else plural(group.kind)
    alone = sum(g.colour == group.colour for g in scene.groups) == 1
    choices = [
        (f"What colour {verb} the {noun}?", group.colour),
        ("Which place is this?", scene.place),
        *[(f"How many {plural(group.kind)} are there?", NUMBER_WORDS[group.n])]
        * _COUNT_WEIGHTS[group.n],
        (
            f"What {'does' if group.n == 1 else 'do'} the {noun} do?",
            true_answer("action", scene, group.pair),
        ),
    ]
    if alone:
        choices.append((f"What is {group.colour}?", noun))
    if scene.sign is not None:
        # A sign fills one cell of many: what is hardest to find is asked most.
        choices += [("What number is on the sign?", scene.sign)] * (2 * len(choices))
    question, reply = rng.choice(choices)
    return Branch(prompt("answer", question, rng=rng), reply, "answer:plain")


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
    return Branch(prompt("reflect", question, rng=rng), reply, f"reflect1:{reply}")


def reflect_branch(rng: random.Random, scenes: list[Scene], *, short: bool = False) -> Branch:
    if rng.random() < 0.5:
        scene = rng.choice(scenes)
        group = rng.choice(scene.groups)
        kinds = [*_kinds_for(scene, group), "when", "after", "before", "times", "all"]
        topic = _topic(rng, scene, group, rng.choice(kinds))
    else:
        topic = _near_miss(rng, scenes)
        for _ in range(4):
            if not any(topic.shown_in(s) for s in scenes):
                break
            topic = _near_miss(rng, scenes)
    reply = "yes" if any(topic.shown_in(s) for s in scenes) else "no"
    asked = prompt("reflect", topic.ask(rng), rng=rng, short=short)
    return Branch(asked, reply, f"reflect:{reply}")


def absent_branch(rng: random.Random, scenes: list[Scene]) -> Branch | None:
    topic = _near_miss(rng, scenes)
    if topic.kind not in ANSWER_KINDS or any(topic.shown_in(s) for s in scenes):
        return None
    return Branch(prompt("answer", topic.ask(rng), rng=rng), NOT_ENOUGH, "answer:absent")


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
    return Branch(
        prompt("answer", topic.ask(rng), rng=rng), thing(asked.groups[0]), f"answer:{kind}"
    )


def caption_branch(rng: random.Random, scenes: list[Scene]) -> Branch | None:
    if len(scenes) != 1:
        return None
    return Branch(prompt("caption"), caption(scenes[0]), "caption")


def shown_branch(rng: random.Random, scenes: list[Scene]) -> Branch | None:
    """What an order question asks of the shot beside its anchor."""
    if len(scenes) != 1:
        return None
    return Branch(prompt("shown"), things(scenes[0].groups), "shown")


def rewrite_branch(rng: random.Random) -> Branch:
    kind = rng.choice((*ANSWER_KINDS, "when", "after", "before", "times", "all"))
    topic = Topic(kind, rng.choice(TRAIN_PAIRS), n=rng.choice((1, 1, 2)), place=rng.choice(PLACES))
    reply = visual_caption(kind, topic.pair, n=topic.n, place=topic.place)
    return Branch(prompt("rewrite", topic.ask(rng), rng=rng), reply, "rewrite")


def request_branch(rng: random.Random, view: View, *, short: bool = False) -> Branch | None:
    """The span from the first to the last pair that shows the subject, in the strip's own times.

    Whole seconds: a look is far longer than what is cut off, and one number is one token.

    Args:
        short: the question alone, without its prompt.
    """

    def asked(topic: Topic) -> str:
        question = topic.ask(rng)
        return question if short else prompt("request", question, rng=rng)

    scenes = [t.clip.scene for t in view.takes]
    tags = view.tags()
    if rng.random() < 0.25:
        topic = _near_miss(rng, scenes)
        if any(topic.shown_in(s) for s in scenes):
            return None
        return Branch(asked(topic), NO_REQUEST, "request:none")
    which = rng.randrange(len(scenes))
    group = rng.choice(scenes[which].groups)
    kinds = [*_kinds_for(scenes[which], group), "when", "after", "before"]
    topic = _topic(rng, scenes[which], group, rng.choice(kinds))
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
    return Branch(asked(topic), reply, "request:span")


def branches(rng: random.Random, context: Context, *, n: int, easy: bool) -> list[Branch]:
    """`n` branches over a context.

    Args:
        easy: with many questions about one attribute: matching one comes before matching
            whole descriptions.
    """
    scenes = context.scenes
    out: list[Branch] = []
    while len(out) < n:
        branch: Branch | None
        if context.strip and rng.random() < 0.6:
            branch = request_branch(rng, context.views[0])
        else:
            branch = _any_branch(rng, scenes, easy=easy)
        if branch is not None:
            out.append(branch)
    return out


def copying_branches(
    rng: random.Random, context: Context, *, n: int, short: bool
) -> list[Branch] | None:
    """`n` questions that find a pair: most copy its times, some ask what else is there.

    None where nothing in the context stands alone.
    """
    out: list[Branch] = []
    for _ in range(8 * n):
        branch: Branch | None
        if rng.random() < _FIND_SHARE:
            branch = _finding(rng, context.scenes, short=short)
        else:
            branch = request_branch(rng, context.views[0], short=short)
            if branch is not None and branch.reply != NO_REQUEST:
                branch = replace(branch, task=COPY_TASK)
        if branch is not None:
            out.append(branch)
        if len(out) == n:
            return out
    return None


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
    if chance < 0.36:
        return reflect_branch(rng, scenes)
    if chance < 0.74:
        return answer_branch(rng, scenes)
    if chance < 0.80:
        return absent_branch(rng, scenes)
    if chance < 0.91:
        return shown_branch(rng, scenes)
    return caption_branch(rng, scenes)
