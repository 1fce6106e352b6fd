"""The budget of a run: estimated before, enforced during, reported after.

Spent amounts are plain numbers in the graph's state; a `Budget` is a view of them against the
limits. A limit reached is a status, never an exception.
"""

from __future__ import annotations

from dataclasses import dataclass

from agent.settings import BudgetSettings
from agent.videollm import Usage


@dataclass(frozen=True, slots=True)
class Spent:
    """What a run has used up."""

    visual_tokens: int = 0
    """Visual and time-tag tokens, as priced before the calls."""
    looks: int = 0
    calls: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits and what is left of them."""

    limits: BudgetSettings
    spent: Spent
    reserve_tokens: int = 0
    """Visual tokens that only the answer may use."""
    reserve_looks: int = 0
    """Looks that only the answer may take."""
    reserve_calls: int = 0
    """Calls that only the answer may make."""

    @property
    def tokens_left(self) -> int:
        """Visual tokens, the reserve among them."""
        return max(0, self.limits.visual_tokens - self.spent.visual_tokens)

    @property
    def tokens_for_search(self) -> int:
        """Visual tokens that looks may still use."""
        return max(0, self.tokens_left - self.reserve_tokens)

    @property
    def looks_for_search(self) -> int:
        """Looks that the search may still take; without any the answer has none to rest on."""
        return max(0, self.looks_left - self.reserve_looks)

    @property
    def calls_for_search(self) -> int:
        return max(0, self.calls_left - self.reserve_calls)

    @property
    def seconds_left(self) -> float:
        return max(0.0, self.limits.seconds - self.spent.seconds)

    @property
    def looks_left(self) -> int:
        return max(0, self.limits.looks - self.spent.looks)

    @property
    def calls_left(self) -> int:
        return max(0, self.limits.calls - self.spent.calls)

    def exhausted(self) -> str:
        """The limit that ends the search, in words; "" while there is something left."""
        if self.seconds_left <= 0:
            return f"budget: {self.limits.seconds:g} seconds are used up"
        if self.looks_for_search == 0:
            return self._used_up(self.limits.looks, "looks", self.looks_left)
        if self.calls_for_search == 0:
            return self._used_up(self.limits.calls, "calls", self.calls_left)
        if self.tokens_for_search == 0:
            return self._used_up(self.limits.visual_tokens, "visual tokens", self.tokens_left)
        return ""

    def _used_up(self, limit: int, what: str, left: int) -> str:
        if not left:
            return f"budget: {limit} {what} are used up"
        return f"budget: {limit - left} of {limit} {what} are used, the rest is kept for the answer"


def usage_dict(usage: Usage) -> dict[str, float]:
    """A usage as plain numbers."""
    return {
        "visual_tokens": usage.visual_tokens,
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "calls": usage.calls,
        "seconds": round(usage.seconds, 4),
    }
