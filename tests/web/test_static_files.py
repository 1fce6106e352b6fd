"""The page's files: all there, nothing loaded from elsewhere, uPlot as it was released."""

from __future__ import annotations

import hashlib
import re

import pytest

from web.static_files import FOLDER, RUN_VIEW_SCRIPTS, RUN_VIEW_STYLES

RELEASED = {
    "uPlot.iife.min.js": "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f",
    "uPlot.min.css": "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
    "LICENSE": "8f989229699b4fe2f1a0432d0e9edc338a8a911e250e2d1b01ecd770a5f5b1bd",
}
OWN = sorted(path for path in FOLDER.iterdir() if path.suffix in (".js", ".css", ".html"))


def test_the_page_loads_the_run_view_in_its_order() -> None:
    html = (FOLDER / "index.html").read_text(encoding="utf-8")
    scripts = re.findall(r'src="static/([^"]+)"', html)
    styles = re.findall(r'rel="stylesheet" href="static/([^"]+)"', html)
    assert [each for each in scripts if each in RUN_VIEW_SCRIPTS] == list(RUN_VIEW_SCRIPTS)
    assert styles[: len(RUN_VIEW_STYLES)] == list(RUN_VIEW_STYLES)
    assert all((FOLDER / each).is_file() for each in [*scripts, *styles])


@pytest.mark.parametrize("name", RELEASED)
def test_vendored_files_are_as_released(name: str) -> None:
    data = (FOLDER / "vendor" / "uplot" / name).read_bytes()
    assert hashlib.sha256(data).hexdigest() == RELEASED[name]


@pytest.mark.parametrize("path", OWN, ids=lambda path: str(path.name))
def test_no_file_makes_markup_of_text_or_goes_elsewhere(path: object) -> None:
    """The content policy forbids it as well; this says where."""
    text = (FOLDER / str(path)).read_text(encoding="utf-8")
    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert word not in text
    assert not re.search(r"https?://(?!www\.w3\.org/)", text)
    assert text.count("\n") <= 400, "a file is read in one sitting"
