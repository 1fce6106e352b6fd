"""An answer in the shape of a chat completion, for lines that asked in the shape of the API."""

from __future__ import annotations

from datetime import datetime
from typing import Any

NOT_FOUND_TEXT = "This is not in the film."


def chat_completion(answer: dict[str, Any]) -> dict[str, Any]:
    """What the batch file of the OpenAI API calls a response; ours whole under "longshot".

    Args:
        answer: an answer's JSON.
    """
    usage = answer["usage"]
    read, written = int(usage.get("input_tokens", 0)), int(usage.get("output_tokens", 0))
    body = {
        "id": answer["id"],
        "object": "chat.completion",
        "created": int(datetime.now().timestamp()),
        "model": answer["models"].get("videollm", ""),
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": answer["answer"] or NOT_FOUND_TEXT},
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": read,
            "completion_tokens": written,
            "total_tokens": read + written,
        },
        "longshot": answer,
    }
    return {"status_code": 200, "request_id": answer["id"], "body": body}


def answer_in(response: dict[str, Any]) -> dict[str, Any]:
    """Our answer's JSON out of a response of either shape."""
    found: dict[str, Any] = response["body"]["longshot"] if "body" in response else response
    return found
