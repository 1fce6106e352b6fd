"""What a question of the library means, and how films' answers are gathered."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.library_wide import FilmAnswer, LibraryAnswer, Wanted, library_intent
from agent.types import Answer, Citation, Status
from index.types import Span, Video, VideoFacts


@pytest.mark.parametrize(
    ("question", "wants", "film_question"),
    [
        ("In which film does a red car stop?", "films", "When does a red car stop?"),
        ("Which films show a red car?", "films", "When does a red car appear?"),
        ("Which video has a dog in the snow?", "films", "When does a dog in the snow appear?"),
        ("In what movie is there a red boat?", "films", "When is there a red boat?"),
        ("Find all films with a red car", "films", "When does a red car appear?"),
        ("Find every red car", "moments", "At which moments does a red car appear?"),
        ("list all red cars.", "moments", "At which moments do red cars appear?"),
        (
            "Find every moment with a red car",
            "moments",
            "Find every moment with a red car",
        ),
        ("What colour is the car?", "answer", "What colour is the car?"),
        ("Which films talk about the car?", "films", "When is the car mentioned?"),
        ("In which film is the car mentioned?", "films", "When is the car mentioned?"),
        ("Find every mention of the car", "moments", "Find every mention of the car"),
        ("What is said about the car?", "answer", "What is said about the car?"),
    ],
)
def test_a_question_is_put_to_each_film_in_its_own_words(
    question: str, wants: Wanted, film_question: str
) -> None:
    intent = library_intent(question)
    assert (intent.wants, intent.film_question) == (wants, film_question)
    assert "film" not in intent.search_text
    assert (
        "car" in intent.search_text or "dog" in intent.search_text or "boat" in intent.search_text
    )


def film(
    number: int,
    *,
    status: Status = "answered",
    answer: str = "red",
    confidence: float = 0.9,
    n_spans: int = 1,
) -> FilmAnswer:
    facts = VideoFacts(
        **{"duration_s": 100.0, "container_start_s": 0.0, "width_px": 64, "height_px": 64},
        **{"n_frames": 1000, "fps": 10.0, "codec": "h264", "rotation_degrees": 0},
        has_audio=False,
    )
    video = Video(number, f"hash{number}", Path(f"/films/film{number}.mp4"), facts)
    cited = Citation(number, Span(1.0, 2.0), "red", (1.5,), "1.0")
    given = Answer(
        run_id=f"run{number}",
        question="?",
        answer=answer,
        choice=None,
        confidence=confidence,
        status=status,
        citations=(cited,) if status == "answered" else (),
        usage={"calls": 2, "seconds": 1.5},
        models={"videollm": "m"},
        stop_reason="",
        kind="when",
        spans=(Span(1.0, 2.0),) * n_spans,
    )
    return FilmAnswer(video, 0.5, given)


def gathered(wants: Wanted, *films: FilmAnswer, options: tuple[str, ...] = ()) -> LibraryAnswer:
    return LibraryAnswer("id", "?", wants, options, films, n_films=9)


def test_films_that_answered_are_named_and_cited_each() -> None:
    found = gathered("films", film(1), film(2), film(3, status="not_found", answer=""))
    assert (found.answer, found.status) == ("film1.mp4, film2.mp4", "answered")
    assert [c.video_id for c in found.citations] == [1, 2]
    assert found.usage == {"calls": 6, "seconds": 4.5}
    assert found.notes == ["3 of 9 films were asked, those nearest"]
    data = found.to_json()
    assert [each["answer"]["id"] for each in data["films"]] == ["run1", "run2", "run3"]


def test_a_guess_names_the_first_film_alone() -> None:
    guess = film(1, status="out_of_budget")
    found = gathered("films", guess, film(2, status="out_of_budget"))
    assert (found.answer, found.status) == ("film1.mp4", "out_of_budget")


def test_nothing_found_is_said() -> None:
    found = gathered("films", film(1, status="not_found", answer=""))
    assert (found.answer, found.status, found.citations) == ("", "not_found", ())


def test_moments_are_counted_over_films() -> None:
    found = gathered("moments", film(1, n_spans=2), film(2, n_spans=1))
    assert found.answer == "3 moments in 2 films"


def test_an_option_that_names_the_film_is_chosen() -> None:
    found = gathered("films", film(2), options=("Film1", "FILM2"))
    assert found.choice == 1


def test_any_other_question_is_answered_by_the_surest_film() -> None:
    found = gathered("answer", film(1, answer="blue"), film(2, answer="red", confidence=0.5))
    assert (found.answer, [c.video_id for c in found.citations]) == ("blue", [1])
