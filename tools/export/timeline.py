"""Cuts laid one after the other on a timeline, as the formats of editing programs want them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from index.errors import InputError
from tools.export.cuts import Cut, films_of
from tools.export.film_frames import FilmFrames
from tools.export.timecode import FrameRate, parse_timecode, timecode


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Where a cut lies on the timeline."""

    cut: Cut
    start: int
    """Frames of the timeline's rate from its beginning."""
    n_frames: int

    @property
    def end(self) -> int:
        return self.start + self.n_frames


@dataclass(frozen=True, slots=True, eq=False)
class Timeline:
    """A sequence of cuts. Its rate and size are those of the first film."""

    name: str
    rate: FrameRate
    width_px: int
    height_px: int
    first_code: int
    """Frame number of the time code at which the timeline begins."""
    places: tuple[Place, ...]

    @property
    def n_frames(self) -> int:
        return self.places[-1].end

    @property
    def films(self) -> list[FilmFrames]:
        return films_of([place.cut for place in self.places])

    def code(self, frame: int) -> str:
        """The time code of a frame counted from the timeline's beginning."""
        return timecode(self.first_code + frame, self.rate)

    def one_rate(self, format_name: str) -> None:
        """Passes where all films have the timeline's rate, and it has time codes.

        Raises:
            InputError: they do not.
        """
        rates = {film.rate.fps: film for film in self.films}
        if len(rates) > 1:
            named = ", ".join(f"{film.rate.named()} ({film.name})" for film in rates.values())
            raise InputError(
                f"{format_name} holds one frame rate, the films have {named}",
                "use fcpxml or otio, or export one film at a time",
            )
        check_timecode(self.rate, self.places[0].cut.film)


def check_timecode(rate: FrameRate, film: FilmFrames) -> None:
    """Passes where the rate has time codes.

    Raises:
        InputError: it has none.
    """
    if not rate.has_timecode:
        raise InputError(
            f"{film.name} has {rate.named()} frames a second, a rate without time codes",
            "name the rate to count in, such as --rate 25",
        )


def lay_out(cuts: Sequence[Cut], *, name: str, start_code: str) -> Timeline:
    """The cuts one after the other, beginning at a time code.

    Raises:
        InputError: the time code is none of the timeline's rate.
    """
    film = cuts[0].film
    places, at = [], 0
    for cut in cuts:
        n_frames = _frames_at(film.rate, cut)
        places.append(Place(cut, at, n_frames))
        at += n_frames
    first_code = parse_timecode(start_code, film.rate) if film.rate.has_timecode else 0
    width_px, height_px = film.facts.width_px, film.facts.height_px
    return Timeline(name, film.rate, width_px, height_px, first_code, tuple(places))


def _frames_at(rate: FrameRate, cut: Cut) -> int:
    """How long a cut is on a timeline of this rate."""
    if cut.film.rate.fps == rate.fps:
        return cut.frames.n_frames
    return max(1, round(cut.film.rate.seconds(cut.frames.n_frames) * rate.fps))
