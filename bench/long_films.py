"""What a question about a long film takes, against one about a shorter film, in one run.

    longshot eval demo --films 1 --minutes 60,600 --questions 200 --strategy oracle --out OUT
    python -m bench.long_films OUT 60 600

asks the questions of an evaluation's folder once more, ten about the one film, ten about the other,
and so on, each first in every second round: what else the machine does falls on both alike. Its
runs are kept in OUT's library, like all. Seconds are those of a run's steps, as answers tell them;
opening a film is not among them (`longshot batch` does it once a film).
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
    if len(sys.argv) != 4:
        sys.exit("usage: python -m bench.long_films OUT SHORT_MINUTES LONG_MINUTES")
    out, pair = Path(sys.argv[1]), sys.argv[2:]
    if not (out / "questions.jsonl").exists():
        sys.exit(f"{out} is no folder of an evaluation: it has no questions.jsonl")
    asked = {minutes: _about(out, minutes) for minutes in pair}
    n = min(map(len, asked.values())) // _BLOCK
    if n == 0:
        sys.exit(f"{out} has not {_BLOCK} questions about a film of each length")
    models = open_models("demo")
    means: dict[str, list[float]] = {minutes: [] for minutes in pair}
    with closing(Library.open(out / "library")) as library:
        films = {video.path.name: video for video in library.videos()}

        def seconds(item: Item) -> float:
            film = films[Path(item.video).name]
            answer = ask(library, film, item.question, options=item.options, models=models)
            return float(answer.usage["seconds"])

        seconds(asked[pair[0]][0])  # imports, and memory that is taken once
        for block in range(n):
            for minutes in pair if block % 2 else reversed(pair):
                items = asked[minutes][block * _BLOCK :][:_BLOCK]
                means[minutes].append(float(np.mean([seconds(item) for item in items])))
    short, long = (np.array(means[minutes]) for minutes in pair)
    for minutes, each in zip(pair, (short, long), strict=True):
        sys.stdout.write(f"{minutes} minutes: {each.mean():.3f} s, {n * _BLOCK} questions\n")
    ratio = long.mean() / short.mean()
    sys.stdout.write(f"ratio {ratio:.2f}, median of {n} rounds {np.median(long / short):.2f}\n")


def _about(out: Path, minutes: str) -> list[Item]:
    """The questions about the film of so many minutes."""
    return [i for i in load_items(out / "questions.jsonl") if f"-{minutes}min" in i.video]


if __name__ == "__main__":
    main()
