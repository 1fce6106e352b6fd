"""Runs an iterator in a thread of its own, a few items ahead of whoever consumes it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

Item = TypeVar("Item")

_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class _End:
    error: BaseException | None


def ahead(items: Iterator[Item], *, n_items: int) -> Iterator[Item]:
    """The same items in the same order, made at most `n_items` ahead.

    An error of the iterator is raised here; leaving the loop early stops the thread.
    """
    waiting: queue.Queue[Item | _End] = queue.Queue(maxsize=n_items)
    stopped = threading.Event()

    def hand_over(item: Item | _End) -> bool:
        while not stopped.is_set():
            try:
                waiting.put(item, timeout=_POLL_S)
            except queue.Full:
                continue
            return True
        return False

    def produce() -> None:
        error: BaseException | None = None
        try:
            for item in items:
                if not hand_over(item):
                    break
        except BaseException as raised:  # noqa: BLE001 - handed to the consumer, which raises it
            error = raised
        hand_over(_End(error))

    thread = threading.Thread(target=produce, name="decode ahead", daemon=True)
    thread.start()
    try:
        while not isinstance(item := waiting.get(), _End):
            yield item
        if item.error is not None:
            raise item.error
    finally:
        stopped.set()
        thread.join()
