"""How an answer of the whole library looks on a terminal: film by film, each with its citations."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from agent.library_wide import FilmAnswer, LibraryAnswer
from index.types import Video
from web.terminal import STATUSES, cost, format_span, outcome


def print_next_film(out: Console, video: Video, position: int, n_films: int) -> None:
    """The film that is asked now."""
    out.print(Text(f"film {position + 1}/{n_films}  {video.path}", "bold"), soft_wrap=True)


def print_library_answer(out: Console, answer: LibraryAnswer) -> None:
    """The library's answer, then what every film said."""
    reply = answer.answer or "not in any film that was asked"
    out.print()
    out.print(Text.assemble((f"Answer: {reply}", "bold"), f"  ({STATUSES[answer.status]})"))
    for film in answer.films:
        _print_film(out, film)
    _line(out, "cost", cost(answer.usage))
    for note in answer.notes:
        _line(out, "note", note)


def _print_film(out: Console, film: FilmAnswer) -> None:
    out.print()
    out.print(Text(str(film.video.path), "bold"), soft_wrap=True)
    if film.answer is None:
        _line(out, "failed", film.error)
        return
    reply = film.answer.answer or outcome(film.answer.status, "", kind=film.answer.kind)
    _line(out, "said", f"{reply}  ({film.answer.status}, confidence {film.answer.confidence:.2f})")
    for citation in film.answer.citations:
        span = citation.span
        link = f"{film.video.path}#t={span.start_s:.3f},{span.end_s:.3f}"
        _line(out, "seen", f"{format_span(span)}  {citation.what}  {link}")
    _line(out, "trace", f"longshot trace show {film.answer.run_id}")


def _line(out: Console, label: str, text: str) -> None:
    out.print(f"{label:<9} {text}", soft_wrap=True)
