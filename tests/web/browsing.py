"""A real server in another process, and a real browser."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parent.parent.parent
_NAMES = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
_START_TIMEOUT_S = 120.0
# A machine that trains a model beside this may take long for a question.
_PATIENCE_MS = 300_000

READ_NUMBER = """() => {
  const v = document.querySelector("video");
  const c = document.createElement("canvas");
  [c.width, c.height] = [v.videoWidth, v.videoHeight];
  const x = c.getContext("2d");
  x.drawImage(v, 0, 0);
  let n = 0;
  for (let bit = 0; bit < 14; bit += 1)
    if (x.getImageData(16 + bit * 20 + 9, 32, 1, 1).data[0] > 128) n |= 1 << bit;
  return n;
}"""
"""The number that a film of `bench.films` shows in the player."""
ARRIVED = """() => {
  const v = document.querySelector("video");
  return v && !v.seeking && v.readyState >= 2;
}"""


def find_chromium() -> str:
    """The system's Chromium; skips the test without one, unless FAIL_WITHOUT_BROWSER=1."""
    found = next((path for path in map(shutil.which, _NAMES) if path), None)
    if found is None:
        if os.environ.get("FAIL_WITHOUT_BROWSER") == "1":
            pytest.fail("no Chromium on this machine")
        pytest.skip("no Chromium on this machine")
    return found


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    """Chromium without a window. What goes wrong outside this server's address is a failure."""
    path = find_chromium()
    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=path, headless=True, args=list(_FLAGS))
        yield opened
        opened.close()


@contextlib.contextmanager
def server(library: Path, *, models: str) -> Iterator[str]:
    """The address of `longshot serve` on a library, in a process of its own, on a free port."""
    command = [sys.executable, "-c", "import app; app.main()", "serve", "--port", "0"]
    with subprocess.Popen(
        [*command, "--library", str(library), "--models", models],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_WAIT_POLICY": "PASSIVE"},
    ) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"http://\S+/", process.stdout.readline())
            assert found, "the server did not say where it is"
            yield found.group()
        finally:
            process.terminate()
            process.wait(_START_TIMEOUT_S)


@dataclass(frozen=True, slots=True)
class Visit:
    """A page of the server, and what went wrong on it."""

    page: Page
    address: str
    complaints: list[str]
    """Errors of scripts and of the console, and requests that went elsewhere."""

    def open(self, view: str) -> Page:
        # A change of the part behind # alone would not load the page again.
        self.page.goto("about:blank")
        self.page.goto(f"{self.address}#/{view}")
        return self.page


def visit(opened: Browser, address: str, **settings: object) -> Visit:
    """A new page at 1366×768 that notes every complaint."""
    page = opened.new_page(**{"viewport": {"width": 1366, "height": 768}, **settings})  # type: ignore[arg-type]
    page.set_default_timeout(_PATIENCE_MS)
    expect.set_options(timeout=_PATIENCE_MS)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: (complaints.append(dialog.message), dialog.dismiss()))

    def on_console(message: object) -> None:
        if getattr(message, "type", "") == "error":
            complaints.append(str(getattr(message, "text", "")))

    def on_request(request: object) -> None:
        url = str(getattr(request, "url", ""))
        if not url.startswith((address, "about:", "data:", "blob:")):
            complaints.append(f"a request to {url}")

    page.on("console", on_console)
    page.on("request", on_request)
    return Visit(page, address, complaints)
