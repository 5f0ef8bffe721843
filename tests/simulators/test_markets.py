"""Where the outside market comes from: recordings as they were, fitted to others, and made ones."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import itertools
import os
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from tests.simulators.binance.wire import Client
from tests.simulators.tools import START_NS, UNIT, exchange, inverse, spot
from tradeloom.domain.enums import Side
from tradeloom.domain.market import BookDelta, BookQuote, TradeTick
from tradeloom.simulators import HandClock, MarketPlayer, Simulator, SystemClock, Tape
from tradeloom.simulators.binance import BinanceSpot
from tradeloom.simulators.binance_usdm import BinanceUsdm
from tradeloom.simulators.fitting import Fitting
from tradeloom.simulators.synthetic import synthetic
from tradeloom.simulators.tape import RecordingError, frames, recorded, symbols_of, venue_of

RECORDED = os.environ.get("TRADELOOM_RECORDED", "")
needs_recordings = pytest.mark.skipif(not RECORDED, reason="TRADELOOM_RECORDED is not set")


def ticker(number: int, gap_ns: int = 10**6, start_ns: int = START_NS) -> bytes:
    """One line of a recording: a spot bookTicker whose bid tells its number."""
    price = 60_000 + number / 100
    data = (
        f'{{"u":{1_000 + number},"s":"BTCUSDT","b":"{price:.2f}000000","B":"1.00000000",'
        f'"a":"{price + 5:.2f}000000","A":"2.00000000"}}'
    )
    stamp = start_ns + number * gap_ns
    return f'{stamp} {{"stream":"btcusdt@bookTicker","data":{data}}}\n'.encode()


def recording(path: Path, count: int, **kind: int) -> Path:
    made = path / "btcusdt.gz"
    made.write_bytes(gzip.compress(b"".join(ticker(n, **kind) for n in range(count)), 1))
    return made


def venue() -> BinanceSpot:
    return BinanceSpot(seed=1, clock=SystemClock(), symbols=["BTCUSDT"])


def playing(path: Path, **how: Any) -> tuple[BinanceSpot, MarketPlayer]:
    made = venue()
    return made, MarketPlayer(made, recorded([path], made), verbatim=True, **how)


async def test_a_burst_of_20_000_frames_arrives_whole_and_as_it_was(tmp_path: Path) -> None:
    count = 20_000
    made, player = playing(recording(tmp_path, count), speed=0, held=True)
    async with Simulator([made], [player]) as simulator, aiohttp.ClientSession() as http:
        socket = await http.ws_connect(simulator.ws_url("binance") + "/ws/btcusdt@bookTicker")
        player.go()
        expected = (ticker(n).split(b'"data":')[1][:-2].decode() for n in range(count))
        for frame in expected:
            assert await socket.receive_str(timeout=10) == frame
        best = made.exchange.markets["BTCUSDT"].quote
        assert best is not None
        assert (best.bid, best.bid_size) == (60_199_99, UNIT)


async def test_the_recorded_pace_and_faster(tmp_path: Path) -> None:
    """200 ms of market, ten times faster."""
    path = recording(tmp_path, 21, gap_ns=100 * 10**6)
    made, player = playing(path, speed=10.0)
    async with Simulator([made], [player]):
        started = time.monotonic()
        while not player.ended:
            await asyncio.sleep(0.005)
        assert 0.19 <= time.monotonic() - started < 10.0
        assert player.played == 21


async def test_in_step_by_command(tmp_path: Path) -> None:
    made, player = playing(recording(tmp_path, 10), held=True)
    async with Simulator([made], [player]) as simulator, aiohttp.ClientSession() as http:
        client = Client(simulator, made, http)
        assert (await client.get("/api/v3/depth", symbol="BTCUSDT"))["bids"] == []
        for do, count, played in (("step", 3, 3), ("step", 1, 4), ("step", 99, 10)):
            asked = {"venue": "binance", "do": do, "count": count}
            async with http.post(f"{simulator.admin_url}/market", json=asked) as answer:
                assert (await answer.json())["played"] == {"binance": played}
        asked = {"do": "sing"}
        async with http.post(f"{simulator.admin_url}/market", json=asked) as answer:
            assert answer.status == 400


async def test_orders_fill_against_a_recording(tmp_path: Path) -> None:
    made, player = playing(recording(tmp_path, 1_000), held=True)
    async with Simulator([made], [player]) as simulator, aiohttp.ClientSession() as http:
        client = Client(simulator, made, http)
        player.step(1)
        placed = await client.order(side="SELL", price="60005.50", quantity="3")
        assert placed["status"] == "NEW"
        player.step(999)
        found = await client.signed(
            "GET", "/api/v3/order", symbol="BTCUSDT", orderId=placed["orderId"]
        )
        # The recorded bid rose past it: one coin at a time until it was full.
        assert (found["status"], found["executedQty"]) == ("FILLED", "3.00000000")


def test_aggregated_trades_are_trades_where_there_are_no_others() -> None:
    def frame(kind: str, number: int) -> bytes:
        return (
            f'{{"stream":"btcusdt@{kind}","data":{{"e":"{kind}","E":1,"s":"BTCUSDT","a":5,"t":9,'
            f'"f":1,"l":{number},"p":"100.00","q":"1","T":1,"m":true}}}}'
        ).encode()

    made = venue()
    sent = [frame("aggTrade", 1), frame("trade", 2), frame("aggTrade", 3)]
    found = [list(made.read_frame(0, each)) for each in sent]
    assert [[channel for channel, _, _ in each] for each in found] == [
        ["btcusdt@aggTrade"], ["btcusdt@trade"], [],
    ]  # fmt: skip


async def test_quotes_and_trades_by_hand(tmp_path: Path) -> None:
    made = venue()
    async with Simulator([made]) as simulator, aiohttp.ClientSession() as http:
        socket = await http.ws_connect(
            simulator.ws_url("binance") + "/ws/btcusdt@bookTicker/btcusdt@trade"
        )
        asked: dict[str, str] = {"symbol": "BTCUSDT", "bid": "100.5", "ask": "101"}
        async with http.post(f"{simulator.admin_url}/quote", json=asked) as answer:
            assert answer.status == 200
        found = msgspec.json.decode(await socket.receive_str(timeout=5))
        assert (found["b"], found["a"]) == ("100.50000000", "101.00000000")
        asked = {"symbol": "BTCUSDT", "price": "101", "size": "0.3", "side": "buy"}
        async with http.post(f"{simulator.admin_url}/trade", json=asked) as answer:
            assert answer.status == 200
        found = msgspec.json.decode(await socket.receive_str(timeout=5))
        assert (found["p"], found["q"], found["m"]) == ("101.00000000", "0.30000000", False)
        asked = {"symbol": "BTCUSDT", "price": "101.001", "size": "1"}
        async with http.post(f"{simulator.admin_url}/trade", json=asked) as answer:
            assert "more than 2 decimals" in (await answer.json())["error"]


# ---- files ------------------------------------------------------------------------------------


def test_the_forms_of_a_recording(tmp_path: Path) -> None:
    path = tmp_path / "mixed.jsonl"
    path.write_text(
        '1723161254087891268 {"a":1}\n'
        "wss://x/ws <-> 1723161255.1\n"
        'wss://x/ws <- 1723161255.2: {"method":"SUBSCRIBE"}\n'
        '1723161255.5: {"a":2}\n'
        'https://x/depth?symbol=ABC -> 1723161256.25: {"a":3}\n'
        '{"ts":1723161257000000000,"frame":{"a":4}}\n'
        '{"a":5}\n'
        "no frame at all\n"
    )
    found = list(frames(path))
    assert [each.body for each in found] == [f'{{"a":{n}}}'.encode() for n in (1, 2, 3, 4, 5)]
    assert [each.ts_ns for each in found] == [
        1_723_161_254_087_891_268, 1_723_161_255_500_000_000, 1_723_161_256_250_000_000,
        1_723_161_257_000_000_000, 1_723_161_257_001_000_000,
    ]  # fmt: skip
    assert found[2].source == "https://x/depth?symbol=ABC"


def test_a_recording_nobody_knows(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"hello":1}\n')
    with pytest.raises(RecordingError, match="no venue knows"):
        venue_of([path], [BinanceSpot, BinanceUsdm])
    with pytest.raises(RecordingError, match="there is no file"):
        venue_of([tmp_path / "none"], [BinanceSpot])


@needs_recordings
@pytest.mark.recorded
@pytest.mark.parametrize(
    ("file", "kind", "symbols"),
    [
        ("hftbacktest_mit/spot/ethusdt_20240809.gz", BinanceSpot, ["ETHUSDT"]),
        ("hftbacktest_mit/usdm/btcusdt_20240808.gz", BinanceUsdm, ["BTCUSDT-PERP"]),
        ("cryptofeed_xfree86/BINANCE.ws.1.0.gz", BinanceSpot,
         ["BLZETH", "LRCBTC", "NKNUSDT", "RUNEEUR"]),
    ],
)  # fmt: skip
def test_recordings_are_recognised(file: str, kind: type[Any], symbols: list[str]) -> None:
    paths = [Path(RECORDED) / file]
    assert venue_of(paths, [BinanceSpot, BinanceUsdm]) is kind
    assert symbols_of(paths, kind) == symbols
    made = kind(seed=1, clock=SystemClock(), symbols=symbols)
    first = list(itertools.islice(recorded(paths, made), 50))
    assert len(first) == 50


@needs_recordings
@pytest.mark.recorded
@pytest.mark.parametrize(
    ("file", "kind", "symbol"),
    [
        ("hftbacktest_mit/spot/btcusdt_20240808.gz", BinanceSpot, "BTCUSDT"),
        ("hftbacktest_mit/usdm/btcusdt_20240808.gz", BinanceUsdm, "BTCUSDT-PERP"),
    ],
)
def test_the_book_follows_the_recorded_quotes(file: str, kind: type[Any], symbol: str) -> None:
    made = kind(seed=1, clock=SystemClock(), symbols=[symbol])
    made.exchange.tape_only = True
    seen = 0
    for tape in itertools.islice(recorded([Path(RECORDED) / file], made), 12_000):
        made.feed(tape.event)
        if isinstance(tape.event, BookQuote):
            seen += 1
            best = made.exchange.markets[symbol].quote
            assert best is not None
            assert (best.bid, best.bid_size) == (tape.event.bid, tape.event.bid_size)
            assert (best.ask, best.ask_size) == (tape.event.ask, tape.event.ask_size)
    assert seen > 5_000
    assert len(made.exchange.markets[symbol].book.levels(Side.BUY)) > 100


# ---- fitted and made --------------------------------------------------------------------------


def test_a_coarser_tick_rounds_away_from_the_middle_and_adds_up() -> None:
    source, _, _ = exchange(spot())
    target, _, _ = exchange(spot(quote="USD", digits=1, tick=5, step=UNIT // 1_000))
    bids = ((60_000_49, UNIT), (60_000_20, 2 * UNIT), (59_999_99, UNIT))
    tapes = [
        Tape(0, BookDelta("test", "BTCUSDT", 2, True, bids, ((60_000_51, UNIT),), 0, 0)),
        Tape(1, BookDelta("test", "BTCUSDT", 2, False, ((60_000_20, 0),), (), 0, 0)),
        Tape(2, TradeTick("test", "BTCUSDT", 2, 60_000_30, UNIT, Side.BUY, "1", 0, 0)),
        Tape(3, BookQuote("test", "BTCUSDT", 2, 60_000_49, 60_000_51, 1, 1, 0, 0)),
    ]
    first, second, third, fourth = (each.event for each in Fitting(source, target).fitted(tapes))
    assert isinstance(first, BookDelta)
    assert isinstance(second, BookDelta)
    assert isinstance(third, TradeTick)
    assert isinstance(fourth, BookQuote)
    assert dict(first.bids) == {600_000: 3 * UNIT, 599_995: UNIT}
    assert dict(first.asks) == {600_010: UNIT}
    assert dict(second.bids) == {600_000: UNIT}
    assert (third.price, third.digits) == (600_005, 1)
    assert (fourth.bid, fourth.ask, fourth.bid_size) == (600_000, 600_010, UNIT // 1_000)


def test_sizes_are_recounted_in_contracts() -> None:
    source, _, _ = exchange(spot())
    tens, _, _ = exchange(spot(symbol="X", contract_size=Decimal("0.01"), step=UNIT))
    dollars, _, _ = exchange(inverse())
    tape = Tape(0, TradeTick("test", "BTCUSDT", 2, 60_000_00, UNIT // 2, Side.BUY, "1", 0, 0))
    in_tens = next(Fitting(source, tens).fitted([tape])).event
    in_dollars = next(Fitting(source, dollars).fitted([tape])).event
    assert isinstance(in_tens, TradeTick)
    assert isinstance(in_dollars, TradeTick)
    assert in_tens.size == 50 * UNIT
    assert in_dollars.size == 30_000 * UNIT


def test_a_made_market_is_its_seed_and_never_crossed() -> None:
    def made(seed: int) -> str:
        venue = BinanceSpot(seed=seed, clock=HandClock(START_NS), symbols=["BTCUSDT", "XRPUSDT"])
        at = [each.instrument for each in venue.exchange.markets.values()]
        player = MarketPlayer(venue, synthetic(at, seed, START_NS), held=True)
        digest = hashlib.sha256()
        for _ in range(40):
            player.step(50)
            for market in venue.exchange.markets.values():
                bid, ask = (market.book.best(side) for side in (Side.BUY, Side.SELL))
                if bid and ask:
                    assert bid[0] < ask[0]
                digest.update(repr((bid, ask, market.last, market.seq)).encode())
        assert all(each.trades for each in venue.exchange.markets.values())
        assert venue.clock.now_ns() > START_NS + 10**10
        return digest.hexdigest()

    assert made(1) == made(1) != made(2)
