"""The six ledgers as they are stored: accounts, transfers, statements and the trial balance."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Select, case, func, select

from tradeloom.domain import numbers
from tradeloom.domain.enums import Ledger, Posting

from . import tables as t
from .cursors import Page, decode, page, rows_of
from .database import Database
from .limits import PAGE_ROWS_MAX
from .rows import LedgerAccountRow, TransferRow, TrialRow
from .tables.columns import signed

HOUSE: Final = 0
"""Number of the house among the accounts of a ledger."""


class LedgerBook:
    """Reads the ledgers of `database`; every method raises BadCursor and Unavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def accounts(
        self,
        account: int | None = None,
        *,
        shard: int | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Page[LedgerAccountRow]:
        """Accounts of the ledgers by number, the house first; of one account or of all."""
        a, c, size = t.ledger_accounts, t.currencies, rows_of(limit)
        keys = (a.c.shard, a.c.account, a.c.ledger, a.c.sub, a.c.currency)
        query = select(a, c.c.code).join(c, _currency(a)).order_by(*keys).limit(size + 1)
        if account is not None:
            query = query.where(a.c.account == account)
        if shard is not None:
            query = query.where(a.c.shard == shard)
        if cursor is not None:
            after = decode("ledger", cursor, 5)
            query = query.where(_behind(keys, after))
        rows = await self._all(query)
        return page(
            "ledger",
            rows,
            size,
            _account,
            lambda row: (row.shard, signed(row.account), row.ledger, row.sub, row.currency),
        )

    async def transfers(
        self,
        account: int | None,
        *,
        shard: int = 0,
        ledger: Ledger | None = None,
        since: int | None = None,
        until: int | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Page[TransferRow]:
        """Transfers, newest first, of one account or of a shard."""
        x, size = t.ledger_transfers, rows_of(limit)
        query = _transfers().limit(size + 1)
        if account is None:
            query = query.where(x.c.shard == shard)
        else:
            query = query.where(x.c.account == account)
        if ledger is not None:
            query = query.where(x.c.ledger == ledger.value)
        if since is not None:
            query = query.where(x.c.ts >= since)
        if until is not None:
            query = query.where(x.c.ts < until)
        if cursor is not None:
            ts, number, leg = decode("transfers", cursor, 3)
            later = (x.c.input_seq == number) & (x.c.leg < leg)
            query = query.where(x.c.ts <= ts, (x.c.input_seq < number) | later)
        order = (x.c.input_seq.desc(), x.c.leg.desc())
        query = query.order_by(*order) if account is None else query.order_by(x.c.ts.desc(), *order)
        rows = await self._all(query)
        return page(
            "transfers", rows, size, _transfer, lambda row: (row.ts, row.input_seq, row.leg)
        )

    async def posted_by(self, shard: int, input_seq: int) -> list[TransferRow]:
        """Every transfer of one input, in order."""
        x = t.ledger_transfers
        query = _transfers().where(x.c.shard == shard, x.c.input_seq == input_seq)
        return [_transfer(row) for row in await self._all(query.order_by(x.c.leg))]

    async def cash_before(self, account: int, ts: int) -> Decimal:
        """The balance an account had just before `ts`."""
        x = t.ledger_transfers
        query = (
            select(x.c.after)
            .where(x.c.account == account, x.c.ts < ts, x.c.ledger == 1, x.c.sub == 0)
            .order_by(x.c.ts.desc(), x.c.input_seq.desc(), x.c.leg.desc())
            .limit(1)
        )
        rows = await self._all(query)
        return numbers.amount(rows[0].after if rows else 0)

    async def statement(self, account: int, since: int, until: int) -> AsyncIterator[TransferRow]:
        """Every movement of cash and credit from `since` up to `until`, oldest first.

        Reads a page at a time, so that a long statement costs no memory and blocks nobody.
        """
        x = t.ledger_transfers
        last: tuple[int, int, int] = (since - 1, 0, 0)
        while True:
            query = (
                _transfers()
                .where(x.c.account == account, x.c.ledger == 1, x.c.ts >= since, x.c.ts < until)
                .where(_behind((x.c.ts, x.c.input_seq, x.c.leg), last))
                .order_by(x.c.ts, x.c.input_seq, x.c.leg)
                .limit(PAGE_ROWS_MAX)
            )
            rows = await self._all(query)
            for row in rows:
                yield _transfer(row)
            if len(rows) < PAGE_ROWS_MAX:
                return
            last = (rows[-1].ts, rows[-1].input_seq, rows[-1].leg)

    async def trial_balance(self, shard: int | None = None) -> list[TrialRow]:
        """Every ledger and currency, of one shard or of all; zeros left out.

        PostgreSQL adds by itself; SQLite has no exact sum, so its rows are added here.
        """
        a, c = t.ledger_accounts, t.currencies
        house = case((a.c.account == HOUSE, 1), else_=0).label("house")
        keys = (a.c.ledger, c.c.code, house)
        sums: dict[tuple[int, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
        exact = self._database.address.dialect == "postgresql"
        amounts: tuple[Any, ...] = (a.c.debits, a.c.credits)
        if exact:
            amounts = (func.sum(a.c.debits).label("debits"), func.sum(a.c.credits).label("credits"))
        query = select(*keys, *amounts).join(c, _currency(a))
        if shard is not None:
            query = query.where(a.c.shard == shard)
        if exact:
            query = query.group_by(*keys)
        async with self._database.read() as connection:
            async for row in await connection.stream(query):
                sum_ = sums[row.ledger, row.code]
                sum_[row.house * 2] += int(row.debits)
                sum_[row.house * 2 + 1] += int(row.credits)
        return [
            TrialRow(
                ledger=Ledger(ledger),
                currency=currency,
                customers=numbers.amount(credited - debited),
                house=numbers.amount(house_credited - house_debited),
                debits=numbers.amount(debited + house_debited),
                credits=numbers.amount(credited + house_credited),
            )
            for (ledger, currency), (
                debited,
                credited,
                house_debited,
                house_credited,
            ) in sorted(sums.items())
        ]

    async def _all(self, query: Select[Any]) -> Any:
        async with self._database.read() as connection:
            return (await connection.execute(query)).all()


def _transfers() -> Select[Any]:
    x, c = t.ledger_transfers, t.currencies
    return select(x, c.c.code).join(c, _currency(x))


def _currency(table: Any) -> Any:
    c = t.currencies
    return (c.c.shard == table.c.shard) & (c.c.number == table.c.currency)


def _behind(columns: tuple[Any, ...], values: tuple[int, ...]) -> Any:
    """Rows behind `values` in the order of `columns`, written so that an index serves."""
    column, value = columns[0], values[0]
    if len(columns) == 1:
        return column > value
    return (column > value) | ((column == value) & _behind(columns[1:], values[1:]))


def _account(row: Any) -> LedgerAccountRow:
    return LedgerAccountRow(
        shard=row.shard,
        account=row.account,
        ledger=Ledger(row.ledger),
        sub=row.sub,
        currency=row.code,
        debits=numbers.amount(row.debits),
        credits=numbers.amount(row.credits),
        balance=numbers.amount(row.credits - row.debits),
    )


def _transfer(row: Any) -> TransferRow:
    return TransferRow(
        shard=row.shard,
        input_seq=row.input_seq,
        leg=row.leg,
        seq=row.seq,
        ts=row.ts,
        account=row.account,
        ledger=Ledger(row.ledger),
        sub=row.sub,
        currency=row.code,
        reason=Posting(row.reason),
        amount=numbers.amount(row.amount),
        after=None if row.after is None else numbers.amount(row.after),
        reference=row.reference,
    )
