"""The whole service in one process: opens everything in order, serves, and closes in reverse."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

import uvicorn

from tradeloom import __version__
from tradeloom.app.bars import BarKeeper
from tradeloom.app.definitions import define
from tradeloom.app.housekeeping import jobs, keep_house
from tradeloom.app.limits import DISK_FREE_BYTES_MIN, FIRST_QUOTE_S
from tradeloom.app.market import MarketFeed, Source, generated, recorded
from tradeloom.app.tracing import TracingMissing, tracer
from tradeloom.connectors.contract import VenueUnavailable
from tradeloom.connectors.switch import Switchboard
from tradeloom.engine.event_log import events_behind
from tradeloom.engine.journal import Journal
from tradeloom.engine.shard import Shard
from tradeloom.gateways.causes import Inputs
from tradeloom.gateways.desk import Desk
from tradeloom.gateways.history import EventHistory
from tradeloom.gateways.identity import Callers
from tradeloom.gateways.journal_health import JournalHealth
from tradeloom.gateways.limits import FRAME_BYTES_MAX, PING_S, PONG_S
from tradeloom.gateways.markups import Markups
from tradeloom.gateways.meters import Meters
from tradeloom.gateways.office import FourEyes, Office
from tradeloom.gateways.overview import Overview
from tradeloom.gateways.quotes import QuoteBoard
from tradeloom.gateways.rates import Rates
from tradeloom.gateways.records import Records
from tradeloom.gateways.rest.application import build
from tradeloom.gateways.rest.gate import Gate
from tradeloom.gateways.ws.endpoint import Sockets
from tradeloom.gateways.ws.hub import Hub
from tradeloom.marketdata.bars import BarBuilder
from tradeloom.marketdata.past import Past
from tradeloom.security import Door, NewAdmin, Secrets, Security
from tradeloom.settings import Settings
from tradeloom.store import Address, Database, ProjectionWriter, follow
from tradeloom.store.bars import BarStore
from tradeloom.store.history import History
from tradeloom.store.ledger import LedgerBook

if TYPE_CHECKING:
    from tradeloom.app.venues import VenueMarket

log = logging.getLogger(__name__)

SHARD: Final = 0
CREDENTIALS: Final = "first-admin.txt"


class CannotStart(RuntimeError):  # noqa: N818
    """The service cannot start; the text says why and what to do."""


class Feed(Protocol):
    """What brings the market: generated, recorded or of venues."""

    @property
    def first_quote(self) -> asyncio.Event:
        """Set once there is a price."""

    async def run(self) -> None:
        """Bring quotes until cancelled."""


@dataclass(slots=True)
class Service:
    """A running service. `admin`: the credentials of a new installation, to be shown once."""

    settings: Settings
    url: str
    source: Source
    admin: NewAdmin | None
    gate: Gate
    feed: Feed
    server: uvicorn.Server
    serving: asyncio.Task[None]


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Service]:
    """The service, until the block ends: then it drains and closes. Raises `CannotStart`."""
    started = time.monotonic()
    source = None if settings.venues else await _source(settings)
    _check_disk(settings.data_dir)
    async with AsyncExitStack() as stack:
        listener = stack.enter_context(_listen(settings.host, settings.port))
        journal_dir = settings.data_dir / "journal"
        shard = await Shard.open(journal_dir, SHARD)
        stack.push_async_callback(shard.close)
        desk = Desk(shard)
        opened = shard.opened
        if opened is None:
            raise CannotStart("the journal is not open")
        journal = opened.journal
        address = Address.parse(settings.database)
        database = await Database.open(address)
        stack.push_async_callback(database.close)
        writer = follow(address, SHARD, _source_of(journal_dir, journal))
        writer.start()
        stack.push_async_callback(writer.close)
        stack.callback(shard.subscribe(writer.submit))
        stack.push_async_callback(shard.drain)
        door = Door(database, Secrets.load(settings.data_dir / "secrets.json"))
        security = Security(door)
        # Its hash takes a quarter of a second on another thread; what follows does not need it.
        first_admin = asyncio.create_task(_first_admin(security, settings.data_dir / CREDENTIALS))
        stack.push_async_callback(_cancel, [first_admin])
        venues = None
        if source is None:
            # Imported when wanted: connectors cost a quarter of a second and 15 MB.
            from tradeloom.app.venues import VenueFeed, VenueMarket

            venues = VenueMarket()
            stack.push_async_callback(venues.close)
            source = await _live(settings, venues, security)
        channels = await define(desk, source)
        board, bars = QuoteBoard(), BarBuilder()
        bar_store = BarStore(database)
        keeper = BarKeeper(
            bar_store, board, {channel.symbol: channel.digits for channel in channels}
        )
        await keeper.load(bars)
        feed: Feed
        if venues is not None:
            feed = VenueFeed(venues, source, channels, desk, board, bars)
        else:
            feed = MarketFeed(source, channels, desk, board, bars, settings.speed)
        meters = Meters()
        markups = Markups(desk)
        hub = Hub(desk.outbox, board, markups)
        stack.callback(hub.close)
        callers = Callers(security.authenticate)
        history = EventHistory(
            journal_dir, journal, SHARD, lambda: shard.read(lambda core: core.input_seq)
        )
        sockets = Sockets(hub, callers, history, meters, lambda: set(board.newest))
        about = {
            "version": __version__,
            "market": source.label,
            "simulated": source.simulated,
            "signup": settings.signup,
            "demo_balance": settings.demo_balance,
            "started": started,
            "sockets": lambda: sockets.open,
            "stored_seq": lambda: writer.progress.last_seq,
        }
        rule = FourEyes(
            Decimal(settings.four_eyes_amount) if settings.four_eyes_amount else None,
            settings.four_eyes_accounts,
            settings.four_eyes_hours * 3_600,
        )
        office = Office(desk, database, rule)
        gate = Gate(
            desk=desk,
            board=board,
            bars=bars,
            bar_store=bar_store,
            past=Past(settings.seed) if source.continues else None,
            office=office,
            overview=Overview(desk, board),
            markups=markups,
            inputs=Inputs(journal_dir, journal, SHARD),
            journal=JournalHealth(journal_dir, journal, SHARD, desk),
            callers=callers,
            security=security,
            database=database,
            switchboard=venues.switchboard if venues is not None else Switchboard(),
            records=Records(database, writer, History(database), LedgerBook(database)),
            meters=meters,
            order_rates=Rates(settings.orders_per_s, settings.orders_per_s),
            about=about,
            ready=lambda: _checks(desk, feed, writer),
        )
        _gauges(meters, gate, writer)
        if venues is not None:
            from tradeloom.app.streaming import streaming

            await stack.enter_async_context(
                streaming(
                    venues.streams,
                    venues.live,
                    database,
                    redis_url=settings.redis_url.get_secret_value(),
                    database_url=settings.database,
                    folder=settings.data_dir / "market",
                )
            )
        tasks = [asyncio.create_task(feed.run()), asyncio.create_task(sockets.sweep())]
        stack.push_async_callback(keeper.flush)
        tasks.append(asyncio.create_task(keeper.run()))
        work = jobs(bar_store, security, office.approvals)
        tasks.append(asyncio.create_task(keep_house(work)))
        for task in tasks:
            task.add_done_callback(_ended)
        stack.push_async_callback(_cancel, tasks)
        await asyncio.sleep(0)  # the market makes its first quotes while the routes are made
        app = build(
            gate,
            sockets,
            version=__version__,
            rates=Rates(settings.requests_per_s, settings.requests_burst),
            cors_origins=settings.cors_origins,
            tracer=_tracer() if settings.otel else None,
            web_dir=settings.web_dir,
        )
        server = _Server(_config(app, settings))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(feed.first_quote.wait(), FIRST_QUOTE_S)
        admin = await first_admin
        serving = asyncio.create_task(server.serve([listener]))
        while not server.started and not serving.done():
            await asyncio.sleep(0.005)
        host, port = listener.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        service = Service(
            settings, f"http://{shown}:{port}", source, admin, gate, feed, server, serving
        )
        try:
            yield service
        finally:
            desk.draining = True
            sockets.draining.set()
            server.should_exit = True
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(serving), settings.drain_s + 1)


async def serve(settings: Settings, told: Callable[[Service], None]) -> None:
    """Run until SIGTERM or SIGINT; `told` is called once everything is up."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with running(settings) as service:
        told(service)
        waiting = asyncio.create_task(stop.wait())
        await asyncio.wait({waiting, service.serving}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        log.info("stopping: no new work, what is in flight is finished")


async def _source(settings: Settings) -> Source:
    from tradeloom.marketdata.recordings import RecordingError

    try:
        if settings.replay:
            return await asyncio.to_thread(recorded, settings.replay)
        return generated(settings.seed, settings.symbols)
    except (RecordingError, ValueError) as error:
        raise CannotStart(f"the market cannot be played: {error}") from error


async def _live(settings: Settings, venues: VenueMarket, security: Security) -> Source:
    from tradeloom.app.venues import setups_of

    try:
        setups = await setups_of(settings.venues, settings.venue_urls, security.vault)
        folder = settings.data_dir / "venues"
        return await venues.open(setups, settings.symbols, folder, paper=settings.paper)
    except (ValueError, VenueUnavailable) as error:
        raise CannotStart(f"the venues cannot be used: {error}") from error


def _tracer() -> Any:
    try:
        return tracer()
    except TracingMissing as error:
        raise CannotStart(str(error)) from error


def _source_of(directory: Path, journal: Journal) -> Callable[[int], Iterable[bytes]]:
    return lambda after: events_behind(directory, journal, after, shard=SHARD)


def _check_disk(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        free = shutil.disk_usage(directory).free
    except OSError as error:
        raise CannotStart(
            f"the data directory {directory} cannot be used: {error.strerror}; "
            "choose another one with --data-dir"
        ) from error
    if free < DISK_FREE_BYTES_MIN:
        raise CannotStart(
            f"{directory} has {free >> 20} MB free, {DISK_FREE_BYTES_MIN >> 20} are needed; "
            "free some, or choose another disk with --data-dir"
        )


@contextlib.contextmanager
def _listen(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            raise CannotStart(
                f"cannot listen on {host}:{port}: {error.strerror}; "
                "stop what listens there, or choose another --port"
            ) from error
        yield listener
    finally:
        listener.close()


def _config(app: Any, settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        ws="websockets-sansio",
        ws_max_size=FRAME_BYTES_MAX,
        ws_ping_interval=PING_S,
        ws_ping_timeout=PONG_S,
        ws_per_message_deflate=False,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        lifespan="off",
        timeout_graceful_shutdown=int(settings.drain_s),
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
    )


class _Server(uvicorn.Server):
    """Leaves signals to us, so that a stop drains everything and ends with exit code 0."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


def _checks(desk: Desk, feed: Feed, writer: ProjectionWriter) -> dict[str, str]:
    progress = writer.progress
    return {
        "engine": "stopping" if desk.draining else "ok",
        "market": "ok" if feed.first_quote.is_set() else "no quote yet",
        "store": progress.problem or "ok",
    }


def _gauges(meters: Meters, gate: Gate, writer: ProjectionWriter) -> None:
    shard = gate.desk.shard
    meters.gauge(
        "tradeloom_inputs_waiting", "Inputs no batch has taken yet.", lambda: shard.waiting
    )
    meters.gauge("tradeloom_events", "Newest event.", lambda: gate.desk.outbox.last)
    meters.gauge("tradeloom_quotes", "Quotes so far.", lambda: gate.board.count)
    meters.gauge("tradeloom_stored_event", "Newest stored event.", lambda: writer.progress.last_seq)


async def _first_admin(security: Security, path: Path) -> NewAdmin | None:
    """The admin of a new installation, whose credentials stand at `path` from then on."""
    admin = await security.people.first_admin()
    if admin is not None:
        _keep(path, admin)
    return admin


def _keep(path: Path, admin: NewAdmin) -> None:
    """Write the first credentials where only the owner of the process reads them."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(f"login: {admin.login}\npassword: {admin.password}\n")


async def _cancel(tasks: Sequence[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _ended(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        log.critical("a task of the service ended", exc_info=task.exception())
