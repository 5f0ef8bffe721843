"""Recorded frames of OKX: all are read or counted, books match their checksums, ccxt agrees."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from typing import Any

import msgspec
import pytest

from tests.connectors.ears import answers, captured, hear
from tests.connectors.recorded import Heard, recorded, samples, unconnected
from tests.connectors.stand import stand, until
from tradeloom.connectors.books import Book
from tradeloom.connectors.contract import VenueBalance, VenueFill, VenueOrder, VenuePosition
from tradeloom.connectors.instruments import Listing
from tradeloom.connectors.keeper import BookKeeper
from tradeloom.connectors.profile import Credentials, Need
from tradeloom.connectors.venues.okx import frames
from tradeloom.connectors.venues.okx.dialect import OkxSpot
from tradeloom.connectors.venues.okx.listing import instrument_of
from tradeloom.connectors.venues.okx.orders import fill_of, order_of
from tradeloom.domain.enums import OrderState, Side
from tradeloom.domain.market import (
    BookDelta,
    BookQuote,
    Funding,
    Topic,
    TradeTick,
    VenueInstrument,
)
from tradeloom.simulators import MarketPlayer, Tape
from tradeloom.simulators.faults import FaultKind
from tradeloom.simulators.okx import OkxSpot as Simulated

CAPTURE = "cryptofeed_xfree86/OKX.ws.1.0.gz"
KEYS = Credentials("main", {Need.KEY: "k", Need.SECRET: "s", Need.PASSPHRASE: "p"})


@cache
def listed() -> tuple[VenueInstrument, ...]:
    """Spot and swaps as OKX listed them in May 2022, and the instruments of other recordings."""
    found: dict[str, VenueInstrument] = {}
    for _, body in answers("cryptofeed_xfree86/OKX.0.spot_swap.gz"):
        answer = msgspec.json.decode(body, type=frames.Data[frames.Instrument], strict=False)
        for row in answer.data:
            made = instrument_of("okx", row)
            if made is not None:
                found[made.wire] = made
    return tuple(found.values())


def dialect() -> Any:
    return unconnected(OkxSpot, listed(), KEYS)


def test_the_recorded_list_of_instruments() -> None:
    named = {each.symbol: each for each in listed()}
    spot, swap, inverse = named["BTCUSDT"], named["BTCUSDT-PERP"], named["BTCUSD-PERP"]
    assert (spot.digits, spot.tick, spot.step, spot.volume_min) == (1, 1, 1, 1_000)
    assert (swap.contract_size, swap.contract_currency, swap.inverse) == (
        Decimal("0.01"),
        "BTC",
        False,
    )
    assert (inverse.contract_size, inverse.contract_currency, inverse.settle, inverse.inverse) == (
        Decimal(100),
        "USD",
        "BTC",
        True,
    )
    assert len(named) == len(listed()) > 600


def test_every_recorded_frame_is_read_or_counted() -> None:
    heard, venue = Heard(), dialect()
    told = 0
    for recv_ns, text in captured(CAPTURE):
        hear(venue.market_frame, text, heard, recv_ns)
        told += 1
    assert told > 300
    assert len(heard.of(BookDelta)) == 191
    assert len(heard.of(TradeTick)) >= 70
    assert not [kind for kind in heard.counts if kind.startswith("odd")], heard.counts
    # Every frame told something or was counted: rows of trades may be several in a frame.
    assert len(heard.events) + sum(heard.counts.values()) >= told
    for name in ("crypto_msg_parser_apache2/okx.jsonl", "ccxt_samples_mit/okx.jsonl"):
        for _, frame in samples(name):
            hear(venue.market_frame, frame, heard)
    assert heard.of(BookQuote)
    assert heard.of(Funding)


async def _rebuild(texts: list[str], venue: Any) -> tuple[BookKeeper, Counts]:
    counts = Counts()

    async def resubscribe(symbol: str) -> None:
        counts.resyncs.append(symbol)

    def deliver(event: BookDelta, book: Book, listing: Listing) -> None:
        counts.delivered += 1

    keeper = BookKeeper(venue, deliver, lambda *_: None, resubscribe)
    heard = Heard()
    heard.depth = keeper.take  # type: ignore[method-assign]
    for text in texts:
        hear(venue.market_frame, text, heard)
        await asyncio.sleep(0)
    await keeper.close()
    return keeper, counts


class Counts:
    def __init__(self) -> None:
        self.delivered = 0
        self.resyncs: list[str] = []


async def test_every_recorded_book_matches_its_checksum() -> None:
    texts = [
        text for _, text in captured(CAPTURE) if '"channel":"books"' in text and "data" in text
    ]
    keeper, counts = await _rebuild(texts, dialect())
    assert counts.delivered == len(texts) == 191
    assert counts.resyncs == []
    assert not keeper.counts


@pytest.mark.parametrize("gone", [20, 60, 120])
async def test_a_missing_recorded_line_is_one_resync(gone: int) -> None:
    texts = [
        text for _, text in captured(CAPTURE) if '"channel":"books"' in text and "data" in text
    ]
    del texts[gone]
    keeper, counts = await _rebuild(texts, dialect())
    assert len(counts.resyncs) == 1
    assert (keeper.counts["gaps"], keeper.counts["checksum failures"]) == (1, 1)


async def test_the_capture_is_played_and_a_lost_frame_repaired_from_the_venue() -> None:
    recorded()

    async with stand(Simulated, OkxSpot, symbols=("BTCUSDT",), trades=False) as held:

        def source() -> Iterator[Tape]:
            for ts_ns, text in captured(CAPTURE):
                if text.startswith("{"):
                    for channel, payload, event in held.venue.read_frame(ts_ns, text.encode()):
                        yield Tape(ts_ns, event, channel, payload)

        player = MarketPlayer(held.venue, source(), verbatim=True, held=True)
        await held.connector.subscribe(["BTCUSDT"], (Topic.BOOK, Topic.TRADES), held.market.append)
        await until(lambda: held.of(BookDelta), "the first, empty book")
        player.step(40)
        await until(lambda: held.same_book("BTCUSDT", 400), "the recorded book")
        held.arm(FaultKind.DROP_FRAME, "books:")
        player.step(30)
        await until(lambda: held.connector.health().counters.get("resyncs"), "a resync")
        await until(lambda: held.same_book("BTCUSDT", 400), "the book after the gap")
        player.step(30)
        await until(lambda: held.same_book("BTCUSDT", 400), "the book to the end")
        counters = held.connector.health().counters
        assert (counters["gaps"], counters["resyncs"]) == (1, 1)
        assert held.of(TradeTick)


def _ccxt() -> Any:
    ccxt = pytest.importorskip("ccxt", reason="ccxt, the judge, is not installed")
    judge = ccxt.okx()
    spot, swap = (
        judge.safe_market_structure(
            {
                "id": wire,
                "symbol": symbol,
                "base": "BTC",
                "quote": "USDT",
                "type": kind,
                "spot": kind == "spot",
            }
        )
        for wire, symbol, kind in (
            ("BTC-USDT", "BTC/USDT", "spot"),
            ("BTC-USDT-SWAP", "BTC/USDT:USDT", "swap"),
        )
    )
    return judge, spot, swap


def test_ccxt_reads_the_same_trades() -> None:
    judge, spot, _ = _ccxt()
    venue, seen = dialect(), 0
    for recv_ns, text in captured(CAPTURE):
        if '"channel":"trades"' not in text or '"data"' not in text or "UNI" in text:
            continue
        ours = hear(venue.market_frame, text, Heard(), recv_ns)
        for row, trade in zip(msgspec.json.decode(text)["data"], ours, strict=True):
            theirs = judge.parse_trade(row, spot)
            assert trade.price / 10**trade.digits == theirs["price"]
            assert trade.size / 1e8 == theirs["amount"]
            assert trade.side.name.lower() == theirs["side"]
            assert trade.trade_id == theirs["id"]
            assert trade.venue_ns // 10**6 == theirs["timestamp"]
            seen += 1
    assert seen >= 69


def test_ccxt_reads_the_same_best_prices() -> None:
    judge, _, _ = _ccxt()
    venue, seen = dialect(), 0
    for _, frame in samples("crypto_msg_parser_apache2/okx.jsonl"):
        if not isinstance(frame, dict) or frame.get("arg", {}).get("channel") != "bbo-tbt":
            continue
        for quote in hear(venue.market_frame, frame, Heard()):
            theirs = judge.parse_order_book(frame["data"][0], "BTC/USDT", frame["data"][0]["ts"])
            scale = 10**quote.digits
            assert [quote.bid / scale, quote.bid_size / 1e8] == theirs["bids"][0][:2]
            assert [quote.ask / scale, quote.ask_size / 1e8] == theirs["asks"][0][:2]
            seen += 1
    assert seen >= 3


def test_ccxt_reads_the_same_orders_and_fees() -> None:
    judge, spot, _ = _ccxt()
    wire = {each.wire: Listing(each) for each in listed()}
    orders = fills = 0
    for func, frame in samples("ccxt_samples_mit/okx.jsonl"):
        if func in ("handle_orders", "fetch_my_trades") and isinstance(frame, dict):
            for row in frame["data"]:
                text = msgspec.json.encode(row)
                if "fillPx" in row and func == "fetch_my_trades":
                    ours = msgspec.json.decode(text, type=frames.Fill, strict=False)
                    made = fill_of("okx", "main", wire[ours.inst_id], ours, 1)
                    theirs = judge.parse_trade(row, spot)
                    assert (float(made.price), float(made.volume)) == (
                        theirs["price"],
                        theirs["amount"],
                    )
                    assert made.side.name.lower() == theirs["side"]
                    assert float(made.fee) == theirs["fee"]["cost"]
                    assert made.fee_currency == theirs["fee"]["currency"]
                    assert (made.trade_id, made.venue_order_id) == (theirs["id"], theirs["order"])
                    fills += 1
                elif func == "handle_orders":
                    order = msgspec.json.decode(text, type=frames.Order)
                    told = order_of("okx", "main", wire[order.inst_id], order)
                    judged = judge.parse_order(row, spot)
                    assert (told.venue_order_id, told.client_id) == (
                        judged["id"],
                        judged["clientOrderId"],
                    )
                    assert (float(told.volume), float(told.filled)) == (
                        judged["amount"],
                        judged["filled"],
                    )
                    assert told.state is OrderState.WORKING
                    assert judged["status"] == "open"
                    orders += 1
    assert orders
    assert fills


def test_private_samples_are_read_or_counted() -> None:
    heard, venue = Heard(), dialect()
    for func, frame in samples("ccxt_samples_mit/okx.jsonl"):
        if isinstance(frame, dict) and (frame.get("arg") or frame.get("event")) and "data" in frame:
            hear(venue.private_frame, frame, heard)
            assert func
    assert any(each.symbol == "ETHUSDT" and each.side is Side.SELL for each in heard.of(VenueOrder))
    money = {each.currency: each for each in heard.of(VenueBalance)}
    assert money["TUSD"].total == Decimal(2900)
    (position,) = heard.of(VenuePosition)
    assert (position.symbol, position.volume) == ("XRPUSDT-PERP", Decimal(1))
    assert not heard.of(VenueFill)
