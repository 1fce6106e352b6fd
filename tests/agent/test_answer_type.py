"""What a question asks for."""

import pytest

from agent.answer_type import AnswerType, answer_type_of
from agent.confidence import Fit, StoredFit, stored_fit


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("When does the red boat appear?", "time"),
        ("At what time does it rain?", "time"),
        ("Which moment shows the bridge?", "time"),
        ("Where is the cup?", "place"),
        ("In which place does the dog stand?", "place"),
        ("What colour is the house on the street?", "colour"),
        (" which color do the boats have?", "colour"),
        ("How many kites are there?", "number"),
        ("How often does it rain?", "other"),
        ("Whenever it rains, who leaves?", "other"),
        ("Wherever is he?", "other"),
        ("What is the man doing?", "other"),
        ("", "other"),
    ],
)
def test_the_first_words_say_what_is_asked_for(question: str, wanted: AnswerType) -> None:
    assert answer_type_of(question) == wanted


def test_a_type_without_a_fit_of_its_own_is_read_like_all() -> None:
    fit = StoredFit("m", "p", "look", 3, Fit(first=0.5), by_type={"colour": Fit(first=2.0)})
    assert fit.of("What colour is it?") == Fit(first=2.0)
    assert fit.of("Where is it?") == Fit(first=0.5)
    row = fit.to_json()
    assert row["fit"]["by_type"]["colour"]["first"] == 2.0
    assert stored_fit(row) == fit
    # Fits of before know no types.
    assert stored_fit({**row, "fit": {"first": 0.5}}).of("What colour is it?") == Fit(first=0.5)
