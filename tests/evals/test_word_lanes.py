"""The table of searches by lane."""

from __future__ import annotations

from pathlib import Path

from evals.word_lanes import LaneRow, index_with_words, make_films, measure_lanes, table_of
from index.encoder_hash import HashEncoder
from index.library import Library


def test_words_are_found_by_words_and_by_both(tmp_path: Path) -> None:
    films = make_films(
        tmp_path, n_films=1, minutes=1, seed=1, progress=lambda film, done, total: None
    )
    library = Library.open(tmp_path / "library")
    encoder = HashEncoder()
    index_with_words(
        library, films, encoder=encoder, screen_text=False, progress=lambda event: None
    )
    rows = measure_lanes(library, films, encoder=encoder, n_each=4, tell=lambda done, total: None)
    by_lane = {row.lane: row for row in rows if row.needs == "words"}
    assert by_lane["words"].n_right == by_lane["both"].n_right == (by_lane["words"].n,) * 2


def test_the_table_has_a_row_for_each_need() -> None:
    rows = [
        LaneRow("words", lane, 4, (n, 4)) for lane, n in (("picture", 1), ("words", 3), ("both", 4))
    ]  # type: ignore[arg-type]
    assert (
        table_of(rows).splitlines()[-1] == "| words | 4 | 0.25 / 1.00 | 0.75 / 1.00 | 1.00 / 1.00 |"
    )
