"""The film that a person means, indexed where it is not yet."""

from __future__ import annotations

import contextlib
from pathlib import Path

from index.build import VIDEO_ENDINGS, IndexSettings, Progress, build, video_files
from index.encoder import Encoder
from index.errors import InputError, LongshotError, MediaError, UnknownFilmError
from index.library import Library
from index.types import Video


def check_film(library: Library, film: str) -> None:
    """Passes where the name may lead to a film; cheap, so that no model is loaded for a slip.

    Raises:
        InputError: neither a file nor a film of the library.
    """
    path = Path(film).expanduser()
    if path.is_dir():
        raise InputError(f"{film} is a folder", "name one film of it")
    if path.exists():
        return
    try:
        library.find(film)
    except UnknownFilmError as error:
        message, hint = error.message, error.hint
        if path.suffix.lower() in VIDEO_ENDINGS or path.name != film:
            message = f"there is no file {film}, and no film of that name in the library"
            hint = f"check the path; {hint}" if library.videos() else "check the path"
        # As any other bad input: a batch records the kind of an error.
        raise InputError(message, hint) from error


def all_films(library: Library) -> list[Video]:
    """The films of the library; cheap, so that no model is loaded where there are none.

    Raises:
        InputError: there are none.
    """
    videos = library.videos()
    if not videos:
        raise InputError("the library is empty", "index films first: longshot index FOLDER")
    return videos


def with_pictures(video: Video) -> Video:
    """The film, where it has pictures to ask about.

    Raises:
        InputError: it is sound alone.
    """
    if not video.has_pictures:
        raise InputError(
            f"{video.path} has no pictures to ask about",
            "search its words: longshot search --lane words",
        )
    return video


def film_to_ask(
    library: Library, film: str, *, encoder: Encoder, settings: IndexSettings, progress: Progress
) -> Video:
    """A film of the library, or a file that is indexed first.

    A film that is there is found without taking the library for writing, so that questions can be
    asked while another film is being indexed.

    Args:
        film: a path, or whatever else `Library.find` takes.

    Raises:
        InputError: neither a file nor a film of the library, a folder, or sound alone.
        MediaError: the file cannot be indexed.
        LibraryError: the library belongs to another encoder, or another process writes to it.
    """
    check_film(library, film)
    path = Path(film).expanduser().absolute()
    if not path.exists():
        return with_pictures(library.find(film))
    try:
        found = library.find(str(path))
    except InputError:
        # New, moved or changed: indexing tells these apart by the file's content.
        report = build(library, [path], encoder=encoder, settings=settings, progress=progress)
        if report.failures:
            raise MediaError(report.failures[0].message, report.failures[0].hint) from None
        found = (*report.indexed, *report.unchanged)[0]
    return with_pictures(found)


def same_film(library: Library | None, name: str, *, folder: Path | None) -> str:
    """One text for all names of a film: the path of its file, links followed.

    A name that leads to no film stays as it is: asking will say what is wrong with it.

    Args:
        library: whose own names for films count too; None: paths alone.
    """
    with contextlib.suppress(LongshotError):
        name = named_film(name, folder=folder)
        path = Path(name).expanduser()
        if path.exists():
            return str(path.resolve())
        if library is not None:
            return str(library.find(name).path.resolve())
    return name


def named_film(name: str, *, folder: Path | None) -> str:
    """What a line of a batch calls a film, as `film_to_ask` takes it.

    Args:
        folder: where films lie: a path in it wins, then the only film below it of this file name,
            with or without its ending.

    Raises:
        InputError: several films below the folder have the name.
    """
    if folder is None:
        return name
    inside = folder / name
    if inside.is_file():
        return str(inside)
    found = [path for path in video_files([folder])[0] if name in (path.name, path.stem)]
    if len(found) > 1:
        shown = ", ".join(str(path) for path in found[:3])
        raise InputError(f'"{name}" is the name of {len(found)} films: {shown}', "give its path")
    return str(found[0]) if found else name
