"""The report's picture and its section in a document."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from evals.plot import draw
from evals.report import curves, reach
from evals.results_file import section_body, with_section, write_section
from index.errors import InputError


def row(strategy: str, tokens: float, accuracy: float, *, budget: int | None) -> dict[str, Any]:
    return {
        "strategy": strategy,
        "budget": budget,
        "minutes": 60.0,
        "visual_tokens": tokens,
        "accuracy": accuracy,
        "low": accuracy - 0.1,
        "high": accuracy + 0.1,
    }


ROWS = [
    row("oracle", 100, 0.9, budget=None),
    row("spotlight", 1000, 0.6, budget=2000),
    row("uniform", 1000, 0.2, budget=2000),
    row("bolt", 1000, 0.5, budget=2000),
    row("spotlight", 3000, 0.8, budget=6000),
    row("uniform", 4000, 0.3, budget=6000),
    row("bolt", 4000, 0.7, budget=6000),
]


def test_a_curve_has_a_point_for_each_budget() -> None:
    ours = next(c for c in curves(ROWS) if c["strategy"] == "spotlight")
    assert [(p["budget"], p["visual_tokens"]) for p in ours["points"]] == [
        (2000, 1000),
        (6000, 3000),
    ]


def test_tokens_that_others_need_for_our_accuracy() -> None:
    # bolt goes from 0.5 at 1000 to 0.7 at 4000: 0.6 is at 2000, half of the way on a logarithm.
    low, high = reach(ROWS)
    assert low["others"] == {"uniform": None, "bolt": pytest.approx(2000)}
    assert high["others"] == {"uniform": None, "bolt": None}
    assert low["measured_to"] == {"uniform": 4000, "bolt": 4000}


def test_the_same_rows_give_the_same_picture(tmp_path: Path) -> None:
    draw(ROWS, tmp_path / "a.svg")
    draw(ROWS, tmp_path / "b.svg")
    text = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert text == (tmp_path / "b.svg").read_text(encoding="utf-8")
    assert "spotlight" in text
    assert "visual tokens a question" in text


def test_a_picture_can_be_a_png_and_nothing_else(tmp_path: Path) -> None:
    draw(ROWS, tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(InputError, match=r"\.svg or \.png"):
        draw(ROWS, tmp_path / "a.gif")


def test_a_section_is_rewritten_and_the_rest_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "results.md"
    path.write_text("# Results\n\nWhat falls short.\n", encoding="utf-8")
    write_section(path, "demo", "first")
    write_section(path, "selection", "other")
    write_section(path, "demo", r"second \1")
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# Results\n\nWhat falls short.\n\n<!-- begin demo:")
    assert "first" not in text
    assert text.index("second \\1") < text.index("other")
    assert text.count("<!-- end demo -->") == 1


def test_a_section_keeps_its_place_among_words() -> None:
    text = with_section("before\n\n", "demo", "one") + "\nafter\n"
    assert with_section(text, "demo", "two").replace("two", "one") == text


def test_a_section_begins_a_new_file(tmp_path: Path) -> None:
    write_section(tmp_path / "docs" / "results.md", "demo", "body")
    assert "body" in (tmp_path / "docs" / "results.md").read_text(encoding="utf-8")


def test_a_section_has_a_plain_name() -> None:
    with pytest.raises(InputError, match="no section can be called 'a b'"):
        with_section("", "a b", "")


def test_a_section_holds_command_tables_and_picture() -> None:
    body = section_body(command="longshot eval demo", tables="a  b", picture="results-demo.svg")
    assert "```sh\nlongshot eval demo\n```" in body
    assert "(results-demo.svg)" in body
