"""Recorded Deribit frames: all are understood, and ccxt reads the same from them."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from tests.connectors.recorded import Heard, NoLink, lines, samples, unconnected
from tradeloom.connectors.contract import VenueFill, VenueOrder
from tradeloom.connectors.dialect import OddFrame
from tradeloom.connectors.scaling import OffGrid, price_text, size_text
from tradeloom.connectors.venues.deribit import frames as f
from tradeloom.connectors.venues.deribit import orders
from tradeloom.connectors.venues.deribit.dialect import Deribit
from tradeloom.connectors.venues.deribit.signing import client_signature, rest_signature
from tradeloom.domain.enums import OrderState, Side
from tradeloom.domain.market import (
    BookDelta,
    BookQuote,
    Funding,
    InstrumentKind,
    TradeTick,
    VenueInstrument,
)


def listed(wire: str, digits: int = 4) -> VenueInstrument:
    """Any instrument of the recordings, as a listing fine enough for it."""
    return VenueInstrument(
        venue="deribit", symbol=wire, wire=wire, kind=InstrumentKind.PERPETUAL, base="BTC",
        quote="USD", settle="BTC", digits=digits, tick=1, step=10**8,
    )  # fmt: skip


def all_frames() -> Iterator[Any]:
    """Everything that Deribit ever sent in the recordings, over sockets."""
    for name in ("ccxt_samples_mit/deribit.jsonl", "crypto_msg_parser_apache2/deribit.jsonl"):
        for _, frame in samples(name):
            if "jsonrpc" in frame and ("id" in frame or "method" in frame):
                yield frame
    for line in lines("gocryptotrader_mit/deribit/wsAllTrades.json"):
        yield msgspec.json.decode(line)
    for line in lines("cryptofeed_xfree86/DERIBIT.ws.1.0.gz"):
        stamp, _, text = line.partition(": ")
        if stamp.replace(".", "").isdigit():
            yield msgspec.json.decode(text)


def dialect() -> Any:
    names = set()
    for frame in all_frames():
        channel = (frame.get("params") or {}).get("channel", "")
        if channel.count(".") and not channel.startswith("user."):
            names.add(channel.split(".")[2 if channel.startswith("chart.") else 1])
    names |= {"BTC-PERPETUAL"}
    return unconnected(Deribit, [listed(name) for name in sorted(names)])


def text_of(frame: Any) -> str:
    return msgspec.json.encode(frame).decode()


def test_every_recorded_frame_is_understood_or_counted() -> None:
    ours, heard, link = dialect(), Heard(), NoLink()
    total = 0
    for frame in all_frames():
        total += 1
        private = str((frame.get("params") or {}).get("channel", "")).startswith("user.")
        feed = ours.private_frame if private else ours.market_frame
        before = len(heard.events) + sum(heard.counts.values())
        feed(text_of(frame), 1, heard, link)
        assert len(heard.events) + sum(heard.counts.values()) > before, frame
    assert total > 100
    assert heard.of(BookDelta)
    assert heard.of(BookQuote)
    assert heard.of(TradeTick)
    assert heard.of(Funding)
    assert heard.of(VenueFill)
    assert heard.of(VenueOrder)


def test_the_order_of_keys_does_not_matter() -> None:
    frame = {
        "params": {
            "data": {
                "best_ask_amount": 2400.0, "best_ask_price": 32503.5, "best_bid_amount": 2370.0,
                "best_bid_price": 32499.0, "instrument_name": "BTC-PERPETUAL",
                "timestamp": 1654012570801,
            },
            "channel": "quote.BTC-PERPETUAL",
        },
        "method": "subscription",
        "jsonrpc": "2.0",
    }  # fmt: skip
    heard = Heard()
    dialect().market_frame(text_of(frame), 7, heard, NoLink())
    (quote,) = heard.of(BookQuote)
    assert quote == BookQuote(
        "deribit", "BTC-PERPETUAL", 4, 324990000, 325035000, 2370 * 10**8, 2400 * 10**8,
        1654012570801 * 10**6, 7,
    )  # fmt: skip


def test_an_empty_side_is_no_price() -> None:
    frame = (
        '{"jsonrpc":"2.0","method":"subscription","params":{"channel":"quote.BTC-PERPETUAL",'
        '"data":{"timestamp":1,"instrument_name":"BTC-PERPETUAL","best_bid_price":null,'
        '"best_bid_amount":0.0,"best_ask_price":9.5,"best_ask_amount":1.0}}}'
    )
    heard = Heard()
    dialect().market_frame(frame, 1, heard, NoLink())
    assert heard.of(BookQuote)[0].bid == 0


@pytest.mark.parametrize(
    "frame",
    [
        '{"jsonrpc":"2.0","method":"nothing"}',
        "[]",
        '{"jsonrpc":"2.0","method":"subscription","params":{"channel":"quote.BTC-PERPETUAL","data":{}}}',
        '{"jsonrpc":"2.0","method":"subscription","params":{"channel":"quote.BTC-PERPETUAL","da',
    ],
)
def test_bad_frames_are_odd_and_guess_nothing(frame: str) -> None:
    heard = Heard()
    with pytest.raises((OddFrame, ValueError)):
        dialect().market_frame(frame, 1, heard, NoLink())
    assert not heard.events


def test_a_price_between_two_steps_is_refused() -> None:
    heard = Heard()
    ours = unconnected(Deribit, [listed("BTC-PERPETUAL", 1)])
    frame = {
        "jsonrpc": "2.0",
        "method": "subscription",
        "params": {
            "channel": "quote.BTC-PERPETUAL",
            "data": {
                "timestamp": 1, "instrument_name": "BTC-PERPETUAL", "best_bid_price": 32499.55,
                "best_bid_amount": 1, "best_ask_price": 32503.5, "best_ask_amount": 1,
            },
        },
    }  # fmt: skip
    with pytest.raises(OffGrid):
        ours.market_frame(text_of(frame), 1, heard, NoLink())


def test_trades_equal_what_ccxt_reads() -> None:
    ccxt = pytest.importorskip("ccxt")
    oracle = ccxt.deribit()
    ours, compared = dialect(), 0
    for frame in all_frames():
        params = frame.get("params") or {}
        if not str(params.get("channel", "")).startswith("trades."):
            continue
        heard = Heard()
        ours._trade_seqs.clear()
        ours.market_frame(text_of(frame), 1, heard, NoLink())
        for tick, row in zip(heard.of(TradeTick), params["data"], strict=True):
            theirs = oracle.parse_trade(row, oracle.safe_market("BTC-PERPETUAL"))
            assert price_text(tick.price, tick.digits) == Decimal(str(theirs["price"]))
            assert size_text(tick.size) == Decimal(str(theirs["amount"]))
            assert tick.trade_id == theirs["id"]
            assert tick.side is (Side.BUY if theirs["side"] == "buy" else Side.SELL)
            assert tick.venue_ns == theirs["timestamp"] * 10**6
            compared += 1
    assert compared >= 5


def test_executions_and_orders_equal_what_ccxt_reads() -> None:
    ccxt = pytest.importorskip("ccxt")
    oracle = ccxt.deribit()
    market = oracle.safe_market("BTC-PERPETUAL")
    listing = dialect().context.listings.find("BTC-PERPETUAL")
    fills = rows = 0
    for func, frame in samples("ccxt_samples_mit/deribit.jsonl"):
        if func == "handle_my_trades":
            for row in frame["params"]["data"]:
                fill = orders.fill_of("a", listing, msgspec.convert(row, f.UserTrade), 1)
                theirs = oracle.parse_trade(row, market)
                assert (fill.trade_id, fill.venue_order_id) == (theirs["id"], theirs["order"])
                assert fill.price == Decimal(str(theirs["price"]))
                assert fill.fee == Decimal(str(theirs["fee"]["cost"]))
                assert fill.fee_currency == theirs["fee"]["currency"]
                assert fill.maker is (theirs["takerOrMaker"] == "maker")
                fills += 1
        found = []
        if func == "handle_orders":
            found = [frame["params"]["data"]]
        elif func == "create_order":
            found = [frame["result"]["order"]]
        elif func == "parse_order":
            found = [frame]
        for row in found:
            raw = msgspec.json.decode(msgspec.json.encode(row), type=f.Order)
            order = orders.order_of("a", listing, raw)
            theirs = oracle.parse_order(row, market)
            assert order.venue_order_id == theirs["id"]
            assert order.volume == Decimal(str(theirs["amount"]))
            assert order.filled == Decimal(str(theirs["filled"]))
            assert order.average == (Decimal(str(theirs["average"])) if order.filled else None)
            word = {OrderState.FILLED: "closed", OrderState.WORKING: "open"}[order.state]
            assert word == theirs["status"]
            rows += 1
    assert (fills, rows) == (1, 3)


def test_the_recorded_book_holds_together() -> None:
    ours, heard = dialect(), Heard()
    last: dict[str, BookDelta] = {}
    followed = 0
    for line in lines("cryptofeed_xfree86/DERIBIT.ws.1.0.gz"):
        stamp, _, text = line.partition(": ")
        if not stamp.replace(".", "").isdigit() or '"book.' not in text[:120]:
            continue
        ours.market_frame(text, 1, heard, NoLink())
        delta = heard.of(BookDelta)[-1]
        if not delta.snapshot:
            assert ours.follows(last[delta.symbol], delta)
            broken = msgspec.structs.replace(delta, previous=delta.previous + 1)
            assert not ours.follows(last[delta.symbol], broken)
            followed += 1
        last[delta.symbol] = delta
    assert followed > 20


def test_signatures_equal_the_published_vectors() -> None:
    expected = "2730d8e615fd5e14984c4ccd4fb450b5ac245c30e3fc3bb2841a80689437ec76"
    assert client_signature("SECRET", 1700000000000, "abcd") == expected
    uri = "/api/v2/private/get_account_summary?currency=BTC"
    expected = "b57eee0304ee626e7f5f4aa59f35b123853508aaed83c1de66eb0ca83d4acde9"
    assert rest_signature("SECRET", 1700000000000, "abcd", "GET", uri) == expected
