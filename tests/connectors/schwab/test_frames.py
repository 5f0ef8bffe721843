"""Recorded Schwab frames and REST bodies: all are understood, and nothing is guessed."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from tests.connectors.recorded import Heard, NoLink, lines, recorded, unconnected
from tradeloom.connectors.dialect import OddFrame
from tradeloom.connectors.profile import Credentials
from tradeloom.connectors.venues.schwab import frames as f
from tradeloom.connectors.venues.schwab.dialect import Schwab
from tradeloom.connectors.venues.schwab.orders import Names, decimal_of, fills_of, order_of
from tradeloom.domain.enums import OrderState, Side
from tradeloom.domain.market import (
    BookDelta,
    BookQuote,
    InstrumentKind,
    TradeTick,
    VenueInstrument,
)


def listed(symbol: str) -> VenueInstrument:
    return VenueInstrument(
        venue="schwab", symbol=symbol, wire=symbol, kind=InstrumentKind.EQUITY, base=symbol,
        quote="USD", settle="USD", digits=4, tick=100, step=10**8,
    )  # fmt: skip


class Watched(Schwab):
    """Notes the orders it would ask about; nothing is connected."""

    def __init__(self, context: Any) -> None:
        super().__init__(context)
        self.looked: list[str] = []

    def look(self, order_id: str, out: Any) -> None:
        self.looked.append(order_id)


def dialect() -> Any:
    symbols = ("AMD", "INTC", "F", "BNDX", "VTI", "AAPL", "SPY")
    return unconnected(Watched, [listed(each) for each in symbols], Credentials("demo", {}))


def streamed() -> Iterator[Any]:
    for line in lines("schwab_mit/streamer_frames.jsonl"):
        yield msgspec.json.decode(line)["frame"]


def text_of(frame: Any) -> str:
    return msgspec.json.encode(frame).decode()


def test_every_recorded_frame_is_understood_or_counted() -> None:
    ours, heard, total = dialect(), Heard(), 0
    ours.follow({}, heard)
    for frame in streamed():
        total += 1
        before = len(heard.events) + sum(heard.counts.values()) + len(ours.looked)
        ours.private_frame(text_of(frame), 1, heard, NoLink())
        assert len(heard.events) + sum(heard.counts.values()) + len(ours.looked) > before, frame
    assert total >= 11
    assert heard.of(BookQuote)
    assert heard.of(BookDelta)
    assert len(ours.looked) == 6  # every news of the account asks about its order


def test_the_recorded_quotes_and_books() -> None:
    ours, heard = dialect(), Heard()
    for frame in streamed():
        if "data" in frame and frame["data"][0]["service"] != "ACCT_ACTIVITY":
            ours.market_frame(text_of(frame), 7, heard, NoLink())
    amd, intc = heard.of(BookQuote)
    assert amd == BookQuote(
        "schwab", "AMD", 4, 2178600, 2179500, 200 * 10**8, 100 * 10**8,
        1765081984668 * 10**6, 7,
    )  # fmt: skip
    assert (intc.bid, intc.ask) == (414300, 414400)
    ford, amd_book = heard.of(BookDelta)
    assert ford.bids[0] == (131200, 31600 * 10**8)
    assert amd_book.bids[0] == (2213800, 640 * 10**8)
    assert all(a[0] > b[0] for a, b in zip(ford.bids, ford.bids[1:], strict=False))
    assert not heard.of(TradeTick)  # the first volume is the day's, not a trade's


def level_one(**fields: Any) -> str:
    row = {"key": "AMD", **fields}
    data = {"service": "LEVELONE_EQUITIES", "timestamp": 1765081985000, "content": [row]}
    return text_of({"data": [data]})


def test_level_one_merges_what_changed() -> None:
    ours, heard, link = dialect(), Heard(), NoLink()
    ours.market_frame(level_one(**{"1": 217.86, "2": 217.95, "4": 200, "5": 100}), 1, heard, link)
    ours.market_frame(level_one(**{"2": 217.9}), 2, heard, link)
    ours.market_frame(level_one(**{"10": 218.0}), 3, heard, link)  # the day's high: no quote
    first, second = heard.of(BookQuote)
    assert (second.bid, second.bid_size) == (first.bid, first.bid_size)
    assert (second.ask, second.ask_size) == (2179000, 100 * 10**8)


def test_trades_are_told_by_the_volume() -> None:
    ours, heard, link = dialect(), Heard(), NoLink()
    ours.market_frame(level_one(**{"3": 217.9, "8": 1000, "9": 50}), 1, heard, link)
    ours.market_frame(level_one(**{"8": 1030, "9": 30, "35": 1765081985123}), 2, heard, link)
    ours.market_frame(level_one(**{"8": 1030}), 3, heard, link)
    (trade,) = heard.of(TradeTick)
    assert (trade.price, trade.size, trade.side) == (2179000, 30 * 10**8, None)
    assert trade.venue_ns == 1765081985123 * 10**6


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        '{"data":[{"service":"LEVELONE_EQUITIES","content":[{"key":"AMD","1":"high"}]}]}',
        '{"data":[{"service":"LEVELONE_EQUITIES","content":[{"key":"AMD","1":1.00001,"2":2}]}]}',
        '{"data":[{"service":"NASDAQ_BOOK","content":[{"key":"AMD","2":[{"0":1}]}]}]}',
    ],
)
def test_bad_frames_are_odd_and_guess_nothing(text: str) -> None:
    ours, heard = dialect(), Heard()
    ours.follow({}, heard)
    with pytest.raises((OddFrame, msgspec.DecodeError)):
        ours.private_frame(text, 1, heard, NoLink())
    assert not heard.events


def rest(name: str) -> Any:
    path = recorded() / "schwab_mit" / "rest" / name
    raw = path.read_bytes()
    return msgspec.json.decode(gzip.decompress(raw) if path.suffix == ".gz" else raw)


def test_recorded_orders_become_ours() -> None:
    ours = dialect()
    seen: set[OrderState] = set()
    filled = 0
    rows = [*rest("Trader/Orders_real.json"), rest("Trader/Order_real.json")]
    for raw in rows:
        row = msgspec.convert(raw, f.Order)
        listing = ours.context.listings.wire.get(row.order_leg_collection[0].instrument.symbol)
        if listing is None:
            continue
        order = order_of("demo", listing, row, Names())
        seen.add(order.state)
        assert order.client_id == ""
        assert order.venue_order_id == str(raw["orderId"])
        assert order.volume == Decimal(str(raw["quantity"]))
        assert order.filled == Decimal(str(raw["filledQuantity"]))
        fills = fills_of("demo", listing, row, Names())
        assert sum((fill.volume for fill in fills), Decimal(0)) == order.filled
        filled += len(fills)
    assert {OrderState.FILLED, OrderState.WORKING} <= seen
    assert filled >= 1


def test_the_first_recorded_execution() -> None:
    ours = dialect()
    row = msgspec.convert(rest("Trader/Orders_real.json")[0], f.Order)
    (fill,) = fills_of("demo", ours.context.listings.find("BNDX"), row, Names())
    assert (fill.price, fill.volume, fill.side) == (Decimal("48.72"), Decimal(10), Side.BUY)
    assert fill.venue_ns == 1717681563 * 10**9


def test_recorded_answers_are_read() -> None:
    preferences = msgspec.convert(rest("Trader/UserPreferences_real.json"), f.Preferences)
    assert preferences.streamer_info[0].streamer_socket_url == "wss://streamer-api.schwab.com/ws"
    account = msgspec.convert(rest("Trader/Account_real.json"), f.Account).securities_account
    assert account.current_balances.cash_balance == Decimal("12.34")
    for row in rest("Trader/Accounts_real.json"):
        for held in msgspec.convert(row, f.Account).securities_account.positions:
            assert held.instrument.symbol
    quotes = {
        name: msgspec.convert(row, f.Quote)
        for name, row in rest("MarketData/QuoteResponse_real.json").items()
        if name != "errors"
    }
    assert quotes["AAPL"].quote.bid_price == 189.9
    candles = msgspec.convert(rest("MarketData/CandleList_real.json.gz"), f.Candles).candles
    assert (candles[0].open, candles[0].volume) == (Decimal("183.71"), Decimal(25283))
    found = msgspec.convert(rest("MarketData/Instruments_real.json"), f.Found)
    assert found.instruments[0].symbol == "VTI"


def test_decimals_of_account_news() -> None:
    for text, value in (
        ('{"lo":"221230000","signScale":12}', "221.23"),
        ('{"lo":"220470000","signScale":13}', "-220.47"),
        ('{"signScale":12}', "0"),
        ('{"lo":"200"}', "200"),
    ):
        assert decimal_of(msgspec.Raw(text.encode())) == Decimal(value)
