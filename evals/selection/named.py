"""Every selection by its name."""

from __future__ import annotations

from agent.settings import AskSettings
from evals.selection.f2c import f2c
from evals.selection.focus import focus
from evals.selection.frames import aks, bolt, date, topk, uniform
from evals.selection.mdp3 import mdp3
from evals.selection.ours import key_clips, look_order
from evals.selection.sheet import Picker, Selection, by_seconds
from evals.selection.tstar import tstar

PICKERS: dict[str, Picker] = {
    "uniform": uniform,
    "topk": topk,
    "bolt": bolt,
    "aks": aks,
    "date": date,
    "mdp3": mdp3,
    "focus": focus,
    "tstar": tstar,
}
"""Those that show ordinary moments at single seconds."""
BASELINES = (*PICKERS, "f2c-fixed", "f2c", "keyclips")
"""Everything that answers from one prompt."""
SELECTIONS = ("spotlight", *BASELINES)
"""What can be measured without a VideoLLM. Of "spotlight" it is the order of its looks."""


def selection_named(name: str, settings: AskSettings) -> Selection:
    """The selection of a name in SELECTIONS; `settings` are those of ours."""
    if name in PICKERS:
        return by_seconds(PICKERS[name])
    if name.startswith("f2c"):
        return f2c(adaptive=name == "f2c")
    return key_clips(settings) if name == "keyclips" else look_order(settings)
