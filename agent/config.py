"""Settings from outside: flags, then `LONGSHOT_*`, then TOML files, then the defaults.

    longshot.toml in the user's configuration folder   the person's own defaults
    longshot.toml in the library's folder              what holds for that library; wins over them

A value that does not fit is an error that names its source. Nothing here reads the environment:
the caller passes it in.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import platformdirs
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    ValidationError,
)

from agent.endpoint_settings import EndpointSettings
from agent.models import NO_ENDPOINT, ModelChoice, choose_models, split_models
from agent.presets import settings_for, with_budget, with_search
from agent.settings import AskSettings
from index.build import IndexSettings
from index.encoder import EncoderIdentity
from index.errors import InputError
from index.library import default_library_folder
from index.words import WordSettings

FILE_NAME = "longshot.toml"
_PREFIX = "LONGSHOT_"
_OPENAI = "api.openai.com"
_PLAIN = ("library", "models", "encoder", "device", "base_url")
_KEY = "LONGSHOT_API_KEY"
# Secrets are no settings: what needs one reads it itself.
_SECRETS = ("LONGSHOT_TOKEN", _KEY)


class BudgetLimits(BaseModel):
    """The limits of a budget that somebody set; the others stay as they fit the model."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    visual_tokens: PositiveInt | None = None
    looks: PositiveInt | None = None
    calls: PositiveInt | None = None
    seconds: PositiveFloat | None = Field(default=None, allow_inf_nan=False)


class _IndexSection(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    every_s: PositiveFloat | None = None
    glimpse_every_s: PositiveFloat | None = None
    clip_s: PositiveFloat | None = None
    strip_height_px: PositiveInt | None = None
    batch_size: PositiveInt | None = None
    backend: str | None = None


class _EndpointSection(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    timeout_s: PositiveFloat | None = None
    retries: NonNegativeInt | None = None
    concurrency: PositiveInt | None = None
    requests_per_minute: PositiveFloat | None = None
    max_visual_tokens: PositiveInt | None = None


class _WordsSection(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    speech: str | None = Field(default=None, min_length=1)
    speech_language: str | None = None
    screen_text: bool | None = None
    screen_every_s: PositiveFloat | None = None


class _Layer(BaseModel):
    """One source of settings."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    library: Path | None = None
    models: str | None = Field(default=None, min_length=1)
    encoder: str | None = Field(default=None, min_length=1)
    device: str | None = Field(default=None, min_length=1)
    base_url: str | None = Field(default=None, min_length=1)
    budget: BudgetLimits = BudgetLimits()
    search: dict[str, Any] = Field(default_factory=dict)
    index: _IndexSection = _IndexSection()
    endpoint: _EndpointSection = _EndpointSection()
    words: _WordsSection = _WordsSection()


@dataclass(frozen=True, slots=True)
class Config:
    """What a command works with."""

    library: Path
    models: str
    encoder: str | None
    """None: the one of the library, or that of the models."""
    device: str
    budget: BudgetLimits
    index: IndexSettings
    endpoint: EndpointSettings = NO_ENDPOINT
    search: dict[str, Any] = field(default_factory=dict)
    """Settings of the search that somebody set, by their sections."""

    def choice(self, library_encoder: EncoderIdentity | None = None) -> ModelChoice:
        """The names of the models, before anything is loaded.

        Where nobody names an encoder, a library goes on with its own. A pair that stands for
        itself (the demo's, the fakes) brings its encoder along.
        """
        encoder = self.encoder
        first, _ = split_models(self.models)
        is_pair = first == "demo" or first.partition(":")[0] == "scripted"
        if encoder is None and library_encoder is not None and not is_pair:
            encoder = library_encoder.name
        return choose_models(self.models, encoder=encoder, device=self.device)

    def ask_settings(self, *, knows_only_demo_world: bool) -> AskSettings:
        """The settings that fit the VideoLLM, with what somebody set over them."""
        settings = settings_for(knows_only_demo_world=knows_only_demo_world)
        return with_search(with_budget(settings, **self.budget.model_dump()), self.search)


def load_config(
    flags: Mapping[str, Any], *, environ: Mapping[str, str], config_folder: Path | None = None
) -> Config:
    """The settings of a command.

    Args:
        flags: values given on the command line, by name; None where one was not given.
        environ: the environment; only names that begin with LONGSHOT_ are read.
        config_folder: where the person's own file is; None: the platform's place for it.

    Raises:
        InputError: a value that does not fit, or a name that is none of ours.
    """
    folder = config_folder or Path(platformdirs.user_config_dir("longshot", appauthor=False))
    given = _layer({k: v for k, v in flags.items() if v is not None}, "the command line")
    named = _layer(_from_environ(environ), "the environment")
    own = _from_file(folder / FILE_NAME)
    library = given.library or named.library or own.library or default_library_folder()
    library = library.expanduser()
    of_library = _from_file(library / FILE_NAME)
    if of_library.library is not None:
        raise InputError(
            f"{library / FILE_NAME} names a library", "a library's own file says nothing of that"
        )
    values: dict[str, Any] = {}
    for layer in (own, of_library, named, given):
        values = merged(values, layer.model_dump(exclude_none=True))
    return Config(
        library=library,
        models=values.get("models", "auto"),
        encoder=_absolute(values.get("encoder")),
        device=values.get("device", "auto"),
        budget=BudgetLimits(**values["budget"]),
        index=IndexSettings(**values["index"], words=WordSettings(**values["words"])),
        endpoint=EndpointSettings(
            base_url=values.get("base_url", ""),
            api_key=_key(values.get("base_url", ""), environ),
            **values["endpoint"],
        ),
        search=values["search"],
    )


def parse_budget(text: str) -> dict[str, float]:
    """The limits of "6000" (visual tokens) or "tokens=6000,looks=20,calls=80,seconds=120".

    Raises:
        InputError: anything else.
    """
    known = {"tokens": "visual_tokens", **{name: name for name in BudgetLimits.model_fields}}
    limits: dict[str, float] = {}
    for part in text.split(","):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals:
            name, value = "tokens", name
        if name not in known or known[name] in limits:
            raise _bad_budget(text)
        try:
            limits[known[name]] = float(value) if name == "seconds" else int(value)
        except ValueError as error:
            raise _bad_budget(text) from error
        if not 0 < limits[known[name]] < float("inf"):
            raise _bad_budget(text)
    return limits


def parse_setting(text: str) -> dict[str, Any]:
    """The values of "reflect.answer_risk=0.1", as a file's section would hold them.

    The name may begin with "search.", as `longshot settings` shows it.

    Raises:
        InputError: anything else.
    """
    name, equals, value = (part.strip() for part in text.partition("="))
    name = name.removeprefix("search.")
    if not (equals and re.fullmatch(r"\w+(\.\w+)*", name)):
        raise InputError(
            f'"{text}" is no setting',
            "write SECTION.NAME=VALUE in TOML; `longshot settings` lists them",
        )
    section, _, limit = name.partition(".")
    if section == "budget":
        raise InputError(f"the budget is set with --budget {limit or 'tokens'}={value}")
    try:
        return tomllib.loads(f"{name} = {value}")
    except tomllib.TOMLDecodeError as error:
        raise InputError(
            f"{value or 'nothing'} is no value in TOML (for {name})",
            'write a number, true, false, or text in double quotes: "text"',
        ) from error


def _bad_budget(text: str) -> InputError:
    return InputError(
        f'"{text}" is no budget',
        "write a number of visual tokens (6000) or tokens=6000,looks=20,calls=80,seconds=120",
    )


def _key(base_url: str, environ: Mapping[str, str]) -> str:
    """The server's key. The one for OpenAI goes to OpenAI alone, whatever address is given."""
    of_openai = environ.get("OPENAI_API_KEY", "") if urlsplit(base_url).hostname == _OPENAI else ""
    return environ.get(_KEY) or of_openai


def _from_environ(environ: Mapping[str, str]) -> dict[str, Any]:
    known = {f"{_PREFIX}{name.upper()}": name for name in (*_PLAIN, "budget")}
    values: dict[str, Any] = {}
    for key, value in environ.items():
        if not key.startswith(_PREFIX) or not value or key in _SECRETS:
            continue
        if key not in known:
            raise InputError(
                f"{key} in the environment is no setting", f"known: {', '.join((*known, _KEY))}"
            )
        values[known[key]] = parse_budget(value) if key.endswith("_BUDGET") else value
    return values


def _from_file(path: Path) -> _Layer:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return _Layer()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}", "mend it or remove it") from error
    try:
        return _layer(tomllib.loads(text), str(path))
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path} is no TOML: {error}", "mend it or remove it") from error


def _layer(values: Mapping[str, Any], source: str) -> _Layer:
    try:
        layer = _Layer.model_validate(values)
        with_search(AskSettings(), layer.search)
    except InputError as error:
        raise InputError(f"from {source}: {error.message}", error.hint) from error
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise InputError(
            f"setting {name} from {source}: {first['msg']} (it is {first['input']!r})",
            f"known: {', '.join(_Layer.model_fields)}"
            if first["type"] == "extra_forbidden"
            else "",
        ) from error
    return layer


def _absolute(encoder: str | None) -> str | None:
    """A folder's name that a library can keep: the next command may run elsewhere."""
    prefix = "local-dir:"
    if encoder is None or not encoder.startswith(prefix):
        return encoder
    return f"{prefix}{Path(encoder.removeprefix(prefix)).expanduser().absolute()}"


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Values of `above` replace those of `below`; sections are merged."""
    values = dict(below)
    for key, value in above.items():
        is_section = isinstance(value, Mapping)
        values[key] = merged(values.get(key, {}), value) if is_section else value
    return values
