"""Film scripts: which shot shows what, with needles planted among near misses.

A planted subject (a colour and a kind) is reserved: no other shot of the film shows it. Near it
stand shots with the same kind in another colour, the same colour on another kind, and the same
place without it, so that a search that matches half of a question goes wrong. For "what colour is
the car in the snow" the reserved thing is the kind in the place.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TypeVar

from demo.truth import FilmScript, FilmShot, Needle
from demo.world import (
    ACTIONS,
    ALL_PAIRS,
    COLOURS,
    DIGITS,
    DIRECTIONS,
    FILM_BACKGROUNDS,
    KINDS,
    MAX_COUNT,
    PLACES,
    Pair,
    Scene,
    SceneRules,
    random_scene,
)

_T = TypeVar("_T")

SHORTEST_SHOT_S, LONGEST_SHOT_S = 3.0, 15.0
SHORTEST_FILM_S, LONGEST_FILM_S = 20.0, 36_000.0
SINGLE_ROLES = ("place", "count", "direction", "action", "sign", "when", "after", "before")
ORDER_ROLES = ("after", "before")
RECURRING_ROLE = "times"
_FEWEST_FILLERS = 2
"""Of every kind and every colour so many pairs stay unreserved: near misses are drawn from them."""


@dataclass(frozen=True, slots=True)
class Quota:
    """How much is planted in a film."""

    n_single: int
    n_attribute: int
    n_recurring: int
    n_absent: int


def quota(n_shots: int) -> Quota:
    """Grows with the root of the film's length, so that needles get rarer in a longer film."""
    root = n_shots**0.5
    n_single = max(1, min(36, round(1.3 * root), (n_shots - 2) // 5))
    return Quota(
        n_single=n_single,
        n_attribute=round(n_single / 3.5),
        n_recurring=0 if n_shots < 12 else min(10, max(1, round(0.3 * root))),
        n_absent=min(12, 2 + round(0.4 * root)),
    )


@dataclass(frozen=True, slots=True)
class _Slot:
    """What one shot must show; None leaves it open."""

    pair: Pair
    place: str
    action: str | None = None
    n: int | None = None
    alone: bool = False
    digit: str | None = None


def make_script(seed: int, minutes: float, *, fps: int = 8) -> FilmScript:
    """The film script of a seed: the same seed, length and rate give the same film.

    Args:
        seed: which film.
        minutes: its length, from 20 seconds to 10 hours.
        fps: frames per second; every cut falls on a frame.

    Raises:
        ValueError: the length or the rate is outside what can be made.
    """
    if not SHORTEST_FILM_S <= minutes * 60 <= LONGEST_FILM_S:
        raise ValueError(
            f"a film of {minutes:g} minutes: it must last 20 seconds to 10 hours (600 minutes)"
        )
    if not 1 <= fps <= 60:
        raise ValueError(f"{fps} frames per second: it must be 1 to 60")
    rng = random.Random(f"film/{seed}/{minutes:g}/{fps}")
    cuts = _cuts(rng, n_frames=round(minutes * 60 * fps), fps=fps)
    writer = _Writer(rng, len(cuts) - 1)
    writer.plant()
    scenes = writer.scenes()
    return FilmScript(
        seed=seed,
        fps=fps,
        shots=tuple(
            FilmShot(start / fps, end / fps, scene)
            for (start, end), scene in zip(pairwise(cuts), scenes, strict=True)
        ),
        needles=tuple(writer.needles),
        absent_pairs=_absent_pairs(rng, scenes, writer.quota.n_absent),
        absent_places=_absent_places(rng, scenes, writer.quota.n_absent // 2),
    )


def _cuts(rng: random.Random, *, n_frames: int, fps: int) -> list[int]:
    """Frame numbers at which shots begin, and the film's end."""
    shortest = round(SHORTEST_SHOT_S * fps)
    # A short film has at least four shots.
    longest = max(2 * shortest, min(round(LONGEST_SHOT_S * fps), n_frames // 4))
    cuts = [0]
    while n_frames - cuts[-1] > longest:
        most = min(longest, n_frames - cuts[-1] - shortest)
        cuts.append(cuts[-1] + rng.randint(shortest, most))
    return [*cuts, n_frames]


def _reserve(rng: random.Random, n: int) -> list[Pair]:
    """Up to `n` pairs; what is left keeps every kind in two colours and every colour on two."""
    left = Counter(word for pair in ALL_PAIRS for word in pair)
    reserved: list[Pair] = []
    for pair in rng.sample(ALL_PAIRS, len(ALL_PAIRS)):
        if len(reserved) == n:
            break
        if min(left[word] for word in pair) > _FEWEST_FILLERS:
            reserved.append(pair)
            left.subtract(pair)
    return reserved


def _cycle(rng: random.Random, values: Sequence[_T]) -> Iterator[_T]:
    """The values in random order, again and again: balanced for any number drawn."""
    while True:
        yield from rng.sample(values, len(values))


class _Writer:
    """Decides what every shot shows: needles and near misses first, then all that is between."""

    def __init__(self, rng: random.Random, n_shots: int) -> None:
        self.rng, self.n_shots = rng, n_shots
        self.quota = quota(n_shots)
        self.needles: list[Needle] = []
        self._slots: dict[int, _Slot] = {}
        self._needle_slots: set[int] = set()
        self._alone: set[int] = set()
        wanted = self.quota.n_single + self.quota.n_recurring + self.quota.n_absent
        self._reserved = _reserve(rng, wanted)
        held = set(self._reserved)
        self._fillers = [p for p in ALL_PAIRS if p not in held]
        self._rare_places = self._draw_rare_places()
        self._places = _cycle(rng, PLACES)

    # -- casting

    def _draw_rare_places(self) -> dict[tuple[str, str], bool]:
        """Kinds and places that are kept apart; True where one needle joins them."""
        wanted = self.quota.n_attribute + self.quota.n_absent // 2
        used: Counter[str] = Counter()
        rare: dict[tuple[str, str], bool] = {}
        for kind, place in self._all_kind_places():
            if len(rare) == wanted:
                break
            if used[kind] < 3 and used[place] < 3:
                used.update((kind, place))
                rare[kind, place] = len(rare) < self.quota.n_attribute
        return rare

    def _all_kind_places(self) -> list[tuple[str, str]]:
        every = [(kind, place) for kind in KINDS for place in PLACES]
        return self.rng.sample(every, len(every))

    def _free_place(self, kind: str, *, wanted: Iterable[str] = (), other_than: str = "") -> str:
        """A place where the kind may stand, the wanted ones first."""
        for place in (*wanted, *(next(self._places) for _ in range(3 * len(PLACES)))):
            if place != other_than and (kind, place) not in self._rare_places:
                return place
        raise AssertionError("at most three places are closed to a kind")

    def plant(self) -> None:
        """Puts needles and their near misses into slots."""
        self._plant_singles()
        self._plant_attributes()
        self._plant_recurring()
        for needle in self.needles:
            self._surround(needle)

    def _plant_singles(self) -> None:
        rng = self.rng
        counts, ways = _cycle(rng, range(1, MAX_COUNT + 1)), _cycle(rng, tuple(DIRECTIONS))
        actions, digits = _cycle(rng, ACTIONS), _cycle(rng, DIGITS)
        roles = _cycle(rng, SINGLE_ROLES)
        for _ in range(self.quota.n_single):
            role, pair = next(roles), self._reserved.pop()
            n = next(counts) if role == "count" else None
            action = {"direction": ways, "action": actions}.get(role)
            slot = _Slot(
                pair=pair,
                place=self._free_place(pair[1]),
                action=next(action) if action else None,
                n=n,
                alone=n == MAX_COUNT,
                digit=next(digits) if role == "sign" else None,
            )
            self._plant(role, [slot])

    def _plant_attributes(self) -> None:
        colours: Counter[str] = Counter()
        for (kind, place), joined in self._rare_places.items():
            if joined:
                pairs = [p for p in self._fillers if p[1] == kind]
                pair = min(pairs, key=lambda p: (colours[p[0]], self.rng.random()))
                colours[pair[0]] += 1
                self._plant("attribute", [_Slot(pair, place)], rare_place=True)

    def _plant_recurring(self) -> None:
        numbers = _cycle(self.rng, range(2, min(5, 1 + self.n_shots // 8) + 1))
        for _ in range(self.quota.n_recurring):
            pair, n_times = self._reserved.pop(), next(numbers)
            slots = [_Slot(pair, self._free_place(pair[1]), n=1) for _ in range(n_times)]
            self._plant(RECURRING_ROLE, slots)

    def _plant(self, role: str, slots: list[_Slot], *, rare_place: bool = False) -> None:
        """Puts the slots of one needle where no needle is next; plants nothing if there's no room.

        The film's first and last shots stay free, so every needle has two neighbours.
        """
        taken = self._needle_slots
        room = [i for i in range(1, self.n_shots - 1) if not taken.intersection((i - 1, i, i + 1))]
        self.rng.shuffle(room)
        chosen: list[int] = []
        for index in room:
            if len(chosen) < len(slots) and all(abs(index - c) > 1 for c in chosen):
                chosen.append(index)
        if len(chosen) < len(slots):
            return
        chosen.sort()
        for index, slot in zip(chosen, slots, strict=True):
            self._slots[index] = slot
            self._needle_slots.add(index)
            if role in ORDER_ROLES:
                # The neighbours must be sayable in one word group: "two red boats".
                self._alone.update((index - 1, index + 1))
        place = slots[0].place if rare_place else None
        self.needles.append(Needle(role, slots[0].pair, place, tuple(chosen)))

    # -- near misses

    def _surround(self, needle: Needle) -> None:
        at = needle.shot_indexes[0]
        colour, kind = needle.pair
        place = self._slots[at].place
        twins = [p for p in self._fillers if p[1] == kind and p[0] != colour]
        same_colour = [p for p in self._fillers if p[0] == colour and p[1] != kind]
        twin, other = self.rng.choice(twins), self.rng.choice(same_colour)
        rare = needle.place is not None
        twin_place = self._free_place(kind, other_than=place) if rare else place
        open_here = [p for p in same_colour if (p[1], place) not in self._rare_places]
        other = self.rng.choice(open_here) if open_here else other
        self._put_near(at, _Slot(twin, twin_place))
        self._put_near(at, _Slot(other, self._free_place(other[1], wanted=[place])))

    def _put_near(self, at: int, slot: _Slot) -> None:
        """Puts a near miss into one of the nearest free shots, not next to its like."""

        def fits(index: int) -> bool:
            beside = (self._slots.get(index - 1), self._slots.get(index + 1))
            return index not in self._slots and all(
                b is None or b.pair != slot.pair for b in beside
            )

        free = [i for i in range(self.n_shots) if fits(i)]
        # The next shot but one before the next: two shots of one place would meet in a cut.
        free.sort(key=lambda i: (abs(i - at) < 2, abs(i - at)))
        if free:
            self._slots[self.rng.choice(free[: 1 if len(free) < 12 else 5])] = slot

    # -- scenes

    def scenes(self) -> list[Scene]:
        """The scenes of all shots, neighbours different in place or main group."""
        made: list[Scene] = []
        for index in range(self.n_shots):
            slot = self._slots.get(index) or self._filler(made, index)
            made.append(self._scene(slot, alone=slot.alone or index in self._alone))
        return made

    def _filler(self, made: Sequence[Scene], index: int) -> _Slot:
        after = self._slots.get(index + 1)
        places = {made[-1].place} if made else set()
        pairs = {g.pair for g in made[-1].groups} if made else set()
        if after:
            places.add(after.place)
            pairs.add(after.pair)
        place = self.rng.choice([p for p in PLACES if p not in places])
        return _Slot(self.rng.choice([p for p in self._open_at(place) if p not in pairs]), place)

    def _open_at(self, place: str) -> list[Pair]:
        return [p for p in self._fillers if (p[1], place) not in self._rare_places]

    def _scene(self, slot: _Slot, *, alone: bool) -> Scene:
        rules = SceneRules(
            pairs=self._open_at(slot.place),
            backgrounds=FILM_BACKGROUNDS,
            places=(slot.place,),
            n_groups=1 if alone else None,
            sign=True if slot.digit else None,
            main_pair=slot.pair,
            main_action=slot.action,
            main_n=slot.n,
        )
        scene = random_scene(self.rng, rules)
        return replace(scene, sign=slot.digit) if slot.digit else scene


def _absent_pairs(rng: random.Random, scenes: Sequence[Scene], n: int) -> tuple[Pair, ...]:
    shown = {g.pair for scene in scenes for g in scene.groups}
    colours, kinds = {c for c, _ in shown}, {k for _, k in shown}
    every = [(c, k) for c in COLOURS for k in KINDS]
    absent = [p for p in every if p not in shown and p[0] in colours and p[1] in kinds]
    return tuple(rng.sample(absent, min(n, len(absent))))


def _absent_places(
    rng: random.Random, scenes: Sequence[Scene], n: int
) -> tuple[tuple[str, str], ...]:
    shown = {(g.kind, scene.place) for scene in scenes for g in scene.groups}
    kinds, places = sorted({k for k, _ in shown}), sorted({p for _, p in shown})
    absent = [(k, p) for k in kinds for p in places if (k, p) not in shown]
    return tuple(rng.sample(absent, min(n, len(absent))))
