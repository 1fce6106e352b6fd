"""Texts for the encoder, and which scenes each of them is true of.

A caption may be true of several frames of a batch, so a text carries what it requires of a scene;
comparing that with what scenes have gives the true match matrix.
"""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from demo.phrases import (
    NUMBER_WORDS,
    PLACE_PHRASES,
    QUESTIONS,
    article,
    ask,
    plural,
    thing,
    visual_caption,
)
from demo.world import COLOURS, DIGITS, KINDS, MAX_COUNT, PLACES, TRAIN_PAIRS, Group, Scene

_COLOURS = tuple(COLOURS)
Traits = NDArray[np.float32]
"""(n_traits,) of 0 and 1."""

_SIZES = {
    "place": len(PLACES),
    "colour": len(COLOURS),
    "kind": len(KINDS),
    "pair": len(COLOURS) * len(KINDS),
    "counted": len(COLOURS) * len(KINDS) * MAX_COUNT,
    "digit": len(DIGITS) + 1,  # the last: any sign at all
}
_STARTS = dict(zip(_SIZES, np.cumsum([0, *_SIZES.values()])[:-1].tolist(), strict=True))
N_TRAITS = sum(_SIZES.values())
_FRAMES = ("{}",) * 6 + ("a photo of {}", "a picture of {}", "a video frame showing {}")


def _set(traits: Traits, family: str, index: int) -> None:
    traits[_STARTS[family] + index] = 1


def _pair_index(group: Group) -> int:
    return KINDS.index(group.kind) * len(COLOURS) + _COLOURS.index(group.colour)


def pair_trait(colour: str, kind: str) -> Traits:
    """What "a red boat" requires."""
    traits = np.zeros(N_TRAITS, np.float32)
    _set(traits, "pair", KINDS.index(kind) * len(COLOURS) + _COLOURS.index(colour))
    return traits


def place_trait(place: str) -> Traits:
    """What "a scene on the beach" requires."""
    traits = np.zeros(N_TRAITS, np.float32)
    _set(traits, "place", PLACES.index(place))
    return traits


def scene_traits(scene: Scene) -> Traits:
    traits = np.zeros(N_TRAITS, np.float32)
    _set(traits, "place", PLACES.index(scene.place))
    if scene.sign is not None:
        _set(traits, "digit", DIGITS.index(scene.sign))
        _set(traits, "digit", len(DIGITS))
    for group in scene.groups:
        _set(traits, "colour", _COLOURS.index(group.colour))
        _set(traits, "kind", KINDS.index(group.kind))
        _set(traits, "pair", _pair_index(group))
        _set(traits, "counted", _pair_index(group) * MAX_COUNT + group.n - 1)
    return traits


def _full(rng: random.Random, scene: Scene) -> tuple[str, Traits]:
    traits = np.zeros(N_TRAITS, np.float32)
    for group in scene.groups:
        _set(traits, "counted", _pair_index(group) * MAX_COUNT + group.n - 1)
    _set(traits, "place", PLACES.index(scene.place))
    groups = list(scene.groups)
    rng.shuffle(groups)
    with_action = rng.random() < 0.2  # one frame can't show it, but texts will say it
    words = " and ".join(thing(g, action=with_action) for g in groups)
    words = f"{words} {PLACE_PHRASES[scene.place]}"
    if scene.sign is None:
        return words, traits
    _set(traits, "digit", DIGITS.index(scene.sign))
    return f"{words} with the number {scene.sign} on a sign", traits


def _subject(rng: random.Random, group: Group, traits: Traits) -> str:
    chance = rng.random()
    if chance < 0.25:
        _set(traits, "counted", _pair_index(group) * MAX_COUNT + group.n - 1)
        if group.n > 1:
            return f"{NUMBER_WORDS[group.n]} {group.colour} {plural(group.kind)}"
    if chance < 0.75:
        _set(traits, "pair", _pair_index(group))
        single, many = (
            article(f"{group.colour} {group.kind}"),
            f"{group.colour} {plural(group.kind)}",
        )
        return rng.choice((single, many, f"the {group.colour} {group.kind}"))
    if chance < 0.9:
        _set(traits, "kind", KINDS.index(group.kind))
        return rng.choice((article(group.kind), plural(group.kind)))
    _set(traits, "colour", _COLOURS.index(group.colour))
    return f"something {group.colour}"


def _short(rng: random.Random, scene: Scene) -> tuple[str, Traits]:
    traits = np.zeros(N_TRAITS, np.float32)
    words = _subject(rng, rng.choice(scene.groups), traits) if rng.random() < 0.92 else ""
    if not words or rng.random() < 0.35:
        _set(traits, "place", PLACES.index(scene.place))
        phrase = PLACE_PHRASES[scene.place]
        words = f"{words} {phrase}" if words else rng.choice((f"a scene {phrase}", scene.place))
    if scene.sign is not None and rng.random() < 0.3:
        if rng.random() < 0.5:
            _set(traits, "digit", len(DIGITS))
            return f"{words} and a sign", traits
        _set(traits, "digit", DIGITS.index(scene.sign))
        return f"{words} with the number {scene.sign} on a sign", traits
    return words, traits


def _question(rng: random.Random, scene: Scene) -> tuple[str, Traits]:
    """A question, or its rewriting, as the agent searches by them."""
    traits = np.zeros(N_TRAITS, np.float32)
    group = rng.choice(scene.groups)
    kind = rng.choice(list(QUESTIONS))
    if kind == "sign" and scene.sign is None:
        kind = "place"
    if kind == "attribute":
        _set(traits, "kind", KINDS.index(group.kind))
        _set(traits, "place", PLACES.index(scene.place))
    else:
        _set(traits, "pair", _pair_index(group))
    if kind == "sign":
        _set(traits, "digit", len(DIGITS))
    if rng.random() < 0.5:
        return visual_caption(kind, group.pair, n=group.n, place=scene.place), traits
    wording = rng.randrange(2)
    return ask(kind, group.pair, n=group.n, place=scene.place, wording=wording), traits


def near_scene(rng: random.Random, scene: Scene) -> Scene:
    """The scene with one thing of another kind or colour, or in another place: a text of it is
    nearly true of the scene, and where it leaves that out, true."""
    chance = rng.random()
    if chance < 0.2:
        return replace(scene, place=rng.choice([p for p in PLACES if p != scene.place]))
    index = rng.randrange(len(scene.groups))
    group = scene.groups[index]
    # Another kind of the same colour most often: what an encoder tells worst.
    same = 0 if chance < 0.7 else 1
    pairs = [p for p in TRAIN_PAIRS if p[same] == group.pair[same] and p != group.pair]
    colour, kind = rng.choice(pairs)
    groups = list(scene.groups)
    groups[index] = replace(group, colour=colour, kind=kind)
    return replace(scene, groups=tuple(groups))


def text_for(rng: random.Random, scene: Scene) -> tuple[str, Traits]:
    """A text that is true of the scene, and what it requires."""
    chance = rng.random()
    if chance < 0.4:
        words, traits = _full(rng, scene)
    elif chance < 0.75:
        words, traits = _short(rng, scene)
    else:
        return _question(rng, scene)
    return rng.choice(_FRAMES).format(words), traits
