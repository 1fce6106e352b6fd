"""FCPXML 1.9, which Final Cut Pro and Resolve read.

Every time is a fraction of a second on a frame's edge, as the format demands: frame n of 29.97 is
n × 1001/30000 s. Films of other rates than the timeline's are marked to be conformed.
"""

from __future__ import annotations

from fractions import Fraction
from xml.etree import ElementTree as ET

from tools.export.film_frames import FilmFrames
from tools.export.timecode import FrameRate
from tools.export.timeline import Place, Timeline

_HEADER = '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE fcpxml>\n'
_EVENT = "Longshot"
_CONFORM_RATES = {
    Fraction(24000, 1001): "23.98",
    Fraction(24): "24",
    Fraction(25): "25",
    Fraction(30000, 1001): "29.97",
    Fraction(30): "30",
    Fraction(60000, 1001): "59.94",
    Fraction(60): "60",
}
"""The rates that the format can name where a clip is conformed."""


def write_fcpxml(timeline: Timeline) -> str:
    """The timeline as a project, with a marker on each clip."""
    root = ET.Element("fcpxml", version="1.9")
    resources = ET.SubElement(root, "resources")
    _format(resources, "r1", timeline.rate, timeline.width_px, timeline.height_px)
    assets = {
        film.path: _asset(resources, film, number) for number, film in enumerate(timeline.films, 1)
    }
    event = ET.SubElement(ET.SubElement(root, "library"), "event", name=_EVENT)
    project = ET.SubElement(event, "project", name=timeline.name)
    rate = timeline.rate
    sequence = ET.SubElement(
        project,
        "sequence",
        format="r1",
        duration=_time(timeline.n_frames, rate),
        tcStart=_time(timeline.first_code, rate),
        tcFormat=_code_format(rate),
    )
    spine = ET.SubElement(sequence, "spine")
    for place in timeline.places:
        _clip(spine, timeline, place, assets[place.cut.film.path])
    ET.indent(root)
    return _HEADER + ET.tostring(root, encoding="unicode") + "\n"


def _format(resources: ET.Element, name: str, rate: FrameRate, width: int, height: int) -> None:
    ET.SubElement(
        resources,
        "format",
        id=name,
        frameDuration=_time(1, rate),
        width=str(width),
        height=str(height),
    )


def _asset(resources: ET.Element, film: FilmFrames, number: int) -> str:
    """Describes a film; returns its id."""
    asset_id, format_id = f"a{number}", f"f{number}"
    _format(resources, format_id, film.rate, film.facts.width_px, film.facts.height_px)
    sound = {}
    if film.sound:
        sound = {
            "hasAudio": "1",
            "audioSources": "1",
            "audioChannels": str(film.sound.n_channels),
            "audioRate": str(film.sound.rate_hz),
        }
    asset = ET.SubElement(
        resources,
        "asset",
        {
            "id": asset_id,
            "name": film.path.stem,
            "start": _time(film.first_code, film.rate),
            "duration": _time(film.n_frames, film.rate),
            "hasVideo": "1",
            "videoSources": "1",
            "format": format_id,
            **sound,
        },
    )
    ET.SubElement(asset, "media-rep", kind="original-media", src=film.path.as_uri())
    return asset_id


def _clip(spine: ET.Element, timeline: Timeline, place: Place, asset_id: str) -> None:
    film, frames = place.cut.film, place.cut.frames
    start = _time(film.first_code + frames.first, film.rate)
    clip = ET.SubElement(
        spine,
        "asset-clip",
        ref=asset_id,
        name=place.cut.title,
        offset=_time(timeline.first_code + place.start, timeline.rate),
        start=start,
        duration=_time(place.n_frames, timeline.rate),
        format=asset_id.replace("a", "f"),
        tcFormat=_code_format(film.rate),
    )
    if place.cut.note:
        ET.SubElement(clip, "note").text = place.cut.note
    if film.rate.fps != timeline.rate.fps:
        named = _CONFORM_RATES.get(film.rate.fps)
        conform = ET.SubElement(clip, "conform-rate", scaleEnabled="0")
        if named:
            conform.set("srcFrameRate", named)
    ET.SubElement(clip, "marker", start=start, duration=_time(1, film.rate), value=place.cut.title)


def _time(n_frames: int, rate: FrameRate) -> str:
    """ "1001/30000s", in the rate's own denominator where it is no whole number of seconds."""
    time = rate.seconds(n_frames)
    if time.denominator == 1:
        return f"{time.numerator}s"
    return f"{n_frames * rate.fps.denominator}/{rate.fps.numerator}s"


def _code_format(rate: FrameRate) -> str:
    return "DF" if rate.drop else "NDF"
