"""Recorded frames of Bybit: all are read or counted, and ccxt reads the same."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from tests.connectors.ears import captured, hear
from tests.connectors.recorded import Heard, lines, samples, unconnected
from tradeloom.connectors.contract import VenueBalance, VenueFill, VenueOrder
from tradeloom.connectors.instruments import Listing
from tradeloom.connectors.profile import Credentials, Need
from tradeloom.connectors.venues.bybit import frames
from tradeloom.connectors.venues.bybit.dialect import BybitLinear, BybitSpot
from tradeloom.connectors.venues.bybit.listing import instrument_of
from tradeloom.connectors.venues.bybit.orders import fill_of
from tradeloom.domain.enums import OrderState, Side
from tradeloom.domain.market import BookDelta, BookQuote, Funding, TradeTick, VenueInstrument

KEYS = Credentials("main", {Need.KEY: "k", Need.SECRET: "s"})


def listed(linear: bool = False) -> list[VenueInstrument]:
    """Instruments of the samples, as instruments-info would tell them."""
    made = []
    for symbol, tick, step in (
        ("BTCUSDT", "0.01", "0.000001"),
        ("QNTUSDT", "0.1", "0.001"),
        ("XRPUSDT", "0.0001", "0.01"),
        ("LTCUSDT", "0.01", "0.00001"),
        ("AAVEUSDT", "0.01", "0.001"),
    ):
        row = frames.Instrument(
            symbol, "Trading", symbol[:-4], "USDT", frames.PriceFilter(tick),
            frames.LotFilter(qty_step=step, base_precision=step),
            contract_type="LinearPerpetual" if linear else "",
        )  # fmt: skip
        found = instrument_of("bybit_linear" if linear else "bybit", row)
        assert found is not None
        made.append(found)
    return made


def dialect(linear: bool = False) -> Any:
    return unconnected(BybitLinear if linear else BybitSpot, listed(linear), KEYS)


def test_frames_of_the_second_version_are_counted_and_none_is_guessed() -> None:
    heard, told = Heard(), 0
    venue = dialect()
    for recv_ns, text in captured("cryptofeed_xfree86/BYBIT.ws.25.0.gz"):
        hear(venue.market_frame, text, heard, recv_ns)
        told += 1
    for _, frame in samples("crypto_msg_parser_apache2/bybit.jsonl"):
        hear(venue.market_frame, frame, heard)
        told += 1
    assert told > 3_000
    assert heard.events == []
    assert sum(heard.counts.values()) == told


def test_samples_of_this_version_are_read_or_counted() -> None:
    heard, spot, linear = Heard(), dialect(), dialect(linear=True)
    told = 0
    for _, frame in samples("ccxt_samples_mit/bybit.jsonl"):
        if isinstance(frame, dict) and "topic" in frame:
            for venue in (spot, linear):
                hear(venue.market_frame, frame, heard)
                told += 1
    assert told > 20
    assert len(heard.events) + sum(heard.counts.values()) >= told
    (funding,) = [each for each in heard.of(Funding) if each.venue == "bybit_linear"]
    assert (funding.symbol, funding.rate) == ("BTCUSDT-PERP", Decimal("-0.000212"))
    assert (funding.mark, funding.next_ns) == (17217_33, 1673280000000 * 10**6)
    assert heard.of(TradeTick)


def test_the_documented_frames() -> None:
    """Shapes of the reference: a snapshot of one level, a book with its deltas, a restart."""
    heard, venue = Heard(), dialect()

    def book(topic: str, kind: str, u: int, bid: str, ask: str, size: str = "0.5") -> str:
        data = {"s": "BTCUSDT", "b": [[bid, size]], "a": [[ask, "0.3"]], "u": u, "seq": u}
        return msgspec.json.encode(
            {"topic": topic, "ts": 1672304484978 + u, "type": kind, "data": data, "cts": 7}
        ).decode()

    one = "orderbook.1.BTCUSDT"
    (quote,) = hear(venue.market_frame, book(one, "snapshot", 10, "61800.00", "61800.01"), heard)
    assert isinstance(quote, BookQuote)
    assert (quote.bid, quote.ask, quote.bid_size, quote.ask_size) == (
        61800_00,
        61800_01,
        50_000_000,
        30_000_000,
    )
    assert (quote.seq, quote.venue_ns) == (10, 7_000_000)
    repeated = hear(venue.market_frame, book(one, "snapshot", 10, "61800.00", "61800.01"), heard)
    assert repeated == []
    assert heard.counts["old or repeated quote"] == 1
    deep = "orderbook.200.BTCUSDT"
    (whole,) = hear(venue.market_frame, book(deep, "snapshot", 5, "1", "2"), heard)
    (delta,) = hear(venue.market_frame, book(deep, "delta", 6, "1", "2", "0"), heard)
    (restart,) = hear(venue.market_frame, book(deep, "delta", 1, "1", "2"), heard)
    assert isinstance(whole, BookDelta)
    assert (whole.snapshot, delta.snapshot, restart.snapshot) == (True, False, True)
    assert (delta.previous, delta.seq, delta.bids) == (5, 6, ((100, 0),))
    assert venue.follows(whole, delta)
    assert not venue.follows(whole, msgspec.structs.replace(delta, previous=6, seq=7))


def test_private_samples_are_read_or_counted() -> None:
    heard, told = Heard(), 0
    for linear in (False, True):
        venue = dialect(linear)
        for text in lines("gocryptotrader_mit/bybit/wsAuth.json"):
            hear(venue.private_frame, text, heard)
            told += 1
        for _, frame in samples("ccxt_samples_mit/bybit.jsonl"):
            if isinstance(frame, dict) and frame.get("topic") in ("order", "execution", "wallet"):
                try:
                    hear(venue.private_frame, frame, heard)
                except (ValueError, KeyError):
                    # The connector counts these; frames of the third version lack the fields.
                    heard.counts["odd: unexpected shape"] += 1
                told += 1
    assert len(heard.events) + sum(heard.counts.values()) >= told
    (order,) = [each for each in heard.of(VenueOrder) if each.symbol == "BTCUSDT-PERP"]
    assert (order.state, order.volume, order.average) == (
        OrderState.FILLED,
        Decimal("1.7"),
        Decimal("4.24"),
    )
    fill = heard.of(VenueFill)[0]
    assert (fill.symbol, fill.side, fill.price, fill.fee, fill.fee_currency) == (
        "XRPUSDT-PERP",
        Side.SELL,
        Decimal("0.3374"),
        Decimal("0.005061"),
        "USDT",
    )
    usdt = next(each for each in heard.of(VenueBalance) if each.currency == "USDT")
    assert usdt.total == Decimal("11728.54414904")


def test_ccxt_reads_the_same_trades_and_fees() -> None:
    judge = pytest.importorskip("ccxt.pro", reason="ccxt, the judge, is not installed").bybit()
    wire = {each.wire: Listing(each) for each in listed()}
    public = private = 0
    for func, frame in samples("ccxt_samples_mit/bybit.jsonl"):
        if func == "handle_trades":
            market = judge.safe_market_structure({"id": "BTCUSDT", "symbol": "BTC/USDT"})
            ours = hear(dialect().market_frame, frame, Heard())
            for row, trade in zip(frame["data"], ours, strict=True):
                theirs = judge.parse_ws_trade(row, market)
                assert trade.price / 100 == theirs["price"]
                assert trade.size / 1e8 == theirs["amount"]
                assert trade.side.name.lower() == theirs["side"]
                assert trade.trade_id == theirs["id"]
                public += 1
        elif func == "parse_trade" and frame.get("execId") and frame["symbol"] in wire:
            row = msgspec.json.decode(
                msgspec.json.encode(frame), type=frames.Execution, strict=False
            )
            made = fill_of("bybit", "main", wire[frame["symbol"]], row, 1)
            assert made is not None
            base, quote = frame["symbol"][:-4], "USDT"
            market = judge.safe_market_structure(
                {
                    "id": frame["symbol"],
                    "symbol": f"{base}/{quote}",
                    "base": base,
                    "quote": quote,
                    "spot": True,
                    "type": "spot",
                }
            )
            theirs = judge.parse_trade(frame, market)
            assert (float(made.price), float(made.volume)) == (theirs["price"], theirs["amount"])
            assert made.side.name.lower() == theirs["side"]
            assert float(made.fee) == theirs["fee"]["cost"]
            assert made.trade_id == theirs["id"]
            assert ("maker" if made.maker else "taker") == theirs["takerOrMaker"]
            private += 1
    assert public
    assert private
