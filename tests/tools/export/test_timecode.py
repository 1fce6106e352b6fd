"""Time codes: values worked out by hand, an independent library, and their properties."""

from __future__ import annotations

from fractions import Fraction

import opentimelineio as otio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.errors import InputError
from tools.export.timecode import FrameRate, parse_rate, parse_timecode, timecode

FILM = FrameRate(Fraction(24000, 1001))
PAL = FrameRate(Fraction(25))
NTSC = FrameRate(Fraction(30000, 1001))
NTSC_DROP = FrameRate(Fraction(30000, 1001), drop=True)
FAST_DROP = FrameRate(Fraction(60000, 1001), drop=True)
RATES = [FILM, PAL, NTSC, NTSC_DROP, FAST_DROP, FrameRate(Fraction(120000, 1001), drop=True)]
ids = FrameRate.named


@pytest.mark.parametrize(
    ("rate", "frame", "code"),
    [
        (PAL, 90_061, "01:00:02:11"),
        (FILM, 86_400, "01:00:00:00"),
        # 3600 s are 107 892.1 frames at 29.97; counted by thirties that is 3.6 s less.
        (NTSC, 107_892, "00:59:56:12"),
        (NTSC_DROP, 1_799, "00:00:59;29"),
        # The second minute has no ;00 and no ;01.
        (NTSC_DROP, 1_800, "00:01:00;02"),
        (NTSC_DROP, 3_597, "00:01:59;29"),
        (NTSC_DROP, 3_598, "00:02:00;02"),
        (NTSC_DROP, 17_981, "00:09:59;29"),
        # The tenth minute has them.
        (NTSC_DROP, 17_982, "00:10:00;00"),
        (NTSC_DROP, 107_892, "01:00:00;00"),
        (FAST_DROP, 3_599, "00:00:59;59"),
        (FAST_DROP, 3_600, "00:01:00;04"),
        (FAST_DROP, 35_964, "00:10:00;00"),
    ],
)
def test_a_frame_has_the_code_worked_out_by_hand(rate: FrameRate, frame: int, code: str) -> None:
    assert timecode(frame, rate) == code
    assert parse_timecode(code, rate) == frame


@given(st.sampled_from(RATES), st.integers(0, 24 * 3600 * 24 - 1))
def test_a_code_leads_back_to_its_frame(rate: FrameRate, frame: int) -> None:
    assert parse_timecode(timecode(frame, rate), rate) == frame


@given(st.sampled_from([NTSC_DROP, FAST_DROP]), st.integers(0, 24 * 107_892 - 1))
def test_a_drop_frame_code_keeps_up_with_the_clock(rate: FrameRate, frame: int) -> None:
    hours, minutes, rest = timecode(frame, rate).split(":")
    seconds, frames = rest.split(";")
    shown_s = int(hours) * 3600 + int(minutes) * 60 + int(seconds) + int(frames) / rate.counted
    assert shown_s == pytest.approx(float(rate.seconds(frame)), abs=0.16)


@given(st.sampled_from([FILM, PAL, NTSC, NTSC_DROP, FAST_DROP]), st.integers(0, 2_000_000))
def test_codes_are_those_of_opentimelineio(rate: FrameRate, frame: int) -> None:
    time = otio.opentime.RationalTime(frame, float(rate.fps))
    assert timecode(frame, rate) == time.to_timecode(time.rate, rate.drop)


def test_codes_begin_again_after_a_day() -> None:
    assert timecode(24 * 3600 * 25 + 1, PAL) == "00:00:00:01"


@pytest.mark.parametrize(
    ("rate", "text"),
    [
        (PAL, "00:00:00:25"),
        (PAL, "24:00:00:00"),
        (PAL, "1:00"),
        (PAL, "00:61:00:00"),
        (NTSC_DROP, "00:01:00;01"),
        (FAST_DROP, "00:11:00;03"),
    ],
)
def test_a_code_that_does_not_exist_is_refused(rate: FrameRate, text: str) -> None:
    with pytest.raises(InputError, match="time code"):
        parse_timecode(text, rate)


@pytest.mark.parametrize(
    ("text", "fps"),
    [
        ("25", Fraction(25)),
        ("29.97", Fraction(30000, 1001)),
        ("23.976", Fraction(24000, 1001)),
        ("23.98", Fraction(24000, 1001)),
        ("59.94", Fraction(60000, 1001)),
        ("24000/1001", Fraction(24000, 1001)),
        ("24", Fraction(24)),
    ],
)
def test_rates_are_meant_exactly(text: str, fps: Fraction) -> None:
    assert parse_rate(text) == fps


@pytest.mark.parametrize("text", ["", "fast", "0", "-25", "1/0", "nan", "1e9"])
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        parse_rate(text)
