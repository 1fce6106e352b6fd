"""The page's files: which scripts and styles the run view is made of, and where they lie.

The live page loads them by address; a one-file report carries their text inside. They are classic
scripts of one namespace, in the order given, because a page opened from disk cannot load modules.
"""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "static"

RUN_VIEW_SCRIPTS = (
    "vendor/uplot/uPlot.iife.min.js",
    "dom.js",
    "run_model.js",
    "timeline_lanes.js",
    "timeline_chart.js",
    "timeline.js",
    "step_panel.js",
    "run_header.js",
    "lineage.js",
    "run_view.js",
)
RUN_VIEW_STYLES = ("vendor/uplot/uPlot.min.css", "run_view.css")
