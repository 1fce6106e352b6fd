"""Weights of encoders: what is said before they are had."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.agent.backends import tiny_hub

_CHECKS = """
from index.pretrained import load_options
from web.notices import show_notices
show_notices()
load_options("ViT-B-32", "datacomp_xl_s13b_b90k")
"""


def test_an_encoder_that_will_be_downloaded_is_told(tmp_path: Path) -> None:
    """In a process of its own, because the hub's settings are read when it is imported."""
    with tiny_hub.hub() as address:
        surroundings = {**os.environ, "HOME": str(tmp_path), "HF_HOME": str(tmp_path)}
        surroundings.pop("HF_HUB_OFFLINE", None)
        done = subprocess.run(
            [sys.executable, "-c", _CHECKS],
            env={**surroundings, "HF_ENDPOINT": address},
            capture_output=True,
            text=True,
        )
    assert done.returncode == 0, done.stderr
    assert done.stderr == "downloading the encoder ViT-B-32:datacomp_xl_s13b_b90k, once\n"
