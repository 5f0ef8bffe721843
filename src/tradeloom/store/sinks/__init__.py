"""Where projections are written: one connection per shard, to SQLite or to PostgreSQL."""

from __future__ import annotations

from ..address import Address
from .contract import Sink
from .postgres import PostgresSink
from .sqlite import SqliteSink

__all__ = ["PostgresSink", "Sink", "SqliteSink", "open_sink"]


def open_sink(address: Address, shard: int, name: str) -> Sink:
    """A sink for the database at `address`, not yet connected."""
    if address.path is not None:
        return SqliteSink(address.path, shard, name)
    return PostgresSink(address.dsn, shard, name)
