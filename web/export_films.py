"""Finding the film behind a run, a hit or a name, also where it was moved since."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from index.errors import InputError, LibraryError, MediaError
from index.library import Library
from index.media import content_hash as hash_of
from index.types import Video


class FilmFinder:
    """Finds files; opens the library only where a path alone does not lead to one."""

    def __init__(self, library: Callable[[], Library]) -> None:
        self._library = library

    def __call__(
        self, *, path: str = "", video_id: int | None = None, content_hash: str = ""
    ) -> Path:
        """The film's file; see `tools.export.sources.FindFilm`."""
        if content_hash:
            return self._with_content(path, content_hash)
        if path and Path(path).expanduser().is_file():
            return Path(path).expanduser().absolute()
        video = self._known(path, video_id)
        if video is None:
            raise MediaError(
                f"{path or 'a film without a path'} does not exist", "was the film moved?"
            )
        return _where(video)

    def named(self, reference: str) -> Path:
        """The film that a person names: a path, or whatever else `Library.find` takes."""
        path = Path(reference).expanduser()
        if path.is_dir():
            raise InputError(f"{reference} is a folder", "name one film of it")
        return path.absolute() if path.exists() else _where(self._library().find(reference))

    def _with_content(self, path: str, content_hash: str) -> Path:
        videos = self._library().videos()
        video = next((each for each in videos if each.content_hash == content_hash), None)
        if video is not None:
            return _unchanged(self._library(), video)
        # Taken out of the library since: only the content tells whether this is still the film.
        found = Path(path)
        if not found.is_file() or hash_of(found) != content_hash:
            raise MediaError(
                f"{path} is no longer the film of this run", "index it again where it is now"
            )
        return found

    def _known(self, path: str, video_id: int | None) -> Video | None:
        """A film of the library that was moved and found again since the record was made."""
        if video_id is None:
            return None
        try:
            videos = self._library().videos()
        except LibraryError:
            return None
        # A number alone may be of another library.
        name = Path(path).name
        same = (each for each in videos if each.video_id == video_id)
        return next((each for each in same if not path or each.path.name == name), None)


def _unchanged(library: Library, video: Video) -> Path:
    path = _where(video)
    # Says so where the file has changed since it was indexed.
    library.find(str(path))
    return path


def _where(video: Video) -> Path:
    if not video.path.is_file():
        raise MediaError(
            f"{video.path} does not exist", "if the film was moved, index it where it is now"
        )
    return video.path
