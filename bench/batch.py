"""How much quicker a batch is than its questions one by one.

    python -m bench.batch --questions 8 --rounds 2

Four ways, in turn, so that a busy machine slows all of them: `longshot ask` once for each question,
`longshot batch` on all of them, and inside one process with the models loaded a loop of `ask`
against a batch. Nearly all of the first way is loading, the same for every question: it asks only
the first few (`--one-by-one`) and is counted by its rate. Prints what each way took as it ends,
questions a minute by wall time and by processor time, and the median of the rounds' ratios.

The whole of it needs about five minutes of one processor core, `--warm-only` about one: three
questions took 24 s a process, 29 s as a batch, and 1.2 and 1.0 s each in the warm ways.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from agent.ask import ask
from agent.batch import BatchSettings, run_batch
from agent.batch_lines import BatchQuestion, read_questions
from agent.batch_record import BatchRecord
from agent.models import Models, open_models
from agent.presets import demo_settings
from demo.film import render
from demo.questions import make_questions, question_to_json
from demo.script import make_script
from index.build import IndexSettings, ProgressEvent, build
from index.library import Library

ROOT = Path(__file__).parents[1]
SEED = 51


@dataclass(frozen=True, slots=True)
class Took:
    """One way, once."""

    n: int
    """Questions."""
    wall_s: float
    processor_s: float

    @property
    def a_minute(self) -> float:
        """Questions by wall time."""
        return 60 * self.n / self.wall_s

    @property
    def a_processor_minute(self) -> float:
        return 60 * self.n / self.processor_s


class Silent:
    """Watches nothing."""

    def indexing(self, event: Any) -> None: ...
    def asked(self, event: Any) -> None: ...
    def waiting(self, why: str) -> None: ...


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=8)
    parser.add_argument("--one-by-one", type=int, default=3, help="questions of the first way")
    parser.add_argument("--minutes", type=float, default=1.0, help="length of the film")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--warm-only", action="store_true", help="leave out the processes")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), given.questions, given.minutes, given.workers)
        ways: dict[str, Callable[[], int]] = {}
        if not given.warm_only:
            ways["one by one"] = lambda: bench.processes(given.one_by_one)
            ways["batch"] = bench.batch_command
        ways |= {"warm loop": bench.warm_loop, "warm batch": bench.warm_batch}
        rounds = [[timed(*way) for way in ways.items()] for _ in range(given.rounds)]
    report(list(ways), rounds)


class Bench:
    """A film of the demo world in a library, and questions about it."""

    def __init__(self, folder: Path, n: int, minutes: float, workers: int) -> None:
        self._folder, self._workers, self._n_runs = folder, workers, 0
        film = folder / "film.mp4"
        script = make_script(SEED, minutes)
        render(script, film, n_processes=1)
        made = make_questions(script, video=str(film), n=n, seed=0)
        self._file = folder / "questions.jsonl"
        self._file.write_text("".join(json.dumps(question_to_json(q)) + "\n" for q in made))
        self._questions: Sequence[BatchQuestion] = read_questions(self._file).questions
        self._models: Models = open_models("demo")
        with closing(Library.open(folder / "library")) as library:
            build(
                library,
                [film],
                encoder=self._models.encoder,
                settings=IndexSettings(),
                progress=_ignore,
            )

    def processes(self, most: int) -> int:
        """One process a question, for at most so many."""
        asked = self._questions[:most]
        for question in asked:
            options = [w for option in question.options for w in ("--option", option)]
            self._longshot("ask", str(question.video), question.question, *options, "--json")
        return len(asked)

    def batch_command(self) -> int:
        words = ["-o", str(self._out()), "--workers", str(self._workers), "--json"]
        self._longshot("batch", str(self._file), *words)
        return len(self._questions)

    def warm_loop(self) -> int:
        with closing(Library.open(self._folder / "library")) as library:
            for question in self._questions:
                ask(
                    library,
                    library.find(str(question.video)),
                    question.question,
                    options=question.options,
                    models=self._models,
                    settings=demo_settings(),
                )
        return len(self._questions)

    def warm_batch(self) -> int:
        with (
            closing(Library.open(self._folder / "library")) as library,
            closing(BatchRecord(self._out())) as record,
        ):
            run_batch(
                library,
                self._questions,
                record=record,
                models=self._models,
                settings=BatchSettings(workers=self._workers, ask=demo_settings()),
                progress=Silent(),
            )
        return len(self._questions)

    def _out(self) -> Path:
        self._n_runs += 1
        return self._folder / f"answers{self._n_runs}.jsonl"

    def _longshot(self, *words: str) -> None:
        code = "import app; app.main()"
        flags = ["--library", str(self._folder / "library"), "--models", "demo"]
        done = subprocess.run(
            [sys.executable, "-c", code, *words, *flags], cwd=ROOT, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr


def _ignore(event: ProgressEvent) -> None: ...


def timed(name: str, way: Callable[[], int]) -> Took:
    """What one way took; said at once, so that a slow machine is no silence."""
    started_s, before = time.perf_counter(), os.times()
    n = way()
    wall_s, after = time.perf_counter() - started_s, os.times()
    kinds = ("user", "system", "children_user", "children_system")
    took = Took(n, wall_s, sum(getattr(after, k) - getattr(before, k) for k in kinds))
    _say(f"{name:<12} {n} questions in {wall_s:.1f} s ({took.processor_s:.1f} s of a processor)")
    return took


def report(names: Sequence[str], rounds: Sequence[Sequence[Took]]) -> None:
    for position, name in enumerate(names):
        wall = median(each[position].a_minute for each in rounds)
        processor = median(each[position].a_processor_minute for each in rounds)
        _say(
            f"{name:<12} {wall:6.1f} questions a minute"
            f" ({processor:6.1f} by processor time), median of {len(rounds)}"
        )
    for one, other in ((i, i + 1) for i in range(0, len(names), 2)):
        ratios = [each[other].a_minute / each[one].a_minute for each in rounds]
        by_processor = [
            each[other].a_processor_minute / each[one].a_processor_minute for each in rounds
        ]
        _say(
            f"{names[other]} against {names[one]}: {median(ratios):.2f} times"
            f" ({median(by_processor):.2f} by processor time); rounds:"
            f" {', '.join(f'{ratio:.2f}' for ratio in ratios)}"
        )


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
