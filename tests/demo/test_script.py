"""What a film script promises, checked on many seeds."""

from __future__ import annotations

import json
from collections import defaultdict
from itertools import pairwise

import pytest

from demo.script import make_script
from demo.truth import FilmScript, script_from_json, script_to_json
from demo.world import DIRECTIONS, FILM_BACKGROUNDS, Pair

LENGTHS_MIN = (1 / 3, 0.75, 3, 12, 60)
SCRIPTS = [make_script(seed, minutes) for minutes in LENGTHS_MIN for seed in range(6)]


@pytest.fixture(params=SCRIPTS, ids=lambda s: f"{s.duration_s:.0f}s-{s.seed}")
def script(request: pytest.FixtureRequest) -> FilmScript:
    made: FilmScript = request.param
    return made


def shown(script: FilmScript) -> dict[Pair, list[int]]:
    """Pairs and the shots that show them."""
    found: dict[Pair, list[int]] = defaultdict(list)
    for index, shot in enumerate(script.shots):
        for group in shot.scene.groups:
            found[group.pair].append(index)
    return found


def test_shots_cover_the_film_without_gaps_in_3_to_15_seconds(script: FilmScript) -> None:
    assert script.shots[0].start_s == 0
    assert all(a.end_s == b.start_s for a, b in pairwise(script.shots))
    assert all(3 <= s.end_s - s.start_s <= 15 for s in script.shots)


def test_cuts_fall_on_frames(script: FilmScript) -> None:
    assert all((s.start_s * script.fps).is_integer() for s in script.shots)


def test_neighbouring_shots_differ_in_place_or_main_group(script: FilmScript) -> None:
    for a, b in pairwise(script.shots):
        assert (a.scene.place, a.scene.groups[0].pair) != (b.scene.place, b.scene.groups[0].pair)


def test_a_needle_appears_in_its_shots_only(script: FilmScript) -> None:
    pairs = shown(script)
    for needle in script.needles:
        if needle.place is None:
            assert tuple(pairs[needle.pair]) == needle.shot_indexes


def test_the_kind_of_an_attribute_needle_is_in_its_place_only_there(script: FilmScript) -> None:
    for needle in script.needles:
        if needle.place is not None:
            where = tuple(
                index
                for index, shot in enumerate(script.shots)
                if shot.scene.place == needle.place and shot.scene.has_kind(needle.pair[1])
            )
            assert where == needle.shot_indexes


def test_every_needle_has_near_misses(script: FilmScript) -> None:
    pairs = shown(script)
    for needle in script.needles:
        colour, kind = needle.pair
        assert any(k == kind and c != colour for c, k in pairs)
        assert any(c == colour and k != kind for c, k in pairs)
        place = script.shots[needle.shot_indexes[0]].scene.place
        assert any(
            s.scene.place == place
            for i, s in enumerate(script.shots)
            if i not in needle.shot_indexes
        )


def test_needles_are_neither_first_nor_last_nor_neighbours(script: FilmScript) -> None:
    taken = sorted(i for n in script.needles for i in n.shot_indexes)
    assert all(0 < i < len(script.shots) - 1 for i in taken)
    assert all(b - a > 1 for a, b in pairwise(taken))


def test_neighbours_of_an_order_needle_show_one_group(script: FilmScript) -> None:
    for needle in script.needles:
        if needle.role in ("after", "before"):
            index = needle.shot_indexes[0]
            for beside in (index - 1, index + 1):
                assert len(script.shots[beside].scene.groups) == 1


def test_needles_fit_their_roles(script: FilmScript) -> None:
    for needle in script.needles:
        scenes = [script.shots[i].scene for i in needle.shot_indexes]
        groups = [scene.group_of(needle.pair) for scene in scenes]
        if needle.role == "direction":
            assert groups[0] is not None
            assert groups[0].action in DIRECTIONS
        if needle.role == "sign":
            assert scenes[0].sign is not None
        if needle.role == "times":
            assert 2 <= len(scenes) <= 5
            assert all(g is not None and g.n == 1 for g in groups)
        else:
            assert len(scenes) == 1


def test_absent_subjects_never_appear_though_their_halves_do(script: FilmScript) -> None:
    pairs = shown(script)
    assert script.absent_pairs
    for colour, kind in script.absent_pairs:
        assert (colour, kind) not in pairs
        assert any(c == colour for c, _ in pairs)
        assert any(k == kind for _, k in pairs)
    meetings = {(g.kind, s.scene.place) for s in script.shots for g in s.scene.groups}
    assert not meetings.intersection(script.absent_places)


def test_backgrounds_are_none_that_training_sees(script: FilmScript) -> None:
    assert all(s.scene.background in FILM_BACKGROUNDS for s in script.shots)


def test_an_hour_plants_every_role_and_stays_mostly_without_needles() -> None:
    script = make_script(0, 60)
    assert {n.role for n in script.needles} == {
        "attribute", "place", "count", "direction", "action", "sign", "when", "after", "before",
        "times",
    }  # fmt: skip
    n_planted = sum(len(n.shot_indexes) for n in script.needles)
    assert n_planted / len(script.shots) < 0.2


def test_ten_hours_plant_more_needles_more_rarely() -> None:
    hour, ten = make_script(0, 60), make_script(0, 600)
    assert len(ten.needles) > len(hour.needles)
    assert len(ten.needles) / len(ten.shots) < len(hour.needles) / len(hour.shots) / 3


def test_the_same_seed_gives_the_same_film_and_another_another() -> None:
    assert make_script(7, 3) == make_script(7, 3)
    assert make_script(7, 3) != make_script(8, 3)


def test_truth_survives_json(script: FilmScript) -> None:
    assert script_from_json(json.loads(json.dumps(script_to_json(script)))) == script


def test_truth_of_another_format_is_refused() -> None:
    with pytest.raises(ValueError, match="format 99"):
        script_from_json({"format": 99})


@pytest.mark.parametrize("minutes", [0.1, 601])
def test_a_length_that_cannot_be_made_is_refused(minutes: float) -> None:
    with pytest.raises(ValueError, match="20 seconds to 10 hours"):
        make_script(0, minutes)
