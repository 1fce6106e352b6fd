"""The wiring of the agent.

    plan → words → survey → spotlight → look → reflect ─┬→ spotlight
      ↑      └→ end     └──────↑──┴──────────→ answer ←─┘
      └────────────────────────┴────────────────┴→ end

The answer goes back to the plan where several things are to be found, one after the other.

Every node is a plain function of (state, runtime) and says in `next` where to go; the state is
plain JSON types, so that a checkpoint after every node lets a killed run go on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime

from agent.answer import answer
from agent.events import MOST_THINGS
from agent.reflect import reflect
from agent.settings import AskSettings
from agent.spotlight import look, spotlight
from agent.state import State, initial_state
from agent.survey import plan, survey
from agent.words import words
from agent.workspace import Workspace

Node = Callable[[State, Runtime[Workspace]], State]


def build_graph(*, checkpointer: Any = None) -> Any:
    """The compiled graph; without a checkpointer a run lives in memory alone."""
    graph = StateGraph(State, context_schema=Workspace)
    for name, node in NODES.items():
        graph.add_node(name, with_own_model(name, node))
    graph.add_edge(START, "plan")
    graph.add_edge("plan", "words")
    graph.add_conditional_edges("words", next_of, {"survey": "survey", "end": END})
    graph.add_conditional_edges("survey", next_of, ["spotlight", "answer"])
    graph.add_conditional_edges("spotlight", next_of, ["look", "answer"])
    graph.add_edge("look", "reflect")
    graph.add_conditional_edges("reflect", next_of, ["spotlight", "answer"])
    graph.add_conditional_edges(
        "answer", next_of, {"spotlight": "spotlight", "plan": "plan", "end": END}
    )
    return graph.compile(checkpointer=checkpointer)


def with_own_model(name: str, node: Node) -> Node:
    """The node, working with the VideoLLM that was named for it."""

    def run(state: State, runtime: Runtime[Workspace]) -> State:
        # A checkpoint that an earlier version wrote lacks what the state has gained since.
        whole: State = {**initial_state(), **state}
        return node(whole, runtime.override(context=runtime.context.for_node(name)))

    return run


NODES: dict[str, Node] = {
    "plan": plan,
    "words": words,
    "survey": survey,
    "spotlight": spotlight,
    "look": look,
    "reflect": reflect,
    "answer": answer,
}


def next_of(state: State) -> str:
    """Where the last node said to go."""
    return state["next"]


def step_limit(settings: AskSettings) -> int:
    """More steps than any run within its budget can take: a loop that does not end is a bug."""
    turns = settings.budget.looks + MOST_THINGS * settings.answer.attempts
    return 4 * turns + 10
