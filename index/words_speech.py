"""Speech as words: a voice detector finds where somebody talks, Whisper writes down what.

faster-whisper is an extra, and its weights come by name or from a folder; the voice detector
(Silero) is inside the package. Sound is decoded in stretches of some minutes that are cut where
nobody talks, so that memory does not grow with the film and no word is cut in two.
"""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import av
import numpy as np
from numpy.typing import NDArray

from index.errors import ModelError
from index.types import Span
from index.words import Track, WordLine
from index.words_subtitles import language_code

RATE_HZ = 16_000
_STRETCH_S = 600.0
_GAP_S = 0.25
_SCRIPTED = "scripted:"
# Without its own tokenizer the package would fetch one from the network.
_OF_WEIGHTS = ("model.bin", "tokenizer.json")

Sound = NDArray[np.float32]
"""(N,) mono samples at 16 kHz, -1..1."""
OnSeconds = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Said:
    """A line of speech inside a stretch of sound."""

    start_s: float
    end_s: float
    text: str
    language: str


class Transcriber(Protocol):
    """Writes down what is said."""

    @property
    def name(self) -> str: ...
    def silence_before_s(self, sound: Sound) -> float:
        """Where the last pause of a sound begins: nothing is said from there to the next word."""
        ...

    def lines(self, sound: Sound, *, language: str) -> list[Said]:
        """What is said, in order; [] where nobody talks."""
        ...


def open_transcriber(name: str) -> Transcriber:
    """The transcriber of a name: "scripted:FILE" for tests, else weights of Whisper.

    Raises:
        ModelError: the package or the weights are not there.
    """
    if name.startswith(_SCRIPTED):
        return ScriptedTranscriber(Path(name.removeprefix(_SCRIPTED)))
    return WhisperTranscriber(name)


def speech_track(
    path: Path, transcriber: Transcriber, *, start_s: float, language: str, progress: OnSeconds
) -> Track:
    """What is said in a film.

    Args:
        start_s: the container's start, which is the timeline's zero.
        progress: told how many seconds were heard.
    """
    name = f"speech ({transcriber.name})"
    stamp = f"{transcriber.name}/{language}"
    lines: list[WordLine] = []
    for at_s, sound in _stretches(path, transcriber, start_s=start_s):
        for said in transcriber.lines(sound, language=language):
            start = max(0.0, at_s + said.start_s)
            if said.text.strip() and at_s + said.end_s > start:
                span = Span(start, at_s + said.end_s)
                code = language_code(said.language)
                lines.append(WordLine(span, said.text.strip(), "speech", code, name))
        progress(at_s + len(sound) / RATE_HZ)
    found = lines[0].language if lines else language
    return Track(name, "speech", found, stamp, tuple(lines))


def has_sound(path: Path) -> bool:
    """Whether a file has an audio stream."""
    try:
        with av.open(str(path), metadata_errors="ignore") as container:
            return bool(container.streams.audio)
    except (av.error.FFmpegError, OSError):
        return False


def _stretches(
    path: Path, transcriber: Transcriber, *, start_s: float
) -> Iterator[tuple[float, Sound]]:
    """Times and sounds of some minutes, cut where nobody talks."""
    begin_s, kept = 0.0, np.zeros(0, np.float32)
    most = int(_STRETCH_S * RATE_HZ)
    for at_s, piece in _pieces(path):
        at_s -= start_s
        if len(kept) and abs(begin_s + len(kept) / RATE_HZ - at_s) > _GAP_S:
            # Sound is missing: what follows is at its own time.
            yield begin_s, kept
            kept = np.zeros(0, np.float32)
        if not len(kept):
            begin_s = at_s
        kept = np.concatenate([kept, piece])
        if len(kept) >= most:
            cut = min(len(kept), max(1, int(transcriber.silence_before_s(kept) * RATE_HZ)))
            yield begin_s, kept[:cut]
            begin_s, kept = begin_s + cut / RATE_HZ, kept[cut:]
    if len(kept):
        yield begin_s, kept


def _pieces(path: Path) -> Iterator[tuple[float, Sound]]:
    """Decoded sound as it comes, about ten seconds at a time; damaged packets are passed over."""
    resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE_HZ)
    gathered: list[Sound] = []
    first_s: float | None = None
    expected_s = 0.0
    with av.open(str(path), metadata_errors="ignore") as container:
        stream = container.streams.audio[0]
        for frame in _decoded(container, stream):
            at_s = float(frame.pts * frame.time_base)
            if first_s is not None and abs(at_s - expected_s) > _GAP_S:
                yield first_s, np.concatenate(gathered)
                gathered, first_s = [], None
            first_s = at_s if first_s is None else first_s
            expected_s = at_s + frame.samples / frame.sample_rate
            frame.pts = None
            gathered += [out.to_ndarray().reshape(-1) for out in resampler.resample(frame)]
            if sum(map(len, gathered)) >= 10 * RATE_HZ:
                yield first_s, np.concatenate(gathered)
                gathered, first_s = [], None
    if gathered and first_s is not None:
        yield first_s, np.concatenate(gathered)


def _decoded(container: Any, stream: Any) -> Iterator[Any]:
    try:
        for packet in container.demux(stream):
            try:
                frames = packet.decode()
            except av.error.FFmpegError:
                continue
            yield from (frame for frame in frames if frame.pts is not None)
    except (av.error.FFmpegError, OSError):
        return


class WhisperTranscriber:
    """faster-whisper with its own voice detector."""

    def __init__(self, name: str) -> None:
        """Looks whether it can work; the weights are loaded with the first sound that has a voice.

        Raises:
            ModelError: the package is missing, or the folder holds no weights.
        """
        try:
            self._package = importlib.import_module("faster_whisper")
            self._vad = importlib.import_module("faster_whisper.vad")
        except ImportError as error:
            raise ModelError(
                "speech needs faster-whisper, which is not installed",
                "`uv sync --extra speech` in the project's folder, or index without --speech",
            ) from error
        folder = Path(name).expanduser()
        looks_like_folder = folder.is_dir() or os.sep in name or name.startswith((".", "~"))
        lacking = [name for name in _OF_WEIGHTS if not (folder / name).is_file()]
        if looks_like_folder and lacking:
            raise ModelError(
                f"{folder} holds no Whisper weights (no {', no '.join(lacking)})",
                "make them with ct2-transformers-converter --copy_files tokenizer.json",
            )
        known = self._package.available_models()
        if not looks_like_folder and name not in known and "/" not in name:
            raise ModelError(f'"{name}" is no Whisper model', f"known: {', '.join(known)}")
        self._weights = str(folder) if looks_like_folder else name
        self.name = folder.name if looks_like_folder else name
        self._model: Any = None

    def silence_before_s(self, sound: Sound) -> float:
        spans = self._voices(sound)
        length_s = len(sound) / RATE_HZ
        late = [start for start, _ in spans if start > length_s / 2]
        return late[-1] if late else length_s

    def lines(self, sound: Sound, *, language: str) -> list[Said]:
        if not self._voices(sound):
            return []
        segments, info = self._loaded().transcribe(
            sound, language=language or None, vad_filter=True, condition_on_previous_text=False
        )
        return [Said(each.start, each.end, each.text, info.language) for each in segments]

    def _voices(self, sound: Sound) -> list[tuple[float, float]]:
        found = self._vad.get_speech_timestamps(sound, self._vad.VadOptions())
        return [(each["start"] / RATE_HZ, each["end"] / RATE_HZ) for each in found]

    def _loaded(self) -> Any:
        if self._model is None:
            try:
                self._model = self._package.WhisperModel(self._weights)
            except (OSError, ValueError, RuntimeError) as error:
                reason = str(error).splitlines()[0] if str(error) else type(error).__name__
                raise ModelError(
                    f"the Whisper weights {self._weights} cannot be had: {reason}",
                    "fetch them once with a network, or name a folder: --speech FOLDER",
                ) from error
        return self._model


class ScriptedTranscriber:
    """Says what a JSON file says, [[start, end, text], …], where the sound is not silent.

    For tests and for trying things out without weights: times count from the film's start, so it
    is meant for films of one stretch.
    """

    name = "scripted"

    def __init__(self, path: Path) -> None:
        try:
            self._lines = [
                Said(float(start), float(end), str(text), "")
                for start, end, text in json.loads(path.read_text(encoding="utf-8"))
            ]
        except (OSError, ValueError, TypeError) as error:
            raise ModelError(
                f"{path} is no script of speech: {error}", "[[0.0, 1.0, …]]"
            ) from error

    def silence_before_s(self, sound: Sound) -> float:
        return len(sound) / RATE_HZ

    def lines(self, sound: Sound, *, language: str) -> list[Said]:
        def is_loud(said: Said) -> bool:
            piece = sound[int(said.start_s * RATE_HZ) : int(said.end_s * RATE_HZ)]
            return bool(len(piece)) and float(np.abs(piece).max()) > 1e-4

        return [said for said in self._lines if is_loud(said)]
