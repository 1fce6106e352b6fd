"""What this machine can run: the index's own checks, and which models fit it and are here."""

from __future__ import annotations

from pathlib import Path

from agent.models import (
    DEMO_FOLDER,
    TIERS,
    Tier,
    choose_tier,
    find_hardware,
    pair_is_here,
)
from index.doctor import Check, examine


def examine_all(library_folder: Path) -> list[Check]:
    """Everything that is needed, with what to do where it is not there."""
    needed = examine(library_folder)
    missing = {check.name for check in needed if check.status == "missing"}
    if missing & {"torch", "transformers", "open_clip_torch"}:
        return needed  # Without these nothing can be said of models.
    chosen = choose_tier(find_hardware().gpu_gb)
    return [
        *needed,
        *(_tier(tier, is_chosen=tier is chosen) for tier in TIERS),
        _demo(),
    ]


def _tier(tier: Tier, *, is_chosen: bool) -> Check:
    """A row of the table that `--models auto` chooses from."""
    here = pair_is_here(tier)
    size = f"from {tier.min_gpu_gb:g} GB of GPU memory" if tier.min_gpu_gb else "any machine"
    detail = ", ".join(
        (
            f"{tier.encoder} and {tier.videollm}",
            size,
            "on this machine" if here else "not on this machine",
            *(["what --models auto takes here"] if is_chosen else []),
        )
    )
    missing = is_chosen and not here
    return Check(
        f"models {tier.name}",
        "warn" if missing else "ok",
        detail,
        hint="they are downloaded when first used, or name a folder: --models" if missing else "",
    )


def _demo() -> Check:
    folders = [DEMO_FOLDER / "clip", DEMO_FOLDER / "vlm"]
    if all(folder.is_dir() for folder in folders):
        return Check("models demo", "ok", "here; they know only the demo world", hint="")
    return Check("models demo", "warn", f"not in {DEMO_FOLDER}", hint="make them: make models")
