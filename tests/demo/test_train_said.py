"""What captions say, thing by thing."""

import random
from dataclasses import replace

from demo.phrases import caption
from demo.train.said import SaidThing, said_rightly, said_things
from demo.world import Scene, SceneRules, random_scene


def two_things() -> Scene:
    """Two red boats that spin and a blue cat that moves left, on the beach beside a 7."""
    scene = random_scene(random.Random(3), SceneRules(n_groups=2, n_things=1))
    boats, cat = (
        replace(
            scene.groups[0],
            colour="red",
            kind="boat",
            action="spins",
            positions=((0.3, 0.5), (0.7, 0.5)),
        ),
        replace(scene.groups[1], colour="blue", kind="cat", action="moves left"),
    )
    return replace(scene, groups=(boats, cat), place="beach", sign="7")


def wrong(said: str, scene: Scene) -> list[str]:
    return [name for name, right in said_rightly(said, scene) if not right]


def test_things_are_read_off_a_caption() -> None:
    assert said_things(caption(two_things())) == [
        SaidThing(2, "red", "boat", "spins"),
        SaidThing(1, "blue", "cat", "moves left"),
    ]
    assert said_things("a green cup on the street.") == [SaidThing(1, "green", "cup", None)]
    assert said_things("nothing at all") == []


def test_a_true_caption_is_right_in_all() -> None:
    rng = random.Random(1)
    for _ in range(200):
        scene = random_scene(rng, SceneRules())
        assert wrong(caption(scene), scene) == [], caption(scene)


def test_what_is_said_of_the_other_thing_is_wrong() -> None:
    scene = two_things()
    end = " on the beach. the sign says 7."
    assert wrong(f"two blue boats spin and a red cat moves left{end}", scene) == [
        "colour",
        "colour",
    ]
    assert wrong(f"a red boat spins and two blue cats move left{end}", scene) == [
        "number",
        "number",
    ]
    assert wrong(f"two red cars spin and a blue cat moves left{end}", scene) == ["kind"]
    assert wrong(f"a blue cat spins and two red boats spin{end}", scene) == ["action"]


def test_what_is_not_said_and_what_is_said_besides_is_wrong() -> None:
    scene = two_things()
    assert wrong("a blue cat moves left in the snow.", scene) == [
        "kind",
        "colour",
        "number",
        "action",
        "place",
        "sign",
    ]
    said = caption(scene).replace(" on the beach", " and a green cup blinks on the beach")
    assert wrong(said, scene) == ["nothing besides"]
    assert wrong(caption(scene), replace(scene, sign=None)) == ["nothing besides"]
