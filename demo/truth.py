"""What a film of the demo world holds: its shots, what was planted in them, what is absent.

This is the truth that questions are made from. Times are float seconds, spans half-open; every cut
falls on a frame's time.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from demo.world import Pair, Scene, scene_from_json, scene_to_json

FORMAT = 1


@dataclass(frozen=True, slots=True)
class FilmShot:
    """A shot [start_s, end_s) and what it shows."""

    start_s: float
    end_s: float
    scene: Scene
    title: str = ""
    """Written over the picture; only films with words have titles."""

    @property
    def span(self) -> tuple[float, float]:
        return self.start_s, self.end_s


@dataclass(frozen=True, slots=True)
class Needle:
    """A planted subject that appears in its shots and nowhere else in the film."""

    role: str
    """The kind of question it was planted for; others may be asked of it too."""
    pair: Pair
    place: str | None
    """Set where kind and place together are the rare thing: the pair then appears elsewhere too."""
    shot_indexes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SpokenLine:
    """What the voice says in a shot."""

    shot_index: int
    start_s: float
    end_s: float
    topic: str
    """The two words that it is about; "" where it says nothing."""
    text: str


@dataclass(frozen=True, slots=True)
class FilmScript:
    """A film before it is drawn, and the truth about it afterwards."""

    seed: int
    fps: int
    shots: tuple[FilmShot, ...]
    needles: tuple[Needle, ...]
    absent_pairs: tuple[Pair, ...]
    """Never in the film, though their kind and their colour are."""
    absent_places: tuple[tuple[str, str], ...]
    """Kinds and places that never meet in the film, though both are in it."""
    lines: tuple[SpokenLine, ...] = ()
    """What is said, one line a shot; none in a film without words."""

    @property
    def duration_s(self) -> float:
        return self.shots[-1].end_s

    @property
    def n_frames(self) -> int:
        return round(self.duration_s * self.fps)


def script_to_json(script: FilmScript) -> dict[str, Any]:
    """The script as plain JSON values; `script_from_json` gives the same script back."""
    return {
        "format": FORMAT,
        "seed": script.seed,
        "fps": script.fps,
        "duration_s": script.duration_s,
        "shots": [
            {
                "start_s": s.start_s,
                "end_s": s.end_s,
                "scene": scene_to_json(s.scene),
                **({"title": s.title} if s.title else {}),
            }
            for s in script.shots
        ],
        "needles": [
            {
                "role": n.role,
                "pair": list(n.pair),
                "place": n.place,
                "shot_indexes": list(n.shot_indexes),
            }
            for n in script.needles
        ],
        "absent_pairs": [list(p) for p in script.absent_pairs],
        "absent_places": [list(p) for p in script.absent_places],
        **({"lines": [asdict(line) for line in script.lines]} if script.lines else {}),
    }


def script_from_json(data: dict[str, Any]) -> FilmScript:
    """The script that `script_to_json` wrote.

    Raises:
        ValueError: the data is of another format.
    """
    if data.get("format") != FORMAT:
        raise ValueError(f"truth of format {data.get('format')!r}, this program reads {FORMAT}")
    return FilmScript(
        seed=data["seed"],
        fps=data["fps"],
        shots=tuple(
            FilmShot(s["start_s"], s["end_s"], scene_from_json(s["scene"]), s.get("title", ""))
            for s in data["shots"]
        ),
        needles=tuple(
            Needle(n["role"], _two(n["pair"]), n["place"], tuple(n["shot_indexes"]))
            for n in data["needles"]
        ),
        absent_pairs=tuple(_two(p) for p in data["absent_pairs"]),
        absent_places=tuple(_two(p) for p in data["absent_places"]),
        lines=tuple(SpokenLine(**line) for line in data.get("lines", ())),
    )


def _two(values: list[str]) -> tuple[str, str]:
    first, second = values
    return first, second


def truth_path(film: Path) -> Path:
    """Where the truth of a film lies: film.mp4 → film.truth.json."""
    return film.with_suffix(".truth.json")


def load_truth(film: Path) -> FilmScript:
    """The truth written beside a film.

    Raises:
        FileNotFoundError: there is none.
        ValueError: it is of another format.
    """
    return script_from_json(json.loads(truth_path(film).read_text(encoding="utf-8")))
