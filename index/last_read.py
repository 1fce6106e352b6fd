"""What was read of the film that was asked about last.

Ten hours take a tenth of a second to read, and several questions are asked of one film: by an
evaluation, a program that keeps a library open, or one that answers in turn.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

_T = TypeVar("_T")


class LastRead:
    """What was read of one film, until another one is read or the library has changed."""

    def __init__(self) -> None:
        self._kept: tuple[Hashable, dict[str, Any]] = (None, {})

    def once(self, film: Hashable, what: str, read: Callable[[], _T]) -> _T:
        """What `read` gives; called once for each `what` of a film, unless it gives nothing.

        Args:
            film: what tells the film and its rows from all others.
        """
        # Taken as a pair: another thread may be asking about another film.
        known, kept = self._kept
        if known != film:
            kept = {}
            self._kept = (film, kept)
        found: _T = kept[what] if what in kept else read()
        if found is not None:
            kept[what] = found
        return found
