"""A run of 200 steps on a ten-hour film: what a person does costs what it costs in a short run.

Counted, not timed, so that a busy machine changes nothing; `python -m bench.page` has the times.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from bench.page import GAP_S, LONG, SHORT, interactions, make_library, open_run
from tests.web.browsing import ARRIVED, READ_NUMBER, Visit, server, visit

pytestmark = pytest.mark.slow

_COUNT_CHANGES = """() => {
  window.changes = 0;
  const size = (node) => 1 + (node.querySelectorAll?.("*").length ?? 0);
  new MutationObserver((records) => {
    for (const each of records) {
      const nodes = [...each.addedNodes, ...each.removedNodes];
      window.changes += nodes.length ? nodes.map(size).reduce((a, b) => a + b) : 1;
    }
  }).observe(document.body,
    { subtree: true, childList: true, attributes: true, characterData: true });
}"""
"""Counts the elements that are made, removed or changed."""


@pytest.fixture(scope="module")
def long_runs(
    chromium: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Visit, dict[int, str]]]:
    """A page on a library with a ten-hour film, and runs by their numbers of steps."""
    library = tmp_path_factory.mktemp("long")
    run_ids = make_library(library, steps=(LONG, SHORT))
    with server(library, models="scripted") as address:
        made = visit(chromium, address)
        yield made, dict(zip((LONG, SHORT), run_ids, strict=True))
        made.page.close()
        assert made.complaints == []


def changes(page: Page) -> dict[str, float]:
    """Interaction → the elements that it changes, at the median."""
    page.evaluate(_COUNT_CHANGES)
    counted: dict[str, list[int]] = {}
    for name, act in interactions(page):
        page.evaluate("() => { window.changes = 0; }")
        act()
        # Two frames: what an input asks for is drawn in the next.
        page.evaluate(
            "() => new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)))"
        )
        counted.setdefault(name, []).append(page.evaluate("() => window.changes"))
    return {name: statistics.median(all_counts) for name, all_counts in counted.items()}


def test_an_interaction_changes_no_more_in_a_long_run(
    long_runs: tuple[Visit, dict[int, str]],
) -> None:
    visited, run_ids = long_runs
    in_long, in_short = (changes(open_run(visited, run_ids[n], n)) for n in (LONG, SHORT))
    # A click finds a step nearly everywhere in a long run only: all are held to the costliest.
    most = max(in_short.values())
    assert most > 0
    assert {name: n for name, n in in_long.items() if n > 1.2 * most} == {}


def test_an_hour_long_film_starts_at_once_in_its_middle(
    long_runs: tuple[Visit, dict[int, str]],
) -> None:
    """The player asks for parts of the file; the frame that it shows is the right one."""
    visited, run_ids = long_runs
    ranges: list[int] = []
    visited.page.on(
        "response", lambda r: ranges.append(r.status) if r.url.endswith("/film") else None
    )
    page = visited.open(f"run/{run_ids[LONG]}")
    page.wait_for_function("() => document.querySelector('video')?.readyState >= 1")
    for hour in (8, 3):
        page.evaluate("s => { document.querySelector('video').currentTime = s; }", hour * 3600 + 2)
        page.wait_for_function(ARRIVED)
        number = page.evaluate(READ_NUMBER)
        assert number == hour * 3600 / GAP_S
    assert set(ranges) == {206}


def test_each_step_is_drawn_over_the_prior_that_it_worked_with(
    long_runs: tuple[Visit, dict[int, str]],
) -> None:
    """Of several things that are searched one after the other each has a survey of its own."""
    visited, run_ids = long_runs
    priors = visited.open(f"run/{run_ids[SHORT]}").evaluate(
        """() => {
          const survey = (prior) => ({ node: "survey", belief_before: prior, belief_after: prior,
            data: { prior_lanes: [{ lane: "frames", profile: prior.map((p) => p / 2) }] } });
          const look = { node: "look" };
          const steps = [{ node: "plan" }, survey([1, 0]), look, survey([0, 1]), look];
          const model = globalThis.Longshot.runModel({ steps });
          return steps.map((_, k) => {
            const { rows } = globalThis.Longshot.chartData(model, k);
            return [rows[1].slice(0, 2), rows[4].slice(0, 2)];
          });
        }"""
    )
    first, second = [[1, 0], [0.5, 0]], [[0, 1], [0, 0.5]]
    assert priors == [first, first, first, second, second]
