"""Trains both embedded models from nothing and writes `demo/weights/`.

    python -m demo.train [--work FOLDER] [--pools FOLDER] [--only STAGE …] [--quick]
                         [--start FOLDER [--tower N] [--steps N] [--rate SHARE] [--kept SHARE]]

Stages in order: pools, encoder, tower, symbolic, joint, save, report. Each keeps its checkpoint in
the work folder: a run that was interrupted goes on where it was, and another one is refused there.
Pools take 16 GB. A GPU is used when there is one.
With `--quick` everything stays in build/quick, unless folders are named.
With `--start` the VideoLLM goes on from a saved one on pixels, at lower rates, and the mean of both
is saved; with `--tower` its tower goes on alone before. The encoder beside it stays as it is.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedTokenizerFast

from demo.train.codebook import hold_numbers, name_the_codes
from demo.train.curriculum import PHASES, RUNGS, Curriculum
from demo.train.encoder import STEPS as ENCODER_STEPS
from demo.train.encoder import EncoderTrainer
from demo.train.packing import Packer
from demo.train.pool import (
    Pool,
    counted_scene,
    crowded_scene,
    empty_scene,
    held_out_scene,
    make_pool,
    training_scene,
    unseen_scene,
)
from demo.train.recipe import Recipe, claim, models_hash, words_hash
from demo.train.tokenizer import clip_tokenizer, video_tokenizer
from demo.train.tower import STEPS as TOWER_STEPS
from demo.train.tower import TowerTrainer
from demo.train.video_config import video_config, video_processor
from demo.train.videollm import COOLDOWN, JOINT_STEPS, SYMBOLIC_STEPS, VideoTrainer
from demo.world import ALL_PAIRS, HELD_OUT
from evals.demo_films import make_film
from index.errors import InputError, LongshotError

WEIGHTS = Path(__file__).resolve().parent.parent / "weights"
STARTED_RATE = 0.6
"""Share of the language model's learning rates where training goes on from a saved VideoLLM."""
STARTED_SHARE = 0.5
"""Share of the saved VideoLLM in what is saved after going on from it. Source: WiSE-FT, arXiv
2109.01903 (weights between a model and its fine-tuned self): new skills, and the old ones kept."""
HEADS_STEPS = 150
"""After which the tower's heads, which are not saved, can read a saved tower again."""
STAGES = ("pools", "encoder", "tower", "symbolic", "joint", "save", "report")


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much of everything."""

    train_clips: int = 14000
    crowded_pairs: int = 12000
    counted_pairs: int = 8000
    test_clips: int = 400
    empty_clips: int = 100
    encoder_steps: int = ENCODER_STEPS
    tower_steps: int = TOWER_STEPS
    symbolic_steps: int = SYMBOLIC_STEPS
    joint_steps: int = JOINT_STEPS
    report_questions: int = 60
    film_minutes: float = 60.0


QUICK = Sizes(140, 120, 120, 40, 10, 3, 3, 3, 3, 2, 1.0)
"""A few steps of everything: shows that the pipeline runs, not that it learns."""

STARTED = Sizes(
    encoder_steps=0,
    tower_steps=HEADS_STEPS,
    symbolic_steps=0,
    joint_steps=450,
    report_questions=24,
)
"""Where training goes on from saved models: the VideoLLM on pixels."""


def take_over(model: Any, tokenizer: PreTrainedTokenizerFast, *, folder: Path) -> None:
    """Gives a model the weights of a saved one of its shape.

    Tokens are matched by what they say; those that the saved model lacks stay as they are. Blocks
    that its tower lacks stand behind the others and add nothing yet: both say the same.
    """
    from transformers import AutoTokenizer, Qwen3VLForConditionalGeneration

    try:
        saved = Qwen3VLForConditionalGeneration.from_pretrained(folder, dtype=torch.float32)
        old = AutoTokenizer.from_pretrained(folder).get_vocab()
    except (OSError, ValueError) as error:
        raise InputError(f"no model can be read from {folder}: {error}") from error
    mine, theirs = (m.get_input_embeddings().weight for m in (model, saved))
    with torch.no_grad():
        for token, index in tokenizer.get_vocab().items():
            if token in old:
                mine[index] = theirs[old[token]]
    state = {k: v for k, v in saved.state_dict().items() if v.shape != theirs.shape}
    known = len(saved.model.visual.blocks)
    try:
        left = model.load_state_dict(state, strict=False)
    except RuntimeError as error:
        raise InputError(f"{folder} holds a model of another shape: {error}") from error
    blocks = tuple(
        f"model.visual.blocks.{n}." for n in range(known, len(model.model.visual.blocks))
    )
    lacking = [k for k in left.missing_keys if "embed_tokens" not in k and k != "lm_head.weight"]
    if left.unexpected_keys or any(not key.startswith(blocks) for key in lacking):
        raise InputError(f"{folder} holds a model of another shape")
    for block in model.model.visual.blocks[known:]:
        for last in (block.attn.proj, block.mlp.linear_fc2):
            torch.nn.init.zeros_(last.weight)
            torch.nn.init.zeros_(last.bias)


class Pipeline:
    """The stages over one work folder."""

    def __init__(
        self,
        work: Path,
        sizes: Sizes,
        *,
        weights: Path,
        pools: Path | None = None,
        begin: Path | None = None,
        rate: float = STARTED_RATE,
        kept: float = STARTED_SHARE,
    ) -> None:
        """`pools`: in the work folder, if not named. `rate` and `kept`: after `begin`, in place of
        what is said of their defaults."""
        self.work, self.sizes, self.weights, self.begin = work, sizes, weights, begin
        self.pools_folder = pools or work / "pools"
        self.rate, self.kept = (1.0 if begin is None else rate), kept
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.started = time.monotonic()
        work.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(0)
        self.tokenizer = video_tokenizer()
        self.model: Any = None
        self.tower: TowerTrainer | None = None

    def log(self, line: str) -> None:
        text = f"{time.monotonic() - self.started:7.0f} s  {line}"
        with (self.work / "train.log").open("a") as file:
            file.write(text + "\n")
        sys.stderr.write(text + "\n")

    def pool(self, name: str) -> Pool:
        scene, n, frames, seed = {
            "train": (training_scene, self.sizes.train_clips, 8, 1),
            "crowd": (crowded_scene, self.sizes.crowded_pairs, 2, 2),
            "count": (counted_scene, self.sizes.counted_pairs, 2, 3),
            "held": (held_out_scene, self.sizes.test_clips, 8, 902),
            # Of the report alone: what training is watched by must not be in it.
            "report-unseen": (unseen_scene, self.sizes.test_clips, 8, 903),
            "report-held": (held_out_scene, self.sizes.test_clips, 8, 904),
            "report-empty": (empty_scene, self.sizes.empty_clips, 8, 905),
        }[name]
        # A pool of another size is another pool.
        folder = self.pools_folder / f"{name}-{n}"
        return make_pool(folder, scene=scene, n_clips=n, n_frames=frames, seed=seed)

    def pools(self) -> None:
        for name in ("train", "crowd", "count", "held"):
            self.pool(name)
            self.log(f"pool {name} is there")

    def encoder(self) -> EncoderTrainer:
        begin = None if self.begin is None else self.begin / "clip"
        pools = self.pool("train"), self.pool("crowd")
        trainer = EncoderTrainer(*pools, self.work, device=self.device, begin=begin)
        trainer.run(steps=self.sizes.encoder_steps, log=self.log)
        return trainer

    def _new_model(self) -> Any:
        from transformers import Qwen3VLForConditionalGeneration

        torch.manual_seed(0)
        model = Qwen3VLForConditionalGeneration(video_config(self.tokenizer))
        embeddings = model.get_input_embeddings().weight
        hold_numbers(embeddings, self.tokenizer)
        if self.begin is None:
            name_the_codes(embeddings, self.tokenizer)
        else:
            take_over(model, self.tokenizer, folder=self.begin / "vlm")
        return model

    def _tower(self, model: Any) -> TowerTrainer:
        pools = self.pool("crowd"), self.pool("count"), self.pool("train")
        trainer = TowerTrainer(
            model.model.visual,
            pools,
            work=self.work,
            device=self.device,
            heads_first=0 if self.begin is None else HEADS_STEPS,
            rate=self.rate,
        )
        held = self.pool("held")
        trainer.run(steps=self.sizes.tower_steps, log=self.log, held_out=held)
        return trainer

    def _symbolic(self, model: Any) -> VideoTrainer:
        packer = Packer(self.tokenizer)
        trainer = VideoTrainer(model, packer, work=self.work, device=self.device, rate=self.rate)
        if self.begin is not None:
            trainer.taught = Curriculum(phase=len(PHASES) - 1, rung=len(RUNGS) - 1)
        trainer.run(name="symbolic", steps=self.sizes.symbolic_steps, log=self.log)
        return trainer

    def joint(self) -> VideoTrainer:
        """All stages of the VideoLLM; finished ones are only loaded."""
        model = self._new_model()
        tower = self._tower(model)
        symbolic = self._symbolic(model)
        trainer = VideoTrainer(
            model,
            Packer(self.tokenizer),
            work=self.work,
            device=self.device,
            pool=self.pool("train"),
            tower=tower,
            rate=self.rate,
            # Skills that are there already need not be waited for: rates fall from the start.
            cooldown=COOLDOWN if self.begin is None else 1.0,
        )
        trainer.taught.rung = symbolic.taught.rung
        trainer.run(name="joint", steps=self.sizes.joint_steps, log=self.log)
        return trainer

    def recipe(self) -> Recipe:
        """What this run's checkpoints are of."""
        steps = {k: v for k, v in asdict(self.sizes).items() if k.endswith("_steps")}
        clips = {k: v for k, v in asdict(self.sizes).items() if k.endswith(("_clips", "_pairs"))}
        begin = None if self.begin is None else models_hash(self.begin)
        words = words_hash(self.tokenizer.get_vocab(), clip_tokenizer().get_vocab())
        return Recipe(steps, clips, self.rate, begin, words)

    def save(self) -> None:
        encoder, model = self.encoder(), self.joint().full_model()
        if self.begin is not None:
            with torch.no_grad():
                for mine, old in zip(
                    model.parameters(), self._new_model().parameters(), strict=True
                ):
                    mine.lerp_(old, self.kept)
        model = model.to(torch.bfloat16)
        model.generation_config.eos_token_id = self.tokenizer.eos_token_id
        model.generation_config.pad_token_id = self.tokenizer.pad_token_id
        # Both beside, then each to its place: what was there lives until the new ones are whole.
        beside = self.weights / "unfinished"
        shutil.rmtree(beside, ignore_errors=True)
        encoder.save(beside / "clip")
        model.save_pretrained(beside / "vlm")
        video_processor(self.tokenizer).save_pretrained(beside / "vlm")
        # Letters were never trained; the options' own text is scored. See the report.
        facts = {"options_by": "text", "demo_world": True}
        (beside / "vlm" / "longshot.json").write_text(json.dumps(facts) + "\n")
        for part in ("clip", "vlm"):
            shutil.rmtree(self.weights / part, ignore_errors=True)
            (beside / part).replace(self.weights / part)
        beside.rmdir()
        self.log(f"saved to {self.weights}")

    def report(self) -> None:
        from demo.train.report import Measured, write_report

        pools: dict[str, Measured] = {
            "unseen backgrounds": (self.pool("report-unseen"), ALL_PAIRS),
            "held-out pairs": (self.pool("report-held"), HELD_OUT),
        }
        empty = self.pool("report-empty")
        folder, minutes = self.work / "films", self.sizes.film_minutes
        film = make_film(folder, seed=906, minutes=minutes, progress=lambda *drawn: None)
        n = self.sizes.report_questions
        write_report(self.weights, pools, empty=empty, film=film, n=n)
        self.log("report written")

    def run(self, stages: list[str]) -> None:
        actions = {
            "pools": self.pools,
            "encoder": self.encoder,
            "tower": lambda: self._tower(self._new_model()),
            "symbolic": lambda: self._symbolic(self._new_model()),
            "joint": self.joint,
            "save": self.save,
            "report": self.report,
        }
        if set(stages) - {"pools", "report"}:
            claim(self.work, self.recipe())
        for stage in STAGES:
            if stage in stages:
                self.log(f"stage {stage}")
                actions[stage]()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m demo.train")
    parser.add_argument(
        "--work", type=Path, help="checkpoints [build/models; after --start build/further]"
    )
    parser.add_argument("--pools", type=Path, help="clips to train on [build/pools]")
    parser.add_argument("--weights", type=Path, help="where the models go [demo/weights]")
    parser.add_argument("--only", nargs="*", choices=STAGES, default=list(STAGES))
    parser.add_argument("--start", type=Path, help="go on from these models, not from nothing")
    parser.add_argument("--tower", type=int, help="steps of the tower alone after --start [0]")
    parser.add_argument("--steps", type=int, help=f"after --start [{STARTED.joint_steps}]")
    parser.add_argument("--rate", type=float, help=f"of all rates after --start [{STARTED_RATE}]")
    parser.add_argument("--kept", type=float, help=f"share of what it began with [{STARTED_SHARE}]")
    parser.add_argument("--quick", action="store_true", help="a few steps of everything")
    args = parser.parse_args()
    missing = [n for n in ("clip", "vlm") if args.start and not (args.start / n).is_dir()]
    if missing:
        parser.error(f"{args.start} holds no {' and no '.join(missing)} to go on from")
    given = {k: v for k in ("rate", "kept") if (v := getattr(args, k)) is not None}
    steps = {k: n for k, n in (("joint", args.steps), ("tower", args.tower)) if n is not None}
    if (given or steps) and not args.start:
        parser.error("--tower, --steps, --rate, --kept: name what to go on from with --start")
    kept_or_rate_wrong = not 0 <= given.get("kept", 0) <= 1 or given.get("rate", 1) <= 0
    if kept_or_rate_wrong or min(steps.values(), default=0) < 0:
        parser.error("--tower and --steps 0 or more, --rate above 0, --kept a share from 0 to 1")
    sizes = QUICK if args.quick else STARTED if args.start else Sizes()
    if args.quick and args.start:
        sizes = replace(QUICK, encoder_steps=0, symbolic_steps=0)
    if "joint" in steps:
        sizes = replace(sizes, joint_steps=steps["joint"])
    if "tower" in steps:
        sizes = replace(sizes, tower_steps=HEADS_STEPS + steps["tower"])
    # What a few steps make is of no use: it must not take the place of what many made.
    default = "build/quick" if args.quick else "build/further" if args.start else "build/models"
    work = args.work or Path(default)
    weights = args.weights or (work / "weights" if args.quick else WEIGHTS)
    pools = args.pools or Path("build/quick/pools" if args.quick else "build/pools")
    try:
        run = Pipeline(work, sizes, weights=weights, pools=pools, begin=args.start, **given)
        run.run(args.only)
    except LongshotError as error:
        parser.exit(1, f"{error}\n")


if __name__ == "__main__":
    main()
