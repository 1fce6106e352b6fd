"""Final Cut Pro 7 XML (xmeml 5), which Premiere, Resolve and Avid read.

`in` and `out` count from the file's first picture whatever its time code; `start` and `end` from
the timeline's beginning. Every sound channel is a track of its own, linked to its picture.
"""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

from tools.export.film_frames import FilmFrames
from tools.export.timecode import FrameRate, timecode
from tools.export.timeline import Place, Timeline

_HEADER = '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE xmeml>\n'


def write_fcp7(timeline: Timeline) -> str:
    """The timeline as a sequence with its edits and a marker with each label.

    Raises:
        InputError: films of several rates, or a rate without time codes.
    """
    timeline.one_rate("FCP7 XML")
    root = ET.Element("xmeml", version="5")
    sequence = ET.SubElement(root, "sequence", id="sequence-1")
    _text(sequence, name=timeline.name, duration=timeline.n_frames)
    _rate(sequence, timeline.rate)
    _timecode(sequence, timeline.rate, timeline.first_code)
    media = ET.SubElement(sequence, "media")
    video = ET.SubElement(media, "video")
    described = ET.SubElement(ET.SubElement(video, "format"), "samplecharacteristics")
    _picture(described, timeline.rate, timeline.width_px, timeline.height_px)
    track = ET.SubElement(video, "track")
    films = {film.path: number for number, film in enumerate(timeline.films, 1)}
    described_films: set[int] = set()
    for number, place in enumerate(timeline.places, 1):
        item = _clip_item(track, place, f"clip-{number}-v")
        film_number = films[place.cut.film.path]
        _file(item, place.cut.film, film_number, known=film_number in described_films)
        described_films.add(film_number)
        _links(item, place, number)
    _sound_tracks(media, timeline, films)
    for place in timeline.places:
        marker = ET.SubElement(sequence, "marker")
        _text(marker, name=place.cut.title, comment=place.cut.note)
        marker.append(_element("in", place.start))
        marker.append(_element("out", place.end))
    ET.indent(root)
    return _HEADER + ET.tostring(root, encoding="unicode") + "\n"


def _clip_item(track: ET.Element, place: Place, item_id: str) -> ET.Element:
    item = ET.SubElement(track, "clipitem", id=item_id)
    film, frames = place.cut.film, place.cut.frames
    _text(item, name=film.name, enabled="TRUE", duration=film.n_frames)
    _rate(item, film.rate)
    _text(item, start=place.start, end=place.end)
    item.append(_element("in", frames.first))
    item.append(_element("out", frames.after))
    return item


def _file(item: ET.Element, film: FilmFrames, number: int, *, known: bool) -> None:
    """The film: described where it comes first, named by its id after that."""
    file = ET.SubElement(item, "file", id=f"file-{number}")
    if known:
        return
    _text(file, name=film.name, pathurl=_url(film))
    _rate(file, film.rate)
    _text(file, duration=film.n_frames)
    _timecode(file, film.rate, film.first_code)
    media = ET.SubElement(file, "media")
    picture = ET.SubElement(ET.SubElement(media, "video"), "samplecharacteristics")
    _picture(picture, film.rate, film.facts.width_px, film.facts.height_px)
    if film.sound:
        audio = ET.SubElement(media, "audio")
        _text(ET.SubElement(audio, "samplecharacteristics"), samplerate=film.sound.rate_hz)
        _text(audio, channelcount=film.sound.n_channels)


def _sound_tracks(media: ET.Element, timeline: Timeline, films: dict[Path, int]) -> None:
    audio = ET.SubElement(media, "audio")
    for channel in range(1, _n_channels(timeline) + 1):
        track = ET.SubElement(audio, "track")
        for number, place in enumerate(timeline.places, 1):
            if channel > _channels(place):
                continue
            item = _clip_item(track, place, f"clip-{number}-a{channel}")
            ET.SubElement(item, "file", id=f"file-{films[place.cut.film.path]}")
            _text(ET.SubElement(item, "sourcetrack"), mediatype="audio", trackindex=channel)
            _links(item, place, number)


def _links(item: ET.Element, place: Place, number: int) -> None:
    """What moves together: the picture and its sound channels."""
    if not place.cut.film.sound:
        return
    _text(ET.SubElement(item, "link"), linkclipref=f"clip-{number}-v", mediatype="video")
    for channel in range(1, _channels(place) + 1):
        link = ET.SubElement(item, "link")
        _text(link, linkclipref=f"clip-{number}-a{channel}", mediatype="audio", trackindex=channel)


def _channels(place: Place) -> int:
    sound = place.cut.film.sound
    return sound.n_channels if sound else 0


def _n_channels(timeline: Timeline) -> int:
    return max(_channels(place) for place in timeline.places)


def _picture(parent: ET.Element, rate: FrameRate, width_px: int, height_px: int) -> None:
    _rate(parent, rate)
    _text(parent, width=width_px, height=height_px, pixelaspectratio="square")


def _rate(parent: ET.Element, rate: FrameRate) -> None:
    ntsc = "TRUE" if rate.is_ntsc else "FALSE"
    _text(ET.SubElement(parent, "rate"), timebase=rate.counted, ntsc=ntsc)


def _timecode(parent: ET.Element, rate: FrameRate, first_code: int) -> None:
    code = ET.SubElement(parent, "timecode")
    _rate(code, rate)
    shown = "DF" if rate.drop else "NDF"
    _text(code, string=timecode(first_code, rate), frame=first_code, displayformat=shown)


def _url(film: FilmFrames) -> str:
    # The format's own form names the host.
    return film.path.as_uri().replace("file:///", "file://localhost/", 1)


def _text(parent: ET.Element, **values: str | int) -> None:
    for name, value in values.items():
        parent.append(_element(name, value))


def _element(name: str, value: str | int) -> ET.Element:
    element = ET.Element(name)
    element.text = str(value)
    return element
