"""Writes projections to a SQLite file through the standard library's own driver.

`synchronous=NORMAL`: a power failure may take back the newest transactions, never damage the file;
rows and position go back together and the journal is read again from there.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from .. import tables as t
from ..errors import SecondWriter, Unavailable
from ..gone import is_gone
from ..limits import SQLITE_BUSY_MS, SQLITE_CACHE_KIB, SQLITE_CHECKPOINT_PAGES
from ..writes import Writes


def exact_add(left: str, right: str) -> str:
    """The sum of two whole numbers of any size, as text; SQLite itself would use floats."""
    return str(int(left) + int(right))


class SqliteSink:
    """The write connection of one shard."""

    def __init__(self, path: Path, shard: int, name: str) -> None:
        self._path: Final = path
        self._shard: Final = shard
        self._name: Final = name
        self._connection: sqlite3.Connection | None = None

    def open(self) -> None:
        """See Sink."""
        self.close()
        with _translated():
            connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
            connection.execute(f"PRAGMA busy_timeout = {SQLITE_BUSY_MS}")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute(f"PRAGMA wal_autocheckpoint = {SQLITE_CHECKPOINT_PAGES}")
            connection.execute(f"PRAGMA cache_size = -{SQLITE_CACHE_KIB}")
            connection.create_function("exact_add", 2, exact_add, deterministic=True)
            connection.execute(
                "INSERT OR IGNORE INTO projection_state (name, shard, last_seq) VALUES (?, ?, 0)",
                (self._name, self._shard),
            )
            self._connection = connection

    @property
    def _db(self) -> sqlite3.Connection:
        if self._connection is None:
            raise Unavailable("the database is not open")
        return self._connection

    def last_seq(self) -> int:
        """See Sink."""
        with _translated():
            found = self._db.execute(
                "SELECT last_seq FROM projection_state WHERE name = ? AND shard = ?",
                (self._name, self._shard),
            ).fetchone()
        return int(found[0])

    def digits(self) -> dict[int, int]:
        """See Sink."""
        with _translated():
            found = self._db.execute(
                "SELECT number, digits FROM instruments WHERE shard = ?", (self._shard,)
            )
            return dict(found.fetchall())

    def write(self, rows: Writes, before: int, last_seq: int) -> None:
        """See Sink."""
        with self._transaction() as db:
            moved = db.execute(
                "UPDATE projection_state SET last_seq = ? "
                "WHERE name = ? AND shard = ? AND last_seq = ?",
                (last_seq, self._name, self._shard, before),
            )
            if moved.rowcount != 1:
                raise SecondWriter(self._name, self._shard, before)
            for statement, values in rows:
                db.executemany(statement.sql("sqlite"), values)

    def clear(self) -> None:
        """See Sink."""
        with self._transaction() as db:
            for table in t.PROJECTED:
                db.execute(f"DELETE FROM {table.name} WHERE shard = ?", (self._shard,))  # noqa: S608
            db.execute(
                "UPDATE projection_state SET last_seq = 0 WHERE name = ? AND shard = ?",
                (self._name, self._shard),
            )

    def close(self) -> None:
        """See Sink."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        db = self._db
        with _translated():
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise


@contextmanager
def _translated() -> Iterator[None]:
    """Raise Unavailable for what is not a bug of ours."""
    try:
        yield
    except sqlite3.Error as error:
        if not is_gone(error):
            raise
        raise Unavailable(f"SQLite: {error}") from error
