"""Recorded frames of Coinbase: all decode or are counted, books hold, ccxt reads the same."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from decimal import Decimal
from typing import Any, cast

import msgspec
import pytest

from tests.connectors.ears import answers, captured, hear, spot
from tests.connectors.recorded import Heard, NoLink, samples, unconnected
from tradeloom.connectors.contract import VenueFill, VenueOrder
from tradeloom.connectors.dialect import Dialect
from tradeloom.connectors.keeper import BookKeeper
from tradeloom.connectors.venues.coinbase import frames, orders
from tradeloom.connectors.venues.coinbase.dialect import Coinbase
from tradeloom.connectors.venues.coinbase.market import _instrument
from tradeloom.domain.enums import OrderState, OrderType, Side
from tradeloom.domain.market import BookDelta, Topic, TradeTick, VenueInstrument

SAMPLES = "ccxt_samples_mit/coinbase.jsonl"
PAIRS = [
    spot("coinbase", "ETH-USD", "ETH", "USD", 2),
    spot("coinbase", "BTC-USD", "BTC", "USD", 2),
    spot("coinbase", "BTC-USDT", "BTC", "USDT", 2),
    spot("coinbase", "LTC-BTC", "LTC", "BTC", 6),
]


def subscribed() -> Dialect:
    """A dialect that wants everything of these pairs."""
    dialect = cast(Dialect, unconnected(Coinbase, PAIRS))
    dialect.market_links({each.symbol: frozenset(Topic) for each in PAIRS})
    return dialect


def ws_samples() -> list[dict[str, Any]]:
    found = [frame for _, frame in samples(SAMPLES)]
    return [frame for frame in found if isinstance(frame, dict) and "channel" in frame]


def renumbered(frame: dict[str, Any], number: int) -> dict[str, Any]:
    """Samples come from many connections; here they are one."""
    return {**frame, "sequence_num": number}


def test_every_frame_decodes_or_is_counted() -> None:
    dialect, heard = subscribed(), Heard()
    every = [frame for _, frame in samples(SAMPLES)]
    every += [frame for _, frame in samples("ccxt_samples_mit/coinbaseexchange.jsonl")]
    every += [json.loads(t) for _, t in captured("cryptofeed_xfree86/COINBASE.ws.28.0.gz")]
    for number, frame in enumerate(every):
        given = renumbered(frame, number) if isinstance(frame, dict) else frame
        hear(dialect.market_frame, given, heard)
        hear(dialect.private_frame, given, heard)
    assert Counter(type(event).__name__ for event in heard.events) == {
        "BookDelta": 1,
        "VenueOrder": 1,
    }
    assert heard.counts["trade before we came"] == 1
    assert heard.counts["odd: channel "] > 8_000  # the older feed has types instead of channels
    assert all(kind.startswith(("odd: ", "gap: ", "reconcile: ")) or count < 10
               for kind, count in heard.counts.items())  # fmt: skip


def test_frames_say_what_ccxt_reads_in_them() -> None:
    ccxt = pytest.importorskip("ccxt.pro")
    oracle = ccxt.coinbase()
    markets = [_ccxt_market(each) for each in PAIRS]
    oracle.markets_by_id = {m["id"]: [m] for m in markets}
    oracle.markets = {m["symbol"]: m for m in markets}
    seen = Counter[str]()
    for frame in ws_samples():
        event = frame["events"][0] if frame.get("events") else {}
        if frame["channel"] == "market_trades":
            update = {**frame, "events": [{**event, "type": "update"}]}
            (row,) = event["trades"]
            row["trade_id"] = row["trade_id"].replace("000000000", "7")
            (ours,) = cast(list[TradeTick], hear(subscribed().market_frame, update, Heard()))
            theirs = oracle.parse_trade(row)
            assert Decimal(ours.price).scaleb(-2) == Decimal(str(theirs["price"]))
            assert Decimal(ours.size).scaleb(-8) == Decimal(str(theirs["amount"]))
            assert (ours.trade_id, ours.side) == (theirs["id"], Side[theirs["side"].upper()])
            assert ours.venue_ns // 10**6 == theirs["timestamp"]
            seen["trade"] += 1
        elif frame["channel"] == "user":
            (order,) = cast(list[VenueOrder], hear(subscribed().private_frame, frame, Heard()))
            told = oracle.parse_ws_order(event["orders"][0])
            assert (order.venue_order_id, order.client_id) == (told["id"], told["clientOrderId"])
            assert order.side is Side[told["side"].upper()]
            assert order.filled == Decimal(str(told["filled"]))
            assert order.volume - order.filled == Decimal(str(told["remaining"]))
            assert (order.state, told["status"]) == (OrderState.WORKING, "open")
            seen["order"] += 1
        elif frame["channel"] == "l2_data":
            (delta,) = cast(list[BookDelta], hear(subscribed().market_frame, frame, Heard()))
            assert delta.snapshot
            bids = [[str(p / 100), str(s / 1e8)] for p, s in delta.bids]
            assert bids == [
                [str(float(r["price_level"])), str(float(r["new_quantity"]))]
                for r in event["updates"]
            ]
            seen["book"] += 1
    assert seen == {"trade": 1, "order": 1, "book": 1}


def test_fills_and_orders_by_rest_say_what_ccxt_reads() -> None:
    ccxt = pytest.importorskip("ccxt.pro")
    oracle = ccxt.coinbase()
    markets = [_ccxt_market(each) for each in PAIRS]
    oracle.markets_by_id = {m["id"]: [m] for m in markets}
    oracle.markets = {m["symbol"]: m for m in markets}
    listings = subscribed().context.listings.wire
    by_func = dict(samples(SAMPLES))
    raw = by_func["fetch_my_trades"]["fills"][0]
    row = msgspec.convert(raw, frames.Fill, strict=False)
    fill: VenueFill = orders.fill_of("coinbase", "main", listings[row.product_id], row, 1)
    theirs = oracle.parse_trade(raw)
    assert (fill.trade_id, fill.venue_order_id) == (theirs["id"], theirs["order"])
    assert float(fill.price) == pytest.approx(theirs["price"], rel=1e-9)  # theirs is divided back
    assert fill.fee == Decimal(str(theirs["fee"]["cost"]))
    assert fill.fee_currency == theirs["fee"]["currency"]
    # Ordered for money: the size is in the quote currency, and we tell coins.
    assert fill.volume == (row.size / row.price).quantize(Decimal("1e-8"))
    for func, key in (("fetch_order", "order"), ("fetch_orders_by_status", "orders")):
        raw = by_func[func][key]
        raw = raw[0] if isinstance(raw, list) else raw
        found = msgspec.convert(raw, frames.Order, strict=False)
        order = orders.from_rest("coinbase", "main", listings[found.product_id], found)
        told = oracle.parse_order(raw)
        assert (order.venue_order_id, order.client_id) == (told["id"], told["clientOrderId"])
        assert (order.side, order.type) == (
            Side[told["side"].upper()],
            OrderType[told["type"].upper()],
        )
        assert float(order.filled) == pytest.approx(told["filled"])
        assert (order.price is None) == (told["type"] == "market")


def _ccxt_market(at: VenueInstrument) -> dict[str, Any]:
    return {
        "id": at.wire, "symbol": f"{at.base}/{at.quote}", "base": at.base, "quote": at.quote,
        "baseId": at.base, "quoteId": at.quote, "spot": True, "type": "spot", "active": True,
        "contract": False, "precision": {"price": 0.01, "amount": 1e-8}, "taker": 0.006,
        "maker": 0.004, "settle": None, "linear": None, "inverse": None,
    }  # fmt: skip


def test_products_are_named_and_scaled() -> None:
    rows = [
        frame
        for func, frame in samples(SAMPLES)
        if func in ("fetch_markets_v3", "parse_spot_market") and "product_id" in frame
    ]
    listed = [_instrument("coinbase", msgspec.convert(row, frames.Product)) for row in rows]
    btc, tone = listed
    assert (btc.symbol, btc.wire, btc.digits, btc.tick, btc.step) == (
        "BTCUSD", "BTC-USD", 2, 1, 1,
    )  # fmt: skip
    assert (btc.notional_min, btc.volume_max) == (Decimal(1), 3_400 * 10**8)
    assert (tone.digits, tone.step, tone.volume_min) == (5, 10**8, 2_671_871_472)


def test_an_aliased_product_gets_the_data_of_the_other() -> None:
    both = [PAIRS[1], spot("coinbase", "BTC-USDC", "BTC", "USDC", 2)]
    dialect = unconnected(Coinbase, both)
    dialect._aliases = {"BTC-USDC": "BTC-USD"}
    wanted = {"BTCUSD": frozenset({Topic.TRADES}), "BTCUSDC": frozenset({Topic.TRADES})}
    (plan,) = dialect.market_links(wanted)
    assert dialect.subscriptions(plan, wanted) == ["market_trades BTC-USD"]
    trade = {
        "trade_id": "7", "product_id": "BTC-USD", "price": "17488.12", "size": "0.5",
        "side": "BUY", "time": "2023-01-11T00:52:37.557001Z",
    }  # fmt: skip
    frame = {
        "channel": "market_trades", "timestamp": "2023-01-11T00:52:37.6Z", "sequence_num": 0,
        "events": [{"type": "update", "trades": [trade]}],
    }  # fmt: skip
    heard = hear(dialect.market_frame, frame, Heard())
    assert [each.symbol for each in heard] == ["BTCUSD", "BTCUSDC"]


# -- the older Exchange feed, told in the words of Advanced Trade ---------------------------------


def retold() -> tuple[list[VenueInstrument], list[dict[str, Any]]]:
    """The recording of 2021 as frames of level2 and market_trades, numbered."""
    (_, products), *_ = answers("cryptofeed_xfree86/COINBASE.0.gz")
    digits = {r["id"]: len(r["quote_increment"].partition(".")[2]) for r in json.loads(products)}
    told: list[dict[str, Any]] = []
    names: dict[str, None] = {}
    for _, text in captured("cryptofeed_xfree86/COINBASE.ws.28.0.gz"):
        row = json.loads(text)
        event = _event(row)
        if event is None:
            continue
        names[row["product_id"]] = None
        channel = "market_trades" if "trades" in event else "l2_data"
        told.append(
            {
                "channel": channel,
                "client_id": "",
                "timestamp": row.get("time", ""),
                "sequence_num": len(told),
                "events": [event],
            }
        )
    pairs = [name.split("-") for name in names]
    listed = [
        spot("coinbase", f"{base}-{quote}", base, quote, digits[f"{base}-{quote}"])
        for base, quote in pairs
    ]
    return listed, told


def _event(row: dict[str, Any]) -> dict[str, Any] | None:
    def levels(side: str, rows: list[list[str]]) -> list[dict[str, str]]:
        return [{"side": side, "price_level": p, "new_quantity": s} for p, s in rows]

    if row["type"] == "snapshot":
        both = levels("bid", row["bids"]) + levels("offer", row["asks"])
        return {"type": "snapshot", "product_id": row["product_id"], "updates": both}
    if row["type"] == "l2update":
        changes = [
            change
            for side, price, size in row["changes"]
            for change in levels("bid" if side == "buy" else "offer", [[price, size]])
        ]
        return {"type": "update", "product_id": row["product_id"], "updates": changes}
    if row["type"] == "match":
        taker = "SELL" if row["side"] == "buy" else "BUY"
        fields = ("product_id", "price", "size", "time")
        trade = {name: row[name] for name in fields} | {"side": taker}
        return {"type": "update", "trades": [{**trade, "trade_id": str(row["trade_id"])}]}
    return None


async def test_recorded_books_and_trades_hold() -> None:
    listed, told = retold()
    dialect = unconnected(Coinbase, listed)
    dialect.market_links({each.symbol: frozenset(Topic) for each in listed})
    gaps: list[str] = []

    async def resubscribe(symbol: str) -> None:
        gaps.append(symbol)

    keeper = BookKeeper(dialect, lambda *_: None, lambda *_: None, resubscribe)
    heard = Heard()
    named = dialect.context.listings.named
    for frame in told:
        for event in hear(dialect.market_frame, frame, heard):
            if isinstance(event, BookDelta):
                keeper.take(event, named[event.symbol])
    kinds = Counter(type(event).__name__ for event in heard.events)
    assert kinds == {"BookDelta": 8_498, "TradeTick": 88}
    assert not gaps
    assert not keeper.counts
    assert not [kind for kind in heard.counts if kind.startswith(("odd", "gap"))]
    await keeper.close()


def test_one_line_removed_is_one_gap_of_each_book() -> None:
    listed, told = retold()
    dialect = unconnected(Coinbase, listed)
    dialect.market_links({each.symbol: frozenset(Topic) for each in listed})
    heard = Heard()
    for frame in told[:4_000] + told[4_001:]:
        hear(dialect.market_frame, frame, heard)
    (gap,) = [kind for kind in heard.counts if kind.startswith("gap")]
    assert heard.counts[gap] == len(listed)


def test_the_sequence_starts_over_with_the_connection() -> None:
    dialect = subscribed()
    frame = next(f for f in ws_samples() if f["channel"] == "l2_data")
    assert hear(dialect.market_frame, renumbered(frame, 0), Heard())
    assert not hear(dialect.market_frame, renumbered(frame, 0), Heard())

    class Sent(NoLink):
        async def send(self, frame: str) -> None:
            assert "heartbeats" in frame

    asyncio.run(dialect.open_market(cast(Any, Sent())))
    assert hear(dialect.market_frame, renumbered(frame, 0), Heard())
