"""Indexing brings words along: sidecars, embedded tracks, speech, pictures, and sound alone."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from index.build import BuildReport, IndexSettings, ProgressEvent, build
from index.encoder_hash import HashEncoder
from index.errors import InputError, ModelError
from index.library import Library
from index.words import WordSettings
from index.words_speech import open_transcriber

RATE_HZ = 16_000


def ignore(event: ProgressEvent) -> None:
    """Watches nothing."""


def run(library: Library, *paths: Path, rebuild: bool = False, **words: Any) -> BuildReport:
    settings = IndexSettings(rebuild=rebuild, words=WordSettings(**words))
    return build(library, paths, encoder=HashEncoder(), settings=settings, progress=ignore)


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library.open(tmp_path / "library")


def write_film(
    path: Path, *, seconds: int = 6, title: str = "", subtitles: str = "", start_s: float = 0.0
) -> Path:
    """A grey film, four frames a second; a title in its second half; an .srt put inside."""
    with av.open(str(path), "w") as out:
        video = out.add_stream("libx264", rate=4, options={"preset": "ultrafast"})
        video.width, video.height, video.pix_fmt = 320, 192, "yuv420p"
        for index in range(seconds * 4):
            picture = Image.new("RGB", (320, 192), (90, 90, 90))
            if title and index >= seconds * 2:
                picture = Image.new("RGB", (320, 192), (20, 30, 120))
                font = ImageFont.load_default(size=34)
                ImageDraw.Draw(picture).text((30, 70), title, font=font, fill="white")
            frame = av.VideoFrame.from_image(picture)
            frame.pts = index + round(start_s * 4)
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
    if subtitles:
        _put_inside(path, subtitles)
    return path


def _put_inside(path: Path, subtitles: str) -> None:
    """Copies a film into an .mkv with a text track."""
    srt, plain = path.with_name("inside.subrip"), path.with_name("plain.mp4")
    srt.write_text(subtitles)
    path.rename(plain)
    with (
        av.open(str(plain)) as film,
        av.open(str(srt), format="srt") as words,
        av.open(str(path), "w") as out,
    ):
        pairs = [(film, film.streams.video[0]), (words, words.streams.subtitles[0])]
        made = [out.add_stream_from_template(stream) for _, stream in pairs]
        for (source, stream), target in zip(pairs, made, strict=True):
            for packet in source.demux(stream):
                if packet.dts is not None:
                    packet.stream = target
                    out.mux(packet)


def write_sound(path: Path, *, loud_s: tuple[float, float] = (1.0, 3.0), seconds: int = 4) -> Path:
    """A tone between two times, digital silence around it."""
    times = np.arange(seconds * RATE_HZ) / RATE_HZ
    loud = (times >= loud_s[0]) & (times < loud_s[1])
    wave = (np.sin(2 * np.pi * 220 * times) * loud * 8000).astype(np.int16)[None, :]
    with av.open(str(path), "w") as out:
        stream = out.add_stream("pcm_s16le", rate=RATE_HZ, layout="mono")
        frame = av.AudioFrame.from_ndarray(wave, format="s16", layout="mono")
        frame.sample_rate = RATE_HZ
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def lines(library: Library, video_id: int = 1) -> list[tuple[float, str, str]]:
    return [
        (round(line.span.start_s, 2), line.source, line.text)
        for line in library.words.lines(video_id)
    ]


def test_a_sidecar_that_appears_changes_or_goes_is_followed(
    library: Library, tmp_path: Path
) -> None:
    film = write_film(tmp_path / "film.mp4")
    assert run(library, film).words[0].counts == {}
    sidecar = tmp_path / "film.en.srt"
    sidecar.write_text("1\n00:01,0 --> 00:02,0\nHello there.\n")
    report = run(library, film)
    assert (len(report.indexed), report.words[0].tracks) == (0, ("film.en.srt",))
    assert lines(library) == [(1.0, "subtitles", "Hello there.")]
    assert not run(library, film).words[0].changed
    sidecar.write_text("1\n00:02,0 --> 00:03,0\nGood evening.\n")
    run(library, film)
    assert lines(library) == [(2.0, "subtitles", "Good evening.")]
    sidecar.unlink()
    run(library, film)
    assert lines(library) == []


def test_embedded_subtitles_are_read_once_with_the_films_own_times(
    library: Library, tmp_path: Path
) -> None:
    text = "1\n00:00:01,500 --> 00:00:03,000\nFrom inside.\n"
    film = write_film(tmp_path / "film.mkv", subtitles=text)
    (tmp_path / "film.srt").write_text(text)
    assert run(library, film).words[0].counts == {"subtitles": 1}
    assert lines(library) == [(1.5, "subtitles", "From inside.")]
    assert not run(library, film).words[0].changed


def test_a_bad_sidecar_stops_nothing_and_is_named(library: Library, tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mp4")
    (tmp_path / "film.srt").write_text("1\nx --> y\nBad.\n")
    report = run(library, film)
    assert (len(report.indexed), report.failures) == (1, ())
    assert report.words[0].problems == ("film.srt: line 2: no time can be read in “x --> y”",)


def test_removing_a_film_removes_its_words(library: Library, tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mp4")
    (tmp_path / "film.srt").write_text("1\n00:01,0 --> 00:02,0\nHello.\n")
    run(library, film)
    library.remove(1)
    assert library.words.n_lines == 0


def test_sound_alone_is_indexed_by_its_words(library: Library, tmp_path: Path) -> None:
    sound = write_sound(tmp_path / "talk.wav")
    refused = run(library, sound).failures[0]
    assert "has no pictures, and nothing says what is spoken" in refused.message
    script = tmp_path / "script.json"
    script.write_text(json.dumps([[1.5, 2.5, "A tone."], [3.2, 3.9, "Silence says nothing."]]))
    report = run(library, sound, speech=f"scripted:{script}")
    assert report.failures == ()
    assert lines(library, report.indexed[0].video_id) == [(1.5, "speech", "A tone.")]
    with pytest.raises(InputError, match="has no pictures"):
        library.timeline(report.indexed[0].video_id)
    assert library.nearest(np.ones((1, 64), np.float32) / 8, limit=3) == [[]]


def test_a_folder_gives_sound_only_where_its_words_can_be_had(
    library: Library, tmp_path: Path
) -> None:
    folder = tmp_path / "films"
    folder.mkdir()
    write_sound(folder / "song.wav")
    write_sound(folder / "talk.wav", seconds=5)
    (folder / "talk.vtt").write_text("WEBVTT\n\n00:01.000 --> 00:02.000\nHello.\n")
    report = run(library, folder)
    assert [video.path.name for video in report.indexed] == ["talk.wav"]
    assert report.failures == ()


def test_speech_that_cannot_be_heard_is_said_before_any_film_is_read(
    library: Library, tmp_path: Path
) -> None:
    with pytest.raises(ModelError):
        run(library, write_film(tmp_path / "film.mp4"), speech=str(tmp_path / "no-weights"))
    assert library.videos() == []


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    # What the import system itself does for a package that is not there.
    monkeypatch.setitem(sys.modules, "faster_whisper", None)
    with pytest.raises(ModelError, match="--extra speech"):
        open_transcriber("small")


def test_what_speech_gave_is_kept_where_it_is_switched_off(
    library: Library, tmp_path: Path
) -> None:
    sound, script = write_sound(tmp_path / "talk.wav"), tmp_path / "script.json"
    script.write_text(json.dumps([[1.5, 2.5, "A tone."]]))
    run(library, sound, speech=f"scripted:{script}")
    assert run(library, sound).words[0].counts == {"speech": 1}


@pytest.mark.slow
def test_text_in_the_pictures_is_read_where_it_is_shown(library: Library, tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mp4", title="EXIT 42")
    report = run(library, film, screen_text=True)
    assert report.words[0].counts == {"screen": 1}
    assert lines(library) == [(3.0, "screen", "EXIT 42")]
