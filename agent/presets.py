"""Settings for a model, for a run of before, and with a person's own values over them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields, is_dataclass, replace
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from agent.settings import (
    AnswerSettings,
    AskSettings,
    BudgetSettings,
    LookSettings,
    ReflectSettings,
    SeveralSettings,
    SpotlightSettings,
    SurveySettings,
    VerifySettings,
)
from index.errors import InputError
from index.run_rows import RunRow
from tools.prior import PriorSettings


def demo_settings() -> AskSettings:
    """For the embedded models: the small frames that they were trained on, and a small budget."""
    return AskSettings(
        budget=BudgetSettings(visual_tokens=6_000, looks=32, calls=80, seconds=120.0),
        # No strip: asking for looks over it found no more at any length, at 7 to 11 % more tokens
        # (docs/design/0003). With one: counted once in the traces of the tuning films, 72 of 150
        # requests held the evidence; each other place of the strip got one in about 5 of 100 and,
        # where the film holds none, 8 of 100: a ratio of 6. Its frames alone point better than
        # with its clips (docs/design/0003).
        survey=SurveySettings(
            frame_weight=1.0,
            strip_pairs=0,
            strip_short_side_px=64,
            option_tokens=0,
            cue_objects=0,
            request_log_ratio=1.8,
            # How likely the true shots are by it, over ten minutes to ten hours: docs/design/0003.
            prior=PriorSettings(temperature=0.15),
        ),
        # Looks that are unlikely to show it are judged together, up to eight in less time
        # (`python -m bench.together`); a likely one alone. A look's price: what it saves and
        # loses on the tuning films, docs/design/0003.
        spotlight=SpotlightSettings(looks_per_turn=8, turn_chance=0.2, look_price=0.04),
        look=LookSettings(
            short_side_px=96,
            high_short_side_px=128,
            most_requested_frames=16,
            tell_delivered=False,
        ),
        # How far its P(yes) holds, by 9,086 first and 1,079 second looks: docs/design/0003.
        reflect=ReflectSettings(most_log_ratio=6.0),
        # Described second looks tell near misses no better than the encoder's cosine beside two
        # looks, for 12 to 21 % of the tokens: docs/design/0003.
        verify=VerifySettings(most_log_ratio=8.0, describe=False),
        # 0.2, since its whole search has a fit: docs/design/0003.
        answer=AnswerSettings(
            neighbour_alone=True,
            most_absent=0.2,
            ask_for_looks=False,
            option_not_enough=False,
        ),
        # As many sets right on the tuning films as with 0.2, in fewer looks: docs/design/0003.
        several=SeveralSettings(temperature=0.15, least_chance=0.06),
    )


def settings_for(*, knows_only_demo_world: bool) -> AskSettings:
    """The settings that fit a VideoLLM."""
    return demo_settings() if knows_only_demo_world else AskSettings()


def settings_of(run: RunRow) -> AskSettings:
    """The settings that a run was begun with.

    Raises:
        InputError: another version of the program began it.
    """
    try:
        return settings_from_dict(run.settings)
    except TypeError as error:
        raise InputError(
            f"run {run.run_id} was begun by another version of longshot ({error})",
            "ask the question again",
        ) from error


def settings_from_dict(data: dict[str, Any]) -> AskSettings:
    """The settings of a run, as `dataclasses.asdict` and JSON left them.

    Raises:
        TypeError: a name in it is unknown to this version.
    """
    settings = _filled(AskSettings(), data)
    # A run from before a model was asked these things goes on without: it may not know them.
    for section, never in _LEARNT.items():
        unknown = {name: no for name, no in never.items() if name not in data.get(section, {})}
        old = getattr(settings, section)
        settings = replace(settings, **{section: replace(old, **unknown)})
    return settings


_LEARNT: dict[str, dict[str, Any]] = {
    "answer": {"ask_for_looks": False, "option_not_enough": False},
    "survey": {"cue_objects": 0},
}
_Settings = TypeVar("_Settings")


def _filled(settings: _Settings, data: dict[str, Any]) -> _Settings:
    """The settings with the values of `data`; what an older version did not know stays."""
    values: dict[str, Any] = {}
    for name, value in data.items():
        old = getattr(settings, name, None)
        if isinstance(value, dict) and is_dataclass(old):
            value = _filled(old, value)
        values[name] = tuple(value) if isinstance(value, list) else value
    return replace(settings, **values)  # type: ignore[type-var]


def with_budget(
    settings: AskSettings,
    *,
    visual_tokens: int | None = None,
    looks: int | None = None,
    calls: int | None = None,
    seconds: float | None = None,
) -> AskSettings:
    """The settings with some limits of the budget changed."""
    old = settings.budget
    budget = BudgetSettings(
        visual_tokens=old.visual_tokens if visual_tokens is None else visual_tokens,
        looks=old.looks if looks is None else looks,
        calls=old.calls if calls is None else calls,
        seconds=old.seconds if seconds is None else seconds,
    )
    return replace(settings, budget=budget)


def with_search(settings: AskSettings, values: Mapping[str, Any]) -> AskSettings:
    """The settings with a person's own values, named as in `AskSettings`: {"reflect": {…}}.

    Raises:
        InputError: a name that is none, or a value of another kind.
    """
    if not values:
        return settings
    check_names(values)
    try:
        filled = asdict(_filled(settings, dict(values)))
        made = _adapter().validate_json(json.dumps(filled), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise InputError(f"search.{name}: {first['msg']} (it is {first['input']!r})") from error
    except ValueError as error:
        raise InputError(f"search: {error}") from error
    for name, value in flat(asdict(made)):
        for number in value if isinstance(value, tuple) else (value,):
            if isinstance(number, float) and not math.isfinite(number):
                raise InputError(f"search.{name} is {number}", "write a number")
    return made


@cache
def _adapter() -> TypeAdapter[AskSettings]:
    return TypeAdapter(AskSettings)


def check_names(values: Mapping[str, Any]) -> None:
    """Whether all names are of the search, and sections where it has sections.

    Raises:
        InputError: one is not.
    """
    _check_section(values, AskSettings(), before="")


def _check_section(values: Mapping[str, Any], settings: Any, *, before: str) -> None:
    known = {each.name for each in fields(settings)}
    for name, value in values.items():
        old = getattr(settings, name) if name in known else None
        if before + name == "budget":
            raise InputError(
                "search.budget is no setting of the search",
                "the budget has a section of its own, [budget], and a flag, --budget",
            )
        if old is None or is_dataclass(old) != isinstance(value, Mapping):
            raise InputError(
                f"search.{before}{name} is no setting of the search",
                "`longshot settings` lists them",
            )
        if is_dataclass(old):
            _check_section(value, old, before=f"{before}{name}.")


def flat(values: Mapping[str, Any], *, before: str = "") -> Iterator[tuple[str, Any]]:
    """Nested values by their dotted names."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from flat(value, before=f"{before}{name}.")
        else:
            yield f"{before}{name}", value
