"""Listings of what happened: orders, fills, positions, balance operations; newest first.

Every listing takes an account, or None for all of a shard (staff), and gives a page with a cursor.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, Table, select

from tradeloom.domain import numbers
from tradeloom.domain.enums import (
    Entry,
    FillFlag,
    MarginLevel,
    OrderState,
    OrderType,
    Posting,
    Reason,
    ReturnCode,
    Side,
    TimeInForce,
)

from . import tables as t
from .cursors import Page, decode, page, rows_of
from .database import Database
from .rows import (
    AccountRow,
    BalanceRow,
    ClosedPositionRow,
    FillRow,
    MarginRow,
    OrderRow,
    PositionRow,
)


class History:
    """Reads what the projections of `database` hold; every method raises BadCursor, Unavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def account(self, account: int) -> AccountRow | None:
        """One account, None when there is none."""
        found = await self.accounts([account])
        return found[0] if found else None

    async def accounts(self, accounts: Sequence[int] | None = None) -> list[AccountRow]:
        """These accounts, or all, by number."""
        a, g, c = t.accounts, t.groups, t.currencies
        query = (
            select(a, g.c.name, c.c.code)
            .join(g, (g.c.shard == a.c.shard) & (g.c.number == a.c.group_number))
            .join(c, (c.c.shard == a.c.shard) & (c.c.number == a.c.currency))
            .order_by(a.c.account)
        )
        if accounts is not None:
            query = query.where(a.c.account.in_(accounts))
        return [_account(row) for row in await self._all(query)]

    async def orders(
        self,
        account: int | None,
        *,
        shard: int = 0,
        live: bool | None = None,
        instrument: str | None = None,
        since: int | None = None,
        until: int | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Page[OrderRow]:
        """Orders, `live` or ended or both; `since` and `until` are about their creation."""
        o, size = t.orders, rows_of(limit)
        query = _listing(o, account, shard, instrument, size)
        if live is not None:
            query = query.where(o.c.live if live else ~o.c.live)
        query = _between(query, o.c.created, since, until)
        if cursor is not None:
            query = query.where(o.c.order_id < decode("orders", cursor, 1)[0])
        rows = await self._all(query.order_by(o.c.order_id.desc()))
        return page("orders", rows, size, _order, lambda row: (row.order_id,))

    async def order(self, order: int) -> OrderRow | None:
        """One order by its id."""
        rows = await self._all(_joined(t.orders).where(t.orders.c.order_id == order))
        return _order(rows[0]) if rows else None

    async def fills(
        self,
        account: int | None,
        *,
        shard: int = 0,
        order: int | None = None,
        position: int | None = None,
        instrument: str | None = None,
        since: int | None = None,
        until: int | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Page[FillRow]:
        """Fills, all of them or of one order or position."""
        f, size = t.fills, rows_of(limit)
        query = _between(_listing(f, account, shard, instrument, size), f.c.ts, since, until)
        if order is not None:
            query = query.where(f.c.order_id == order)
        if position is not None:
            query = query.where(f.c.position_id == position)
        if cursor is not None:
            query = query.where(f.c.seq < decode("fills", cursor, 1)[0])
        rows = await self._all(query.order_by(f.c.seq.desc()))
        return page("fills", rows, size, _fill, lambda row: (row.seq,))

    async def fills_between(self, shard: int, first: int, last: int) -> list[FillRow]:
        """Fills whose event is among these, oldest first; at most a page."""
        f = t.fills
        query = _joined(f).where(f.c.shard == shard, f.c.seq >= first, f.c.seq <= last)
        rows = await self._all(query.order_by(f.c.seq).limit(rows_of(None)))
        return [_fill(row) for row in rows]

    async def open_positions(
        self,
        account: int | None,
        *,
        shard: int = 0,
        instrument: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Page[PositionRow]:
        """Open positions as they were last changed."""
        p, size = t.positions, rows_of(limit)
        query = _listing(p, account, shard, instrument, size).where(p.c.closed.is_(None))
        if cursor is not None:
            query = query.where(p.c.position_id < decode("open", cursor, 1)[0])
        rows = await self._all(query.order_by(p.c.position_id.desc()))
        return page("open", rows, size, _position, lambda row: (row.position_id,))

    async def closed_positions(
        self,
        account: int,
        *,
        instrument: str | None = None,
        since: int | None = None,
        until: int | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Page[ClosedPositionRow]:
        """Closed positions of an account, the last closed first, summed up from their fills."""
        p, size = t.positions, rows_of(limit)
        query = _listing(p, account, 0, instrument, size).where(p.c.closed.is_not(None))
        query = _between(query, p.c.closed, since, until)
        if cursor is not None:
            closed, last = decode("closed", cursor, 2)
            query = query.where(
                (p.c.closed < closed) | ((p.c.closed == closed) & (p.c.position_id < last))
            )
        rows = await self._all(query.order_by(p.c.closed.desc(), p.c.position_id.desc()))
        fills = await self._fills_of([row.position_id for row in rows[:size]])

        def shown(row: Any) -> ClosedPositionRow:
            return _closed(row, fills[row.position_id])

        return page("closed", rows, size, shown, lambda row: (row.closed, row.position_id))

    async def balance(
        self,
        account: int | None,
        *,
        shard: int = 0,
        since: int | None = None,
        until: int | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Page[BalanceRow]:
        """Deposits, withdrawals, credit, corrections, swaps, funding, compensations."""
        b, size = t.balance_operations, rows_of(limit)
        query = _of(select(b), b, account, shard).limit(size + 1)
        query = _between(query, b.c.ts, since, until)
        if cursor is not None:
            query = query.where(b.c.seq < decode("balance", cursor, 1)[0])
        rows = await self._all(query.order_by(b.c.seq.desc()))
        return page("balance", rows, size, _balance, lambda row: (row.seq,))

    async def margin_events(
        self,
        account: int | None,
        *,
        shard: int = 0,
        level: MarginLevel | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Page[MarginRow]:
        """Margin calls, stop-outs and recoveries, all of them or of one `level`."""
        m, size = t.margin_events, rows_of(limit)
        query = _of(select(m), m, account, shard).limit(size + 1)
        if level is not None:
            query = query.where(m.c.level == level.value)
        if cursor is not None:
            query = query.where(m.c.seq < decode("margin", cursor, 1)[0])
        rows = await self._all(query.order_by(m.c.seq.desc()))
        return page("margin", rows, size, _margin, lambda row: (row.seq,))

    async def _fills_of(self, positions: list[int]) -> dict[int, list[Any]]:
        found: dict[int, list[Any]] = defaultdict(list)
        if positions:
            f = t.fills
            columns = (
                f.c.position_id,
                f.c.entry,
                f.c.volume,
                f.c.price,
                f.c.profit,
                f.c.commission,
            )
            query = select(*columns).where(f.c.position_id.in_(positions))
            for row in await self._all(query):
                found[row.position_id].append(row)
        return found

    async def _all(self, query: Select[Any]) -> Sequence[Any]:
        async with self._database.read() as connection:
            rows: Sequence[Any] = (await connection.execute(query)).all()
        return rows


def _joined(table: Table) -> Select[Any]:
    """Rows of a table with the symbol of their instrument."""
    i = t.instruments
    same = (i.c.shard == table.c.shard) & (i.c.number == table.c.instrument)
    return select(table, i.c.symbol).join(i, same)


def _listing(
    table: Table, account: int | None, shard: int, instrument: str | None, size: int
) -> Select[Any]:
    query = _of(_joined(table), table, account, shard).limit(size + 1)
    return query if instrument is None else query.where(t.instruments.c.symbol == instrument)


def _of(query: Select[Any], table: Table, account: int | None, shard: int) -> Select[Any]:
    if account is None:
        return query.where(table.c.shard == shard)
    return query.where(table.c.account == account)


def _between(query: Select[Any], column: Any, since: int | None, until: int | None) -> Select[Any]:
    """`since` included, `until` not."""
    if since is not None:
        query = query.where(column >= since)
    return query if until is None else query.where(column < until)


def _price(mantissa: int, digits: int) -> Any:
    return numbers.decimal(mantissa, digits) if mantissa else None


def _account(row: Any) -> AccountRow:
    return AccountRow(
        account=row.account,
        shard=row.shard,
        group=row.name,
        leverage=row.leverage,
        flags=row.flags,
        currency=row.code,
        opened=row.opened,
        balance=numbers.amount(row.balance),
        credit=numbers.amount(row.credit),
        level=MarginLevel(row.level),
    )


def _order(row: Any) -> OrderRow:
    return OrderRow(
        id=row.order_id,
        account=row.account,
        instrument=row.symbol,
        side=Side(row.side),
        type=OrderType(row.type),
        tif=TimeInForce(row.tif),
        state=OrderState(row.state),
        live=row.live,
        reason=Reason(row.reason),
        code=ReturnCode(row.code),
        leverage=row.leverage,
        volume=numbers.lots(row.volume),
        filled=numbers.lots(row.filled),
        price=_price(row.price, row.digits),
        limit_price=_price(row.limit_price, row.digits),
        sl=_price(row.sl, row.digits),
        tp=_price(row.tp, row.digits),
        expire=row.expire,
        position=row.position_id,
        oco=row.oco,
        tag=row.tag,
        comment=row.comment,
        created=row.created,
        updated=row.updated,
    )


def _fill(row: Any) -> FillRow:
    return FillRow(
        id=row.seq,
        ts=row.ts,
        order=row.order_id,
        position=row.position_id,
        account=row.account,
        instrument=row.symbol,
        side=Side(row.side),
        entry=Entry(row.entry),
        reason=Reason(row.reason),
        flags=FillFlag(row.flags),
        volume=numbers.lots(row.volume),
        price=numbers.decimal(row.price, row.digits),
        profit=numbers.amount(row.profit),
        commission=numbers.amount(row.commission),
        trade="" if row.trade is None else row.trade.rstrip(b"\0").decode("utf-8", "replace"),
    )


def _position(row: Any) -> PositionRow:
    return PositionRow(
        id=row.position_id,
        account=row.account,
        instrument=row.symbol,
        side=Side(row.side),
        volume=numbers.lots(row.volume),
        price=numbers.decimal(row.price, row.digits),
        sl=_price(row.sl, row.digits),
        tp=_price(row.tp, row.digits),
        trailing=row.trailing,
        isolated=bool(row.flags & 1),
        margin=numbers.amount(row.margin),
        swap=numbers.amount(row.swap),
        order=row.order_id,
        opened=row.opened,
        updated=row.updated,
        tag=row.tag,
    )


def _closed(row: Any, fills: list[Any]) -> ClosedPositionRow:
    out = [fill for fill in fills if fill.entry == Entry.OUT]
    volume = sum(fill.volume for fill in out)
    cost = sum(fill.price * fill.volume for fill in out)
    return ClosedPositionRow(
        id=row.position_id,
        account=row.account,
        instrument=row.symbol,
        side=Side(row.side),
        volume=numbers.lots(volume),
        price=numbers.decimal(row.price, row.digits),
        close_price=numbers.decimal(_half_even(cost, volume), row.digits),
        profit=numbers.amount(sum(fill.profit for fill in fills)),
        commission=numbers.amount(sum(fill.commission for fill in fills)),
        swap=numbers.amount(row.swap),
        reason=Reason(row.reason),
        order=row.order_id,
        opened=row.opened,
        closed=row.closed,
        tag=row.tag,
    )


def _half_even(total: int, count: int) -> int:
    """The quotient rounded half to even, as the engine rounds its averages."""
    if not count:
        return 0
    whole, rest = divmod(total, count)
    return whole + (2 * rest > count or (2 * rest == count and whole % 2 == 1))


def _balance(row: Any) -> BalanceRow:
    return BalanceRow(
        id=row.seq,
        ts=row.ts,
        account=row.account,
        reason=Posting(row.reason),
        amount=numbers.amount(row.amount),
        balance=numbers.amount(row.balance),
        credit=numbers.amount(row.credit),
        reference=row.reference,
    )


def _margin(row: Any) -> MarginRow:
    return MarginRow(
        id=row.seq,
        ts=row.ts,
        account=row.account,
        level=MarginLevel(row.level),
        equity=numbers.amount(row.equity),
        margin=numbers.amount(row.margin),
    )
