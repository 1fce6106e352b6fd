"""How the program ends when something stops it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def _python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)


def test_control_c_ends_with_130_and_a_line() -> None:
    code = (
        "import app, sys\n"
        "@app.cli.command('wait')\n"
        "def wait(): raise KeyboardInterrupt\n"
        "sys.exit(app.run(['wait']))"
    )
    done = _python(code)
    assert done.returncode == 130
    assert "stopped; what is finished is kept" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_bug_keeps_its_traceback() -> None:
    code = (
        "import app, sys\n"
        "@app.cli.command('fail')\n"
        "def fail(): raise ZeroDivisionError\n"
        "sys.exit(app.run(['fail']))"
    )
    done = _python(code)
    assert done.returncode == 1
    assert "Traceback" in done.stderr
