"""What the routes of the server work with: the library, the models, the jobs.

Every request opens the library for itself (under a millisecond), so that requests do not wait for
each other. What is dear is kept: the models, and one library with its vectors for searching.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from index.errors import InputError, LongshotError
from index.library import Library
from index.runs import RunStore
from index.types import Video
from tools.search import Moment, search
from web.jobs import JobBoard
from web.seen_frames import SeenFrames

if TYPE_CHECKING:
    from agent.config import Config
    from agent.models import ModelChoice, Models
    from index.encoder import Encoder


class NotFoundError(LongshotError):
    """Something that was named and is not there."""


class RefusedError(LongshotError):
    """Something that this server does not do for this caller."""


@dataclass(frozen=True, slots=True)
class IndexRights:
    """Which files the page may add to the library."""

    folders: tuple[Path, ...]
    anywhere: bool

    def check(self, path: Path) -> Path:
        """The path with its links followed, if it may be indexed.

        Raises:
            RefusedError: it lies elsewhere.
        """
        found = path.expanduser().resolve()
        if self.anywhere or any(found.is_relative_to(folder) for folder in self.folders):
            return found
        raise RefusedError(
            f"{path} is not in a folder whose films may be added",
            "start the server with --films FOLDER, or run longshot index on its machine",
        )


class Desk:
    """The parts behind one server."""

    def __init__(self, config: Config, rights: IndexRights) -> None:
        self.config = config
        self.rights = rights
        self.jobs = JobBoard()
        self.frames = SeenFrames()
        self._models: Models | None = None
        self._encoder: Encoder | None = None
        self._models_lock = threading.Lock()
        self._search_lock = threading.Lock()
        self._search_library = Library.open(config.library, create=True)

    def close(self) -> None:
        self.jobs.close(wait_s=5.0)
        self._search_library.close()

    @contextlib.contextmanager
    def library(self) -> Iterator[Library]:
        """The library, open for one request or one job."""
        with contextlib.closing(Library.open(self.config.library, create=False)) as library:
            yield library

    @contextlib.contextmanager
    def runs(self) -> Iterator[RunStore]:
        """The library's runs, open for one request."""
        with contextlib.closing(RunStore.open(self.config.library)) as store:
            yield store

    def models(self) -> Models:
        """Both models, loaded when first needed.

        Raises:
            ModelError: as `open_models`.
        """
        from agent.models import open_models

        with self._models_lock:
            if self._models is None:
                choice = self._choice()
                self._models = open_models(
                    self.config.models,
                    device=self.config.device,
                    encoder=choice.encoder,
                    endpoint=self.config.endpoint,
                )
                self._encoder = self._models.encoder
            return self._models

    def encoder(self) -> Encoder:
        """The encoder alone: searching and indexing need no VideoLLM.

        Raises:
            ModelError: as `open_chosen_encoder`.
        """
        from agent.models import open_chosen_encoder

        with self._models_lock:
            if self._encoder is None:
                self._encoder = open_chosen_encoder(self._choice(), device=self.config.device)
            return self._encoder

    def search(self, text: str, *, limit: int, video_ids: Sequence[int] | None) -> list[Moment]:
        """Moments of all films, or of some.

        Raises:
            InputError: an empty text.
            LibraryError: the library is of another encoder.
        """
        encoder = self.encoder()
        with self._search_lock:
            self._search_library.check_encoder(encoder.identity)
            return search(self._search_library, encoder, text, limit=limit, video_ids=video_ids)

    def _choice(self) -> ModelChoice:
        with self.library() as library:
            return self.config.choice(library.encoder_identity())


def video_of(library: Library, video_id: int) -> Video:
    """A film by its number.

    Raises:
        NotFoundError: no such film.
    """
    video = library.store.video(video_id)
    if video is None:
        raise NotFoundError(f"no film number {video_id} in the library", "see /v1/videos")
    return video


def film_of(library: Library, reference: str) -> Video:
    """A film by its number, name, hash or path.

    Raises:
        NotFoundError: none fits, or several do.
    """
    try:
        return library.find(reference)
    except InputError as error:
        raise NotFoundError(error.message, error.hint) from error
