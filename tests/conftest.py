"""Films and libraries that tests of every layer share."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

from bench.films import HEIGHT_PX, WIDTH_PX, Film, Recipe, render
from index.types import Pixels

# A slow machine is no failure.
settings.register_profile("longshot", deadline=None)
settings.load_profile("longshot")

COLOURS = {"red": (220, 20, 20), "green": (20, 200, 20), "blue": (20, 20, 230)}
SCENES = (("red", 4.0), ("green", 9.5), ("blue", 3.0), ("red", 2.5))
"""Colour and length in seconds: cuts at 4, 13.5 and 16.5 s, an end at 19 s."""
_SCENE_FPS = 8


def scene_picture(number: int) -> Pixels:
    """A plain colour with a little square that wanders."""
    time_s, begin_s = number / _SCENE_FPS, 0.0
    colour = SCENES[-1][0]
    for name, length_s in SCENES:
        if begin_s <= time_s < begin_s + length_s:
            colour = name
        begin_s += length_s
    pixels = np.full((HEIGHT_PX, WIDTH_PX, 3), COLOURS[colour], np.uint8)
    left = 4 * number % (WIDTH_PX - 16)
    pixels[80:96, left : left + 16] = 255
    return pixels


def render_scenes(folder: Path, name: str = "scenes.mp4", *, shade: int = 0) -> Film:
    """The film of `SCENES`; another shade gives other content."""
    n_frames = round(sum(length_s for _, length_s in SCENES) * _SCENE_FPS)

    def shaded(number: int) -> Pixels:
        return scene_picture(number) | np.uint8(shade)

    return render(folder, Recipe(name, fps=_SCENE_FPS), n_frames=n_frames, picture=shaded)


@pytest.fixture(scope="session")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Film:
    """A 19-second film of four shots; do not change the file."""
    return render_scenes(tmp_path_factory.mktemp("films"))


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Recipe, int], Film]:
    """Renders a film of numbered frames, each recipe once in a session."""
    films: dict[tuple[str, int], Film] = {}
    folder = tmp_path_factory.mktemp("numbered")

    def get(recipe: Recipe, n_frames: int) -> Film:
        key = (recipe.name, n_frames)
        if key not in films:
            place = folder / str(n_frames)
            place.mkdir(exist_ok=True)
            films[key] = render(place, recipe, n_frames=n_frames)
        return films[key]

    return get
