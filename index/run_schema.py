"""The tables of runs in the library's database, as numbered migrations of their own."""

from __future__ import annotations

from typing import Any

from sqlite_utils import Migrations

from index.transactions import writing

run_migrations = Migrations("longshot-runs")


def migrate(db: Any) -> None:
    """Bring the tables of runs up to date; of two processes at once the second finds it done."""
    if run_migrations.pending(db):
        with writing(db):
            run_migrations.apply(db)


def _m001_runs(db: Any) -> None:
    db["runs"].create(
        {
            "run_id": str,
            "video_id": int,
            "video_hash": str,
            "video_path": str,
            "question": str,
            "options": str,
            "models": str,
            "settings": str,
            "question_key": str,
            "started_at": str,
            "process_id": int,
            "status": str,
            "stop_reason": str,
            "answer": str,
        },
        pk="run_id",
    )
    db["runs"].create_index(["question_key", "status"])
    db["runs"].create_index(["video_hash"])
    db["steps"].create(
        {
            "run_id": str,
            "step_index": int,
            "node": str,
            "why": str,
            "calls": str,
            "belief_before": str,
            "belief_after": str,
            "absent_after": float,
            "usage": str,
            "data": str,
        },
        pk=("run_id", "step_index"),
    )
    db["looks"].create(
        {
            "run_id": str,
            "look_id": str,
            "step_index": int,
            "start_s": float,
            "end_s": float,
            "times_s": str,
            "width_px": int,
            "height_px": int,
            "tokens": int,
            "why": str,
        },
        pk=("run_id", "look_id"),
    )
    db["findings"].create(
        {
            "run_id": str,
            "finding_id": str,
            "step_index": int,
            "look_id": str,
            "start_s": float,
            "end_s": float,
            "p_yes": float,
            "confidence": float,
            "text": str,
        },
        pk=("run_id", "finding_id"),
    )
    db["citations"].create(
        {
            "run_id": str,
            "position": int,
            "start_s": float,
            "end_s": float,
            "what": str,
            "look_id": str,
        },
        pk=("run_id", "position"),
    )
    db["thumbnails"].create(
        {"run_id": str, "look_id": str, "time_s": float, "jpeg": bytes},
        pk=("run_id", "look_id", "time_s"),
    )
    db["calibrations"].create(
        {
            "model_hash": str,
            "prompt_hash": str,
            "temperature": float,
            "bias": float,
            "fitted_at": str,
        },
        pk=("model_hash", "prompt_hash"),
    )


def _m002_lineage(db: Any) -> None:
    """What leads from an answer to the pixels, and from a forked run to its parent."""
    runs = db["runs"]
    runs.add_column("parent_id", str)
    runs.add_column("fork_step", int)
    runs.add_column("fork_changes", str, not_null_default="{}")
    runs.add_column("own_prompts", str, not_null_default="{}")
    runs.create_index(["parent_id"])
    db["steps"].add_column("started_at", str, not_null_default="")
    looks = db["looks"]
    looks.add_column("source", str, not_null_default="")
    looks.add_column("sampling", str, not_null_default="")
    looks.add_column("started_at", str, not_null_default="")
    looks.add_column("seconds", float, not_null_default=0.0)
    looks.add_column("pixel_hashes", str, not_null_default="[]")


def _m003_fits(db: Any) -> None:
    """Fits of a confidence, every version kept, in place of one calibration for each model."""
    db["calibrations"].drop(ignore=True)
    db["fits"].create(
        {
            "model_hash": str,
            "prompt_hash": str,
            "stage": str,
            "version": int,
            "fit": str,
            "n_with": int,
            "n_without": int,
            "source": str,
            "fitted_at": str,
        },
        pk=("model_hash", "prompt_hash", "stage", "version"),
        not_null={"fit", "source", "fitted_at"},
    )


# Called, not used as decorators: the library has no types for them.
run_migrations()(_m001_runs)
run_migrations()(_m002_lineage)
run_migrations()(_m003_fits)
