"""Answers from the evidence alone, and the check of citations."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from langgraph.runtime import Runtime

from agent.answer import answer
from agent.backends.scripted import ScriptedVideoLLM
from agent.confidence import sigmoid
from agent.evidence import NOT_ENOUGH, UNREADABLE, normalised
from agent.several import merged
from agent.shots import has_edges, neighbour, whole
from agent.state import Cue, State
from index.types import Shot, Span
from tests.agent.conftest import WorkspaceMaker, fit_the_search, found, looked

FILM = Span(0, 170)
RED = "What is the red thing?"


def ready(workspace: WorkspaceMaker, model: ScriptedVideoLLM, **state: object) -> tuple:  # type: ignore[type-arg]
    """A state in which one look has shown the evidence at 60-70 s."""
    finding = found(60.0, 70.0, p_yes=0.95, log_ratio=3.0)
    update = {"start_s": 60.0, "end_s": 70.0, "log_ratio": 3.0, "cause": "2.0"}
    given: State = {  # type: ignore[typeddict-item]
        "cues": [{"text": "red", "group": "question", "weight": 1.0}],
        "reflect_question": RED,
        "looks": [looked(60, 70)],
        "findings": [finding],
        "updates": [update],
        "stop_reason": "sufficient: a test",
        **state,
    }
    return workspace(model, RED, **given)


def chances(*passes: tuple[float, ...]) -> ScriptedVideoLLM:
    """A fake that chooses with one row of probabilities after the other.

    A row may have one more than the question has options: that the evidence is not enough.
    """
    left = list(passes)
    return ScriptedVideoLLM(
        choice_script=lambda prompt, clips, options: (*left.pop(0), 0.0)[: len(options)]
    )


def replies(*texts: str) -> ScriptedVideoLLM:
    """A fake that gives one reply after the other; it describes nothing and asks for nothing."""
    left = list(texts)
    silent = ("caption", "another_look")
    return ScriptedVideoLLM(
        reply_script=lambda prompt, clips: "" if prompt.name in silent else left.pop(0)
    )


def test_two_passes_that_agree_are_an_answer(workspace: WorkspaceMaker) -> None:
    ws, state = ready(workspace, replies("A wall.", "the wall"))
    out = answer(state, Runtime(context=ws))
    assert (out["answer"]["status"], out["answer"]["answer"]) == ("answered", "A wall.")
    (cited,) = out["answer"]["citations"]
    assert (cited["start"], cited["end"], cited["verified"]) == (60, 70, True)


def test_what_a_reply_lists_twice_is_said_once(workspace: WorkspaceMaker) -> None:
    """The trace keeps it as it was."""
    ws, state = ready(workspace, replies("two red walls and two red walls", "two red walls"))
    out = answer(state, Runtime(context=ws))
    assert (out["answer"]["status"], out["answer"]["answer"]) == ("answered", "two red walls")
    asked = [c.output for c in ws.runs.steps("r1")[-1].calls if c.prompt_name == "answer"]
    assert asked == ["two red walls and two red walls", "two red walls"]


@pytest.mark.parametrize(("options", "odds"), [((), 0.5), (("a wall", "a car"), 1.5)])
def test_how_sure_an_answer_is_depends_on_options_and_on_the_films_length(
    workspace: WorkspaceMaker, options: tuple[str, ...], odds: float
) -> None:
    """170 s are 0.047 hours."""
    model = ScriptedVideoLLM(
        reply_script=lambda prompt, clips: "a wall",
        choice_script=lambda prompt, clips, options: (1.0, 0.0, 0.0)[: len(options)],
    )
    ws, state = ready(workspace, model)
    ws.question = replace(ws.question, options=options)
    fit_the_search(ws, "answer", first=0.0, options=1.0, length=0.1, bias=0.5)
    sure = answer(state, Runtime(context=ws))["answer"]["confidence"]
    assert sure == pytest.approx(sigmoid(odds - 0.1 * math.log(170 / 3600)), abs=1e-3)


def two_findings(workspace: WorkspaceMaker, stop_reason: str, yes: dict[float, float]) -> tuple:  # type: ignore[type-arg]
    """Findings at 60 s, the more believed one, and at 150 s; what a second look at each says."""
    model = ScriptedVideoLLM(
        reply_script=lambda prompt, clips: "a wall",
        yes_script=lambda prompt, clips: yes[clips[0].times_s[0] // 10 * 10],
    )
    ws, state = ready(workspace, model, stop_reason=stop_reason)
    first = state["findings"][0]
    second = {**first, "finding_id": "2.1", "look_id": "1.1", "start_s": 150.0, "end_s": 160.0}
    state["looks"].append(looked(150, 160, "1.1"))
    state["findings"].append(second)
    state["updates"].append({**state["updates"][0], "start_s": 150, "end_s": 160, "log_ratio": 2.5})
    return ws, state


def test_at_the_end_of_a_search_the_next_finding_is_tried(workspace: WorkspaceMaker) -> None:
    ended = "exhausted: a test"
    ws, state = two_findings(workspace, ended, {60.0: 0.001, 150.0: 0.99})
    out = answer(state, Runtime(context=ws))
    assert (out["answer"]["status"], out["answer"]["answer"]) == ("answered", "a wall")
    assert [(c["start"], c["end"]) for c in out["answer"]["citations"]] == [(150, 160)]
    # Both second looks are kept: what was doubted, and what held.
    assert [f["start_s"] for f in out["findings"] if f["verified"]] == [60, 150]


@pytest.mark.parametrize(
    ("again", "status", "cited"), [(0.999, "answered", [(150, 160)]), (0.001, "not_found", [])]
)
def test_at_the_end_of_a_search_that_doubts_the_film_the_next_finding_is_tried(
    workspace: WorkspaceMaker, again: float, status: str, cited: list[tuple[float, float]]
) -> None:
    """The first passes its second look, but all that was seen is not enough; another may be."""
    ws, state = two_findings(workspace, "exhausted: a test", {60.0: 0.8, 150.0: again})
    fit_the_search(ws, first=1.0, bias=-4.5)
    out = answer(state, Runtime(context=ws))
    assert out["answer"]["status"] == status
    assert [f["start_s"] for f in out["findings"] if f["verified"]] == [60, 150]
    # The one that two looks are surest of is answered from, whichever came first.
    assert [(c["start"], c["end"]) for c in out["answer"]["citations"]] == cited


def test_while_a_search_can_go_on_a_doubted_finding_sends_it_on(workspace: WorkspaceMaker) -> None:
    ws, state = two_findings(workspace, "sufficient: a test", {60.0: 0.001, 150.0: 0.99})
    out = answer(state, Runtime(context=ws))
    assert out["next"] == "spotlight"
    assert [f["start_s"] for f in out["findings"] if f["verified"]] == [60]


def test_what_was_seen_twice_and_is_doubted_still_does_not_keep_the_next_finding_waiting(
    workspace: WorkspaceMaker,
) -> None:
    """Else the search would go on with a second look that is never taken, and end over it."""
    ws, state = two_findings(workspace, "sufficient: a test", {60.0: 0.99, 150.0: 0.99})
    fit_the_search(ws, first=0.0, bias=-math.log(16))
    seen = answer(state, Runtime(context=ws))
    assert [f["start_s"] for f in seen["findings"] if f["verified"]] == [60]
    seen = answer({**state, **seen, "stop_reason": "sufficient: a test"}, Runtime(context=ws))
    assert [f["start_s"] for f in seen["findings"] if f["verified"]] == [60, 150]
    assert seen["next"] == "spotlight"


def test_where_every_second_look_disagrees_nothing_is_answered(workspace: WorkspaceMaker) -> None:
    ws, state = two_findings(workspace, "exhausted: a test", {60.0: 0.001, 150.0: 0.001})
    out = answer(state, Runtime(context=ws))
    assert out["answer"]["status"] == "not_found"
    assert "a second look disagrees" in out["answer"]["stop_reason"]
    assert [f["start_s"] for f in out["findings"] if f["verified"]] == [60, 150]


@pytest.mark.parametrize(
    ("stop_reason", "confidence", "seen_again"),
    [
        ("exhausted: a test", 0.4, [60]),
        ("exhausted: a test", 0.2, []),
        ("sufficient: a test", 0.4, []),
    ],
)
def test_at_the_end_of_a_search_what_may_show_it_is_looked_at_again(
    workspace: WorkspaceMaker, stop_reason: str, confidence: float, seen_again: list[float]
) -> None:
    ws, state = two_findings(workspace, stop_reason, {60.0: 0.99, 150.0: 0.001})
    for each in state["findings"]:
        each["confidence"] = confidence
    out = answer(state, Runtime(context=ws))
    assert [f["start_s"] for f in out["findings"] if f["verified"]] == seen_again


def test_the_third_pass_decides(workspace: WorkspaceMaker) -> None:
    ws, state = ready(workspace, replies("a wall", "a car", "a car"))
    out = answer(state, Runtime(context=ws))
    assert (out["answer"]["status"], out["answer"]["answer"]) == ("answered", "a car")
    # The same run again with passes that agree: the vote's share is the whole difference.
    ws.videollm = replies("a car", "a car")
    sure = answer(state, Runtime(context=ws))["answer"]["confidence"]
    assert out["answer"]["confidence"] == pytest.approx(sure * 2 / 3, abs=1e-3)


@pytest.mark.parametrize(
    ("passes", "choice", "confidence"),
    [
        (((0.9, 0.1, 0.0), (0.8, 0.1, 0.1)), 0, 0.85),
        (((0.4, 0.6, 0.0), (0.9, 0.1, 0.0), (0.3, 0.7, 0.0)), 0, 1.6 / 3),
        (((0.3, 0.4, 0.3), (0.4, 0.3, 0.3), (0.3, 0.4, 0.3)), 1, 1.1 / 3),
    ],
    ids=["two agree", "one is surer than two together", "two that waver with one that wavers"],
)
def test_of_options_the_passes_mean_counts(
    workspace: WorkspaceMaker,
    passes: tuple[tuple[float, ...], ...],
    choice: int,
    confidence: float,
) -> None:
    options = ("a wall", "a car", "a dog")
    ws, state = ready(workspace, chances(*passes), options=options)
    out = answer(state, Runtime(context=ws))
    assert (out["answer"]["status"], out["answer"]["choice"]) == ("answered", choice)
    # Beside the passes' share, how sure the place is: the same in every case.
    ws.videollm = chances((1.0, 0.0, 0.0), (1.0, 0.0, 0.0))
    sure = answer(state, Runtime(context=ws))["answer"]["confidence"]
    assert out["answer"]["confidence"] == pytest.approx(sure * confidence, abs=1e-3)


def test_options_without_a_favourite_send_the_search_on(workspace: WorkspaceMaker) -> None:
    model = chances((0.4, 0.3, 0.3), (0.3, 0.4, 0.3), (0.25, 0.3, 0.45))
    ws, state = ready(workspace, model, options=("a wall", "a car", "a dog"))
    out = answer(state, Runtime(context=ws))
    assert (out["next"], out["updates"][-1]["cause"]) == ("spotlight", "disagree")


def test_of_options_too_the_evidence_may_be_not_enough(workspace: WorkspaceMaker) -> None:
    passes = ((0.2, 0.1, 0.0, 0.7), (0.3, 0.1, 0.0, 0.6))
    ws, state = ready(workspace, chances(*passes), options=("a wall", "a car", "a dog"))
    out = answer(state, Runtime(context=ws))
    assert (out["next"], out["updates"][-1]["cause"]) == ("spotlight", "not enough")
    # Whoever gave options wants one of them: the best stays as a guess.
    assert (out["guess"]["reply"], out["guess"]["choice"]) == ("a wall", 0)


def test_not_enough_needs_most_of_the_passes(workspace: WorkspaceMaker) -> None:
    passes = ((0.2, 0.1, 0.7), (0.9, 0.1, 0.0), (0.1, 0.9, 0.0))
    ws, state = ready(workspace, chances(*passes), options=("a wall", "a car"))
    assert answer(state, Runtime(context=ws))["updates"][-1]["cause"] == "disagree"


def test_a_model_that_never_learnt_to_is_not_offered_not_enough(workspace: WorkspaceMaker) -> None:
    ws, state = ready(workspace, chances((0.9, 0.1), (0.9, 0.1)), options=("a wall", "a car"))
    never = replace(ws.settings.answer, option_not_enough=False)
    ws.settings = replace(ws.settings, answer=never)
    answer(state, Runtime(context=ws))
    calls = [c for c in ws.runs.steps("r1")[-1].calls if c.prompt_name == "answer"]
    assert {tuple(c.probabilities) for c in calls} == {("a wall", "a car")}


def test_passes_that_disagree_send_the_search_on(workspace: WorkspaceMaker) -> None:
    ws, state = ready(workspace, replies("a wall", "a car", "a dog"))
    out = answer(state, Runtime(context=ws))
    assert (out["next"], out["attempts"], out["stop_reason"]) == ("spotlight", 1, "")
    assert out["updates"][-1]["cause"] == "disagree"
    assert out["guess"]["reply"] == "a wall"


def test_not_enough_sends_the_search_on_and_leaves_no_guess(workspace: WorkspaceMaker) -> None:
    ws, state = ready(workspace, replies("not enough", "Not enough."))
    out = answer(state, Runtime(context=ws))
    assert out["next"] == "spotlight"
    assert out["updates"][-1]["cause"] == "not enough"
    assert out["guess"] == {}


def test_an_unreadable_reply_is_never_an_answer(workspace: WorkspaceMaker) -> None:
    spent = {"visual_tokens": 0, "looks": 17, "calls": 3, "seconds": 1.0}
    ws, state = ready(
        workspace,
        replies("...", "…"),
        spent=spent,
        stop_reason="budget: 17 looks are used up",
    )
    out = answer(state, Runtime(context=ws))
    assert (out["answer"]["status"], out["answer"]["answer"]) == ("out_of_budget", "")
    assert "unreadable" in out["answer"]["stop_reason"]


def test_at_the_end_of_the_budget_the_best_guess_is_marked(workspace: WorkspaceMaker) -> None:
    spent = {"visual_tokens": 0, "looks": 17, "calls": 3, "seconds": 1.0}
    ws, state = ready(
        workspace,
        replies("a wall", "a car", "a dog"),
        spent=spent,
        stop_reason="budget: 17 looks are used up",
    )
    out = answer(state, Runtime(context=ws))
    assert (out["answer"]["status"], out["answer"]["answer"]) == ("out_of_budget", "a wall")
    assert any("best guess" in note for note in out["answer"]["notes"])


@pytest.mark.parametrize(
    ("reply", "ballot"),
    [
        ("A red car.", "red car"),
        ("Not enough!", NOT_ENOUGH),
        ("not enough evidence here", NOT_ENOUGH),
        (" ... ", UNREADABLE),
        ("", UNREADABLE),
        ("7", "7"),
    ],
)
def test_replies_are_compared_without_articles_and_stops(reply: str, ballot: str) -> None:
    assert normalised(reply) == ballot


def test_what_the_whole_search_makes_doubtful_is_not_answered(workspace: WorkspaceMaker) -> None:
    """The fit of whole searches outweighs two looks that agree, and no pass is paid for."""
    ws, state = ready(workspace, replies("A wall.", "the wall"), stop_reason="exhausted: a test")
    # Odds 4 of the prior times 1/16: four times as likely absent as not.
    fit_the_search(ws, first=0.0, bias=-math.log(16))
    out = answer(state, Runtime(context=ws))
    assert (out["answer"]["status"], out["answer"]["answer"]) == ("not_found", "")
    assert out["answer"]["confidence"] == pytest.approx(0.8)
    shown = ws.runs.steps("r1")[-1]
    assert not any(call.prompt_name == "answer" for call in shown.calls)
    assert shown.data["presence"]["fit"] == "search 1 (a test)"


def test_what_is_doubtful_but_likelier_there_than_not_is_a_guess(
    workspace: WorkspaceMaker,
) -> None:
    ws, state = ready(workspace, replies("A wall.", "the wall"), stop_reason="exhausted: a test")
    # Odds 4 of the prior times 1/2: twice as likely there as not.
    fit_the_search(ws, first=0.0, bias=-math.log(2))
    ws.settings = replace(ws.settings, answer=replace(ws.settings.answer, most_absent=0.2))
    out = answer(state, Runtime(context=ws))["answer"]
    assert (out["status"], out["answer"]) == ("out_of_budget", "A wall.")
    assert "the answer is a best guess: the film may not hold it (33%)" in out["notes"]
    # A search that can go on looks further before it guesses.
    on = answer({**state, "stop_reason": "sufficient: a test"}, Runtime(context=ws))
    assert on["next"] == "spotlight"


def test_a_finding_is_seen_to_its_shots_bounds(workspace: WorkspaceMaker) -> None:
    ws, state = workspace(ScriptedVideoLLM(), RED)
    assert whole(ws, state, Span(62, 65)) == Span(60, 70)
    assert whole(ws, state, Span(62, 78)) == Span(62, 78)


def test_in_a_long_take_a_finding_is_seen_as_far_as_it_looks_alike(
    workspace: WorkspaceMaker,
) -> None:
    ws, state = workspace(ScriptedVideoLLM(), RED)
    state["cues"] = [Cue(text="a red wall", group="question", weight=1.0)]
    uncut = replace(ws.settings.spotlight, follow_cuts=False)
    ws.settings = replace(ws.settings, spotlight=uncut)
    # Its likeliest second is red, whatever else is in the window.
    assert whole(ws, state, Span(56, 64)) == Span(60, 70)
    assert whole(ws, state, Span(66, 78)) == Span(60, 70)
    # A long look that reaches out of the shot of its middle, its likeliest second with it.
    ws.settings = replace(ws.settings, spotlight=replace(uncut, follow_cuts=True))
    film, long = ws.film, (Shot(0, Span(0, 60)), Shot(1, Span(60, 100)), Shot(2, Span(100, 170)))
    ws.film = replace(film, shots=long)
    assert whole(ws, state, Span(62, 150)) == Span(62, 150)
    assert has_edges(ws, state, Span(62, 150))
    ws.film, ws.settings = film, replace(ws.settings, spotlight=uncut)
    # All of a still picture looks alike: nothing says where it ends.
    still = replace(ws.film.timeline, vectors=ws.film.timeline.vectors[:1].repeat(170, axis=0))  # type: ignore[type-var]
    ws.film = replace(ws.film, timeline=still)
    assert whole(ws, state, Span(66, 78)) == Span(66, 78)


def test_neighbours_stop_at_the_ends_of_the_film(workspace: WorkspaceMaker) -> None:
    ws, _ = workspace(ScriptedVideoLLM(), RED)
    assert neighbour(ws, Span(60, 70), after=True) == Span(70, 80)
    assert neighbour(ws, Span(60, 70), after=False) == Span(50, 60)
    assert neighbour(ws, Span(160, 170), after=True) is None
    assert neighbour(ws, Span(0, 10), after=False) is None


def test_moments_merge_inside_a_shot_and_stay_apart_across_a_cut(
    workspace: WorkspaceMaker,
) -> None:
    ws, _ = workspace(ScriptedVideoLLM(), RED)
    assert merged(ws, [Span(60, 65), Span(65, 70)], gap_s=0.5) == [Span(60, 70)]
    assert merged(ws, [Span(60, 70), Span(70, 80)], gap_s=0.5) == [Span(60, 70), Span(70, 80)]
    assert merged(ws, [Span(60, 70), Span(60, 70)], gap_s=0.5) == [Span(60, 70)]
