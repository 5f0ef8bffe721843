"""Recorded frames of Kraken: all decode or are counted, books hold, ccxt reads the same."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, ClassVar, cast

import msgspec
import pytest

from tests.connectors.ears import answers, captured, hear, spot
from tests.connectors.recorded import Heard, lines, recorded, samples, unconnected
from tradeloom.connectors.contract import VenueBalance, VenueFill, VenueOrder
from tradeloom.connectors.dialect import BookRule
from tradeloom.connectors.instruments import Listing
from tradeloom.connectors.keeper import BookKeeper
from tradeloom.connectors.scaling import exact_points, exact_sizes
from tradeloom.connectors.venues.kraken import frames, orders
from tradeloom.connectors.venues.kraken.dialect import Kraken
from tradeloom.connectors.venues.kraken.listing import PairNames
from tradeloom.domain.enums import OrderState, Side
from tradeloom.domain.market import BookDelta, Level, TradeTick, VenueInstrument

PAIRS = [
    spot("kraken", "MATIC/USD", "MATIC", "USD", 4),
    spot("kraken", "BTC/USD", "BTC", "USD", 1),
    spot("kraken", "USDC/USD", "USDC", "USD", 4),
]


def ws_samples() -> list[dict[str, Any]]:
    """Frames of the sockets' second version: they have a channel, a method, or are REST's."""
    found = [frame for _, frame in samples("ccxt_samples_mit/kraken.jsonl")]
    return [frame for frame in found if isinstance(frame, dict)]


def test_every_frame_decodes_or_is_counted() -> None:
    """Both versions' frames, market and private, and those of Kraken's futures."""
    dialect, ears = unconnected(Kraken, PAIRS), Heard()
    rows = ws_samples() + [frame for _, frame in samples("crypto_msg_parser_apache2/kraken.jsonl")]
    for name in ("wsHandleData", "wsAllTrades"):
        rows += list(lines(f"gocryptotrader_mit/kraken/{name}.json"))
    stream = sorted((recorded() / "xchange_mit/xchange-stream-kraken").glob("*.json"))
    assert stream
    rows += [path.read_text() for path in stream]
    for number in (48, 49, 50):
        capture = captured(f"cryptofeed_xfree86/KRAKEN.ws.{number}.0.gz")
        rows += [json.loads(text) for _, text in capture]
    for frame in rows:
        hear(dialect.market_frame, frame, ears)
        hear(dialect.private_frame, frame, ears)
    kinds = Counter(type(event).__name__ for event in ears.events)
    assert kinds == {
        "BookDelta": 2, "TradeTick": 1, "VenueOrder": 1, "VenueFill": 1, "VenueBalance": 1,
    }  # fmt: skip
    assert ears.counts["odd: malformed"] > 6_000  # arrays of the first version, twice each


def test_frames_say_what_ccxt_reads_in_them() -> None:
    ccxt = pytest.importorskip("ccxt.pro")
    oracle = ccxt.kraken()
    markets = [_ccxt_market(each) for each in PAIRS]
    oracle.markets_by_id = {m["id"]: [m] for m in markets}
    oracle.markets = {m["symbol"]: m for m in markets}
    dialect = unconnected(Kraken, PAIRS)
    seen = Counter[str]()
    for frame in ws_samples():
        if frame.get("channel") == "trade":
            (ours,) = cast(list[TradeTick], hear(dialect.market_frame, frame, Heard()))
            theirs = oracle.parse_trade(frame["data"][0])
            assert Decimal(ours.price).scaleb(-ours.digits) == Decimal(str(theirs["price"]))
            assert Decimal(ours.size).scaleb(-8) == Decimal(str(theirs["amount"]))
            assert (ours.trade_id, ours.side and ours.side.name.lower()) == (
                theirs["id"],
                theirs["side"],
            )
            assert ours.venue_ns // 10**6 == theirs["timestamp"]
            seen["trade"] += 1
        elif frame.get("channel") == "executions":
            heard = hear(dialect.private_frame, frame, Heard())
            row = frame["data"][0]
            told = oracle.parse_ws_order(row)
            for order in (each for each in heard if isinstance(each, VenueOrder)):
                assert (order.venue_order_id, order.side.name.lower()) == (told["id"], told["side"])
                assert order.price == Decimal(str(told["price"]))
                assert order.volume == Decimal(str(told["amount"]))
                assert order.type.name.lower() == told["type"]
                seen["order"] += 1
            for fill in (each for each in heard if isinstance(each, VenueFill)):
                theirs = oracle.parse_ws_trade(row)
                assert fill.trade_id == theirs["id"]
                assert (fill.price, fill.volume) == (
                    Decimal(str(theirs["price"])),
                    Decimal(str(theirs["amount"])),
                )
                assert fill.fee == Decimal(str(theirs["fee"]["cost"]))
                assert (fill.fee_currency, fill.maker) == (
                    theirs["fee"]["currency"],
                    theirs["takerOrMaker"] == "maker",
                )
                seen["fill"] += 1
    assert seen == {"trade": 1, "order": 1, "fill": 1}


def _ccxt_market(at: VenueInstrument) -> dict[str, Any]:
    return {
        "id": at.base + at.quote, "symbol": at.wire, "base": at.base, "quote": at.quote,
        "baseId": at.base, "quoteId": at.quote, "wsId": at.wire, "spot": True, "type": "spot",
        "active": True, "contract": False, "precision": {"price": 0.0001, "amount": 1e-8},
        "taker": 0.0026, "maker": 0.0016, "settle": None, "linear": None, "inverse": None,
    }  # fmt: skip


def test_orders_and_trades_by_rest() -> None:
    dialect = cast(Kraken, unconnected(Kraken, []))
    names = dialect._names
    by_func = dict(samples("ccxt_samples_mit/kraken.jsonl"))
    pairs = {
        "USDCUSDT": ("USDC/USDT", "USDC", "USDT"),
        "XXBTZUSD": ("XBT/USD", "XXBT", "ZUSD"),
        "XBTUSDT": ("XBT/USDT", "XXBT", "USDT"),
    }
    listed = {
        name: frames.Pair(
            name.replace("XXBTZUSD", "XBTUSD"), base, quote, 4, 8, wsname=ws, tick_size="0.0001"
        )
        for name, (ws, base, quote) in pairs.items()
    }
    dialect.context.listings.load(names.load("kraken", listed))
    found = msgspec.convert(
        by_func["fetch_open_orders"]["result"], frames.OpenOrders, strict=False
    ).open
    (name, row), *_ = found.items()
    listing = dialect._listing(row.descr.pair)
    assert listing is not None
    order = orders.from_rest("kraken", "main", name, listing, row)
    assert (order.symbol, order.client_id, order.price) == ("BTCUSD", "1234", Decimal("70000.0"))
    assert (order.volume, order.state) == (Decimal("0.00010000"), OrderState.WORKING)
    closed = msgspec.convert(
        by_func["fetch_order"]["result"], dict[str, frames.Order], strict=False
    )
    (name, row), *_ = closed.items()
    listing = dialect._listing(row.descr.pair)
    assert listing is not None
    order = orders.from_rest("kraken", "main", name, listing, row)
    assert (order.state, order.side, order.filled) == (
        OrderState.FILLED, Side.SELL, Decimal("0.21804000"),
    )  # fmt: skip
    assert (order.average, order.price) == (Decimal("6851.5"), None)
    assert row.trades == ["TT5UC3-GOIRW-6AZZ6R"]
    history = msgspec.convert(
        by_func["fetch_order_trades"]["result"], dict[str, frames.MyTrade], strict=False
    )
    (fill,) = dialect._fills(history)
    assert (fill.trade_id, fill.venue_order_id) == ("TIMIRG-WUNNE-RRJ6GT", "OQRPN2-LRHFY-HIFA7D")
    assert (fill.price, fill.volume, fill.fee, fill.fee_currency) == (
        Decimal("0.99860000"), Decimal("22.20000000"), Decimal("0.04433784"), "USDT",
    )  # fmt: skip
    assert fill.venue_ns == 1586340086_457 * 10**6
    assert names.asset("XXBT") == "BTC"


def test_answers_recorded_by_others_decode() -> None:
    folder = recorded() / "xchange_mit/xchange-kraken"

    def result(name: str) -> Any:
        answer = msgspec.json.decode((folder / f"example-{name}.json").read_bytes())
        assert answer["error"] == []
        return answer["result"]

    def read(name: str, kind: Any) -> Any:
        return msgspec.convert(result(name), kind, strict=False)

    dialect = unconnected(Kraken, [])
    listed = dialect._names.load("kraken", read("assetpairs-data", dict[str, frames.Pair]))
    dialect.context.listings.load(listed)
    working = read("openorders-data", frames.OpenOrders).open
    for name, row in working.items():
        listing = dialect._listing(row.descr.pair)
        if listing is not None:
            order = orders.from_rest("kraken", "main", name, listing, row)
            assert (order.venue_order_id, order.state) == (name, OrderState.WORKING)
            assert order.volume == Decimal(row.vol)
    history = read("tradehistory-data", frames.TradesHistory).trades
    fills = dialect._fills(history)
    assert fills
    for fill in fills:
        told = history[fill.trade_id]
        assert (fill.price, fill.volume, fill.fee) == (told.price, told.vol, told.fee)
        assert abs(fill.venue_ns - told.time * 1e9) < 1_000
    assert len(read("krakenWebsocketToken-data", frames.Token).token) == 32
    assert read("addorder-response-data", dict[str, Any])["txid"]


def test_a_balance_of_the_stream() -> None:
    dialect = unconnected(Kraken, PAIRS)
    frame = next(f for f in ws_samples() if f.get("channel") == "balances")
    (balance,) = cast(list[VenueBalance], hear(dialect.private_frame, frame, Heard()))
    assert (balance.currency, balance.total, balance.free) == (
        "BTC",
        Decimal("1.2"),
        Decimal("1.2"),
    )


def test_all_recorded_pairs_are_listed() -> None:
    with_pairs = [body for _, body in answers("cryptofeed_xfree86/KRAKEN.0.gz")]
    result = json.loads(with_pairs[0])["result"]
    names = PairNames()
    found = names.load("kraken", msgspec.convert(result, dict[str, frames.Pair], strict=False))
    listed = {each.symbol: each for each in found}
    assert len(found) == sum(1 for row in result.values() if "wsname" in row)
    assert (listed["BTCUSD"].wire, listed["BTCUSD"].digits) == ("BTC/USD", 1)
    assert listed["BTCUSD"].volume_min == 20_000
    assert listed["DOGEUSD"].wire == "DOGE/USD"
    assert (names.rest["BTC/USD"], names.wire["XXBTZUSD"]) == ("XBTUSD", "BTC/USD")


# -- books of the first version ------------------------------------------------------------------


class OldBooks(Kraken):
    """The same rule on frames of the first version, whose snapshots carry no checksum."""

    book_rule: ClassVar[BookRule] = BookRule(depth=1_000, checksum=True)

    def checksum_fails(self, delta: BookDelta, bids: Sequence[Level], asks: Sequence[Level]) -> str:
        return "" if delta.snapshot else super().checksum_fails(delta, bids, asks)


def old_books() -> tuple[OldBooks, list[tuple[BookDelta, int]]]:
    """Every book frame of the recording as an event, with its checksum."""
    digits: dict[str, int] = {}
    events: list[tuple[BookDelta, int]] = []
    for when, text in captured("cryptofeed_xfree86/KRAKEN.ws.50.0.gz"):
        frame = json.loads(text)
        if not isinstance(frame, list):
            continue
        symbol = frame[-1].replace("/", "")
        merged: dict[str, Any] = {}
        for part in frame[1:-2]:
            merged |= part
        snapshot = "as" in merged
        if snapshot:
            digits[symbol] = len(merged["as"][0][0].partition(".")[2])
        bids, asks = (
            tuple(
                (exact_points(row[0], digits[symbol]), exact_sizes(row[1]))
                for row in merged.get(name, [])
            )
            for name in (("bs", "as") if snapshot else ("b", "a"))
        )
        event = BookDelta("kraken", symbol, digits[symbol], snapshot, bids, asks, 0, when)
        events.append((event, int(merged.get("c", 0))))
    listed = [spot("kraken", name, name, "", digits) for name, digits in digits.items()]
    return cast(OldBooks, unconnected(OldBooks, listed)), events


def keeper_of(dialect: OldBooks) -> tuple[BookKeeper, list[str], list[BookDelta]]:
    asked: list[str] = []
    delivered: list[BookDelta] = []

    async def resubscribe(symbol: str) -> None:
        asked.append(symbol)

    keeper = BookKeeper(
        dialect, lambda event, book, listing: delivered.append(event), lambda *_: None, resubscribe
    )
    return keeper, asked, delivered


def take(keeper: BookKeeper, dialect: OldBooks, event: BookDelta, checksum: int) -> None:
    dialect._checksums[event.symbol] = checksum
    listing: Listing = dialect.context.listings.named[event.symbol]
    keeper.take(event, listing)


async def test_every_recorded_book_frame_matches_its_checksum() -> None:
    dialect, events = old_books()
    keeper, asked, delivered = keeper_of(dialect)
    for event, checksum in events:
        take(keeper, dialect, event, checksum)
    assert sum(1 for _, checksum in events if checksum) == 3_072
    assert len(delivered) == len(events) == 3_079
    assert not keeper.counts
    assert not asked


@pytest.mark.parametrize("share", [0.02, 0.3, 0.8])
async def test_one_line_removed_is_exactly_one_resync(share: float) -> None:
    """A line of the ten best levels: deeper ones are not in the checksum until they rise."""
    dialect, events = old_books()
    missing = int(len(events) * share)
    while not _moves_the_checksum(events, missing):
        missing += 1
    whole, _, _ = keeper_of(dialect)
    broken, asked, _ = keeper_of(dialect)
    lost = events[missing][0]
    assert not lost.snapshot
    for index, (event, checksum) in enumerate(events):
        take(whole, dialect, event, checksum)
        if index == missing:
            continue
        take(broken, dialect, event, checksum)
        book = broken.books[event.symbol]
        if not book.whole and event.symbol == lost.symbol:
            # What subscribing anew brings: the venue's book as it is now.
            while not asked:
                await asyncio.sleep(0)
            fresh = whole.books[event.symbol].snapshot()
            assert fresh is not None
            take(broken, dialect, fresh, 0)
    for name, book in whole.books.items():
        assert broken.books[name].bids.top(0) == book.bids.top(0)
        assert broken.books[name].asks.top(0) == book.asks.top(0)
    assert asked == [lost.symbol]
    assert (broken.counts["gaps"], broken.counts["resyncs"]) == (1, 1)
    await broken.close()


def _moves_the_checksum(events: list[tuple[BookDelta, int]], index: int) -> bool:
    """And the next line of its pair does not undo it."""
    event, checksum = events[index]
    before = [c for e, c in events[:index] if e.symbol == event.symbol and c]
    after = next(e for e, _ in events[index + 1 :] if e.symbol == event.symbol)
    prices = {price for price, _ in (*event.bids, *event.asks)}
    undone = prices & {price for price, _ in (*after.bids, *after.asks)}
    return not event.snapshot and bool(before) and before[-1] != checksum and not undone


def test_sizes_of_any_length_stay_exact() -> None:
    """A million million coins with eight decimals has more digits than a float."""
    dialect = unconnected(Kraken, [spot("kraken", "PEPE/USD", "PEPE", "USD", 9)])
    frame = (
        '{"channel":"book","type":"update","data":[{"symbol":"PEPE/USD","bids":[{"price":'
        '0.000010771,"qty":20123456789.12345678}],"asks":[{"price":0.000010772,"qty":0}],'
        '"checksum":1}]}'
    )
    (delta,) = cast(list[BookDelta], hear(dialect.market_frame, frame, Heard()))
    assert delta.bids == ((10771, 2012345678912345678),)
    assert delta.asks == ((10772, 0),)


def test_the_short_and_the_long_way_read_the_same() -> None:
    ticker = {
        "symbol": "BTC/USD", "bid": 61800.1, "bid_qty": 0.12345678, "ask": 61800.2,
        "ask_qty": 3.0, "last": 1.0, "timestamp": "2024-08-08T12:00:00.123456Z",
    }  # fmt: skip
    trade = {
        "symbol": "BTC/USD", "side": "sell", "price": 61800.1, "qty": 0.04561994,
        "ord_type": "market", "trade_id": 7, "timestamp": "2025-05-27T11:24:03.847761Z",
    }  # fmt: skip
    for channel, row in (("ticker", ticker), ("trade", trade)):
        short = {"channel": channel, "type": "update", "data": [row]}
        turned = {"type": "update", "data": [dict(reversed(row.items()))], "channel": channel}
        both = [
            hear(unconnected(Kraken, PAIRS).market_frame, frame, Heard())
            for frame in (short, turned)
        ]
        assert both[0] == both[1]
        assert len(both[0]) == 1
