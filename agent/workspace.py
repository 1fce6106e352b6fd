"""What the nodes of one run work with: the film, its vectors, the models, the settings, the trace.

A workspace is the graph's runtime context: it lives in memory, is never checkpointed, and can be
made again for a killed run. It may keep what is costly (frames, text vectors, the prior), but
nothing that the state does not determine.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from agent.budget import Budget, Spent
from agent.confidence import Fit, Stage, fit_for, prompts_hash
from agent.cuts import bins_of
from agent.own_prompts import hash_with, render_with
from agent.settings import AskSettings
from agent.state import Cue, LookState, State, intent_of, span_of
from agent.types import Question
from agent.videollm import Clip, VideoLLM
from index.encoder import Encoder
from index.run_rows import StepRow
from index.runs import RunStore
from index.types import Frame, Seconds, Shot, Span, Vectors, Video
from index.words import WordLine
from prompts.render import RenderedPrompt
from tools.belief import Belief, Update, updated
from tools.keyclips import ClipShape
from tools.look import FrameCache, FrameGrid, even_times
from tools.prior import SIDES, Prior, PriorSettings, Scores, leaning, prior_from_scores

OnStep = Callable[[StepRow], None]


class TimelineLike(Protocol):
    """Rows of about one a second."""

    @property
    def times_s(self) -> Seconds: ...
    @property
    def vectors(self) -> Vectors: ...
    @property
    def motion(self) -> Any: ...


class ClipVectorsLike(Protocol):
    """Vectors of clips."""

    @property
    def spans(self) -> tuple[Span, ...]: ...
    @property
    def vectors(self) -> Vectors: ...


_FIRST_CALLS = 4
"""Calls up to the first judgement: the rewrite, that of the options, the strip, a look."""
_MOST_BELIEFS = 8
"""Beliefs kept of a run: a node compares the one before it with the one after it."""


@dataclass(frozen=True, slots=True, eq=False)
class Film:
    """A film and all that the index knows of it, read once at the start of a run."""

    video: Video
    timeline: TimelineLike
    clips: ClipVectorsLike
    shots: tuple[Shot, ...]
    strip: Callable[[Sequence[float]], list[Frame]]
    """The small stored frames nearest to some times."""
    words: tuple[WordLine, ...] = ()
    """What is said and written, in time order."""


def model_names(
    encoder: Encoder, videollm: VideoLLM, by_node: Mapping[str, VideoLLM]
) -> dict[str, str]:
    """Names and weights of the models of a run; a node's own stand under its name."""
    names = {
        "encoder": encoder.identity.name,
        "encoder_weights": encoder.identity.weights_hash,
        "videollm": videollm.name,
        "videollm_weights": videollm.weights_hash,
    }
    for node, own in sorted(by_node.items()):
        names |= {f"videollm_{node}": own.name, f"videollm_{node}_weights": own.weights_hash}
    return names


@dataclass(slots=True, eq=False)
class Workspace:
    """The parts of one run."""

    run_id: str
    question: Question
    film: Film
    frames: FrameCache
    encoder: Encoder
    videollm: VideoLLM
    settings: AskSettings
    runs: RunStore
    on_step: OnStep
    windows: dict[tuple[Span, ...], tuple[Span, ...]] = field(default_factory=dict)
    """The windows of some parts of the film, once they are made."""
    shapes: dict[Any, ClipShape | None] = field(default_factory=dict)
    """How windows would be shown, once it is worked out (agent/queue.py)."""
    own_prompts: Mapping[str, str] = field(default_factory=dict)
    """Texts in the place of the program's prompts, by name."""
    by_node: Mapping[str, VideoLLM] = field(default_factory=dict)
    """Nodes that have a VideoLLM of their own."""
    _first: VideoLLM | None = None
    """Where `videollm` is a node's own: that of all other nodes."""
    _texts: dict[str, Any] = field(default_factory=dict)
    _priors: dict[str, Prior] = field(default_factory=dict)
    _beliefs: dict[str, Belief] = field(default_factory=dict)
    _cosines: dict[str, list[list[Scores]]] = field(default_factory=dict)

    @property
    def grid(self) -> FrameGrid:
        """What the VideoLLM's frames must look like."""
        can = self.videollm.capabilities
        return FrameGrid(patch_px=can.patch_px, frames_per_pair=can.frames_per_pair)

    @property
    def models(self) -> dict[str, str]:
        """Names and weights of the models, for the trace."""
        return model_names(self.encoder, self._first or self.videollm, self.by_node)

    def for_node(self, node: str) -> Workspace:
        """The workspace as a node sees it: with the VideoLLM that works there.

        What spotlight chooses and look shows is made for the model that reflects on it.
        """
        reader = "reflect" if node in ("spotlight", "look") else node
        if reader not in self.by_node:
            return self
        return replace(self, videollm=self.by_node[reader], _first=self.videollm)

    def render(self, name: str, *, n_clips: int = 0, **values: object) -> RenderedPrompt:
        """A prompt of this run."""
        return render_with(self.own_prompts, name, n_clips=n_clips, **values)

    def prompts_hash(self, stage: Stage) -> str:
        """What a fit of a stage has to be for: the prompts of this run that it reads."""
        return prompts_hash(stage, lambda name: hash_with(self.own_prompts, name))

    def size_px(self, short_side_px: int) -> tuple[int, int]:
        """(width, height) of the film's frames at about this short side, on the model's grid."""
        facts = self.film.video.facts
        return self.grid.size_px(
            source=(facts.width_px, facts.height_px), short_side_px=short_side_px
        )

    def budget(self, state: State) -> Budget:
        """Limits and what the state says is spent; a share is kept back for the answer.

        Where a share is too little for a second look and two passes, a small budget keeps what
        these take, as far as the search has one look left, and the calls that come before it. Of
        several things each may use an equal part, and what those before it left.
        """
        spent, n = state["spent"], max(1, len(state["things"]))
        limits = self.settings.budget.part((len(state["events"]) + 1) / n)
        share = self.settings.answer.share_of_budget / n
        # Looks, and calls, of an answer to one moment: a second look, and passes that agree.
        n_steps = 1 + self.settings.answer.agreeing
        return Budget(
            limits=limits,
            spent=Spent(
                visual_tokens=int(spent["visual_tokens"]),
                looks=int(spent["looks"]),
                calls=int(spent["calls"]),
                seconds=float(spent["seconds"]),
            ),
            reserve_tokens=int(self.settings.budget.visual_tokens * share),
            reserve_looks=max(
                min(n_steps, limits.looks - 1), int(self.settings.budget.looks * share)
            ),
            reserve_calls=max(
                min(n_steps, max(0, limits.calls - _FIRST_CALLS)),
                int(self.settings.budget.calls * share),
            ),
        )

    def bounds(self, state: State) -> Span:
        """The part of the film that the question is about."""
        return Span(*state["bounds"]) if state["bounds"] else self.film.video.span

    def parts(self, state: State) -> tuple[Span, ...]:
        """The stretches of the film that the question is about, in order and apart."""
        return tuple(Span(*part) for part in state["parts"]) or (self.bounds(state),)

    def part_of(self, state: State, span: Span) -> Span:
        """The stretch that most of a span lies in."""
        return max(self.parts(state), key=span.overlap_s)

    def prior(self, state: State) -> Prior:
        """The belief before any look. Made from the plan alone, so the same after a restart."""
        cues, settings = state["cues"], self._prior_settings(several=intent_of(state).wants_all)
        key = repr((cues, settings))
        if key not in self._priors:
            prior = self._prior_of(self._scores(cues), settings)
            for cue in (c for c in cues if c["group"] in SIDES):
                anchor = self._prior_of(self._scores([{**cue, "group": "question"}]), settings)
                prior = leaning(prior, anchor, side=cue["group"], settings=settings)
            self._priors[key] = prior
        return self._priors[key]

    def cosine(self, state: State, span: Span) -> float:
        """The best cosine of a shot in a span with what is looked for; neither the options nor what
        is seen beside it say anything of it."""
        beside = (*SIDES, "options", "cue objects")
        about = [c for c in state["cues"] if c["group"] not in beside]
        return self.prior({**state, "cues": about}).best_in(span)

    def lane_priors(self, state: State) -> dict[str, Belief]:
        """What each lane of the search would believe by itself, for the trace; of one lane what the
        search believes."""
        lanes: dict[str, list[list[Scores]]] = {}
        for group in self._scores(state["cues"]):
            lanes.setdefault(group[0].lane, []).append(group)
        if len(lanes) == 1:
            return dict.fromkeys(lanes, self.prior(state).belief)
        settings = self.settings.survey.prior
        return {lane: self._prior_of(groups, settings).belief for lane, groups in lanes.items()}

    def _prior_of(self, groups: Sequence[Sequence[Scores]], settings: PriorSettings) -> Prior:
        bins = bins_of(self.shots, self.film.video.span, self.settings.spotlight)
        return prior_from_scores(bins, groups, settings=settings)

    def belief(self, state: State) -> Belief:
        """The belief now: the prior, times what the run has found, inside the parts."""
        # Every node asks for it several times, and ten hours have 40,000 bins.
        prior, several = self.prior(state).belief, intent_of(state).wants_all
        # A prior lives as long as the run does, so it is known by its place.
        left_out = self.settings.survey.left_out_log_ratio
        read = (self.parts(state), several, state["updates"], self.settings.reflect, left_out)
        key = repr((id(prior), *read))
        if key not in self._beliefs:
            if len(self._beliefs) >= _MOST_BELIEFS:
                self._beliefs.clear()
            self._beliefs[key] = self._believed(state, prior, several=several)
        return self._beliefs[key]

    def _believed(self, state: State, prior: Belief, *, several: bool) -> Belief:
        reflect = self.settings.reflect
        updates = [Update(span_of(u), u["log_ratio"]) for u in state["updates"]]
        film, parts = self.film.video.span, self.parts(state)
        starts = [film.start_s, *(part.end_s for part in parts)]
        ends = [*(part.start_s for part in parts), film.end_s]
        # A stretch that the question leaves out is as good as seen and empty; that it is left out
        # says nothing about whether the rest of the film holds it.
        left_out = [
            Update(Span(start_s, end_s), self.settings.survey.left_out_log_ratio)
            for start_s, end_s in zip(starts, ends, strict=True)
            if start_s < end_s
        ]
        return updated(
            updated(prior, left_out).with_absent(prior.absent),
            updates,
            related_gain=0.0 if several else reflect.related_gain,
            related_s=reflect.related_s,
        )

    def clip(self, look: LookState, *, label: str = "") -> Clip:
        """The pixels of a look: from memory, or decoded again after a restart."""
        frames = self.frames.frames_at(
            even_times(span_of(look), look["n_frames"]),
            width_px=look["width_px"],
            height_px=look["height_px"],
        )
        return Clip(
            times_s=tuple(f.time_s for f in frames),
            pixels=np.stack([f.pixels for f in frames]),
            label=label,
        )

    def n_held(self, look: LookState) -> int:
        """How many frames of a look are in memory."""
        return self.frames.n_held(
            even_times(span_of(look), look["n_frames"]),
            width_px=look["width_px"],
            height_px=look["height_px"],
        )

    @property
    def shots(self) -> tuple[Shot, ...]:
        """The film's shots in their order; one, the whole film, where its cuts are not followed."""
        if self.settings.spotlight.follow_cuts and self.film.shots:
            return self.film.shots
        return (Shot(0, self.film.video.span),)

    def shot_at(self, time_s: float) -> Shot | None:
        """The shot on screen at a time."""
        shots = self.shots
        last = bisect_right(shots, time_s, key=lambda shot: shot.span.start_s) - 1
        return shots[last] if last >= 0 and time_s < shots[last].span.end_s else None

    def _prior_settings(self, *, several: bool) -> PriorSettings:
        """The settings' prior, with what is known of this encoder's cosines."""
        settings = self.settings.survey.prior
        if several:
            settings = replace(settings, temperature=self.settings.several.temperature)
        stored = fit_for(
            self.runs,
            model_hash=self.encoder.identity.weights_hash,
            prompt_hash=self.prompts_hash("presence"),
            stage="presence",
            default=Fit(first=settings.presence_slope),
        )
        if stored.version == 0:
            return settings
        fit, hours = stored.fit, self.film.video.span.duration_s / 3600
        cosine = (fit.length * math.log(hours) - fit.bias) / fit.first
        return replace(settings, presence_slope=fit.first, presence_cosine=cosine)

    def _scores(self, cues: Sequence[Cue]) -> list[list[Scores]]:
        """Frame and clip cosines, a group for each group of cues and each kind of vector."""
        key = repr(cues)
        if key not in self._cosines:
            self._cosines[key] = self._scored(cues)
        return self._cosines[key]

    def _scored(self, cues: Sequence[Cue]) -> list[list[Scores]]:
        share = self.settings.survey.frame_weight
        film = self.film
        middles = np.array([s.middle_s for s in film.clips.spans])
        lanes = [
            ("frames", film.timeline.times_s, film.timeline.vectors, share),
            ("clips", middles, film.clips.vectors, 1 - share),
        ]
        groups: dict[str, list[Cue]] = {}
        for cue in (c for c in cues if c["group"] not in SIDES):
            groups.setdefault(cue["group"], []).append(cue)
        return [
            [
                Scores(
                    times, vectors @ self._text_vector(cue["text"]), cue["weight"] * weight, name
                )
                for cue in group
            ]
            for group in groups.values()
            for name, times, vectors, weight in lanes
            if len(times) and weight > 0
        ]

    def _text_vector(self, text: str) -> Any:
        if text not in self._texts:
            self._texts[text] = self.encoder.encode_texts([text])[0]
        return self._texts[text]
