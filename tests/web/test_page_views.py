"""The page in a real browser: every view, over a library made with the embedded models."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.web.browsing import Visit
from tests.web.exports.conftest import traced
from web.exports.traced import Traced

__all__ = ["traced"]

pytestmark = pytest.mark.slow

HOSTILE = (
    "<script>alert('q')</script><img src=x onerror=alert(2)> ist das “Schön”? 魚はどこ? \u202etxet"
)


def player_s(page: Page) -> float:
    """Where the film's player is, once it has arrived."""
    page.wait_for_function("() => { const v = document.querySelector('video');"
                           " return v && v.readyState >= 1 && !v.seeking; }")  # fmt: skip
    return float(page.evaluate("() => document.querySelector('video').currentTime"))


def hits(run: dict[str, Any]) -> list[float]:
    """Where findings show the evidence, in film order; where none does, the five best."""
    found = [each for step in run["steps"] for each in step["findings"]]
    accept = run["settings"]["reflect"]["accept"]
    best = sorted(found, key=lambda each: -each["confidence"])[:5]
    shown = [each for each in found if each["confidence"] >= accept]
    return sorted(each["start"] for each in shown or best)


def first_run(visited: Visit, number: int = 0) -> dict[str, Any]:
    listed = visited.page.request.get(f"{visited.address}v1/runs").json()["runs"]
    run: dict[str, Any] = visited.page.request.get(
        f"{visited.address}v1/runs/{listed[-1 - number]['id']}"
    ).json()
    return run


def test_the_library_shows_its_film_whatever_its_name(visited: Visit) -> None:
    page = visited.open("library")
    card = page.locator(".film-card")
    expect(card).to_have_count(1)
    expect(card).to_contain_text("<script>alert(1)<script> & “Ünïcode” 電影.mp4")
    page.wait_for_function("() => document.querySelector('.poster img').naturalWidth > 0")
    card.locator("a").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("電影.mp4")


def test_what_is_no_film_is_refused_in_words(visited: Visit, tmp_path: Path) -> None:
    text = tmp_path / "<b>no film<∕b>.mp4"
    text.write_text("text")
    page = visited.open("library")
    path = page.get_by_label(re.compile("^Add a film"))
    path.fill(str(text))
    page.get_by_role("button", name="Add to the library").click()
    job = page.locator(".job").first
    expect(job).to_contain_text("failed")
    expect(job.locator(".bad")).to_contain_text("<b>no film<∕b>.mp4")


def test_a_question_is_asked_and_its_steps_arrive(visited: Visit) -> None:
    page = visited.open("film/1")
    page.get_by_label("Question").fill("where is the red house?")
    page.get_by_role("button", name="Ask and watch").click()
    expect(page.locator(".step-list .step").first).to_contain_text("plan")
    page.wait_for_url(re.compile(r"#/run/\w+"))
    expect(page.locator(".run-answer .badge")).not_to_contain_text("not finished")
    run = first_run(visited, -1)
    expect(page.locator(".step-list .step")).to_have_count(len(run["steps"]))
    assert (run["question"], run["status"]) == ("where is the red house?", "answered")
    # How its second look was read stands in the step that took it.
    step = next(k for k, each in enumerate(run["steps"]) if each["data"].get("second_looks"))
    read = run["steps"][step]["data"]["second_looks"][0]
    page.locator(".step-list .step").nth(step).click()
    part = page.locator(".step-detail .part").filter(has_text="How second looks were read")
    row = part.locator("tbody tr").first
    expect(row).to_contain_text(re.compile(f"{read['p_yes'][1]:.3f}.*{read['cosine']:.3f}"))
    expect(row.get_by_role("button", name="Play")).to_be_visible()


def test_a_click_on_a_time_seeks_the_same_player_and_leaves_the_page(visited: Visit) -> None:
    run = first_run(visited)
    page = visited.open(f"run/{run['id']}")
    player_s(page)
    page.evaluate("() => { document.querySelector('video').dataset.mark = 'the same'; }")
    look = next(look for step in run["steps"] for look in step["looks"])
    step = next(k for k, each in enumerate(run["steps"]) if each["looks"])
    page.locator(".step-list .step").nth(step).click()
    page.locator(".step-detail .frame").nth(2).click()
    assert player_s(page) == pytest.approx(look["frames"][2], abs=0.05)
    page.locator(".step-detail .time").first.click()
    assert player_s(page) == pytest.approx(look["start"], abs=0.05)
    assert page.evaluate("() => document.querySelector('video').dataset.mark") == "the same"
    assert page.evaluate("() => document.scrollingElement.scrollTop") == 0
    assert page.url.endswith(f"#/run/{run['id']}")


def test_a_click_on_the_timeline_seeks_and_the_wheel_zooms_to_seconds(visited: Visit) -> None:
    run = first_run(visited)
    page = visited.open(f"run/{run['id']}")
    player_s(page)
    plot = page.locator(".timeline-lanes")
    box = plot.bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] - 30)
    assert player_s(page) == pytest.approx(run["film"]["duration_s"] / 2, abs=0.3)
    for _ in range(12):
        page.keyboard.press("+")
    shown = page.locator(".timeline-view").inner_text()
    start, end = (float(each.split(":")[-1]) for each in shown.split(" of ")[0].split("–"))
    assert end - start == pytest.approx(2, abs=0.2)
    page.keyboard.press("0")
    expect(page.locator(".timeline-view")).to_contain_text("0:00:00–0:01:00")


def test_the_frames_are_shown_at_the_size_at_which_the_model_saw_them(visited: Visit) -> None:
    run = first_run(visited)
    page = visited.open(f"run/{run['id']}")
    step = next(k for k, each in enumerate(run["steps"]) if each["looks"])
    look = run["steps"][step]["looks"][0]
    page.locator(".step-list .step").nth(step).click()
    images = page.locator(".look").first.locator("img")
    expect(images).to_have_count(len(look["frames"]))
    images.first.scroll_into_view_if_needed()
    page.wait_for_function("() => document.querySelector('.look img').naturalWidth > 0")
    size = images.first.evaluate("each => [each.naturalWidth, each.naturalHeight, each.width]")
    assert size == [look["width_px"], look["height_px"], look["width_px"]]


def test_the_prompt_the_reply_and_the_probabilities_are_there(visited: Visit) -> None:
    run = first_run(visited)
    page = visited.open(f"run/{run['id']}")
    step = next(k for k, each in enumerate(run["steps"]) if each["node"] == "reflect")
    call = run["steps"][step]["calls"][0]
    page.locator(".step-list .step").nth(step).click()
    section = page.locator(".call").first
    expect(section).to_contain_text(f"{call['probabilities']['yes']:.4f}")
    section.get_by_text("Prompt as the model read it").click()
    assert call["prompt_text"].strip() in section.locator("pre").last.inner_text()
    written = run["steps"][0]["calls"][0]
    page.locator(".step-list .step").first.click()
    expect(section).to_contain_text(f"geometric mean{written['probabilities']['reply']:.4f}")
    expect(section.locator("pre.output")).to_have_text(written["output"])


def test_a_run_is_stepped_through_with_the_keyboard_alone(visited: Visit) -> None:
    run = first_run(visited)
    page = visited.open(f"run/{run['id']}")
    current = page.locator(".step[aria-current]")
    expect(current).to_have_count(1)
    for _ in run["steps"]:
        page.keyboard.press("k")
    expect(current).to_contain_text("plan")
    page.keyboard.press("j")
    expect(current).to_contain_text("survey")
    starts = hits(run)
    before_s = player_s(page)
    page.keyboard.press("n")
    expected = next((start for start in starts if start > before_s + 0.001), starts[0])
    assert player_s(page) == pytest.approx(expected, abs=0.05)
    if run["answer"]["citations"]:
        page.keyboard.press("c")
        starts = [each["start"] for each in run["answer"]["citations"]]
        assert min(abs(player_s(page) - start) for start in starts) < 0.05
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("next / previous hit")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_run_opens_on_its_first_citation(visited: Visit, traced: Traced) -> None:
    page = visited.open(f"run/{traced.run.run_id}")
    assert traced.answer is not None
    start_s = traced.answer.citations[0].span.start_s
    assert player_s(page) == pytest.approx(start_s, abs=0.05)
    expect(page.locator(".step[aria-current]")).to_be_in_viewport(ratio=0.99)


def test_keys_do_nothing_behind_an_open_dialog(visited: Visit, traced: Traced) -> None:
    page = visited.open(f"run/{traced.run.run_id}")
    current = page.locator(".step[aria-current]")
    expect(current).to_contain_text(re.compile(r"\w"))
    chosen = current.inner_text()
    page.get_by_role("button", name="Lineage").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("k")
    assert current.inner_text() == chosen
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("k")
    assert current.inner_text() != chosen


def test_what_a_person_unfolded_stays_when_the_answer_arrives(visited: Visit) -> None:
    run = first_run(visited)
    page = visited.open("library")
    open_folds = page.evaluate(
        """(run) => {
          const place = document.createElement("div");
          document.body.append(place);
          const going = { ...run, answer: null, status: "running" };
          const view = Longshot.renderRun(place, going, { isLive: true });
          const before = place.querySelector(".reply").textContent;
          place.querySelector(".step-detail details").open = true;
          view.update(run);
          view.end(null);
          const found = [before, place.querySelectorAll(".step-detail details[open]").length];
          view.destroy();
          return found;
        }""",
        run,
    )
    assert open_folds == ["still searching … working", 1]


def test_a_run_that_was_broken_off_is_not_said_to_go_on(visited: Visit) -> None:
    run = first_run(visited)
    page = visited.open("library")
    said = page.evaluate(
        """(run) => {
          const place = document.createElement("div");
          const left = { ...run, answer: null, status: "running" };
          const view = Longshot.renderRun(place, { ...left, stop_reason: "no room" }, {});
          const found = place.querySelector(".reply").textContent;
          view.destroy();
          return found;
        }""",
        run,
    )
    assert said == "no answer yet … not finishedno room"


def test_a_span_is_played_to_its_end_and_no_further(visited: Visit) -> None:
    run = first_run(visited)
    page = visited.open(f"run/{run['id']}")
    player_s(page)
    page.evaluate("() => { document.querySelector('video').muted = true; }")
    step = next(k for k, each in enumerate(run["steps"]) if each["looks"])
    page.locator(".step-list .step").nth(step).click()
    look = min(run["steps"][step]["looks"], key=lambda each: each["end"] - each["start"])
    position = run["steps"][step]["looks"].index(look)
    page.evaluate("() => { document.querySelector('video').playbackRate = 8; }")
    page.locator(".look").nth(position).locator(".play").click()
    page.wait_for_function(
        "end => { const v = document.querySelector('video');"
        " return v.paused && v.currentTime >= end - 0.05; }",
        arg=look["end"],
    )
    assert player_s(page) < look["end"] + 2


def test_search_hits_are_pictures_that_seek_one_player(visited: Visit) -> None:
    page = visited.open("search?q=a%20blue%20fish")
    shown = page.locator(".hit")
    expect(shown.first).to_be_visible()
    page.wait_for_function("() => document.querySelector('.hit img').naturalWidth > 0")
    found = visited.page.request.get(f"{visited.address}v1/search?q=a%20blue%20fish").json()["hits"]
    for number in (1, 0):
        shown.nth(number).click()
        assert player_s(page) == pytest.approx(found[number]["start"], abs=1.5)
    expect(page.locator("video")).to_have_count(1)


def test_two_runs_are_compared_side_by_side(visited: Visit) -> None:
    page = visited.open("runs")
    boxes = page.get_by_role("checkbox")
    boxes.nth(0).check()
    compare = page.get_by_role("button", name=re.compile("^Compare"))
    expect(compare).to_be_disabled()
    boxes.nth(1).check()
    compare.click()
    expect(page.locator(".compare-run")).to_have_count(2)
    expect(page.locator(".timeline")).to_have_count(2)
    expect(page.locator(".steps-table")).to_be_visible()
    ids = page.url.split("/")[-2:]
    diff = page.request.get(f"{visited.address}v1/runs/{ids[0]}/diff/{ids[1]}").json()
    said = f"The runs part at step {diff['parts_at']}: {', '.join(diff['parts_by'])}"
    expect(page.get_by_role("heading", name=said)).to_be_visible()
    expect(page.locator(".steps-table .differs")).to_have_count(
        sum(bool(each["differs"]) for each in diff["steps"])
    )
    page.locator(".compare-differences summary").click()
    told = page.locator(".compare-differences tbody tr").all_inner_texts()
    assert len(told) == len(diff["setup"]) + len(diff["outcome"])
    assert any(row.startswith("begun with: question") for row in told)
    page.locator(".compare-run").first.get_by_role("button", name="Zoom in").click()
    views = page.locator(".timeline-view").all_inner_texts()
    assert views[0] == views[1]
    assert not views[0].startswith("0:00:00–0:01:00")


def test_a_run_is_saved_from_its_view(visited: Visit) -> None:
    run = first_run(visited)
    page = visited.open(f"run/{run['id']}")
    page.get_by_text("Save as").click()
    forms = page.locator(".menu a")
    expect(forms).to_have_count(5)
    # Nothing lies over a form or cuts it off.
    on_top = """each => {
      const { left, top, width, height } = each.getBoundingClientRect();
      return document.elementFromPoint(left + width / 2, top + height / 2) === each;
    }"""
    assert all(form.evaluate(on_top) for form in forms.all())
    with page.expect_download() as report:
        page.get_by_role("link", name="Report: one HTML file").click()
    assert report.value.suggested_filename == f"longshot-{run['id']}.html"
    assert report.value.path().read_text(encoding="utf-8").startswith("<!doctype html>")
    expect(page.get_by_role("link", name="Report: one HTML file")).to_be_hidden()


def test_the_runs_are_filtered(visited: Visit) -> None:
    page = visited.open("runs")
    page.get_by_placeholder("question or answer").fill("red cat")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator("table.runs tbody tr")).to_have_count(1)
    expect(page.locator("table.runs")).to_contain_text("when does the red cat appear?")


def test_no_film_lacks_what_it_is_about(visited: Visit) -> None:
    page = visited.open("runs")
    badge = "(kind) => Longshot.statusBadge('not_found', kind).textContent"
    assert page.evaluate(badge, "moment") == "∅ not in this film"
    assert page.evaluate(badge, "whole") == "∅ no answer"


def test_hostile_text_is_text_everywhere(visited: Visit) -> None:
    page = visited.open("film/1")
    page.get_by_label("Question").fill(HOSTILE + " word" * 400)
    page.get_by_role("button", name="Ask and watch").click()
    page.wait_for_url(re.compile(r"#/run/\w+"))
    expect(page.locator("h1")).to_contain_text("<script>alert('q')</script><img src=x onerror")
    for step in page.locator(".step-list .step").all():
        step.click()
        for fold in page.locator(".step-detail summary").all():
            fold.click()
    for view in ("runs", "library", "film/1", "search?q=%3Cscript%3Ealert(3)%3C/script%3E"):
        visited.open(view)
        page.wait_for_load_state("networkidle")
    assert page.locator("main script, main img[onerror]").count() == 0
    assert page.evaluate("() => document.scrollingElement.scrollWidth <= innerWidth")


def test_everything_that_acts_has_a_name_and_the_focus_is_seen(visited: Visit) -> None:
    run = first_run(visited)
    for view in ("library", "search?q=fish", "film/1", "runs", f"run/{run['id']}"):
        page = visited.open(view)
        page.wait_for_load_state("networkidle")
        nameless = page.evaluate(
            """() => [...document.querySelectorAll(
              "a, button, input, select, textarea, [tabindex='0']")]
            .filter((each) => !(each.textContent?.trim() || each.getAttribute("aria-label")
              || each.title || each.labels?.length))
            .map((each) => each.outerHTML.slice(0, 120))"""
        )
        assert nameless == [], view
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        outline = page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none", view


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_from_their_ground(visited: Visit, scheme: Any) -> None:
    """WCAG AA: 4.5 to 1, for the colours that carry words."""
    page = visited.page
    page.emulate_media(color_scheme=scheme)
    visited.open("runs")
    ratios = page.evaluate(
        """() => {
          const probe = document.createElement("span");
          document.body.append(probe);
          const light = (name) => {
            probe.style.color = `var(--${name})`;
            const parts = getComputedStyle(probe).color.match(/[\\d.]+/g).slice(0, 3).map((v) => {
              const c = v / 255;
              return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
            });
            return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
          };
          const ratio = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
          const found = {};
          for (const ground of ["panel", "page", "raised"])
            for (const name of ["ink", "muted", "accent"])
              found[`${name} on ${ground}`] = ratio(light(name), light(ground));
          for (const name of ["before", "found", "bad"])
            found[`${name} on panel`] = ratio(light(name), light("panel"));
          return found;
        }"""
    )
    assert {name: ratio for name, ratio in ratios.items() if ratio < 4.5} == {}
