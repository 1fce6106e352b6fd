"""OpenTimelineIO: the interchange file of film studios, written by its own library."""

from __future__ import annotations

from tools.export.film_frames import FilmFrames
from tools.export.timecode import FrameRate
from tools.export.timeline import Place, Timeline


def write_otio(timeline: Timeline) -> str:
    """The timeline with a picture track and, where a film has sound, a sound track."""
    import opentimelineio as otio

    made = otio.schema.Timeline(timeline.name)
    made.global_start_time = _time(timeline.first_code, timeline.rate)
    pictures = otio.schema.Track("V1", kind=otio.schema.TrackKind.Video)
    sounds = otio.schema.Track("A1", kind=otio.schema.TrackKind.Audio)
    for place in timeline.places:
        pictures.append(_clip(place, with_marker=True))
        if place.cut.film.sound:
            sounds.append(_clip(place, with_marker=False))
        else:
            length = _time(place.cut.frames.n_frames, place.cut.film.rate)
            sounds.append(otio.schema.Gap(duration=length))
    made.tracks.append(pictures)
    if any(film.sound for film in timeline.films):
        made.tracks.append(sounds)
    return str(made.to_json_string()) + "\n"


def _clip(place: Place, *, with_marker: bool) -> object:
    import opentimelineio as otio

    cut = place.cut
    source = _range(cut.film, cut.frames.first, cut.frames.n_frames)
    clip = otio.schema.Clip(
        name=cut.title,
        media_reference=otio.schema.ExternalReference(
            target_url=cut.film.path.as_uri(),
            available_range=_range(cut.film, 0, cut.film.n_frames),
        ),
        source_range=source,
        metadata={"longshot": {"label": cut.label, "note": cut.note}},
    )
    if with_marker:
        clip.markers.append(otio.schema.Marker(name=cut.title, marked_range=source))
    return clip


def _range(film: FilmFrames, first: int, n_frames: int) -> object:
    """Frames of a film, counted from its time code's zero as the format has it."""
    import opentimelineio as otio

    return otio.opentime.TimeRange(
        _time(film.first_code + first, film.rate), _time(n_frames, film.rate)
    )


def _time(n_frames: int, rate: FrameRate) -> object:
    import opentimelineio as otio

    return otio.opentime.RationalTime(n_frames, float(rate.fps))
