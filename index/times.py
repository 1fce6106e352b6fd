"""Times as people write and read them: "83.5", "1:23.5", "0:01:23.5".

Inside the program a time is a float in seconds on the player's timeline; text exists only at the
edges (command line, prompts, pages).
"""

from __future__ import annotations

import math
import re

from index.errors import InputError

_TIME = re.compile(r"(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d*)?|\.\d+)")


def parse_time(text: str) -> float:
    """Seconds of "83.5", "1:23.5" or "0:01:23.5".

    Raises:
        InputError: the text is none of these, or minutes or seconds after a colon exceed 59.
    """
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise _unreadable(text)
    hours, minutes, seconds = match.groups()
    time_s = float(seconds)
    if minutes is not None and time_s >= 60:
        raise _unreadable(text)
    if hours is not None and int(minutes) >= 60:
        raise _unreadable(text)
    total_s = int(hours or 0) * 3600 + int(minutes or 0) * 60 + time_s
    if not math.isfinite(total_s):
        raise _unreadable(text)
    return total_s


def format_time(time_s: float, *, decimals: int = 0) -> str:
    """ "H:MM:SS", with `decimals` digits after a point where asked for.

    Without decimals the second that is running is shown (83.9 is 0:01:23), as players do; with
    decimals the time is rounded.

    Raises:
        ValueError: the time is negative or not finite.
    """
    if not (math.isfinite(time_s) and time_s >= 0):
        raise ValueError(f"{time_s} is not a time of a film")
    ticks_per_s = 10**decimals
    ticks = round(time_s * ticks_per_s) if decimals else math.floor(time_s)
    seconds, fraction = divmod(ticks, ticks_per_s)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    text = f"{hours}:{minutes:02d}:{seconds:02d}"
    return f"{text}.{fraction:0{decimals}d}" if decimals else text


def _unreadable(text: str) -> InputError:
    return InputError(f'"{text}" is not a time', "write seconds (83.5), M:SS or H:MM:SS")
