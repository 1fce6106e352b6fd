"""From what a model said to one honest probability.

What was observed of a span (P(yes) of a look, P(yes) of a second one) is read by a logistic model.
Its weights are fitted for each model and prompt on films that no table uses, both classes weighing
the same (`python -m evals.calibrate`), so that its log-odds are a log likelihood ratio: what the
observation adds to the belief.

Where they come from: the library's newest version; else those that ship (`fits.json`); else the
settings'.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal, Protocol

from agent.answer_type import AnswerType, answer_type_of

Stage = Literal["presence", "look", "verify", "search", "twice", "answer"]
"""What is fitted: the cosine of the film's best shot, one look, two looks, what the whole search
says for the film's holding it, the same once something was looked at twice, the answer's own
confidence."""

PROMPTS: dict[Stage, tuple[str, ...]] = {
    "presence": (),
    "look": ("reflect",),
    "verify": ("reflect", "caption"),
    "search": ("reflect",),
    "twice": ("reflect", "caption"),
    "answer": ("reflect", "caption", "answer", "shown"),
}
"""The prompts whose replies a stage reads: with another text of one of them its fit is none."""
_READS: dict[Stage, tuple[str, ...]] = {
    "presence": ("shots",),
    "verify": ("shots",),
    "answer": ("reply", "shots"),
}
"""What a stage reads besides: a fit from before it did so is for another number. Whole searches are
read from a log ratio, which is one whatever it was added up from."""
_SHIPPED = Path(__file__).parent / "fits.json"
_EDGE = 1e-6
"""0 and 1 are drawn in by this before a logarithm is taken."""


@dataclass(frozen=True, slots=True)
class Fit:
    """Weights of a logistic reading."""

    first: float = 1.0
    """Of the logit of a look's P(yes); of the confidence's logit ("answer"); of the log ratio that
    the search added up ("search", "twice"); of the best shot's cosine itself ("presence")."""
    second: float = 0.0
    """Of the logit of the second look's P(yes) ("verify"); of the log-odds that the best of all
    second looks came to ("twice")."""
    named: float = 0.0
    """Of the agreement of its description with what is looked for, -1 to 1."""
    cosine: float = 0.0
    """Of the best shot's cosine there with what is looked for ("verify")."""
    length: float = 0.0
    """Against it, of the natural log of the hours that were searched ("presence", "search",
    "twice", "answer"): the longer a film, the better the best of what only looks like it."""
    options: float = 0.0
    """Of there being options: whoever chooses is right more often than who says it freely
    ("answer")."""
    bias: float = 0.0
    """What is said before any of these is read."""

    def log_odds(
        self,
        first: float,
        *,
        second: float = 0.5,
        named: float = 0.0,
        cosine: float = 0.0,
        hours: float = 1.0,
        options: bool = False,
    ) -> float:
        """Natural log of P(observed | evidence here) / P(observed | not here)."""
        looks = self.first * logit(first) + self.second * logit(second)
        others = self.named * named + self.cosine * cosine - self.length * math.log(hours)
        others += self.options * options
        return self.bias + looks + others


@dataclass(frozen=True, slots=True)
class StoredFit:
    """A fit, what it is for, and where it comes from."""

    model_hash: str
    prompt_hash: str
    stage: Stage
    version: int
    """1, 2, …; 0: nobody fitted it."""
    fit: Fit
    by_type: Mapping[AnswerType, Fit] = field(default_factory=dict)
    """Of looks that are judged by a question for one type of answer, where enough were fitted."""
    n_with: int = 0
    """Observations with the evidence that it was fitted on (in the stage "answer": right ones)."""
    n_without: int = 0
    source: str = "settings"
    """What it was fitted on."""
    fitted_at: str = ""

    def of(self, question: str) -> Fit:
        """The weights for looks that are judged by this question."""
        return self.by_type.get(answer_type_of(question), self.fit)

    def to_json(self) -> dict[str, Any]:
        """As rows keep it: the types' weights beside those of all."""
        data = asdict(self)
        data["fit"]["by_type"] = data.pop("by_type")
        return data

    @property
    def named(self) -> str:
        """For a trace: "look 2 (library)"."""
        return f"{self.stage} {self.version} ({self.source})"


class FitStore(Protocol):
    """What keeps fits: a library's runs."""

    def fit_row(
        self, *, model_hash: str, prompt_hash: str, stage: str
    ) -> dict[str, Any] | None: ...


def pair_hash(videollm: str, encoder: str) -> str:
    """What a fit is for that reads both models ("verify"): another encoder's cosines are of another
    scale."""
    return f"{videollm}+{encoder[:16]}"


def prompts_hash(stage: Stage, hash_of: Callable[[str], str]) -> str:
    """What a stage's fit is for: the hashes of its prompts, by their names, and what it reads."""
    return "+".join([*(hash_of(name) for name in PROMPTS[stage]), *_READS.get(stage, ())])


def fit_for(
    store: FitStore, *, model_hash: str, prompt_hash: str, stage: Stage, default: Fit
) -> StoredFit:
    """The newest fit of a model and its prompts, see the module."""
    row = store.fit_row(model_hash=model_hash, prompt_hash=prompt_hash, stage=stage)
    if row is not None:
        return stored_fit(row)
    for shipped in shipped_fits():
        if (shipped.model_hash, shipped.prompt_hash, shipped.stage) == (
            model_hash,
            prompt_hash,
            stage,
        ):
            return shipped
    return StoredFit(model_hash, prompt_hash, stage, 0, default)


def stored_fit(row: dict[str, Any]) -> StoredFit:
    """The fit of a row or of a line of the shipped file."""
    weights = dict(row["fit"])
    by_type = {name: Fit(**each) for name, each in weights.pop("by_type", {}).items()}
    return StoredFit(**{**row, "fit": Fit(**weights), "by_type": by_type})


@cache
def shipped_fits() -> tuple[StoredFit, ...]:
    """The fits that come with the program, the newest first."""
    rows = [stored_fit(row) for row in json.loads(_SHIPPED.read_text(encoding="utf-8"))]
    return tuple(sorted(rows, key=lambda f: -f.version))


def ship(fits: list[StoredFit]) -> Path:
    """Write fits among the shipped ones, as the next version of their model, prompt and stage."""
    rows = list(shipped_fits())
    for fit in fits:
        key = (fit.model_hash, fit.prompt_hash, fit.stage)
        rows = [r for r in rows if (r.model_hash, r.prompt_hash, r.stage) != key] + [fit]
    rows.sort(key=lambda f: (f.model_hash, f.prompt_hash, f.stage))
    text = json.dumps([row.to_json() for row in rows], indent=2)
    _SHIPPED.write_text(text + "\n", encoding="utf-8")
    shipped_fits.cache_clear()
    return _SHIPPED


def logit(p: float) -> float:
    p = min(max(p, _EDGE), 1 - _EDGE)
    return math.log(p / (1 - p))


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-min(max(x, -60.0), 60.0)))
