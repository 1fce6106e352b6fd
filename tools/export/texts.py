"""Text formats as files: one file, or in a folder one for each film."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tools.export.clips import Written
from tools.export.cuts import Cut, films_of
from tools.export.files import check_targets, safe_name, write_text
from tools.export.formats import FORMATS, text_of


def write_texts(
    name: str, cuts: Sequence[Cut], output: Path, *, title: str, start_code: str, force: bool
) -> list[Written]:
    """Write a text format to a file, or one file for each film into a folder.

    All texts are made before the first is written.

    Raises:
        InputError: the format cannot hold these cuts, a file is there already, the disk is full.
    """
    films = films_of(cuts)
    if output.is_dir() or not output.suffix:
        parts = {
            output / _name(number, film.path.stem, FORMATS[name].suffix, len(films)): [
                cut for cut in cuts if cut.film is film
            ]
            for number, film in enumerate(films, 1)
        }
    else:
        parts = {output: list(cuts)}
    texts = {
        path: text_of(name, part, title=title, start_code=start_code)
        for path, part in parts.items()
    }
    check_targets(list(texts), films=[film.path for film in films], force=force)
    for path, text in texts.items():
        write_text(path, text)
    return [
        Written(path, part[0].film.path if len(films_of(part)) == 1 else None, None, "written")
        for path, part in parts.items()
    ]


def _name(number: int, stem: str, suffix: str, n_films: int) -> str:
    # Two folders may hold films of one name.
    before = f"{number:03d} " if n_films > 1 else ""
    return f"{before}{safe_name(stem)}{suffix}"
