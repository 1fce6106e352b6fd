"""What a caption says, thing by thing, beside what the scene shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from demo.phrases import NUMBER_WORDS, PLACE_PHRASES, PLURAL_ACTIONS, plural
from demo.world import COLOURS, KINDS, MAX_COUNT, Group, Scene

_NUMBERS = {"a": 1, "an": 1, **{NUMBER_WORDS[n]: n for n in range(1, MAX_COUNT + 1)}}
_NOUNS = {form: kind for kind in KINDS for form in (kind, plural(kind))}
_ACTIONS = {form: action for action, many in PLURAL_ACTIONS.items() for form in (action, many)}
_THING = re.compile(
    rf"({'|'.join(_NUMBERS)}) ({'|'.join(COLOURS)}) ({'|'.join(_NOUNS)})\b"
    rf"(?: ({'|'.join(_ACTIONS)})\b)?"
)
_SIGN = re.compile(r"the sign says (\d)")


@dataclass(frozen=True, slots=True)
class SaidThing:
    """One thing that a caption names, or some alike."""

    n: int
    colour: str
    kind: str
    action: str | None


def said_things(caption: str) -> list[SaidThing]:
    """The things that a caption names in full, in its order."""
    return [
        SaidThing(_NUMBERS[number], colour, _NOUNS[noun], _ACTIONS.get(action))
        for number, colour, noun, action in _THING.findall(caption.lower())
    ]


def said_rightly(caption: str, scene: Scene) -> Iterator[tuple[str, bool]]:
    """Each attribute of the scene, and whether the caption says it of the right thing.

    What is shown is compared with what is said of its kind, else with what is said of its colour:
    a thing that is called another kind can still have its own colour, number and action.
    """
    left = said_things(caption)
    groups = list(scene.groups)
    pairs: list[tuple[Group, SaidThing | None]] = []
    for same in (_same_kind, _same_colour):
        for group in list(groups):
            found = next((said for said in left if same(group, said)), None)
            if found is not None:
                left.remove(found)
                groups.remove(group)
                pairs.append((group, found))
    for group, said in [*pairs, *((group, None) for group in groups)]:
        yield "kind", said is not None and said.kind == group.kind
        yield "colour", said is not None and said.colour == group.colour
        yield "number", said is not None and said.n == group.n
        yield "action", said is not None and said.action == group.action
    yield "place", PLACE_PHRASES[scene.place] in caption.lower()
    sign = _SIGN.search(caption.lower())
    if scene.sign is not None:
        yield "sign", sign is not None and sign[1] == scene.sign
    yield "nothing besides", not left and (scene.sign is not None or sign is None)


def _same_kind(group: Group, said: SaidThing) -> bool:
    return said.kind == group.kind


def _same_colour(group: Group, said: SaidThing) -> bool:
    return said.colour == group.colour
