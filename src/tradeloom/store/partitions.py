"""Keeps the table of bars in pieces by time on PostgreSQL, and forgets bars that are too old.

With TimescaleDB the pieces are its chunks. Without it they are native partitions of a month, made
ahead by `maintain`; a default partition takes what falls outside, so a late job loses nothing.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection, delete, text
from sqlalchemy.exc import DBAPIError

from .limits import BARS_KEPT_S, PARTITIONS_AHEAD
from .tables import bars

log = logging.getLogger(__name__)
_NS: Final = 10**9


def has_timescale(connection: Connection) -> bool:
    """True when the extension is active in this database."""
    if connection.dialect.name != "postgresql":
        return False
    sql = text("SELECT 1 FROM pg_extension WHERE extname = 'timescaledb'")
    return connection.execute(sql).first() is not None


def add_timescale(connection: Connection) -> bool:
    """Activate TimescaleDB where the server offers it and we may; returns whether it is active."""
    if connection.dialect.name != "postgresql":
        return False
    offered = text("SELECT 1 FROM pg_available_extensions WHERE name = 'timescaledb'")
    if connection.execute(offered).first() is None:
        return False
    try:
        with connection.begin_nested():
            connection.execute(text("CREATE EXTENSION IF NOT EXISTS timescaledb"))
    except DBAPIError as error:
        log.warning("TimescaleDB is offered but cannot be used: %s", error.orig)
    return has_timescale(connection)


def add_partitions(connection: Connection, now_ns: int | None = None) -> list[str]:
    """Make the partitions of this month and the months ahead; returns the names of new ones."""
    now = datetime.now(UTC) if now_ns is None else datetime.fromtimestamp(now_ns // _NS, UTC)
    made = []
    for ahead in range(PARTITIONS_AHEAD + 1):
        first, after = _month(now, ahead), _month(now, ahead + 1)
        name = f"bars_{first:%Y_%m}"
        if connection.execute(text("SELECT to_regclass(:name)"), {"name": name}).scalar() is None:
            bounds = f"FROM ({_ns(first)}) TO ({_ns(after)})"
            connection.execute(text(f"CREATE TABLE {name} PARTITION OF bars FOR VALUES {bounds}"))
            made.append(name)
    return made


def maintain(connection: Connection, now_ns: int) -> int:
    """The daily job: partitions ahead, old bars gone; returns how many bars were removed."""
    if connection.dialect.name == "postgresql" and not has_timescale(connection):
        add_partitions(connection, now_ns)
    removed = 0
    for interval_s, kept_s in BARS_KEPT_S.items():
        old = delete(bars).where(
            bars.c.interval_s == interval_s, bars.c.start < now_ns - kept_s * _NS
        )
        removed += connection.execute(old).rowcount
    return removed


def _month(day: datetime, ahead: int) -> datetime:
    months = day.year * 12 + day.month - 1 + ahead
    return datetime(months // 12, months % 12 + 1, 1, tzinfo=UTC)


def _ns(moment: datetime) -> int:
    return int(moment.timestamp()) * _NS
