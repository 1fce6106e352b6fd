"""Numbers in the VideoLLM's tokenizer, and the vectors that they begin with."""

from typing import Any

import pytest
import torch
from transformers import PreTrainedTokenizerFast

from demo.train.codebook import hold_numbers, number_codes
from demo.train.tokenizer import clip_tokenizer, number_tokens, video_tokenizer


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    return video_tokenizer()


def pieces(tokenizer: Any, text: str) -> list[str]:
    return [tokenizer.decode([token]) for token in tokenizer.encode(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<1234.5 seconds>", ["<", "1234", ".", "5", " seconds", ">"]),
        ("7", ["7"]),
        ("34215", ["3", "4215"]),
        ("30042", ["3", "0042"]),
        ("00:07", ["0", "0", ":", "0", "7"]),
    ],
)
def test_a_number_is_one_token_up_to_four_digits(
    tokenizer: Any, text: str, expected: list[str]
) -> None:
    assert pieces(tokenizer, text) == expected


def test_any_text_comes_back(tokenizer: Any) -> None:
    text = "ein zug um 12:05, 00123456789 méter\n【赤い】 0.333"
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_ids_of_all_other_tokens_are_those_of_the_encoders_kind(tokenizer: Any) -> None:
    vocabulary = tokenizer.get_vocab()
    numbers = set(number_tokens())
    others = {index for token, index in vocabulary.items() if token not in numbers}
    assert max(others) == len(others) - 1
    assert not numbers & set(clip_tokenizer().get_vocab())


def test_each_number_is_read_off_its_code() -> None:
    codes = number_codes(256)
    scores = codes @ codes.T
    assert torch.equal(scores.argmax(0), torch.arange(len(codes)))
    # Four digits of four in common: 4; one off: 3, whichever it is.
    tokens = number_tokens()
    one_off = scores[tokens.index("1234"), [tokens.index(n) for n in ("1235", "1224", "9234")]]
    assert torch.allclose(one_off, torch.full((3,), 3.0), atol=1e-4)


def test_held_numbers_get_no_gradient(tokenizer: Any) -> None:
    embeddings = torch.nn.Parameter(torch.zeros(len(tokenizer), 256))
    hold_numbers(embeddings, tokenizer)
    torch.autograd.backward(embeddings.sum())
    number, word = tokenizer.convert_tokens_to_ids(["1234", "a"])
    gradient = embeddings.grad
    assert gradient is not None
    assert gradient[number].abs().sum() == 0 < gradient[word].abs().sum()
    assert embeddings[number].norm().item() == pytest.approx(2.0, abs=1e-4)
