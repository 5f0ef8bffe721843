"""The statements a projection is made of, for both databases from one description.

Rows are plain tuples. Wide numbers travel as decimal text, which SQLite keeps as it is and
PostgreSQL reads into NUMERIC.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from sqlalchemy import Table

from . import tables as t

Row = tuple[Any, ...]
Dialect = Literal["sqlite", "postgresql"]


@dataclass(frozen=True, slots=True)
class Write:
    """One statement for many rows.

    `keys` empty: a plain insert, because the same event is never applied twice. `update` maps a
    column to what it becomes when the row exists; a column that is not in it keeps its value.
    """

    table: Table
    columns: tuple[str, ...]
    keys: tuple[str, ...] = ()
    update: Mapping[str, str] = field(default_factory=dict)

    def sql(self, dialect: Dialect) -> str:
        """The statement with placeholders in the order of `columns`."""
        name = self.table.name
        columns = ", ".join(f'"{column}"' for column in self.columns)
        marks = ", ".join(_mark(dialect, at) for at in range(1, len(self.columns) + 1))
        sql = f"INSERT INTO {name} ({columns}) VALUES ({marks})"  # noqa: S608
        if self.keys:
            changes = ", ".join(f'"{column}" = {value}' for column, value in self.update.items())
            sql += f" ON CONFLICT ({', '.join(self.keys)}) DO UPDATE SET {changes}"
        if dialect == "sqlite":
            # NUMERIC adds exactly by itself; decimal text needs the function of the connection.
            return sql.replace("{add:debits}", _exact("debits")).replace(
                "{add:credits}", _exact("credits")
            )
        return sql.replace("{add:debits}", f"{name}.debits + excluded.debits").replace(
            "{add:credits}", f"{name}.credits + excluded.credits"
        )


@dataclass(frozen=True, slots=True)
class Change:
    """An update of existing rows: `columns` are set, then `keys` follow in every tuple."""

    table: Table
    columns: tuple[str, ...]
    keys: tuple[str, ...]

    def sql(self, dialect: Dialect) -> str:
        """The statement with placeholders in the order of `columns`, then `keys`."""
        marks = [_mark(dialect, at) for at in range(1, len(self.columns) + len(self.keys) + 1)]
        sets = ", ".join(f'"{c}" = {m}' for c, m in zip(self.columns, marks, strict=False))
        rest = marks[len(self.columns) :]
        where = " AND ".join(f"{c} = {m}" for c, m in zip(self.keys, rest, strict=True))
        return f"UPDATE {self.table.name} SET {sets} WHERE {where}"  # noqa: S608


Statement = Write | Change
Writes = Sequence[tuple[Statement, Sequence[Row]]]


def _mark(dialect: Dialect, at: int) -> str:
    return "?" if dialect == "sqlite" else f"${at}"


def _exact(column: str) -> str:
    return f"exact_add(ledger_accounts.{column}, excluded.{column})"


def _names(table: Table) -> tuple[str, ...]:
    return tuple(column.name for column in table.columns)


def _insert(table: Table) -> Write:
    return Write(table, _names(table))


def _upsert(table: Table, keep: tuple[str, ...] = (), **special: str) -> Write:
    """Insert, or replace every column but the keys and those of `keep`."""
    keys = tuple(column.name for column in table.primary_key)
    columns = _names(table)
    update = {c: f'excluded."{c}"' for c in columns if c not in keys and c not in keep}
    return Write(table, columns, keys, update | special)


MODIFIED: Final = 11
"""OrderState of an event that changes prices of an order but not its own state."""

CURRENCIES: Final = _upsert(t.currencies)
INSTRUMENTS: Final = _upsert(t.instruments)
GROUPS: Final = _upsert(t.groups)
ACCOUNTS: Final = Write(
    t.accounts,
    ("account", "shard", "group_number", "leverage", "flags", "currency", "opened"),
    ("account",),
    {c: f'excluded."{c}"' for c in ("group_number", "leverage", "flags")},
)
BALANCES: Final = Change(t.accounts, ("balance", "credit"), ("account",))
LEVELS: Final = Change(t.accounts, ("level",), ("account",))
ORDERS: Final = _upsert(
    t.orders,
    ("created", "shard"),
    state=f"CASE WHEN excluded.state = {MODIFIED} THEN orders.state ELSE excluded.state END",
)
POSITIONS: Final = _upsert(t.positions, ("shard", "opened"))
FILLS: Final = _insert(t.fills)
MARGIN_EVENTS: Final = _insert(t.margin_events)
STATES: Final = _upsert(t.trading_states)
TRANSFERS: Final = _insert(t.ledger_transfers)
OPERATIONS: Final = _insert(t.balance_operations)
LEDGER: Final = Write(
    t.ledger_accounts,
    _names(t.ledger_accounts),
    tuple(column.name for column in t.ledger_accounts.primary_key),
    {"debits": "{add:debits}", "credits": "{add:credits}"},
)
