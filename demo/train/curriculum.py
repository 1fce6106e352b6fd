"""What the VideoLLM is taught when: phases and rungs, each left when what it teaches is known.

Tasks appear as sharp transitions, so progress is gated by what was reached, not by steps alone.
Phases order the tasks: one look with easy questions, then all contexts with many easy questions,
then all questions. Rungs order one task that is learned on its own rows: copying the times of the
pairs that show a subject, from four pairs of a cell each to a whole strip. Rows
"bind" teach what all else waits for, finding the one thing that a question names: many short
questions over few cells, so that a step holds four times as many of them; rows "ask" are the same
in whole prompts.
"""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass, field
from typing import Any

SMOOTH = 0.97
"""Share of the old value in the running accuracy of a task."""
PHASES = ("one", "easy", "all")
_SHARES = {
    "one": {"look": 0.36, "bind": 0.34, "copy": 0.22, "words": 0.08},
    "easy": {
        "look": 0.24,
        "cut": 0.08,
        "several": 0.12,
        "bind": 0.26,
        "copy": 0.18,
        "strip": 0.06,
        "words": 0.06,
    },
    "all": {
        "look": 0.16,
        "large": 0.02,
        "cut": 0.17,
        "several": 0.17,
        "ask": 0.08,
        "bind": 0.09,
        "copy": 0.08,
        "strip": 0.11,
        "words": 0.12,
    },
    "pixels": {"look": 0.26, "large": 0.06, "cut": 0.23, "several": 0.25, "strip": 0.20},
}
"""How often a step's rows are of a kind of context, by phase."""
_ENOUGH = {
    "one": {"answer:plain": 0.85, "reflect1:yes": 0.8, "reflect1:no": 0.8},
    "easy": {"answer:attribute": 0.8, "answer:action": 0.7, "answer:place": 0.8, "reflect:no": 0.8},
}
_LONGEST = {"one": 0.3, "easy": 0.6}
"""Share of the stage after which a phase ends anyway."""


@dataclass(frozen=True, slots=True)
class Rung:
    """How hard copying is."""

    n_pairs: int
    latest_s: int
    """Times before this; up to 10,000 s they are one token."""
    sizes: tuple[tuple[int, int], ...]
    """Rows and columns in cells, one of them a strip."""
    short: bool
    """The question alone, without its prompt: a step costs less than half."""


_CELL, _FEW = ((1, 1), (1, 2)), ((1, 2), (2, 3))
RUNGS = (
    Rung(4, 10_000, _CELL, short=True),
    Rung(6, 10_000, _CELL, short=True),
    Rung(8, 36_000, _FEW, short=True),
    Rung(16, 36_000, _FEW, short=False),
)
RUNG_DONE = 0.6
COPY_TASK = "copy:span"


@dataclass(slots=True)
class Curriculum:
    """Where training stands; kept in its checkpoint."""

    phase: int = 0
    rung: int = 0
    running: dict[str, float] = field(default_factory=dict)
    """Running share of right replies, by task."""

    def note(self, task: str, *, right: bool) -> None:
        old = self.running.get(task, float(right))
        self.running[task] = SMOOTH * old + (1 - SMOOTH) * float(right)

    def advance(self, *, level: float) -> None:
        """Go on where enough is known.

        Args:
            level: share of the stage that is done.
        """
        if self.running.get(COPY_TASK, 0.0) >= RUNG_DONE and self.rung + 1 < len(RUNGS):
            self.rung += 1
            del self.running[COPY_TASK]
        name = PHASES[self.phase]
        if name in _ENOUGH and (self._knows(_ENOUGH[name]) or level >= _LONGEST[name]):
            self.phase += 1

    def _knows(self, wanted: dict[str, float]) -> bool:
        return all(self.running.get(task, 0.0) >= least for task, least in wanted.items())

    @property
    def easy(self) -> bool:
        """Whether many questions are about one attribute."""
        return PHASES[self.phase] != "all"

    @property
    def first(self) -> bool:
        """Whether pictures are still small and single."""
        return PHASES[self.phase] == "one"

    def kind(self, rng: random.Random, *, symbolic: bool) -> str:
        """The kind of context of the next step."""
        shares = _SHARES[PHASES[self.phase] if symbolic else "pixels"]
        return rng.choices(list(shares), list(shares.values()))[0]

    def copying(self, rng: random.Random) -> Rung:
        """A rung for rows of copying: most often the present one, the easier ones are kept up."""
        return RUNGS[self.rung if rng.random() < 0.7 else rng.randrange(self.rung + 1)]

    def state(self) -> dict[str, Any]:
        return asdict(self)
