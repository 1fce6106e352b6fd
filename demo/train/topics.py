"""What is asked about: a branch, its topic, and the kinds of questions that a scene allows."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from demo.phrases import ask
from demo.train.wording import worded
from demo.world import DIRECTIONS, Group, Pair, Scene

NOT_ENOUGH = "not enough"
NO_REQUEST = "none"
ANSWER_KINDS = ("attribute", "place", "count", "direction", "action", "sign")
# How often a kind is asked where the scene has it; a sign stands in every third scene only.
_WEIGHTS = {"attribute": 12, "place": 8, "direction": 16, "action": 16, "sign": 48}
MOTION_KINDS = frozenset({"direction", "action"})
COUNT_WEIGHTS = {1: 3, 2: 8, 3: 8, 4: 22}
"""Counts are asked the more, the rarer they are, so that all are asked equally often: with a prior,
the model never looked."""


@dataclass(frozen=True, slots=True)
class Branch:
    prompt: str
    reply: str
    task: str
    """For reports: "answer:place", "reflect:yes", …"""
    lead: str = ""
    """What stands before the clips."""
    kind: str = ""
    """Of a yes/no question: the kind of question whose evidence is looked for."""
    miss: str = ""
    """Of one that is to be denied: how the frames come near (see `near_misses`)."""
    name: str = ""
    """The prompt file that it is asked by."""
    question: str = ""
    about: Pair | None = None
    """The thing that has to be found; None where that is all that is shown, or nothing."""

    def exact(self) -> Branch:
        """The same in the prompt file's own words."""
        lead, prompt = worded(self.name, self.question)
        return replace(self, lead=lead, prompt=prompt)


@dataclass(frozen=True, slots=True)
class Topic:
    """What a question is about."""

    kind: str
    pair: Pair
    n: int = 1
    place: str = ""
    miss: str = ""
    """How it differs from what is shown, if it does."""

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


def branch_of(
    name: str,
    question: str,
    reply: str,
    task: str,
    *,
    rng: random.Random | None = None,
    short: bool = False,
    about: Pair | None = None,
) -> Branch:
    lead, text = worded(name, question, rng=rng, short=short)
    return Branch(text, reply, task, lead, name=name, question=question, about=about)


def kinds_for(scene: Scene, group: Group) -> list[str]:
    weights = {**_WEIGHTS, "count": COUNT_WEIGHTS[group.n]}
    kinds = [k for k in ANSWER_KINDS for _ in range(weights[k])]
    if scene.sign is None:
        kinds = [k for k in kinds if k != "sign"]
    if group.action not in DIRECTIONS:
        kinds = [k for k in kinds if k != "direction"]
    return kinds


def topic_of(rng: random.Random, scene: Scene, group: Group, kind: str) -> Topic:
    return Topic(kind, group.pair, n=group.n, place=scene.place if kind == "attribute" else "")
