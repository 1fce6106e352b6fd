"""Indexing: files in, a library out.

Each film is decoded once; that pass feeds the vectors, the strip and the picture changes from
which shots are found. It is saved in parts: a run that is killed goes on behind the last saved
part and ends with the library that an unbroken run would have made, bit for bit.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from index.disk import is_full, telling_when_full
from index.encoder import Encoder
from index.errors import LibraryError, LongshotError, MediaError, ModelError
from index.film import FilmFile, FilmIndexer, IndexSettings, Progress, ProgressEvent
from index.library import Library
from index.lock import writer_lock
from index.media import content_hash
from index.store import StoredFile
from index.types import Video
from index.words_build import AUDIO_ENDINGS, FilmWords, WordReader, audio_facts, no_words
from index.words_subtitles import sidecars_of

__all__ = [
    "VIDEO_ENDINGS",
    "BuildReport",
    "Failure",
    "FilmWords",
    "IndexSettings",
    "Progress",
    "ProgressEvent",
    "build",
    "video_files",
]

_log = logging.getLogger(__name__)

VIDEO_ENDINGS = (
    *(".3g2", ".3gp", ".asf", ".avi", ".f4v", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4"),
    *(".mpeg", ".mpg", ".mts", ".mxf", ".ogv", ".ps", ".ts", ".vob", ".webm", ".wmv"),
)


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that was refused, and why."""

    path: Path
    message: str
    """One line."""
    hint: str


@dataclass(frozen=True, slots=True)
class Copy:
    """A file with the content of another one."""

    path: Path
    video: Video
    """The film, which stands in the library under the other file's path."""


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a run of `build` did, file by file."""

    indexed: tuple[Video, ...]
    unchanged: tuple[Video, ...]
    """Films that were in the library already, whether at this path or (moved) at another."""
    copies: tuple[Copy, ...]
    """Files that hold what another file holds: one film, not two."""
    failures: tuple[Failure, ...]
    seconds: float
    words: tuple[FilmWords, ...] = ()
    """Of every film, indexed and unchanged ones."""


def build(
    library: Library,
    paths: Sequence[Path],
    *,
    encoder: Encoder,
    settings: IndexSettings | None = None,
    progress: Progress,
) -> BuildReport:
    """Index files and folders into a library.

    Raises:
        LibraryError: the library belongs to another encoder (and `settings.rebuild` is not set),
            another process is writing to it, or the disk is full. One bad film raises nothing.
        ModelError: speech is wanted, and cannot be heard with what is there.
    """
    started_s = time.monotonic()
    settings = settings or IndexSettings()
    with writer_lock(library.folder), telling_when_full(library.folder):
        files, failures = video_files(paths, hears=settings.words.speech != "off")
        files = _adopt_encoder(library, encoder, files, settings=settings)
        run = _Run(library, encoder, settings, progress)
        index_run_id = library.store.index_runs.begin(encoder=encoder.identity.name)
        for film_index, path in enumerate(files):
            failures += run.take(path, film_index=film_index, n_films=len(files))
        library.store.index_runs.finish(
            index_run_id,
            n_indexed=len(run.indexed),
            n_unchanged=len(run.unchanged),
            n_failed=len(failures),
            film_s=run.film_s,
            film_took_s=run.took_s,
        )
        library.vector_index(locked=True)
    return BuildReport(
        indexed=tuple(run.indexed.values()),
        unchanged=tuple(run.unchanged.values()),
        copies=tuple(run.copies),
        failures=tuple(failures),
        seconds=time.monotonic() - started_s,
        words=tuple(run.words.values()),
    )


def video_files(paths: Sequence[Path], *, hears: bool = False) -> tuple[list[Path], list[Failure]]:
    """Files to index, each once, and paths that lead to none.

    A folder gives the files below it whose names end like a video's; a file named is always taken.
    A file of sound in a folder is one where its words can be had: speech is heard (`hears`), or
    subtitles lie beside it.
    """
    files: dict[Path, None] = {}
    failures: list[Failure] = []
    for path in paths:
        path = path.expanduser().absolute()
        if path.is_dir():
            found = sorted(_below(path, hears=hears))
            files.update(dict.fromkeys(found))
            if not found:
                failures.append(Failure(path, f"{path} holds no video files", "name a film"))
        else:
            files[path] = None
    return list(files), failures


def _below(folder: Path, *, hears: bool) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if path.suffix.lower() not in (*VIDEO_ENDINGS, *AUDIO_ENDINGS) or not path.is_file():
            continue
        if path.suffix.lower() in VIDEO_ENDINGS or hears or sidecars_of(path):
            yield path


def _adopt_encoder(
    library: Library, encoder: Encoder, files: list[Path], *, settings: IndexSettings
) -> list[Path]:
    """Make the encoder the library's own; with `rebuild`, other vectors are dropped first.

    Returns the files to index: after a change of encoder all films of the library are among them.
    """
    known = library.encoder_identity()
    if known == encoder.identity:
        return files
    if known is not None:
        others = [video.path for video in library.videos()]
        # A library in which no film is finished belongs to no encoder yet.
        if others and not settings.rebuild:
            library.check_encoder(encoder.identity)
        library.store.restart_all()
        files = list(dict.fromkeys([*files, *others]))
    library.set_encoder_identity(encoder.identity)
    return files


class _Run:
    """One run over many files; keeps what became of each."""

    def __init__(
        self, library: Library, encoder: Encoder, settings: IndexSettings, progress: Progress
    ) -> None:
        self._library, self._settings, self._progress = library, settings, progress
        self._films = FilmIndexer(library, encoder, settings=settings, progress=progress)
        self.film_s = self.took_s = 0.0
        """Seconds of film that were read, and what they took."""
        self._reader = WordReader(library, settings.words)
        self.indexed: dict[int, Video] = {}
        self.unchanged: dict[int, Video] = {}
        self.words: dict[int, FilmWords] = {}
        self.copies: list[Copy] = []

    def take(self, path: Path, *, film_index: int, n_films: int) -> list[Failure]:
        """Index one file, or say why not.

        Raises:
            LibraryError, ModelError: no film can be indexed any more.
        """
        began_s, read_before_s = time.monotonic(), self._films.read_s
        try:
            video = self._film(path, film_index=film_index, n_films=n_films)
            if video.path != path:
                self.copies.append(Copy(path, video))
            self._read_words(video, film_index=film_index, n_films=n_films)
            if self._films.read_s > read_before_s:
                self.film_s += self._films.read_s - read_before_s
                self.took_s += time.monotonic() - began_s
        except (LibraryError, ModelError):
            raise
        except LongshotError as error:
            return [Failure(path, error.message, error.hint)]
        except Exception as error:
            if is_full(error):
                raise
            _log.exception("indexing %s failed", path)
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            return [Failure(path, f"{path} failed: {reason}", "please report this")]
        return []

    def _film(self, path: Path, *, film_index: int, n_films: int) -> Video:
        store = self._library.store
        known = store.file(path)
        if known is not None and not self._settings.rebuild and known.is_unchanged():
            video = store.video(known.video_id)
            if video is not None:
                if not video.path.exists():
                    store.relink(video.video_id, path)
                self._films.add_table(video, path)
                self.unchanged[video.video_id] = self._ready(video.video_id)
                return self.unchanged[video.video_id]
        self._progress(ProgressEvent("read", path, film_index, n_films, done=0, total=1))
        file = _identify(path, film_index=film_index, n_films=n_films)
        if known is not None:
            self._content_left(known, file)
        video = self._is_there(file)
        if video is None:
            sound = audio_facts(path)
            if sound is not None:
                video = self._ready(self._films.index_sound(file, sound))
            else:
                video = self._ready(self._films.index(file))
            self.indexed[video.video_id] = video
        return video

    def _read_words(self, video: Video, *, film_index: int, n_films: int) -> None:
        """The film's words; a file of sound that has none leaves the library again.

        Raises:
            MediaError: it has neither pictures nor words.
            ModelError: the weights for speech cannot be loaded.
        """

        def tell(stage: str, done: float, total: float) -> None:
            n = max(1, round(total))
            event = ProgressEvent(
                stage, video.path, film_index, n_films, done=min(n, round(done)), total=n
            )
            self._progress(event)

        try:
            self.words[video.video_id] = self._reader.read(
                video, again=self._settings.rebuild, progress=tell
            )
        finally:
            is_empty = not video.has_pictures and not self._library.words.counts(video.video_id)
            if is_empty:
                for kept in (self.indexed, self.unchanged, self.words):
                    kept.pop(video.video_id, None)
                self._library.store.remove_video(video.video_id)
        if is_empty:
            raise no_words(video.path, hears=self._reader.hears)

    def _ready(self, video_id: int) -> Video:
        video = self._library.store.video(video_id)
        assert video is not None, f"film {video_id} was just indexed"
        return video

    def _content_left(self, known: StoredFile, file: FilmFile) -> None:
        """Other content stands at this path now: what stood there before may be nowhere."""
        store = self._library.store
        before = store.video(known.video_id)
        if before is None or before.content_hash == file.content_hash:
            return
        store.forget_file(known.path)
        others = [each for each in store.files() if each.video_id == before.video_id]
        still = next((each.path for each in others if each.is_unchanged()), None)
        if still is None:
            store.set_state(before.video_id, "replaced")
        else:
            store.relink(before.video_id, still)

    def _is_there(self, file: FilmFile) -> Video | None:
        """The film of this content, if it is indexed already; its path is brought up to date."""
        store = self._library.store
        known = store.state_of(file.content_hash)
        if known is None or known.state == "partial":
            return None
        video_id = known.video.video_id
        if video_id in self.indexed:
            store.remember_file(file.stored(video_id))
            return self._ready(video_id)
        if self._settings.rebuild:
            return None
        recorded = store.file(known.video.path)
        moved = recorded is None or not recorded.is_unchanged()
        if known.state == "replaced":
            store.set_state(video_id, "ready", path=file.path)
        elif moved:
            store.relink(video_id, file.path)
        store.remember_file(file.stored(video_id))
        self.unchanged[video_id] = self._ready(video_id)
        return self.unchanged[video_id]


def _identify(path: Path, *, film_index: int, n_films: int) -> FilmFile:
    if not path.exists():
        raise MediaError(f"{path} does not exist", "check the path")
    status = path.stat()
    return FilmFile(
        path=path,
        content_hash=content_hash(path),
        size_bytes=status.st_size,
        changed_ns=status.st_mtime_ns,
        film_index=film_index,
        n_films=n_films,
    )
