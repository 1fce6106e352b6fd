"""How the demo world is put into words: noun phrases, captions, questions about a subject.

Films' questions and the models' training use the same words, so they stand here once.
"""

from __future__ import annotations

from collections.abc import Sequence

from demo.world import DIRECTIONS, Group, Pair, Scene

NUMBER_WORDS = ("zero", "one", "two", "three", "four", "five", "six")
PLACE_PHRASES = {
    "beach": "on the beach",
    "forest": "in the forest",
    "kitchen": "in the kitchen",
    "street": "on the street",
    "city": "in the city at night",
    "snow": "in the snow",
    "desert": "in the desert",
    "field": "in the field",
}
PLURAL_ACTIONS = {
    "moves left": "move left",
    "moves right": "move right",
    "moves up": "move up",
    "moves down": "move down",
    "spins": "spin",
    "grows": "grow",
    "shrinks": "shrink",
    "bounces": "bounce",
    "blinks": "blink",
    "stays still": "stay still",
}

# One question kind each; {subject} is "red boat" or "red boats", {is}/{does} agree with it.
# The first wording is the usual one, the others keep a model from learning one string.
QUESTIONS: dict[str, tuple[str, ...]] = {
    "attribute": (
        "What colour {is} the {kind} {place}?",
        "Which colour {does} the {kind} {place} have?",
    ),
    "place": ("Where {is} the {subject}?", "In which place {is} the {subject}?"),
    "count": ("How many {subjects} are there?", "How many {subjects} can be seen?"),
    "direction": (
        "Which way {does} the {subject} move?",
        "In which direction {does} the {subject} go?",
    ),
    "action": ("What {does} the {subject} do?", "What {is} the {subject} doing?"),
    "sign": (
        "What number is on the sign next to the {subject}?",
        "Which digit does the sign by the {subject} show?",
    ),
    "when": ("When {does} the {subject} appear?", "When can the {subject} be seen?"),
    "after": ("What comes right after the {subject}?", "What is shown right after the {subject}?"),
    "before": (
        "What comes right before the {subject}?",
        "What is shown right before the {subject}?",
    ),
    "times": (
        "How many times {does} the {subject} appear?",
        "How often {does} the {subject} appear?",
    ),
    "all": (
        "List all the times the {subject} {appears}.",
        "Find all the moments with the {subject}.",
    ),
    "first": (
        "When {does} the {subject} first appear?",
        "When can the {subject} be seen for the first time?",
    ),
    "order": (
        "Which comes first, the {subject} or the {other}?",
        "Which appears first: the {subject} or the {other}?",
    ),
}


def plural(kind: str) -> str:
    return "fish" if kind == "fish" else f"{kind}s"


def article(word: str) -> str:
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word}"


def thing(group: Group, *, action: bool = False) -> str:
    """ "a red boat", "two red boats", with `action` "a red boat spins"."""
    if group.n == 1:
        words = article(f"{group.colour} {group.kind}")
        return f"{words} {group.action}" if action else words
    words = f"{NUMBER_WORDS[group.n]} {group.colour} {plural(group.kind)}"
    return f"{words} {PLURAL_ACTIONS[group.action]}" if action else words


def things(groups: Sequence[Group], *, action: bool = False) -> str:
    """By the alphabet of their kinds: in which order a scene lists them no picture shows."""
    listed = sorted(groups, key=lambda group: group.kind)
    return " and ".join(thing(g, action=action) for g in listed)


def caption(scene: Scene, *, action: bool = True) -> str:
    """ "a red boat spins on the beach. the sign says 7." """
    words = f"{things(scene.groups, action=action)} {PLACE_PHRASES[scene.place]}."
    return f"{words} the sign says {scene.sign}." if scene.sign is not None else words


def action_words(group: Group) -> str:
    return group.action if group.n == 1 else PLURAL_ACTIONS[group.action]


def subject_words(pair: Pair, n: int = 1) -> str:
    """ "red boat", "red boats"."""
    return f"{pair[0]} {plural(pair[1]) if n > 1 else pair[1]}"


def ask(
    kind: str, pair: Pair, *, n: int = 1, place: str = "", other: str = "", wording: int = 0
) -> str:
    """The question of a kind about a subject.

    Args:
        kind: a key of QUESTIONS.
        pair: the subject's colour and kind (an attribute question leaves the colour out).
        n: how many things the subject is: decides singular or plural.
        place: needed by attribute questions.
        other: the second subject of an order question, in words.
        wording: which of the wordings; taken modulo their number.
    """
    wordings = QUESTIONS[kind]
    many = n > 1
    colour, noun = pair
    return wordings[wording % len(wordings)].format_map(
        {
            "subject": subject_words(pair, n),
            "subjects": f"{colour} {plural(noun)}",
            "kind": plural(noun) if many else noun,
            "place": PLACE_PHRASES[place] if place else "",
            "other": other,
            "is": "are" if many else "is",
            "does": "do" if many else "does",
            "appears": "appear" if many else "appears",
        }
    )


def answer(kind: str, scene: Scene, pair: Pair) -> str:
    """The true answer of a question about the subject `pair` in a scene that shows it.

    Raises:
        ValueError: the kind is not one that a single scene answers, or the scene can't answer it.
    """
    group = next((g for g in scene.groups if g.pair == pair), None)
    if group is None:
        raise ValueError(f"the scene shows no {pair[0]} {pair[1]}")
    if kind == "attribute":
        return group.colour
    if kind == "place":
        return scene.place
    if kind == "count":
        return NUMBER_WORDS[group.n]
    if kind == "action":
        return action_words(group)
    if kind == "direction" and group.action in DIRECTIONS:
        return DIRECTIONS[group.action]
    if kind == "sign" and scene.sign is not None:
        return scene.sign
    raise ValueError(f"a {kind} question has no answer in this scene")


def visual_caption(kind: str, pair: Pair, *, n: int = 1, place: str = "") -> str:
    """The question put as a caption of the picture that answers it, without the answer."""
    colour, noun = pair
    if kind == "attribute":
        return f"{plural(noun) if n > 1 else article(noun)} {PLACE_PHRASES[place]}"
    subject = (
        f"{colour} {plural(noun)}" if n > 1 or kind == "count" else article(f"{colour} {noun}")
    )
    return f"{subject} and a sign" if kind == "sign" else subject
