"""Files of questions are read line by line; a bad line is named and stops nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.batch_lines import QuestionFile, read_questions
from index.errors import InputError


def read(tmp_path: Path, *rows: Any) -> QuestionFile:
    path = tmp_path / "q.jsonl"
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return read_questions(path)


def test_a_line_is_a_question_with_its_truth(tmp_path: Path) -> None:
    row = {
        "custom_id": "a",
        "video": "f.mp4",
        "question": " What  is it? ",
        "options": ["red", "blue"],
        "answer": "red",
        "kind": "attribute",
        "status": "answered",
        "evidence": [[1, 2.5]],
        "difficulty": 3,
    }
    (found,) = read(tmp_path, row).questions
    assert (found.custom_id, found.line, found.video) == ("a", 1, "f.mp4")
    assert (found.question, found.options) == ("What is it?", ("red", "blue"))
    assert (found.answer, found.kind, found.evidence) == ("red", "attribute", ((1.0, 2.5),))


def test_bad_lines_are_named_by_number_and_the_rest_is_read(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        {"custom_id": "a", "question": "What?"},
        "{no json",
        "[1]",
        {"custom_id": "b", "question": " "},
        {"custom_id": "a", "question": "Again?"},
        {"custom_id": "c", "vidoe": "f.mp4", "question": "What?"},
        {"custom_id": "d", "question": "What?", "options": ["one"]},
        {"custom_id": "e", "question": "What?", "options": {"a": 1}},
        {"custom_id": "f", "question": "What?", "video": ["f"]},
        '{"custom_id": "g", "question": "\\ud800"}',
        {"custom_id": "h", "question": "What?", "status": "maybe"},
        {"custom_id": "i", "question": "What?", "evidence": [1, 2]},
        "",
        {"custom_id": "z", "question": "Last?"},
    )
    assert [q.custom_id for q in found.questions] == ["a", "z"]
    assert [bad.line for bad in found.bad] == [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]
    messages = [bad.message for bad in found.bad]
    assert "no JSON" in messages[0]
    assert "stands in line 1 already" in messages[3]
    assert "did you mean 'video'?" in messages[4]


def test_a_line_without_an_id_gets_one_that_survives_moving(tmp_path: Path) -> None:
    first, second = {"question": "One?"}, {"question": "Two?"}
    before = {q.question: q.custom_id for q in read(tmp_path, first, second).questions}
    after = {q.question: q.custom_id for q in read(tmp_path, second, first).questions}
    assert before == after
    assert len(set(before.values())) == 2


def test_a_line_separator_inside_a_text_ends_no_line(tmp_path: Path) -> None:
    path = tmp_path / "q.jsonl"
    path.write_text('{"custom_id": "a", "question": "one\u2028two?"}\n', encoding="utf-8")
    (found,) = read_questions(path).questions
    assert found.question == "one two?"


def test_csv_columns_are_the_fields(tmp_path: Path) -> None:
    path = tmp_path / "q.csv"
    path.write_text(
        "\ufeffcustom_id,video,question,options,answer\n"
        'a,f.mp4,"Red, or blue?",red|blue,red\n'
        'b,,"In which film?",,\n'
        'c,f.mp4,Which?,"[""x, y"", ""z""]",\n'
        "d,f.mp4,Red, or blue?,,\n",
        encoding="utf-8",
    )
    found = read_questions(path)
    assert [(q.video, q.options) for q in found.questions] == [
        ("f.mp4", ("red", "blue")),
        (None, ()),
        ("f.mp4", ("x, y", "z")),
    ]
    assert [bad.line for bad in found.bad] == [5]


def test_csv_without_a_question_column_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "q.csv"
    path.write_text("id,text\n1,What?\n")
    with pytest.raises(InputError, match='no column "question"'):
        read_questions(path)


def chat(*messages: dict[str, Any], **body: Any) -> dict[str, Any]:
    return {
        "custom_id": "a",
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": {"model": "any", "messages": list(messages), **body},
    }


def test_the_shape_of_the_openai_api_is_read(tmp_path: Path) -> None:
    parts = [
        {"type": "video_url", "video_url": {"url": "file:///films/a%20b.mp4"}},
        {"type": "text", "text": "What is red?"},
    ]
    system = {"role": "system", "content": "Be brief."}
    (found,) = read(tmp_path, chat(system, {"role": "user", "content": parts})).questions
    assert (found.video, found.question, found.is_chat) == ("/films/a b.mp4", "What is red?", True)


def test_metadata_names_the_film_and_the_options(tmp_path: Path) -> None:
    row = chat({"role": "user", "content": "Which?"}, metadata={"video": "f.mp4", "options": "a|b"})
    (found,) = read(tmp_path, row).questions
    assert (found.video, found.options) == ("f.mp4", ("a", "b"))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({**chat({"role": "user", "content": "?"}), "url": "/v1/embeddings"}, "url is"),
        (chat({"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}), "conver"),
        (chat({"role": "user", "content": [{"type": "input_audio"}]}), "input_audio"),
        (
            chat({"role": "user", "content": [{"type": "video_url", "video_url": "http://x/f"}]}),
            "no file here",
        ),
        ({"custom_id": "a", "body": 3}, "body is no JSON object"),
        ({"custom_id": "a", "body": {"messages": None}}, "no list of messages"),
    ],
)
def test_what_the_api_shape_cannot_say_here_is_refused(
    tmp_path: Path, row: dict[str, Any], message: str
) -> None:
    (bad,) = read(tmp_path, row).bad
    assert message in bad.message


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda s: st.lists(s, max_size=3),
    max_leaves=4,
)


@given(
    st.dictionaries(
        st.sampled_from(["custom_id", "video", "question", "options", "body", "evidence", "x"]),
        _JSON,
    )
)
def test_any_line_is_a_question_or_a_bad_line(
    tmp_path_factory: pytest.TempPathFactory, row: dict[str, Any]
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.jsonl"
    path.write_text(json.dumps(row) + "\n")
    found = read_questions(path)
    assert len(found.questions) + len(found.bad) == 1
