"""The tables of `library.db` that the index owns, as numbered migrations.

Other layers keep their tables in the same file under a migration set of their own. A library that
a newer version of the program has migrated further is refused, not guessed at.
"""

from __future__ import annotations

from pathlib import Path

from sqlite_utils import Database, Migrations

from index.errors import LibraryError
from index.lock import writer_lock

_MIGRATION_WAIT_S = 10.0

index_migrations = Migrations("longshot.index")


@index_migrations()  # type: ignore[untyped-decorator]
def m001_films(db: Database) -> None:
    """Films, their files, the parts that indexing saves, and what is made of the parts."""
    # AUTOINCREMENT: the number of a removed film is never given to another one.
    db.execute(
        """
        create table videos (
            video_id integer primary key autoincrement,
            content_hash text not null unique,
            path text not null,
            state text not null check (state in ('partial', 'ready', 'replaced')),
            facts text not null,
            settings text not null
        ) strict
        """
    )
    db["paths"].create(
        {"path": str, "video_id": int, "size_bytes": int, "changed_ns": int},
        pk="path",
        not_null={"video_id", "size_bytes", "changed_ns"},
        strict=True,
    )
    db["paths"].create_index(["video_id"])
    db["parts"].create(
        {
            "video_id": int,
            "part_index": int,
            "times_s": bytes,
            "shown_s": bytes,
            "vectors": bytes,
            "strip_ends": bytes,
            "strip_end_bytes": int,
            "glimpse_times_s": bytes,
            "changes": bytes,
            "spreads": bytes,
            "last_glimpse": bytes,
        },
        pk=("video_id", "part_index"),
        not_null={"times_s", "shown_s", "vectors", "strip_ends", "glimpse_times_s", "changes"},
        strict=True,
    )
    db["shots"].create(
        {"video_id": int, "shot_index": int, "start_s": float, "end_s": float},
        pk=("video_id", "shot_index"),
        not_null={"start_s", "end_s"},
        strict=True,
    )
    db["clips"].create(
        {
            "video_id": int,
            "clip_index": int,
            "start_s": float,
            "end_s": float,
            "vector": bytes,
        },
        pk=("video_id", "clip_index"),
        not_null={"start_s", "end_s", "vector"},
        strict=True,
    )
    db["about"].create({"name": str, "value": str}, pk="name", not_null={"value"}, strict=True)
    db["index_runs"].create(
        {
            "index_run_id": int,
            "started_at": str,
            "finished_at": str,
            "encoder": str,
            "n_indexed": int,
            "n_unchanged": int,
            "n_failed": int,
        },
        pk="index_run_id",
        not_null={"started_at", "encoder"},
        strict=True,
    )


@index_migrations()  # type: ignore[untyped-decorator]
def m002_words(db: Database) -> None:
    """Timed words: what each source gave, the lines made of it, and their full-text index."""
    db["word_tracks"].create(
        {
            "track_id": int,
            "video_id": int,
            "source": str,
            "name": str,
            "language": str,
            "stamp": str,
            "lines": str,
            "problems": str,
        },
        pk="track_id",
        not_null={"video_id", "source", "name", "language", "stamp", "lines", "problems"},
        strict=True,
    )
    db["word_tracks"].create_index(["video_id", "source", "name"], unique=True)
    db["words"].create(
        {
            "word_id": int,
            "video_id": int,
            "start_s": float,
            "end_s": float,
            "text": str,
            "source": str,
            "language": str,
            "track": str,
        },
        pk="word_id",
        not_null={"video_id", "start_s", "end_s", "text", "source", "language", "track"},
        strict=True,
    )
    db["words"].create_index(["video_id", "start_s"])
    # The text is cut into terms before it comes here: this tokenizer only divides at spaces.
    db.execute(
        "create virtual table words_fts using fts5(exact, stems, joined,"
        " tokenize = \"unicode61 remove_diacritics 0 categories 'L* N* Co M*'\")"
    )


@index_migrations()  # type: ignore[untyped-decorator]
def m003_index_speed(db: Database) -> None:
    """How much film an index run read, and how long that took."""
    db["index_runs"].add_column("film_s", float)
    db["index_runs"].add_column("film_took_s", float)


@index_migrations()  # type: ignore[untyped-decorator]
def m004_frame_tables(db: Database) -> None:
    """When every frame of a film is shown: what reading its file from end to end told."""
    db["frame_tables"].create(
        {"video_id": int, "packed": bytes}, pk="video_id", not_null={"packed"}, strict=True
    )


def apply_migrations(db: Database, migrations: Migrations, *, folder: Path) -> None:
    """Bring the tables of one migration set up to date.

    Raises:
        LibraryError: the library has migrations of this set that this program does not know.
    """
    known = {migration.name for migration in migrations.pending(Database(memory=True))}
    recorded = {migration.name for migration in migrations.applied(db)}
    newer = sorted(recorded - known)
    if newer:
        raise LibraryError(
            f"the library {folder} was written by a newer version (it has {', '.join(newer)})",
            "update longshot, or use another --library",
        )
    if migrations.pending(db):
        with writer_lock(folder, wait_s=_MIGRATION_WAIT_S):
            migrations.apply(db)
