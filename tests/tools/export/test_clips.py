"""Clips are read back: every frame of the span and no other, each sound with its picture."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from bench.films import PLAIN, RECIPES, Recipe, render, turn
from index.errors import InputError, LongshotError, MediaError
from index.media import open_video
from index.types import Span
from tests.tools.export.sounding import Seen, look_at, render_sounding
from tools.export.clips import write_chaptered, write_clips, write_reel
from tools.export.cuts import Cut, ExportItem, make_cuts
from tools.export.film_frames import read_film

RATES = [Fraction(24000, 1001), Fraction(25), Fraction(30000, 1001), Fraction(60000, 1001)]
IN_STEP_S = 0.004
"""How near a click must be to its picture: a tenth of a frame at 25."""


def quiet(label: str, done_s: float, total_s: float) -> None:
    """Progress that nobody watches."""


def cuts_of(path: Path, *spans: tuple[float, float]) -> list[Cut]:
    return make_cuts([ExportItem(path, Span(*span), "label") for span in spans], read_film)


def assert_in_step(seen: Seen, film: Seen) -> None:
    """Every click of a clip lies on the picture that it lies on in the film."""
    assert seen.clicks_s
    # The film's clock minus the clip's, by their pictures.
    shift_s = film.times_s[seen.numbers[0]] - seen.times_s[0]
    for click_s in seen.clicks_s:
        nearest = min(film.clicks_s, key=lambda at: abs(at - click_s - shift_s))
        assert nearest == pytest.approx(click_s + shift_s, abs=IN_STEP_S)


@pytest.mark.parametrize("fps", RATES, ids=lambda fps: f"{float(fps):.2f}")
def test_an_exact_clip_holds_the_frames_on_screen_and_their_sound(
    fps: Fraction, tmp_path: Path
) -> None:
    path = render_sounding(tmp_path / "film.mp4", fps=fps, n_frames=90)
    film = look_at(path)
    # From the middle of frame 31 to the middle of frame 64: whole frames, both included.
    cut = cuts_of(path, (float(31.5 / fps), float(64.5 / fps)))
    (written,) = write_clips(cut, tmp_path / "out", how="exact", force=False, progress=quiet)
    seen = look_at(written.path)
    assert seen.numbers == list(range(31, 65))
    shown_s = [at - seen.times_s[0] for at in seen.times_s]
    assert shown_s == pytest.approx([float(n / fps) for n in range(34)], abs=2e-5)
    assert seen.end_s - seen.times_s[0] == pytest.approx(float(34 / fps), abs=1e-3)
    assert_in_step(seen, film)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
@pytest.mark.parametrize("how", ["exact", "copy"])
def test_a_film_that_starts_late_is_cut_at_the_players_times(
    how: str, suffix: str, tmp_path: Path
) -> None:
    path = render_sounding(tmp_path / f"late{suffix}", fps=Fraction(25), n_frames=120, start_s=2.0)
    film = look_at(path)
    cuts = cuts_of(path, (2.0, 3.0))
    (written,) = write_clips(cuts, tmp_path / "out", how=how, force=False, progress=quiet)
    seen = look_at(written.path)
    wanted = list(range(film.numbers.index(50), 75))
    assert seen.numbers[-25:] == wanted if how == "exact" else set(wanted) <= set(seen.numbers)
    assert_in_step(seen, film)


def test_a_copied_clip_begins_on_the_keyframe_and_says_so(tmp_path: Path) -> None:
    path = render_sounding(tmp_path / "film.mp4", fps=Fraction(25), n_frames=120)
    cuts = cuts_of(path, (2.4, 3.2))
    (written,) = write_clips(cuts, tmp_path / "out", how="copy", force=False, progress=quiet)
    seen = look_at(written.path)
    # Keyframes at 0, 24, 48, …: frame 60 is asked for, 48 is the keyframe; frame 80 is at 3.2 s.
    assert seen.numbers[0] == 48
    assert set(range(48, 80)) <= set(seen.numbers)
    assert len(seen.numbers) <= 32 + 3
    assert written.span is not None
    assert written.span.start_s == pytest.approx(1.92)
    assert written.notes == ("begins 0.480 s early, on a keyframe",)
    assert_in_step(seen, look_at(path))


def test_a_copied_clip_holds_the_very_packets_of_the_film(tmp_path: Path) -> None:
    path = render_sounding(tmp_path / "film.mp4", fps=Fraction(25), n_frames=72)
    (written,) = write_clips(
        cuts_of(path, (0.96, 1.92)), tmp_path / "out", how="copy", force=False, progress=quiet
    )
    assert set(packets(written.path)) <= set(packets(path))


def packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(video=0) if packet.size]


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
@pytest.mark.parametrize("how", ["exact", "copy"])
def test_every_container_and_rate_is_cut_where_it_was_asked(
    how: str, recipe: Recipe, tmp_path: Path
) -> None:
    film = render(tmp_path, recipe, n_frames=200)
    start_s, end_s = film.times_s[80] + 0.004, film.times_s[110] - 0.004
    cuts = cuts_of(film.path, (start_s, end_s))
    (written,) = write_clips(cuts, tmp_path / "out", how=how, force=False, progress=quiet)
    seen = look_at(written.path)
    if how == "exact":
        assert seen.numbers == list(range(80, 110))
        expected = [film.times_s[n] - film.times_s[80] for n in range(80, 110)]
        assert [at - seen.times_s[0] for at in seen.times_s] == pytest.approx(expected, abs=2e-3)
    else:
        assert set(range(80, 110)) <= set(seen.numbers)
        assert written.span is not None
        assert seen.numbers[0] == film.number_at(written.span.start_s)


@pytest.mark.parametrize("quarter_turns", [1, 2, 3])
@pytest.mark.parametrize("how", ["exact", "copy"])
def test_a_turned_film_gives_upright_clips(how: str, quarter_turns: int, tmp_path: Path) -> None:
    plain = render(tmp_path, Recipe("plain.mp4", options=PLAIN), n_frames=30)
    film = turn(plain, tmp_path / "turned.mp4", quarter_turns=quarter_turns)
    before = open_video(film.path)
    (written,) = write_clips(
        cuts_of(film.path, (0.2, 0.8)), tmp_path / "out", how=how, force=False, progress=quiet
    )
    after = open_video(written.path)
    size = (before.facts.width_px, before.facts.height_px)
    assert (after.facts.width_px, after.facts.height_px) == size
    shown = [
        reader.frames_at([at], width_px=size[0], height_px=size[1])[0].pixels.astype(int)
        for reader, at in ((before, 0.3), (after, 0.3 - (0.2 if how == "exact" else 0.0)))
    ]
    before.close()
    after.close()
    assert np.abs(shown[0] - shown[1]).mean() < 4


def test_a_reel_joins_films_of_all_sizes_and_keeps_sound_in_step(tmp_path: Path) -> None:
    one = render_sounding(tmp_path / "one.mp4", fps=Fraction(25), n_frames=100)
    silent = render_sounding(
        tmp_path / "two.mkv", fps=Fraction(24000, 1001), n_frames=60, sound=False
    )
    slow = render_sounding(tmp_path / "three.mp4", fps=Fraction(10), n_frames=40)
    items = [
        ExportItem(one, Span(1.0, 2.0), "first"),
        ExportItem(silent, Span(1.001, 2.002), "second"),
        ExportItem(slow, Span(1.0, 3.0), "third"),
        ExportItem(one, Span(0.0, 1.0), "fourth"),
    ]
    cuts = make_cuts(items, read_film)
    reel = write_reel(cuts, tmp_path / "reel.mp4", title="All", force=False, progress=quiet)
    seen = look_at(reel.path)
    assert seen.numbers == [*range(25, 50), *range(24, 48), *range(10, 30), *range(25)]
    begins_s = [0.0, 1.0, 2.001, 4.001]
    assert [seen.times_s[n] for n in (0, 25, 49, 69)] == pytest.approx(begins_s, abs=1e-4)
    # Clicks at 1.0, 1.5 of the first; none in the silent one; 1.0 … 2.5 of the third; 0, 0.5.
    expected = [0.0, 0.5, 2.001, 2.501, 3.001, 3.501, 4.001, 4.501]
    assert seen.clicks_s == pytest.approx(expected, abs=IN_STEP_S)
    with av.open(str(reel.path)) as container:
        chapters = container.chapters()
        starts_s = [float(each["start"] * each["time_base"]) for each in chapters]
        titles = [each["metadata"]["title"] for each in chapters]
    assert titles == ["first", "second", "third", "fourth"]
    assert starts_s == pytest.approx(begins_s, abs=1e-3)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_film_is_copied_with_chapters_and_nothing_else_changes(
    suffix: str, tmp_path: Path
) -> None:
    path = render_sounding(tmp_path / "film.mp4", fps=Fraction(25), n_frames=100)
    cuts = cuts_of(path, (1.0, 2.0), (3.0, 3.5))
    target = tmp_path / f"with{suffix}"
    write_chaptered(cuts, target, force=False, progress=quiet)
    seen = look_at(target)
    assert seen.numbers == list(range(100))
    assert_in_step(seen, look_at(path))
    with av.open(str(target)) as container:
        found = [
            (float(c["start"] * c["time_base"]), float(c["end"] * c["time_base"]))
            for c in container.chapters()
        ]
    if suffix == ".mp4":
        gaps = [found.pop(place) for place in (4, 2, 0)]
        assert gaps == [(3.52, 4.0), (2.0, 3.0), (0.0, 1.0)]
    assert found[0] == pytest.approx((1.0, 2.0), abs=0.03)
    assert found[1] == pytest.approx((3.0, 3.52), abs=0.03)


def test_sound_that_begins_late_stays_late(tmp_path: Path) -> None:
    path = tmp_path / "late-sound.mkv"
    film = render_sounding(tmp_path / "film.mp4", fps=Fraction(25), n_frames=100)
    with av.open(str(film)) as source, av.open(str(path), "w") as out:
        copies = {s.index: out.add_stream_from_template(s) for s in source.streams}
        for packet in source.demux():
            if packet.dts is None:
                continue
            if packet.stream.type == "audio":
                # Sound 1.5 s later than it was.
                packet.pts += round(Fraction(3, 2) / packet.time_base)
                packet.dts += round(Fraction(3, 2) / packet.time_base)
            packet.stream = copies[packet.stream.index]
            out.mux(packet)
    (written,) = write_clips(
        cuts_of(path, (0.6, 3.0)), tmp_path / "out", how="exact", force=False, progress=quiet
    )
    seen = look_at(written.path)
    assert [at - seen.times_s[0] for at in seen.clicks_s] == pytest.approx(
        [0.9, 1.4, 1.9], abs=IN_STEP_S
    )


def test_an_existing_clip_is_replaced_only_when_told_to(tmp_path: Path) -> None:
    path = render_sounding(tmp_path / "film.mp4", fps=Fraction(25), n_frames=30)
    cuts = cuts_of(path, (0.2, 0.4))
    (first,) = write_clips(cuts, tmp_path / "out", how="exact", force=False, progress=quiet)
    with pytest.raises(InputError, match="is there already"):
        write_clips(cuts, tmp_path / "out", how="exact", force=False, progress=quiet)
    (again,) = write_clips(cuts, tmp_path / "out", how="copy", force=True, progress=quiet)
    assert again.path == first.path
    assert look_at(again.path).numbers[0] == 0


def test_the_film_itself_is_never_overwritten(tmp_path: Path) -> None:
    path = render_sounding(tmp_path / "film.mp4", fps=Fraction(25), n_frames=30)
    before = path.read_bytes()
    with pytest.raises(InputError, match="is the film itself"):
        write_reel(cuts_of(path, (0.2, 0.4)), path, title="", force=True, progress=quiet)
    assert path.read_bytes() == before


@pytest.mark.parametrize("n_between", [0, 2])
@pytest.mark.parametrize("codec", ["libx264", "mpeg4"])
@pytest.mark.parametrize("how", ["exact", "copy"])
def test_a_container_without_presentation_times_is_cut_on_its_frames(
    how: str, codec: str, n_between: int, tmp_path: Path
) -> None:
    recipe = Recipe("old.avi", codec=codec, options={"bf": f"{n_between}", "g": "12"})
    film = render(tmp_path, recipe, n_frames=50)
    (written,) = write_clips(
        cuts_of(film.path, (1.0, 1.4)), tmp_path / "out", how=how, force=False, progress=quiet
    )
    numbers = look_at(written.path).numbers
    # Copied packets begin at a keyframe, and one that the last picture needs may stand behind.
    assert (numbers[0] == 25) if how == "exact" else (12 < numbers[0] <= 25)
    assert numbers[: 35 - numbers[0]] == list(range(numbers[0], 35))
    assert numbers[-1] <= (34 if how == "exact" else 36)


def test_a_container_that_does_not_take_the_codec_is_refused_in_one_line(tmp_path: Path) -> None:
    film = render(tmp_path, Recipe("odd.mkv", codec="libvpx"), n_frames=30)
    target = tmp_path / "with.mp4"
    with pytest.raises(MediaError, match=r"picture \(vp8\) or sound cannot be copied into mp4"):
        write_chaptered(cuts_of(film.path, (0.2, 0.8)), target, force=False, progress=quiet)
    assert list(tmp_path.glob("with*")) == []


def test_odd_codecs_are_copied_into_an_mkv_which_is_said(tmp_path: Path) -> None:
    film = render(tmp_path, Recipe("odd.mkv", codec="ffv1"), n_frames=50)
    (written,) = write_clips(
        cuts_of(film.path, (1.0, 1.5)), tmp_path / "out", how="copy", force=False, progress=quiet
    )
    assert written.path.suffix == ".mkv"
    assert "mkv" in " ".join(written.notes)
    assert set(range(25, 37)) <= set(look_at(written.path).numbers)


@pytest.mark.parametrize("span", [(4.0, 5.0), (3.0, 4.5)])
def test_a_span_outside_the_film_is_refused(span: tuple[float, float], tmp_path: Path) -> None:
    path = render_sounding(tmp_path / "film.mp4", fps=Fraction(25), n_frames=100)
    with pytest.raises(LongshotError, match=r"is outside film\.mp4, which lasts 0:00:04\.000"):
        cuts_of(path, span)


def test_padding_stays_inside_the_film(tmp_path: Path) -> None:
    path = render_sounding(tmp_path / "film.mp4", fps=Fraction(25), n_frames=100)
    item = ExportItem(path, Span(0.2, 3.8), "")
    (cut,) = make_cuts([item], read_film, padding_s=1.0)
    assert cut.span == Span(0.0, 4.0)


def test_progress_goes_from_clip_to_clip_and_reaches_its_end(tmp_path: Path) -> None:
    path = render_sounding(tmp_path / "film.mp4", fps=Fraction(25), n_frames=60)
    for how in ("exact", "copy"):
        seen: dict[str, list[tuple[float, float]]] = {}

        def note(label: str, done_s: float, total_s: float, to: dict[str, Any] = seen) -> None:
            to.setdefault(label, []).append((done_s, total_s))

        cuts = cuts_of(path, (0.2, 1.0), (1.2, 2.0))
        write_clips(cuts, tmp_path / "out", how=how, force=True, progress=note)
        assert list(seen) == ["1/2 001 film 0.00.00.mp4", "2/2 002 film 0.00.01.mp4"]
        for reports in seen.values():
            done_s, total_s = reports[-1]
            assert len(reports) > 5
            assert done_s == total_s
