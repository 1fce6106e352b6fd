"""The texts that a question is retrieved by: by rules, and in the model's words.

Cues of one group count by their best (tools/prior.py). The rules' caption of the question is
always there; a model that can adds a caption of its own, one of each option, and cue objects:
things that are likely seen near what answers it.

Source: T*, arXiv 2504.02259 (targets of weight 1, cue objects of weight 0.5). Ours differs: the
model names them from the question alone, and an encoder looks for them in place of a detector.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent.bounds import Relation
from agent.plan import Intent, caption_of, content_words, option_caption
from agent.state import Cue
from agent.steps import StepWriter
from agent.workspace import Workspace

_LISTED = re.compile(r"^\s*(?:[-*•]|\(?(?:\d{1,2}|[^\W\d_])[.):])\s+")
_LONGEST_REWRITE_WORDS = 40
"""A caption is a sentence or two; a longer text is an explanation, and no cue."""
_LONGEST_OBJECT_WORDS = 5
"""A thing's name; a longer text is a sentence about it."""
_MARKUP = re.compile(r"[<>{}|]")


def usable_rewrite(rewrite: str, question: str) -> str:
    """The model's rewrite as a cue, or "" where it cannot be one.

    It must be a short plain text that shares a content word with the question: a small model that
    lost the thread writes something else, and a wrong cue is worse than none.
    """
    text = " ".join(rewrite.split()).strip(" .\"'")
    if not text or len(text.split()) > _LONGEST_REWRITE_WORDS:
        return ""
    if _MARKUP.search(text) or text.endswith(("?", "？")):
        return ""
    return text if content_words(text) & content_words(question) else ""


def option_rewrites(reply: str, options: Sequence[str]) -> tuple[str, ...]:
    """The model's captions, one for each option in their order; "" where one cannot be used.

    A caption must hold a content word of its option that no other option has, where there is one: a
    line out of place would look for another option's picture. A reply of more or fewer lines says
    nothing of which line is whose.
    """
    lines = [_LISTED.sub("", line).strip() for line in reply.splitlines() if line.strip()]
    if len(lines) != len(options):
        return ("",) * len(options)
    words = [content_words(option) for option in options]
    found = []
    for position, line in enumerate(lines):
        others = set().union(*(w for i, w in enumerate(words) if i != position))
        own = words[position] - others or words[position]
        found.append(usable_rewrite(line, " ".join(sorted(own))))
    return tuple(found)


def cue_objects(reply: str, *, most: int, subject: str) -> tuple[str, ...]:
    """At most so many things of the model's list, each short and no part of what is looked for."""
    named: dict[str, None] = {}
    known = content_words(subject)
    for line in reply.splitlines():
        text = _LISTED.sub("", " ".join(line.split())).strip(" .,;\"'")
        words = content_words(text)
        short = len(text.split()) <= _LONGEST_OBJECT_WORDS and not _MARKUP.search(text)
        if words and short and not words <= known:
            named.setdefault(text)
    return tuple(named)[:most]


def captions_of_options(
    ws: Workspace, step: StepWriter, intent: Intent, question: str
) -> tuple[str, ...]:
    """The model's caption of every option; "" where it has none of use."""
    options, most = ws.question.options, ws.settings.survey.option_tokens
    if not options or not most or intent.kind != "moment" or not step.budget().calls_for_search:
        return ("",) * len(options)
    prompt = ws.render("rewrite_options", question=question, options=options)
    reply = step.reply(prompt, [], max_tokens=most * len(options))
    return option_rewrites(reply.text, options)


def objects_near(ws: Workspace, step: StepWriter, intent: Intent, question: str) -> tuple[str, ...]:
    """What the model expects near the answer; nothing where it is not asked."""
    most = ws.settings.survey.cue_objects
    if not most or intent.wants_whole or not step.budget().calls_for_search:
        return ()
    prompt = ws.render("cue_objects", question=question, n=most)
    reply = step.reply(prompt, [], max_tokens=ws.settings.survey.cue_tokens)
    return cue_objects(reply.text, most=most, subject=intent.subject)


def cues_of(
    ws: Workspace,
    intent: Intent,
    question: str,
    *,
    rewrite: str,
    options: Sequence[str],
    objects: Sequence[str],
) -> list[Cue]:
    """Texts to retrieve by; options count by their best, so none of them is a claim.

    Args:
        options: the model's caption of each option, "" where there is none: then the option stands
            behind the rewrite of the question.
    """
    settings = ws.settings.survey
    caption = caption_of(intent.subject)
    cues = [Cue(text=caption, group="question", weight=settings.question_weight)]
    if rewrite:
        cues.append(Cue(text=rewrite, group="rewrite", weight=settings.rewrite_weight))
    weight = settings.cue_weight
    cues += [Cue(text=each, group="cue objects", weight=weight) for each in objects]
    if intent.kind != "moment":
        return cues
    for option, written in zip(ws.question.options, options, strict=True):
        joined = f"{rewrite}, {option}" if rewrite else ""
        texts = (option_caption(question, option), written or joined)
        cues += [Cue(text=t, group="options", weight=settings.option_weight) for t in texts if t]
    return cues


def leaning(relation: Relation | None) -> list[Cue]:
    """The cue of what the question names the time by; its group says on which side."""
    return [Cue(text=relation.anchor, group=relation.side, weight=1.0)] if relation else []
