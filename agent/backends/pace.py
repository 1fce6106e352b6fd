"""How fast a server is asked: so many requests at a time, so many a minute."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Pace:
    """Lets requests begin one after the other where there is a limit."""

    def __init__(self, *, concurrency: int, requests_per_minute: float | None) -> None:
        self._free = threading.BoundedSemaphore(concurrency)
        self._apart_s = 60.0 / requests_per_minute if requests_per_minute else 0.0
        self._turn = threading.Lock()
        self._next_s = 0.0

    @contextmanager
    def request(self) -> Iterator[None]:
        """Waits until a request may begin; the place is free again when the block ends."""
        with self._free:
            if self._apart_s:
                self._wait()
            yield

    def _wait(self) -> None:
        with self._turn:
            now_s = time.monotonic()
            begins_s = max(now_s, self._next_s)
            self._next_s = begins_s + self._apart_s
        time.sleep(begins_s - now_s)
