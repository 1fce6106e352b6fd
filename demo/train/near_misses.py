"""Questions about what is not there, but nearly: what reflection has to tell from evidence.

A miss is named by how it was drawn; by chance some come near in another way as well.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from demo.train.topics import Topic, kinds_for
from demo.world import KINDS, PLACES, TRAIN_PAIRS, Group, Pair, Scene

_NAMED_BY_PLACE_SHARE = 0.25
"""Of yes/no questions: those about a thing named by its kind and place, beside the others of it."""


def asked_of(rng: random.Random, scene: Scene, group: Group) -> str:
    """The kind of a question about what a scene shows, or nearly shows.

    One distribution for both: a kind that is asked more of what is there says "yes" by itself.
    Things named by their place are asked more than for answers: that both must hold came last.
    """
    if rng.random() < _NAMED_BY_PLACE_SHARE:
        return "attribute"
    return rng.choice([*kinds_for(scene, group), "when", "after", "before", "times", "all"])


def near_miss(
    rng: random.Random, scenes: list[Scene], *, pairs: Sequence[Pair] = TRAIN_PAIRS
) -> Topic:
    """A topic close to what is shown: most often it isn't there, but it may be.

    Args:
        pairs: what may be asked for.
    """
    scene = rng.choice(scenes)
    group = rng.choice(scene.groups)
    kind = asked_of(rng, scene, group)
    if kind == "attribute":
        return _elsewhere(rng, scenes, scene, group)
    colour, noun = group.pair
    chance = rng.random()
    if chance < 0.05 and scene.sign is None:
        # All is there but the sign.
        return Topic("sign", group.pair, n=group.n, miss="all but the sign")
    if chance < 0.25:
        miss, choices = "another colour", [p for p in pairs if p[1] == noun]
    elif chance < 0.65:
        # What a film is full of, and what the tower tells worst: a cell or two of any thing look
        # like another of its colour.
        miss, choices = "another kind", [p for p in pairs if p[0] == colour and p[1] != noun]
    elif chance < 0.82:
        # The colour of one thing with the kind of another: nothing but binding tells.
        mixed = {(g.colour, h.kind) for s in scenes for g in s.groups for h in s.groups}
        miss, choices = "colour and kind of two things", [p for p in pairs if p in mixed]
    else:
        choices = []
    if not choices:
        miss, choices = "nothing of it", list(pairs)
    # One or several as what is shown: else the number alone would say that it is not there.
    return Topic(kind, rng.choice(choices), n=group.n, miss=miss)


def _elsewhere(rng: random.Random, scenes: list[Scene], scene: Scene, group: Group) -> Topic:
    """A thing named by its place, one of both taken from elsewhere: from another scene shown, or
    from nowhere."""
    noun, place = group.kind, scene.place
    chance = rng.random()
    miss = "its kind, another place"
    if chance < 0.3 and len(scenes) > 1:
        place = rng.choice([s.place for s in scenes])
    elif chance < 0.65:
        place = rng.choice(PLACES)
    else:
        noun, miss = rng.choice(KINDS), "its place, another kind"
    return Topic("attribute", (group.colour, noun), n=group.n, place=place, miss=miss)
