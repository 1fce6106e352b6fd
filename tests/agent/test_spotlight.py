"""Where to look next."""

from __future__ import annotations

import itertools
from dataclasses import replace
from functools import partial

from langgraph.runtime import Runtime

from agent.backends.scripted import ScriptedVideoLLM, knowing
from agent.queue import Ranked, Window
from agent.settings import SpotlightSettings
from agent.spotlight import choose, evenly, look, spotlight
from agent.state import Source, State
from agent.workspace import Workspace
from index.types import Span
from tests.agent.conftest import WorkspaceMaker, found, looked
from tools.keyclips import ClipShape

SETTINGS = SpotlightSettings()
chosen_of = partial(choose, settings=SETTINGS, one_ends_it=False)
RED = "What is the red thing?"
CUES = [{"text": "red", "group": "question", "weight": 1.0}]


def ranked(start_s: float, gain: float, *, tokens: int = 100, source: Source = "belief") -> Ranked:
    window = Window(Span(start_s, start_s + 5), source)
    return Ranked(window, ClipShape(8, 160, 96), tokens, gain, gain)


def test_most_bits_a_token_come_first_within_the_tokens() -> None:
    queue = [ranked(0, 0.5, tokens=300), ranked(100, 0.4), ranked(200, 0.3), ranked(300, 0.2)]
    chosen = chosen_of(queue, limit_tokens=250, n_most=4)
    assert [r.window.span.start_s for r in chosen] == [100, 200]


def test_the_first_of_the_queue_are_looked_at_as_far_as_the_tokens_go() -> None:
    queue = [ranked(100, 0.5), ranked(105, 0.4, tokens=200), ranked(300, 0.3)]
    chosen = chosen_of(queue, limit_tokens=250, n_most=2)
    assert [r.window.span.start_s for r in chosen] == [100, 300]
    chosen = chosen_of(queue, limit_tokens=500, n_most=2)
    assert [r.window.span.start_s for r in chosen] == [100, 105]


def test_no_look_is_chosen_twice_in_one_turn() -> None:
    """Two windows side by side may both be shifted to the stretch between them."""
    queue = [ranked(4, 0.5, source="shift"), ranked(4, 0.5, source="shift"), ranked(300, 0.1)]
    chosen = chosen_of(queue, limit_tokens=500, n_most=3)
    assert [r.window.span.start_s for r in chosen] == [4, 300]


def test_where_one_ends_the_search_a_likely_window_is_looked_at_alone() -> None:
    queue = [ranked(0, 0.6), ranked(100, 0.2), ranked(200, 0.2), ranked(300, 0.1)]
    chosen = partial(chosen_of, limit_tokens=500, one_ends_it=True)
    assert chosen(queue, n_most=8) == queue[:1]
    assert chosen(queue[1:], n_most=8) == queue[1:]
    assert chosen(queue[1:], n_most=2) == queue[1:3]
    careful = replace(SETTINGS, turn_chance=0.3)
    assert chosen(queue[1:], n_most=8, settings=careful) == queue[1:3]
    # Of a set every one is wanted.
    assert chosen(queue, n_most=8, one_ends_it=False) == queue


def test_a_request_over_a_window_stands_for_it_in_its_turn() -> None:
    window, request = ranked(100, 0.5), ranked(100, 0.1, source="request")
    high = replace(request, shape=ClipShape(4, 320, 192))
    for asked in (request, high):
        chosen = chosen_of([asked, window], limit_tokens=500, n_most=2)
        assert chosen == [asked]
    # A larger look after a smaller one shows more.
    closer = replace(high, window=replace(high.window, source="closer"))
    chosen = chosen_of([request, closer], limit_tokens=500, n_most=2)
    assert chosen == [request, closer]


def test_what_cannot_tell_anything_is_not_looked_at() -> None:
    assert chosen_of([ranked(0, 1e-9)], limit_tokens=500, n_most=4) == []


def test_an_even_spread_takes_what_is_far_from_all_that_was_seen() -> None:
    queue = [ranked(10, 0.5), ranked(100, 0.4), ranked(200, 0.3)]
    spread = evenly(queue, queue[:1], looked=[Span(0, 20), Span(190, 210)], limit_tokens=500)
    assert [(r.window.span.start_s, r.window.source) for r in spread] == [(100, "even")]


def test_an_even_spread_keeps_the_halves_when_no_window_is_left() -> None:
    """Of a film of a few seconds only halves may be left, and the search must go on with them."""
    halves = [ranked(0, 0.5, source="split"), ranked(5, 0.4, source="split")]
    assert evenly(halves, halves[:1], looked=[Span(0, 10)], limit_tokens=500) == halves[:1]


def test_the_first_windows_are_where_the_vectors_point(workspace: WorkspaceMaker) -> None:
    ws, state = workspace(knowing([]), RED, cues=CUES, reflect_question=RED)
    out = spotlight(state, Runtime(context=ws))
    assert out["next"] == "look"
    starts = [w["start_s"] for w in out["chosen"]]
    assert {60, 150} <= set(starts)


def test_no_look_is_taken_twice_and_the_end_has_a_reason(workspace: WorkspaceMaker) -> None:
    everything = [looked(10.0 * i, 10.0 * i + 10) for i in range(17)]
    ws, state = workspace(knowing([]), RED, cues=CUES, reflect_question=RED, looks=everything)
    out = spotlight(state, Runtime(context=ws))
    assert out["chosen"] == []
    assert out["next"] == "answer"
    assert out["stop_reason"].startswith("exhausted")


def test_where_only_tokens_lack_the_reason_is_the_budget(workspace: WorkspaceMaker) -> None:
    ws, state = workspace(knowing([]), RED, cues=CUES, reflect_question=RED, looks=[looked(0, 10)])
    n_tokens = ws.budget(state).tokens_for_search - 1
    spent = {"visual_tokens": n_tokens, "looks": 1, "calls": 1, "seconds": 1.0}
    out = spotlight({**state, "spent": spent}, Runtime(context=ws))
    assert out["stop_reason"] == "budget: the tokens that are left do not pay for another look"


def test_a_glance_over_the_film_leaves_its_windows_to_be_looked_at(
    workspace: WorkspaceMaker,
) -> None:
    glance = looked(0, 170)
    ws, state = workspace(knowing([]), RED, cues=CUES, reflect_question=RED, looks=[glance])
    out = spotlight(state, Runtime(context=ws))
    assert {60, 150} <= {w["start_s"] for w in out["chosen"]}
    # Looks at what a glance passed over are new ground.
    after = [glance, *(looked(10.0 * i, 10.0 * i + 10) for i in range(6))]
    spotlight({**state, "looks": after}, Runtime(context=ws))
    assert ws.runs.steps("r1")[-1].data["circles"] is False


def test_a_request_is_looked_at_first_at_its_own_density(workspace: WorkspaceMaker) -> None:
    proposal = {"start_s": 21.0, "end_s": 25.0, "source": "request", "fps": 3.0, "high": True}
    ws, state = workspace(
        ScriptedVideoLLM(), RED, cues=CUES, reflect_question=RED, proposals=[proposal]
    )
    out = spotlight(state, Runtime(context=ws))
    asked = next(w for w in out["chosen"] if w["source"] == "request")
    assert (asked["start_s"], asked["end_s"], asked["n_frames"]) == (21, 25, 12)
    assert asked["height_px"] == 64
    assert out["proposals"] == []
    state = {**state, **out}
    seen = look(state, Runtime(context=ws))
    delivered = next(k for k in seen["looks"] if k["source"] == "request")
    assert (delivered["start_s"], delivered["end_s"]) == (21, 25)
    row = next(k for k in ws.runs.looks("r1") if k.look_id == delivered["look_id"])
    assert row.fps == 3.0


def test_a_spent_budget_ends_the_search_with_its_name(workspace: WorkspaceMaker) -> None:
    spent = {"visual_tokens": 0, "looks": 17, "calls": 3, "seconds": 1.0}
    ws, state = workspace(knowing([]), RED, cues=CUES, reflect_question=RED, spent=spent)
    out = spotlight(state, Runtime(context=ws))
    assert (out["next"], out["stop_reason"]) == (
        "answer",
        "budget: 17 of 22 looks are used, the rest is kept for the answer",
    )


def test_a_flat_prior_spreads_the_looks_until_something_points(workspace: WorkspaceMaker) -> None:
    ws, state = workspace(knowing([]), RED, cues=CUES, reflect_question=RED, flat=True)
    out = spotlight(state, Runtime(context=ws))
    assert {w["source"] for w in out["chosen"]} == {"even"}
    starts = sorted(w["start_s"] for w in out["chosen"])
    assert all(b - a >= 30 for a, b in itertools.pairwise(starts)), starts
    # A line of words that points somewhere ends that: the belief says more than the spread.
    words = [{"start_s": 60.0, "end_s": 70.0, "log_ratio": 1.0, "cause": "words"}]
    led = spotlight({**state, "updates": words}, Runtime(context=ws))  # type: ignore[typeddict-item]
    assert {w["source"] for w in led["chosen"]} == {"belief"}


def test_a_search_in_circles_drops_its_proposals_and_goes_where_it_was_not(
    workspace: WorkspaceMaker,
) -> None:
    again = [looked(60, 70)] + [{**looked(60, 70), "look_id": f"1.{i}"} for i in range(7)]
    closer = {"start_s": 62.0, "end_s": 66.0, "source": "closer", "fps": None, "high": True}
    ws, state = workspace(
        knowing([]), RED, cues=CUES, reflect_question=RED, looks=again, proposals=[closer]
    )
    out = spotlight(state, Runtime(context=ws))
    assert ws.runs.steps("r1")[-1].data["circles"]
    assert out["proposals"] == []
    assert {w["source"] for w in out["chosen"]} == {"even"}
    assert all(not Span(60, 70).overlap_s(Span(w["start_s"], w["end_s"])) for w in out["chosen"])


def half_found(workspace: WorkspaceMaker) -> tuple[Workspace, State]:
    """Seen once at 60 s; the other peak, at 150 s, was empty."""
    update = {"start_s": 60.0, "end_s": 70.0, "log_ratio": 1.0, "cause": "2.0"}
    return workspace(
        ScriptedVideoLLM(),
        RED,
        cues=CUES,
        reflect_question=RED,
        looks=[looked(60, 70), looked(150, 160)],
        findings=[found(60.0, 70.0, p_yes=0.8, log_ratio=1.0)],
        updates=[update, {**update, "start_s": 150.0, "end_s": 160.0, "log_ratio": -4.0}],
    )


def test_what_was_found_has_its_second_look_before_the_queue_goes_on(
    workspace: WorkspaceMaker,
) -> None:
    ws, state = half_found(workspace)
    (once,) = state["findings"]
    out = spotlight(state, Runtime(context=ws))
    assert (out["next"], out["stop_reason"][:26]) == ("answer", "sufficient: a second look ")
    # Looked at twice, or of a set, it does not keep the queue waiting; a request goes before it.
    twice = {**state, "findings": [{**once, "verified": True}]}
    request = {"start_s": 21.0, "end_s": 25.0, "source": "request", "fps": 3.0, "high": False}
    for other in (twice, {**state, "kind": "count"}, {**state, "proposals": [request]}):
        assert spotlight(other, Runtime(context=ws))["next"] == "look"  # type: ignore[arg-type]
    ws.settings = replace(
        ws.settings, spotlight=replace(ws.settings.spotlight, second_look_first=False)
    )
    assert spotlight(state, Runtime(context=ws))["next"] == "look"


def test_a_second_look_that_could_not_be_taken_lets_the_queue_go_on(
    workspace: WorkspaceMaker,
) -> None:
    """An answer that was tried since and looked at nothing would do so again."""
    ws, state = half_found(workspace)
    for tried, goes in (((0, 0), "answer"), ((1, 1), "answer"), ((1, 2), "look")):
        now = {**state, "attempts": tried[0], "looks_before_answer": tried[1]}
        assert spotlight(now, Runtime(context=ws))["next"] == goes  # type: ignore[arg-type]


def test_the_queue_goes_on_while_it_promises_more_than_a_second_look(
    workspace: WorkspaceMaker,
) -> None:
    """A doubtful find where the vectors expected nothing waits for what they point at."""
    once = found(0.0, 10.0, p_yes=0.6, log_ratio=0.4)
    ws, state = workspace(
        ScriptedVideoLLM(),
        RED,
        cues=CUES,
        reflect_question=RED,
        looks=[looked(0, 10)],
        findings=[once],
        updates=[{"start_s": 0.0, "end_s": 10.0, "log_ratio": 0.4, "cause": "2.0"}],
    )
    assert spotlight(state, Runtime(context=ws))["next"] == "look"


def test_a_look_that_costs_more_than_it_would_find_is_not_taken(workspace: WorkspaceMaker) -> None:
    """Unless nothing stands out: then no look is better than another, and the budget counts."""
    ws, state = workspace(knowing([]), RED, cues=CUES, reflect_question=RED)
    ws.settings = replace(ws.settings, spotlight=replace(ws.settings.spotlight, look_price=0.2))
    assert spotlight(state, Runtime(context=ws))["next"] == "look"
    best = max(ws.belief(state).masses([Span(60, 70), Span(150, 160)]))
    dear = replace(ws.settings.spotlight, look_price=best + 0.01)
    ws.settings = replace(ws.settings, spotlight=dear)
    out = spotlight(state, Runtime(context=ws))
    assert (out["next"], out["chosen"]) == ("answer", [])
    said = f"price: the best look left finds it with {best:.2%}, a look costs {best + 0.01:.2%}"
    assert out["stop_reason"] == said
    assert spotlight({**state, "flat": True}, Runtime(context=ws))["next"] == "look"
    # A set has a price of its own, and what the model asks for is looked at in any case.
    request = {"start_s": 21.0, "end_s": 25.0, "source": "request", "fps": 3.0, "high": False}
    for other in ({**state, "kind": "count"}, {**state, "proposals": [request]}):
        assert spotlight(other, Runtime(context=ws))["next"] == "look"  # type: ignore[arg-type]


def priced(ws: Workspace, *, price: float) -> None:
    settings = ws.settings
    ws.settings = replace(
        settings,
        spotlight=replace(settings.spotlight, look_price=price),
        several=replace(settings.several, least_chance=price),
    )


def test_a_turn_takes_nothing_that_is_not_worth_its_price(workspace: WorkspaceMaker) -> None:
    """Half a window may be left to look at where only another window is worth a look."""
    half = {"start_s": 0.0, "end_s": 5.0, "source": "split", "fps": None, "high": False}
    ws, state = workspace(knowing([]), RED, cues=CUES, reflect_question=RED, proposals=[half])
    masses = ws.belief(state).masses([Span(60, 70), Span(150, 160)])
    priced(ws, price=float(min(masses)) - 0.01)
    out = spotlight(state, Runtime(context=ws))
    assert {w["start_s"] for w in out["chosen"]} == {60, 150}
    assert len(out["proposals"]) == 1


def test_a_set_ends_where_no_look_would_find_much_of_another(workspace: WorkspaceMaker) -> None:
    ws, state = workspace(knowing([]), RED, cues=CUES, reflect_question=RED)
    state["kind"] = "count"
    assert spotlight(state, Runtime(context=ws))["next"] == "look"
    priced(ws, price=1.0)
    assert len(spotlight(state, Runtime(context=ws))["chosen"]) == 2
    looks = [looked(60, 70), looked(150, 160)]
    out = spotlight({**state, "looks": looks}, Runtime(context=ws))
    assert out["chosen"] == []
    assert out["stop_reason"].startswith("price: the best look left finds one more with ")
    assert out["stop_reason"].endswith("a look costs 100.00%")
    # Where nothing stands out no window is worth more than another, and the budget counts.
    assert spotlight({**state, "flat": True}, Runtime(context=ws))["next"] == "look"
