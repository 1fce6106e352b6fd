"""Fitting the confidences."""

import json
import math
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from agent.confidence import Fit, logit, prompts_hash, sigmoid
from evals.calibrate import Observations, fits_of, observed
from index.run_rows import CallRow, FindingRow, LookRow, RunRow, StepRow
from index.runs import RunStore
from index.types import Span
from prompts.render import file_hash


def test_a_stage_with_too_few_cases_of_a_class_is_left_alone() -> None:
    few, enough = Observations(), Observations()
    for position in range(10):
        few.add(position < 3, float(position))
        enough.add(position % 2 == 0, float(position), -float(position), 0.0, 0.0)
        enough.add(position % 2 == 1, float(position), -float(position), 0.0, 0.0)
    found = {("m", "p", "look"): few, ("m", "p", "verify"): enough}
    (fit,) = fits_of(found, source="here")  # type: ignore[arg-type]
    assert (fit.stage, fit.model_hash, fit.n_with, fit.n_without) == ("verify", "m", 10, 10)
    assert (fit.version, fit.source) == (1, "here")


def test_a_second_look_counts_that_the_first_led_to_it() -> None:
    looks, again = Observations(), Observations()
    for position in range(100):
        looks.add(position < 20, 0.0)
    for position in range(36):
        # Of 20 looks with the evidence 16 came to a second one, of 80 without it 20.
        again.add(position < 16, 0.0, 0.0, 0.0, 0.0)
    found = {("m", "p", "look"): looks, ("m+e", "p", "verify"): again}
    fit = next(f for f in fits_of(found, source="") if f.stage == "verify")  # type: ignore[arg-type]
    assert fit.fit.bias == pytest.approx(math.log((16 / 20) / (20 / 80)), abs=1e-6)


def test_looks_are_fitted_for_each_type_of_answer_too() -> None:
    """Where a colour is asked for, P(yes) of what is there stands at 0.6, else at 0.95."""
    looks, again = Observations(), Observations()
    for position in range(120):
        truth = position % 2 == 0
        for type_, yes in (("colour", 0.6), ("time", 0.95)):
            p = yes if truth != (position % 10 == 0) else 0.2
            looks.add(truth, logit(p), type_=type_)  # type: ignore[arg-type]
            if truth or position % 4 == 1:
                again.add(truth, logit(p), logit(p), 0.5 * truth, 0.3, type_=type_)  # type: ignore[arg-type]
    looks.add(True, 0.0, type_="place")
    found = {("m", "p", "look"): looks, ("m+e", "p", "verify"): again}
    fits = {f.stage: f for f in fits_of(found, source="")}  # type: ignore[arg-type]
    once, twice = fits["look"], fits["verify"]
    assert set(once.by_type) == set(twice.by_type) == {"colour", "time"}
    asked = {t: once.by_type[t].log_odds(0.6) for t in ("colour", "time")}  # type: ignore[index]
    assert asked["colour"] > once.fit.log_odds(0.6) > asked["time"]
    by_both = {t: twice.by_type[t].log_odds(0.6, second=0.6) for t in ("colour", "time")}  # type: ignore[index]
    assert by_both["colour"] > by_both["time"]


def test_a_form_counts_what_led_to_its_second_looks_with_a_few_of_all() -> None:
    """Of all a half of those with the evidence came to a second look, of a type 7 of 8."""
    looks, again = Observations(), Observations()
    for n, type_, n_again in ((72, "time", 33), (8, "colour", 7)):
        for position in range(n):
            for truth in (True, False):
                looks.add(truth, 0.0, type_=type_)  # type: ignore[arg-type]
                if position < (n_again if truth else n // 2):
                    again.add(truth, 0.0, 0.0, 0.0, 0.0, type_=type_)  # type: ignore[arg-type]
    found = {("m", "p", "look"): looks, ("m+e", "p", "verify"): again}
    fit = next(f for f in fits_of(found, source="") if f.stage == "verify")  # type: ignore[arg-type]
    expected = math.log(((7 + 8 * 40 / 80) / (8 + 8)) / ((4 + 8 * 40 / 80) / (8 + 8)))
    assert fit.by_type["colour"].bias == pytest.approx(expected, abs=1e-3)
    assert fit.fit.bias == pytest.approx(0.0, abs=1e-6)


def test_a_search_that_came_to_a_second_look_counts_that_it_did() -> None:
    ends, again = Observations(), Observations()
    for position in range(100):
        ends.add(position < 50, 0.0, 0.0)
    for position in range(60):
        # Of 50 searches with the evidence 45 came to a second look, of 50 without it 15.
        again.add(position < 45, 0.0, 1.0 if position % 4 else 0.0, 0.0)
    found = {("m", "p", "search"): ends, ("m", "p+q", "twice"): again}
    fit = next(f for f in fits_of(found, source="") if f.stage == "twice")  # type: ignore[arg-type]
    assert fit.fit.log_odds(0.5, second=sigmoid(0.75)) == pytest.approx(math.log(3), abs=0.05)


MODELS = {"encoder_weights": "E", "videollm_weights": "V"}


def one_question(
    folder: Path, question: str, *, kind: str, answer: str, is_absent: bool = False
) -> None:
    """An evaluation's folder with one question, whose evidence is from 60 to 70 s, and no run."""
    row = {
        "custom_id": "a",
        "video": "f.mp4",
        "kind": kind,
        "form": "open",
        "question": question,
        "answer": answer,
        "evidence": [] if is_absent else [[60, 70]],
        "status": "not_found" if is_absent else "answered",
    }
    (folder / "questions.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    (folder / "library").mkdir()


def test_what_the_runs_of_an_evaluation_saw_is_read_back(tmp_path: Path) -> None:
    one_question(tmp_path, "When is it red?", kind="when", answer="0:01:00 - 0:01:10")
    call = CallRow("reflect", "P", "", "", {"yes": 0.9}, ("2.0",), {})
    with closing(RunStore.open(tmp_path / "library")) as runs:
        run = RunRow("r", 1, "h", "f.mp4", "When is it red?", (), MODELS, {}, "k", "2026-01-01", 1)
        runs.start(run)
        seen = [
            FindingRow("2.0", "2.0", Span(60, 70), 0.9, 0.9),
            FindingRow("2.1", "2.1", Span(0, 10), 0.6, 0.6),
        ]
        again = [
            FindingRow("3.0", "3.0", Span(60, 70), 0.8, 0.8, "a red cat"),
            FindingRow("3.1", "3.1", Span(0, 10), 0.7, 0.7, "no note of how it was read"),
        ]
        runs.record("r", StepRow(0, "plan", "", data={"film_s": 1800}))
        runs.record("r", StepRow(1, "survey", "", data={"best_cosine": 0.4}))
        runs.record("r", StepRow(2, "reflect", "", calls=(call,), findings=tuple(seen)))
        verdict = {
            "verdict": {"confidence": 0.7},
            "presence": {
                "log_ratio": 1.5,
                "absent": 0.1,
                "fit": "",
                "hours": 2.0,
                "second": 0.25,
            },
            "second_looks": [
                {"finding": "3.0", "p_yes": [0.9, 0.8], "named": -0.3333, "cosine": 0.45}
            ],
        }
        runs.record(
            "r", StepRow(3, "answer", "", calls=(call,), findings=tuple(again), data=verdict)
        )
        runs.finish("r", status="not_found", stop_reason="", answer=not_found())
    found = observed([tmp_path])
    assert found["E", "shots", "presence"].rows == [(0.4, pytest.approx(math.log(2)))]
    both = f"P+{file_hash('caption')}"
    assert found["V", "P", "look"].truth == [True, False]
    assert found["V+E", f"{both}+shots", "verify"].rows == [(logit(0.9), logit(0.8), -0.3333, 0.45)]
    assert found["V", "P", "search"].rows == [(1.5, pytest.approx(-math.log(2)))]
    assert found["V", "P", "search"].truth == [True]
    assert found["V", both, "twice"].rows == [(1.5, 0.25, pytest.approx(-math.log(2)))]
    assert not any(stage == "answer" for _, _, stage in found)


def test_runs_whose_prior_was_over_seconds_say_nothing_of_shots(tmp_path: Path) -> None:
    one_question(tmp_path, "When?", kind="when", answer="", is_absent=True)
    for prior, n_seen in (({"smooth_s": 0.5}, 0), ({"pool": 0.5}, 1)):
        settings = {"survey": {"prior": prior}}
        with closing(RunStore.open(tmp_path / "library")) as runs:
            run_id, at = f"r{n_seen}", f"2026-01-0{1 + n_seen}"
            runs.start(RunRow(run_id, 1, "h", "f.mp4", "When?", (), MODELS, settings, "k", at, 1))
            runs.record(run_id, StepRow(0, "survey", "", data={"best_cosine": 0.4}))
            runs.finish(run_id, status="not_found", stop_reason="", answer=not_found())
        found = observed([tmp_path])
        assert len(found["E", "shots", "presence"].rows) == n_seen


@pytest.mark.parametrize(("widest_gap_s", "n_looks"), [(8.0, 1), (2.0, 0)])
def test_what_a_glance_is_the_runs_own_settings_say(
    tmp_path: Path, widest_gap_s: float, n_looks: int
) -> None:
    """Four frames in 20 s: a look, or where 2 s are the widest gap a glance."""
    one_question(tmp_path, "Where?", kind="place", answer="snow")
    settings = {"look": {"widest_gap_s": widest_gap_s}}
    call = CallRow("reflect", "P", "", "", {"yes": 0.9}, ("1.0",), {})
    look = LookRow("1.0", Span(55, 75), (57.0, 62.0, 67.0, 72.0), 160, 96, 50, "")
    finding = FindingRow("1.0", "1.0", Span(55, 75), 0.9, 0.9)
    with closing(RunStore.open(tmp_path / "library")) as runs:
        runs.start(
            RunRow("r", 1, "h", "f.mp4", "Where?", (), MODELS, settings, "k", "2026-01-01", 1)
        )
        runs.record("r", StepRow(0, "look", "", looks=(look,)))
        runs.record("r", StepRow(1, "reflect", "", calls=(call,), findings=(finding,)))
        runs.finish("r", status="not_found", stop_reason="", answer=not_found())
    found = observed([tmp_path])
    seen = found.get(("V", "P", "look"))
    assert (len(seen.truth) if seen else 0) == n_looks


def test_of_a_question_asked_twice_the_last_run_counts(tmp_path: Path) -> None:
    """And absent questions weigh as the prior expects of them: 0.2, be they a half of all."""
    lines = [
        {
            "custom_id": name,
            "video": "f.mp4",
            "kind": "place" if evidence else "absent",
            "form": "open",
            "question": name,
            "answer": "a wall" if evidence else "not in this film",
            "evidence": evidence,
            "status": "answered" if evidence else "not_found",
        }
        for name, evidence in (("Where?", [[60, 70]]), ("Nowhere?", []))
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (tmp_path / "questions.jsonl").write_text(text, encoding="utf-8")
    (tmp_path / "library").mkdir()
    with closing(RunStore.open(tmp_path / "library")) as runs:
        asked = [("1", "Where?", 0.6), ("2", "Where?", 0.7), ("3", "Nowhere?", 0.8)]
        for name, question, confidence in asked:
            at = f"2026-01-0{name}"
            runs.start(RunRow(name, 1, "h", "f.mp4", question, (), MODELS, {}, "k", at, 1))
            presence = {"log_ratio": 0.0, "absent": 0.1, "fit": "", "hours": 2.0}
            data = {"verdict": {"confidence": confidence}, "presence": presence}
            runs.record(name, StepRow(1, "answer", "", data=data))
            runs.finish(name, status="answered", stop_reason="", answer=answered("a wall"))
    key = ("V", prompts_hash("answer", file_hash), "answer")
    seen = observed([tmp_path])[key]
    order = sorted(range(2), key=lambda i: seen.rows[i])
    assert [seen.rows[i][0] for i in order] == pytest.approx([logit(0.7), logit(0.8)])
    assert {row[1:] for row in seen.rows} == {(0.0, -math.log(2.0))}
    assert [seen.truth[i] for i in order] == [True, False]
    assert [seen.weights[i] for i in order] == pytest.approx([0.8 / 0.5, 0.2 / 0.5])
    assert len(observed([tmp_path, tmp_path])[key].rows) == 4


def answered(text: str) -> dict[str, object]:
    usage = {"visual_tokens": 0, "calls": 0, "seconds": 0.0}
    return {**not_found(), "answer": text, "status": "answered", "kind": "moment", "usage": usage}


def not_found() -> dict[str, object]:
    from agent.types import Answer

    return Answer(
        run_id="r",
        question="When is it red?",
        answer="",
        choice=None,
        confidence=0.9,
        status="not_found",
        citations=(),
        usage={},
        models={},
        stop_reason="",
        kind="when",
    ).to_json()


def test_a_fit_adds_up_log_odds() -> None:
    fit = Fit(first=0.5, second=0.25, bias=-1.0)
    assert fit.log_odds(0.5) == pytest.approx(-1.0)
    # logit(0.9) = 2.197
    assert fit.log_odds(0.9, second=0.9) == pytest.approx(0.75 * 2.1972 - 1.0, abs=1e-4)
    assert Fit(cosine=10.0).log_odds(0.5, cosine=0.3) == pytest.approx(3.0)
    longer = Fit(length=0.5)
    assert longer.log_odds(0.5, hours=10) == pytest.approx(-0.5 * math.log(10))
    assert longer.log_odds(0.5) == 0.0


def test_an_answer_from_options_is_right_more_often() -> None:
    """Nine of ten with options, six of ten without."""
    seen = Observations()
    for position in range(40):
        seen.add(position % 10 != 0, 0.0, 1.0, 0.0)
        seen.add(position % 10 < 6, 0.0, 0.0, 0.0)
    fit = fits_of({("m", "p", "answer"): seen}, source="")[0].fit
    assert sigmoid(fit.log_odds(0.5, options=True)) == pytest.approx(0.9, abs=0.01)
    assert sigmoid(fit.log_odds(0.5)) == pytest.approx(0.6, abs=0.01)


def test_the_longer_of_two_films_needs_the_better_match() -> None:
    """Presence and whole searches are fitted with the length of what was searched."""
    seen = Observations()
    for hours in (0.2, 1.0, 10.0):
        for truth, offset in ((True, 0.1), (False, -0.1)):
            for noise in np.linspace(-0.12, 0.12, 9):
                cosine = 0.4 + 0.05 * math.log(hours) + offset + noise
                seen.add(truth, cosine, -math.log(hours))
    (stored,) = fits_of({("E", "shots", "presence"): seen}, source="a test")
    fit = stored.fit
    assert fit.length / fit.first == pytest.approx(0.05, abs=0.01)
    assert -fit.bias / fit.first == pytest.approx(0.4, abs=0.01)
    # Films of about one length say nothing about lengths.
    alike = Observations()
    for k, cosine in enumerate(np.linspace(0.3, 0.5, 20)):
        alike.add(k % 2 == 1, cosine + 0.1 * (k % 2), -math.log(0.25 + 0.001 * k))
    assert fits_of({("E", "shots", "presence"): alike}, source="a test")[0].fit.length == 0.0
