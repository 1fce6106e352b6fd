"""Selections alone, measured on a rendered film."""

from __future__ import annotations

import pytest

from evals.asking import EvalEvent
from evals.selection.named import SELECTIONS
from evals.selection_run import SelectionReport, select_all
from index.errors import InputError
from tests.evals.conftest import Bench


def select(bench: Bench, *names: str, budgets: tuple[int, ...] = (300,)) -> SelectionReport:
    events: list[EvalEvent] = []
    report = select_all(
        [bench.film],
        bench.items,
        strategies=names,
        encoder=bench.models.encoder,
        library=bench.library,
        settings=bench.settings,
        budgets=budgets,
        minutes=1.0,
        progress=events.append,
    )
    assert [e.done for e in events] == list(range(1, len(events) + 1))
    return report


def test_every_selection_is_measured_without_asking_the_model(bench: Bench) -> None:
    report = select(bench, *SELECTIONS)
    assert [row["strategy"] for row in report.rows] == list(SELECTIONS)
    assert bench.videollm.calls == []
    n_present = sum(not item.is_absent for item in bench.items)
    for row in report.rows:
        assert row["n"] == n_present
        assert row["visual_tokens"] <= 300
        assert row["recall_1s"] <= row["recall_2s"] <= row["recall_4s"] <= row["recall_8s"]


def test_a_film_that_is_shown_whole_shows_all_evidence(bench: Bench) -> None:
    # 60 seconds are 60 moments of 15 tokens.
    (row,) = select(bench, "uniform", budgets=(900,)).rows
    assert (row["recall_1s"], row["all_within_1s"]) == (1.0, 1.0)
    assert row["frames"] == 120


def test_the_table_has_a_line_a_strategy_and_budget(bench: Bench) -> None:
    report = select(bench, "uniform", "topk", budgets=(150, 300))
    lines = [line.split()[:2] for line in report.table().splitlines()]
    assert lines[0] == ["strategy", "budget"]
    assert lines[1:] == [["uniform", "150"], ["topk", "150"], ["uniform", "300"], ["topk", "300"]]


def test_what_selects_nothing_is_named(bench: Bench) -> None:
    with pytest.raises(InputError, match=r"oracle.*spotlight, uniform"):
        select(bench, "oracle")
