"""An evaluation from end to end: costs, equal tokens, resuming, the report."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from agent.models import ModelChoice, Models
from evals.ablation import ABLATIONS
from evals.asking import Asking, EvalEvent, prepared_texts
from evals.items import Item, item_from_json, load_items
from evals.record import Record
from evals.report import Series
from evals.run import evaluate
from evals.strategies import strategies_of
from evals.tables import report_table
from index.encoder_hash import HashEncoder
from index.errors import InputError
from tests.evals.conftest import Bench, all_knowing

ALL = ("spotlight", "oracle", "uniform", "topk")


def run(
    bench: Bench,
    *,
    strategies: tuple[str, ...] = ALL,
    resume_file: Path | None = None,
    events: list[EvalEvent] | None = None,
    budgets: tuple[int, ...] = (),
    whole_budget: bool = False,
) -> list[dict[str, object]]:
    report = evaluate(
        [bench.film],
        bench.items,
        strategies=strategies,
        models=bench.models,
        library=bench.library,
        settings=bench.settings,
        progress=(events if events is not None else []).append,
        budgets=budgets,
        whole_budget=whole_budget,
        minutes=1.0,
        record=Record(resume_file),
    )
    json.dumps(report.to_json(), allow_nan=False)
    return list(report.rows)


def untimed(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    return [{k: v for k, v in row.items() if k != "seconds"} for row in rows]


def test_a_model_that_knows_all_is_right_on_true_spans_and_says_nothing_of_absent_ones(
    bench: Bench,
) -> None:
    (row,) = run(bench, strategies=("oracle",))
    n_present = sum(not item.is_absent for item in bench.items)
    assert (row["n"], row["accuracy"], row["over_oracle"]) == (n_present, 1.0, 1.0)
    assert "absent" not in row["kinds"]  # type: ignore[operator]


def test_the_oracle_sees_the_true_spans_only(bench: Bench) -> None:
    run(bench, strategies=("oracle",))
    seen = [t for call in bench.videollm.calls for clip in call.clips for t in clip.times_s]
    true = [span for item in bench.items for span in item.evidence]
    # A frame's own time may be one frame before the time asked for.
    assert all(any(s.start_s - 0.13 <= t < s.end_s for s in true) for t in seen)


def test_baselines_show_no_more_tokens_than_ours_used(bench: Bench) -> None:
    few = replace(bench, items=bench.items[::3])
    rows = {str(row["strategy"]): row for row in run(few)}
    ours = rows["spotlight"]["visual_tokens"]
    for name in ("uniform", "topk"):
        spent = rows[name]["visual_tokens"]
        assert isinstance(spent, float)
        assert isinstance(ours, float)
        assert 0.8 * ours <= spent <= ours
        assert rows[name]["calls"] == 1


def test_without_ours_baselines_show_the_whole_budget(bench: Bench) -> None:
    small = replace(bench.settings.budget, visual_tokens=200)
    bench = replace(bench, settings=replace(bench.settings, budget=small))
    (row,) = run(bench, strategies=("uniform",))
    # 128x96 px of a 160x96 film on a 32-px grid: 5 x 3 tokens a pair, 13 pairs.
    assert row["visual_tokens"] == 195


def test_rows_come_in_the_order_asked_for(bench: Bench) -> None:
    rows = run(replace(bench, items=bench.items[:2]), strategies=("topk", "spotlight"))
    # The agent first, since the baselines may use what it used.
    assert [row["strategy"] for row in rows] == ["spotlight", "topk"]


def test_every_baseline_answers_within_one_prompt(bench: Bench) -> None:
    names = tuple(strategies_of("all"))
    rows = run(replace(bench, items=bench.items[:2]), strategies=names, budgets=(300,))
    assert {row["strategy"] for row in rows} == set(names)
    for row in rows:
        assert row["visual_tokens"] <= 300  # type: ignore[operator]
        if row["strategy"] not in ("spotlight", "oracle"):
            assert row["calls"] == 1


def test_several_budgets_make_a_curve(bench: Bench) -> None:
    few = replace(bench, items=bench.items[:4])
    rows = run(few, strategies=("uniform", "oracle"), budgets=(150, 600))
    assert [(row["strategy"], row["budget"]) for row in rows] == [
        ("oracle", None),
        ("uniform", 150),
        ("uniform", 600),
    ]
    assert [row["visual_tokens"] for row in rows[1:]] == [150, 600]


def test_baselines_may_show_the_whole_budget(bench: Bench) -> None:
    few = replace(bench, items=bench.items[:2])
    rows = run(few, strategies=("spotlight", "uniform"), budgets=(1500,), whole_budget=True)
    used = {row["strategy"]: row["visual_tokens"] for row in rows}
    assert used["uniform"] > used["spotlight"]  # type: ignore[operator]


@pytest.mark.parametrize("name", ABLATIONS)
def test_a_search_without_one_part_still_ends(bench: Bench, name: str) -> None:
    """And says how far the whole search is ahead of it, on the same questions."""
    few = replace(bench, items=bench.items[:2])
    ours, without = run(few, strategies=("spotlight", name), budgets=(1500,))
    assert without["n"] == 2
    assert without["ours_ahead"]["n_facts"] == 1  # type: ignore[index]
    assert ours["ours_ahead"] is None


@pytest.mark.slow
def test_every_part_that_can_be_switched_off_does_something(bench: Bench) -> None:
    """Without it some question is searched in another way: other looks, frames, tokens or calls."""
    # A judge that doubts: where nothing but the truth speaks, the prior's order is the belief's.
    knows = bench.videollm.yes_script
    bench.videollm.yes_script = lambda prompt, clips: max(0.6, knows(prompt, clips))
    # Sizes that the small film has, so that a closer look is a larger one; and several turns.
    look = replace(bench.settings.look, short_side_px=32, high_short_side_px=64)
    same = set(ABLATIONS)
    # In a film of few windows hardly a look is below a low price, and with a higher one, or where
    # a likely window is looked at alone, the search is over before every part had its turn.
    for price in (0.02, 0.1):
        spotlight = replace(
            bench.settings.spotlight, looks_per_turn=2, turn_chance=1.0, look_price=price
        )
        settings = replace(bench.settings, look=look, spotlight=spotlight)
        same -= _different(replace(bench, settings=settings), same)
    assert not same


def _different(bench: Bench, parts: set[str]) -> set[str]:
    """Those of the parts without which some question is searched in another way."""
    texts = prepared_texts(bench.models, bench.items)
    asking = Asking(bench.models, bench.library, bench.settings, Record(None), texts, False)
    video = bench.library.find(str(bench.film))
    found: set[str] = set()
    with asking.film(video) as view:
        for item in bench.items:
            every = [Series(name, 1500) for name in ("spotlight", *sorted(parts - found))]
            cost = {
                series.strategy: (o.looked, o.n_frames, o.visual_tokens, o.calls)
                for series, o in asking.answers(video, view, item, every).items()
                if o is not None
            }
            found |= {name for name in parts - found if cost[name] != cost["spotlight"]}
            if found == parts:
                break
    return found


def test_a_search_that_judges_nothing_asks_for_fewer_judgements(bench: Bench) -> None:
    """A verdict's own second look may still be judged, but no look of the search is."""
    # Turns of two looks, however likely the first and unlikely the second is.
    spotlight = replace(bench.settings.spotlight, looks_per_turn=2, turn_chance=1.0, look_price=0.0)
    few = replace(
        bench,
        items=[item for item in bench.items if item.kind == "place"][:1],
        settings=replace(bench.settings, spotlight=spotlight),
    )
    n_judged = []
    for name in ("spotlight", "without-reflection"):
        bench.videollm.calls.clear()
        run(few, strategies=(name,))
        n_judged.append(sum(call.kind == "judge" for call in bench.videollm.calls))
    assert n_judged[1] <= n_judged[0] - 2


def test_without_the_check_the_first_reply_stands(bench: Bench) -> None:
    few = replace(bench, items=[item for item in bench.items if item.kind == "place"][:1])
    for name, n_asked in (("spotlight", 2), ("without-check", 1)):
        bench.videollm.calls.clear()
        rows = run(few, strategies=(name,))
        answers = [call for call in bench.videollm.calls if call.prompt.name == "answer"]
        assert len(answers) == n_asked
        assert rows[0]["accuracy"] == 1.0


def test_failures_are_told_with_their_cause_and_trace(bench: Bench) -> None:
    blind = replace(bench, items=[item for item in bench.items if item.kind == "place"][:1])
    blind.videollm.yes_script = lambda prompt, clips: 0.05
    report = evaluate(
        [blind.film],
        blind.items,
        strategies=("spotlight",),
        models=blind.models,
        library=blind.library,
        settings=blind.settings,
        minutes=1.0,
    )
    assert report.rows[0]["failures"] == {"misjudged": {"place": 1}}
    (failure,) = report.failures
    assert failure["cause"] == "misjudged"
    assert failure["trace_id"]
    assert "misjudged" in report_table(report)


def test_groups_of_strategies_are_named_in_short() -> None:
    assert strategies_of("ablation, uniform")[0] == "spotlight"
    assert strategies_of("uniform,topk,uniform") == ["uniform", "topk"]
    assert {"oracle", "f2c", "tstar", "keyclips"} < set(strategies_of("all"))


def test_absent_questions_are_counted_as_rejections_and_false_answers(bench: Bench) -> None:
    (row,) = run(bench, strategies=("uniform",))
    # The fake says "not enough" to open absent questions and must choose for the others.
    assert row["absent"]["false_answers"] == 0.5  # type: ignore[index]
    assert row["absent"]["false_rejections"] == 0.0  # type: ignore[index]


def test_the_same_call_gives_the_same_numbers(bench: Bench) -> None:
    few = replace(bench, items=bench.items[::4])
    assert untimed(run(few)) == untimed(run(few))


def test_a_resumed_run_asks_only_what_is_missing(bench: Bench, tmp_path: Path) -> None:
    file = tmp_path / "record.jsonl"
    whole = run(bench, strategies=("oracle", "uniform"), resume_file=file)
    lines = file.read_bytes().splitlines(keepends=True)
    # A kill in the middle of the sixth line.
    file.write_bytes(b"".join(lines[:5]) + lines[5][:20])
    bench.videollm.calls.clear()
    events: list[EvalEvent] = []
    again = run(bench, strategies=("oracle", "uniform"), resume_file=file, events=events)
    assert sum(event.resumed for event in events) == 5
    assert untimed(again) == untimed(whole)
    bench.videollm.calls.clear()
    run(bench, strategies=("oracle", "uniform"), resume_file=file)
    assert bench.videollm.calls == []


def open_all_knowing(items: list[Item]) -> Models:
    """The fixture's models, as another process can open them."""
    choice = ModelChoice(asked="scripted", encoder="hash", videollm="scripted", why="a test")
    return Models(choice, HashEncoder(), all_knowing(items))


@pytest.mark.slow
def test_several_processes_find_what_one_finds(bench: Bench, tmp_path: Path) -> None:
    """Also when one film's questions go to both, and a part is on record already."""
    names = ("spotlight", "oracle", "uniform", "topk")
    items = bench.items[:6]

    def rows(n_workers: int, file: Path) -> tuple[list[dict[str, object]], list[EvalEvent]]:
        events: list[EvalEvent] = []
        report = evaluate(
            [bench.film],
            items,
            strategies=names,
            models=bench.models,
            library=bench.library,
            settings=bench.settings,
            progress=events.append,
            record=Record(file),
            n_workers=n_workers,
            opener=partial(open_all_knowing, bench.items),
        )
        return untimed(list(report.rows)), events

    one, told = rows(1, tmp_path / "one.jsonl")
    lines = (tmp_path / "one.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / "two.jsonl").write_text("".join(lines[:5]), encoding="utf-8")
    bench.videollm.calls.clear()
    two, told_by_two = rows(2, tmp_path / "two.jsonl")
    assert two == one
    assert bench.videollm.calls == []
    assert [(e.strategy, e.custom_id, e.right) for e in told_by_two] == [
        (e.strategy, e.custom_id, e.right) for e in told
    ]
    assert sum(e.resumed for e in told_by_two) == 5
    again = (tmp_path / "two.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(again) == len(lines)


def test_several_processes_need_models_of_their_own(bench: Bench) -> None:
    with pytest.raises(ValueError, match="2 workers"):
        evaluate(
            [bench.film],
            bench.items[:1],
            strategies=("uniform",),
            models=bench.models,
            library=bench.library,
            settings=bench.settings,
            n_workers=2,
        )


def test_another_setting_is_asked_anew(bench: Bench, tmp_path: Path) -> None:
    file = tmp_path / "record.jsonl"
    run(bench, strategies=("uniform",), resume_file=file)
    other = replace(bench.settings, budget=replace(bench.settings.budget, visual_tokens=300))
    events: list[EvalEvent] = []
    run(
        replace(bench, settings=other),
        strategies=("uniform",),
        resume_file=file,
        events=events,
    )
    assert not any(event.resumed for event in events)


def test_progress_counts_every_question_of_every_strategy(bench: Bench) -> None:
    events: list[EvalEvent] = []
    run(bench, strategies=("oracle", "uniform"), events=events)
    assert [e.done for e in events] == list(range(1, 2 * len(bench.items) + 1))
    assert {e.total for e in events} == {2 * len(bench.items)}
    assert {e.right for e in events if "absent" in e.custom_id and e.strategy == "oracle"} == {None}


def test_the_table_names_strategies_and_kinds(bench: Bench) -> None:
    report = evaluate(
        [bench.film],
        bench.items[:4],
        strategies=("uniform", "oracle"),
        models=bench.models,
        library=bench.library,
        settings=bench.settings,
    )
    main, kinds, trust, in_time, *_ = report_table(report).split("\n\n")
    assert [line.split()[0] for line in main.splitlines()] == ["strategy", "oracle", "uniform"]
    head, counts, oracle, _, note = (line.split() for line in kinds.splitlines())
    assert (head[0], note[:2]) == ("strategy", ["In", "percent,"])
    assert counts[:2] == ["of", "2"]
    # Two forms of one fact: the interval is that of one question.
    assert oracle[:3] == ["oracle", "100", "(21–100)"]
    # Every figure stands under its name.
    row = report.rows[0]
    for table, name, figure in (
        (trust, "grounded", f"{100 * row['groundedness']:.0f} %"),
        (trust, "Brier", f"{row['calibration']['brier']:.2f}"),
        (in_time, "P truths", f"{row['temporal']['precision_by_truths']:.2f}"),
        (in_time, "F1 truths", f"{row['temporal']['f1_by_truths']:.2f}"),
        (in_time, "mIoU", f"{row['citations']['miou']:.2f}"),
        (in_time, "HIT@1", f"{row['ranked']['hit_at_1']:.2f}"),
    ):
        names, cells = (re.split(r" {2,}", line) for line in table.splitlines()[:2])
        assert dict(zip(names, cells, strict=True))[name] == figure


def test_an_unknown_strategy_is_named_with_the_known_ones(bench: Bench) -> None:
    with pytest.raises(InputError, match=r"psychic.*spotlight, oracle, uniform, topk"):
        run(bench, strategies=("psychic",))


def test_a_question_about_another_film_is_refused(bench: Bench) -> None:
    with pytest.raises(InputError, match=r"other\.mp4"):
        run(replace(bench, items=[replace(bench.items[0], video="other.mp4")]))


def test_a_malformed_line_of_questions_is_named(tmp_path: Path) -> None:
    path = tmp_path / "q.jsonl"
    path.write_text('{"custom_id": "a"\n', encoding="utf-8")
    with pytest.raises(InputError, match="line 1"):
        load_items(path)
    with pytest.raises(InputError, match="question a"):
        item_from_json({"custom_id": "a"})
