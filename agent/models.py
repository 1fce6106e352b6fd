"""Names of models, and what they open.

    auto           the pair of the table below that fits this machine
    demo           the embedded pair; it knows only the demo world, and is never chosen by itself
    FOLDER, HUB/ID a VideoLLM that transformers can load, with an encoder of one's own choice
    openai:MODEL   a model of an OpenAI-compatible server, reached at --base-url
    scripted       the fakes, for tests; scripted:FILE.json says what they know

Behind the first name nodes of the agent may be given a VideoLLM of their own:
"auto,reflect=openai:small,answer=openai:large".

What `auto` chose is in the result, so that a run can record it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from agent.backends import BY_MODEL_TYPE, backend_class
from agent.endpoint_settings import PREFIX, EndpointSettings
from agent.videollm import VideoLLM
from agent.workspace import model_names
from index.encoder import Encoder, open_encoder
from index.errors import ModelError

DEMO_FOLDER = Path(__file__).resolve().parent.parent / "demo" / "weights"
NODES_WITH_MODEL = ("plan", "survey", "reflect", "answer")
"""Nodes of the agent that ask the VideoLLM something."""
NO_ENDPOINT = EndpointSettings()
_GB = 10**9


@dataclass(frozen=True, slots=True)
class Tier:
    """A pair of models for machines of one size."""

    name: str
    min_gpu_gb: float
    """GPU memory from which on the pair is chosen; 0: any machine, also without a GPU."""
    encoder: str
    """An open_clip name and its weights' tag, "NAME:TAG"."""
    videollm: str


TIERS: tuple[Tier, ...] = (
    Tier("large", 20, "ViT-SO400M-14-SigLIP2:webli", "Qwen/Qwen3-VL-8B-Instruct"),
    Tier("medium", 10, "PE-Core-B-16:meta", "Qwen/Qwen3-VL-4B-Instruct"),
    Tier("small", 0, "ViT-B-32:datacomp_xl_s13b_b90k", "Qwen/Qwen3-VL-2B-Instruct"),
)
"""What "auto" chooses from, largest first. The doctor prints it."""


@dataclass(frozen=True, slots=True)
class Hardware:
    """What models can run on here."""

    device: str
    """cuda, mps or cpu."""
    gpu_gb: float
    """Memory of the GPU in 10^9 bytes; 0 without one."""
    name: str


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """Two names, before anything is loaded."""

    asked: str
    """The name that was given."""
    encoder: str
    videollm: str
    why: str
    """Why these two, in a few words, for the run's record."""
    by_node: tuple[tuple[str, str], ...] = ()
    """(node, name of the VideoLLM that works there), where it is another one."""


@dataclass(frozen=True, slots=True)
class Models:
    """A pair that is ready to use."""

    choice: ModelChoice
    encoder: Encoder
    videollm: VideoLLM
    by_node: Mapping[str, VideoLLM] = field(default_factory=dict)
    """Nodes that have a VideoLLM of their own."""

    @property
    def knows_only_demo_world(self) -> bool:
        """To be said to whoever asks about a film of their own."""
        return self.videollm.knows_only_demo_world

    def names(self) -> dict[str, str]:
        """Names and weights, for the record of a run."""
        return model_names(self.encoder, self.videollm, self.by_node)


def find_hardware() -> Hardware:
    """What this machine has. Imports torch."""
    import torch

    if torch.cuda.is_available():
        facts = torch.cuda.get_device_properties(0)
        return Hardware("cuda", facts.total_memory / _GB, facts.name)
    if torch.backends.mps.is_available():
        return Hardware("mps", torch.mps.recommended_max_memory() / _GB, "Apple GPU")
    return Hardware("cpu", 0.0, "no GPU")


def choose_tier(gpu_gb: float) -> Tier:
    """The largest tier whose GPU memory is there."""
    return next(tier for tier in TIERS if gpu_gb >= tier.min_gpu_gb)


def pair_is_here(tier: Tier) -> bool:
    """Are the weights of both models on this machine? For the doctor."""
    from agent.backends.weights import is_here
    from index.pretrained import is_here as encoder_is_here

    return is_here(tier.videollm) and encoder_is_here(*split_encoder_name(tier.encoder))


def split_models(text: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The first name, and (node, name) pairs, of "NAME,reflect=NAME,answer=NAME".

    Raises:
        ModelError: a node that asks nothing of a model, or one that is named twice.
    """
    first, *rest = (part.strip() for part in text.split(","))
    if first.partition("=")[0] in NODES_WITH_MODEL:
        first, rest = "auto", [first, *rest]
    pairs: list[tuple[str, str]] = []
    for part in rest:
        node, equals, name = (piece.strip() for piece in part.partition("="))
        known = node in NODES_WITH_MODEL and node not in dict(pairs)
        if not (known and equals and name):
            raise ModelError(
                f"{part!r} in --models {text!r} names no model for a node",
                f"write NODE=NAME, each once; nodes: {', '.join(NODES_WITH_MODEL)}",
            )
        pairs.append((node, name))
    return first, tuple(pairs)


def choose_models(name: str, *, encoder: str | None = None, device: str = "auto") -> ModelChoice:
    """The pair that a name means here, without loading or looking for it.

    Args:
        name: see the module's docstring.
        encoder: overrides the encoder of the pair; "NAME:TAG", "local-dir:FOLDER", "hash".
        device: "auto" or a device; with "cpu", "auto" chooses as if there were no GPU.

    Raises:
        ModelError: an empty name.
    """
    name, by_node = split_models(name)
    if not name:
        raise ModelError("no model named", "give --models auto, demo, a folder or a hub id")
    if name == "demo":
        pair = (f"local-dir:{DEMO_FOLDER / 'clip'}", str(DEMO_FOLDER / "vlm"), "by name")
    elif _is_fake(name):
        pair = ("hash", name, "by name")
    elif name == "auto" or encoder is None:
        hardware = Hardware("cpu", 0.0, "--device cpu") if device == "cpu" else find_hardware()
        tier = choose_tier(hardware.gpu_gb)
        why = f"{tier.name}, for {hardware.name} ({hardware.gpu_gb:.0f} GB)"
        pair = (tier.encoder, tier.videollm if name == "auto" else name, f"auto: {why}")
    else:
        pair = (encoder, name, "by name")
    return ModelChoice(name, encoder or pair[0], pair[1], pair[2], by_node)


def recorded_name(choice: ModelChoice, endpoint: EndpointSettings = NO_ENDPOINT) -> str:
    """The VideoLLM's name as it will stand in the record of a run."""
    if choice.videollm.startswith(PREFIX):
        return endpoint.recorded_name(choice.videollm.removeprefix(PREFIX))
    if _is_fake(choice.videollm):
        from agent.backends.scripted import NAME

        return NAME
    return "demo" if choice.asked == "demo" else choice.videollm


def check_begun_with(
    recorded: Mapping[str, str],
    choice: ModelChoice,
    *,
    device: str = "auto",
    endpoint: EndpointSettings = NO_ENDPOINT,
) -> None:
    """Passes where the choice's VideoLLMs go by the names that a run recorded; loads none.

    Raises:
        ModelError: one is another.
    """
    names = {"": recorded_name(choice, endpoint)}
    for node, own in choice.by_node:
        is_first = own in (choice.asked, choice.videollm)
        alone = choice if is_first else choose_models(own, encoder=choice.encoder, device=device)
        names[node] = recorded_name(alone, endpoint)
    for node in ("", *NODES_WITH_MODEL):
        before = recorded.get(f"videollm_{node}" if node else "videollm")
        if before != names.get(node):
            old, new = (name or "no model of its own" for name in (before, names.get(node)))
            raise ModelError(
                f"the run was begun with {old}{f' for {node}' if node else ''}, not with {new}",
                "leave --models out to go on with the same; a server's need the same --base-url",
            )


def models_of_run(names: Mapping[str, str]) -> str:
    """The models of a run, those of single nodes too, as `--models` names them.

    Args:
        names: as the run recorded them (`Models.names`).
    """
    own = {node: names.get(f"videollm_{node}") for node in NODES_WITH_MODEL}
    pairs = (f"{node}={_asked_name(name)}" for node, name in own.items() if name)
    return ",".join((_asked_name(names["videollm"]), *pairs))


def _asked_name(recorded: str) -> str:
    """The name without where its server was: "openai:m" of "openai:m at host:80"."""
    is_served = recorded.startswith(PREFIX)
    # The last " at ": a model's name may hold one, an address does not.
    return recorded.rpartition(" at ")[0] or recorded if is_served else recorded


def encodes_only_demo_world(choice: ModelChoice) -> bool:
    """Whether the choice's encoder is the embedded one."""
    folder = choice.encoder.removeprefix("local-dir:")
    return folder != choice.encoder and Path(folder).expanduser().resolve() == DEMO_FOLDER / "clip"


def knows_only_demo_world(choice: ModelChoice) -> bool:
    """Whether the VideoLLM was trained on rendered films alone, without loading it."""
    from agent.backends.weights import read_notes

    return read_notes(Path(choice.videollm).expanduser()).demo_world


def open_models(
    name: str,
    *,
    device: str = "auto",
    encoder: str | None = None,
    endpoint: EndpointSettings = NO_ENDPOINT,
) -> Models:
    """Both models of a name, loaded, and those that nodes have of their own.

    Args:
        endpoint: how the server of an "openai:" model is reached.

    Raises:
        ModelError: unknown, weights missing, no network, no such device, out of memory; in one
            line that names the choices.
    """
    choice = choose_models(name, encoder=encoder, device=device)
    # The VideoLLM first: it is the one more often missing, and finding that out is quick.
    videollm = open_videollm(choice, device=device, endpoint=endpoint)
    opened: dict[str, VideoLLM] = {choice.asked: videollm, choice.videollm: videollm}
    for own in dict.fromkeys(own for _, own in choice.by_node):
        if own not in opened:
            alone = choose_models(own, encoder=choice.encoder, device=device)
            opened[own] = open_videollm(alone, device=device, endpoint=endpoint)
    by_node = {node: opened[own] for node, own in choice.by_node}
    return Models(choice, open_chosen_encoder(choice, device=device), videollm, by_node)


def open_chosen_encoder(choice: ModelChoice, *, device: str = "auto") -> Encoder:
    """The choice's encoder alone: all that indexing and searching need.

    Raises:
        ModelError: as `open_encoder`.
    """
    if choice.asked == "demo" and choice.encoder.startswith("local-dir:"):
        _check_demo(DEMO_FOLDER / "clip")
    name, weights = split_encoder_name(choice.encoder)
    return open_encoder(name, weights=weights, device=device)


def split_encoder_name(text: str) -> tuple[str, str | None]:
    """An encoder's name and its weights from "NAME:TAG"; prefixes that mean a place stay whole."""
    if text.startswith(("local-dir:", "hf-hub:")):
        return text, None
    name, _, weights = text.partition(":")
    return name, weights or None


def open_videollm(
    choice: ModelChoice, *, device: str = "auto", endpoint: EndpointSettings = NO_ENDPOINT
) -> VideoLLM:
    """The choice's VideoLLM alone.

    Raises:
        ModelError: as `open_models`.
    """
    name = choice.videollm
    if _is_fake(name):
        return _scripted(name.partition(":")[2])
    if name.startswith(PREFIX):
        served: VideoLLM = backend_class("endpoint")(name.removeprefix(PREFIX), endpoint)
        return served
    if choice.asked == "demo":
        _check_demo(Path(name))
    from agent.backends.weights import find_weights, model_type

    try:
        folder = find_weights(name)
    except ModelError as error:
        if choice.asked != "auto":
            raise
        raise ModelError(f"--models auto chose {name}: {error.message}", error.hint) from error
    backend = backend_class(BY_MODEL_TYPE.get(model_type(folder), "frames"))
    videollm: VideoLLM = backend(folder, name=recorded_name(choice), device=device)
    return videollm


def _is_fake(name: str) -> bool:
    return name == "scripted" or name.startswith("scripted:")


def _check_demo(folder: Path) -> None:
    if not folder.is_dir():
        raise ModelError(f"the demo models are not there: {folder}", "make them: make models")


def _scripted(path: str) -> VideoLLM:
    from agent.backends.scripted import ScriptedVideoLLM, from_file

    return from_file(Path(path)) if path else ScriptedVideoLLM()
