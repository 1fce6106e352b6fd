"""Text formats are parsed again, to exact frame numbers and to time codes worked out by hand."""

from __future__ import annotations

import csv
import io
import re
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree as ET

import av
import opentimelineio as otio
import pysubs2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.errors import InputError
from index.types import Span
from tests.tools.export.sounding import render_sounding
from tools.export.cuts import Cut, ExportItem, make_cuts
from tools.export.film_frames import FilmFrames, read_film
from tools.export.formats import FORMATS, format_for, text_of
from tools.export.texts import write_texts
from tools.export.timecode import FrameRate, parse_timecode

HOSTILE = '=cmd|"x" <b>&amp; --> [CHAPTER]; a\\b #1 = "é" 日本'
NTSC = Fraction(30000, 1001)


@pytest.fixture(scope="module")
def ntsc(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds at 29.97 with sound and a drop-frame time code, in an oddly named file."""
    path = tmp_path_factory.mktemp("films") / "a & b <1>.mov"
    return render_sounding(path, fps=NTSC, n_frames=90, timecode="00:00:59;00")


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds at 25, without sound."""
    path = tmp_path_factory.mktemp("films") / "slow.mp4"
    return render_sounding(path, fps=Fraction(25), n_frames=50, sound=False)


def frames_of(film: FilmFrames, first: int, after: int) -> Span:
    return Span(float(first / film.rate.fps), float(after / film.rate.fps))


@pytest.fixture(scope="module")
def cuts(ntsc: Path) -> list[Cut]:
    """Frames 40–55 and 15–35 of the film at 29.97, in that order."""
    film = read_film(ntsc)
    items = [
        ExportItem(ntsc, frames_of(film, 40, 55), "later", "hit 1"),
        ExportItem(ntsc, frames_of(film, 15, 35), HOSTILE, score=0.25),
    ]
    return make_cuts(items, read_film)


def text(name: str, cuts: list[Cut]) -> str:
    return text_of(name, cuts, title="Cuts & more", start_code="01:00:00:00")


def test_an_edl_has_the_codes_worked_out_by_hand(cuts: list[Cut]) -> None:
    lines = text("edl", cuts).split("\r\n")
    assert lines[:2] == ["TITLE: Cuts & more", "FCM: DROP FRAME"]
    # The file begins at 00:00:59;00. Frame 40 is ten frames after the minute, whose first two
    # labels do not exist: 1 s + 10 frames -> 00:01:00;12.
    assert lines[3] == (
        "001  AX       AA/V  C        00:01:00;12 00:01:00;27 01:00:00;00 01:00:00;15"
    )
    assert lines[4:6] == ["* FROM CLIP NAME: a & b <1>.mov", "* COMMENT: later"]
    assert lines[7] == (
        "002  AX       AA/V  C        00:00:59;15 00:01:00;07 01:00:00;15 01:00:01;05"
    )


def test_markers_lie_on_a_timeline_of_the_whole_film(cuts: list[Cut]) -> None:
    lines = text("markers", cuts).split("\r\n")
    assert lines[:2] == ["TITLE: a & b <1>", "FCM: DROP FRAME"]
    assert lines[3] == (
        "001  001      V     C        01:00:00;15 01:00:00;16 01:00:00;15 01:00:00;16  "
    )
    assert lines[4] == f" |C:ResolveColorBlue |M:{HOSTILE.replace('|', '/')} |D:20"
    assert lines[6].split()[4] == "01:00:01;10"
    assert lines[7].endswith("|M:later |D:15")


def test_captions_are_on_screen_with_exactly_their_frames(cuts: list[Cut]) -> None:
    vtt, srt = text("vtt", cuts), text("srt", cuts)
    assert vtt.startswith("WEBVTT\n\n1\n00:00:00.500 --> 00:00:01.167\n")
    assert "&lt;b&gt;&amp;amp; --&gt;" in vtt
    for shown in (vtt, srt):
        events = pysubs2.SSAFile.from_string(shown).events
        times_s = cuts[0].film.table.times_s
        on_screen = [
            [n for n, at in enumerate(times_s) if event.start <= at * 1000 < event.end]
            for event in events
        ]
        assert on_screen == [list(range(15, 35)), list(range(40, 55))]


def test_chapters_are_read_by_ffmpeg(cuts: list[Cut], tmp_path: Path) -> None:
    (tmp_path / "chapters").write_text(text("chapters", cuts), encoding="utf-8")
    with av.open(str(tmp_path / "chapters"), format="ffmetadata") as container:
        found = container.chapters()
    times = [[each[key] * each["time_base"] for key in ("start", "end")] for each in found]
    places = [[round(at * NTSC, 3) for at in pair] for pair in times]
    assert places == [[15, 35], [40, 55]]
    assert [each["metadata"]["title"] for each in found] == [HOSTILE, "later"]


def test_chapters_that_overlap_end_where_the_next_begins(slow: Path) -> None:
    items = [ExportItem(slow, Span(0.2, 1.6), "a"), ExportItem(slow, Span(0.4, 0.8), "b")]
    shown = text("chapters", make_cuts(items, read_film))
    assert re.findall(r"(?:START|END)=(\d+)", shown) == ["200000", "400000", "400000", "800000"]


def test_a_table_holds_seconds_codes_and_frames(cuts: list[Cut]) -> None:
    later, hostile = csv.DictReader(io.StringIO(text("csv", cuts), newline=""))
    assert (later["start_frame"], later["end_frame"]) == ("40", "55")
    assert (later["start_timecode"], later["end_timecode"]) == ("00:01:00;12", "00:01:00;27")
    assert (later["start"], later["fps"], later["note"]) == ("1.334667", "30000/1001", "hit 1")
    # A spreadsheet must not run it.
    assert hostile["label"] == f"'{HOSTILE}"
    assert hostile["score"] == "0.2500"


def test_fcp7_xml_leads_back_to_the_frames(cuts: list[Cut], ntsc: Path) -> None:
    sequence = ET.fromstring(text("fcp7", cuts)).find("sequence")
    assert sequence is not None
    items = sequence.findall("media/video/track/clipitem")
    numbers = [
        [int(item.findtext(key) or -1) for key in ("start", "end", "in", "out")] for item in items
    ]
    assert numbers == [[0, 15, 40, 55], [15, 35, 15, 35]]
    assert sequence.findtext("rate/timebase") == "30"
    assert sequence.findtext("rate/ntsc") == "TRUE"
    assert sequence.findtext("timecode/string") == "01:00:00;00"
    assert sequence.findtext("timecode/displayformat") == "DF"
    file = items[0].find("file")
    assert file is not None
    assert file.findtext("timecode/frame") == "1770"
    assert file.findtext("duration") == "90"
    assert file.findtext("pathurl") == ntsc.as_uri().replace("file://", "file://localhost")
    assert [item.get("id") for item in sequence.findall("media/audio/track/clipitem")] == [
        "clip-1-a1",
        "clip-2-a1",
    ]
    assert [each.findtext("name") for each in sequence.findall("marker")] == ["later", HOSTILE]


def test_fcpxml_leads_back_to_the_frames(cuts: list[Cut], ntsc: Path) -> None:
    root = ET.fromstring(text("fcpxml", cuts))
    asset = root.find("resources/asset")
    source = root.find("resources/asset/media-rep")
    sequence = root.find("library/event/project/sequence")
    assert asset is not None
    assert source is not None
    assert sequence is not None
    # The file begins at 00:00:59;00, its 1770th frame.
    assert frame_number(asset.get("start")) == 1770
    assert frame_number(asset.get("duration")) == 90
    assert source.get("src") == ntsc.as_uri()
    assert (frame_number(sequence.get("tcStart")), sequence.get("tcFormat")) == (107_892, "DF")
    clips = sequence.findall("spine/asset-clip")
    places = [
        [frame_number(each.get(k)) for k in ("offset", "start", "duration")] for each in clips
    ]
    assert places == [[107_892, 1810, 15], [107_907, 1785, 20]]
    assert clips[1].get("name") == HOSTILE


def frame_number(value: str | None) -> int:
    """The frame of 29.97 at "1001/30000s"; fails where it is not on a frame's edge."""
    number = Fraction((value or "").removesuffix("s")) * NTSC
    assert number.denominator == 1
    return int(number)


def test_otio_leads_back_to_the_frames(cuts: list[Cut], ntsc: Path) -> None:
    timeline = otio.adapters.read_from_string(text("otio", cuts), "otio_json")
    video, audio = timeline.tracks
    assert [each.kind for each in (video, audio)] == ["Video", "Audio"]
    ranges = [
        (clip.source_range.start_time.value, clip.source_range.duration.value) for clip in video
    ]
    assert ranges == [(1810, 15), (1785, 20)]
    assert video[0].source_range.start_time.rate == float(NTSC)
    assert video[0].media_reference.target_url == ntsc.as_uri()
    assert video[0].media_reference.available_range.start_time.value == 1770
    assert timeline.global_start_time.value == 107_892
    assert video[1].markers[0].name == HOSTILE


@given(data=st.data())
def test_any_frames_of_any_rate_come_back_from_every_list(data: st.DataObject) -> None:
    """The film is not read again: only its rate and its frames' times matter here."""
    fps = data.draw(st.sampled_from([Fraction(24000, 1001), Fraction(25), NTSC, NTSC * 2]))
    film = film_of_rate(fps, drop=fps in (NTSC, NTSC * 2) and data.draw(st.booleans()))
    first = data.draw(st.integers(0, 20_000))
    after = data.draw(st.integers(first + 1, 20_010))
    span = frames_of(film, first, after)
    rounded = Span(round(span.start_s, 3), round(span.end_s, 3))
    made = make_cuts([ExportItem(film.path, rounded, "x")], lambda path: film)
    assert (made[0].frames.first, made[0].frames.after) == (first, after)
    codes = re.findall(r"\d\d:\d\d:\d\d[:;]\d\d", text("edl", made))
    numbers = [parse_timecode(code, film.rate) for code in codes]
    start = parse_timecode("01:00:00:00", film.rate)
    assert numbers == [first, after, start, start + after - first]
    clip = ET.fromstring(text("fcpxml", made)).find(".//asset-clip")
    assert clip is not None
    at = Fraction((clip.get("start") or "").removesuffix("s"))
    assert at * fps == first


def film_of_rate(fps: Fraction, *, drop: bool) -> FilmFrames:
    import numpy as np

    from index.frame_table import Clock, FrameTable
    from index.types import VideoFacts

    end_s = float(20_010 / fps)
    table = FrameTable(np.arange(20_010), Clock(1 / fps, 0.0, 0), end_s, (0,), (0,), False, ())
    facts = VideoFacts(end_s, 0.0, 320, 192, 20_010, float(fps), "h264", 0, False)
    path = Path("/films/any.mp4")
    return FilmFrames(path, facts, table, 0, 1 / fps, FrameRate(fps, drop), True, 0, None)


def test_lists_of_one_rate_refuse_films_of_two(ntsc: Path, slow: Path) -> None:
    items = [ExportItem(path, Span(0.2, 0.8), "") for path in (ntsc, slow)]
    both = make_cuts(items, read_film)
    for name in ("edl", "fcp7"):
        with pytest.raises(InputError, match=r"holds one frame rate.*29\.97.*25"):
            text(name, both)
    # 0.2–0.8 s are whole frames of the first film's rate on the timeline.
    clips = ET.fromstring(text("fcpxml", both)).findall(".//asset-clip")
    assert clips[1].find("conform-rate") is not None
    assert frame_number(clips[1].get("duration")) == 18
    assert otio.adapters.read_from_string(text("otio", both), "otio_json").duration()


def test_a_format_of_one_film_gives_each_film_a_file_in_a_folder(
    ntsc: Path, slow: Path, tmp_path: Path
) -> None:
    both = make_cuts([ExportItem(p, Span(0.2, 0.8), "") for p in (ntsc, slow)], read_film)
    with pytest.raises(InputError, match="vtt is of one film"):
        text("vtt", both)
    for force in (False, True):
        written = write_texts(
            "vtt", both, tmp_path / "out", title="", start_code="01:00:00:00", force=force
        )
        assert [each.path.name for each in written] == ["001 a & b _1_.vtt", "002 slow.vtt"]
    with pytest.raises(InputError, match="is there already"):
        write_texts("vtt", both, tmp_path / "out", title="", start_code="", force=False)


def test_an_edl_holds_999_events(slow: Path) -> None:
    many = make_cuts([ExportItem(slow, Span(0.2, 0.8), "")] * 1000, read_film)
    for name in ("edl", "markers"):
        with pytest.raises(InputError, match="999"):
            text(name, many)


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("a.markers.edl", "markers"),
        ("a.edl", "edl"),
        ("a.EDL", "edl"),
        ("a.xml", "fcp7"),
        ("a.mkv", "reel"),
        ("clips", "clips"),
    ],
)
def test_a_files_name_says_its_format(name: str, known: str, tmp_path: Path) -> None:
    assert format_for(tmp_path / name) == known


def test_an_unknown_ending_lists_the_formats(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=", ".join(FORMATS)):
        format_for(tmp_path / "a.doc")
