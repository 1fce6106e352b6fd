"""What a batch will likely cost, on the command line."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.web.batches.conftest import Longshot
from tests.web.batches.test_batches import row, write


def test_a_dry_run_goes_by_earlier_runs_of_the_same_model_of_the_same_server(
    indexed: Longshot, films: Path, tmp_path: Path, seeing: str
) -> None:
    asked = write(tmp_path / "q.jsonl", row("a", "one"))
    indexed("batch", asked, "-o", tmp_path / "o.jsonl", "--videos", films, models=seeing)
    with closing(sqlite3.connect(tmp_path / "library" / "library.db")) as database, database:
        names = json.dumps({"videollm": "openai:m at 127.0.0.1:9"})
        database.execute("update runs set models = json_patch(models, ?)", [names])

    def n_runs(url: str) -> int:
        words = ["batch", asked, "-o", tmp_path / "new.jsonl", "--dry-run", "--json"]
        done = indexed(*words, "--encoder", "hash", "--base-url", url, models="openai:m")
        assert (done.json["likely"] is None) == (done.json["n_runs"] == 0)
        return int(done.json["n_runs"])

    assert n_runs("http://127.0.0.1:9/v1") == 1
    assert n_runs("http://127.0.0.1:10/v1") == 0


def test_a_dry_run_says_the_cost_and_leaves_nothing_behind(
    longshot: Longshot, films: Path, tmp_path: Path
) -> None:
    asked = write(tmp_path / "q.jsonl", row("a", "one"), row("b", "gone"), row("c", None))
    out = tmp_path / "o.jsonl"
    words = ["batch", asked, "-o", out, "--videos", films, "--dry-run", "--budget", "tokens=1000"]
    done = longshot(*words, "--json", models="/no/such/model")
    assert done.code == 0
    cost = done.json
    assert (cost["n_questions"], cost["n_library_wide"], cost["to_index_s"]) == (3, 1, 40.0)
    # The question of the library is put to both films.
    assert cost["most"]["visual_tokens"] == 4000
    assert (cost["is_speed_measured"], cost["indexing_s"] > 0) == (False, True)
    assert cost["likely"] is None
    assert cost["problems"] == [
        'no film "gone" in the library (the library is empty: index a film first)'
    ]
    assert not (tmp_path / "library").exists()
    assert not out.exists()
    shown = longshot(*words, models="/no/such/model").out
    assert "at most    4,000 visual tokens" in shown
    assert "(assumed, for one processor core: this library has indexed no film yet)" in shown
