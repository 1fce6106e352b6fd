"""Reading the words of films: which sources there are, which changed, what came of it.

Every source is read again only when it changed: a film that was indexed long ago gets the words of
a subtitle file that appeared beside it yesterday, and nothing is decoded for that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import av

from index.errors import MediaError
from index.library import Library
from index.types import Video, VideoFacts
from index.words import Track, WordSettings
from index.words_embedded import embedded_tracks
from index.words_screen import NAME, screen_stamp, screen_track
from index.words_speech import Transcriber, has_sound, open_transcriber, speech_track
from index.words_subtitles import read_sidecar, sidecars_of, stamp_of

_OWN = "own/1"
"""Stamp of tracks inside the film's file: with the same content they are the same."""
_NO_OWN = "tracks inside the film"

AUDIO_ENDINGS = (".aac", ".flac", ".m4a", ".m4b", ".mp3", ".oga", ".ogg", ".opus", ".wav", ".wma")

Progress = Callable[[str, float, float], None]
"""Is told the stage ("screen", "speech"), how much is done, and of how much."""


@dataclass(frozen=True, slots=True)
class FilmWords:
    """The words of one film after a run of `index`."""

    video: Video
    counts: dict[str, int]
    """Lines by source, duplicates merged."""
    tracks: tuple[str, ...]
    """Names of the tracks that gave lines."""
    problems: tuple[str, ...]
    changed: bool
    """Whether this run read anything."""


class WordReader:
    """Reads the words of films into a library that the caller holds for writing."""

    def __init__(self, library: Library, settings: WordSettings) -> None:
        """Opens what hears speech, so that what is missing is known before any film is read.

        Raises:
            ModelError: speech is wanted, and its package or weights are not there.
        """
        self._library, self._settings = library, settings
        self._transcriber: Transcriber | None = None
        if settings.speech != "off":
            self._transcriber = open_transcriber(settings.speech)

    @property
    def hears(self) -> bool:
        return self._transcriber is not None

    def read(self, video: Video, *, again: bool, progress: Progress) -> FilmWords:
        """Bring a film's words up to date.

        Args:
            again: read every source, changed or not.

        Raises:
            ModelError: the weights for speech cannot be loaded.
        """
        store = self._library.store.words
        before = {} if again else store.stamps(video.video_id)
        tracks = self._subtitles(video, before)
        end_s = video.facts.duration_s
        screen = self._settings.screen_text and video.has_pictures
        if screen and before.get(("screen", NAME)) != screen_stamp(self._settings.screen_every_s):
            tracks.append(self._screen(video, progress))
        # A source that is switched off now keeps what it gave; one of other settings is replaced.
        tracks += self._speech(video, before, progress)
        gone = [key for key in before if _is_gone(key, video, before[key])]
        gone += [
            key
            for key in before
            if key[0] == "speech" and any(t.source == "speech" and t.name != key[1] for t in tracks)
        ]
        if again:
            gone += list(store.stamps(video.video_id))
        if tracks or gone:
            store.save(video.video_id, tracks, gone=gone, end_s=end_s)
        kept = store.tracks(video.video_id)
        return FilmWords(
            video=video,
            counts=store.counts(video.video_id),
            tracks=tuple(track.name for track in kept if track.lines),
            problems=tuple(p for track in kept for p in (*track.problems, *_late(track, end_s))),
            changed=bool(tracks or gone),
        )

    def _subtitles(self, video: Video, before: dict[tuple[str, str], str]) -> list[Track]:
        tracks: list[Track] = []
        for path in sidecars_of(video.path):
            if before.get(("subtitles", path.name)) != stamp_of(path):
                tracks.append(read_sidecar(path, film=video.path))
        if _OWN not in before.values():
            own = embedded_tracks(video.path, start_s=video.facts.container_start_s)
            tracks += [_stamped(track) for track in own] or [
                Track(_NO_OWN, "subtitles", "", _OWN, ())
            ]
        return tracks

    def _screen(self, video: Video, progress: Progress) -> Track:
        library = self._library
        return screen_track(
            video.path,
            shots=library.shots(video.video_id),
            strip=lambda times_s: library.strip(video.video_id, times_s),
            every_s=self._settings.screen_every_s,
            progress=lambda done, total: progress("screen", done, total),
        )

    def _speech(
        self, video: Video, before: dict[tuple[str, str], str], progress: Progress
    ) -> list[Track]:
        transcriber, language = self._transcriber, self._settings.speech_language
        if transcriber is None or not has_sound(video.path):
            return []
        stamp = f"{transcriber.name}/{language}"
        if before.get(("speech", f"speech ({transcriber.name})")) == stamp:
            return []
        end_s = video.facts.duration_s
        return [
            speech_track(
                video.path,
                transcriber,
                start_s=video.facts.container_start_s,
                language=language,
                progress=lambda done_s: progress("speech", min(done_s, end_s), end_s),
            )
        ]


def audio_facts(path: Path) -> VideoFacts | None:
    """The facts of a file that has sound and no moving picture; None for any other file."""
    try:
        with av.open(str(path), metadata_errors="ignore") as container:
            moving = [
                stream
                for stream in container.streams.video
                if not stream.disposition & av.stream.Disposition.attached_pic
            ]
            if moving or not container.streams.audio:
                return None
            stream = container.streams.audio[0]
            start_s = (container.start_time or 0) / av.time_base
            end_s = 0.0
            for packet in container.demux(stream):
                if packet.pts is not None:
                    last = packet.pts + (packet.duration or 0)
                    end_s = max(end_s, float(last * packet.time_base) - start_s)
    except (av.error.FFmpegError, OSError):
        return None
    if end_s <= 0:
        return None
    return VideoFacts(
        duration_s=end_s,
        container_start_s=start_s,
        width_px=0,
        height_px=0,
        n_frames=0,
        fps=0.0,
        codec=str(stream.codec_context.name),
        rotation_degrees=0,
        has_audio=True,
        notes=("no pictures: only its words can be searched",),
    )


def no_words(path: Path, *, hears: bool) -> MediaError:
    """Why a file without pictures cannot be indexed."""
    if hears:
        return MediaError(f"{path} has no pictures, and no words are heard in it")
    return MediaError(
        f"{path} has no pictures, and nothing says what is spoken in it",
        "turn speech on (--speech small), or put subtitles beside it",
    )


def _stamped(track: Track) -> Track:
    return Track(track.name, track.source, track.language, _OWN, track.lines, track.problems)


def _is_gone(key: tuple[str, str], video: Video, stamp: str) -> bool:
    """Whether a subtitle file that was read is not beside the film any more."""
    if key[0] != "subtitles" or stamp == _OWN:
        return False
    return key[1] not in {path.name for path in sidecars_of(video.path)}


def _late(track: Track, end_s: float) -> list[str]:
    n = sum(line.span.start_s >= end_s for line in track.lines)
    return [f"{track.name}: {n} lines come after the film's end"] if n else []
