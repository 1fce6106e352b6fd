"""Answers by lane, with the fakes for models."""

from __future__ import annotations

from pathlib import Path

from agent.backends.scripted import ScriptedVideoLLM
from agent.presets import demo_settings
from evals.word_answers import measure_answers
from evals.word_lanes import index_with_words, make_films
from index.encoder_hash import HashEncoder
from index.library import Library
from tests.agent.conftest import models_with


def test_a_line_answers_by_words_and_by_both_and_not_by_pictures(tmp_path: Path) -> None:
    films = make_films(
        tmp_path, n_films=1, minutes=1, seed=1, progress=lambda film, done, total: None
    )
    library = Library.open(tmp_path / "library")
    encoder = HashEncoder()
    index_with_words(
        library, films, encoder=encoder, screen_text=False, progress=lambda event: None
    )
    told: list[tuple[int, int]] = []
    rows = measure_answers(
        library,
        films,
        models=models_with(ScriptedVideoLLM()),
        settings=demo_settings(),
        n_each=2,
        tell=lambda done, total: told.append((done, total)),
    )
    by_lane = {row.lane: row for row in rows if row.needs == "words"}
    n = by_lane["both"].n
    assert n > 0
    assert by_lane["words"].n_right == by_lane["both"].n_right == (n,)
    assert told[-1][0] == told[-1][1] == sum(row.n for row in rows if row.lane == "both")
