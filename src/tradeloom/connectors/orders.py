"""What we know of our orders at one venue, on disk before it is acted on.

One SQLite file per venue and account: intents before they are sent, orders as they change, fills
once. A writer thread commits what has collected in one transaction, so that a burst of orders costs
one disk write. Memory holds open orders and the newest closed ones; the file holds all.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import sqlite3
import threading
from collections import OrderedDict
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import msgspec

from tradeloom.connectors.contract import OrderRequest, Origin, VenueFill, VenueOrder
from tradeloom.connectors.limits import CLOSED_KEPT, FILL_IDS_KEPT, STORE_QUEUE_MAX
from tradeloom.domain.enums import OrderState

log = logging.getLogger(__name__)

OPEN: Final = frozenset(
    {
        OrderState.WORKING,
        OrderState.PARTIAL,
        OrderState.ROUTING,
        OrderState.ROUTED,
        OrderState.CANCEL_PENDING,
        OrderState.UNRESOLVED,
        OrderState.TRIGGERED,
        OrderState.MODIFIED,
    }
)
"""States in which an order may still trade, or may turn out to."""

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS orders (
    client_id TEXT PRIMARY KEY, wire_id TEXT NOT NULL UNIQUE, venue_order_id TEXT NOT NULL,
    open INTEGER NOT NULL, intent BLOB, body BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS orders_open ON orders (open) WHERE open = 1;
CREATE INDEX IF NOT EXISTS orders_venue_id ON orders (venue_order_id);
CREATE TABLE IF NOT EXISTS fills (
    symbol TEXT NOT NULL, trade_id TEXT NOT NULL, venue_ns INTEGER NOT NULL,
    client_id TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (symbol, trade_id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS fills_time ON fills (venue_ns);
CREATE INDEX IF NOT EXISTS fills_order ON fills (client_id);
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
_ORDER: Final = "INSERT OR REPLACE INTO orders VALUES (?, ?, ?, ?, ?, ?)"
_FILL: Final = "INSERT OR IGNORE INTO fills VALUES (?, ?, ?, ?, ?)"
_FACT: Final = "INSERT OR REPLACE INTO facts VALUES (?, ?)"

_encode = msgspec.msgpack.Encoder().encode
_order = msgspec.msgpack.Decoder(VenueOrder).decode
_fill = msgspec.msgpack.Decoder(VenueFill).decode
_request = msgspec.msgpack.Decoder(OrderRequest).decode


class StoreFull(RuntimeError):  # noqa: N818
    """The disk does not keep up; nothing was sent."""


class Known:
    """An order with what the venue calls it, and what its booked fills add up to."""

    __slots__ = ("booked", "cost", "intent", "order", "wire_id")

    def __init__(self, order: VenueOrder, wire_id: str, intent: OrderRequest | None) -> None:
        self.order = order
        self.wire_id = wire_id
        self.intent = intent
        self.booked = Decimal(0)
        self.cost = Decimal(0)

    @property
    def open(self) -> bool:
        """Whether it may still trade."""
        return self.order.state in OPEN


class OrderStore:
    """Orders and fills of one account. `path` None keeps them in memory only (paper, tests)."""

    def __init__(self, path: Path | None) -> None:
        self.known: Final[OrderedDict[str, Known]] = OrderedDict()
        self._by_wire: dict[str, str] = {}
        self._by_venue: dict[str, str] = {}
        self._fills: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._facts: dict[str, str] = {}
        self._path = path
        self._jobs: queue.Queue[tuple[list[tuple[str, Any]], Any] | None] = queue.Queue()
        self._failed: BaseException | None = None
        self._reader = self._open()
        self._load()
        self._thread = threading.Thread(target=self._write, name="venue-orders", daemon=True)
        self._thread.start()

    async def intend(self, order: VenueOrder, wire_id: str, intent: OrderRequest) -> Known:
        """Make the intent durable. Raises StoreFull, OSError."""
        known = Known(order, wire_id, intent)
        self._remember(known)
        try:
            await self._durable([self._row(known)])
        except BaseException:
            self._drop(known)
            raise
        return known

    def update(self, known: Known, order: VenueOrder) -> None:
        """The order as it is now; written soon, in order."""
        known.order = order
        self._remember(known)
        self._later([self._row(known)])

    def adopt(self, order: VenueOrder, wire_id: str) -> Known:
        """An order at the venue that we did not make."""
        adopted = msgspec.structs.replace(order, origin=Origin.EXTERNAL)
        known = Known(adopted, wire_id, None)
        self._remember(known)
        self._later([self._row(known)])
        return known

    def book(self, fill: VenueFill) -> bool:
        """Book a fill; False when it was booked before."""
        key = (fill.symbol, fill.trade_id)
        if key in self._fills:
            return False
        if self._reader.execute(
            "SELECT 1 FROM fills WHERE symbol = ? AND trade_id = ?", key
        ).fetchone():
            return False
        self._fills[key] = None
        if len(self._fills) > FILL_IDS_KEPT:
            self._fills.popitem(last=False)
        self._later([(_FILL, (*key, fill.venue_ns, fill.client_id, _encode(fill)))])
        return True

    def executions(self, client_id: str) -> list[VenueFill]:
        """The fills of one order that are on disk."""
        rows = self._reader.execute("SELECT body FROM fills WHERE client_id = ?", (client_id,))
        return [_fill(row[0]) for row in rows]

    def find(self, client_id: str) -> Known | None:
        """By our id; closed orders of long ago come from the file."""
        known = self.known.get(client_id)
        if known is None:
            row = self._reader.execute(
                "SELECT wire_id, intent, body FROM orders WHERE client_id = ?", (client_id,)
            ).fetchone()
            known = _from_row(row) if row else None
        return known

    def by_wire(self, wire_id: str, venue_order_id: str) -> Known | None:
        """By what the venue calls it."""
        client_id = self._by_wire.get(wire_id) if wire_id else None
        client_id = client_id or (self._by_venue.get(venue_order_id) if venue_order_id else None)
        if client_id is not None:
            return self.known.get(client_id)
        row = self._reader.execute(
            "SELECT wire_id, intent, body FROM orders "
            "WHERE (wire_id = ? AND ? <> '') OR (venue_order_id = ? AND ? <> '')",
            (wire_id, wire_id, venue_order_id, venue_order_id),
        ).fetchone()
        return _from_row(row) if row else None

    def open(self) -> list[Known]:
        """Orders that may still trade, oldest first."""
        return [each for each in self.known.values() if each.open]

    def fills(self, since_ns: int, symbol: str | None) -> list[VenueFill]:
        """Booked fills of this file since then (those still in the writer's queue are not in)."""
        rows = self._reader.execute(
            "SELECT body FROM fills WHERE venue_ns >= ? ORDER BY venue_ns", (since_ns,)
        )
        found = [_fill(row[0]) for row in rows]
        return [each for each in found if symbol is None or each.symbol == symbol]

    def fact(self, name: str) -> str:
        """A remembered fact; empty when there is none."""
        return self._facts.get(name, "")

    def remember(self, name: str, value: str) -> None:
        """Keep a fact across restarts (the kill switch, the newest fill)."""
        self._facts[name] = value
        self._later([(_FACT, (name, value))])

    async def flush(self) -> None:
        """Wait until everything up to now is on disk."""
        await self._durable([])

    def close(self) -> None:
        """Write what is left and stop."""
        self._jobs.put(None)
        self._thread.join()
        self._reader.close()

    # -- inside ----------------------------------------------------------------------------------

    def _open(self) -> sqlite3.Connection:
        # Memory keeps its database alive through the reader, shared by name with the writer.
        if self._path is None:
            self._uri = f"file:orders-{id(self)}?mode=memory&cache=shared"
        else:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.touch(mode=0o600)
            self._uri = self._path.absolute().as_uri()
        connection = self._connect()
        connection.executescript(_SCHEMA)
        return connection

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._uri, uri=True, check_same_thread=False, isolation_level=None, timeout=10.0
        )
        if self._path is None:
            connection.execute("PRAGMA read_uncommitted = 1")
        else:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
        return connection

    def _load(self) -> None:
        rows = self._reader.execute("SELECT wire_id, intent, body FROM orders WHERE open = 1")
        for row in rows.fetchall():
            known = _from_row(row)
            for fill in self.executions(known.order.client_id):
                known.booked += fill.volume
                known.cost += fill.volume * fill.price
            self._remember(known)
        self._facts = dict(self._reader.execute("SELECT name, value FROM facts").fetchall())

    def _remember(self, known: Known) -> None:
        order = known.order
        self.known[order.client_id] = known
        if known.wire_id:
            self._by_wire[known.wire_id] = order.client_id
        if order.venue_order_id:
            self._by_venue[order.venue_order_id] = order.client_id
        if len(self.known) > CLOSED_KEPT:
            oldest = next((each for each in self.known.values() if not each.open), None)
            if oldest is not None and oldest is not known:
                self._drop(oldest)

    def _drop(self, known: Known) -> None:
        self.known.pop(known.order.client_id, None)
        self._by_wire.pop(known.wire_id, None)
        self._by_venue.pop(known.order.venue_order_id, None)

    def _row(self, known: Known) -> tuple[str, Any]:
        order = known.order
        intent = _encode(known.intent) if known.intent is not None else None
        wire_id = known.wire_id or f"external:{order.venue_order_id}"
        values = (
            order.client_id, wire_id, order.venue_order_id, int(known.open), intent, _encode(order),
        )  # fmt: skip
        return _ORDER, values

    def _later(self, rows: list[tuple[str, Any]]) -> None:
        self._jobs.put((rows, None))

    async def _durable(self, rows: list[tuple[str, Any]]) -> None:
        if self._failed is not None:
            raise OSError(f"orders cannot be stored: {self._failed}")
        if self._jobs.qsize() > STORE_QUEUE_MAX:
            raise StoreFull("the disk does not keep up with orders; nothing was sent")
        loop = asyncio.get_running_loop()
        done = loop.create_future()

        def finish(error: BaseException | None) -> None:
            if done.cancelled():
                return
            if error is None:
                done.set_result(None)
            else:
                done.set_exception(OSError(f"orders cannot be stored: {error}"))

        self._jobs.put((rows, lambda error: loop.call_soon_threadsafe(finish, error)))
        await done

    def _write(self) -> None:
        connection = self._connect()
        ending = False
        while not ending:
            jobs = [self._jobs.get()]
            while True:
                try:
                    jobs.append(self._jobs.get_nowait())
                except queue.Empty:
                    break
            ending = None in jobs
            work = [job for job in jobs if job is not None]
            error: BaseException | None = None
            try:
                connection.execute("BEGIN IMMEDIATE")
                for rows, _ in work:
                    for statement, values in rows:
                        connection.execute(statement, values)
                connection.execute("COMMIT")
            except sqlite3.Error as failure:
                error = self._failed = failure
                log.critical("orders of a venue cannot be stored: %s", failure)
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
            for _, finish in work:
                if finish is not None:
                    finish(error)
        connection.close()


def _from_row(row: tuple[str, bytes | None, bytes]) -> Known:
    wire_id, intent, body = row
    return Known(_order(body), wire_id, _request(intent) if intent is not None else None)
