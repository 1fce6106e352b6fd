"""What a question about a long film takes, against one about a shorter film, in one run.

    longshot eval demo --films 1 --minutes 60,600 --questions 200 --strategy oracle --out OUT
    python -m bench.long_films OUT 60 600

asks the questions of an evaluation's folder once more, ten about the one film, ten about the other,
and so on: what else the machine does falls on both alike. Seconds are those of a run's steps, as
answers tell them; opening a film is not among them (`longshot batch` does it once a film).
"""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

import numpy as np

from agent.ask import ask
from agent.models import open_models
from evals.items import Item, load_items
from index.library import Library

_BLOCK = 10


def main() -> None:
    out, short, long = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    asked = {minutes: _about(out, minutes) for minutes in (short, long)}
    models = open_models("demo")
    seconds: dict[str, list[float]] = {short: [], long: []}
    with closing(Library.open(out / "library")) as library:
        films = {video.path.name: video for video in library.videos()}
        for first in range(0, min(map(len, asked.values())), _BLOCK):
            for minutes, items in asked.items():
                for item in items[first : first + _BLOCK]:
                    film = films[Path(item.video).name]
                    answer = ask(library, film, item.question, options=item.options, models=models)
                    seconds[minutes].append(float(answer.usage["seconds"]))
    blocks = [np.reshape(s, (-1, _BLOCK)).mean(axis=1) for s in seconds.values()]
    ratio = np.mean(seconds[long]) / np.mean(seconds[short])
    for minutes, each in seconds.items():
        sys.stdout.write(f"{minutes} minutes: {np.mean(each):.3f} s, {len(each)} questions\n")
    sys.stdout.write(
        f"ratio {ratio:.2f}, median of blocks {np.median(blocks[1] / blocks[0]):.2f}\n"
    )


def _about(out: Path, minutes: str) -> list[Item]:
    """The questions about the film of so many minutes, as many as fill whole blocks."""
    items = [i for i in load_items(out / "questions.jsonl") if f"-{minutes}min" in i.video]
    return items[: len(items) // _BLOCK * _BLOCK]


if __name__ == "__main__":
    main()
