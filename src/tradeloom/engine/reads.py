"""Reading an engine: accounts, positions, orders, quotes and ledgers as they are now."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from tradeloom.domain import numbers
from tradeloom.domain.enums import (
    AccountFlag,
    Ledger,
    MarginLevel,
    ReturnCode,
    TradingState,
)
from tradeloom.domain.errors import Refused
from tradeloom.domain.events import OrderUpdated, PositionUpdated
from tradeloom.engine.decoder import Decoder
from tradeloom.engine.names import Names
from tradeloom.engine.records import EVENT_HEADER, EVENTS
from tradeloom.engine.views import (
    AccountView,
    LedgerRow,
    OrderView,
    PositionView,
    QuoteView,
    TradingStates,
    TrialRow,
)

if TYPE_CHECKING:
    from tradeloom._core import Core


class Reads:
    """What can be asked of a core, with names and decimals. Reading changes nothing."""

    def __init__(self, core: Core, names: Names) -> None:
        self._core = core
        self._names = names
        self._decoder = Decoder(names)

    def accounts(self) -> list[int]:
        """Account numbers in order of opening, closed ones too."""
        return list(self._core.accounts())

    def account(self, account: int) -> AccountView:
        """One account; raises `Refused` USER_NOT_FOUND."""
        row = self._core.account(account)
        if row is None:
            raise Refused(ReturnCode.USER_NOT_FOUND, "account")
        group = self._names.groups[row["group"]]
        equity, margin = row["cross_equity"], row["cross_margin"]
        level = numbers.decimal(equity * 10_000 // margin, 2) if margin > 0 else None
        return AccountView(
            id=account,
            group=group.name,
            currency=self._names.currencies[row["currency"]].code,
            leverage=row["leverage"] or group.leverage,
            flags=AccountFlag(row["flags"]),
            state=TradingState(row["state"]),
            margin_level=MarginLevel(row["level"]),
            balance=numbers.amount(row["balance"]),
            credit=numbers.amount(row["credit"]),
            equity=numbers.amount(row["equity"]),
            margin=numbers.amount(row["margin"]),
            isolated=numbers.amount(row["isolated"]),
            free_margin=numbers.amount(row["free"]),
            level=level,
            fees=numbers.amount(row["fees"]),
            realised=numbers.amount(row["realised"]),
            funding=numbers.amount(row["funding"]),
        )

    def positions(self, account: int) -> list[PositionView]:
        """Open positions of an account by id; raises `Refused` USER_NOT_FOUND."""
        self._known(account)
        now = {
            each: (profit, price) for each, profit, price in self._core.position_profits(account)
        }
        found = []
        for event in self._decoder.decode(self._core.positions(account)):
            if isinstance(event, PositionUpdated):
                profit, price = now.get(event.position, (0, 0))
                digits = self._names.digits(self._names.instrument(event.instrument))
                current = numbers.decimal(price, digits) if price else None
                found.append(_position(event, numbers.amount(profit), current))
        return sorted(found, key=lambda view: view.id)

    def orders(self, account: int) -> list[OrderView]:
        """Working orders of an account by id; raises `Refused` USER_NOT_FOUND."""
        self._known(account)
        found = [
            _order(event)
            for event in self._decoder.decode(self._core.orders(account))
            if isinstance(event, OrderUpdated)
        ]
        return sorted(found, key=lambda view: view.id)

    def quote(self, symbol: str) -> QuoteView | None:
        """The last quote of a symbol, None before the first; `Refused` SYMBOL_NOT_FOUND."""
        index = self._names.instrument(symbol)
        bid, ask, ts = self._core.quote(index)
        if not bid:
            return None
        digits = self._names.digits(index)
        return QuoteView(numbers.decimal(bid, digits), numbers.decimal(ask, digits), ts)

    def trading_states(self) -> TradingStates:
        """Trading states of shard, groups, instruments and accounts."""
        shard, groups, instruments, accounts = self._core.trading_states()
        return TradingStates(
            TradingState(shard),
            {self._names.groups[n].name: TradingState(s) for n, s in enumerate(groups) if s},
            {self._names.symbol(n): TradingState(s) for n, s in enumerate(instruments) if s},
            {account: TradingState(state) for account, state in accounts if state},
        )

    def ledger(self, account: int) -> list[LedgerRow]:
        """Balances of a customer in the six ledgers; raises `Refused` USER_NOT_FOUND."""
        self._known(account)
        return [
            LedgerRow(Ledger(ledger), sub, self._names.currencies[index].code, _money(amount))
            for ledger, sub, index, amount in self._core.ledger(account)
        ]

    def trial_balance(self) -> list[TrialRow]:
        """Ledgers and currencies that hold something: customers and house add up to zero."""
        return [
            TrialRow(
                Ledger(ledger), self._names.currencies[index].code, _money(customers), _money(house)
            )
            for ledger, index, customers, house in self._core.trial_balance()
            if customers or house
        ]

    def instrument_of(self, account: int, order: int, position: int) -> int | None:
        """Index of the instrument of an open order or position, None when there is none."""
        if self._core.account(account) is None:
            return None
        name, wanted = ("EventOrder", order) if order else ("EventPosition", position)
        data = self._core.orders(account) if order else self._core.positions(account)
        record = EVENTS[name]
        step = EVENT_HEADER.size + record.size
        for at in range(EVENT_HEADER.size, len(data), step):
            values = record.unpack(data, at)
            if values["order" if order else "position"] == wanted:
                index: int = values["instrument"]
                return index
        return None

    def _known(self, account: int) -> None:
        if self._core.account(account) is None:
            raise Refused(ReturnCode.USER_NOT_FOUND, "account")


def _money(amount: int) -> Decimal:
    return numbers.amount(amount)


def _position(event: PositionUpdated, profit: Decimal, current: Decimal | None) -> PositionView:
    return PositionView(
        id=event.position,
        account=event.account,
        instrument=event.instrument,
        side=event.side,
        volume=event.volume,
        price=event.price,
        current=current,
        profit=profit,
        sl=event.sl,
        tp=event.tp,
        trailing=event.trailing,
        margin=event.margin,
        swap=event.swap,
        isolated=event.isolated,
        order=event.order,
        opened=event.opened,
        tag=event.tag,
    )


def _order(event: OrderUpdated) -> OrderView:
    return OrderView(
        id=event.order,
        account=event.account,
        instrument=event.instrument,
        side=event.side,
        type=event.type,
        tif=event.tif,
        state=event.state,
        volume=event.volume,
        filled=event.filled,
        price=event.price,
        limit_price=event.limit_price,
        sl=event.sl,
        tp=event.tp,
        expire=event.expire,
        oco=event.oco,
        position=event.position,
        leverage=event.leverage,
        tag=event.tag,
    )
