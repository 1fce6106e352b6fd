"""Frame rates and SMPTE time codes, in whole numbers and fractions only.

Drop-frame codes leave out labels, never frames: at 29.97 the labels ;00 and ;01 of every minute
that is not a multiple of ten (at 59.94 the first four), so that the label keeps up with the clock.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from fractions import Fraction

from index.errors import InputError

_CODE = re.compile(r"(\d\d):([0-5]\d):([0-5]\d)([:;.])(\d{2,3})")
_NTSC = 1001
_DAY_S = 86_400
STANDARD_RATES = (
    *(Fraction(n * 1000, _NTSC) for n in (24, 30, 48, 60, 120)),
    *(Fraction(n) for n in (5, 6, 8, 10, 12, 15, 20, 24, 25, 30, 48, 50, 60, 100, 120, 240)),
)
_NEAR = Fraction(1, 5000)


@dataclass(frozen=True, slots=True)
class FrameRate:
    """Frames a second, and how they are counted in time codes."""

    fps: Fraction
    """24000/1001, not 23.976."""
    drop: bool = False
    """Drop-frame time codes; only at 29.97, 59.94 and 119.88."""

    def __post_init__(self) -> None:
        if self.fps <= 0:
            raise ValueError(f"{self.fps} frames a second is no rate")
        if self.drop and not can_drop(self.fps):
            raise ValueError(f"there are no drop-frame time codes at {self.fps} frames a second")

    @property
    def counted(self) -> int:
        """Frames that a second of time code has: 30 at 29.97."""
        return round(self.fps)

    @property
    def is_ntsc(self) -> bool:
        """Whether the rate is a whole number × 1000/1001."""
        return self.fps.denominator == _NTSC

    @property
    def has_timecode(self) -> bool:
        """Whether time codes are defined: whole and NTSC rates only."""
        return self.is_ntsc or self.fps.denominator == 1

    @property
    def dropped(self) -> int:
        """Labels left out in a minute."""
        return self.counted // 15 if self.drop else 0

    def seconds(self, n_frames: int) -> Fraction:
        return n_frames / self.fps

    def named(self) -> str:
        """ "25", "29.97", "29.97 drop-frame"."""
        text = f"{float(self.fps):.3f}".rstrip("0").rstrip(".")
        return f"{text} drop-frame" if self.drop else text


def can_drop(fps: Fraction) -> bool:
    """Whether drop-frame time codes are defined at this rate."""
    return fps.denominator == _NTSC and round(fps) % 30 == 0


def standard(fps: Fraction) -> Fraction:
    """The standard rate within 0.02 % of this one (29.97 → 30000/1001), else the rate itself."""
    near = min(STANDARD_RATES, key=lambda known: abs(known - fps))
    return near if abs(near - fps) <= near * _NEAR else fps


def nearest_standard(fps: Fraction) -> Fraction:
    """The standard rate nearest to this one."""
    return min(STANDARD_RATES, key=lambda known: abs(known - fps))


def parse_rate(text: str) -> Fraction:
    """The rate that "25", "29.97" or "30000/1001" names.

    Raises:
        InputError: it names none between 1 and 1000 frames a second.
    """
    try:
        fps = Fraction(text.strip())
    except (ValueError, ZeroDivisionError) as error:
        raise InputError(
            f'"{text}" is not a frame rate', "write 25, 29.97 or 30000/1001"
        ) from error
    if not 1 <= fps <= 1000:
        raise InputError(f"{text} frames a second is not possible", "give 1 to 1000")
    # People write 23.98 for 24000/1001.
    return Fraction(24000, _NTSC) if text.strip() == "23.98" else standard(fps)


def timecode(frame: int, rate: FrameRate) -> str:
    """ "HH:MM:SS:FF" of a frame's number; a semicolon before the frames in drop-frame codes.

    Codes begin again after 24 hours, as on a tape deck.

    Raises:
        ValueError: the number is negative, or the rate has no time codes.
    """
    if frame < 0 or not rate.has_timecode:
        raise ValueError(f"frame {frame} at {rate.fps} frames a second has no time code")
    label = _label(frame % _frames_of_a_day(rate), rate)
    seconds, frames = divmod(label, rate.counted)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    digits = max(2, len(str(rate.counted - 1)))
    mark = ";" if rate.drop else ":"
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}{mark}{frames:0{digits}d}"


def parse_timecode(text: str, rate: FrameRate) -> int:
    """The number of the frame that a time code of this rate names, 0 for 00:00:00:00.

    Either mark is taken before the frames: whether labels are dropped is the rate's matter.

    Raises:
        InputError: no time code, or one that this rate does not have.
    """
    match = _CODE.fullmatch(text.strip())
    if match is None:
        raise InputError(f'"{text}" is not a time code', "write HH:MM:SS:FF")
    hours, minutes, seconds, frames = (int(match.group(part)) for part in (1, 2, 3, 5))
    whole_minutes = hours * 60 + minutes
    missing = seconds == 0 and minutes % 10 and frames < rate.dropped
    if frames >= rate.counted or missing or hours > 23:
        raise InputError(f"there is no time code {text} at {rate.named()} frames a second")
    label = (whole_minutes * 60 + seconds) * rate.counted + frames
    return label - rate.dropped * (whole_minutes - whole_minutes // 10)


def as_written(text: str, rate: FrameRate) -> FrameRate:
    """The rate, drop-frame where the code is written so ("01:00:00;00") and the rate allows it."""
    match = _CODE.fullmatch(text.strip())
    drop = match is not None and match.group(4) in ";." and can_drop(rate.fps)
    return replace(rate, drop=drop)


def _label(frame: int, rate: FrameRate) -> int:
    """The frame's number as if no label were left out before it."""
    per_minute = rate.counted * 60 - rate.dropped
    per_ten_minutes = per_minute * 10 + rate.dropped
    tens, rest = divmod(frame, per_ten_minutes)
    # The first of ten minutes keeps all its labels.
    minutes = max(0, rest - rate.dropped) // per_minute
    return frame + rate.dropped * (9 * tens + minutes)


def _frames_of_a_day(rate: FrameRate) -> int:
    minutes = _DAY_S // 60
    return _DAY_S * rate.counted - rate.dropped * (minutes - minutes // 10)
