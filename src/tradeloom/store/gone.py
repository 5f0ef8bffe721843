"""Tells a database that is away, locked or full from a bug of ours, for every driver we use."""

from __future__ import annotations

import sqlite3
from typing import Final

import asyncpg  # type: ignore[import-untyped]
from sqlalchemy.exc import DBAPIError

# What a server says that is starting, stopping, full, locked, read-only or not there. Anything
# else, such as a broken rule or a wrong statement, is our own bug and not worth trying again.
GONE: Final = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.ObjectInUseError,
    asyncpg.LockNotAvailableError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.TransactionRollbackError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
)


def is_gone(error: BaseException) -> bool:
    """True if trying again later may help; looks through what SQLAlchemy wraps."""
    if isinstance(error, DBAPIError):
        if error.connection_invalidated:
            return True
        origin: BaseException | None = error.orig
        # asyncpg's own exception stands behind the adapter's.
        return origin is not None and (is_gone(origin) or _caused_by_gone(origin))
    if isinstance(error, sqlite3.Error):
        return _is_gone_sqlite(error)
    return isinstance(error, GONE)


def _caused_by_gone(error: BaseException) -> bool:
    return error.__cause__ is not None and isinstance(error.__cause__, GONE)


def _is_gone_sqlite(error: sqlite3.Error) -> bool:
    """Locked, full, read-only, damaged; not a wrong statement or a broken rule."""
    if type(error) is sqlite3.DatabaseError:
        return True
    code = getattr(error, "sqlite_errorcode", None)
    return isinstance(error, sqlite3.OperationalError) and code != sqlite3.SQLITE_ERROR
