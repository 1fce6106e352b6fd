"""What can be looked at: the windows of a film."""

from __future__ import annotations

import itertools
from dataclasses import replace

from agent.backends.scripted import ScriptedVideoLLM
from agent.state import Cue
from agent.windows import film_windows
from index.types import Shot, Span
from tests.agent.conftest import WorkspaceMaker


def test_without_its_cuts_a_film_is_cut_around_what_its_vectors_point_at(
    workspace: WorkspaceMaker,
) -> None:
    """The film's shots are ten seconds each; red ones are from 60 to 70 and from 150 to 160 s."""
    ws, state = workspace(ScriptedVideoLLM(), "Where is the red thing?")
    state["cues"] = [Cue(text="a red wall", group="question", weight=1.0)]
    at_cuts = film_windows(ws, state)
    ws.settings = replace(ws.settings, spotlight=replace(ws.settings.spotlight, follow_cuts=False))
    ws.windows.clear()
    windows = film_windows(ws, state)
    assert Span(0, 10) in at_cuts
    assert Span(0, 10) not in windows
    assert windows[0].start_s == 0
    assert windows[-1].end_s == 170
    assert all(a.end_s == b.start_s for a, b in itertools.pairwise(windows))
    assert max(w.duration_s for w in windows) <= ws.settings.spotlight.longest_s
    heaviest = max(windows, key=ws.prior(state).belief.mass)
    assert any(
        red.start_s <= heaviest.middle_s < red.end_s for red in (Span(60, 70), Span(150, 160))
    )
    assert ws.shot_at(65) == Shot(0, Span(0, 170))


def test_the_shot_at_a_time_begins_at_its_cut(workspace: WorkspaceMaker) -> None:
    """The film's shots are ten seconds each, 17 of them."""
    ws, _ = workspace(ScriptedVideoLLM(), "Where is the red thing?")
    first, second, *_, last = ws.shots
    assert (ws.shot_at(0.0), ws.shot_at(9.99), ws.shot_at(10.0)) == (first, first, second)
    assert ws.shot_at(169.99) == last
    assert (ws.shot_at(-0.5), ws.shot_at(170.0)) == (None, None)
