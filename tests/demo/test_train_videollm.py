"""The training pipeline shows the model exactly what the public path will show it."""

import contextlib
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForImageTextToText, Qwen3VLForConditionalGeneration

from demo.train import videollm
from demo.train.branches import Branch, answer_branch
from demo.train.codebook import hold_numbers, number_codes
from demo.train.contexts import Context, Source, look, pool_source
from demo.train.forward import patches
from demo.train.packing import IGNORE, Packer
from demo.train.pool import Pool, crowded_scene, make_pool, training_scene
from demo.train.tokenizer import number_tokens, video_tokenizer
from demo.train.tower import TowerTrainer
from demo.train.video_config import CELL_PX, HIDDEN, video_config, video_processor
from demo.train.videollm import SYMBOLIC_SHARE, VideoTrainer, right_branches


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Pool:
    folder = tmp_path_factory.mktemp("pool")
    return make_pool(folder, scene=training_scene, n_clips=12, n_frames=8, seed=5)


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return video_tokenizer()


@pytest.fixture(scope="module")
def model(tokenizer: Any) -> Any:
    torch.manual_seed(0)
    return Qwen3VLForConditionalGeneration(video_config(tokenizer)).eval()


def two_views(pool: Pool) -> Context:
    """Two clips of different length, size and time."""
    rng, source = random.Random(3), pool_source(pool)
    first = look(rng, source, n_pairs=3, start_s=12.0)
    second = look(rng, source, n_pairs=1, start_s=3456.5)
    return Context((first, second))


def branch_over(context: Context) -> Branch:
    rng = random.Random(4)
    while True:
        branch = answer_branch(rng, context.scenes)
        if branch is not None:
            return branch


def through_the_processor(pool: Pool, tokenizer: Any, context: Context, branch: Branch) -> Any:
    """The same question through the public processor."""
    videos, metadata = [], []
    for view in context.views:
        frames = pool.frames[view.takes[0].pool_index, list(view.takes[0].frame_indices)]
        size = {"height_px": view.rows * CELL_PX, "width_px": view.columns * CELL_PX}
        scaled = torch.nn.functional.interpolate(
            torch.from_numpy(np.array(frames)).permute(0, 3, 1, 2).float(),
            size=(size["height_px"], size["width_px"]),
            mode="bilinear",
            antialias=True,
        )
        videos.append(scaled.round().clamp(0, 255).to(torch.uint8))
        index = [round(t * 1000) for t in view.times_s]
        metadata.append({"fps": 1000.0, "frames_indices": index, "total_num_frames": index[-1] + 1})
    text = f"<|im_start|>user\n{branch.lead}" + "<|video_pad|>" * len(videos) + branch.prompt
    text += "<|im_end|>\n<|im_start|>assistant\n"
    return video_processor(tokenizer)(
        text=[text],
        videos=videos,
        video_metadata=metadata,
        do_sample_frames=False,
        do_resize=False,
        return_tensors="pt",
    )


def test_the_packed_tokens_and_times_are_those_of_the_processor(pool: Pool, tokenizer: Any) -> None:
    context = two_views(pool)
    branch = branch_over(context)
    assert branch.lead
    [packed] = Packer(tokenizer).pack([context], [[branch]])
    public = through_the_processor(pool, tokenizer, context, branch)["input_ids"][0].tolist()
    assert packed.ids[0, : len(public)].tolist() == public


def test_the_training_forward_gives_the_librarys_logits(
    pool: Pool, tokenizer: Any, model: Any, tmp_path: Path
) -> None:
    context = two_views(pool)
    branch = branch_over(context)
    trainer = VideoTrainer(model, Packer(tokenizer), work=tmp_path, device="cpu", pool=pool)
    model.float()
    [packed] = trainer.packer.pack([context], [[branch, branch]])
    public = through_the_processor(pool, tokenizer, context, branch)
    with torch.no_grad():
        pixels = []
        for view in context.views:
            frames = pool.frames[view.takes[0].pool_index, list(view.takes[0].frame_indices)]
            pairs = np.array(frames).reshape(-1, 2, *frames.shape[1:])
            size = {"height_px": view.rows * CELL_PX, "width_px": view.columns * CELL_PX}
            pixels.append((patches(pairs, **size), view))
        from demo.train.forward import see

        tokens = torch.cat(
            [
                see(trainer.tower, x, rows=2 * v.rows, columns=2 * v.columns).tokens.flatten(0, 1)
                for x, v in pixels
            ]
        )
        logits, where, _ = trainer.logits(packed, tokens)
        reference = model(**public).logits[0, -1]
    # Both rows are the same, over the same visual tokens.
    starts = [0, int((where < packed.labels.shape[-1]).sum())]
    for start in starts:
        difference = (logits[start] - reference).abs().max()
        # The public path rounds resized pixels to whole grey levels.
        assert float(difference) < 0.05


def test_branches_are_right_only_when_every_token_is() -> None:
    owner = torch.tensor([1, 1, 2, 2, 66])
    right = torch.tensor([True, True, True, False, True])
    assert right_branches(owner, right) == {1: True, 2: False, 66: True}


def test_labels_stand_one_token_before_the_reply(tokenizer: Any) -> None:
    [packed] = Packer(tokenizer).pack([None], [[Branch("Say it.", "yes", "x")]])
    learned = packed.labels[packed.labels != IGNORE].tolist()
    assert tokenizer.decode(learned) == "yes<|im_end|>"


def test_rows_of_one_context_share_its_visual_tokens_in_batches_of_like_length(
    pool: Pool, tokenizer: Any
) -> None:
    rng, source = random.Random(6), pool_source(pool)
    contexts = [
        Context((look(rng, source, n_pairs=n, start_s=5.0, sizes=[(8, 14)]),)) for n in (4, 1)
    ]
    asked = [[Branch("Say it.", "yes", "x")] * 9, [Branch("Say it.", "no", "x")] * 2]
    batches = Packer(tokenizer).pack(contexts, asked)
    assert [batch.asked.tolist() for batch in batches] == [[9, 10], [*range(8)], [8]]
    cells = 8 * 14
    assert batches[0].shown.tolist() == [*range(4 * cells, 5 * cells)] * 2
    assert set(batches[1].shown.tolist()) == set(range(4 * cells))


@pytest.mark.slow
def test_a_few_steps_lower_the_loss_and_a_saved_model_is_the_same(
    pool: Pool, tokenizer: Any, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    fresh = Qwen3VLForConditionalGeneration(video_config(tokenizer))
    trainer = VideoTrainer(fresh, Packer(tokenizer), work=tmp_path, device="cpu")
    from demo.train.contexts import fresh_take

    losses = [trainer._step(step, steps=40, source=fresh_take) for step in range(40)]
    assert np.mean(losses[-8:]) < 0.6 * np.mean(losses[:8])

    # As it ships: in bf16, asked about pixels.
    full = trainer.full_model().eval()
    for parameter in full.parameters():  # not the frequencies of positions, which nobody saves
        parameter.data = parameter.data.to(torch.bfloat16)
    full.save_pretrained(tmp_path / "saved")
    loaded = AutoModelForImageTextToText.from_pretrained(tmp_path / "saved", dtype=torch.bfloat16)
    context = two_views(pool)
    inputs = through_the_processor(pool, tokenizer, context, branch_over(context))
    with torch.no_grad():
        assert torch.equal(full(**inputs).logits, loaded.eval()(**inputs).logits)


@pytest.mark.slow
def test_held_numbers_do_not_shrink(tokenizer: Any, tmp_path: Path) -> None:
    torch.manual_seed(0)
    fresh = Qwen3VLForConditionalGeneration(video_config(tokenizer))
    hold_numbers(fresh.get_input_embeddings().weight, tokenizer)
    trainer = VideoTrainer(fresh, Packer(tokenizer), work=tmp_path, device="cpu")
    trainer.run(name="symbolic", steps=2, log=lambda line: None)
    number, word = tokenizer.convert_tokens_to_ids(["1234", "a"])
    before = fresh.get_input_embeddings().weight.detach().clone()
    trainer.run(name="symbolic", steps=4, log=lambda line: None)
    after = trainer.full_model().get_input_embeddings().weight.detach()
    code = number_codes(HIDDEN)[number_tokens().index("1234")]
    assert torch.equal(after[number], before[number].float())
    assert after[number].norm().item() == pytest.approx(code.norm().item(), rel=0.01)
    assert not torch.equal(after[word], before[word].float())


@pytest.mark.slow
def test_a_joint_step_teaches_the_tower_on_crowded_pictures_too(
    pool: Pool, tokenizer: Any, tmp_path: Path
) -> None:
    crowd = make_pool(tmp_path / "crowd", scene=crowded_scene, n_clips=8, n_frames=2, seed=6)
    losses, blocks = [], []
    for crowded in (False, True):
        torch.manual_seed(0)
        fresh = Qwen3VLForConditionalGeneration(video_config(tokenizer))
        tower = TowerTrainer(fresh.model.visual, (crowd, crowd, pool), work=tmp_path, device="cpu")
        given = {"tower": tower} if crowded else {}
        trainer = VideoTrainer(
            fresh, Packer(tokenizer), work=tmp_path, device="cpu", pool=pool, **given
        )
        step = next(n for n in range(9) if random.Random(f"False/{n}").random() > SYMBOLIC_SHARE)
        losses.append(trainer._step(step, steps=40, source=pool_source(pool)))
        blocks.append(trainer.tower.blocks[0].mlp.linear_fc1.weight.detach().clone())
    # The same answers to the same questions; the tower has seen more.
    assert losses[0] == losses[1]
    assert not torch.equal(blocks[0], blocks[1])


@pytest.mark.slow
def test_heads_learn_to_read_a_saved_tower_before_it_goes_on(
    pool: Pool, tokenizer: Any, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    visual = Qwen3VLForConditionalGeneration(video_config(tokenizer)).model.visual
    trainer = TowerTrainer(visual, (pool, pool, pool), work=tmp_path, device="cpu", heads_first=12)
    before = {name: p.detach().clone() for name, p in visual.named_parameters()}

    def same() -> bool:
        return all(torch.equal(before[name], p) for name, p in visual.named_parameters())

    first = float(trainer.loss(0, one_size=False).detach())
    trainer.run(steps=12, log=lambda line: None)

    assert float(trainer.loss(0, one_size=False).detach()) < first
    assert same()
    assert all(p.requires_grad and p.grad is None for p in visual.parameters())
    trainer.run(steps=13, log=lambda line: None)
    assert not same()


class StoppedTrainer(VideoTrainer):
    """Is interrupted before a step."""

    stop = 0

    def _step(self, step: int, *, steps: int, source: Source) -> float:
        if step == self.stop:
            raise KeyboardInterrupt
        return super()._step(step, steps=steps, source=source)


@pytest.mark.slow
def test_an_interrupted_stage_of_the_videollm_ends_as_an_unbroken_one(
    tokenizer: Any, tmp_path: Path
) -> None:
    def ended(work: Path, *parts: int) -> VideoTrainer:
        """The symbolic stage of three steps, stopped and begun anew after each part."""
        for stop in (*parts, 3):
            torch.manual_seed(0)
            fresh = Qwen3VLForConditionalGeneration(video_config(tokenizer))
            trainer = StoppedTrainer(fresh, Packer(tokenizer), work=work, device="cpu")
            trainer.stop = stop
            with contextlib.suppress(KeyboardInterrupt):
                trainer.run(name="symbolic", steps=3, log=lambda line: None)
        return trainer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(videollm, "CHECKPOINT_STEPS", 1)
        works = [tmp_path / name for name in ("unbroken", "broken")]
        for work in works:
            work.mkdir()
        unbroken, broken = ended(works[0]), ended(works[1], 1, 2)
    for mine, theirs in zip(broken.weights.master, unbroken.weights.master, strict=True):
        assert torch.equal(mine, theirs)
    assert broken.taught == unbroken.taught
