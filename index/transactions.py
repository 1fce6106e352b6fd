"""Transactions that several processes and threads may hold on one database, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def writing(db: Any) -> Iterator[None]:
    """A transaction that has the right to write from its beginning; inside another: a part of it.

    One that only reads at first and writes then is refused at once, however long the connection
    would wait, when somebody else has written in between.
    """
    if db.conn.in_transaction:
        with db.atomic():
            yield
        return
    db.conn.execute("begin immediate")
    try:
        yield
        db.conn.commit()
    except BaseException:
        db.conn.rollback()
        raise
