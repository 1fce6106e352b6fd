"""The report on the embedded models, written beside their weights."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from agent.models import open_models
from agent.videollm import VideoLLM
from demo.train.judging import (
    EMPTY,
    EMPTY_PLACE,
    FAR_MISS,
    Judged,
    measure_empty,
    measure_reflections,
)
from demo.train.measure import (
    AS_TRAINED,
    REPLY_CONDITIONS,
    REQUEST_CONDITIONS,
    Tally,
    chance,
    look_seconds,
    measure_captions,
    measure_choices,
    measure_forms,
    measure_replies,
    measure_requests,
    points_ahead,
    with_interval,
)
from demo.train.pool import Pool
from demo.train.retrieval import ShortQueries, measure_film, measure_retrieval
from demo.truth import load_truth
from demo.world import Pair
from evals.metrics import share
from index.encoder import Encoder
from index.library import Library

SEED = 77
_HEAD = """# What the embedded models can do

Written by the stage "report" of `python -m demo.train`, with n = {n}: so many questions are drawn
for a group of tasks, or a multiple of it, and a task has what the draw gave it. Everything is
measured through the path that any checkpoint takes (names, prompts in their own words, processor),
on backgrounds that training never showed; "held-out pairs" are colours and kinds that training
never showed together: there only they are asked about. The clips were drawn for this report; no
version was chosen by them. A reply counts when it is exactly right. In brackets: the 95 % interval,
of shares Wilson's, of an AUC by Hanley and McNeil's variance, of a mean by its standard error, of
an ECE that of resampled questions, which few questions make too high, of differences that of the
paired questions. Controls: "blank" shows grey frames, "other" the frames of another
clip, "shuffled" the true frames of each clip in a random order, and several clips in another one,
under the same question, "no frames" the question alone; what stays right there was guessed. Some
actions show in any frame or two (blinks, bounces, spins, stays still). Of a direction, and of an
action that order tells (moves, grows, shrinks), shuffled frames still show the axis, or that the
size changes, and leave two replies open. "Chance" is one of the replies that questions of this kind
have. "Order" asks over two shots of one clip what comes before or after the one: whoever names the
other is right. "Order of three" asks over three clips. Frames 320 and 448 px wide are enlarged from
240 where nothing else is said. Training answers each request over a look with "none": that nothing
is asked for there shows only that a look is not taken for a strip.
"""
_ABOUT_CLIP = """\
Over single frames, one of each clip; of the film over its clips as they are indexed. R@1 and R@5:
the share of the captions whose own clip's frame is the nearest, or among the nearest five. mAP: of
the short queries ("a red boat", "a scene on the beach") that match something here ("present").
Absent AUC: the chance that such a query's best score is above that of a query that matches nothing
here ("absent")."""

Measured = tuple[Pool, Collection[Pair]]
"""Clips, and the colours and kinds that are asked about."""
_SUBJECTS: dict[str, Callable[[str], bool]] = {
    "things named by their colour": lambda kind: kind != "attribute",
    "things named by their place": lambda kind: kind == "attribute",
}


def write_report(
    weights: Path, pools: Mapping[str, Measured], *, empty: Pool, film: Path, n: int
) -> None:
    """Measures a pair and writes REPORT.md beside it.

    Args:
        weights: the folder with `clip` and `vlm`.
        pools: clips to measure on, by what is special about them.
        empty: clips that show nothing but a place.
        film: a rendered film with its truth.
        n: questions a task.
    """
    models = open_models(str(weights / "vlm"), encoder=f"local-dir:{weights / 'clip'}")
    sizes = {part: _size_mb(weights / part) for part in ("clip", "vlm")}
    together = f"together {sum(sizes.values()):.1f} MB"
    lines = [_HEAD.format(n=n)]
    lines += [
        f"Sizes: CLIP {sizes['clip']:.1f} MB, VideoLLM {sizes['vlm']:.1f} MB, {together}.",
        "",
    ]
    lines += ["## CLIP", "", _ABOUT_CLIP, "", *_retrieval(models.encoder, pools, film), ""]
    # Nothing is in them, so of no pool more than of another: judged once.
    denied = measure_empty(models.videollm, empty, n=4 * n, seed=SEED)
    for name, measured in pools.items():
        lines += _one_pool(models.videollm, name, measured, denied, n=n)
    (weights / "REPORT.md").write_text("\n".join(lines).rstrip() + "\n")


def _one_pool(
    videollm: VideoLLM, name: str, measured: Measured, denied: Judged, *, n: int
) -> list[str]:
    pool, pairs = measured
    replies = measure_replies(videollm, pool, n=n, seed=SEED, pairs=pairs)
    captions = measure_captions(videollm, pool, n=n, seed=SEED, pairs=pairs)
    requests = measure_requests(videollm, pool, n=n, seed=SEED, pairs=pairs)
    choices = measure_choices(videollm, pool, n=n, seed=SEED, pairs=pairs)
    forms = measure_forms(videollm, pool, n=4 * n, seed=SEED, pairs=pairs)
    lines = [f"## VideoLLM, {name}", "", *_table(replies, REPLY_CONDITIONS, more=chance), ""]
    lines += ["What the captions say of each thing shown:", ""]
    lines += [*_table(captions, ("said",)), ""]
    lines += [
        "Requests over strips of 16, 32 and 64 frames (tIoU ≥ 0.3 or all evidence inside), "
        "and over a look that shows the answer already (nothing asked for):",
        "",
    ]
    lines += [*_table(requests, REQUEST_CONDITIONS), ""]
    lines += ["One clip, open or as a choice of four:", ""]
    lines += [*_table(choices, ("open", "by text", "by letter")), "", _all_kinds(choices), ""]
    lines += ["One clip in other forms; the same questions in each row:", "", *_forms(forms), ""]
    lines += ["Is the evidence in these frames?", ""]
    lines += _reflections(videollm, measured, denied, n=n)
    seconds = look_seconds(videollm, pool, n=15, seed=SEED)
    return [*lines, "", f"An answer over 16 frames of 160 × 96: {seconds:.2f} s (median).", ""]


def _forms(forms: Tally) -> list[str]:
    trained = forms.right[AS_TRAINED, "right"]
    lines = [f"| form | n | right | against {AS_TRAINED} |", "|---|---|---|---|"]
    for form in forms.tasks():
        ahead = points_ahead(forms.right[form, "right"], trained) if form != AS_TRAINED else "–"
        n, cell = forms.n(form, "right"), forms.cell(form, "right")
        lines.append(f"| {form} | {n} | {cell} | {ahead} |")
    return lines


def _all_kinds(choices: Tally) -> str:
    """Open questions against the same as a choice."""
    rights = {condition: choices.over_all(condition) for condition in ("open", "by text")}
    totals = [f"{c} {with_interval(share(sum(r), len(r)))}" for c, r in rights.items()]
    ahead = points_ahead(rights["by text"], rights["open"])
    n = len(rights["open"])
    return f"All kinds, {n} questions: {', '.join(totals)}; by text against open: {ahead}."


def _reflections(videollm: VideoLLM, measured: Measured, denied: Judged, *, n: int) -> list[str]:
    """`denied`: empty shots, judged."""
    pool, pairs = measured
    got = measure_reflections(videollm, pool, n=20 * n, seed=SEED, pairs=pairs)
    with_empty = got.and_also(denied)
    lines = [f"- true frames: {_auc(got)}"]
    lines += [f"  - {of}: {_auc(got.of(keep))}" for of, keep in _SUBJECTS.items()]
    drawn = sorted({miss for miss in got.misses if miss})
    lines += [
        f"  - against near misses drawn as {miss}: {_auc(got.missed(miss))}" for miss in drawn
    ]
    lines += [
        f"  - against {miss}: {_auc(with_empty.missed(miss))}" for miss in (EMPTY, EMPTY_PLACE)
    ]
    later = got.calibrated()
    parts = {
        "all": later,
        "there or a near miss": later.near(),
        f"there or {FAR_MISS}": later.missed(FAR_MISS),
    }
    eces = [f"{name} {_ece(some)}" for name, some in parts.items()]
    lines.append(f"  - ECE of the second half, calibrated on the first: {', '.join(eces)}")
    controls = {"blank frames": "blank", "other frames": "other", "no frames": "no frames"}
    for name, condition in controls.items():
        some = measure_reflections(
            videollm, pool, n=8 * n, seed=SEED, condition=condition, pairs=pairs
        )
        lines.append(f"- {name}: {_auc(some)}")
    return lines


def _ece(judged: Judged) -> str:
    low, high = judged.ece_interval()
    return f"{judged.ece():.3f} [{low:.3f}, {high:.3f}] ({len(judged.truth)})"


def _auc(judged: Judged) -> str:
    low, high = judged.auc_interval()
    n_yes = sum(judged.truth)
    n_no = len(judged.truth) - n_yes
    return f"AUC {judged.auc():.3f} [{low:.3f}, {high:.3f}] ({n_yes} yes, {n_no} no)"


def _retrieval(encoder: Encoder, pools: Mapping[str, Measured], film: Path) -> list[str]:
    heads = ("clips", "captions", "R@1", "R@5", "present", "mAP", "absent", "absent AUC")
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for name, (pool, _) in pools.items():
        r = measure_retrieval(encoder, pool)
        recalls = (with_interval(r.recall_at_1), with_interval(r.recall_at_5))
        lines.append(_retrieved(name, str(r.recall_at_1.n), recalls, r.short))
    # Its vectors are of these weights alone, so its library is of this report alone.
    with TemporaryDirectory() as folder, closing(Library.open(Path(folder))) as library:
        n_clips, short = measure_film(encoder, film, library)
    minutes = load_truth(film).duration_s / 60
    lines.append(_retrieved(f"{n_clips} of a film of {minutes:g} minutes", "–", ("–", "–"), short))
    return lines


def _retrieved(name: str, n: str, recalls: tuple[str, str], short: ShortQueries) -> str:
    (low, high), (least, most) = short.absent_interval(), short.mean_interval()
    cells = (
        *(name, n, *recalls, str(short.n_present)),
        f"{short.mean_average_precision:.2f} [{least:.2f}, {most:.2f}]",
        *(str(short.n_absent), f"{short.absent_auc:.2f} [{low:.2f}, {high:.2f}]"),
    )
    return f"| {' | '.join(cells)} |"


def _table(
    tally: Tally, columns: Sequence[str], *, more: Callable[[str], str] | None = None
) -> list[str]:
    """Rows of tasks; `more`: what stands in a last column, "chance"."""
    names = [*columns, "chance"] if more else list(columns)
    lines = [f"| task | n | {' | '.join(names)} |", "|---" * (2 + len(names)) + "|"]
    for task in sorted(tally.tasks()):
        cells = [tally.cell(task, column) for column in columns]
        cells += [more(task)] if more else []
        lines.append(f"| {task} | {tally.n(task, columns[0])} | {' | '.join(cells)} |")
    return lines


def _size_mb(folder: Path) -> float:
    return sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()) / 1e6
