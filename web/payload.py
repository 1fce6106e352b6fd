"""What the command line gives as JSON: stable names, half-open float seconds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from agent.lineage import lineage_of
from agent.trace import step_to_json
from agent.types import Answer
from index.build import BuildReport
from index.run_rows import RunRow, StepRow
from index.stats import LibraryStats, VideoStats
from index.types import Video

if TYPE_CHECKING:
    from index.doctor import Check


def seconds(value_s: float) -> float:
    """A time as it stands in JSON: to the millisecond."""
    return round(value_s, 3)


def video_to_json(video: Video) -> dict[str, Any]:
    facts = asdict(video.facts)
    return {
        "video_id": video.video_id,
        "path": str(video.path),
        "content_hash": video.content_hash,
        **facts,
        "duration_s": seconds(video.facts.duration_s),
        "fps": round(video.facts.fps, 3),
        "notes": list(video.facts.notes),
    }


def report_to_json(report: BuildReport) -> dict[str, Any]:
    """What an indexing run did."""
    return {
        "indexed": [video_to_json(video) for video in report.indexed],
        "unchanged": [video_to_json(video) for video in report.unchanged],
        "copies": [
            {"path": str(each.path), "video_id": each.video.video_id} for each in report.copies
        ],
        "failures": [
            {"path": str(each.path), "error": each.message, "hint": each.hint}
            for each in report.failures
        ],
        "words": [
            {
                "video_id": each.video.video_id,
                "lines": dict(each.counts),
                "tracks": list(each.tracks),
                "problems": list(each.problems),
                "changed": each.changed,
            }
            for each in report.words
        ],
        "seconds": seconds(report.seconds),
    }


def stats_to_json(stats: LibraryStats, runs: Mapping[str, int]) -> dict[str, Any]:
    """A library in figures; `runs` counts its runs by status."""
    return {
        "library": str(stats.folder),
        "encoder": stats.encoder,
        "n_videos": len(stats.videos),
        "duration_s": seconds(stats.duration_s),
        "size_bytes": stats.size_bytes,
        "runs": dict(runs),
        "videos": [_video_stats(each) for each in stats.videos],
    }


def checks_to_json(checks: Sequence[Check]) -> list[dict[str, str]]:
    """The doctor's findings."""
    return [
        {"name": c.name, "status": c.status, "detail": c.detail, "hint": c.hint} for c in checks
    ]


def runs_to_json(runs: Iterable[RunRow]) -> list[dict[str, Any]]:
    """Runs without their steps."""
    return [_run(run) for run in runs]


def trace_to_json(
    run: RunRow, steps: Sequence[StepRow], answer: Answer | None, *, video: Video | None = None
) -> dict[str, Any]:
    """A whole run: what was asked, every step, the answer where it has ended.

    Args:
        video: the film, where the library still has it.
    """
    return {
        **_run(run),
        "film": _film(video),
        "settings": run.settings,
        "steps": [step_to_json(step) for step in steps],
        "answer": answer.to_json() if answer else None,
        "parent": parent_to_json(run),
        "own_prompts": run.own_prompts,
        "lineage": lineage_of(run, steps, answer),
    }


def _run(run: RunRow) -> dict[str, Any]:
    return {
        "id": run.run_id,
        "video_id": run.video_id,
        "video": run.video_path,
        "content_hash": run.video_hash,
        "question": run.question,
        "options": list(run.options),
        "status": run.status,
        "stop_reason": run.stop_reason,
        "kind": run.answer.get("kind"),
        "reply": run.answer.get("answer"),
        "confidence": run.answer.get("confidence"),
        "usage": run.answer.get("usage"),
        "started_at": run.started_at,
        "models": run.models,
    }


def _film(video: Video | None) -> dict[str, Any]:
    """What a player needs to know of a film; a film that left the library is only "gone"."""
    if video is None:
        return {"in_library": False}
    return {
        "in_library": True,
        "video_id": video.video_id,
        "duration_s": seconds(video.facts.duration_s),
        "container_start_s": video.facts.container_start_s,
        "width_px": video.facts.width_px,
        "height_px": video.facts.height_px,
    }


def parent_to_json(run: RunRow) -> dict[str, Any] | None:
    """Where a forked run comes from."""
    if run.parent_id is None:
        return None
    return {"run": run.parent_id, "from_step": run.fork_step, "changes": run.fork_changes}


def _video_stats(stats: VideoStats) -> dict[str, Any]:
    return {
        **video_to_json(stats.video),
        "n_shots": stats.n_shots,
        "n_clips": stats.n_clips,
        "strip_bytes": stats.strip_bytes,
        "words": dict(stats.words),
    }
