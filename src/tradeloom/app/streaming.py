"""Path 2 of the market plane in a service: venue events onto the bus, kept and made into bars.

With Redis the events go to `md:{venue}` and other processes keep them; without it this process
does: ticks into PostgreSQL or, embedded, into Parquet files, and bars into the database.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tradeloom.app.data_jobs import at_work, history_of, open_bus
from tradeloom.app.limits import INGEST_TELL_S
from tradeloom.connectors.contract import Connector
from tradeloom.connectors.remote import RemoteConnector
from tradeloom.domain.market import MarketEvent, Topic
from tradeloom.marketdata.aggregator import BarAggregator, MarketBarStore
from tradeloom.marketdata.frames import MarketPublisher, stream_of
from tradeloom.marketdata.recorder import (
    MarketDataRecorder,
    ParquetRecords,
    PostgresRecords,
    RecordStore,
)
from tradeloom.marketdata.streams import StreamManager
from tradeloom.store import Database


@contextlib.asynccontextmanager
async def streaming(
    streams: StreamManager,
    connectors: Mapping[str, Connector],
    database: Database,
    *,
    redis_url: str,
    database_url: str,
    folder: Path,
) -> AsyncIterator[dict[str, Any]]:
    """Publish everything that passes `streams`; yields the workers by name, for health."""
    bus = open_bus(redis_url)
    names = list(connectors)
    producer = os.urandom(6).hex()
    publishers = {name: MarketPublisher(bus, stream_of(name), producer) for name in names}
    workers: dict[str, Any] = {f"publisher {name}": each for name, each in publishers.items()}
    records: RecordStore | None = None
    if not redis_url:
        postgres = database.address.dialect == "postgresql"
        records = PostgresRecords(database_url) if postgres else ParquetRecords(folder)
        topics = [stream_of(name) for name in names]
        workers["recorder"] = MarketDataRecorder(bus, records, topics)
        workers["bars"] = BarAggregator(
            bus, MarketBarStore(database), topics, history=history_of(connectors)
        )

    def publish(event: MarketEvent) -> None:
        publisher = publishers.get(event.venue)
        if publisher is not None:
            publisher.publish((event,))

    async with at_work(*workers.values()):
        untap = streams.tap(publish)
        try:
            yield workers
        finally:
            untap()
            for worker in workers.values():
                if hasattr(worker, "stop"):
                    worker.stop()
    if records is not None:
        await records.close()
    await bus.close()


async def ingest(
    services: Sequence[str],
    symbols: Sequence[str],
    redis_url: str,
    token: str,
    tell: Any,
) -> None:
    """From venue services over gRPC onto Redis, until SIGTERM or SIGINT.

    Raises VenueUnavailable, UnknownSymbol.
    """
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    bus = open_bus(redis_url)
    connectors = [RemoteConnector(address, token) for address in services]
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(bus.close)
        publishers = {}
        for connector in connectors:
            stack.push_async_callback(connector.stop)
            await connector.start()
            venue = connector.info().venue
            publisher = MarketPublisher(bus, stream_of(venue), os.urandom(6).hex())
            publishers[venue] = publisher
            await stack.enter_async_context(at_work(publisher))

            def sink(event: MarketEvent, publisher: MarketPublisher = publisher) -> None:
                publisher.publish((event,))

            topics = sorted(set(connector.info().topics) & set(Topic))
            await connector.subscribe(symbols, topics, sink)
            tell(f"{venue} at {connector.address}: {', '.join(symbols)} to {stream_of(venue)}")
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), INGEST_TELL_S)
            for venue, publisher in publishers.items():
                health = publisher.health
                tell(f"{venue}: {health.published:,} events, {health.waiting} waiting")
