"""The whole book at a glance: exposure by instrument and group, and who is near a stop-out.

Read from the engine itself, a slice of accounts at a time, so that orders have their turn between
slices; many screens share one reading.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from tradeloom.domain import numbers
from tradeloom.domain.enums import CalcMode, MarginLevel
from tradeloom.domain.instrument import Instrument
from tradeloom.engine.scratch import unpack
from tradeloom.gateways.desk import Desk
from tradeloom.gateways.limits import OVERVIEW_EVERY_S, OVERVIEW_SLICE
from tradeloom.gateways.quotes import QuoteBoard

if TYPE_CHECKING:
    from tradeloom._core import Core

_CLOSED: Final = 4


class Exposure(msgspec.Struct, frozen=True, kw_only=True):
    """What is open on an instrument, or in a group, in one account currency.

    Lots: `long`, `short`, `net`. `notional`: value of the net volume at the middle of the quote,
    None without a price for it; `profit`: floating. Money in `currency`.
    """

    instrument: str
    group: str
    currency: str
    accounts: int
    positions: int
    long: Decimal
    short: Decimal
    net: Decimal
    notional: Decimal | None
    profit: Decimal


class Danger(msgspec.Struct, frozen=True, kw_only=True):
    """An account that uses margin. `level`: equity over margin in percent."""

    account: int
    group: str
    currency: str
    margin_level: MarginLevel
    level: Decimal
    equity: Decimal
    margin: Decimal
    balance: Decimal
    positions: int
    stop_out: Decimal


class Held(NamedTuple):
    """Exposure, and the accounts that make it."""

    exposure: Exposure
    accounts: frozenset[int]


class Seen(msgspec.Struct, frozen=True):
    """One reading of the book at `ts` (UTC ns)."""

    ts: int
    exposure: tuple[Held, ...]
    danger: tuple[Danger, ...]


class Overview:
    """Reads the book at most once a second, however many ask."""

    def __init__(self, desk: Desk, board: QuoteBoard) -> None:
        self._desk = desk
        self._board = board
        self._seen: Seen | None = None
        self._until = 0.0
        self._reading = asyncio.Lock()

    async def now(self) -> Seen:
        """The newest reading."""
        async with self._reading:
            if self._seen is None or time.monotonic() >= self._until:
                self._seen = await self._read()
                self._until = time.monotonic() + OVERVIEW_EVERY_S
            return self._seen

    async def _read(self) -> Seen:
        accounts = self._desk.shard.read(lambda core: core.accounts())
        book = _Book()
        for start in range(0, len(accounts), OVERVIEW_SLICE):
            part = accounts[start : start + OVERVIEW_SLICE]
            self._desk.shard.read(lambda core, part=part: book.take(core, part))  # type: ignore[misc]
            await asyncio.sleep(0)
        exposure = tuple(
            Held(self._exposure(key, sums), frozenset(sums.accounts))
            for key, sums in sorted(book.sums.items(), key=lambda item: item[0])
        )
        danger = sorted((self._danger(row) for row in book.risky), key=lambda each: each.level)
        return Seen(time.time_ns(), exposure, tuple(danger))

    def _exposure(self, key: tuple[int, int, int], sums: _Sums) -> Exposure:
        index, group, currency = key
        names = self._desk.names
        instrument, code = names.instruments[index], names.currencies[currency].code
        net = numbers.lots(sums.long - sums.short)
        return Exposure(
            instrument=instrument.symbol,
            group=names.groups[group].name,
            currency=code,
            accounts=len(sums.accounts),
            positions=sums.positions,
            long=numbers.lots(sums.long),
            short=numbers.lots(sums.short),
            net=net,
            notional=self._notional(instrument, net, code),
            profit=numbers.amount(sums.profit),
        )

    def _danger(self, row: dict[str, int]) -> Danger:
        names = self._desk.names
        group = names.groups[row["group"]]
        return Danger(
            account=row["id"],
            group=group.name,
            currency=names.currencies[row["currency"]].code,
            margin_level=MarginLevel(row["level"]),
            level=numbers.decimal(row["cross_equity"] * 10_000 // row["cross_margin"], 2),
            equity=numbers.amount(row["cross_equity"]),
            margin=numbers.amount(row["cross_margin"]),
            balance=numbers.amount(row["balance"]),
            positions=row["positions"],
            stop_out=group.stop_out,
        )

    def _notional(self, instrument: Instrument, lots: Decimal, currency: str) -> Decimal | None:
        price = self._middle(instrument.symbol)
        if price is None:
            return None
        value = lots * instrument.contract_size * price
        if instrument.calc is CalcMode.FUTURES:
            tick = instrument.tick_size or Decimal(1).scaleb(-instrument.digits)
            value = lots * price * instrument.tick_value / tick
        rate = self._rate(instrument.profit, currency)
        return None if rate is None else (value * rate).quantize(Decimal("0.01"))

    def _rate(self, source: str, target: str) -> Decimal | None:
        """How much one unit of `source` is in `target`, at the middle; by way of USD if it must."""
        if source == target:
            return Decimal(1)
        direct = self._pair(source, target)
        if direct is not None:
            return direct
        first, second = self._pair(source, "USD"), self._pair("USD", target)
        return first * second if first and second else None

    def _pair(self, source: str, target: str) -> Decimal | None:
        if source == target:
            return Decimal(1)
        for each in self._desk.names.instruments:
            forex = each.calc in (CalcMode.FOREX, CalcMode.FOREX_NO_LEVERAGE)
            if not (forex if each.converts is None else each.converts):
                continue
            if {each.base, each.profit} == {source, target}:
                price = self._middle(each.symbol)
                if price:
                    return price if each.base == source else 1 / price
        return None

    def _middle(self, symbol: str) -> Decimal | None:
        index = self._desk.names.instrument(symbol)
        bid, ask, _ = self._desk.shard.read(lambda core: core.quote(index))
        if not bid:
            return None
        return numbers.decimal((bid + ask) * 5, self._desk.names.digits(index) + 1)


class _Sums:
    """What adds up under one key."""

    __slots__ = ("accounts", "long", "positions", "profit", "short")

    def __init__(self) -> None:
        self.accounts: set[int] = set()
        self.positions = self.long = self.short = self.profit = 0


class _Book:
    """What the slices add up to."""

    def __init__(self) -> None:
        self.sums: defaultdict[tuple[int, int, int], _Sums] = defaultdict(_Sums)
        self.risky: list[dict[str, int]] = []

    def take(self, core: Core, accounts: Iterable[int]) -> None:
        """Add a slice of accounts."""
        for account in accounts:
            row = core.account(account)
            if row is None or row["flags"] & _CLOSED or not row["positions"]:
                continue
            if row["cross_margin"] > 0:
                self.risky.append(dict(row))  # type: ignore[arg-type]
            profits = {each: profit for each, profit, _ in core.position_profits(account)}
            for _, values, _ in unpack(core.positions(account)):
                key = (values["instrument"], row["group"], row["currency"])
                sums = self.sums[key]
                sums.accounts.add(account)
                sums.positions += 1
                sums.profit += profits.get(values["position"], 0)
                if values["side"]:
                    sums.short += values["volume"]
                else:
                    sums.long += values["volume"]


def grouped(rows: Iterable[Held], by: str) -> list[Exposure]:
    """Exposure put together by `instrument` or `group`; a group's volumes are of all symbols."""
    made: dict[tuple[str, str], Held] = {}
    for row in rows:
        each = _alone(row.exposure, by)
        key = (each.instrument or each.group, each.currency)
        known = made.get(key)
        if known is not None:
            each = _plus(known.exposure, each)
        accounts = row.accounts if known is None else known.accounts | row.accounts
        made[key] = Held(msgspec.structs.replace(each, accounts=len(accounts)), accounts)
    return [made[key].exposure for key in sorted(made)]


def _alone(row: Exposure, by: str) -> Exposure:
    if by == "instrument":
        return msgspec.structs.replace(row, group="")
    # Of a group: how much is at risk in all; nets of different symbols do not cancel out.
    value = None if row.notional is None else abs(row.notional)
    return msgspec.structs.replace(row, instrument="", notional=value)


def _plus(a: Exposure, b: Exposure) -> Exposure:
    known = a.notional is not None and b.notional is not None
    return msgspec.structs.replace(
        a,
        positions=a.positions + b.positions,
        long=a.long + b.long,
        short=a.short + b.short,
        net=a.net + b.net,
        notional=(a.notional or Decimal(0)) + (b.notional or Decimal(0)) if known else None,
        profit=a.profit + b.profit,
    )
