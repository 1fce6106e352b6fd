"""The report on the embedded models, written beside their weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from agent.models import open_models
from agent.videollm import VideoLLM
from demo.train.judging import measure_reflections
from demo.train.measure import (
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
)
from demo.train.pool import Pool
from demo.train.retrieval import measure_retrieval
from index.encoder import Encoder

SEED = 77
_HEAD = """# What the embedded models can do

Written by `python -m demo.train --only report`. Everything is measured through the path that any
checkpoint takes (names, prompts, processor), on backgrounds that training never showed; "held-out
pairs" are colours and kinds that training never showed together. A reply counts when it is exactly
right. In brackets: Wilson's 95 % interval. Controls: "blank" shows grey frames, "other" the frames
of another clip, "shuffled" the true frames in another order, under the same question and times, "no
frames" the question alone; what stays right there was guessed. "Chance" is one of the replies that
questions of this kind have.
"""

_SUBJECTS: dict[str, Callable[[str], bool]] = {
    "things named by their colour": lambda kind: kind != "attribute",
    "things named by their place": lambda kind: kind == "attribute",
}


def write_report(weights: Path, pools: Mapping[str, Pool], *, n: int) -> None:
    """Measures a pair and writes REPORT.md beside it.

    Args:
        weights: the folder with `clip` and `vlm`.
        pools: clips to measure on, by what is special about them.
        n: questions a task.
    """
    models = open_models(str(weights / "vlm"), encoder=f"local-dir:{weights / 'clip'}")
    sizes = {part: _size_mb(weights / part) for part in ("clip", "vlm")}
    lines = [_HEAD, f"Sizes: CLIP {sizes['clip']:.1f} MB, VideoLLM {sizes['vlm']:.1f} MB.", ""]
    lines += ["## CLIP", "", *_retrieval(models.encoder, pools), ""]
    for name, pool in pools.items():
        lines += _one_pool(models.videollm, name, pool, n=n)
    (weights / "REPORT.md").write_text("\n".join(lines).rstrip() + "\n")


def _one_pool(videollm: VideoLLM, name: str, pool: Pool, *, n: int) -> list[str]:
    size = {"n": n, "seed": SEED}
    replies = measure_replies(videollm, pool, **size)
    lines = [f"## VideoLLM, {name}", "", *_table(replies, REPLY_CONDITIONS, more=chance), ""]
    lines += ["What the captions name:", ""]
    lines += [*_table(measure_captions(videollm, pool, **size), ("said",)), ""]
    lines += [
        "Requests over strips of 16, 32 and 64 frames (tIoU ≥ 0.3 or all evidence inside):",
        "",
    ]
    lines += [*_table(measure_requests(videollm, pool, **size), REQUEST_CONDITIONS), ""]
    lines += ["One clip, open or as a choice of four:", ""]
    columns = ("open", "by text", "by letter")
    lines += [*_table(measure_choices(videollm, pool, **size), columns), ""]
    lines += ["One clip in other forms; the same questions in each row but those of the fps:", ""]
    forms = measure_forms(videollm, pool, n=4 * n, seed=SEED)
    lines += [*_table(forms, ("right",)), ""]
    lines += ["Is the evidence in these frames?", ""]
    for condition in ("true", "blank", "other"):
        n_judged = 20 * n if condition == "true" else 8 * n
        got = measure_reflections(videollm, pool, n=n_judged, seed=SEED, condition=condition)
        calibrated = f", ECE {got.calibrated_ece():.3f} when calibrated on its first half"
        words = calibrated if condition == "true" else ""
        lines.append(
            f"- {condition} frames: AUC {got.auc():.3f} ({len(got.truth)} questions){words}"
        )
        if condition == "true":
            for of, keep in _SUBJECTS.items():
                some = got.of(keep)
                lines.append(f"  - {of}: AUC {some.auc():.3f} ({len(some.truth)} questions)")
            for miss in sorted({m for m in got.misses if m}):
                some = got.missed(miss)
                n_near = len(some.truth) - sum(some.truth)
                lines.append(
                    f"  - against near misses drawn as {miss}: AUC {some.auc():.3f} ({n_near})"
                )
    seconds = look_seconds(videollm, pool, n=15, seed=SEED)
    return [*lines, "", f"An answer over 16 frames of 160 × 96: {seconds:.2f} s (median).", ""]


def _retrieval(encoder: Encoder, pools: Mapping[str, Pool]) -> list[str]:
    lines = ["| clips | captions | R@1 | R@5 | queries | mAP | absent AUC |", "|---" * 7 + "|"]
    for name, pool in pools.items():
        r = measure_retrieval(encoder, pool)
        lines.append(
            f"| {name} | {r.n_captions} | {r.recall_at_1:.2f} | {r.recall_at_5:.2f} "
            f"| {r.n_queries} | {r.mean_average_precision:.2f} | {r.absent_auc:.2f} |"
        )
    return lines


def _table(
    tally: Tally, columns: Sequence[str], *, more: Callable[[str], str] | None = None
) -> list[str]:
    """Rows of tasks; `more`: what stands in a last column, "chance"."""
    names = [*columns, "chance"] if more else list(columns)
    lines = [f"| task | n | {' | '.join(names)} |", "|---" * (2 + len(names)) + "|"]
    for task in sorted(tally.tasks()):
        cells = [tally.cell(task, column) for column in columns]
        cells += [more(task)] if more else []
        lines.append(f"| {task} | {tally.asked[task, columns[0]]} | {' | '.join(cells)} |")
    return lines


def _size_mb(folder: Path) -> float:
    return sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()) / 1e6
