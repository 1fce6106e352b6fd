"""Films that a browser takes otherwise: a clock that starts late, a format that it cannot play."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

import app
from bench.films import RECIPES, Film, render
from tests.web.browsing import ARRIVED, READ_NUMBER, Visit, server, visit

pytestmark = pytest.mark.slow

_SECONDS, _FPS = 20, 25


@dataclass(frozen=True, slots=True)
class Odd:
    """A page on a library of odd films, each asked once."""

    visited: Visit
    films: dict[str, Film]

    def run_of(self, name: str) -> str:
        runs = self.visited.page.request.get(f"{self.visited.address}v1/runs").json()["runs"]
        return next(str(run["id"]) for run in runs if run["video"].endswith(name))

    def show(self, name: str) -> Page:
        return self.visited.open(f"run/{self.run_of(name)}")


@pytest.fixture(scope="module")
def odd(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Odd]:
    folder = tmp_path_factory.mktemp("odd")
    flags = ["--library", str(folder / "library"), "--models", "scripted"]
    films = {}
    for recipe in RECIPES:
        if recipe.name in ("offset.mp4", "offset.mkv", "bframes.ts", "variable.mp4"):
            films[recipe.name] = render(folder, recipe, n_frames=_SECONDS * _FPS)
            assert app.run(["ask", str(folder / recipe.name), "where is it?", *flags]) == 0
    with server(folder / "library", models="scripted") as address:
        made = visit(chromium, address)
        yield Odd(made, films)
        made.page.close()


@pytest.mark.parametrize("name", ["offset.mp4", "offset.mkv", "variable.mp4"])
def test_a_time_shows_the_frame_of_that_time(odd: Odd, name: str) -> None:
    page = odd.show(name)
    page.wait_for_function(ARRIVED)
    page.locator(".step-list .step", has_text="look").first.click()
    frames = page.locator(".look .frame")
    for position in (1, 3):
        frames.nth(position).click()
        page.wait_for_function(ARRIVED)
        label = frames.nth(position).get_attribute("aria-label")
        assert label
        minutes, seconds = label.removeprefix("Frame at ").split(": show")[0].split(":")[1:]
        # Shown to a hundredth: of the frame itself, or of the one before it.
        shown_s = 60 * int(minutes) + float(seconds)
        number = page.evaluate(READ_NUMBER)
        film = odd.films[name]
        assert number in (film.number_at(shown_s - 0.01), film.number_at(shown_s + 0.01))


def test_a_film_that_cannot_be_played_is_shown_by_its_frames(odd: Odd) -> None:
    page = odd.show("bframes.ts")
    expect(page.locator(".still")).to_contain_text("not playable here")
    page.locator(".step-list .step", has_text="look").first.click()
    page.locator(".look .frame").nth(2).click()
    expect(page.locator(".still img")).to_be_visible()
    page.wait_for_function("() => document.querySelector('.still img').naturalWidth > 0")


def test_a_film_that_is_gone_leaves_its_run_readable(odd: Odd, tmp_path: Path) -> None:
    path = odd.films["variable.mp4"].path
    shutil.move(path, tmp_path / "elsewhere.mp4")
    try:
        page = odd.show("variable.mp4")
        expect(page.locator(".still")).to_contain_text("not playable here")
        page.locator(".step-list .step", has_text="look").first.click()
        page.wait_for_function(
            "() => [...document.querySelectorAll('.look img')].some((i) => i.naturalWidth > 0)"
        )
        expect(page.locator(".run-answer")).to_contain_text("confidence")
    finally:
        shutil.move(tmp_path / "elsewhere.mp4", path)
