"""A run that goes on from a step of another: its row, and the state it starts from.

The state comes from the parent's checkpoints, which stay after its end. What the parent had spent
by then counts as spent, so a budget is always that of the whole question.
"""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from agent.config import BudgetLimits
from agent.own_prompts import prompt_hash
from agent.presets import settings_of, with_budget
from agent.settings import AskSettings
from agent.state import State
from agent.videollm import Capabilities
from index.errors import InputError
from index.run_rows import RunRow, StepRow


@dataclass(frozen=True, slots=True)
class ForkPlan:
    """From where to go on, and what to change."""

    from_step: int
    """The first step that is taken anew."""
    budget: BudgetLimits = field(default_factory=BudgetLimits)
    """Limits to change."""
    prompts: Mapping[str, str] = field(default_factory=dict)
    """Texts in the place of the program's prompts, by name."""


def forked_run(parent: RunRow, plan: ForkPlan, *, models: Mapping[str, str]) -> RunRow:
    """The row of the new run, with what it changes.

    The same fork of the same parent has the same `question_key`, so that one left unfinished is
    continued, and no ordinary question ever is.

    Raises:
        InputError: another version of the program began the parent.
    """
    old = settings_of(parent)
    settings = with_budget(old, **plan.budget.model_dump())
    prompts = {**parent.own_prompts, **plan.prompts}
    changes = _changes(parent, settings, models, plan.prompts)
    identity = [parent.run_id, plan.from_step, asdict(settings), dict(models), prompts]
    key = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:32]
    return replace(
        parent,
        run_id=uuid.uuid4().hex[:12],
        models=dict(models),
        settings=asdict(settings),
        question_key=key,
        started_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
        process_id=os.getpid(),
        status="running",
        stop_reason="",
        answer={},
        parent_id=parent.run_id,
        fork_step=plan.from_step,
        fork_changes=changes,
        own_prompts=prompts,
    )


def state_before(graph: Any, parent: RunRow, steps: Sequence[StepRow], step_index: int) -> State:
    """The parent's state right before a step.

    Raises:
        InputError: the run has no such step, or its checkpoint is gone.
    """
    if not any(step.step_index == step_index for step in steps):
        raise InputError(
            f"run {parent.run_id} has no step {step_index}",
            f"choose one from 0 to {len(steps) - 1}" if steps else "it has no steps at all",
        )
    config = {"configurable": {"thread_id": parent.run_id}}
    for snapshot in graph.get_state_history(config):
        values: State = snapshot.values
        if values.get("step_index") == step_index and steps[step_index].node in snapshot.next:
            return values
    raise InputError(
        f"the checkpoint of run {parent.run_id} before step {step_index} is gone",
        "ask the question again: longshot ask",
    )


def check_shapes(state: State, can: Capabilities, steps: Sequence[StepRow]) -> None:
    """Passes where the model can take the windows and looks that the state still has to show.

    Raises:
        InputError: they were cut for another model's frames.
    """
    waiting = [k for k in state["looks"] if k["look_id"] in state["unjudged"]]
    shapes = [(w["n_frames"], w["width_px"], w["height_px"]) for w in [*state["chosen"], *waiting]]
    if all(
        n % can.frames_per_pair == 0 and width % can.patch_px == 0 and height % can.patch_px == 0
        for n, width, height in shapes
    ):
        return
    before = [s.step_index for s in steps if s.node == "spotlight"]
    chosen_at = max((i for i in before if i < state["step_index"]), default=0)
    raise InputError(
        f"the looks of step {state['step_index']} were cut for another model's frames",
        f"fork where they were chosen: --from-step {chosen_at}",
    )


def seed_checkpoint(graph: Any, run_id: str, state: State, steps: Sequence[StepRow]) -> None:
    """Put the state under the new run's own thread, as the step before had left it."""
    if state["step_index"] == 0:
        # A run begins by itself from the initial state.
        return
    config = {"configurable": {"thread_id": run_id}}
    graph.update_state(config, state, as_node=steps[state["step_index"] - 1].node)


def _changes(
    parent: RunRow, settings: AskSettings, models: Mapping[str, str], prompts: Mapping[str, str]
) -> dict[str, Any]:
    """What differs from the parent, as [before, after]; prompts by their hashes.

    None stands for a node that has no model of its own.
    """
    old, new = parent.settings["budget"], asdict(settings.budget)
    budget = {name: [old[name], new[name]] for name in new if old[name] != new[name]}
    named = {
        name: [parent.models.get(name), models.get(name)]
        for name in {**parent.models, **models}
        if parent.models.get(name) != models.get(name)
    }
    texts = {
        name: [
            prompt_hash(parent.own_prompts[name]) if name in parent.own_prompts else "program's",
            prompt_hash(text),
        ]
        for name, text in prompts.items()
        if parent.own_prompts.get(name) != text
    }
    found = {"budget": budget, "models": named, "prompts": texts}
    return {name: value for name, value in found.items() if value}
