"""The one-file report: hostile text does no harm, the film is found, nothing else is fetched."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

import app
from tests.web.conftest import HOSTILE_NAME, LINE
from tests.web.exports.conftest import load, traced
from web.exports.traced import Traced
from web.report import json_for_script, report_html
from web.static_files import RUN_VIEW_SCRIPTS

__all__ = ["traced"]

HOSTILE = "</script><img src=x onerror=alert(1)><!--<script>alert(2)\u2028 {{ 7*7 }} 電影?"
MOST_BYTES = 5_000_000


class Tags(HTMLParser):
    """What a browser would make of the file."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.title = ""

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        if self.tags[-1:] == ["title"]:
            self.title += data


@pytest.fixture(scope="module")
def hostile(traced: Traced) -> Traced:
    """The run with hostile text wherever a person, a film or a model may write."""
    step = traced.steps[0]
    call = replace(step.calls[0], output=HOSTILE, prompt_text=HOSTILE)
    steps = (replace(step, why=HOSTILE, calls=(call,)), *traced.steps[1:])
    assert traced.answer is not None
    return replace(
        traced,
        run=replace(traced.run, question=HOSTILE, options=(HOSTILE, "b")),
        steps=steps,
        answer=replace(traced.answer, answer=HOSTILE, question=HOSTILE),
    )


def test_hostile_text_is_never_markup(hostile: Traced) -> None:
    html = report_html(hostile)
    found = Tags()
    found.feed(html)
    # The record's, those of the run view, and the report's own: no tag came with the text.
    assert found.tags.count("script") == len(RUN_VIEW_SCRIPTS) + 2
    assert "img" not in found.tags
    assert found.title.startswith("</script><img src=x onerror=alert(1)>")
    assert "49" not in found.title


def test_the_record_comes_out_of_the_file_as_it_went_in(hostile: Traced) -> None:
    html = report_html(hostile)
    (text,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', html, re.S)
    data = json.loads(text)
    assert data["run"]["question"] == HOSTILE
    assert data["run"]["lineage"]["citations"]
    assert data["films"][0]["beside"] == hostile.video.path.name if hostile.video else False
    assert len(data["pictures"]) == len(set(data["pictures"]))


def test_json_in_a_script_has_no_character_that_could_end_it() -> None:
    text = json_for_script({"<a>&": "\u2028\u2029</script>"})
    assert not set("<>&\u2028\u2029") & set(text)
    assert json.loads(text) == {"<a>&": "\u2028\u2029</script>"}


def open_report(chromium: Browser, file: Path) -> tuple[Page, list[str]]:
    """The report from disk; dialogs, errors of scripts and requests beyond the disk are noted."""
    page = chromium.new_page(viewport={"width": 1366, "height": 768})
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("dialog", lambda dialog: (wrong.append(dialog.message), dialog.dismiss()))
    page.on(
        "request",
        lambda request: (
            None if request.url.startswith(("file:", "data:")) else wrong.append(request.url)
        ),
    )
    page.goto(file.as_uri())
    return page, wrong


def test_the_report_opens_from_disk_with_its_frames_and_without_the_film(
    chromium: Browser, hostile: Traced, tmp_path: Path
) -> None:
    gone = tmp_path / "gone.mp4"
    assert hostile.video is not None
    video = replace(hostile.video, path=gone)
    file = tmp_path / "report.html"
    file.write_text(report_html(replace(hostile, video=video)), encoding="utf-8")
    assert file.stat().st_size < MOST_BYTES
    page, wrong = open_report(chromium, file)
    expect(page.get_by_role("heading", level=1)).to_have_text(HOSTILE.replace("\u2028", " "))
    # Before anything is clicked: the frame that is nearest to the first citation.
    expect(page.locator(".still img")).to_be_visible()
    page.locator(".step-list button", has_text="look").first.click()
    frames = page.locator(".frames img")
    assert frames.count() > 0
    assert all(
        src.startswith("data:image/jpeg")
        for src in frames.evaluate_all("all => all.map((each) => each.src || each.dataset.src)")
    )
    expect(page.locator("video")).to_have_count(0)
    page.get_by_role("button", name="Lineage").click()
    expect(page.get_by_role("dialog", name="What the answer rests on")).to_contain_text(
        "every link is recorded"
    )
    assert wrong == []
    page.close()


def test_the_player_appears_when_the_film_lies_beside_the_report(
    chromium: Browser, traced: Traced, tmp_path: Path
) -> None:
    assert traced.video is not None
    name = HOSTILE_NAME.replace("/", "∕")
    shutil.copy(traced.video.path, tmp_path / name)
    file = tmp_path / "report.html"
    # Where the film was is no place any more: only the one beside the report can be meant.
    moved = replace(traced.video, path=tmp_path / "elsewhere" / name)
    file.write_text(report_html(replace(traced, video=moved)), encoding="utf-8")
    page, wrong = open_report(chromium, file)
    player = page.locator("video")
    expect(player).to_have_count(1)
    page.wait_for_function("document.querySelector('video').readyState >= 1")
    assert traced.answer is not None
    page.locator(".citations button.time").first.click()
    start_s = traced.answer.citations[0].span.start_s
    page.wait_for_function(f"Math.abs(document.querySelector('video').currentTime - {start_s}) < 1")
    assert wrong == []
    page.close()


def test_a_film_that_left_the_library_leaves_the_report_whole(
    demo_library: Path, traced: Traced, tmp_path: Path
) -> None:
    folder = tmp_path / "library"
    shutil.copytree(demo_library, folder)
    assert app.run(["remove", traced.run.video_hash, "--library", str(folder)]) == 0
    left = load(folder, traced.run.run_id)
    assert left.video is None
    assert left.pictures == traced.pictures
    assert len(report_html(left)) > sum(len(jpeg) for jpeg in set(left.pictures.values()))


def test_an_answer_from_what_is_said_shows_its_lines(
    chromium: Browser, said: Path, tmp_path: Path
) -> None:
    found = load(said)
    assert found.video is not None
    gone = replace(found.video, path=tmp_path / "gone.mp4")
    file = tmp_path / "report.html"
    file.write_text(report_html(replace(found, video=gone)), encoding="utf-8")
    page, wrong = open_report(chromium, file)
    expect(page.locator(".step[aria-current]")).to_contain_text("words")
    row = page.locator(".step-detail tbody tr")
    expect(row).to_contain_text(LINE)
    expect(row.get_by_role("button", name="0:00:12–0:00:14", exact=True)).to_be_visible()
    expect(page.locator(".checked")).to_have_attribute("title", re.compile("a line of its words"))
    page.keyboard.press("k")
    page.keyboard.press("n")
    expect(page.locator(".step[aria-current]")).to_contain_text("words")
    page.get_by_role("button", name="Lineage").click()
    lineage = page.get_by_role("dialog", name="What the answer rests on")
    expect(lineage).to_contain_text("every link is recorded")
    expect(lineage).to_contain_text("Line in subtitles (step 1)")
    assert wrong == []
    page.close()
