"""What the tests of the simulators share: a listener that keeps everything, quick exchanges."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tradeloom.domain.enums import Side
from tradeloom.domain.market import (
    BookDelta,
    BookQuote,
    InstrumentKind,
    TradeTick,
    VenueInstrument,
)
from tradeloom.simulators.accounts import Fees
from tradeloom.simulators.clock import HandClock
from tradeloom.simulators.exchange import Exchange, SelfTrade
from tradeloom.simulators.orders import AccountEvent, NewOrder, OrderEvent

UNIT = 10**8
START_NS = 1_700_000_000 * 10**9


class Heard:
    """A listener that keeps everything."""

    def __init__(self) -> None:
        self.account: list[AccountEvent] = []
        self.quotes: list[BookQuote] = []
        self.trades: list[TradeTick] = []
        self.deltas: list[BookDelta] = []

    def on_account(self, event: AccountEvent) -> None:
        self.account.append(event)

    def on_quote(self, instrument: VenueInstrument, quote: BookQuote) -> None:
        self.quotes.append(quote)

    def on_trade(self, instrument: VenueInstrument, trade: TradeTick) -> None:
        self.trades.append(trade)

    def on_book(self, instrument: VenueInstrument, delta: BookDelta) -> None:
        self.deltas.append(delta)

    def changes(self) -> list[str]:
        return [each.change.name for each in self.account if isinstance(each, OrderEvent)]


def spot(**changes: Any) -> VenueInstrument:
    """BTCUSDT with a tick of 0.01 and a step of 1e-8."""
    at: dict[str, Any] = {
        "venue": "test", "symbol": "BTCUSDT", "wire": "BTCUSDT", "kind": InstrumentKind.SPOT,
        "base": "BTC", "quote": "USDT", "settle": "USDT", "digits": 2, "tick": 1, "step": 1,
    }  # fmt: skip
    return VenueInstrument(**{**at, **changes})


def perpetual(**changes: Any) -> VenueInstrument:
    """A linear perpetual."""
    return spot(**{"symbol": "BTCUSDT-PERP", "kind": InstrumentKind.PERPETUAL, **changes})


def inverse() -> VenueInstrument:
    """A perpetual of one dollar a contract, settled in the coin."""
    return perpetual(
        symbol="BTCUSD-PERP", quote="USD", settle="BTC", inverse=True, contract_size=Decimal(1),
        step=UNIT,
    )  # fmt: skip


def exchange(
    *instruments: VenueInstrument, fees: Fees | None = None, self_trade: SelfTrade = "allow",
    balances: dict[str, int] | None = None,
) -> tuple[Exchange, Heard, HandClock]:  # fmt: skip
    """An exchange with the rich accounts a and b."""
    heard, clock = Heard(), HandClock(START_NS)
    made = Exchange("test", instruments or (spot(),), clock, heard, self_trade=self_trade)
    for name in ("a", "b"):
        rich = dict.fromkeys(made.spot_assets(), 10**9 * UNIT)
        made.open_account(name, rich if balances is None else dict(balances), fees or Fees(0, 0))
    return made, heard, clock


def quote(
    made: Exchange, bid: int, ask: int, bid_size: int = UNIT, ask_size: int = UNIT, symbol: str = ""
) -> None:
    """The outside market's best prices."""
    at = made.markets[symbol].instrument if symbol else next(iter(made.markets.values())).instrument
    made.apply(BookQuote("test", at.symbol, at.digits, bid, ask, bid_size, ask_size, 0, 0))


def trade(made: Exchange, price: int, size: int, side: Side) -> None:
    """A trade of the outside market."""
    at = next(iter(made.markets.values())).instrument
    made.apply(TradeTick("test", at.symbol, at.digits, price, size, side, "", 0, 0))


def limit(side: Side, price: int, size: int = UNIT, **changes: Any) -> NewOrder:
    """A limit order."""
    symbol = changes.pop("symbol", "BTCUSDT")
    return NewOrder(symbol=symbol, side=side, price=price, size=size, **changes)
