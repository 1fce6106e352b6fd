"""Subtitle files: encodings, cues, what is left out and where, and whose they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from index.words_subtitles import decode_subtitles, parse_subtitles, read_sidecar, sidecars_of

SRT = "1\n00:00:01,000 --> 00:00:02,500\nFirst <i>line</i>.\n\n2\n0:03.0 --> 0:04\nSecond.\n"


def said(text: str, ending: str = ".srt") -> list[tuple[float, float, str]]:
    lines = parse_subtitles(text, ending=ending).lines
    return [(line.span.start_s, line.span.end_s, line.text) for line in lines]


def problems(text: str, ending: str = ".srt") -> tuple[str, ...]:
    return parse_subtitles(text, ending=ending).problems


def test_cues_have_their_times_and_no_styling() -> None:
    assert said(SRT) == [(1.0, 2.5, "First line."), (3.0, 4.0, "Second.")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_line_end_will_do(end: str) -> None:
    assert len(said(SRT.replace("\n", end))) == 2


def test_a_cue_without_an_empty_row_before_it_keeps_its_own_text() -> None:
    text = "1\n00:01,0 --> 00:02,0\nOne.\n2\n00:03,0 --> 00:04,0\nTwo.\n"
    assert [text for _, _, text in said(text)] == ["One.", "Two."]


def test_bad_cues_are_named_with_their_line_and_do_not_spoil_the_others() -> None:
    text = "1\n00:01,0 --> 00:02,0\nGood.\n\n2\n00:0x,0 --> 00:04,0\nBad.\n\n3\nNo time at all.\n"
    assert said(text) == [(1.0, 2.0, "Good.")]
    assert [each.partition(":")[0] for each in problems(text)] == ["line 6", "line 9"]


def test_an_empty_row_inside_a_cue_loses_nothing() -> None:
    text = "1\n00:01,0 --> 00:02,0\nOne,\n\nand on.\n\n2\n00:03,0 --> 00:04,0\nTwo.\n"
    assert [text for _, _, text in said(text)] == ["One,\nand on.", "Two."]
    assert problems(text) == ()


def test_a_cue_that_ends_before_it_starts_is_left_out() -> None:
    assert problems("1\n00:05,0 --> 00:02,0\nBack.\n") == (
        "line 2: a cue that ends where it starts, or before",
    )


def test_webvtt_comments_styles_voices_and_rubies_are_not_text() -> None:
    text = (
        "WEBVTT\n\nSTYLE\n::cue {}\n\nNOTE hidden\n\nname\n00:01.000 --> 00:02.000 align:start\n"
        "<v Ann>a <ruby>b<rt>over</rt></ruby> &lt;c&gt;\n\nNOTE\nhidden too\n"
    )
    assert said(text, ".vtt") == [(1.0, 2.0, "Ann: a b <c>")]


def test_columns_of_an_ass_file_are_taken_by_name() -> None:
    text = (
        "[Events]\nFormat: Start, End, Text\n"
        "Dialogue: 0:00:01.00,0:00:02.50,{\\b1}bold{\\b0}, with a comma\n"
        "Dialogue: 0:00:03.00,0:00:04.00,{\\p1}m 0 0 l 1 1{\\p0}\nDialogue: x,y,z\n"
    )
    assert said(text, ".ass") == [(1.0, 2.5, "bold, with a comma")]
    assert problems(text, ".ass") == ("line 5: no time can be read in “x,y,z”",)


@pytest.mark.parametrize(("text", "ending"), [("", ".srt"), ("  \n", ".vtt"), ("hello", ".ass")])
def test_a_file_without_cues_says_so(text: str, ending: str) -> None:
    assert said(text, ending) == []
    assert len(problems(text, ending)) == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_unicode_is_recognised_without_a_guess(encoding: str) -> None:
    text = "1\n00:01,0 --> 00:02,0\nGrüße, früh um sechs\n"
    assert decode_subtitles(text.encode(encoding)) == (text, "")


def test_an_old_encoding_is_what_was_usual_for_the_language() -> None:
    text = "Привет, как дела?"
    assert decode_subtitles(text.encode("cp1251"), language="ru") == (text, "cp1251")


def test_an_old_encoding_of_no_known_language_is_guessed_and_the_guess_named() -> None:
    text = (
        "Où est passé le garçon ? Il était là, près de la fenêtre fermée, à côté du théâtre. " * 9
    )
    found, encoding = decode_subtitles(text.encode("cp1252"))
    assert found == text
    assert encoding


def test_a_binary_file_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "film.srt"
    path.write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)))
    track = read_sidecar(path, film=tmp_path / "film.mp4")
    assert track.lines == ()
    assert track.problems == ("film.srt: not a text file",)


def test_a_sidecar_belongs_to_its_film_with_language_and_flags(tmp_path: Path) -> None:
    names = ("talk.srt", "talk.en.srt", "talk.English.srt", "Talk.en-GB.forced.VTT", "talk.de.ass")
    others = (
        "talker.srt",
        "talk.part two.srt",
        "talk.fr.srt",
        "talk.txt",
        "talk.mp4",
        "talk.fr.mp4",
    )
    for name in (*names, *others):
        (tmp_path / name).touch()
    found = {path.name for path in sidecars_of(tmp_path / "talk.mp4")}
    assert found == set(names)
    assert [path.name for path in sidecars_of(tmp_path / "talk.fr.mp4")] == ["talk.fr.srt"]


def test_the_language_is_read_from_the_name(tmp_path: Path) -> None:
    path = tmp_path / "talk.ger.forced.srt"
    path.write_text(SRT)
    track = read_sidecar(path, film=tmp_path / "talk.mp4")
    assert (track.language, track.lines[0].language) == ("de", "de")


def test_many_problems_of_one_file_are_counted_not_listed(tmp_path: Path) -> None:
    path = tmp_path / "film.srt"
    path.write_text("\n\n".join(f"{n}\nx --> y\ntext" for n in range(40)))
    track = read_sidecar(path, film=tmp_path / "film.mp4")
    assert len(track.problems) == 6
    assert track.problems[-1] == "film.srt: 35 more like these"
