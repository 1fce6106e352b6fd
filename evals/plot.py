"""Accuracy against visual tokens, as a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evals.report import curves
from evals.strategies import ORACLE, OURS, STRATEGIES
from index.errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SUFFIXES = (".svg", ".png")
_MARKERS = "osD^v<>PX*hp"
_OURS_COLOUR = "#c1121f"
_SALT = "longshot"
"""matplotlib names the parts of an SVG after random numbers unless it is given one."""


def check_plot_path(path: Path) -> None:
    """Passes where a picture can be written in the format that the name asks for.

    Raises:
        InputError: another ending.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"{path} is no picture's name", f"end it with {' or '.join(SUFFIXES)}")


def draw(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """A panel for each film length: a line for each strategy over the tokens that it used, with
    95 % intervals; the oracle as a level. The same rows give the same bytes in an SVG.

    Raises:
        InputError: the path names no format that can be written.
        OSError: the file cannot be written.
    """
    check_plot_path(path)
    import matplotlib
    from matplotlib.figure import Figure

    lengths = list(dict.fromkeys(row["minutes"] for row in rows))
    with matplotlib.rc_context({"svg.hashsalt": _SALT, "svg.fonttype": "none"}):
        figure = Figure(figsize=(1 + 6 * len(lengths), 4.5), layout="constrained")
        panels = figure.subplots(1, len(lengths), squeeze=False, sharey=True)[0]
        for panel, minutes in zip(panels, lengths, strict=True):
            _panel(panel, [row for row in rows if row["minutes"] == minutes])
            panel.set_title(f"films of {minutes:g} minutes")
        panels[0].set_ylabel("right answers (%)")
        panels[-1].legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
        path.parent.mkdir(parents=True, exist_ok=True)
        dated = {"Date": None} if path.suffix.lower() == ".svg" else {}
        figure.savefig(path, dpi=150, metadata=dated)


def _panel(panel: Axes, rows: Sequence[Mapping[str, Any]]) -> None:
    for curve in curves(rows):
        points = sorted(
            (p for p in curve["points"] if p["accuracy"] is not None),
            key=lambda p: p["visual_tokens"],
        )
        if not points:
            continue
        if curve["strategy"] == ORACLE:
            level = 100 * points[0]["accuracy"]
            panel.axhline(level, color="black", linestyle="--", linewidth=1, label=ORACLE)
            continue
        _curve(panel, curve["strategy"], points)
    panel.set_xscale("log")
    panel.xaxis.set_major_formatter("{x:,.0f}")
    panel.xaxis.set_minor_formatter("{x:,.0f}")
    panel.tick_params(axis="x", which="both", labelsize=8, labelrotation=45)
    panel.set_ylim(0, 100)
    panel.set_xlabel("visual tokens a question")
    panel.grid(visible=True, alpha=0.25)


def _curve(panel: Axes, strategy: str, points: Sequence[Mapping[str, Any]]) -> None:
    """One strategy, always in its own colour and with its own marker."""
    import matplotlib

    ours, place = strategy == OURS, STRATEGIES.index(strategy)
    low, high = ([100 * abs(p["accuracy"] - p[end]) for p in points] for end in ("low", "high"))
    drawn = panel.errorbar(
        [p["visual_tokens"] for p in points],
        [100 * p["accuracy"] for p in points],
        yerr=[low, high],
        color=_OURS_COLOUR if ours else matplotlib.colormaps["tab20"](place % 20),
        marker=_MARKERS[place % len(_MARKERS)],
        markersize=7 if ours else 5,
        linewidth=2.6 if ours else 1.2,
        elinewidth=1.6 if ours else 0.7,
        capsize=3 if ours else 2,
        zorder=3 if ours else 2,
        label=strategy,
    )
    # Intervals of a dozen strategies at the same tokens would hide each other.
    for bars in drawn.lines[1] + drawn.lines[2]:
        bars.set_alpha(1.0 if ours else 0.3)
