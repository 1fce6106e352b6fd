"""How a model server is reached. The key lives here alone: it is never shown and never recorded."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

PREFIX = "openai:"
"""A model's name that begins so is one of a server's."""


@dataclass(frozen=True, slots=True)
class EndpointSettings:
    """A server and the manners towards it."""

    base_url: str = ""
    """Where its API begins, such as http://127.0.0.1:8000/v1."""
    api_key: str = field(default="", repr=False)
    """Empty for servers that want none."""
    timeout_s: float = 120.0
    """Of one request."""
    retries: int = 5
    """After a lost connection, a time-out, "too many requests" or an error of the server; each
    waits longer, or as long as the server says."""
    concurrency: int = 4
    """Requests under way at the same time."""
    requests_per_minute: float | None = None
    """None: as many as come."""
    max_visual_tokens: int = 16_384
    """The most visual tokens that one prompt may hold."""

    @property
    def place(self) -> str:
        """Host and port, without what an address may hold of a person; "": no such address."""
        try:
            parts = urlsplit(self.base_url)
            host, port = parts.hostname, parts.port
        except ValueError:
            return ""
        if parts.scheme not in ("http", "https") or not host:
            return ""
        return f"{host}:{port}" if port else host

    def recorded_name(self, model: str) -> str:
        """The name under which a run records a model of the server; without an address none is."""
        return f"{PREFIX}{model} at {self.place or 'no address'}"
