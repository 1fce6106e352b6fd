"""Cuts as films: a clip of each, one reel of all, or the whole film with chapters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from index.errors import InputError
from index.times import format_time
from index.types import Span
from tools.export.chapters import chapters_of
from tools.export.cuts import Cut, films_of
from tools.export.encode import encode_film
from tools.export.files import check_targets, safe_name, write_file
from tools.export.stream_copy import container_for, copied_span, copy_clip, copy_with_chapters

CUTS = ("exact", "copy")
"""How a clip is cut: encoded again, or packets copied from a keyframe on."""
_SUFFIXES = {"mp4": ".mp4", "matroska": ".mkv"}
_CONTAINERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
FILM_SUFFIXES = tuple(_CONTAINERS)

Progress = Callable[[str, float, float], None]
"""What is being written, seconds done, of so many."""


@dataclass(frozen=True, slots=True)
class Written:
    """A film that was written."""

    path: Path
    source: Path | None
    """The film it is cut from; None for a reel."""
    span: Span | None
    """The film's time that it holds; None for a reel."""
    how: str
    """"encoded" or "copied"."""
    notes: tuple[str, ...] = ()


def write_clips(
    cuts: Sequence[Cut], folder: Path, *, how: str, force: bool, progress: Progress
) -> list[Written]:
    """A film of each cut, numbered in their order.

    Args:
        how: one of `CUTS`.

    Raises:
        InputError: a clip is there already, or the disk is full.
        MediaError: a film cannot be decoded, or not be copied.
    """
    if how not in CUTS:
        raise InputError(f'"{how}" is no way to cut', f"choose one of: {', '.join(CUTS)}")
    containers = {
        film.path: "mp4" if how == "exact" else container_for(film) for film in films_of(cuts)
    }
    targets = [
        folder / _clip_name(cut, number, _SUFFIXES[containers[cut.film.path]])
        for number, cut in enumerate(cuts, 1)
    ]
    check_targets(targets, films=[film.path for film in films_of(cuts)], force=force)
    written = []
    for number, (cut, target) in enumerate(zip(cuts, targets, strict=True), 1):
        label = f"{number}/{len(cuts)} {target.name}"
        container = containers[cut.film.path]

        def tell(done_s: float, total_s: float, label: str = label) -> None:
            progress(label, done_s, total_s)

        if how == "exact":
            _encode([cut], target, container=container, title=cut.title, tell=tell)
            written.append(Written(target, cut.film.path, cut.span, "encoded"))
        else:
            written.append(_copied(cut, target, container=container, tell=tell))
    return written


def write_reel(
    cuts: Sequence[Cut], target: Path, *, title: str, force: bool, progress: Progress
) -> Written:
    """One film of all cuts, encoded again, with a chapter for each.

    Raises:
        InputError: the file is there already or is no mp4, mov or mkv, or the disk is full.
        MediaError: a film cannot be decoded.
    """
    container = film_container(target)
    check_targets([target], films=[film.path for film in films_of(cuts)], force=force)
    _encode(
        cuts,
        target,
        container=container,
        title=title,
        tell=lambda done_s, total_s: progress(target.name, done_s, total_s),
    )
    return Written(target, None, None, "encoded", tuple(_fitted(cuts)))


def write_chaptered(
    cuts: Sequence[Cut], target: Path, *, force: bool, progress: Progress
) -> Written:
    """The whole film of the cuts, copied, with the cuts as its chapters.

    Raises:
        InputError: the file is there already or is no mp4, mov or mkv, or the disk is full.
        MediaError: the film cannot be copied into that container.
    """
    container = film_container(target)
    film = cuts[0].film
    check_targets([target], films=[film.path], force=force)
    write_file(
        target,
        lambda path: copy_with_chapters(
            film,
            chapters_of(cuts),
            path,
            container=container,
            progress=lambda done_s, total_s: progress(target.name, done_s, total_s),
        ),
    )
    return Written(target, film.path, Span(0.0, film.facts.duration_s), "copied")


def film_container(target: Path) -> str:
    """The container that a file's name asks for.

    Raises:
        InputError: none that is written here.
    """
    container = _CONTAINERS.get(target.suffix.lower())
    if container is None:
        raise InputError(
            f"{target} names no film", f"let it end with one of: {', '.join(FILM_SUFFIXES)}"
        )
    return container


def _encode(
    cuts: Sequence[Cut],
    target: Path,
    *,
    container: str,
    title: str,
    tell: Callable[[float, float], None],
) -> None:
    write_file(
        target,
        lambda path: encode_film(cuts, path, container=container, title=title, progress=tell),
    )


def _copied(
    cut: Cut, target: Path, *, container: str, tell: Callable[[float, float], None]
) -> Written:
    span = copied_span(cut)
    write_file(target, lambda path: copy_clip(cut, path, container=container, progress=tell))
    before_s = cut.span.start_s - span.start_s
    notes = [f"begins {before_s:.3f} s early, on a keyframe"] if before_s > 0 else []
    if container == "matroska":
        notes.append("an mkv: players do not take its codecs in an mp4")
    return Written(target, cut.film.path, span, "copied", tuple(notes))


def _fitted(cuts: Sequence[Cut]) -> list[str]:
    first, *others = films_of(cuts)
    size = (first.facts.width_px, first.facts.height_px)
    fitted = [film for film in others if (film.facts.width_px, film.facts.height_px) != size]
    if not fitted:
        return []
    return [f"{len(fitted)} films are fitted into {size[0]}×{size[1]}, the size of {first.name}"]


def _clip_name(cut: Cut, number: int, suffix: str) -> str:
    at = format_time(cut.span.start_s).replace(":", ".")
    return f"{number:03d} {safe_name(cut.film.path.stem)} {at}{suffix}"
