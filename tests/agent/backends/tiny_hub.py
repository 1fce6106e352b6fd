"""A model hub on loopback that holds one model of a few bytes, as huggingface_hub asks for it."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MODEL = "owner/tiny"
FILES = {
    "config.json": b'{"model_type": "tiny"}',
    "model.safetensors": b"w" * 2_999_978,
    "picture.png": b"p" * 5_000_000,
}
"""3.0 MB that a model is loaded from, and a file that is none of these."""
_REVISION = "a" * 40


class _Hub(BaseHTTPRequestHandler):
    def log_message(self, format: str, *arguments: Any) -> None:
        """Stays silent."""

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self.wfile.write(self._answer())

    def _answer(self) -> bytes:
        path = self.path.partition("?")[0]
        if path.startswith(f"/api/models/{MODEL}"):
            data = json.dumps(_tree() if "/tree/" in path else _about()).encode()
        elif path.startswith(f"/{MODEL}/resolve/"):
            data = FILES[path.rpartition("/")[2]]
        else:
            self.send_error(404)
            return b""
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("ETag", f'"{len(data)}"')
        self.send_header("X-Repo-Commit", _REVISION)
        self.end_headers()
        return data


def _about() -> dict[str, Any]:
    siblings = [{"rfilename": name, "size": len(data)} for name, data in FILES.items()]
    return {"id": MODEL, "sha": _REVISION, "siblings": siblings}


def _tree() -> list[dict[str, Any]]:
    return [
        {"type": "file", "path": name, "size": len(data), "oid": str(len(data))}
        for name, data in FILES.items()
    ]


@contextlib.contextmanager
def hub() -> Iterator[str]:
    """Its address while the block lasts."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Hub)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join(10)
    server.server_close()
