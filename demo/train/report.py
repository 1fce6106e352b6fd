"""The report on the embedded models, written beside their weights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from agent.models import open_models
from demo.train.measure import CONDITIONS, Tally, measure_reflections, measure_replies
from demo.train.pool import Pool
from demo.train.retrieval import measure_retrieval
from index.encoder import Encoder

SEED = 77
_HEAD = """# What the embedded models can do

Written by `python -m demo.train --only report`. Everything is measured through the path that any
checkpoint takes (names, prompts, processor), on backgrounds that training never showed; "held-out
pairs" are colours and kinds that training never showed together. A reply counts when it is exactly
right. In brackets: Wilson's 95 % interval. Controls: "blank" shows grey frames, "other" the frames
of another clip, under the same question and times; what stays right there was guessed.
"""


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
        tally = measure_replies(models.videollm, pool, n=n, seed=SEED)
        lines += [f"## VideoLLM, {name}", "", *_table(tally), ""]
        lines += ["Is the evidence in these frames?", ""]
        for condition in CONDITIONS:
            got = measure_reflections(
                models.videollm, pool, n=4 * n, seed=SEED, condition=condition
            )
            lines.append(f"- {condition} frames: AUC {got.auc():.3f} ({len(got.truth)} questions)")
        lines.append("")
    (weights / "REPORT.md").write_text("\n".join(lines).rstrip() + "\n")


def _retrieval(encoder: Encoder, pools: Mapping[str, Pool]) -> list[str]:
    lines = ["| clips | captions | R@1 | R@5 | queries | mAP | absent AUC |", "|---" * 7 + "|"]
    for name, pool in pools.items():
        r = measure_retrieval(encoder, pool)
        lines.append(
            f"| {name} | {r.n_captions} | {r.recall_at_1:.2f} | {r.recall_at_5:.2f} "
            f"| {r.n_queries} | {r.mean_average_precision:.2f} | {r.absent_auc:.2f} |"
        )
    return lines


def _table(tally: Tally) -> list[str]:
    lines = ["| task | n | true frames | blank | other clip |", "|---" * 5 + "|"]
    for task in sorted(tally.tasks()):
        cells = " | ".join(tally.cell(task, condition) for condition in CONDITIONS)
        lines.append(f"| {task} | {tally.asked[task, 'true']} | {cells} |")
    return lines


def _size_mb(folder: Path) -> float:
    return sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()) / 1e6
