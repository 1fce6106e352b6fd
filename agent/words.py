"""The node that listens: what a film's subtitles, speech and signs say about a question.

Three things can come of it. A question about what is said or written (agent/heard.py) is answered
by a line, which is cited, or by all of them; where it is about speech and no line says it, it is
not in this film, since no picture shows a sound. A question that names a moment by its words ("…
while she says “land ahoy”") is put to the pictures of that moment alone. Any other question has its
belief raised where its words are said.

Lines are data. A model that reads text gets them quoted, without any sign that could be taken for
a part of the prompt, and its reply counts only where the lines hold it; a model too small to read
is not asked, and the line itself is the answer.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from langgraph.runtime import Runtime

from agent.bounds import read_time
from agent.evidence import NOT_ENOUGH, normalised
from agent.heard import Heard, heard
from agent.plan import option_by_number, option_by_time, parse_question
from agent.settings import WordsSettings
from agent.state import CitedLineState, Cue, State, UpdateState, intent_of
from agent.steps import StepWriter
from agent.types import Answer, Citation, Kind, Status
from agent.workspace import Workspace
from index.run_rows import CitationRow
from index.times import format_time
from index.types import Span, union
from index.words import WordLine
from index.words_terms import content_terms, terms_of
from tools.film_words import FilmWords
from tools.words import Passage, find_passages


def words(state: State, runtime: Runtime[Workspace]) -> State:
    """What the words of the film say; a film without any passes through, if pictures may answer."""
    ws = runtime.context
    asked = heard(ws.question.text)
    unheard = asked.is_spoken and _must_be_said(ws)
    if (not ws.film.words and not unheard) or intent_of(state).things:
        return State(next="survey")
    step = StepWriter(ws, state, "words")
    passages = _passages(ws, state, asked)
    step.data = {
        "asks": asked.asks,
        "query": asked.query.text if asked.query else "",
        "passages": [_shown(passage) for passage in passages],
    }
    best = passages[0] if passages else None
    sure = best is not None and best.score >= ws.settings.words.sure_share
    if unheard and not sure:
        return _ended(ws, step, _not_said(ws, best), why="no line says it")
    if best is None or asked.asks == "picture" or not sure:
        update = State(updates=state["updates"] + _updates(ws, passages), next="survey")
        why = f"{len(passages)} passages speak of it" if passages else "no line speaks of it"
        return step.done(update, why=why)
    if asked.asks == "while":
        alike = _as_good(passages, ws.settings.words)
        why = f"{len(alike)} lines say" if len(alike) > 1 else "a line says"
        return step.done(_narrowed(ws, state, asked, alike), why=f"{why} when to look")
    surest = [each for each in passages if each.score >= ws.settings.words.sure_share]
    answer = _answer(ws, step, asked, surest)
    return _ended(ws, step, answer, why="a line answers it")


def _ended(ws: Workspace, step: StepWriter, answer: Answer, *, why: str) -> State:
    done = step.done(State(next="end", stop_reason=answer.stop_reason), why=why)
    ws.runs.cite(ws.run_id, [CitationRow(c.span, c.text, c.look_id) for c in answer.citations])
    return {**done, "answer": {**answer.to_json(), "usage": done["usage"]}}


def cited_lines(ws: Workspace, state: State, seen: Sequence[Span]) -> list[Citation]:
    """Citations of the lines that the answer rests on: those that the film really has.

    Args:
        seen: the spans that are cited of the pictures. Where several lines named a moment, only
            those of a moment that was seen are cited; where none was, all of them.
    """
    parts = [p for p in ws.parts(state) if any(span.overlap_s(p) > 0 for span in seen)]
    found = []
    for cited in state["cited_lines"]:
        span = Span(cited["start_s"], cited["end_s"])
        if parts and ws.part_of(state, span) not in parts:
            continue
        for line in ws.film.words:
            if line.text == cited["text"] and line.span == span:
                found.append(_citation(ws, line))
                break
    return found


# -- finding


def _passages(ws: Workspace, state: State, asked: Heard) -> list[Passage]:
    if asked.query is None:
        return []
    settings = ws.settings.words
    found = find_passages(
        FilmWords(ws.film.words),
        asked.query,
        least=settings.least_share,
        each_line=asked.asks == "while",
        within=ws.bounds(state),
    )
    return found if asked.asks in ("all", "while") else found[: settings.passages]


def _as_good(passages: Sequence[Passage], settings: WordsSettings) -> list[Passage]:
    """The passages that match about as well as the best one: any of them may be meant."""
    least = max(settings.sure_share, passages[0].score - settings.alike_share)
    return [each for each in passages if each.score >= least]


def _updates(ws: Workspace, passages: Sequence[Passage]) -> list[UpdateState]:
    """What the words say for the seconds around them: the picture may be there, or not."""
    settings, film = ws.settings.words, ws.film.video.span
    found: list[UpdateState] = []
    for passage in passages[: settings.passages]:
        span = passage.span.widen(settings.around_s, film)
        found.append(
            {
                "start_s": span.start_s,
                "end_s": span.end_s,
                "log_ratio": settings.log_ratio * passage.score,
                "cause": "words",
            }
        )
    return found


def _narrowed(ws: Workspace, state: State, asked: Heard, passages: Sequence[Passage]) -> State:
    """The search of the pictures while a line is said: its shots, and the question without it."""
    parts = union(_shot_of(ws, passage.span) for passage in passages)
    # The line says when; a time by the clock, read by the plan, has cut the lines already.
    question = read_time(asked.main, ws.film.video.span, settings=ws.settings.survey.time).question
    intent = parse_question(question)
    cues: list[Cue] = [{"text": intent.subject, "group": "question", "weight": 1.0}]
    cited: list[CitedLineState] = [
        {"start_s": line.span.start_s, "end_s": line.span.end_s, "text": line.text}
        for passage in passages
        for line in passage.lines
    ]
    narrowed = State(
        kind=intent.kind,
        subject=intent.subject,
        question=question,
        reflect_question=intent.reflect_question,
        cues=cues,
        bounds=[parts[0].start_s, parts[-1].end_s],
        parts=[[part.start_s, part.end_s] for part in parts] if len(parts) > 1 else [],
        cited_lines=cited,
        next="survey",
    )
    levelled = _levelled(ws, {**state, **narrowed}, parts)
    return {**narrowed, "updates": state["updates"] + levelled}


def _levelled(ws: Workspace, state: State, parts: Sequence[Span]) -> list[UpdateState]:
    """What keeps every part in the search: the lines match alike, whatever the vectors say.

    A part that the vectors hardly believe in is raised to half of an even share.
    """
    masses = ws.belief(state).masses(parts)
    least = masses.sum() / (2 * len(parts))
    return [
        {
            "start_s": part.start_s,
            "end_s": part.end_s,
            "log_ratio": math.log(least / mass),
            "cause": "words",
        }
        for part, mass in zip(parts, masses.tolist(), strict=True)
        if mass < least
    ]


def _shot_of(ws: Workspace, span: Span) -> Span:
    """The shot in which most of a line is said; of a long shot only the line's own time."""
    shots = [shot.span for shot in ws.shots if shot.span.overlap_s(span) > 0]
    inside = max(shots, key=span.overlap_s, default=span)
    if inside.duration_s <= ws.settings.spotlight.longest_s:
        return inside
    return span.clamp(inside) or span


# -- answering


def _must_be_said(ws: Workspace) -> bool:
    """Whether only a line can answer what is asked of speech.

    Where nobody wrote down what is said, a model that reads may find it in the pictures.
    """
    written_down = any(line.source in ("subtitles", "speech") for line in ws.film.words)
    return written_down or not ws.videollm.capabilities.reads_text


def _answer(ws: Workspace, step: StepWriter, asked: Heard, passages: Sequence[Passage]) -> Answer:
    """The answer that lies in the passages, the best one first."""
    best = passages[0]
    choice: int | None = None
    kind: Kind = "moment"
    spans: tuple[Span, ...] = ()
    if asked.asks == "all":
        kind = "count" if parse_question(ws.question.text).kind == "count" else "all"
        spans = tuple(sorted(passage.span for passage in passages))
        reply, choice, why = *_listed(ws.question.options, spans, kind=kind), "the lines are there"
    elif asked.asks == "when":
        kind, spans = "when", (best.span,)
        reply, choice, why = *_listed(ws.question.options, spans, kind=kind), "the line is there"
    else:
        reply, choice, why = _reply(ws, step, best)
    cited = passages if asked.asks == "all" else [best]
    lines = [line for passage in cited for line in passage.lines]
    return _made(
        ws,
        reply=ws.question.options[choice] if choice is not None else reply,
        choice=choice,
        confidence=min(passage.score for passage in cited),
        kind=kind,
        spans=spans,
        stop_reason=f"words: {why}",
        citations=tuple(_citation(ws, line) for line in sorted(lines, key=lambda each: each.span)),
    )


def _not_said(ws: Workspace, nearest: Passage | None) -> Answer:
    """No line says it; the nearest one is named, and is no evidence."""
    if not ws.film.words:
        note = "no words of this film are known: put subtitles beside it, or index it with --speech"
    elif nearest is None:
        note = "no line of this film speaks of it"
    else:
        at = format_time(nearest.span.start_s)
        note = f"the nearest line, at {at}, is not enough: “{nearest.text}”"
    return _made(
        ws,
        status="not_found",
        confidence=1.0 - (nearest.score if nearest else 0.0),
        kind=parse_question(ws.question.text).kind,
        stop_reason="words: no line says it",
        notes=(note,),
    )


def _made(
    ws: Workspace,
    *,
    status: Status = "answered",
    reply: str = "",
    choice: int | None = None,
    confidence: float,
    kind: Kind,
    spans: tuple[Span, ...] = (),
    stop_reason: str,
    citations: tuple[Citation, ...] = (),
    notes: tuple[str, ...] = (),
) -> Answer:
    return Answer(
        run_id=ws.run_id,
        question=ws.question.text,
        answer=reply,
        choice=choice,
        confidence=confidence,
        status=status,
        citations=citations,
        usage={},
        models=ws.models,
        stop_reason=stop_reason,
        kind=kind,
        spans=spans,
        notes=(*notes, *ws.film.video.facts.notes),
        index={
            "encoder": ws.encoder.identity.name,
            "duration_s": round(ws.film.video.facts.duration_s, 3),
        },
    )


def _listed(options: Sequence[str], spans: Sequence[Span], *, kind: Kind) -> tuple[str, int | None]:
    """Times, or how many they are, in words; and the option that names them."""
    if kind == "count":
        return str(len(spans)), option_by_number(options, len(spans))
    shown = [f"{format_time(span.start_s)}–{format_time(span.end_s)}" for span in spans]
    return ", ".join(shown), option_by_time(options, spans) if options else None


def _reply(ws: Workspace, step: StepWriter, best: Passage) -> tuple[str, int | None, str]:
    """The reply, the option it is, and how it came about."""
    lines = _around(ws, best)
    text = " ".join(line.text for line in lines)
    choice = option_said(ws.question.options, text)
    if choice is not None or not ws.videollm.capabilities.reads_text:
        return best.text, choice, "the line itself"
    prompt = ws.render(
        "words",
        question=ws.question.text,
        lines=[[format_time(line.span.start_s), fenced(line.text)] for line in lines],
    )
    said = " ".join(step.reply(prompt, [], max_tokens=ws.settings.answer.tokens).text.split())
    if normalised(said) != NOT_ENOUGH and held_by(said, text, ws.settings.words.least_held):
        return said, option_said(ws.question.options, said), "read in the lines"
    return best.text, None, "the line itself; the model's reply is not in the lines"


def fenced(text: str) -> str:
    """A line as it may stand inside a prompt: without quotes, tags and special tokens."""
    return re.sub(r"[<>|{}\[\]]", " ", text).replace('"', "'").strip()


def held_by(reply: str, text: str, least: float) -> bool:
    """Whether the lines hold most of what a reply says."""
    terms = content_terms(reply)
    if not terms:
        return False
    own = set(terms_of(text))
    return sum(term in own for term in terms) >= least * len(terms)


def option_said(options: Sequence[str], text: str) -> int | None:
    """The option that is said; None unless every word of exactly one is."""
    own = set(terms_of(text))
    said = [i for i, option in enumerate(options) if own.issuperset(content_terms(option))]
    return said[0] if len(said) == 1 else None


def _around(ws: Workspace, best: Passage) -> list[WordLine]:
    span = best.span.widen(ws.settings.words.around_s, ws.film.video.span)
    return [line for line in ws.film.words if line.span.overlap_s(span) > 0]


def _citation(ws: Workspace, line: WordLine) -> Citation:
    return Citation(
        video_id=ws.film.video.video_id,
        span=line.span,
        what=f"{line.source}: “{line.text}”",
        frames_s=(),
        look_id="",
        lane="words",
        text=line.text,
    )


def _shown(passage: Passage) -> dict[str, Any]:
    return {
        "start": round(passage.span.start_s, 3),
        "end": round(passage.span.end_s, 3),
        "share": round(passage.score, 4),
        "text": passage.text,
        "source": passage.source,
    }
