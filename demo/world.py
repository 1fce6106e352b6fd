"""What can be in a scene of the demo world, and random scenes.

A scene is the content of one shot: a place, one or two groups of like things that do something,
perhaps a sign with a digit. Positions and sizes are shares of the picture, times are seconds since
the shot began. Nothing here draws; demo/draw.py does.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

PLACES = ("beach", "forest", "kitchen", "street", "city", "snow", "desert", "field")
KINDS = ("ball", "car", "cat", "robot", "kite", "boat", "star", "fish", "cup", "house")
COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (214, 28, 36),
    "orange": (250, 132, 8),
    "yellow": (246, 226, 28),
    "green": (28, 158, 52),
    "blue": (32, 84, 222),
    "purple": (142, 42, 172),
    "white": (246, 246, 246),
    "black": (26, 26, 30),
}
ACTIONS = (
    "moves left",
    "moves right",
    "moves up",
    "moves down",
    "spins",
    "grows",
    "shrinks",
    "bounces",
    "blinks",
    "stays still",
)
DIRECTIONS = {
    "moves left": "left",
    "moves right": "right",
    "moves up": "up",
    "moves down": "down",
}
DIGITS = tuple("0123456789")
MAX_COUNT = 4

Pair = tuple[str, str]
"""A colour and a kind."""

ALL_PAIRS: tuple[Pair, ...] = tuple((c, k) for c in COLOURS for k in KINDS)
# Never seen in training. Unevenly spread, with black left whole: with exactly one unseen kind per
# colour a shape head learns the colour as a prior (an experiment showed it).
HELD_OUT: frozenset[Pair] = frozenset(
    {
        ("red", "boat"),
        ("red", "cup"),
        ("orange", "cat"),
        ("yellow", "robot"),
        ("green", "star"),
        ("blue", "kite"),
        ("purple", "car"),
        ("white", "fish"),
    }
)
TRAIN_PAIRS: tuple[Pair, ...] = tuple(p for p in ALL_PAIRS if p not in HELD_OUT)

# Backgrounds are drawn from a number; films and tests use numbers that training never sees.
TRAIN_BACKGROUNDS = range(0, 400)
FILM_BACKGROUNDS = range(10_000, 20_000)

CELLS = tuple((x, y) for x in (0.14, 0.38, 0.62, 0.86) for y in (0.30, 0.70))


@dataclass(frozen=True, slots=True)
class Group:
    """Like things that do the same."""

    colour: str
    kind: str
    action: str
    positions: tuple[tuple[float, float], ...]
    """Centres at time 0, as shares of width and height; one per thing."""
    size: float
    """Height of a thing as a share of the picture's height."""
    speed: float
    """Shares of the picture per second, for things that move."""
    phase: float
    """Seconds by which a repeated motion is ahead."""
    variant: int
    """Which of a few shades of the colour."""
    tint: tuple[int, int, int] | None = None
    """A colour outside the named ones: training of shapes only, never in a film."""

    @property
    def n(self) -> int:
        return len(self.positions)

    @property
    def pair(self) -> Pair:
        return self.colour, self.kind


@dataclass(frozen=True, slots=True)
class Scene:
    """The content of one shot."""

    place: str
    background: int
    groups: tuple[Group, ...]
    sign: str | None
    """A digit, or None where there is no sign."""
    sign_x: float
    sign_size: float
    light: float
    """Brightness, 1.0 as drawn."""
    drift: tuple[float, float]
    """Speed of the camera, shares of its free play per second."""
    origin: tuple[float, float]
    """Where in its free play the camera starts, 0..1."""
    noise: float
    """Standard deviation of the noise, in grey levels."""

    def group_of(self, pair: Pair) -> Group | None:
        return next((g for g in self.groups if g.pair == pair), None)

    def has_kind(self, kind: str) -> bool:
        return any(g.kind == kind for g in self.groups)


@dataclass(frozen=True, slots=True)
class SceneRules:
    """What a random scene may hold. None leaves it to chance."""

    pairs: Sequence[Pair] = TRAIN_PAIRS
    backgrounds: Sequence[int] = TRAIN_BACKGROUNDS
    places: Sequence[str] = PLACES
    actions: Sequence[str] = ACTIONS
    n_groups: int | None = None
    n_things: int | None = None
    sign: bool | None = None
    main_pair: Pair | None = None
    """What the first group is; the others come from `pairs`."""
    main_action: str | None = None
    main_n: int | None = None
    """How many things the first group has; with two groups at most 3 fit."""


def random_group(
    rng: random.Random,
    *,
    pair: Pair,
    n: int,
    action: str,
    cells: list[tuple[float, float]],
) -> Group:
    """A group of `n` things; takes its places from `cells`."""
    low, high = {1: (0.42, 0.62), 2: (0.34, 0.46)}.get(n, (0.30, 0.40))
    if len(cells) <= len(CELLS) - 1:  # not the first group: leave room for what is there
        low, high = low * 0.85, high * 0.8
    positions = tuple(
        (x + rng.uniform(-0.04, 0.04), y + rng.uniform(-0.06, 0.06))
        for x, y in (cells.pop() for _ in range(n))
    )
    return Group(
        colour=pair[0],
        kind=pair[1],
        action=action,
        positions=positions,
        size=rng.uniform(low, high),
        speed=rng.uniform(0.10, 0.20),
        phase=rng.uniform(0, 10),
        variant=rng.randrange(4),
    )


def random_scene(rng: random.Random, rules: SceneRules = SceneRules()) -> Scene:
    """A scene that keeps the rules. Kinds of one scene differ."""
    n_groups = rules.n_groups or (1 if rng.random() < 0.55 else 2)
    cells = list(CELLS)
    rng.shuffle(cells)
    groups: list[Group] = []
    taken: set[str] = set()
    for index in range(n_groups):
        main = index == 0
        fixed = rules.main_pair if main else None
        pair = fixed or rng.choice([p for p in rules.pairs if p[1] not in taken])
        taken.add(pair[1])
        most = MAX_COUNT if n_groups == 1 else 3
        n = (rules.main_n if main else None) or rules.n_things
        n = n or (1 if rng.random() < 0.5 else rng.randint(2, most))
        action = (rules.main_action if main else None) or rng.choice(rules.actions)
        groups.append(random_group(rng, pair=pair, n=n, action=action, cells=cells))
    with_sign = rng.random() < 0.35 if rules.sign is None else rules.sign
    return Scene(
        place=rng.choice(rules.places),
        background=rng.choice(rules.backgrounds),
        groups=tuple(groups),
        sign=rng.choice(DIGITS) if with_sign else None,
        sign_x=rng.choice((0.10, 0.90)) + rng.uniform(-0.02, 0.02),
        sign_size=rng.uniform(0.36, 0.5),
        light=rng.uniform(0.85, 1.12),
        drift=(rng.uniform(-0.08, 0.08), rng.uniform(-0.04, 0.04)),
        origin=(rng.random(), rng.random()),
        noise=rng.choice((2.0, 4.0, 6.0)),
    )


def scene_to_json(scene: Scene) -> dict[str, Any]:
    """A scene as plain JSON values; `scene_from_json` gives the same scene back."""
    return asdict(scene)


def scene_from_json(data: dict[str, Any]) -> Scene:
    groups = tuple(
        Group(
            **{
                **g,
                "positions": tuple((float(x), float(y)) for x, y in g["positions"]),
                "tint": tuple(g["tint"]) if g["tint"] else None,
            }
        )
        for g in data["groups"]
    )
    values = {**data, "groups": groups, "drift": tuple(data["drift"])}
    return Scene(**{**values, "origin": tuple(data["origin"])})


def recolour(group: Group, rng: random.Random) -> Group:
    """The group in a colour that has no name, so that a shape must be known by its form."""
    if rng.random() < 0.4:
        grey = rng.randrange(30, 235)
        return replace(group, tint=(grey, grey, grey))
    return replace(group, tint=(rng.randrange(256), rng.randrange(256), rng.randrange(256)))
