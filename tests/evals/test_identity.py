"""When an answer in the record may be used again."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import pytest

from agent.confidence import Fit
from agent.settings import AskSettings
from evals.identity import code_hash, code_of, setting_of
from evals.strategies import STRATEGIES
from tests.evals.conftest import Bench


def setting(bench: Bench, strategy: str, settings: AskSettings, *, visual_tokens: int = 300) -> str:
    return setting_of(
        strategy, bench.items[0], visual_tokens, models=bench.models, settings=settings
    )


def test_a_changed_search_is_asked_again_and_its_baselines_are_not(bench: Bench) -> None:
    before = bench.settings
    after = replace(before, reflect=replace(before.reflect, related_s=3.0))
    assert setting(bench, "spotlight", before) != setting(bench, "spotlight", after)
    for name in ("uniform", "f2c", "keyclips"):
        assert setting(bench, name, before) == setting(bench, name, after)


def test_other_tokens_or_another_size_are_another_answer(bench: Bench) -> None:
    before = bench.settings
    larger = replace(before, look=replace(before.look, short_side_px=128))
    assert setting(bench, "uniform", before) != setting(bench, "uniform", larger)
    assert setting(bench, "uniform", before) != setting(bench, "uniform", before, visual_tokens=301)


def test_the_oracle_does_not_depend_on_the_budget(bench: Bench) -> None:
    before = bench.settings
    richer = replace(before, budget=replace(before.budget, visual_tokens=99_000))
    assert setting(bench, "oracle", before) == setting(bench, "oracle", richer)


def test_the_oracle_is_asked_again_where_its_looks_are_read_otherwise(bench: Bench) -> None:
    before = bench.settings
    stricter = replace(before, reflect=replace(before.reflect, accept=0.6))
    read_otherwise = replace(before, reflect=replace(before.reflect, fit=Fit(first=0.7)))
    settings = (before, stricter, read_otherwise)
    assert len({setting(bench, "oracle", each) for each in settings}) == 3


def test_a_changed_file_of_the_program_is_another_hash(tmp_path: Path) -> None:
    for name in ("agent/ask.py", "agent/fits.json", "agent/notes.md", "evals/strategies.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("before", encoding="utf-8")

    def hashed() -> str:
        code_hash.cache_clear()
        return code_hash(("agent", "evals/strategies.py"), root=tmp_path)

    hashes = [hashed()]
    for name in ("agent/ask.py", "agent/fits.json", "evals/strategies.py"):
        (tmp_path / name).write_text("after", encoding="utf-8")
        hashes.append(hashed())
    assert len(set(hashes)) == 4
    (tmp_path / "agent" / "notes.md").write_text("after", encoding="utf-8")
    assert hashed() == hashes[-1]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_what_makes_an_outcome_is_in_its_hash(strategy: str) -> None:
    """What turns steps or a reply into an outcome, what decodes frames, and what is asked."""
    places = code_of(strategy)

    def covered(file: str) -> bool:
        return any(file == place or file.startswith(f"{place}/") for place in places)

    root = Path(__file__).resolve().parents[2]
    ours = ("plan", "said", "answer_type", "bounds", "evidence")
    files = ["evals/strategies.py", "tools/look.py", "prompts/answer.j2"]
    for file in [*files, *(f"agent/{name}.py" for name in ours)]:
        assert (root / file).is_file()
        assert covered(file), file
    assert all((root / place).exists() for place in places)


def test_what_a_selection_imports_is_in_its_hash() -> None:
    """But for settings, of which those that it reads are in the hash themselves."""
    root = Path(__file__).resolve().parents[2]
    imported: set[str] = set()
    for file in (*(root / "evals/selection").glob("*.py"), root / "evals/film_vectors.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                imported.add(f"{node.module.replace('.', '/')}.py")
    files = {f for f in imported if f.startswith(("agent/", "tools/"))} - {"agent/settings.py"}
    assert {"tools/prior.py", "agent/cuts.py"} <= files <= set(code_of("keyclips"))
