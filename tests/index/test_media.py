"""One suite for all decode backends: the frame on screen at a time, or a refusal that says why."""

import importlib.util
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bench.films import (
    AVI_RECIPES,
    HEIGHT_PX,
    RECIPES,
    WIDTH_PX,
    Film,
    Recipe,
    is_upright,
    read_number,
    turn,
)
from index.errors import InputError, LongshotError, MediaError
from index.media import Glimpse, Sample, content_hash, open_video

N_FRAMES = 300
Rendered = Callable[[Recipe, int], Film]
BACKENDS = [
    "pyav",
    pytest.param(
        "decord",
        marks=pytest.mark.skipif(
            importlib.util.find_spec("decord") is None, reason="decord is not installed"
        ),
    ),
]


@pytest.mark.parametrize("recipe", [*RECIPES, *AVI_RECIPES], ids=lambda recipe: recipe.name)
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_backend_shows_the_frame_on_screen_or_refuses_the_file(
    backend: str, recipe: Recipe, rendered: Rendered
) -> None:
    film = rendered(recipe, N_FRAMES)
    if backend == "decord" and (recipe.start_s or recipe.name.endswith(".avi")):
        with pytest.raises(MediaError, match=r"decord would read .* wrongly"):
            open_video(film.path, backend=backend)
        return
    reader = open_video(film.path, backend=backend)
    times_s = np.random.default_rng(0).uniform(0, reader.facts.duration_s, 20).tolist()
    frames = reader.frames_at(times_s, width_px=WIDTH_PX, height_px=HEIGHT_PX)
    reader.close()
    numbers = [film.number_at(time_s) for time_s in times_s]
    assert [read_number(frame.pixels) for frame in frames] == numbers
    own_s = [film.times_s[number] for number in numbers]
    assert [frame.time_s for frame in frames] == pytest.approx(own_s, abs=1.1e-3)


@pytest.mark.parametrize("backend", BACKENDS)
def test_sampling_gives_the_frame_on_screen_at_each_time_of_the_grid(
    backend: str, rendered: Rendered
) -> None:
    film = rendered(RECIPES[2], N_FRAMES)
    reader = open_video(film.path, backend=backend)
    frames = list(reader.sample(every_s=0.5, width_px=WIDTH_PX, height_px=HEIGHT_PX))
    reader.close()
    grid_s = np.arange(0, reader.facts.duration_s, 0.5)
    assert [read_number(frame.pixels) for frame in frames] == [
        film.number_at(time_s) for time_s in grid_s
    ]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    "recipe", [RECIPES[1], RECIPES[5], *AVI_RECIPES], ids=lambda recipe: recipe.name
)
def test_a_scan_begun_later_is_the_tail_of_the_whole_one(
    backend: str, recipe: Recipe, rendered: Rendered
) -> None:
    if backend == "decord" and recipe.name.endswith((".ts", ".avi")):
        pytest.skip("decord refuses it")
    reader = open_video(rendered(recipe, N_FRAMES).path, backend=backend)

    def scan(start_s: float) -> list[tuple[str, float, int]]:
        seen = []
        for item in reader.scan(
            every_s=1.0, glimpse_every_s=0.125, width_px=64, height_px=36, start_s=start_s
        ):
            if isinstance(item, Glimpse):
                seen.append(("glimpse", item.time_s, int(item.pixels.sum())))
            else:
                seen.append(("sample", item.at_s, int(item.frame.pixels.sum())))
        return seen

    whole, tail = scan(0.0), scan(7.0)
    reader.close()
    assert tail == [item for item in whole if item[1] >= 7.0]
    assert len(tail) > 20


@pytest.mark.parametrize("quarter_turns", [1, 2, 3])
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_turned_film_is_delivered_upright(
    backend: str, quarter_turns: int, rendered: Rendered, tmp_path: Path
) -> None:
    film = rendered(RECIPES[0], N_FRAMES)
    turned = turn(film, tmp_path / "turned.mp4", quarter_turns=quarter_turns)
    reader = open_video(turned.path, backend=backend)
    facts = reader.facts
    size = (HEIGHT_PX, WIDTH_PX) if quarter_turns % 2 else (WIDTH_PX, HEIGHT_PX)
    assert (facts.width_px, facts.height_px) == size
    (frame,) = reader.frames_at([2.0], width_px=size[0], height_px=size[1])
    reader.close()
    # The stored picture is upright, so what is delivered is that picture turned.
    stored = np.rot90(frame.pixels, k=-quarter_turns)
    assert is_upright(stored)
    assert read_number(stored) == 50


@pytest.mark.parametrize("recipe", AVI_RECIPES, ids=lambda recipe: recipe.name)
def test_every_frame_of_an_avi_is_there_once_and_in_its_turn(
    recipe: Recipe, rendered: Rendered
) -> None:
    reader = open_video(rendered(recipe, N_FRAMES).path)
    times_s = [(number + 0.5) / recipe.fps for number in range(N_FRAMES)]
    frames = reader.frames_at(times_s, width_px=WIDTH_PX, height_px=HEIGHT_PX)
    reader.close()
    assert reader.facts.n_frames == N_FRAMES
    assert [read_number(frame.pixels) for frame in frames] == list(range(N_FRAMES))


def test_pictures_come_in_the_size_asked_for(rendered: Rendered) -> None:
    reader = open_video(rendered(RECIPES[0], N_FRAMES).path)
    (frame,) = reader.frames_at([1.0], width_px=160, height_px=96)
    assert frame.pixels.shape == (96, 160, 3)
    assert frame.pixels.dtype == np.uint8


def test_facts_are_counted_not_believed(rendered: Rendered) -> None:
    facts = open_video(rendered(RECIPES[3], N_FRAMES).path).facts
    assert facts.n_frames == N_FRAMES
    assert facts.duration_s == pytest.approx(12.0)
    assert facts.container_start_s == pytest.approx(2.0)
    assert facts.notes == ("starts at 2.000 s",)


def test_a_variable_rate_is_noted(rendered: Rendered) -> None:
    assert "variable frame rate" in open_video(rendered(RECIPES[2], N_FRAMES).path).facts.notes


@pytest.mark.parametrize("time_s", [-0.1, 12.1, float("nan")])
def test_a_time_outside_the_film_is_refused(time_s: float, rendered: Rendered) -> None:
    reader = open_video(rendered(RECIPES[0], N_FRAMES).path)
    with pytest.raises(InputError, match=r"outside constant\.mp4"):
        reader.frames_at([time_s], width_px=32, height_px=18)


def test_a_truncated_film_is_read_as_far_as_it_goes(rendered: Rendered, tmp_path: Path) -> None:
    data = rendered(RECIPES[4], N_FRAMES).path.read_bytes()
    half = tmp_path / "half.mkv"
    half.write_bytes(data[: len(data) // 2])
    facts = open_video(half).facts
    assert 2 < facts.duration_s < 10
    assert any(note.startswith("truncated") for note in facts.notes)


def test_damage_in_the_middle_costs_only_the_damaged_frames(
    rendered: Rendered, tmp_path: Path
) -> None:
    data = bytearray(rendered(RECIPES[0], N_FRAMES).path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 400] = bytes(400)
    damaged = tmp_path / "damaged.mp4"
    damaged.write_bytes(data)
    reader = open_video(damaged)
    frames = reader.frames_at([0.0, 6.0, 11.9], width_px=WIDTH_PX, height_px=HEIGHT_PX)
    assert read_number(frames[0].pixels) == 0
    assert read_number(frames[2].pixels) == 297


@pytest.mark.parametrize(
    ("name", "content"), [("empty.mp4", b""), ("text.mp4", b"hello\n" * 99), ("cut.mp4", None)]
)
def test_what_is_no_video_is_refused_in_one_line(
    name: str, content: bytes | None, rendered: Rendered, tmp_path: Path
) -> None:
    data = rendered(RECIPES[0], N_FRAMES).path.read_bytes()
    (tmp_path / name).write_bytes(data[: len(data) // 2] if content is None else content)
    with pytest.raises(MediaError, match=f"{name} cannot be opened as a video") as caught:
        open_video(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_a_missing_file_a_folder_and_a_picture_are_named(tmp_path: Path) -> None:
    from PIL import Image

    with pytest.raises(MediaError, match="does not exist"):
        open_video(tmp_path / "no.mp4")
    with pytest.raises(MediaError, match="is not a file"):
        open_video(tmp_path)
    Image.new("RGB", (64, 64)).save(tmp_path / "picture.png")
    with pytest.raises(MediaError, match="is not a video"):
        open_video(tmp_path / "picture.png")


def test_an_unknown_backend_is_refused_with_the_known_ones(scenes: Film) -> None:
    with pytest.raises(InputError, match="auto, pyav, decord"):
        open_video(scenes.path, backend="quick")


def test_identity_is_the_content_not_the_name(scenes: Film, tmp_path: Path) -> None:
    copy = tmp_path / "copy.mp4"
    copy.write_bytes(scenes.path.read_bytes())
    assert content_hash(copy) == content_hash(scenes.path)
    copy.write_bytes(scenes.path.read_bytes() + b"\0")
    assert content_hash(copy) != content_hash(scenes.path)


@pytest.mark.skipif("LONGSHOT_TEST_MEDIA" not in os.environ, reason="no folder of foreign films")
def test_foreign_films_are_read_at_the_times_asked_for_or_refused_in_one_line() -> None:
    folder = Path(os.environ["LONGSHOT_TEST_MEDIA"])
    n_read = 0
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        try:
            reader = open_video(path)
        except LongshotError:  # always one line, see index.errors
            continue
        n_read += 1
        facts = reader.facts
        times_s = np.linspace(0, facts.duration_s, 7).tolist()
        frames = reader.frames_at(times_s, width_px=64, height_px=36)
        own_s = [frame.time_s for frame in frames]
        assert own_s == sorted(own_s), path
        for item in reader.scan(every_s=1.0, glimpse_every_s=1.0, width_px=64, height_px=36):
            if isinstance(item, Sample) and item.at_s >= own_s[0]:
                assert item.frame.time_s <= item.at_s + 1e-6, path
        reader.close()
    assert n_read
