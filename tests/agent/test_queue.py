"""What a look would cost and show, and which windows are still to be looked at."""

from __future__ import annotations

from dataclasses import replace

from agent.backends.scripted import knowing
from agent.queue import Window, is_covered, rank, shape_for, was_taken
from agent.settings import SpotlightSettings
from index.types import Span
from tests.agent.conftest import OneSize, WorkspaceMaker, looked
from tools.keyclips import ClipShape

SETTINGS = SpotlightSettings()


def test_a_tight_turn_shows_less_of_a_window_and_the_next_one_all_again(
    workspace: WorkspaceMaker,
) -> None:
    ws, _ = workspace(knowing([]), "What is the red thing?")
    window = Window(Span(0, 8), "belief")
    whole = shape_for(ws, window, limit_tokens=10_000)
    assert whole is not None
    tight = shape_for(ws, window, limit_tokens=12)
    assert tight is not None
    assert tight.n_frames < whole.n_frames
    assert shape_for(ws, window, limit_tokens=1) is None
    assert shape_for(ws, window, limit_tokens=10_000) == whole


def test_a_window_is_shown_as_the_model_of_the_node_takes_it(workspace: WorkspaceMaker) -> None:
    """Each node may have a VideoLLM of its own; what is worked out for one is not for another."""
    ws, _ = workspace(knowing([]), "What is the red thing?")
    window = Window(Span(0, 8), "closer", high=True)
    large = shape_for(ws, window, limit_tokens=10_000)
    small = shape_for(replace(ws, videollm=OneSize()), window, limit_tokens=10_000)
    assert large is not None
    assert small is not None
    assert small.height_px < large.height_px


def test_a_span_is_covered_by_one_look_that_held_most_of_it() -> None:
    assert SETTINGS.covered_share == 0.8
    span = Span(10, 20)
    assert is_covered(span, [Span(0, 18)], SETTINGS)
    assert not is_covered(span, [Span(0, 17.9)], SETTINGS)
    # Two looks that hold half each never showed the whole.
    assert not is_covered(span, [Span(10, 15), Span(15, 20)], SETTINGS)
    assert not is_covered(span, [], SETTINGS)


def test_the_queue_leaves_out_what_was_covered(workspace: WorkspaceMaker) -> None:
    ws, state = workspace(knowing([]), "What is the red thing?")
    belief = ws.belief(state)
    every = rank(ws, state, belief, limit_tokens=10_000)
    first = every[0].window.span
    seen = looked(first.start_s, first.end_s)
    left = rank(ws, {**state, "looks": [seen]}, belief, limit_tokens=10_000)
    assert [r.window.span for r in left] == [r.window.span for r in every if r != every[0]]
    assert sum(r.mass for r in every) > sum(r.mass for r in left)


def test_a_look_was_taken_where_it_showed_as_much_at_the_same_size() -> None:
    shape = ClipShape(4, 64, 32)
    taken = [(Span(0, 10), ClipShape(4, 64, 32))]
    assert was_taken(Span(0, 10), shape, taken, 0.9)
    assert was_taken(Span(0, 9.5), shape, taken, 0.9)
    assert not was_taken(Span(0, 8), shape, taken, 0.9)
    assert not was_taken(Span(10, 20), shape, taken, 0.9)
    assert not was_taken(Span(0, 10), replace(shape, n_frames=8), taken, 0.9)
    assert not was_taken(Span(0, 10), replace(shape, height_px=64), taken, 0.9)
