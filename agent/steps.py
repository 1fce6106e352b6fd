"""A node's step while it runs: what it looks at, asks and finds, and what that costs.

A `StepWriter` gathers what one node does (looks, calls, findings), adds up its cost, writes the
step's rows and hands the step to whoever watches. Every call of the VideoLLM goes through it, so
nothing is asked that the trace does not show.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

from agent.budget import Budget, usage_dict
from agent.state import FindingState, LookState, Source, State, span_of
from agent.videollm import Choice, Clip, Judgement, Reply, Usage
from agent.workspace import Workspace
from index.run_rows import CallRow, FindingRow, LookRow, StepRow
from index.types import Span
from prompts.render import RenderedPrompt
from tools.belief import Belief
from tools.keyclips import ClipShape
from tools.look import EVEN_SAMPLING
from tools.pictures import jpeg_of, pixel_hash


class StepWriter:
    """One node's step while it runs."""

    def __init__(self, ws: Workspace, state: State, node: str) -> None:
        self._ws = ws
        self._state = state
        self._node = node
        self._began_s = time.monotonic()
        self._began_at = _now()
        self._waited_s = 0.0
        self._looks: list[LookRow] = []
        self._calls: list[CallRow] = []
        self._findings: list[FindingRow] = []
        self._cached_frames: dict[str, int] = {}
        self._usage = Usage()
        self._priced_tokens = 0
        self.data: dict[str, Any] = {}
        """What is particular to the node; plain JSON types."""

    @property
    def index(self) -> int:
        return self._state["step_index"]

    def budget(self) -> Budget:
        """The run's budget with this step's spending so far."""
        return self._ws.budget({**self._state, "spent": self._spent()})

    def look(
        self, span: Span, shape: ClipShape, *, why: str, source: Source
    ) -> tuple[LookState, Clip]:
        """Deliver a look: decode it, note it, keep small pictures of it."""
        look: LookState = {
            "look_id": f"{self.index}.{len(self._looks)}",
            "start_s": span.start_s,
            "end_s": span.end_s,
            "n_frames": shape.n_frames,
            "width_px": shape.width_px,
            "height_px": shape.height_px,
            "tokens": self._ws.videollm.clip_tokens(
                n_frames=shape.n_frames, width_px=shape.width_px, height_px=shape.height_px
            ),
            "source": source,
        }
        self._cached_frames[look["look_id"]] = self._ws.n_held(look)
        began_at, began_s = _now(), time.monotonic()
        clip = self._ws.clip(look)
        self._looks.append(
            LookRow(
                look_id=look["look_id"],
                span=span,
                times_s=clip.times_s,
                width_px=shape.width_px,
                height_px=shape.height_px,
                tokens=look["tokens"],
                why=why,
                thumbnails=self._thumbnails(clip),
                source=source,
                sampling=EVEN_SAMPLING,
                pixel_hashes=tuple(pixel_hash(frame) for frame in clip.pixels),
                started_at=began_at,
                seconds=round(time.monotonic() - began_s, 4),
            )
        )
        return look, clip

    def reply(
        self,
        prompt: RenderedPrompt,
        clips: Sequence[Clip],
        *,
        looks: Sequence[LookState] = (),
        max_tokens: int,
    ) -> Reply:
        """Ask for text."""
        asked_s = time.monotonic()
        reply = self._ws.videollm.reply(prompt, clips, max_tokens=max_tokens)
        self._waited(asked_s, [reply])
        sure = {} if reply.probability is None else {"reply": reply.probability}
        self._note(prompt, clips, looks, reply, output=reply.text, probabilities=sure)
        return reply

    def judge_each(
        self, prompt: RenderedPrompt, clips: Sequence[Clip], *, looks: Sequence[LookState]
    ) -> list[Judgement]:
        """Ask for P(yes) of each clip by itself; clip i shows look i."""
        asked_s = time.monotonic()
        found = self._ws.videollm.judge_each(prompt, clips)
        self._waited(asked_s, found)
        elapsed_s = time.monotonic() - asked_s
        # They began together; those that waited for a shared model did not begin when asked.
        began_at = _now(before_s=min(elapsed_s, sum(each.usage.seconds for each in found)))
        for clip, look, each in zip(clips, looks, found, strict=True):
            probabilities = {"yes": each.p_yes, "mass": each.mass}
            self._note(prompt, [clip], [look], each, probabilities=probabilities, began_at=began_at)
        return found

    def choose(
        self,
        prompt: RenderedPrompt,
        clips: Sequence[Clip],
        *,
        options: Sequence[str],
        looks: Sequence[LookState],
    ) -> Choice:
        """Ask for a distribution over options."""
        asked_s = time.monotonic()
        found = self._ws.videollm.choose(prompt, clips, options=options)
        self._waited(asked_s, [found])
        probabilities = dict(zip(options, found.probabilities, strict=True))
        self._note(prompt, clips, looks, found, probabilities=probabilities)
        return found

    def finding(
        self,
        look: LookState,
        *,
        p_yes: float,
        confidence: float,
        log_ratio: float,
        verified: bool = False,
        text: str = "",
    ) -> FindingState:
        """Note what a look showed; `text`: in the VideoLLM's words."""
        found: FindingState = {
            "finding_id": f"{self.index}.{len(self._findings)}",
            "look_id": look["look_id"],
            "start_s": look["start_s"],
            "end_s": look["end_s"],
            "p_yes": p_yes,
            "confidence": confidence,
            "log_ratio": log_ratio,
            "verified": verified,
        }
        self._findings.append(
            FindingRow(
                finding_id=found["finding_id"],
                look_id=look["look_id"],
                span=span_of(look),
                p_yes=p_yes,
                confidence=confidence,
                text=text,
            )
        )
        return found

    def done(
        self,
        update: State,
        *,
        why: str,
        before: Belief | None = None,
        after: Belief | None = None,
    ) -> State:
        """Write the step and show it.

        Returns:
            `update` with the step counted and its cost added.
        """
        bins = self._ws.settings.belief_bins
        spent = self._spent()
        seconds = spent["seconds"] - self._state["spent"]["seconds"]
        usage = {**usage_dict(self._usage), "seconds": round(seconds, 4)}
        step = StepRow(
            step_index=self.index,
            node=self._node,
            why=why,
            looks=tuple(self._looks),
            calls=tuple(self._calls),
            findings=tuple(self._findings),
            belief_before=before.profile(n_bins=bins) if before else (),
            belief_after=after.profile(n_bins=bins) if after else (),
            absent_after=after.absent if after else None,
            usage=usage,
            data=self._data(),
            started_at=self._began_at,
        )
        self._ws.runs.record(self._ws.run_id, step)
        self._ws.on_step(step)
        total = {k: self._state["usage"].get(k, 0) + usage[k] for k in usage}
        total["looks"] = int(spent["looks"])
        return {**update, "step_index": self.index + 1, "spent": spent, "usage": total}

    def _data(self) -> dict[str, Any]:
        """The node's own facts, and of each look how many frames were in memory already."""
        cached = {"cached_frames": self._cached_frames} if self._looks else {}
        return {**self.data, **cached}

    def _spent(self) -> dict[str, float]:
        spent = self._state["spent"]
        return {
            "visual_tokens": spent["visual_tokens"] + self._priced_tokens,
            "looks": spent["looks"] + len(self._looks),
            "calls": spent["calls"] + self._usage.calls,
            "seconds": spent["seconds"] + time.monotonic() - self._began_s - self._waited_s,
        }

    def _waited(self, asked_s: float, found: Sequence[Reply | Judgement | Choice]) -> None:
        """Time in which a shared model worked for other questions is not this one's."""
        worked_s = sum(each.usage.seconds for each in found)
        self._waited_s += max(0.0, time.monotonic() - asked_s - worked_s)

    def _note(
        self,
        prompt: RenderedPrompt,
        clips: Sequence[Clip],
        looks: Sequence[LookState],
        found: Reply | Judgement | Choice,
        *,
        output: str = "",
        probabilities: Mapping[str, float] = MappingProxyType({}),
        began_at: str = "",
    ) -> None:
        usage = found.usage
        self._usage = self._usage + usage
        self._priced_tokens += sum(
            self._ws.videollm.clip_tokens(
                n_frames=c.n_frames, width_px=c.width_px, height_px=c.height_px
            )
            for c in clips
        )
        self._calls.append(
            CallRow(
                prompt_name=prompt.name,
                prompt_hash=prompt.file_hash,
                prompt_text=found.prompt_text,
                output=output,
                probabilities={k: float(v) for k, v in probabilities.items()},
                look_ids=tuple(look["look_id"] for look in looks),
                usage=usage_dict(usage),
                model=self._ws.videollm.name,
                model_hash=self._ws.videollm.weights_hash,
                started_at=began_at or _now(before_s=usage.seconds),
                note=found.note,
            )
        )

    def _thumbnails(self, clip: Clip) -> tuple[tuple[float, bytes], ...]:
        settings = self._ws.settings.look
        n = min(settings.thumbnails_per_look, clip.n_frames)
        picked = sorted({int((i + 0.5) * clip.n_frames / n) for i in range(n)}) if n else []
        by_time = {clip.times_s[i]: clip.pixels[i] for i in picked}
        return tuple(
            (t, jpeg_of(pixels, height_px=settings.thumbnail_height_px))
            for t, pixels in by_time.items()
        )


def _now(*, before_s: float = 0.0) -> str:
    """UTC, ISO 8601, so many seconds ago."""
    return (datetime.now(UTC) - timedelta(seconds=before_s)).isoformat(timespec="milliseconds")
