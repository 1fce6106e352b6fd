"""A small server of the OpenAI API on loopback: it counts, fails and waits as a test says.

It is no model: what it replies depends on the last words of the prompt alone. That a real server
is understood too is tested in tests/agent/test_served_model.py.
"""

from __future__ import annotations

import base64
import contextlib
import io
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from PIL import Image


@dataclass(slots=True)
class Loopback:
    """What the server does."""

    logprobs: bool = True
    reply: str = "85"
    """Of a prompt that asks for a number; others get "yes", or "(b)" where there are options."""
    failures: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    """(status, headers) of the next answers, before any that succeeds."""
    takes_s: float = 0.0
    counts_tokens: bool = True
    key: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    began_s: list[float] = field(default_factory=list)
    n_inside: int = 0
    most_inside: int = 0

    def app(self) -> FastAPI:
        app = FastAPI()
        app.post("/v1/chat/completions")(self.chat)
        app.get("/v1/models")(self.models)
        return app

    def models(self) -> dict[str, Any]:
        return {"object": "list", "data": [{"id": "test", "object": "model", "created": 0}]}

    async def chat(self, request: Request) -> Response:
        body = await request.json()
        self.requests.append(body)
        self.keys.append(request.headers.get("authorization", ""))
        self.began_s.append(time.monotonic())
        self.n_inside += 1
        self.most_inside = max(self.most_inside, self.n_inside)
        try:
            return await self._answer(body, request)
        finally:
            self.n_inside -= 1

    async def _answer(self, body: dict[str, Any], request: Request) -> Response:
        import asyncio

        await asyncio.sleep(self.takes_s)
        if self.key and request.headers.get("authorization") != f"Bearer {self.key}":
            return JSONResponse({"error": {"message": "no such key"}}, 401)
        if self.failures:
            status, headers = self.failures.pop(0)
            return JSONResponse({"error": {"message": "not now"}}, status, headers)
        if body["model"] != "test":
            return JSONResponse({"error": {"message": "no such model"}}, 404)
        return JSONResponse(self._completion(body))

    def _completion(self, body: dict[str, Any]) -> dict[str, Any]:
        parts = body["messages"][0]["content"]
        asked = " ".join(part["text"] for part in parts if part["type"] == "text")
        if "0 to 100" in asked:
            text = self.reply
        else:
            text = "(b)" if "letter of the right option" in asked else "yes"
        scored = self.logprobs and body.get("logprobs")
        top = [("yes", -0.5), (" Yes", -3.0), ("No", -1.5), ("(a", -2.0), ("B", -1.0)]
        tokens = [{"token": token, "logprob": value, "bytes": None} for token, value in top]
        n_prompt = sum(_tokens(part) for part in parts)
        return {
            "id": "c1",
            "object": "chat.completion",
            "created": 0,
            "model": "test",
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": text},
                    "finish_reason": "stop",
                    "logprobs": {"content": [{**tokens[0], "top_logprobs": tokens}]}
                    if scored
                    else None,
                }
            ],
            "usage": self._usage(n_prompt),
        }

    def _usage(self, n_prompt: int) -> dict[str, int] | None:
        if not self.counts_tokens:
            return None
        return {"prompt_tokens": n_prompt, "completion_tokens": 1, "total_tokens": n_prompt + 1}


@contextlib.contextmanager
def serving(loopback: Loopback) -> Iterator[str]:
    """Its address while the block lasts."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(
        uvicorn.Config(loopback.app(), host="127.0.0.1", port=port, log_level="error")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 30
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.01)
    assert server.started
    yield f"http://127.0.0.1:{port}/v1"
    server.should_exit = True
    thread.join(10)


def _tokens(part: dict[str, Any]) -> int:
    """Words, and for a picture its squares of 32 px and two around them."""
    if part["type"] == "text":
        return len(part["text"].split())
    data = base64.b64decode(part["image_url"]["url"].partition(",")[2])
    width_px, height_px = Image.open(io.BytesIO(data)).size
    return (width_px // 32) * (height_px // 32) + 2
