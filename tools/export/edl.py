"""CMX3600 edit decision lists: edits for any editing program, and markers as Resolve reads them.

Both sorts count in whole frames of one rate; the out point is the first frame that is not used.
"""

from __future__ import annotations

from collections.abc import Sequence

from index.errors import InputError
from tools.export.captions import by_time
from tools.export.cuts import Cut
from tools.export.timecode import FrameRate, parse_timecode, timecode
from tools.export.timeline import Timeline, check_timecode

_MOST_EVENTS = 999
_REEL = "AX"
"""What the format calls a source that is no tape: programs then go by the clip's name."""
_MARKER_COLOUR = "ResolveColorBlue"


def write_edl(timeline: Timeline) -> str:
    """The timeline's edits: source in and out, record in and out.

    Raises:
        InputError: films of several rates, a rate without time codes, more than 999 edits.
    """
    timeline.one_rate("an EDL")
    _check_count(len(timeline.places))
    lines = [_header(timeline.name, timeline.rate)]
    for number, place in enumerate(timeline.places, 1):
        film, frames = place.cut.film, place.cut.frames
        codes = [
            *(timecode(film.first_code + n, timeline.rate) for n in (frames.first, frames.after)),
            *(timeline.code(n) for n in (place.start, place.end)),
        ]
        tracks = "AA/V" if film.sound else "V"
        lines.append(f"{number:03d}  {_REEL:<8} {tracks:<5} C        {' '.join(codes)}")
        lines.append(f"* FROM CLIP NAME: {film.name}")
        lines.append(f"* COMMENT: {place.cut.title}\n")
    return _ended(lines)


def write_markers(cuts: Sequence[Cut], *, start_code: str) -> str:
    """Markers for a timeline that holds the whole film and begins at `start_code`.

    In Resolve: Timelines > Import > Timeline Markers from EDL.

    Raises:
        InputError: a rate without time codes, an impossible start, more than 999 markers.
    """
    film = cuts[0].film
    check_timecode(film.rate, film)
    _check_count(len(cuts))
    first_code = parse_timecode(start_code, film.rate)
    lines = [_header(film.path.stem, film.rate)]
    for number, cut in enumerate(by_time(cuts), 1):
        at = first_code + cut.frames.first
        codes = " ".join([timecode(at, film.rate), timecode(at + 1, film.rate)] * 2)
        # The bar divides the fields of the second line.
        title = cut.title.replace("|", "/")
        lines.append(f"{number:03d}  001      V     C        {codes}  ")
        lines.append(f" |C:{_MARKER_COLOUR} |M:{title} |D:{cut.frames.n_frames}\n")
    return _ended(lines)


def _header(name: str, rate: FrameRate) -> str:
    counted = "DROP FRAME" if rate.drop else "NON-DROP FRAME"
    return f"TITLE: {name}\nFCM: {counted}\n"


def _ended(lines: Sequence[str]) -> str:
    # The format is older than line feeds alone, and some readers still insist.
    return "\n".join(lines).replace("\n", "\r\n")


def _check_count(n_events: int) -> None:
    if n_events > _MOST_EVENTS:
        raise InputError(
            f"an EDL holds {_MOST_EVENTS} events, these are {n_events}", "use fcpxml or otio"
        )
