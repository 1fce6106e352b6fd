"""Requests to an OpenAI-compatible server: prompts as messages, its errors as ours.

The client waits and tries again by itself after a lost connection, a time-out, 408, 409, 429 and
5xx, longer each time or as long as the server says.
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import openai
from PIL import Image

from agent.backends.pace import Pace
from agent.endpoint_settings import EndpointSettings
from agent.videollm import Clip
from index.errors import ModelError
from index.types import Pixels
from prompts.render import RenderedPrompt

_JPEG_QUALITY = 90
# Words that some server's tokenizer may take for a control word. A question must not forge one.
_CONTROL = re.compile(
    r"<\|[^<>|]{1,64}\|>|</?s>|<(?:image|video|audio)>|\[/?(?:INST|IMG)\]|<(?:start|end)_of_\w+>",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Said:
    """One reply of the server."""

    text: str
    first_tokens: tuple[tuple[str, float], ...] | None
    """(token, log-probability) of the likeliest first tokens; None: the server gives none."""
    prompt_tokens: int
    output_tokens: int


class Server:
    """A model of a server."""

    def __init__(self, model: str, settings: EndpointSettings) -> None:
        self.place = settings.place
        if not self.place:
            raise ModelError(
                f"openai:{model} needs the address of its server, not {settings.base_url!r}",
                "give --base-url, such as http://127.0.0.1:8000/v1",
            )
        self.model = model
        self._pace = Pace(
            concurrency=settings.concurrency, requests_per_minute=settings.requests_per_minute
        )
        # Its overloads know neither every server's options nor plain dictionaries.
        self._client: Any = openai.OpenAI(
            base_url=settings.base_url,
            # The client insists on one; servers that want none ignore it.
            api_key=settings.api_key or "none",
            timeout=settings.timeout_s,
            max_retries=settings.retries,
        )

    def say(
        self, content: Sequence[dict[str, Any]], *, max_tokens: int, top_logprobs: int = 0
    ) -> Said:
        """What the model replies, greedily.

        Raises:
            ModelError: no answer, no such model, a refused key, a prompt that is too long, …
        """
        scored = {"logprobs": True, "top_logprobs": top_logprobs} if top_logprobs else {}
        try:
            with self._pace.request():
                found = self._client.chat.completions.create(
                    model=self.model,
                    messages=[{"role": "user", "content": list(content)}],
                    max_tokens=max_tokens,
                    temperature=0.0,
                    **scored,
                )
        except openai.BadRequestError as error:
            if scored and "logprob" in str(error).lower():
                return self.say(content, max_tokens=max_tokens)
            raise self._told(error) from error
        except openai.OpenAIError as error:
            raise self._told(error) from error
        if not getattr(found, "choices", None):
            raise ModelError(f"{self.place} gave no reply", "is it an OpenAI-compatible server?")
        usage = found.usage
        return Said(
            text=found.choices[0].message.content or "",
            first_tokens=_first_tokens(found.choices[0]),
            prompt_tokens=usage.prompt_tokens if usage else 0,
            output_tokens=usage.completion_tokens if usage else 0,
        )

    def _told(self, error: openai.OpenAIError) -> ModelError:
        """The server's error in a line of ours, without the key or the prompt."""
        if isinstance(error, openai.APITimeoutError):
            return ModelError(f"{self.place} did not answer in time", "raise timeout_s")
        if isinstance(error, openai.APIConnectionError):
            return ModelError(f"no server answers at {self.place}", "is it running? --base-url")
        if isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError):
            return ModelError(
                f"{self.place} refuses the key", "set LONGSHOT_API_KEY in the environment"
            )
        if isinstance(error, openai.NotFoundError):
            return ModelError(f"{self.place} has no model {self.model!r}", self._known())
        if isinstance(error, openai.RateLimitError):
            return ModelError(
                f"{self.place} says: too many requests, or no credit left",
                "set requests_per_minute, or fewer --workers",
            )
        detail = str(getattr(error, "message", error))[:200]
        return ModelError(f"{self.place} failed: {detail}", "see the server's log")

    def _known(self) -> str:
        try:
            names = [model.id for model in self._client.models.list()][:8]
        except openai.OpenAIError:
            names = []
        return f"it has {', '.join(names)}" if names else "see the server's list of models"


def content_of(prompt: RenderedPrompt, clips: Sequence[Clip]) -> list[dict[str, Any]]:
    """A prompt as parts of a message: texts, and pictures each after its time."""
    content: list[dict[str, Any]] = []
    for part in prompt.parts:
        if isinstance(part, str):
            add_text(content, plain(part))
            continue
        clip = clips[part]
        add_text(content, plain(clip.label))
        for time_s, pixels in zip(clip.times_s, clip.pixels, strict=True):
            add_text(content, time_tag(time_s))
            content.append(picture(pixels))
    return content


def time_tag(time_s: float) -> str:
    return f"<{time_s:.1f} seconds>"


def picture(pixels: Pixels) -> dict[str, Any]:
    """A frame (H, W, 3) as a part of a message."""
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, format="JPEG", quality=_JPEG_QUALITY)
    data = base64.b64encode(out.getvalue()).decode()
    return {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{data}"}}


def plain(text: str) -> str:
    """Text without what a tokenizer could take for a control word."""
    return _CONTROL.sub("", text)


def add_text(content: list[dict[str, Any]], text: str) -> None:
    """Add text to a message: to its last part where that is text."""
    if not text:
        return
    if content and content[-1]["type"] == "text":
        content[-1] = {"type": "text", "text": content[-1]["text"] + text}
    else:
        content.append({"type": "text", "text": text})


def _first_tokens(choice: Any) -> tuple[tuple[str, float], ...] | None:
    given = getattr(choice, "logprobs", None)
    tokens = getattr(given, "content", None)
    if not tokens:
        return None
    first = tokens[0]
    # Some servers leave the list of the likeliest empty: then the token itself is all there is.
    top = [(each.token, each.logprob) for each in first.top_logprobs or ()]
    return tuple(top or [(first.token, first.logprob)])
