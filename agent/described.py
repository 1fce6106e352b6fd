"""How far a description names what is looked for.

A model that says yes to a red house where a red cat stands may still describe a red cat: to say yes
it needs something that fits, to describe it has to choose what fits best. So its own words are a
second opinion on the same frames.
"""

from __future__ import annotations

from itertools import pairwise

from agent.plan import SMALL_WORDS, words_of


def named(subject: str, description: str) -> float:
    """Agreement of a description with a subject, -1 (none) to 1 (all of it).

    Counted are the content words of the subject, and its pairs of words that stand side by side:
    "a red cat and a blue house" has both words of "the red house", but not the pair. 0 where
    either text has no content word: nothing is known.
    """
    wanted, said = _pieces(subject), _pieces(description)
    if not wanted or not said:
        return 0.0
    return 2 * len(wanted & said) / len(wanted) - 1


def _pieces(text: str) -> set[tuple[str, ...]]:
    """Content words and neighbouring pairs of them; a small word between two parts them."""
    words = words_of(text)
    found = {(word,) for word in words if word not in SMALL_WORDS}
    pairs = pairwise(words)
    return found | {pair for pair in pairs if not SMALL_WORDS & set(pair)}
