"""Subtitle files: which belong to a film, their encoding, and their cues.

pysubs2 strips styling and reads times, but it drops a bad cue without a word, or appends it to the
one before with its comment, and takes columns of an .ass file by their place instead of their
names. So cues are cut out here, and whatever is left out is named with its file and line.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from index.types import Span
from index.words import Track, WordLine

SUBTITLE_ENDINGS = (".srt", ".vtt", ".ass", ".ssa")
_MOST_BYTES = 20_000_000
_MOST_PROBLEMS = 5
_FLAGS = ("forced", "sdh", "cc", "hi", "default", "full", "signs", "auto")
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:[-_][a-z0-9]{2,8})*")
_THREE_LETTERS = {
    **{"eng": "en", "deu": "de", "ger": "de", "fra": "fr", "fre": "fr", "spa": "es", "ita": "it"},
    **{"por": "pt", "rus": "ru", "ukr": "uk", "pol": "pl", "nld": "nl", "dut": "nl", "tur": "tr"},
    **{"jpn": "ja", "zho": "zh", "chi": "zh", "kor": "ko", "ara": "ar", "hin": "hi", "tha": "th"},
    **{"swe": "sv", "dan": "da", "nor": "no", "fin": "fi", "ell": "el", "gre": "el", "ces": "cs"},
    **{"cze": "cs", "heb": "he", "hun": "hu", "ron": "ro", "rum": "ro", "cat": "ca", "und": ""},
}
_BY_NAME = {
    **{"english": "en", "german": "de", "deutsch": "de", "french": "fr", "spanish": "es"},
    **{"italian": "it", "portuguese": "pt", "russian": "ru", "japanese": "ja", "chinese": "zh"},
    **{"korean": "ko", "arabic": "ar", "hindi": "hi", "dutch": "nl", "polish": "pl"},
    **{"turkish": "tr", "swedish": "sv", "danish": "da", "greek": "el", "czech": "cs"},
}
_OLD_ENCODINGS = {
    **dict.fromkeys(("ru", "uk", "bg", "sr", "be", "mk"), "cp1251"),
    **dict.fromkeys(("cs", "pl", "hu", "sk", "sl", "hr", "ro"), "cp1250"),
    **{"el": "cp1253", "tr": "cp1254", "he": "cp1255", "ar": "cp1256", "fa": "cp1256"},
    **{"th": "cp874", "ja": "cp932", "ko": "cp949", "zh": "gb18030", "vi": "cp1258"},
}
_TIME = r"(?:(\d+):)?(\d{1,2}):(\d{1,2})(?:[.,](\d{1,3}))?"
_CUE_TIMES = re.compile(rf"\s*{_TIME}\s*-->\s*{_TIME}(?=\s|$)")
_ASS_TIME = re.compile(r"\s*(\d+):(\d{1,2}):(\d{1,2})[.:,](\d{1,3})\s*$")
_ASS_COLUMNS = ("Layer,Start,End,Style,Name,MarginL,MarginR,MarginV,Effect,Text").lower().split(",")
_RUBY = re.compile(r"<rt(?:\.[^>]*)?>.*?(?:</rt>|(?=</ruby>|<|$))", re.S)
_VOICE = re.compile(r"<v(?:\.[^\s>]*)?\s+([^>]+)>")
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>|<\d[\d:.]*>|<>")
_OVERRIDE = re.compile(r"\{\\[^}]*\}")


@dataclass(frozen=True, slots=True)
class Cues:
    """What a subtitle text holds."""

    lines: tuple[WordLine, ...]
    problems: tuple[str, ...]
    """"line 5: …": what was left out, and why."""


class _Unreadable(Exception):
    """A subtitle file that gives nothing; the text says why."""


def sidecars_of(film: Path) -> list[Path]:
    """The subtitle files beside a film: its name, perhaps a language and flags, and .srt, ….

    "talk.srt", "talk.en.srt", "talk.en-GB.forced.vtt" belong to talk.mp4; a file that fits another
    film's longer name better ("talk.de.srt" beside "talk.de.mp4") is that one's.
    """
    stem = film.stem.casefold()
    try:
        beside = sorted(path for path in film.parent.iterdir() if path != film)
    except OSError:
        return []
    stems = {p.stem.casefold() for p in beside if p.suffix.lower() not in SUBTITLE_ENDINGS}
    found = []
    for path in beside:
        if path.suffix.lower() not in SUBTITLE_ENDINGS or not path.is_file():
            continue
        own = path.stem.casefold()
        if own == stem or (own.startswith(f"{stem}.") and own not in stems):
            parts = own[len(stem) :].strip(".").split(".") if own != stem else []
            if all(part in (*_FLAGS, *_BY_NAME) or _LANGUAGE.fullmatch(part) for part in parts):
                found.append(path)
    return found


def stamp_of(path: Path) -> str:
    """What changes when a file does, as make and rsync judge it."""
    status = path.stat()
    return f"{status.st_size}/{status.st_mtime_ns}"


def read_sidecar(path: Path, *, film: Path) -> Track:
    """A subtitle file as a track; one that gives nothing is a track without lines that says why."""
    language = _language_in(path, film)
    stamp = stamp_of(path)
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise _Unreadable(f"larger than {_MOST_BYTES // 1_000_000} MB: is it a subtitle file?")
        text, guessed = decode_subtitles(path.read_bytes(), language=language)
        cues = parse_subtitles(text, ending=path.suffix.lower(), language=language)
    except (_Unreadable, OSError) as error:
        return Track(path.name, "subtitles", language, stamp, (), (f"{path.name}: {error}",))
    problems = [f"{path.name}: {problem}" for problem in cues.problems]
    if guessed:
        problems.append(f"{path.name}: no Unicode; read as {guessed}, which is a guess")
    if not cues.lines and not problems:
        problems.append(f"{path.name}: no cue in it")
    if len(problems) > _MOST_PROBLEMS:
        left = len(problems) - _MOST_PROBLEMS
        problems = [*problems[:_MOST_PROBLEMS], f"{path.name}: {left} more like these"]
    lines = tuple(
        WordLine(line.span, line.text, "subtitles", language, path.name) for line in cues.lines
    )
    return Track(path.name, "subtitles", language, stamp, lines, tuple(problems))


def decode_subtitles(data: bytes, *, language: str = "") -> tuple[str, str]:
    """The text, and the name of its encoding where that had to be guessed (else "").

    A byte order mark decides, then UTF-16 by its zero bytes, then UTF-8; then what was usual for
    the file's language, then what its bytes look like.
    """
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe\0\0", "utf-32")):
        if data.startswith(mark):
            return data.decode(encoding, "replace"), ""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace"), ""
    zeros = [data[side:2000:2].count(0) for side in (0, 1)]
    if max(zeros) * 4 > len(data[:2000]):
        return data.decode("utf-16-be" if zeros[0] > zeros[1] else "utf-16-le", "replace"), ""
    if any(zeros):
        raise _Unreadable("not a text file")
    usual = _OLD_ENCODINGS.get(language[:2], "")
    for name in ("utf-8", usual):
        try:
            if name:
                return data.decode(name), name.removeprefix("utf-8")
        except UnicodeDecodeError:
            continue
    from charset_normalizer import from_bytes

    guesses = list(from_bytes(data))
    if not guesses:
        raise _Unreadable("its encoding cannot be told; save it as UTF-8")
    # Of guesses that are as good, Western European is by far the most usual.
    as_good = [guess for guess in guesses if guess.chaos <= guesses[0].chaos + 0.01]
    best = next((guess for guess in as_good if guess.encoding == "cp1252"), guesses[0])
    return str(best), best.encoding


def parse_subtitles(text: str, *, ending: str, language: str = "") -> Cues:
    """The cues of a subtitle text.

    Args:
        ending: ".srt", ".vtt", ".ass" or ".ssa": what the file's name says.
    """
    if not text.strip():
        return Cues((), ("it is empty",))
    rows = re.split(r"\r\n|\r|\n", text)
    if ending in (".ass", ".ssa") or any(row.strip().lower() == "[events]" for row in rows[:200]):
        return _cues(_ass_events(rows), language)
    return _cues(_blocks(rows, is_vtt=rows[0].startswith("WEBVTT")), language)


@dataclass(frozen=True, slots=True)
class _Cue:
    """A cue, or what is wrong with it, at a line of its file."""

    number: int
    start_s: float = 0.0
    end_s: float = 0.0
    text: str = ""
    problem: str = ""
    goes_on: bool = False
    """Text behind an empty row inside the cue before it."""


def _cues(found: Iterator[_Cue], language: str) -> Cues:
    lines: list[WordLine] = []
    problems: list[str] = []
    for cue in found:
        if cue.goes_on and lines:
            lines[-1] = replace(lines[-1], text=f"{lines[-1].text}\n{cue.text.strip()}")
        elif cue.problem:
            problems.append(f"line {cue.number}: {cue.problem}")
        elif cue.end_s <= cue.start_s:
            problems.append(f"line {cue.number}: a cue that ends where it starts, or before")
        elif cue.text.strip():
            span = Span(cue.start_s, cue.end_s)
            lines.append(WordLine(span, cue.text.strip(), "subtitles", language))
    return Cues(tuple(lines), tuple(problems))


# -- .srt and .vtt


def _blocks(rows: Sequence[str], *, is_vtt: bool) -> Iterator[_Cue]:
    """Cues of rows: a row of times opens one, an empty row closes it."""
    number = 0
    while number < len(rows):
        begin = number
        while number < len(rows) and rows[number].strip():
            number += 1
        yield from _block(rows, begin, number, is_vtt=is_vtt)
        number += 1


def _block(rows: Sequence[str], begin: int, end: int, *, is_vtt: bool) -> Iterator[_Cue]:
    block = rows[begin:end]
    if not block or (is_vtt and re.match(r"\ufeff?(?:WEBVTT|NOTE|STYLE|REGION)\b", block[0])):
        return
    opens = [i for i in range(begin, end) if "-->" in rows[i]]
    if not opens:
        # A lone number is the head of a cue that the file's end cut off.
        if len(block) > 1 or not block[0].strip().isdecimal():
            numbered = block[0].strip().isdecimal()
            yield _Cue(
                begin + 1,
                text=_without_tags("\n".join(block)),
                problem=f"text without a time: “{block[-1].strip()[:40]}”",
                goes_on=not is_vtt and not numbered,
            )
        return
    for at, following in zip(opens, [*opens[1:], end], strict=True):
        found = _CUE_TIMES.match(rows[at])
        if found is None:
            yield _Cue(at + 1, problem=f"no time can be read in “{rows[at].strip()[:60]}”")
            continue
        text_rows = list(rows[at + 1 : following])
        if following != end and text_rows and text_rows[-1].strip().isdecimal():
            text_rows.pop()  # the number of the next cue, which no empty row divides from this one
        times = found.groups()
        yield _Cue(
            at + 1, _seconds(times[:4]), _seconds(times[4:]), _without_tags("\n".join(text_rows))
        )


def _seconds(parts: Sequence[str | None]) -> float:
    hours, minutes, seconds, fraction = (part or "0" for part in parts)
    whole = int(hours) * 3600 + int(minutes) * 60 + int(seconds)
    return whole + float(f"0.{fraction}")


def _without_tags(text: str) -> str:
    text = _OVERRIDE.sub("", _RUBY.sub("", text))
    text = _VOICE.sub(lambda found: f"{found[1].strip()}: ", text)
    return html.unescape(_TAG.sub("", text))


# -- .ass and .ssa


def _ass_events(rows: Sequence[str]) -> Iterator[_Cue]:
    columns, inside, any_events = list(_ASS_COLUMNS), False, False
    for number, row in enumerate(rows, 1):
        name, _, rest = row.strip().lstrip("\ufeff").partition(":")
        if row.strip().startswith("["):
            inside = row.strip().lower() == "[events]"
            any_events |= inside
        elif inside and name.strip().lower() == "format":
            columns = [column.strip().lower() for column in rest.split(",")]
        elif inside and name.strip().lower() == "dialogue":
            yield _dialogue(number, rest, columns)
    if not any_events:
        yield _Cue(1, problem="it has no [Events]")


def _dialogue(number: int, row: str, columns: Sequence[str]) -> _Cue:
    values = dict(zip(columns, row.split(",", len(columns) - 1), strict=False))
    times = [_ASS_TIME.match(values.get(column, "")) for column in ("start", "end")]
    if not all(times) or "text" not in values:
        return _Cue(number, problem=f"no time can be read in “{row.strip()[:60]}”")
    start_s, end_s = (_seconds(time.groups()) for time in times if time)
    return _Cue(number, start_s, end_s, without_overrides(values["text"]))


def without_overrides(text: str) -> str:
    """The words of an .ass text, without styling and without drawings."""
    import pysubs2

    event = pysubs2.SSAEvent(text=text)
    return "" if event.is_drawing else event.plaintext


# -- names


def language_code(text: str) -> str:
    """A language as two letters where it has two; "" where none is named."""
    own = text.strip().lower().replace("_", "-").partition("-")[0]
    own = _BY_NAME.get(own, own)
    return _THREE_LETTERS.get(own, own) if _LANGUAGE.fullmatch(own) else ""


def _language_in(path: Path, film: Path) -> str:
    parts = path.stem[len(film.stem) :].strip(".").lower().split(".")
    return next((language_code(part) for part in parts if part and part not in _FLAGS), "")
