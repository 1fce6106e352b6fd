"""When an answer in the record may be used again."""

from __future__ import annotations

from dataclasses import replace

from agent.settings import AskSettings
from evals.identity import setting_of
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
