"""The tokenizers of both embedded models: lower case, whole words of the world.

Byte-level, so any text can be encoded; trained on the project's own prompts and phrases. To the
encoder every digit is a token. To the VideoLLM a number is one, up to four digits long: a time is
then copied by finding it, once. Digit by digit the model also has to know which digit comes next,
which thousands of steps did not teach (docs/design/0002).
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator
from itertools import chain

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from tokenizers.trainers import BpeTrainer
from transformers import PreTrainedTokenizerFast

from demo.phrases import (
    NUMBER_WORDS,
    PLURAL_ACTIONS,
    QUESTIONS,
    ask,
    caption,
    plural,
    visual_caption,
)
from demo.world import (
    ACTIONS,
    ALL_PAIRS,
    COLOURS,
    DIRECTIONS,
    KINDS,
    PLACES,
    SceneRules,
    random_scene,
)
from prompts.render import render

VOCABULARY = 1024
PAD, START, END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
VISION_START, VISION_END = "<|vision_start|>", "<|vision_end|>"
IMAGE_PAD, VIDEO_PAD = "<|image_pad|>", "<|video_pad|>"
TEXT_START = "<|startoftext|>"
SPECIAL = (PAD, START, END, VISION_START, VISION_END, IMAGE_PAD, VIDEO_PAD, TEXT_START)
_DIGIT = r"[0-9]"
_UP_TO_FOUR_DIGITS = r"[0-9]{1,4}(?=(?:[0-9]{4})*(?![0-9]))"
"""Longer numbers are cut from the right: 3|4215."""
_NO_NUMBER = r" ?[a-z]+|\n| ?[^\sa-z0-9]|\s+"


def _corpus(seed: int = 0, n: int = 3000) -> Iterator[str]:
    rng = random.Random(seed)
    for _ in range(n):
        scene = random_scene(rng, SceneRules(pairs=ALL_PAIRS))
        group = rng.choice(scene.groups)
        kind = rng.choice(list(QUESTIONS))
        question = ask(kind, group.pair, n=group.n, place=scene.place, wording=rng.randrange(2))
        yield caption(scene)
        yield visual_caption(kind, group.pair, n=group.n, place=scene.place)
        for name in ("answer", "reflect", "request", "rewrite"):
            yield render(name, question=question, options=()).text
        yield render("caption").text
        yield (
            "user\nassistant\nsystem\n a photo of a picture of a video frame showing there is this"
        )
        yield f"<{rng.uniform(0, 4000):.1f} seconds>"
        yield f"<span>{rng.uniform(0, 4000):.1f} - {rng.uniform(0, 40):.1f}</span><fps>2</fps>"
        yield (
            " yes\n no\n none\n not enough\n something like a scene with the number on a sign"
            "\nyes\nno"
        )


def _replies() -> Iterator[str]:
    """Words that stand at the very start of a reply, where no space is before them."""
    words = [*COLOURS, *KINDS, *(plural(k) for k in KINDS), *PLACES, *NUMBER_WORDS]
    words += [*ACTIONS, *PLURAL_ACTIONS.values(), *DIRECTIONS.values(), "a", "an", "not enough"]
    for _ in range(300):
        yield from words


def _splits(number: str) -> pre_tokenizers.PreTokenizer:
    return pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(f"{number}|{_NO_NUMBER}"), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )


def number_tokens() -> list[str]:
    """All numbers that are one token: 10 to 9999, and 0000 to 0999 behind the ten thousands."""
    return [str(n) for n in range(10, 10_000)] + [f"{n:04d}" for n in range(1000)]


def _with_numbers(tokenizer: Tokenizer) -> Tokenizer:
    """The same tokenizer, its other ids unchanged, with a token for every number."""
    state = json.loads(tokenizer.to_str())
    vocabulary = state["model"]["vocab"]
    for token in number_tokens():
        vocabulary.setdefault(token, len(vocabulary))
    # What stands in the vocabulary as a whole needs no merges.
    state["model"]["ignore_merges"] = True
    changed: Tokenizer = Tokenizer.from_str(json.dumps(state))
    changed.pre_tokenizer = _splits(_UP_TO_FOUR_DIGITS)
    return changed


def _train(corpus: Iterable[str]) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE(byte_fallback=False))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = _splits(_DIGIT)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(corpus, trainer)
    return tokenizer


def video_tokenizer() -> PreTrainedTokenizerFast:
    """For the VideoLLM: chat and vision specials, padded on the left."""
    return PreTrainedTokenizerFast(
        tokenizer_object=_with_numbers(_train(chain(_corpus(), _replies()))),
        eos_token=END,
        pad_token=PAD,
        additional_special_tokens=list(SPECIAL[1:]),
        padding_side="left",
        clean_up_tokenization_spaces=False,
        model_max_length=16384,
    )


def clip_tokenizer() -> PreTrainedTokenizerFast:
    """For the encoder: every text between a start and an end token."""
    tokenizer = _train(_corpus())
    ends = [(token, tokenizer.token_to_id(token)) for token in (TEXT_START, END)]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{TEXT_START} $A {END}", special_tokens=ends
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=TEXT_START,
        eos_token=END,
        pad_token=PAD,
        clean_up_tokenization_spaces=False,
    )
