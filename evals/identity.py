"""What an outcome depends on, as a hash: a record of other models, settings, prompts or code is not
taken for one of these."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path

from agent.models import Models
from agent.settings import AskSettings
from evals.items import Item
from evals.strategies import AGENTS, ORACLE

_ROOT = Path(__file__).resolve().parent.parent
_AGENT_CODE = ("agent", "tools", "prompts", "evals/strategies.py")
_ASKING_CODE = (
    *("evals/strategies.py", "evals/film_view.py", "tools/look.py", "prompts"),
    *("agent/backends", "agent/evidence.py", "agent/plan.py", "agent/events.py"),
    *("agent/said.py", "agent/answer_type.py", "agent/bounds.py"),
)
"""What one prompt over given frames depends on."""
_BASELINE_CODE = (
    *_ASKING_CODE,
    *("evals/selection", "evals/film_vectors.py", "tools/belief.py", "tools/prior.py"),
    *("tools/keyclips.py", "agent/survey.py", "agent/spotlight.py", "agent/queue.py"),
    "agent/cuts.py",
)
_ORACLE_CODE = (
    *_ASKING_CODE,
    *("agent/confidence.py", "agent/fits.json", "agent/kinds.py", "agent/order.py"),
)


def setting_of(
    strategy: str, item: Item, visual_tokens: int, *, models: Models, settings: AskSettings
) -> str:
    """Hash of all but the film, the question's id and the strategy's name."""
    plain = [
        model_names(models),
        [item.question, list(item.options)],
        *_of_strategy(strategy, visual_tokens, settings, evidence=item.evidence),
    ]
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:16]


def _of_strategy(
    strategy: str, visual_tokens: int, settings: AskSettings, *, evidence: Sequence[object]
) -> list[object]:
    """A baseline does not change with the settings of the search, nor an agent with a baseline."""
    code = code_hash(code_of(strategy))
    if strategy in AGENTS:
        return [asdict(settings), code]
    if strategy == ORACLE:
        judged_by = {"accept": settings.reflect.accept, "fit": asdict(settings.reflect.fit)}
        used: list[object] = [asdict(settings.look), asdict(settings.answer), judged_by]
        return [used, str(evidence), code]
    used = [asdict(settings.look), settings.answer.tokens]
    if strategy == "keyclips":
        used += [asdict(settings.survey), asdict(settings.spotlight)]
    return [used, visual_tokens, code]


def code_of(strategy: str) -> tuple[str, ...]:
    """Folders and files of the program that a strategy's outcome depends on, but for `index`."""
    if strategy in AGENTS:
        return _AGENT_CODE
    return _ORACLE_CODE if strategy == ORACLE else _BASELINE_CODE


@cache
def code_hash(places: tuple[str, ...], *, root: Path = _ROOT) -> str:
    """Hash over the program's files in some folders (or some single files), fits among them."""
    digest = hashlib.sha256()
    for place in places:
        path = root / place
        files = [path] if path.is_file() else path.rglob("*")
        for file in sorted(f for f in files if f.suffix in (".py", ".j2", ".json")):
            digest.update(str(file.relative_to(root)).encode() + file.read_bytes())
    return digest.hexdigest()


def model_names(models: Models) -> dict[str, str]:
    """Names and weights of the models."""
    return models.names()
