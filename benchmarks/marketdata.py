"""The market plane against its figures; writes build/bench/marketdata.json.

    python -m benchmarks.marketdata [--only decode,loss,engine,path,recorder,books,orders]

Frames are the recorded ones (TRADELOOM_RECORDED) where a row says so; without them it is left out
and said. Other processes are started and stopped here, all on loopback.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import gzip
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.report import Row, row, write
from tradeloom.connectors.connector import VenueConnector
from tradeloom.connectors.dialect import MarketOut
from tradeloom.connectors.venues.binance.dialect import BinanceSpot
from tradeloom.connectors.venues.binance.usdm import BinanceUsdm
from tradeloom.domain.market import (
    BookQuote,
    InstrumentKind,
    MarketEvent,
    Topic,
    VenueInstrument,
)

SYMBOL = "BTCUSDT"
PASSES = 15
FRAMES = 20_000


def recorded(name: str) -> list[str] | None:
    """Frames of a recording without their receive times; None without recordings."""
    folder = os.environ.get("TRADELOOM_RECORDED")
    path = Path(folder or "", "hftbacktest_mit", name)
    if not folder or not path.exists():
        return None
    with gzip.open(path, "rt") as lines:
        return [line.partition(" ")[2].strip() for line in lines]


class _Counted:
    """Takes what a dialect decodes and counts it."""

    def __init__(self) -> None:
        self.events = 0

    def quote(self, event: BookQuote, listing: object) -> None:
        self.events += 1

    def trade(self, event: object) -> None:
        self.events += 1

    def ignored(self, kind: str) -> None:
        pass


def listed(venue: str, perpetual: bool) -> VenueInstrument:
    """The instrument of the recording."""
    return VenueInstrument(
        venue=venue,
        symbol=f"{SYMBOL}-PERP" if perpetual else SYMBOL,
        wire=SYMBOL,
        kind=InstrumentKind.PERPETUAL if perpetual else InstrumentKind.SPOT,
        base="BTC",
        quote="USDT",
        settle="USDT",
        digits=1 if perpetual else 2,
        tick=1,
        step=1_000,
    )


async def ours(kind: type[BinanceSpot], frames: list[str]) -> float:
    """Microseconds a frame through our decoder to an event; the best of many passes."""
    connector = VenueConnector(kind)
    perpetual = kind is BinanceUsdm
    connector.context.listings.load([listed(connector.profile.venue, perpetual)])
    decode: Callable[..., None] = connector.dialect.market_frame
    best = float("inf")
    for _ in range(PASSES):
        connector.dialect._streams.clear()  # type: ignore[attr-defined]
        out = _Counted()
        sink: MarketOut = out  # type: ignore[assignment]
        gc.disable()
        began = time.perf_counter()
        for frame in frames:
            decode(frame, 1, sink, None)
        took = time.perf_counter() - began
        gc.enable()
        assert out.events == len(frames), (out.events, len(frames))
        best = min(best, took / len(frames) * 1e6)
    await connector.close()
    return best


async def theirs(frames: list[str], swap: bool) -> float:
    """Microseconds a frame through ccxt.pro to its cache, the same frames."""
    import ccxt.pro

    exchange = ccxt.pro.binance({"options": {"defaultType": "swap" if swap else "spot"}})
    market = exchange.safe_market_structure(
        {
            "id": SYMBOL,
            "symbol": "BTC/USDT:USDT" if swap else "BTC/USDT",
            "base": "BTC",
            "quote": "USDT",
            "settle": "USDT" if swap else None,
            "type": "swap" if swap else "spot",
            "spot": not swap,
            "swap": swap,
            "contract": swap,
            "linear": True if swap else None,
            "precision": {"price": 0.1, "amount": 0.001},
        }
    )
    exchange.set_markets([market])
    url = "wss://fstream.binance.com/ws/0" if swap else "wss://stream.binance.com/stream/ws/0"
    client = exchange.client(url)
    best = float("inf")
    for _ in range(3):
        gc.disable()
        began = time.perf_counter()
        for frame in frames:
            client.handle_text_or_binary_message(frame)
        took = time.perf_counter() - began
        gc.enable()
        best = min(best, took / len(frames) * 1e6)
    seen = exchange.bidsasks or exchange.trades
    assert seen, "ccxt kept nothing"
    await exchange.close()
    return best


def decoding() -> list[Row]:
    """One frame to one event."""
    rows = []
    for name, kind, swap in (
        ("spot/btcusdt_20240808.gz", BinanceSpot, False),
        ("usdm/btcusdt_20240808.gz", BinanceUsdm, True),
    ):
        frames = recorded(name)
        if frames is None:
            print("decoding: left out, TRADELOOM_RECORDED is not set")
            return []
        for topic in ("bookTicker", "trade"):
            part = [frame for frame in frames if f"@{topic}" in frame[:60]][:FRAMES]
            mine = asyncio.run(ours(kind, part))
            ccxt = asyncio.run(theirs(part, swap))
            venue = kind.profile.venue
            title = f"decode + normalise, recorded {venue} {topic}"
            rows.append(
                row(title, mine, "us/frame", at_most=2.0, baseline=f"ccxt.pro {ccxt:.1f} us")
            )
            times = f"times faster than ccxt.pro, {venue} {topic}"
            rows.append(row(times, ccxt / mine, "x", at_least=10.0, baseline=f"{len(part)} frames"))
    return rows


def free_port() -> int:
    """A port below 32768 that nobody uses."""
    for port in range(21_000, 32_000, 7):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no free port")


@contextlib.contextmanager
def process(*arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """A child that is ended, by its id, when the block ends."""
    child = subprocess.Popen(
        [sys.executable, "-m", *arguments],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


async def listening(port: int, seconds: float = 30.0) -> None:
    """Wait until something listens there."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        await asyncio.sleep(0.05)
    raise RuntimeError(f"nothing listens on {port}")


async def received(plan: dict[str, float], count: int, deliver: Any = None) -> list[int]:
    """Ages in nanoseconds of the quotes a connector delivered, in order."""
    port = free_port()
    ages: list[int] = []
    with process("benchmarks.frame_source", str(port), FRAME_PLAN=json.dumps(plan)):
        await listening(port)
        urls = BinanceSpot.profile.simulated(f"http://127.0.0.1:{port}")
        connector = VenueConnector(BinanceSpot, urls=urls)
        clock = time.monotonic_ns

        def sink(event: MarketEvent) -> None:
            if type(event) is BookQuote:
                if deliver is not None:
                    deliver(event)
                ages.append(clock() - event.seq)

        await connector.start()
        await connector.subscribe([SYMBOL], [Topic.QUOTES], sink)
        until = time.monotonic() + 60
        while len(ages) < count and time.monotonic() < until:
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.2)
        await connector.close()
    return ages


def at(values: list[int], share: float) -> float:
    """A quantile in milliseconds."""
    return sorted(values)[min(int(len(values) * share), len(values) - 1)] / 1e6


def loss() -> list[Row]:
    """Quotes that do not arrive."""
    paced = run(received({"rate": 1_000, "count": 10_000}, 10_000))
    burst = run(received({"burst": FRAMES}, FRAMES))
    median = f"age p50 {at(paced, 0.5):.2f} ms, p99 {at(paced, 0.99):.2f} ms"
    return [
        row(
            "quotes lost of 10,000 at 1,000/s over a socket",
            10_000 - len(paced),
            "quotes",
            at_most=0,
            baseline=median,
        ),
        row(
            f"quotes lost in a burst of {FRAMES:,}",
            FRAMES - len(burst),
            "quotes",
            at_most=0,
            baseline=f"the last one {at(burst, 1.0):.0f} ms old; ccxt.pro conflates",
        ),
    ]


async def _engine(folder: Path) -> list[int]:
    from tradeloom.app.market import packed
    from tradeloom.domain import commands as c
    from tradeloom.domain import presets
    from tradeloom.engine.shard import Shard
    from tradeloom.gateways.desk import Desk

    async with await Shard.open(folder / "journal", 0) as shard:
        desk = Desk(shard)
        for code in ("BTC", "USDT"):
            await desk.checked(c.DefineCurrency(currency=presets.CURRENCIES[code]))
        await desk.checked(c.DefineInstrument(instrument=presets.INSTRUMENTS["BTCUSDT"]))
        index = desk.names.instrument("BTCUSDT")

        def deliver(event: BookQuote) -> None:
            shard.quote(packed(index, event.bid // 10, event.ask // 10 + 1))

        return await received({"rate": 1_000, "count": 5_000}, 5_000, deliver)


def engine() -> list[Row]:
    """From the venue's send to the engine's input queue, the engine journaling beside it."""
    with tempfile.TemporaryDirectory() as folder:
        ages = run(_engine(Path(folder)))
    return [
        row(
            "venue socket to engine input, p99",
            at(ages, 0.99),
            "ms",
            at_most=2.0,
            baseline=f"p50 {at(ages, 0.5):.2f} ms, {len(ages):,} quotes at 1,000/s",
        )
    ]


async def _path() -> list[int]:
    from tests.bus.server import running
    from tradeloom.bus import RedisBus
    from tradeloom.marketdata.bridge import MarketDataBridge
    from tradeloom.marketdata.frames import stream_of

    source, service = free_port(), 0
    count, rate = 50_000, 5_000
    plan = json.dumps({"rate": rate, "count": count, "after_s": 3.0})
    ages: list[int] = []
    clock = time.monotonic_ns
    with (
        running() as redis,
        tempfile.TemporaryDirectory() as folder,
        process("benchmarks.frame_source", str(source), FRAME_PLAN=plan),
    ):
        await listening(source)
        service = source + 1
        urls = ["--venue-url", f"http://127.0.0.1:{source}"]
        place = ["--port", str(service), "--data-dir", folder]
        with process("tradeloom", "serve", "venue", "binance", *urls, *place):
            await listening(service)
            bus = RedisBus(redis.url)
            bridge = MarketDataBridge(bus, [stream_of("binance")], "bench")
            working = asyncio.create_task(bridge.run())

            def sink(events: Any) -> None:
                now = clock()
                ages.extend(now - each.seq for each in events if type(each) is BookQuote)

            bridge.follow(sink)
            wanted = ["--symbols", SYMBOL, "--redis", redis.url]
            address = f"127.0.0.1:{service}"
            with process("tradeloom", "serve", "ingest", "--service", address, *wanted):
                until = time.monotonic() + 90
                while len(ages) < count and time.monotonic() < until:
                    await asyncio.sleep(0.1)
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
            await bus.close()
    return ages[1_000:]


def path() -> list[Row]:
    """Venue service, gRPC, Redis, bridge: four processes."""
    ages = run(_path())
    return [
        row(
            "venue service to gRPC to Redis to bridge at 5,000 quotes/s, p99",
            at(ages, 0.99) if ages else float("inf"),
            "ms",
            at_most=25.0,
            baseline=f"p50 {at(ages, 0.5):.1f} ms, {len(ages) + 1_000:,} quotes arrived"
            if ages
            else "nothing arrived",
        )
    ]


async def _round_trips(count: int) -> list[int]:
    from decimal import Decimal

    from tradeloom.connectors.contract import OrderRequest, Outcome
    from tradeloom.connectors.profile import Credentials, Need
    from tradeloom.domain.enums import OrderType, Side

    port = free_port()
    took = []
    with (
        tempfile.TemporaryDirectory() as folder,
        process("tradeloom", "simulate", "binance", "--port", str(port)) as child,
    ):
        assert child.stdout is not None
        key = secret = ""
        for line in child.stdout:
            words = line.split()
            if words[:1] == ["key"] and not key:
                key = words[1]
            if words[:1] == ["secret"] and not secret:
                secret = words[1]
            if line.startswith("Stop"):
                break
        connector = VenueConnector(
            BinanceSpot,
            urls=BinanceSpot.profile.simulated(f"http://127.0.0.1:{port}"),
            credentials=Credentials("bench", {Need.KEY: key, Need.SECRET: secret}),
            folder=Path(folder),
        )
        await connector.start()
        for number in range(count):
            request = OrderRequest(
                client_id=f"bench-{number}",
                symbol=SYMBOL,
                side=Side.BUY,
                volume=Decimal("0.001"),
                type=OrderType.LIMIT,
                price=Decimal(50_000 + number),
            )
            began = time.perf_counter_ns()
            answer = await connector.submit(request)
            took.append(time.perf_counter_ns() - began)
            assert answer.outcome is Outcome.ACCEPTED, answer
            await connector.cancel(request.client_id)
            # The venue's own limit, which the connector honours, is not what is measured.
            await asyncio.sleep(0.12)
        await connector.close()
    return took[5:]


def orders() -> list[Row]:
    """Place a limit order: intent on disk, signed, over the socket, matched, answered."""
    took = run(_round_trips(200))
    said = f"{len(took)} orders, intent synced to disk first"
    return [
        row("order round trip, p50", at(took, 0.5), "ms", at_most=3.0, baseline=said),
        row("order round trip, p99", at(took, 0.99), "ms", at_most=15.0, baseline=said),
    ]


def books() -> list[Row]:
    """Books rebuilt from recorded frames, checked against the venue's checksum at every one."""
    from benchmarks.books import checksums

    rows = []
    for venue, frames, wrong in checksums():
        rows.append(
            row(
                f"{venue} book frames that differ from their checksum",
                wrong,
                "frames",
                at_most=0,
                baseline=f"{frames:,} recorded frames",
            )
        )
    return rows


def recorder() -> list[Row]:
    """Quotes a second into PostgreSQL and into Parquet."""
    from benchmarks.recorder import rows

    return rows()


def run(work: Any) -> Any:
    """Run on the loop the service uses."""
    import uvloop

    return uvloop.run(work)


PARTS: dict[str, Callable[[], list[Row]]] = {
    "decode": decoding,
    "loss": loss,
    "engine": engine,
    "path": path,
    "recorder": recorder,
    "books": books,
    "orders": orders,
}


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default=",".join(PARTS), help="comma-separated parts")
    only = parser.parse_args().only.split(",")
    rows = [line for name in only for line in PARTS[name]()]
    write("marketdata" if len(only) == len(PARTS) else "marketdata-part", rows)


if __name__ == "__main__":
    main()
