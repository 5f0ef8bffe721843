"""Every recorded Binance frame: read exactly, counted, or refused; never guessed."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from tests.connectors.ears import answers, captured, hear
from tests.connectors.recorded import Heard, recorded, samples, unconnected
from tradeloom.connectors.books import Book
from tradeloom.connectors.contract import VenueFill, VenueOrder
from tradeloom.connectors.instruments import Listing
from tradeloom.connectors.keeper import BookKeeper
from tradeloom.connectors.profile import Credentials, Need
from tradeloom.connectors.venues.binance import frames
from tradeloom.connectors.venues.binance.dialect import BinanceSpot
from tradeloom.connectors.venues.binance.listing import instruments_of
from tradeloom.connectors.venues.binance.usdm import BinanceUsdm
from tradeloom.domain.enums import OrderState, Side
from tradeloom.domain.market import (
    BookDelta,
    BookQuote,
    InstrumentKind,
    TradeTick,
    VenueInstrument,
)

SPOT, USDM = "hftbacktest_mit/spot/btcusdt_20240808.gz", "hftbacktest_mit/usdm/btcusdt_20240808.gz"
KEYS = Credentials("main", {Need.KEY: "key", Need.SECRET: "secret"})


def listed(venue: str, wire: str, digits: int) -> VenueInstrument:
    perpetual = venue.endswith("usdm")
    return VenueInstrument(
        venue=venue,
        symbol=f"{wire}-PERP" if perpetual else wire,
        wire=wire,
        kind=InstrumentKind.PERPETUAL if perpetual else InstrumentKind.SPOT,
        base=wire[:3],
        quote="USDT",
        settle="USDT",
        digits=digits,
        tick=1,
        step=1,
    )


def dialect(kind: type[BinanceSpot], *wires: str, digits: int = 8) -> Any:
    venue = kind.profile.venue
    return unconnected(kind, [listed(venue, wire, digits) for wire in wires], KEYS)


def stamped(name: str, most: int = 30_000) -> Iterator[tuple[int, str]]:
    """(receive time, frame) of a stamped recording."""
    with gzip.open(recorded() / name, "rt") as lines:
        for number, line in enumerate(lines):
            if number == most:
                return
            when, _, text = line.strip().partition(" ")
            yield int(when), text


@pytest.mark.recorded
@pytest.mark.parametrize(("name", "kind"), [(SPOT, BinanceSpot), (USDM, BinanceUsdm)])
def test_every_frame_becomes_what_its_text_says(name: str, kind: type[BinanceSpot]) -> None:
    """The integers of an event are the decimals of the frame, digit by digit."""
    venue = dialect(kind, "BTCUSDT", "ETHUSDT")
    heard = Heard()
    seen: dict[str, int] = {}
    for recv_ns, text in stamped(name):
        if '"stream"' not in text[:12]:
            continue
        events = hear(venue.market_frame, text, heard, recv_ns)
        raw = json.loads(text)["data"]
        for event in events:
            kinds = type(event).__name__
            seen[kinds] = seen.get(kinds, 0) + 1
            assert event.recv_ns == recv_ns
            if isinstance(event, BookQuote):
                assert Decimal(event.bid).scaleb(-8) == Decimal(raw["b"])
                assert Decimal(event.ask).scaleb(-8) == Decimal(raw["a"])
                assert Decimal(event.bid_size).scaleb(-8) == Decimal(raw["B"])
                assert Decimal(event.ask_size).scaleb(-8) == Decimal(raw["A"])
                assert event.seq == raw["u"]
            elif isinstance(event, TradeTick):
                assert Decimal(event.price).scaleb(-8) == Decimal(raw["p"])
                assert Decimal(event.size).scaleb(-8) == Decimal(raw["q"])
                assert event.side is (Side.SELL if raw["m"] else Side.BUY)
                assert (event.trade_id, event.venue_ns) == (str(raw["t"]), raw["T"] * 10**6)
            else:
                assert len(event.bids) == len(raw["b"])
                assert [Decimal(p).scaleb(-8) for p, _ in event.asks] == [
                    Decimal(p) for p, _ in raw["a"]
                ]
    assert set(seen) == {"BookQuote", "TradeTick", "BookDelta"}
    assert not [kind for kind in heard.counts if kind.startswith("odd")], heard.counts
    quotes = heard.of(BookQuote)
    assert all(a.seq < b.seq for a, b in pairwise(quotes))


async def _kept(name: str, kind: type[BinanceSpot], gone: int | None) -> tuple[BookKeeper, int]:
    """The book of a recording from its own snapshot, one delta left out; what was delivered."""
    venue = dialect(kind, "BTCUSDT", "ETHUSDT")
    delivered = 0
    frames_: list[BookDelta] = []
    snapshot: dict[str, Any] = {}
    for recv_ns, text in stamped(name, 60_000):
        if '"stream"' not in text[:12]:
            snapshot = json.loads(text)
        elif "@depth" in text[:60]:
            frames_ += hear(venue.market_frame, text, Heard(), recv_ns)
    symbol = frames_[0].symbol
    listing: Listing = venue.context.listings.named[symbol]
    last = int(snapshot["lastUpdateId"])
    truth = Book()

    def levels(rows: list[list[str]]) -> tuple[tuple[int, int], ...]:
        return tuple((int(Decimal(p).scaleb(8)), int(Decimal(q).scaleb(8))) for p, q in rows)

    first = BookDelta(
        venue.venue, symbol, 8, True, levels(snapshot["bids"]), levels(snapshot["asks"]), 0, 1,
        last, last,
    )  # fmt: skip
    truth.load(first)

    async def fetch(at: Listing, depth: int) -> BookDelta:
        made = truth.snapshot()
        assert made is not None
        return made

    venue.fetch_book = fetch

    def deliver(event: BookDelta, book: Book, at: Listing) -> None:
        nonlocal delivered
        delivered += 1

    async def resubscribe(name: str) -> None:
        raise AssertionError("Binance is repaired by a snapshot")

    keeper = BookKeeper(venue, deliver, lambda *_: None, resubscribe)
    usable = [each for each in frames_ if each.seq > last]
    for index, event in enumerate(usable):
        truth.apply(event)
        if index != gone:
            keeper.take(event, listing)
        if not keeper.books[symbol].whole:
            for _ in range(20):
                await asyncio.sleep(0)
    await keeper.close()
    book = keeper.books[symbol]
    assert book.whole
    assert book.bids.top(50) == truth.bids.top(50)
    assert book.asks.top(50) == truth.asks.top(50)
    return keeper, delivered


@pytest.mark.recorded
@pytest.mark.parametrize(("name", "kind"), [(SPOT, BinanceSpot), (USDM, BinanceUsdm)])
async def test_recorded_books_have_no_gap(name: str, kind: type[BinanceSpot]) -> None:
    """Thousands of deltas on one snapshot: the sequence holds from the first to the last."""
    keeper, delivered = await _kept(name, kind, None)
    assert keeper.counts["gaps"] == 0
    assert keeper.counts["resyncs"] == 1
    assert delivered > 3_000


@pytest.mark.recorded
@pytest.mark.parametrize(("name", "kind"), [(SPOT, BinanceSpot), (USDM, BinanceUsdm)])
@pytest.mark.parametrize("gone", [50, 1_500])
async def test_one_line_removed_is_exactly_one_resync(
    name: str, kind: type[BinanceSpot], gone: int
) -> None:
    """And the book is the venue's again afterwards."""
    keeper, _ = await _kept(name, kind, gone)
    assert keeper.counts["gaps"] == 1
    assert keeper.counts["resyncs"] == 2


@pytest.mark.recorded
@pytest.mark.parametrize(
    ("name", "kind", "wires"),
    [
        ("BINANCE.ws.1.0.gz", BinanceSpot, ("NKNUSDT", "BLZETH", "LRCBTC", "RUNEEUR")),
        ("BINANCE_FUTURES.ws.1.0.gz", BinanceUsdm, ("SUSHIUSDT", "AKROUSDT", "KEEPUSDT")),
    ],
)
def test_captures_are_read_or_counted(
    name: str, kind: type[BinanceSpot], wires: tuple[str, ...]
) -> None:
    """Streams that we do not use are counted by kind; none raises."""
    venue, heard = dialect(kind, *wires), Heard()
    told = sum(
        bool(hear(venue.market_frame, text, heard, when))
        for when, text in captured(f"cryptofeed_xfree86/{name}")
        if '"e"' in text or '"b"' in text
    )
    assert told
    assert all(kind.startswith(("odd: stream", "old", "trades")) for kind in heard.counts), heard


@pytest.mark.recorded
def test_ccxt_reads_the_same_trades_and_quotes() -> None:
    """Another reader of the same frames finds the same numbers."""
    ccxt = pytest.importorskip("ccxt.pro", reason="ccxt, the judge, is not installed")
    judge = ccxt.binance()
    market = judge.safe_market_structure(
        {"id": "BTCUSDT", "symbol": "BTC/USDT", "base": "BTC", "quote": "USDT", "spot": True}
    )
    venue, seen = dialect(BinanceSpot, "BTCUSDT"), 0
    for recv_ns, text in stamped(SPOT, 3_000):
        if "@trade" not in text[:60]:
            continue
        (trade,) = hear(venue.market_frame, text, Heard(), recv_ns)
        theirs = judge.parse_ws_trade(json.loads(text)["data"], market)
        assert trade.price / 1e8 == theirs["price"]
        assert trade.size / 1e8 == theirs["amount"]
        assert trade.side.name.lower() == theirs["side"]
        assert trade.trade_id == theirs["id"]
        assert trade.venue_ns // 10**6 == theirs["timestamp"]
        seen += 1
    assert seen > 100


@pytest.mark.recorded
def test_ccxt_reads_the_same_orders_and_fills() -> None:
    """Execution reports of spot and futures, as samples show them."""
    ccxt = pytest.importorskip("ccxt.pro", reason="ccxt, the judge, is not installed")
    judge = ccxt.binance()
    orders = 0
    for func, frame in samples("ccxt_samples_mit/binance.jsonl"):
        if not isinstance(frame, dict) or func not in ("handle_order_update", "parse_ws_order"):
            continue
        futures = frame.get("e") == "ORDER_TRADE_UPDATE"
        if not futures and frame.get("e") != "executionReport":
            continue
        row = frame["o"] if futures else frame
        kind = BinanceUsdm if futures else BinanceSpot
        venue, heard = dialect(kind, row["s"]), Heard()
        venue._account_event(msgspec.json.encode(frame), 1, heard)
        market = judge.safe_market_structure({"id": row["s"], "symbol": row["s"]})
        theirs = judge.parse_ws_order(row, market)
        (order,) = heard.of(VenueOrder)
        assert order.venue_order_id == theirs["id"]
        assert order.side.name.lower() == theirs["side"]
        assert float(order.volume) == theirs["amount"]
        assert float(order.filled) == theirs["filled"]
        assert (order.state is OrderState.WORKING) == (theirs["status"] == "open")
        orders += 1
        for fill in heard.of(VenueFill):
            assert float(fill.price) == float(row["L"])
            assert float(fill.volume) == float(row["l"])
    assert orders


@pytest.mark.recorded
@pytest.mark.parametrize(("name", "venue"), [("BINANCE", "binance"), ("BINANCE_FUTURES", "usdm")])
def test_the_recorded_list_of_instruments(name: str, venue: str) -> None:
    """exchangeInfo as it was recorded: ticks and steps that are whole, perpetuals only."""
    found: dict[str, VenueInstrument] = {}
    for _, body in answers(f"cryptofeed_xfree86/{name}.0.gz"):
        if '"symbols"' in body:
            info = msgspec.json.decode(body, type=frames.ExchangeInfo, strict=False)
            found |= {each.wire: each for each in instruments_of(venue, info)}
    if name == "BINANCE":
        at = found["BTCUSDT"]
        assert (at.digits, at.tick, at.kind) == (2, 1, InstrumentKind.SPOT)
    assert found
    for each in found.values():
        assert each.tick > 0
        assert each.step > 0


FRAME = (
    '{"stream":"btcusdt@bookTicker","data":{"u":7,"s":"BTCUSDT","b":"61800.20",'
    '"B":"1.5","a":"61800.30","A":"2"}}'
)


@pytest.mark.parametrize(
    "bad",
    [
        FRAME[:40],
        FRAME[:-1],
        FRAME + "x",
        FRAME.replace("61800.20", "NaN"),
        FRAME.replace('"61800.20"', "null"),
        FRAME.replace('"61800.20"', "{}"),
        FRAME.replace('"b"', '"z"'),
        FRAME.replace("61800.20", "61800.20123"),
        FRAME.replace("61800.20", "9" * 40),
        FRAME.replace("btcusdt@", "nosuch@"),
        FRAME.replace("bookTicker", "whatIsThis"),
        "[]",
        "1",
        "",
        '{"error":{"code":2,"msg":"Invalid request"},"id":1}',
        '{"some":"thing"}',
    ],
)
def test_bad_frames_tell_nothing(bad: str) -> None:
    """Cut, unknown, off the grid or without a number: an error for the feed to count, no event."""
    venue, heard = dialect(BinanceSpot, "BTCUSDT", digits=2), Heard()
    try:
        told = hear(venue.market_frame, bad, heard)
    except ValueError:
        told = []
    assert told == []
    assert hear(venue.market_frame, FRAME, heard)[0].bid == 6_180_020


def test_old_and_doubled_frames_are_dropped() -> None:
    """Update ids only rise; trades are told once."""
    venue, heard = dialect(BinanceSpot, "BTCUSDT", digits=2), Heard()
    for number in (7, 7, 6, 8):
        hear(venue.market_frame, FRAME.replace('"u":7', f'"u":{number}'), heard)
    assert [each.seq for each in heard.of(BookQuote)] == [7, 8]
    trade = (
        '{"stream":"btcusdt@trade","data":{"e":"trade","E":1,"s":"BTCUSDT","t":%d,"p":"1.00",'
        '"q":"2","T":5,"m":true,"M":true}}'
    )
    for number in (3, 3, 4, 6):
        hear(venue.market_frame, trade % number, heard)
    assert [each.trade_id for each in heard.of(TradeTick)] == ["3", "4", "6"]
    assert heard.counts["trades missed"] == 1


def test_a_shutdown_notice_asks_for_a_new_connection() -> None:
    """Both forms that the venue documents."""
    venue, heard = dialect(BinanceSpot, "BTCUSDT"), Heard()
    hear(venue.market_frame, '{"e":"serverShutdown","E":1}', heard)
    notice = '{"stream":"!serverShutdown","data":{"e":"serverShutdown"}}'
    hear(venue.market_frame, notice, heard)
    assert sum(count for kind, count in heard.counts.items() if "reconnect" in kind) == 2
