"""A preview is what then happens: every order is looked at first and placed afterwards."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from tradeloom.domain import commands as c
from tradeloom.domain.currency import Currency
from tradeloom.domain.enums import (
    AccountFlag,
    CalcMode,
    CommissionMode,
    Entry,
    Execution,
    HedgedMargin,
    OrderType,
    PositionMode,
    Scope,
    Side,
    SwapMode,
    TimeInForce,
    TradeMode,
    TradingState,
)
from tradeloom.domain.events import Fill
from tradeloom.domain.group import Commission, Group, Limits, Override
from tradeloom.domain.instrument import Instrument, MarginRates, Swap, Tier
from tradeloom.engine.codec import Encoder
from tradeloom.engine.engine import Engine
from tradeloom.engine.preview import Previews, PreviewView
from tradeloom.engine.writer import MemoryWriter

D = Decimal
NOON = 1_699_963_200_000_000_000  # Tuesday 2023-11-14 12:00 UTC
SECOND = 10**9


def _instrument(symbol: str, calc: CalcMode, **more: Any) -> Instrument:
    named: dict[str, Any] = {"digits": 2, "base": "USD", "profit": "USD", "margin": "USD"}
    if calc in (CalcMode.FOREX, CalcMode.FOREX_NO_LEVERAGE):
        named = {"digits": 5, "base": symbol[:3], "profit": symbol[3:6], "margin": symbol[:3]}
    else:
        named["contract_size"] = D(10)
    swap = Swap(SwapMode.POINTS, D("-7.5"), D("2.25"))
    return Instrument(symbol=symbol, calc=calc, **(named | {"swap": swap} | more))


TIERS = (Tier(D(0), D("0.01")), Tier(D(20_000), D("0.025")), Tier(D(100_000), D("0.1")))
INSTRUMENTS = (
    _instrument("EURUSD", CalcMode.FOREX),
    _instrument("GBPUSD", CalcMode.FOREX, hedged_rate=D("0.5")),
    _instrument("EURGBP", CalcMode.FOREX, margin_rates=MarginRates(D("0.5"), D(2), D("0.1"))),
    _instrument("GBPCHF", CalcMode.FOREX_NO_LEVERAGE),
    _instrument("USDCHF", CalcMode.FOREX),
    _instrument("DAX", CalcMode.CFD, profit="EUR", margin="EUR", slippage_points=3),
    _instrument("SPX", CalcMode.CFD_LEVERAGE, slippage_points_per_lot=2),
    _instrument("NIK", CalcMode.CFD_INDEX, tick_value=D("0.5"), tick_size=D("0.25")),
    _instrument(
        "ES", CalcMode.FUTURES, tick_value=D(12), tick_size=D("0.25"),
        initial_margin=D(500), maintenance_margin=D(400),
    ),
    _instrument("ACME", CalcMode.STOCKS, swap=Swap(SwapMode.INTEREST_CURRENT, D(-5), D(-2))),
    _instrument("BTC", CalcMode.PERPETUAL, tiers=TIERS),
)  # fmt: skip
QUOTES = {
    "EURUSD": ("1.10000", "1.10013"), "GBPUSD": ("1.25011", "1.25033"),
    "EURGBP": ("0.87991", "0.88007"), "GBPCHF": ("1.10101", "1.10137"),
    "USDCHF": ("0.88073", "0.88091"), "DAX": ("1500.50", "1501.25"),
    "SPX": ("4500.25", "4500.75"), "NIK": ("3300.00", "3301.00"),
    "ES": ("4500.00", "4500.25"), "ACME": ("50.00", "50.10"), "BTC": ("3700.00", "3702.50"),
}  # fmt: skip
GROUP = Group(
    name="g",
    currency="USD",
    leverage=100,
    markup_points=2,
    commission=Commission(CommissionMode.PER_LOT, D("3.5")),
    overrides=(Override(symbol="SPX", leverage=20, markup_points=5),),
)
NETTING = msgspec.structs.replace(GROUP, name="n", mode=PositionMode.NETTING)
LARGER = msgspec.structs.replace(GROUP, name="l", hedged_margin=HedgedMargin.LARGER_LEG)


class Book:
    """An engine with every kind of instrument, and its previews."""

    def __init__(self, money: str = "200000") -> None:
        self.writer = MemoryWriter(0)
        self.now = NOON
        self.engine = Engine(self.writer, clock=lambda: self.now)
        self.engine.define(*(Currency(each) for each in ("USD", "EUR", "GBP", "CHF")))
        self.engine.define(*INSTRUMENTS, GROUP, NETTING, LARGER)
        for number, group in ((1, "g"), (2, "n"), (3, "l")):
            self.engine.open_account(number, group=group)
            self.engine.deposit(number, money)
        self.quote()
        self.encoder = Encoder(self.engine.names, self.engine.reads.instrument_of)
        self.previews = Previews()

    def quote(self, points: int = 0) -> None:
        for symbol, (bid, ask) in QUOTES.items():
            move = points * D(1).scaleb(int(D(bid).as_tuple().exponent))
            self.engine.quote(symbol, D(bid) + move, D(ask) + move)
        self.now += SECOND

    def look(self, order: c.PlaceOrder) -> PreviewView:
        record = self.encoder.encode(order, 0)
        before = self.writer.core.state_hash()
        seen = self.previews.preview(self.writer.core, self.engine.names, record, self.now)
        assert self.writer.core.state_hash() == before
        return seen

    def place(self, order: c.PlaceOrder) -> PreviewView:
        """Look, place, and hold one to the other."""
        seen, was = self.look(order), self.engine.reads.account(order.account)
        made = self.engine.execute(order)
        assert (seen.refused is None) == made.ok, (seen, made)
        if seen.refused is not None:
            assert (seen.refused.code, seen.refused.field) == (made.code.number, made.field)
            return seen
        now = self.engine.reads.account(order.account)
        assert seen.margin == now.margin - was.margin
        assert seen.margin_after == now.margin - now.isolated
        # A profit that is realised is rounded to cents, by what the position cost in truth.
        closes = any(isinstance(x, Fill) and x.entry is Entry.OUT for x in made.events)
        near = D("0.01") if closes or order.leverage else D("0.00000002")
        assert abs((seen.free_after or 0) - now.free_margin) <= near
        equity = now.equity - _isolated(self, order.account)
        assert abs((seen.equity_after or 0) - equity) <= near
        assert seen.price == (made.price or order.limit_price or order.price)
        if made.price:
            assert seen.commission == was.fees - now.fees
        return seen


def _isolated(book: Book, account: int) -> Decimal:
    """What isolated positions are worth: margin and profit."""
    found = (x for x in book.engine.reads.positions(account) if x.isolated)
    return sum((x.margin + x.profit for x in found), D(0))


def order(symbol: str, side: Side, volume: str, account: int = 1, **more: Any) -> c.PlaceOrder:
    return c.PlaceOrder(account=account, instrument=symbol, side=side, volume=D(volume), **more)


SYMBOLS = [each.symbol for each in INSTRUMENTS]


@pytest.mark.parametrize("account", [1, 2, 3], ids=["hedging", "netting", "larger-leg"])
@pytest.mark.parametrize("symbol", SYMBOLS)
def test_what_is_previewed_happens(symbol: str, account: int) -> None:
    book = Book()
    for side, volume in (
        (Side.BUY, "0.10"), (Side.BUY, "0.33"), (Side.SELL, "0.21"), (Side.SELL, "0.77"),
        (Side.BUY, "0.40"),
    ):  # fmt: skip
        seen = book.place(order(symbol, side, volume, account))
        assert seen.refused is None
        book.quote(37)


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_an_order_that_closes_frees_margin(symbol: str) -> None:
    book = Book()
    book.place(order(symbol, Side.BUY, "0.50"))
    position = book.engine.reads.positions(1)[0].id
    part = book.place(order(symbol, Side.SELL, "0.20", position=position))
    assert part.margin is not None
    assert part.margin < 0
    book.place(order(symbol, Side.SELL, "0.30", position=position))
    assert book.engine.reads.account(1).margin == 0


@pytest.mark.parametrize("symbol", SYMBOLS)
@pytest.mark.parametrize("kind", [OrderType.LIMIT, OrderType.STOP, OrderType.STOP_LIMIT])
def test_a_waiting_order_and_what_it_takes_when_it_fills(symbol: str, kind: OrderType) -> None:
    book = Book()
    bid = D(QUOTES[symbol][0])
    step = D("0.05") if bid < 10 else D(20)
    price = bid - step if kind is OrderType.LIMIT else bid + step
    limit = price + step if kind is OrderType.STOP_LIMIT else None
    seen = book.place(order(symbol, Side.BUY, "0.10", type=kind, price=price, limit_price=limit))
    assert seen.filled == 0
    assert seen.margin_filled is not None
    rate = D("0.1") if symbol == "EURGBP" and kind is OrderType.LIMIT else D(0)
    assert (seen.margin or 0) > 0 if rate else seen.margin == 0
    # The same order at the market, when the market is there, takes what was said.
    entry = limit or price
    before = book.engine.reads.account(1).margin
    spread = D(QUOTES[symbol][1]) - bid
    point = D(1).scaleb(int(D(QUOTES[symbol][0]).as_tuple().exponent))
    markup = (5 if symbol == "SPX" else 2) * point
    book.engine.quote(symbol, entry - markup - spread, entry - markup)
    taken = book.engine.reads.account(1).margin - before + (seen.margin or 0)
    if kind is OrderType.LIMIT:
        assert taken == seen.margin_filled
    else:  # a stop fills with slippage, a stop-limit at its next quote
        assert taken >= 0


def test_isolated_positions() -> None:
    book = Book()
    for symbol in ("EURUSD", "BTC", "DAX"):
        book.place(order(symbol, Side.BUY, "0.10", leverage=20))
        position = book.engine.reads.positions(1)[-1].id
        seen = book.look(order(symbol, Side.SELL, "0.05", position=position))
        assert seen.margin is not None
        assert seen.margin < 0
        book.engine.execute(order(symbol, Side.SELL, "0.05", position=position))
        now = book.engine.reads.account(1)
        assert seen.free_after is not None
        assert abs(seen.free_after - now.free_margin) <= D("0.01")


@pytest.mark.parametrize(
    ("change", "name", "field"),
    [
        ({"volume": D("0.001")}, "TRADE_BAD_VOLUME", "volume"),
        ({"volume": D("100")}, "TRADE_NO_MONEY", "volume"),
        ({"sl": D("1.20000")}, "TRADE_INVALID_SL_TP", "sl"),
        ({"tp": D("1.00000")}, "TRADE_INVALID_SL_TP", "tp"),
        ({"price": D("1.09000"), "max_deviation": 10}, "TRADE_REQUOTE", "max_deviation"),
        ({"position": 99}, "TRADE_INCORRECT_ORDER", "position"),
        ({"type": OrderType.STOP, "price": D("1.00000")}, "TRADE_BAD_PRICES", "price"),
        ({"type": OrderType.LIMIT}, "TRADE_BAD_PRICES", "price"),
        ({"tif": TimeInForce.GTD}, "ERR_PARAMS", "tif"),
    ],
)
def test_a_refusal_is_the_real_one(change: dict[str, Any], name: str, field: str) -> None:
    book = Book("100000")
    seen = book.place(msgspec.structs.replace(order("EURUSD", Side.BUY, "0.10"), **change))
    assert seen.refused is not None
    assert (seen.refused.name, seen.refused.field) == (name, field)


def test_rules_of_the_moment() -> None:
    book = Book()
    buy = order("EURUSD", Side.BUY, "0.10")
    eurusd = INSTRUMENTS[0]
    for mode in (TradeMode.CLOSE_ONLY, TradeMode.SHORT_ONLY, TradeMode.DISABLED):
        book.engine.define(msgspec.structs.replace(eurusd, trade_mode=mode))
        assert book.place(buy).refused is not None
    book.engine.define(msgspec.structs.replace(eurusd, quote_age_max_ms=500))
    book.now += SECOND
    assert book.place(buy).refused is not None
    book.engine.define(eurusd)
    limits = Limits(order_volume_max=D(1), positions_max=2, orders_max=1)
    book.engine.define(msgspec.structs.replace(GROUP, limits=limits))
    assert book.place(order("EURUSD", Side.BUY, "1.01")).refused is not None
    low: dict[str, Any] = {"type": OrderType.LIMIT, "price": D("1.05")}
    assert book.place(order("EURUSD", Side.BUY, "0.10", **low)).refused is None
    assert book.place(order("EURUSD", Side.BUY, "0.10", **low)).refused is not None
    assert book.place(buy).refused is None
    assert book.place(buy).refused is None
    assert book.place(buy).refused is not None
    for scope, target in ((Scope.ACCOUNT, 1), (Scope.INSTRUMENT, "EURUSD"), (Scope.SHARD, 0)):
        for state in (TradingState.REDUCING, TradingState.HALTED, TradingState.ACTIVE):
            book.engine.execute(c.SetTradingState(scope=scope, state=state, target=target))
            assert book.place(order("GBPUSD", Side.BUY, "0.10")) is not None
    flags = AccountFlag.READ_ONLY
    book.engine.execute(c.UpdateAccount(account=1, group="g", leverage=0, flags=flags))
    assert book.place(buy).refused is not None


def test_routed_orders_and_what_one_night_costs() -> None:
    book = Book()
    seen = book.look(order("EURUSD", Side.BUY, "1.00"))
    # 7.5 points of 0.00001 on 100,000: 7.50 USD, once on a Tuesday.
    assert seen.swap == D("-7.5")
    assert seen.spread == D("17")  # 13 points and a markup of 2 on both sides
    book.engine.define(msgspec.structs.replace(INSTRUMENTS[0], execution=Execution.ROUTED))
    seen = book.look(order("EURUSD", Side.BUY, "1.00"))
    assert seen.refused is None
    made = book.engine.execute(order("EURUSD", Side.BUY, "1.00"))
    assert made.code.name == "TRADE_ACCEPTED"
    assert seen.margin == book.engine.reads.account(1).margin
