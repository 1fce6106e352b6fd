"""What the report on the embedded models measures, and how it says how sure it is."""

import random
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from agent.backends.scripted import ScriptedVideoLLM
from demo.film import render
from demo.phrases import PLACE_PHRASES, thing
from demo.script import make_script
from demo.train.cases import ANSWERED, Form, clips_of, in_another_order, makers
from demo.train.contexts import fresh_take, look, pool_source
from demo.train.judging import (
    EMPTY,
    EMPTY_PLACE,
    FAR_MISS,
    Judged,
    auc_interval,
    measure_empty,
    measure_reflections,
)
from demo.train.measure import (
    AS_TRAINED,
    BESIDE,
    FORMS,
    Tally,
    beside_others,
    chance,
    measure_forms,
    measure_replies,
    measure_requests,
    points_ahead,
)
from demo.train.pool import empty_scene, make_pool, unseen_scene
from demo.train.retrieval import ShortQueries, measure_film, measure_retrieval
from demo.world import ALL_PAIRS, PLACES
from index.encoder_hash import HashEncoder
from index.errors import MediaError
from index.library import Library


def test_the_calibrated_are_the_second_half_and_near_misses_are_apart() -> None:
    p_yes = (0.9, 0.8, 0.2, 0.4, 0.9, 0.4)
    truth = (True, True, False, False, True, False)
    misses = ("", "", "another kind", FAR_MISS, "", FAR_MISS)
    judged = Judged(p_yes, truth, ("count",) * 6, misses)
    assert judged.near().p_yes == (0.9, 0.8, 0.2, 0.9)
    assert judged.missed(FAR_MISS).p_yes == (0.9, 0.8, 0.4, 0.9, 0.4)
    # One bin each: 0.2 from 0, two of 0.4 from 0, 0.8 and two of 0.9 from 1.
    assert judged.ece() == pytest.approx((0.2 + 0.8 + 0.2 + 0.2) / 6)
    later = Judged(p_yes * 20, truth * 20, ("count",) * 120, misses * 20).calibrated()
    assert (len(later.truth), later.misses) == (60, misses * 10)
    # All that is there was above all that is not: the fit says so more surely.
    assert later.ece() < judged.ece()


def test_the_interval_of_an_auc_ends_where_the_measured_one_is_surprising() -> None:
    # Of one positive and one negative SE(A)² = A(1-A): Wilson's interval of one right of one, from
    # 1 / (1 + 1.96²) to 1.
    assert auc_interval(1.0, 1, 1) == pytest.approx((0.20654, 1.0), abs=1e-4)
    # 50 and 50 at A = 0.81592: SE² = (0.15020 + 49 · (0.68905 - 0.66573) + 49 · (0.73321 -
    # 0.66573)) / 2500 = 0.0018400, and 0.81592 + 1.96 · 0.042895 = 0.9.
    assert auc_interval(0.9, 50, 50)[0] == pytest.approx(0.81592, abs=1e-4)
    assert 0.9 < auc_interval(0.9, 50, 50)[1] < 1.0


def test_the_interval_of_an_auc_is_the_wider_the_fewer_were_asked() -> None:
    few, more = auc_interval(1.0, 84, 4), auc_interval(1.0, 84, 28)
    assert few[0] < more[0] < 1.0 == few[1] == more[1]
    assert auc_interval(float("nan"), 0, 5) == (0.0, 1.0)


def test_beside_other_clips_a_question_has_still_one_answer() -> None:
    rng = random.Random(4)
    for _ in range(40):
        view = look(rng, fresh_take, n_pairs=4, start_s=rng.uniform(0, 3000))
        among = beside_others(rng, fresh_take, view)
        starts = [each.times_s[0] for each in among]
        assert starts == sorted(starts)
        assert min(b - a for a, b in pairwise(starts)) > 900
        others = [each for each in among if each is not view]
        assert len(others) == 2
        for other in others:
            assert (other.rows, other.columns) != (view.rows, view.columns)
            gaps = [round(each.times_s[1] - each.times_s[0], 3) for each in (other, view)]
            assert gaps[0] != gaps[1]
        (scene,) = (take.clip.scene for take in view.takes)
        for shown in (take.clip.scene for other in others for take in other.takes):
            assert not any(shown.group_of(group.pair) for group in scene.groups)
            same_place = shown.place == scene.place
            assert not (same_place and any(shown.has_kind(g.kind) for g in scene.groups))


def test_a_tally_pairs_what_was_asked_in_one_order() -> None:
    tally = Tally()
    for task, rights in {"place": (1, 1, 0), "sign": (1,)}.items():
        for right in rights:
            tally.add(task, "open", right=bool(right))
            tally.add(task, "by text", right=True)
    assert tally.over_all("open") == [True, True, False, True]
    assert (tally.n("place", "open"), tally.n("place", "by letter")) == (3, 0)
    # Of four one is ahead: 0.25 ± 1.96 · 0.5 / 2.
    assert points_ahead(tally.over_all("by text"), tally.over_all("open")) == (
        "+25 points [-24, +74]"
    )
    assert tally.cell("sign", "by letter") == "–"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pool")


def test_forms_ask_the_same_beside_other_clips(folder: Path) -> None:
    pool = make_pool(folder, scene=unseen_scene, n_clips=24, n_frames=8, seed=3)
    videollm = ScriptedVideoLLM()
    forms = measure_forms(videollm, pool, n=3, seed=1)
    assert [forms.n(row, "right") for row in (AS_TRAINED, BESIDE)] == [3, 3]
    asked: dict[int, list[object]] = {1: [], 3: []}
    for call in videollm.calls:
        asked[len(call.clips)].append(call.prompt.parts[-1])
    # The clip in every form and two wordings; the others stand beside it once.
    assert (len(asked[1]), len(asked[3])) == (3 * (len(FORMS) + 2), 3)
    assert set(asked[3]) <= set(asked[1])
    assert {forms.n(row, "right") for row in forms.tasks()} == {3}


def test_retrieval_says_of_how_many(folder: Path) -> None:
    pool = make_pool(folder, scene=unseen_scene, n_clips=24, n_frames=8, seed=3)
    found = measure_retrieval(HashEncoder(), pool, n=10)
    assert found.recall_at_1.n == found.recall_at_5.n <= 10
    # All pairs of a colour and a kind, and all places: each matches something or nothing.
    assert found.short.n_present + found.short.n_absent == len(ALL_PAIRS) + len(PLACES)
    low, high = found.short.absent_interval()
    assert 0 <= low < found.short.absent_auc < high <= 1


def test_of_a_film_what_its_shots_show_is_there_to_be_found(tmp_path: Path) -> None:
    script = make_script(5, 1 / 3)
    film = tmp_path / "film.mp4"
    render(script, film, n_processes=1, width_px=64, height_px=48)
    with closing(Library.open(tmp_path / "library")) as library:
        n_clips, found = measure_film(HashEncoder(), film, library)
        (video,) = library.videos()
        assert n_clips == len(library.clips(video.video_id).spans) >= len(script.shots)
    things = {group.pair for shot in script.shots for group in shot.scene.groups}
    places = {shot.scene.place for shot in script.shots}
    assert found.n_present == len(things) + len(places)
    assert found.n_absent == len(ALL_PAIRS) + len(PLACES) - found.n_present
    assert 0 < found.mean_average_precision < 1


def test_a_film_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(b"no film")
    library = Library.open(tmp_path / "library")
    with closing(library), pytest.raises(MediaError, match=r"film\.mp4"):
        measure_film(HashEncoder(), film, library)


def test_the_mean_of_the_precisions_has_an_interval() -> None:
    few = ShortQueries((1.0, 0.5, 0.75, 0.75), 0.5, 3)
    # s = 0.2041 over four: 0.75 ± 1.96 · 0.2041 / 2.
    assert (few.n_present, few.mean_average_precision) == (4, 0.75)
    assert few.mean_interval() == pytest.approx((0.55, 0.95), abs=1e-3)
    sure = ShortQueries((1.0, 1.0, 0.9), 0.5, 3)
    assert sure.mean_interval()[1] == 1.0


def test_the_interval_of_an_ece_is_the_wider_the_fewer_were_asked() -> None:
    p_yes, truth = (0.9, 0.9, 0.1, 0.1, 0.6), (True, False, False, False, True)
    few = Judged(p_yes * 4, truth * 4, ("count",) * 20, ("",) * 20)
    more = Judged(p_yes * 40, truth * 40, ("count",) * 200, ("",) * 200)
    widths = [high - low for low, high in (few.ece_interval(), more.ece_interval())]
    assert widths[0] > 2 * widths[1] > 0
    low, high = more.ece_interval()
    assert low <= more.ece() <= high


def test_nothing_is_in_an_empty_shot_and_half_of_the_questions_name_its_place(
    tmp_path: Path,
) -> None:
    pool = make_pool(tmp_path, scene=empty_scene, n_clips=6, n_frames=8, seed=3)
    assert not any(clip.scene.groups for clip in pool.clips)
    videollm = ScriptedVideoLLM()
    got = measure_empty(videollm, pool, n=12, seed=1)
    assert got.truth == (False,) * 12
    assert [miss == EMPTY_PLACE for miss in got.misses] == [True, False] * 6
    places = {PLACE_PHRASES[clip.scene.place] for clip in pool.clips}
    for call, miss in zip(videollm.calls, got.misses, strict=True):
        named = any(place in str(call.prompt.parts[-1]) for place in places)
        assert named == (miss == EMPTY_PLACE)
    judged = Judged((0.9,), (True,), ("count",), ("",)).and_also(got)
    assert len(judged.missed(EMPTY).truth) == 7


def test_order_is_asked_over_three_clips_too(folder: Path) -> None:
    pool = make_pool(folder, scene=unseen_scene, n_clips=24, n_frames=8, seed=3)
    for context, branch in makers(random.Random(2), pool)["order of three"].cases(20):
        assert len(context.views) == 3
        starts = [view.times_s[0] for view in context.views]
        assert starts == sorted(starts)
        shown = [thing(scene.groups[0]) for scene in context.scenes if len(scene.groups) == 1]
        assert branch.reply in shown


def test_over_a_look_that_shows_the_answer_nothing_is_to_be_asked_for(folder: Path) -> None:
    pool = make_pool(folder, scene=unseen_scene, n_clips=24, n_frames=8, seed=3)
    for reply, right in (("none", "1.00"), ("<span>1 - 4</span><fps>2</fps>", "0.00")):
        videollm = ScriptedVideoLLM(reply_script=lambda prompt, clips, said=reply: said)
        got = measure_requests(videollm, pool, n=2, seed=1)
        assert got.n(f"{ANSWERED}: none", "true") == 2
        assert got.cell(f"{ANSWERED}: none", "true").startswith(right)


def test_actions_that_order_tells_are_a_row_of_their_own(folder: Path) -> None:
    pool = make_pool(folder, scene=unseen_scene, n_clips=24, n_frames=8, seed=3)
    sorts = {"moves left": "order tells", "grow": "order tells", "spin": "a frame shows"}
    for said, sort in sorts.items():
        videollm = ScriptedVideoLLM(reply_script=lambda prompt, clips, said=said: said)
        got = measure_replies(videollm, pool, n=20, seed=1)
        rows = [f"one clip: action that {each}" for each in ("order tells", "a frame shows")]
        assert all(got.n(row, "true") > 3 for row in rows)
        right = [any(got.right[row, "true"]) for row in rows]
        assert right == [row.endswith(sort) for row in rows]
        assert [chance(row) for row in rows] == ["0.10", "0.10"]


def test_frames_are_drawn_anew_as_the_clip_has_them(folder: Path) -> None:
    pool = make_pool(folder, scene=unseen_scene, n_clips=24, n_frames=8, seed=3)
    rng = random.Random(4)
    view = look(rng, pool_source(pool), n_pairs=4, start_s=100.0)
    (there,) = clips_of(pool, [view], rng=rng)
    size = (view.rows, view.columns)
    (anew,) = clips_of(pool, [view], rng=rng, form=Form(cells=size, drawn=True))
    assert anew.times_s == pytest.approx(there.times_s)
    assert anew.pixels.shape == there.pixels.shape
    # Noise, a coder's losses and scaling are between them, other frames are further off.
    apart = np.abs(anew.pixels.astype(int) - there.pixels).mean(axis=(1, 2, 3))
    assert apart.max() < 16 < np.abs(anew.pixels.astype(int) - 128).mean()
    (sparse,) = clips_of(pool, [view], rng=rng, form=Form(fps=0.5))
    assert sparse.times_s == pytest.approx([100.0 + 2 * k for k in range(8)])
    assert np.abs(sparse.pixels[0].astype(int) - there.pixels[0]).mean() < 16


def test_shuffled_clips_come_in_another_order() -> None:
    rng = random.Random(4)
    views = [look(rng, fresh_take, n_pairs=2, start_s=start_s) for start_s in (5.0, 60.0, 200.0)]
    for _ in range(20):
        turned = in_another_order(views, rng)
        assert sorted(v.takes[0].clip.start_s for v in turned) == sorted(
            v.takes[0].clip.start_s for v in views
        )
        assert [v.takes for v in turned] != [v.takes for v in views]
        times_s = [time_s for view in turned for time_s in view.times_s]
        assert times_s == sorted(times_s)
        assert times_s[0] == 5.0
    assert in_another_order(views[:1], rng) == views[:1]


def test_only_the_pairs_of_a_pool_are_asked_about(folder: Path) -> None:
    pool = make_pool(folder, scene=unseen_scene, n_clips=24, n_frames=8, seed=3)
    pairs = {clip.scene.groups[0].pair for clip in pool.clips[:6]}
    for name in ("one clip", "named by colour", "strip of 16", ANSWERED):
        asked = makers(random.Random(2), pool, pairs=pairs)[name].cases(20)
        found = {branch.about for _, branch in asked}
        assert found - {None} <= pairs
        assert len(found) > 1
    videollm = ScriptedVideoLLM()
    got = measure_reflections(videollm, pool, n=12, seed=1, pairs=pairs, condition="no frames")
    assert len(got.truth) == 12
    assert not any(call.clips for call in videollm.calls)


def test_controls_ask_the_same_yes_or_no_questions(folder: Path) -> None:
    pool = make_pool(folder, scene=unseen_scene, n_clips=24, n_frames=8, seed=3)
    asked = []
    for condition in ("true", "other", "shuffled", "no frames"):
        videollm = ScriptedVideoLLM()
        measure_reflections(videollm, pool, n=8, seed=1, condition=condition)
        asked.append([call.prompt.parts[-1] for call in videollm.calls])
    assert asked[0] == asked[1] == asked[2] == asked[3]
