"""A very small Whisper that says one sentence, in faster-whisper's format.

It is converted from a transformers model by the ordinary converter. The decoder's layers do
nothing: what follows at each position is written into its position embedding, so whatever is heard,
"Land ahoy." is said from 0 to 2 s. Whether anything is heard is the voice detector's matter.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from ctranslate2.converters import TransformersConverter
from numpy.typing import NDArray
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    GenerationConfig,
    PreTrainedTokenizerFast,
    WhisperConfig,
    WhisperForConditionalGeneration,
)

RATE_HZ = 16_000
SAID = "Land ahoy."
SAID_S = 2.0
_WIDTH = 64


def write_tiny_whisper(folder: Path) -> Path:
    """The weights in a folder below `folder`, as `--speech` takes them."""
    source, made = folder / "source", folder / "tiny-whisper"
    tokenizer = _tokenizer()
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|endoftext|>").save_pretrained(
        source
    )
    _model(tokenizer).save_pretrained(source)
    TransformersConverter(str(source), copy_files=["tokenizer.json"]).convert(str(made))
    return made


def _tokenizer() -> Tokenizer:
    """A vocabulary laid out as that of an English-only Whisper: texts, tasks, times."""
    texts = [*sorted(pre_tokenizers.ByteLevel.alphabet()), "ĠLand", "Ġahoy"]
    tokenizer = Tokenizer(models.BPE({text: index for index, text in enumerate(texts)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = [
        *("endoftext", "startoftranscript", "en", "translate", "transcribe"),
        *("startoflm", "startofprev", "nospeech", "notimestamps"),
        *(f"{index * 0.02:.2f}" for index in range(1501)),
    ]
    tokenizer.add_special_tokens([AddedToken(f"<|{name}|>", special=True) for name in special])
    return tokenizer


def _model(tokenizer: Tokenizer) -> WhisperForConditionalGeneration:
    n_tokens = tokenizer.get_vocab_size()
    end = tokenizer.token_to_id("<|endoftext|>")
    config = WhisperConfig(
        vocab_size=n_tokens,
        d_model=_WIDTH,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=1,
        decoder_attention_heads=1,
        encoder_ffn_dim=_WIDTH,
        decoder_ffn_dim=_WIDTH,
        eos_token_id=end,
        pad_token_id=end,
        bos_token_id=end,
        decoder_start_token_id=tokenizer.token_to_id("<|startoftranscript|>"),
    )
    torch.manual_seed(0)
    model = WhisperForConditionalGeneration(config)
    decoder = model.model.decoder
    with torch.no_grad():
        for parameter in decoder.layers.parameters():
            parameter.zero_()
        tokens = torch.nn.functional.normalize(torch.randn(n_tokens, _WIDTH), dim=1)
        decoder.embed_tokens.weight.copy_(tokens)
        decoder.embed_positions.weight.zero_()
        for position, token in enumerate(_said(tokenizer)):
            decoder.embed_positions.weight[position] = 10 * tokens[token]
        # Far apart, so that no temperature changes what is said.
        decoder.layer_norm.weight.fill_(8.0)
    model.generation_config = GenerationConfig(
        suppress_tokens=[],
        begin_suppress_tokens=[],
        lang_to_id={"<|en|>": tokenizer.token_to_id("<|en|>")},
        alignment_heads=[[0, 0]],
        eos_token_id=end,
    )
    return model


def _said(tokenizer: Tokenizer) -> list[int]:
    """What follows at each position, the first being that of the start."""
    names = ("<|0.00|>", "ĠLand", "Ġahoy", ".", f"<|{SAID_S:.2f}|>", *["<|endoftext|>"] * 40)
    return [tokenizer.token_to_id(name) for name in names]


def voice(seconds: float) -> NDArray[np.float32]:
    """(N,) samples of something that a voice detector takes for talking: vowels in syllables."""
    rng = np.random.default_rng(0)
    n = int(seconds * RATE_HZ)
    times = np.arange(n) / RATE_HZ
    pitch_hz = 120 + 15 * np.sin(2 * np.pi * 0.7 * times) + rng.normal(0, 0.5, n).cumsum() * 0.001
    phase = 2 * np.pi * np.cumsum(pitch_hz) / RATE_HZ
    sound = np.zeros(n)
    vowels = ((730, 1090, 2440), (270, 2290, 3010), (570, 840, 2410), (530, 1840, 2480))
    syllable = (times * 4).astype(int) % len(vowels)
    for harmonic in range(1, 40):
        height = np.zeros(n)
        for index, formants in enumerate(vowels):
            at = harmonic * 120.0
            peak = sum(np.exp(-(((at - formant) / 130) ** 2)) for formant in formants)
            height += (syllable == index) * (peak + 0.02)
        sound += height / harmonic**0.5 * np.sin(harmonic * phase)
    sound *= 0.35 + 0.65 * np.abs(np.sin(2 * np.pi * 2 * times))
    sound += rng.normal(0, 0.01, n)
    return (0.5 * sound / np.abs(sound).max()).astype(np.float32)
