"""Recorded Backpack frames: all are understood, and ccxt reads the same from them."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from tests.connectors.recorded import Heard, NoLink, samples, unconnected
from tradeloom.connectors.contract import VenueFill, VenueOrder, VenuePosition
from tradeloom.connectors.dialect import OddFrame
from tradeloom.connectors.link import LoginRefused
from tradeloom.connectors.profile import Credentials
from tradeloom.connectors.scaling import price_text, size_text
from tradeloom.connectors.venues.backpack import frames as f
from tradeloom.connectors.venues.backpack import orders
from tradeloom.connectors.venues.backpack.dialect import Backpack
from tradeloom.connectors.venues.backpack.signing import Signer
from tradeloom.domain.market import BookDelta, BookQuote, InstrumentKind, VenueInstrument

SEED = "sKmC5939f6W9/viyhwyaNHa0f7j5wSMvZsysW5BB9L4="
PUBLIC = "1dCOvaOfUlYl8m8gNNUUA2cs9VZyaSD9vuwNgi944uM="
_PRIVATE = ("order", "position")


def listed(wire: str, digits: int) -> VenueInstrument:
    base, quote, *perpetual = wire.split("_")
    return VenueInstrument(
        venue="backpack", symbol=f"{base}{quote}{'-PERP' if perpetual else ''}", wire=wire,
        kind=InstrumentKind.PERPETUAL if perpetual else InstrumentKind.SPOT, base=base,
        quote=quote, settle=quote, digits=digits, tick=1, step=1000,
    )  # fmt: skip


def dialect() -> Any:
    markets = [listed("ETH_USDC", 2), listed("ETH_USDC_PERP", 2), listed("BTC_USDC_PERP", 1)]
    return unconnected(Backpack, markets, Credentials("demo", {}))


def streamed() -> Iterator[tuple[str, Any]]:
    """Frames of streams as they were on the wire: payloads get their envelope back."""
    for func, frame in samples("ccxt_samples_mit/backpack.jsonl"):
        if "stream" in frame:
            yield func, frame
        elif isinstance(frame, dict) and "e" in frame and "s" in frame:
            kind = frame["e"]
            if kind.startswith("order"):
                yield func, {"stream": "account.orderUpdate", "data": frame}
            elif kind.startswith("position"):
                yield func, {"stream": "account.positionUpdate", "data": frame}
            elif kind == "kline":
                yield func, {"stream": f"kline.2h.{frame['s']}", "data": frame}
            else:
                yield func, {"stream": f"{kind}.{frame['s']}", "data": frame}


def text_of(frame: Any) -> str:
    return msgspec.json.encode(frame).decode()


def test_every_recorded_frame_is_understood_or_counted() -> None:
    heard, link, total = Heard(), NoLink(), 0
    for func, frame in streamed():
        ours = dialect()
        total += 1
        before = len(heard.events) + sum(heard.counts.values())
        private = frame["stream"].startswith("account.")
        (ours.private_frame if private else ours.market_frame)(text_of(frame), 1, heard, link)
        assert len(heard.events) + sum(heard.counts.values()) > before, func
    assert total >= 10
    for kind in (BookQuote, BookDelta, VenueOrder, VenueFill, VenuePosition):
        assert heard.of(kind), kind


def test_numbers_written_as_text_or_not() -> None:
    heard, link = Heard(), NoLink()
    for u, stamp in (('"7"', '"1754517402449064"'), ("8", "1754517402449064")):
        dialect().market_frame(
            '{"stream":"bookTicker.ETH_USDC","data":{"e":"bookTicker","E":1,"s":"ETH_USDC",'
            f'"a":"3667.50","A":"0.4087","b":"3667.49","B":"0.0020","u":{u},"T":{stamp}}}}}',
            5, heard, link,
        )  # fmt: skip
    first, second = heard.of(BookQuote)
    assert (first.bid, first.ask, first.ask_size) == (366749, 366750, 40870000)
    assert first.venue_ns == second.venue_ns == 1754517402449064000
    assert (first.seq, second.seq) == (7, 8)


@pytest.mark.parametrize(
    "text",
    [
        '{"stream":"nothing.ETH_USDC","data":{}}',
        '{"stream":"trade.XYZ_USDC","data":{}}',
        '{"id":null,"error":{"code":4006,"message":"Invalid stream"}}',
        '{"stream":"trade.ETH_USDC","data":{"p":"1"',
        "5",
    ],
)
def test_bad_frames_are_odd_and_guess_nothing(text: str) -> None:
    heard = Heard()
    with pytest.raises((OddFrame, ValueError)):
        dialect().market_frame(text, 1, heard, NoLink())
    assert not heard.events


def test_quotes_and_fills_equal_what_ccxt_reads() -> None:
    pro = pytest.importorskip("ccxt.pro")
    oracle = pro.backpack()
    compared = 0
    for func, frame in streamed():
        heard = Heard()
        private = frame["stream"].startswith("account.")
        ours = dialect()
        (ours.private_frame if private else ours.market_frame)(text_of(frame), 1, heard, NoLink())
        if func in ("handle_bid_ask", "parse_ws_bid_ask"):
            theirs = oracle.parse_ws_bid_ask(frame["data"])
            (quote,) = heard.of(BookQuote)
            for price, name in ((quote.bid, "bid"), (quote.ask, "ask")):
                assert price_text(price, quote.digits) == Decimal(str(theirs[name]))
            assert size_text(quote.bid_size) == Decimal(str(theirs["bidVolume"]))
            assert size_text(quote.ask_size) == Decimal(str(theirs["askVolume"]))
            compared += 1
        if func == "parse_ws_order":
            theirs = oracle.parse_ws_order(frame["data"])
            (order,) = heard.of(VenueOrder)
            (fill,) = heard.of(VenueFill)
            assert order.venue_order_id == theirs["id"]
            assert order.volume == Decimal(str(theirs["amount"]))
            assert order.filled == Decimal(str(theirs["filled"]))
            assert fill.fee_currency == theirs["fee"]["currency"]
            assert fill.fee == Decimal("0.000001")
            compared += 1
    assert compared == 3


def test_rest_rows_equal_what_ccxt_reads() -> None:
    ccxt = pytest.importorskip("ccxt")
    oracle = ccxt.backpack()
    context = dialect().context
    compared = 0
    for func, frame in samples("ccxt_samples_mit/backpack.jsonl"):
        raw = msgspec.json.encode(frame)
        if func == "parse_trade" and "tradeId" in frame:
            theirs = oracle.parse_trade(frame)
            listing = context.listings.find(frame["symbol"])
            row = msgspec.json.decode(raw, type=f.Fill, strict=False)
            fill = orders.fill_of("a", listing, row, 1)
            assert (fill.trade_id, fill.venue_order_id) == (theirs["id"], theirs["order"])
            assert fill.price == Decimal(str(theirs["price"]))
            assert fill.volume == Decimal(str(theirs["amount"]))
            assert fill.fee == Decimal(str(theirs["fee"]["cost"]))
            assert fill.venue_ns == theirs["timestamp"] * 10**6
            compared += 1
        if func == "parse_order":
            theirs = oracle.parse_order(frame)
            listing = context.listings.find(frame["symbol"])
            reply = msgspec.json.decode(raw, type=f.Order, strict=False)
            order = orders.from_reply("a", listing, reply)
            assert order.venue_order_id == theirs["id"]
            assert order.volume == Decimal(str(theirs["amount"]))
            assert order.filled == Decimal(str(theirs["filled"]))
            assert order.client_id == (theirs["clientOrderId"] or "")
            compared += 1
    assert compared == 3


def test_signatures_equal_the_vectors() -> None:
    signer = Signer(PUBLIC, SEED)
    params = {
        "symbol": "BTC_USDC", "side": "Bid", "orderType": "Limit", "price": "20000",
        "quantity": "0.01", "postOnly": True,
    }  # fmt: skip
    expected = (
        "59BO3iQwETR82lFlP8yXo7dac0tbiWYLDbdSsJ/hf6EeQXWFY1/qT4KaQ7vF+v8ZO3g8Llsc0lDhBYrhBjXnDA=="
    )
    assert signer.sign("orderExecute", params, 1700000000000, 5000) == expected
    expected = (
        "QvxpF3EwDfNccMxJqeQuDwz47tNLASOJW5Npk3eWqS2Xa66oOzmSzvq54kKfCHEPeDYmI80//RKoOuRljeEjCg=="
    )
    assert signer.sign("subscribe", {}, 1700000000000, 5000) == expected
    with pytest.raises(LoginRefused, match="do not belong together"):
        Signer(PUBLIC[:-2] + "0=", SEED)


def test_client_ids_become_numbers_that_survive_a_restart() -> None:
    ids = {orders.wire_id(f"algo-{number}") for number in range(1_000)}
    assert len(ids) == 1_000
    assert all(0 < int(each) < 2**32 for each in ids)
    assert orders.wire_id("a-1") == orders.wire_id("a-1") == "3349160656"
