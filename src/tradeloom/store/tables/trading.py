"""Tables the events of the engine fill: definitions, accounts, orders, fills, positions.

Integers in the engine's scales: prices with the `digits` of the same row, volumes and money 1e-8.
`seq` is the last event of a row. `number` is the engine's index of a definition, per shard.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    text,
)

from .columns import U64, Wide
from .meta import metadata


def _definition(name: str, key: str, length: int, *more: Column[int]) -> Table:
    return Table(
        name,
        metadata,
        Column("shard", SmallInteger, primary_key=True, autoincrement=False),
        Column("number", Integer, primary_key=True, autoincrement=False),
        Column(key, String(length), nullable=False, index=True),
        *more,
        Column("body", Text, nullable=False),  # the core's JSON
        Column("seq", BigInteger, nullable=False),
    )


currencies = _definition("currencies", "code", 8)
instruments = _definition("instruments", "symbol", 32, Column("digits", Integer, nullable=False))
groups = _definition("groups", "name", 64)

accounts = Table(
    "accounts",
    metadata,
    Column("account", U64, primary_key=True, autoincrement=False),
    Column("shard", SmallInteger, nullable=False),
    Column("group_number", Integer, nullable=False),
    Column("leverage", Integer, nullable=False),
    Column("flags", Integer, nullable=False),
    Column("currency", Integer, nullable=False),
    Column("opened", BigInteger, nullable=False),
    Column("balance", Wide, nullable=False, server_default="0"),
    Column("credit", Wide, nullable=False, server_default="0"),
    Column("level", SmallInteger, nullable=False, server_default="0"),
)
orders = Table(
    "orders",
    metadata,
    Column("order_id", U64, primary_key=True, autoincrement=False),
    Column("shard", SmallInteger, nullable=False),
    Column("account", U64, nullable=False),
    Column("instrument", Integer, nullable=False),
    Column("digits", SmallInteger, nullable=False),
    Column("side", SmallInteger, nullable=False),
    Column("type", SmallInteger, nullable=False),
    Column("tif", SmallInteger, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("live", Boolean, nullable=False),
    Column("reason", SmallInteger, nullable=False),
    Column("code", SmallInteger, nullable=False),
    Column("leverage", Integer, nullable=False),
    Column("volume", BigInteger, nullable=False),
    Column("filled", BigInteger, nullable=False),
    Column("price", BigInteger, nullable=False),
    Column("limit_price", BigInteger, nullable=False),
    Column("sl", BigInteger, nullable=False),
    Column("tp", BigInteger, nullable=False),
    Column("expire", BigInteger, nullable=False),
    Column("position_id", U64, nullable=False),
    Column("oco", U64, nullable=False),
    Column("tag", U64, nullable=False),
    Column("comment", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("updated", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Index("orders_account", "account", "order_id"),
    Index(
        "orders_live",
        "account",
        "order_id",
        sqlite_where=text("live"),
        postgresql_where=text("live"),
    ),
)
fills = Table(
    "fills",
    metadata,
    Column("shard", SmallInteger, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("ts", BigInteger, nullable=False),
    Column("order_id", U64, nullable=False),
    Column("position_id", U64, nullable=False),
    Column("account", U64, nullable=False),
    Column("instrument", Integer, nullable=False),
    Column("digits", SmallInteger, nullable=False),
    Column("side", SmallInteger, nullable=False),
    Column("entry", SmallInteger, nullable=False),
    Column("reason", SmallInteger, nullable=False),
    Column("flags", SmallInteger, nullable=False),
    Column("volume", BigInteger, nullable=False),
    Column("price", BigInteger, nullable=False),
    Column("profit", Wide, nullable=False),
    Column("commission", Wide, nullable=False),
    Column("trade", LargeBinary),  # the venue's id; None: the engine's own fill
    Index("fills_account", "account", "seq"),
    Index("fills_position", "position_id"),
    sqlite_with_rowid=False,
)
positions = Table(
    "positions",
    metadata,
    Column("position_id", U64, primary_key=True, autoincrement=False),
    Column("shard", SmallInteger, nullable=False),
    Column("account", U64, nullable=False),
    Column("instrument", Integer, nullable=False),
    Column("digits", SmallInteger, nullable=False),
    Column("side", SmallInteger, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("reason", SmallInteger, nullable=False),
    Column("flags", SmallInteger, nullable=False),
    Column("volume", BigInteger, nullable=False),
    Column("price", BigInteger, nullable=False),
    Column("cost", Wide, nullable=False),
    Column("sl", BigInteger, nullable=False),
    Column("tp", BigInteger, nullable=False),
    Column("trailing", BigInteger, nullable=False),
    Column("margin", Wide, nullable=False),
    Column("swap", Wide, nullable=False),
    Column("order_id", U64, nullable=False),
    Column("opened", BigInteger, nullable=False),
    Column("tag", U64, nullable=False),
    Column("updated", BigInteger, nullable=False),
    Column("closed", BigInteger),  # None: open
    Column("seq", BigInteger, nullable=False),
    Index(
        "positions_open",
        "account",
        "position_id",
        sqlite_where=text("closed IS NULL"),
        postgresql_where=text("closed IS NULL"),
    ),
    Index(
        "positions_closed",
        "account",
        "closed",
        "position_id",
        sqlite_where=text("closed IS NOT NULL"),
        postgresql_where=text("closed IS NOT NULL"),
    ),
)
margin_events = Table(
    "margin_events",
    metadata,
    Column("shard", SmallInteger, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("ts", BigInteger, nullable=False),
    Column("account", U64, nullable=False),
    Column("level", SmallInteger, nullable=False),
    Column("equity", Wide, nullable=False),
    Column("margin", Wide, nullable=False),
    Index("margin_events_account", "account", "seq"),
    sqlite_with_rowid=False,
)
trading_states = Table(
    "trading_states",
    metadata,
    Column("shard", SmallInteger, primary_key=True, autoincrement=False),
    Column("scope", SmallInteger, primary_key=True, autoincrement=False),
    Column("target", U64, primary_key=True, autoincrement=False),
    Column("state", SmallInteger, nullable=False),
    Column("ts", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
)
projection_state = Table(
    "projection_state",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("shard", SmallInteger, primary_key=True, autoincrement=False),
    Column("last_seq", BigInteger, nullable=False),
)
