"""Speech with a real Whisper of tiny weights, through the package that hears for users."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from index.build import BuildReport, IndexSettings, build
from index.encoder_hash import HashEncoder
from index.errors import ModelError
from index.library import Library
from index.words import WordSettings
from index.words_speech import WhisperTranscriber
from tests.conftest import render_scenes
from tests.index.test_words_build import ignore, lines

pytest.importorskip("faster_whisper", reason="faster-whisper is not installed (longshot[speech])")

from tests.index.tiny_whisper import RATE_HZ, SAID, SAID_S, voice, write_tiny_whisper

QUIET = np.zeros(4 * RATE_HZ, np.float32)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_whisper(tmp_path_factory.mktemp("whisper"))


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    opened = Library.open(tmp_path / "library")
    yield opened
    opened.close()


def write_sound(path: Path, *pieces: NDArray[np.float32]) -> Path:
    """A file of sound alone."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream("pcm_s16le", rate=RATE_HZ, layout="mono")
        samples = (np.concatenate(pieces) * 32767).astype(np.int16)[None]
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.sample_rate, frame.pts = RATE_HZ, 0
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def run(library: Library, path: Path, weights: Path) -> BuildReport:
    settings = IndexSettings(words=WordSettings(speech=str(weights)))
    return build(library, [path], encoder=HashEncoder(), settings=settings, progress=ignore)


@pytest.mark.slow
def test_sound_alone_is_heard_where_somebody_talks(
    library: Library, tmp_path: Path, weights: Path
) -> None:
    sound = write_sound(tmp_path / "talk.wav", QUIET, voice(4.0), QUIET)
    report = run(library, sound, weights)
    assert report.failures == ()
    (line,) = library.words.lines(report.indexed[0].video_id)
    assert (line.text, line.source, line.language) == (SAID, "speech", "en")
    # The voice begins at 4 s; the detector takes a little of the quiet with it.
    assert line.span.start_s == pytest.approx(4.0, abs=0.6)
    assert line.span.duration_s == pytest.approx(SAID_S, abs=0.05)
    assert report.words[0].tracks == ("speech (tiny-whisper)",)
    assert not run(library, sound, weights).words[0].changed


@pytest.mark.slow
@pytest.mark.parametrize("pitch_hz", [0, 440])
def test_silence_and_tones_say_nothing_and_load_no_weights(
    library: Library, tmp_path: Path, weights: Path, pitch_hz: int
) -> None:
    times = np.arange(5 * RATE_HZ) / RATE_HZ
    tone = (0.3 * np.sin(2 * np.pi * pitch_hz * times)).astype(np.float32)
    (weights / "model.bin").rename(weights / "hidden")
    (weights / "model.bin").touch()
    try:
        failure = run(library, write_sound(tmp_path / "quiet.wav", tone), weights).failures[0]
    finally:
        (weights / "hidden").replace(weights / "model.bin")
    assert failure.message.endswith("has no pictures, and no words are heard in it")


@pytest.mark.slow
def test_a_film_without_sound_keeps_its_pictures(
    library: Library, tmp_path: Path, weights: Path
) -> None:
    report = run(library, render_scenes(tmp_path).path, weights)
    assert (len(report.indexed), report.words[0].counts, lines(library)) == (1, {}, [])


@pytest.mark.slow
def test_weights_that_are_damaged_are_one_error(
    library: Library, tmp_path: Path, weights: Path
) -> None:
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    for name in ("config.json", "tokenizer.json", "vocabulary.json"):
        (damaged / name).write_bytes((weights / name).read_bytes())
    (damaged / "model.bin").write_bytes((weights / "model.bin").read_bytes()[:1000])
    sound = write_sound(tmp_path / "talk.wav", voice(4.0))
    with pytest.raises(ModelError, match=f"the Whisper weights {damaged} cannot be had"):
        run(library, sound, damaged)
    assert library.videos() == []


def test_a_folder_without_a_tokenizer_is_refused_at_once(tmp_path: Path, weights: Path) -> None:
    (tmp_path / "model.bin").touch()
    with pytest.raises(ModelError, match=r"holds no Whisper weights .*tokenizer\.json"):
        WhisperTranscriber(str(tmp_path))


def test_a_name_that_is_no_model_lists_the_known(weights: Path) -> None:
    with pytest.raises(ModelError, match=r'"smal" is no Whisper model .*small'):
        WhisperTranscriber("smal")
