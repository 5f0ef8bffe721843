"""What `tradeloom data record | bars | export` and `tradeloom serve …` do: rooms wired together."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import polars as pl

from tradeloom.app.bridge_socket import BridgeSocket
from tradeloom.app.limits import DATA_STOP_S, DATA_TELL_S, FEED_AHEAD_MAX
from tradeloom.bus import Bus, BusError, MemoryBus, RedisBus
from tradeloom.connectors.connector import VenueConnector
from tradeloom.connectors.contract import Connector, MarketSink
from tradeloom.domain.market import BookQuote, HistoricBar, Topic
from tradeloom.marketdata.aggregator import BarAggregator, History, MarketBar, MarketBarStore, Ticks
from tradeloom.marketdata.bridge import MarketDataBridge
from tradeloom.marketdata.frames import MarketPublisher, stream_of
from tradeloom.marketdata.history import Catalog
from tradeloom.marketdata.history.kinds import Kind
from tradeloom.marketdata.recorder import (
    MarketDataRecorder,
    ParquetRecords,
    PostgresRecords,
    RecordStore,
)
from tradeloom.marketdata.recordings import Recording, open_recordings
from tradeloom.store import Address, Database

log = logging.getLogger(__name__)
Tell = Callable[[str], None]
_CHUNK: Final = 4_096
_PRICES: Final = ("bid", "ask", "price", "open", "high", "low", "close")
_SIZES: Final = ("bid_size", "ask_size", "volume", "size")


class DataProblem(Exception):  # noqa: N818 - the name says what it is
    """Something asked for cannot be done; the text says what, where and what to do."""


def open_bus(redis_url: str) -> Bus:
    """The bus of the platform: Redis where an address is given, else this process."""
    return RedisBus(redis_url) if redis_url else MemoryBus()


def records_of(catalog: Path | None, database: str) -> RecordStore:
    """Where ticks go: a folder if one is given, else the PostgreSQL database."""
    if catalog is not None:
        return ParquetRecords(catalog)
    if database and Address.parse(database).dialect == "postgresql":
        return PostgresRecords(database)
    raise DataProblem("no place for ticks: give --catalog FOLDER or --database postgresql://…")


# ---- record ----------------------------------------------------------------------------------


async def record_files(
    paths: Sequence[Path],
    venue: str | None,
    catalog: Path | None,
    database: str,
    progress: Callable[[int, int], None],
    *,
    with_bars: bool = True,
) -> dict[str, int]:
    """Play recordings through the bus into the store and into bars, as fast as it goes; counts.

    `progress` is told quotes stored and quotes in all. Raises RecordingError and DataProblem.
    """
    recordings = open_recordings(paths).recordings
    total = sum(each.rows for each in recordings)
    bus = MemoryBus()
    records = records_of(catalog, database)
    streams = sorted({stream_of(venue or each.source) for each in recordings})
    async with await Database.open(database or f"sqlite:///{catalog}/bars.db") as opened:
        recorder = MarketDataRecorder(bus, records, streams)
        bars = BarAggregator(bus, MarketBarStore(opened), streams, live=False)
        publishers = {each: MarketPublisher(bus, each, _producer()) for each in streams}
        readers = (recorder, bars) if with_bars else (recorder,)
        groups = ("recorder", "bars")[: len(readers)]
        async with at_work(*readers, *publishers.values()):
            for recording in recordings:
                publisher = publishers[stream_of(venue or recording.source)]
                for quotes in _quotes(recording, venue or recording.source):
                    publisher.publish(quotes)
                    await publisher.flushed()
                    await _not_ahead(bus, streams, groups)
                    progress(_stored(recorder), total)
            await _drained(bus, streams, groups)
            recorder.stop()
            bars.stop(seal=True)
        progress(_stored(recorder), total)
        await records.close()
        health = bars.health.values()
        return {
            "quotes": _stored(recorder),
            "bars": sum(each.stored for each in health),
            "duplicates": sum(each.duplicates for each in recorder.health.values()),
            "left_out": sum(each.buried for each in recorder.health.values()),
        }


def _quotes(recording: Recording, venue: str) -> Iterator[list[BookQuote]]:
    digits, symbol = recording.price_digits, recording.symbol
    for rows in recording.chunks(_CHUNK):
        yield [
            BookQuote(venue, symbol, digits, bid, ask, 0, 0, ts, ts)
            for ts, bid, ask in zip(
                rows["ts_ns"].tolist(), rows["bid"].tolist(), rows["ask"].tolist(), strict=True
            )
        ]


async def _not_ahead(bus: Bus, streams: Sequence[str], groups: Sequence[str]) -> None:
    """Wait while readers are far behind: the in-process bus is bounded."""
    while True:
        backlogs = [await bus.backlog(stream, group) for stream in streams for group in groups]
        if all((each.lag or 0) + each.pending < FEED_AHEAD_MAX for each in backlogs):
            return
        await asyncio.sleep(0.005)


async def _drained(bus: Bus, streams: Sequence[str], groups: Sequence[str]) -> None:
    """Until every entry was read; the recorder stores what is in hand when it is stopped."""
    while True:
        lags = [
            (await bus.backlog(stream, group)).lag or 0 for stream in streams for group in groups
        ]
        if not sum(lags):
            return
        await asyncio.sleep(0.01)


def _stored(recorder: MarketDataRecorder) -> int:
    return sum(each.quotes + each.trades for each in recorder.health.values())


async def record_venues(
    connectors: Mapping[str, VenueConnector],
    symbols: Sequence[str],
    catalog: Path | None,
    database: str,
    tell: Tell,
) -> None:
    """Record venues that are connected to right here, ticks and bars, until a signal comes.

    Raises DataProblem for symbols a venue does not list, VenueUnavailable.
    """
    bus = MemoryBus()
    records = records_of(catalog, database)
    streams = [stream_of(each) for each in connectors]
    async with (
        await Database.open(database or f"sqlite:///{catalog}/bars.db") as opened,
        contextlib.AsyncExitStack() as stack,
    ):
        recorder = MarketDataRecorder(bus, records, streams)
        bars = BarAggregator(bus, MarketBarStore(opened), streams, history=history_of(connectors))
        publishers = {
            name: MarketPublisher(bus, stream_of(name), _producer()) for name in connectors
        }
        await stack.enter_async_context(at_work(recorder, bars, *publishers.values()))
        for name, connector in connectors.items():
            stack.push_async_callback(connector.close)
            await connector.start()
            listed = {each.symbol for each in await connector.instruments()}
            if missing := [each for each in symbols if each not in listed]:
                raise DataProblem(f"{name} does not list {', '.join(missing)}")
            topics = sorted(set(connector.info().topics) - {Topic.BOOK})
            await connector.subscribe(symbols, topics, _into(publishers[name]))
            tell(f"recording {', '.join(symbols)} of {name}")
        await _until_signal(set(), _recorder_line(recorder), tell)
        recorder.stop()
        bars.stop()
    await records.close()


def _into(publisher: MarketPublisher) -> MarketSink:
    return lambda event: publisher.publish((event,))


def history_of(connectors: Mapping[str, Connector]) -> History:
    """The venues' own bars, to fill holes with."""

    async def history(
        venue: str, symbol: str, interval_s: int, since_ns: int, until_ns: int
    ) -> tuple[int, list[HistoricBar]]:
        connector = connectors[venue]
        bars = await connector.bars(symbol, interval_s, since_ns, until_ns)
        listed = await connector.instruments()
        return next(each.digits for each in listed if each.symbol == symbol), bars

    return history


# ---- services --------------------------------------------------------------------------------


async def serve_recorder(
    redis_url: str,
    venues: Sequence[str],
    catalog: Path | None,
    database: str,
    name: str,
    tell: Tell,
) -> None:
    """Record the streams of venues until a signal comes."""
    bus, records = _redis(redis_url), records_of(catalog, database)
    recorder = MarketDataRecorder(bus, records, [stream_of(each) for each in venues], name)
    await _until_told(recorder, recorder.stop, _recorder_line(recorder), tell)
    await records.close()
    await bus.close()


async def serve_bars(
    redis_url: str, venues: Sequence[str], database: str, name: str, tell: Tell
) -> None:
    """Make bars of the streams of venues until a signal comes."""
    bus = _redis(redis_url)
    streams = [stream_of(each) for each in venues]
    ticks: Ticks | None = None
    records: PostgresRecords | None = None
    if Address.parse(database).dialect == "postgresql":
        records = PostgresRecords(database)
        await records.open()
        ticks = records.ticks
    async with await Database.open(database) as opened:
        bars = BarAggregator(bus, MarketBarStore(opened), streams, name, ticks=ticks)

        async def line() -> str:
            rows = (await bars.look()).items()
            return "; ".join(
                f"{stream}: {each.ticks:,} ticks, {each.stored:,} bars, "
                f"{each.revisions:,} revised, lag {each.lag}"
                f"{', ' + each.problem if each.problem else ''}"
                for stream, each in rows
            )

        await _until_told(bars, bars.stop, line, tell)
    if records is not None:
        await records.close()
    await bus.close()


async def serve_bridge(
    redis_url: str, venues: Sequence[str], host: str, port: int, name: str, tell: Tell
) -> None:
    """Serve the streams of venues on a WebSocket until a signal comes."""
    bus = _redis(redis_url)
    streams = [stream_of(each) for each in venues]
    # A group of its own: every bridge shows everything.
    bridge = MarketDataBridge(bus, streams, name, group=f"bridge:{name}")
    socket = BridgeSocket(bridge, host, port)
    ready = asyncio.Event()
    serving = asyncio.create_task(socket.run(ready))
    carrying = asyncio.create_task(bridge.run())

    async def line() -> str:
        health = await bridge.look()
        return (
            f"{health.events:,} events, {socket.clients} clients, "
            f"p99 {health.p99_ms:.1f} ms, lag {health.lag}"
        )

    listening = asyncio.create_task(ready.wait())
    await asyncio.wait({serving, listening}, return_when=asyncio.FIRST_COMPLETED)
    if serving.done():
        carrying.cancel()
        raise DataProblem(f"cannot listen on {host}:{port}: {serving.exception()}")
    tell(f"listening on ws://{host}:{socket.port}")
    await _until_signal({serving, carrying}, line, tell)
    for task in (serving, carrying):
        task.cancel()
    await asyncio.gather(serving, carrying, return_exceptions=True)
    await bus.close()


def _recorder_line(recorder: MarketDataRecorder) -> Callable[[], Any]:
    async def line() -> str:
        rows = (await recorder.look()).items()
        return "; ".join(
            f"{stream}: {each.quotes:,} quotes, {each.trades:,} trades, {each.rate:,.0f}/s, "
            f"lag {each.lag}{', ' + each.problem if each.problem else ''}"
            for stream, each in rows
        )

    return line


def _redis(url: str) -> RedisBus:
    if not url:
        raise DataProblem("no stream to read: give --redis redis://HOST:PORT/0")
    try:
        return RedisBus(url)
    except BusError as error:
        raise DataProblem(str(error)) from error


async def _until_told(worker: Any, stop: Callable[[], None], line: Any, tell: Tell) -> None:
    """Run a worker; a signal stops it and gives it time to store what is in hand."""
    task = asyncio.create_task(worker.run())
    await _until_signal({task}, line, tell)
    stop()
    done, _ = await asyncio.wait({task}, timeout=DATA_STOP_S)
    if not done:
        task.cancel()
        log.warning("what is in hand was not stored in time; it comes again at the next start")
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def _until_signal(tasks: set[asyncio.Task[Any]], line: Any, tell: Tell) -> None:
    """Until SIGINT or SIGTERM, or a task ends; a line about how it goes now and then."""
    loop = asyncio.get_running_loop()
    told = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, told.set)
    waiting = asyncio.create_task(told.wait())
    tell("running; Ctrl-C ends it")
    try:
        while not told.is_set():
            done, _ = await asyncio.wait(
                {*tasks, waiting}, timeout=DATA_TELL_S, return_when=asyncio.FIRST_COMPLETED
            )
            if done:
                return
            try:
                tell(await asyncio.wait_for(line(), DATA_TELL_S))
            except (BusError, TimeoutError) as error:
                tell(f"waiting: {error}")
    finally:
        waiting.cancel()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


@contextlib.asynccontextmanager
async def at_work(*workers: Any) -> AsyncIterator[None]:
    """Workers that run; those that can be stopped must be, the others are cancelled at the end."""
    tasks = {worker: asyncio.create_task(worker.run()) for worker in workers}
    try:
        yield
        ending = [task for worker, task in tasks.items() if hasattr(worker, "stop")]
        await asyncio.wait_for(asyncio.gather(*ending), DATA_STOP_S)
    finally:
        for task in tasks.values():
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)


def _producer() -> str:
    """A name no other run has."""
    return os.urandom(6).hex()


# ---- bars and export -------------------------------------------------------------------------


async def bars_of(
    database: str,
    venue: str,
    symbol: str,
    interval_s: int,
    since_ns: int | None,
    until_ns: int | None,
    limit: int,
) -> list[MarketBar]:
    """Stored bars, oldest first."""
    async with await Database.open(database) as opened:
        store = MarketBarStore(opened)
        await store.open()
        return await store.read(
            venue, symbol, interval_s, since_ns=since_ns, until_ns=until_ns, limit=limit
        )


async def export(
    catalog: Path | None,
    database: str,
    venue: str,
    symbol: str,
    kind: Kind,
    since_ns: int | None,
    until_ns: int | None,
    out: Path,
    progress: Callable[[int], None],
) -> int:
    """Write recorded rows to `out` (.csv with decimals, or .parquet as stored); how many.

    The file appears when it is whole. Raises DataProblem, CatalogError, StoreDown.
    """
    if out.suffix not in (".csv", ".parquet"):
        raise DataProblem(f"{out}: the name must end in .csv or .parquet")
    temporary = out.with_name(f"{out.name}.part")
    rows = 0
    frames: list[pl.DataFrame] = []
    try:
        with temporary.open("wb") as file:
            async for frame in _recorded(
                catalog, database, venue, symbol, kind, since_ns, until_ns
            ):
                if out.suffix == ".csv":
                    decimals(frame).write_csv(file, include_header=rows == 0)
                else:
                    frames.append(frame)
                rows += frame.height
                progress(rows)
            if not rows:
                raise DataProblem(
                    f"no {kind.value} of {symbol} at {venue} in that time; "
                    "`tradeloom data list` shows what there is"
                )
            if frames:
                pl.concat(frames).write_parquet(file)
        temporary.replace(out)
    finally:
        temporary.unlink(missing_ok=True)
    return rows


async def _recorded(
    catalog: Path | None,
    database: str,
    venue: str,
    symbol: str,
    kind: Kind,
    since_ns: int | None,
    until_ns: int | None,
) -> AsyncIterator[pl.DataFrame]:
    if catalog is not None:
        for frame in Catalog(catalog).read(venue, symbol, kind, since_ns, until_ns):
            yield frame
            await asyncio.sleep(0)
        return
    records = records_of(None, database)
    if not isinstance(records, PostgresRecords):  # records_of(None, …) gives nothing else
        raise DataProblem("no place of ticks")
    await records.open()
    try:
        async for frame in records.read(venue, symbol, kind.value, since_ns, until_ns):
            yield frame
    finally:
        await records.close()


def decimals(frame: pl.DataFrame) -> pl.DataFrame:
    """Mantissas as decimal text; a frame may have rows of several digits."""
    exact = [pl.col("digits").cast(pl.Int64).alias("_digits")]
    rows = frame.with_columns(exact)
    parts = []
    for (digits,), part in rows.group_by("_digits", maintain_order=True):
        columns = [
            _text(name, places)
            for names, places in ((_PRICES, int(str(digits))), (_SIZES, 8))
            for name in names
            if name in part.columns
        ]
        parts.append(part.with_columns(columns))
    return pl.concat(parts).drop("_digits", "digits")


def _text(name: str, digits: int) -> pl.Expr:
    column = pl.col(name)
    whole = column.abs().cast(pl.String).str.zfill(digits + 1)
    text = whole
    if digits:
        text = pl.concat_str([whole.str.head(-digits), pl.lit("."), whole.str.tail(digits)])
    sign = pl.when(column < 0).then(pl.lit("-")).otherwise(pl.lit(""))
    return pl.concat_str([sign, text]).alias(name)
