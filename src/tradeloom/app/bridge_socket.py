"""A WebSocket server on the bridge: market data for programs that want nothing else.

A client sends `{"op": "subscribe", "symbols": ["binance:BTCUSDT"], "rate": "tickers"}`, where
`symbols` may be `"*"` and `rate` is `tickers` (four a second at most) or `full`. It gets
`{"type": "tickers" | "events", "data": [...]}` with prices and sizes as decimal text. What is shown
is public: there are no users here, and it listens on the loopback address unless told otherwise.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Final, Literal

import msgspec
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from tradeloom.app.limits import BRIDGE_CLIENTS_MAX, BRIDGE_REQUEST_BYTES_MAX, BRIDGE_WAITING_MAX
from tradeloom.domain import numbers
from tradeloom.domain.market import SIZE_DIGITS, BookQuote, Funding, MarketEvent, TradeTick
from tradeloom.marketdata.bridge import MarketDataBridge, Place, Ticker

log = logging.getLogger(__name__)
_SLOW: Final = 1013  # "try again later": the reader does not keep up
_BUSY: Final = 1013


class _Request(msgspec.Struct, forbid_unknown_fields=True):
    op: Literal["subscribe", "unsubscribe"]
    symbols: list[str] | Literal["*"] = "*"
    rate: Literal["tickers", "full"] = "tickers"


_decode: Final = msgspec.json.Decoder(_Request).decode
_encode: Final = msgspec.json.Encoder().encode


class BridgeSocket:
    """Serves `bridge` on `host` and `port` (0: a free one, then in `port`)."""

    def __init__(self, bridge: MarketDataBridge, host: str, port: int) -> None:
        self.port = port
        self.clients = 0
        self.cut_off = 0
        self._bridge: Final = bridge
        self._host: Final = host

    async def run(self, ready: asyncio.Event | None = None) -> None:
        """Serve until cancelled."""
        async with serve(
            self._client,
            self._host,
            self.port,
            max_size=BRIDGE_REQUEST_BYTES_MAX,
            compression=None,
        ) as server:
            self.port = next(iter(server.sockets)).getsockname()[1]
            if ready is not None:
                ready.set()
            await asyncio.get_running_loop().create_future()

    async def _client(self, connection: ServerConnection) -> None:
        if self.clients >= BRIDGE_CLIENTS_MAX:
            await connection.close(_BUSY, "too many clients")
            return
        self.clients += 1
        reader = _Reader(self._bridge, connection)
        sending = asyncio.create_task(reader.send())
        try:
            async for text in connection:
                reader.request(text)
        except ConnectionClosed:
            pass
        finally:
            self.clients -= 1
            self.cut_off += reader.slow
            reader.leave()
            sending.cancel()


class _Reader:
    """One client: what waits for it, tickers conflated, events in full and bounded."""

    def __init__(self, bridge: MarketDataBridge, connection: ServerConnection) -> None:
        self.slow = False
        self._bridge = bridge
        self._connection = connection
        self._tickers: dict[Place, Ticker] = {}
        self._events: list[MarketEvent] = []
        self._answers: list[dict[str, Any]] = []
        self._news = asyncio.Event()
        self._stops: dict[str, Callable[[], None]] = {}

    def request(self, text: str | bytes) -> None:
        """Do what the client asks for; a bad request gets an answer and changes nothing."""
        try:
            wanted = _decode(text)
            places = None if wanted.symbols == "*" else [_place(each) for each in wanted.symbols]
        except (msgspec.MsgspecError, ValueError) as error:
            self._answer({"type": "error", "message": f"not a request: {error}"})
            return
        stop = self._stops.pop(wanted.rate, None)
        if stop is not None:
            stop()
        if wanted.op == "subscribe":
            self._answer({"type": "subscribed", "rate": wanted.rate})
            if wanted.rate == "full":
                self._stops["full"] = self._bridge.follow(self._take_events, places)
            else:
                self._stops["tickers"] = self._bridge.watch(self._take_tickers, places)
        else:
            self._answer({"type": "unsubscribed", "rate": wanted.rate})

    def leave(self) -> None:
        """Hear no more."""
        for stop in self._stops.values():
            stop()
        self._stops.clear()

    async def send(self) -> None:
        """Send what waits, until cancelled or the client is gone or too slow."""
        try:
            while not self.slow:
                await self._news.wait()
                self._news.clear()
                answers, self._answers = self._answers, []
                tickers, self._tickers = self._tickers, {}
                events, self._events = self._events, []
                for answer in answers:
                    await self._connection.send(_encode(answer).decode())
                if tickers:
                    await self._batch("tickers", [_ticker(each) for each in tickers.values()])
                if events:
                    await self._batch("events", [shown(each) for each in events])
            await self._connection.close(_SLOW, "too slow for full rate; subscribe to tickers")
        except ConnectionClosed:
            self.leave()

    async def _batch(self, kind: str, rows: list[dict[str, Any]]) -> None:
        await self._connection.send(_encode({"type": kind, "data": rows}).decode())

    def _answer(self, answer: dict[str, Any]) -> None:
        self._answers.append(answer)
        self._news.set()

    def _take_tickers(self, tickers: Sequence[Ticker]) -> None:
        for each in tickers:
            self._tickers[each.venue, each.symbol] = each
        self._news.set()

    def _take_events(self, events: Sequence[MarketEvent]) -> None:
        if len(self._events) + len(events) > BRIDGE_WAITING_MAX:
            self.slow = True
            self.leave()
        else:
            self._events += events
        self._news.set()


def _place(text: str) -> Place:
    venue, colon, symbol = text.partition(":")
    if not (venue and colon and symbol):
        raise ValueError(f"{text!r} is not VENUE:SYMBOL, such as binance:BTCUSDT")
    return venue, symbol


def _size(units: int) -> Decimal:
    return numbers.decimal(units, SIZE_DIGITS, keep=0)


def _ticker(each: Ticker) -> dict[str, Any]:
    row = msgspec.structs.asdict(each)
    digits = row.pop("digits")
    for name in ("bid", "ask", "last"):
        row[name] = numbers.decimal(row[name], digits)
    for name in ("bid_size", "ask_size", "last_size"):
        row[name] = _size(row[name])
    return row


def shown(event: MarketEvent) -> dict[str, Any]:
    """An event as it is sent: a `kind`, and decimals for prices and sizes."""
    row = msgspec.structs.asdict(event)
    kind = {BookQuote: "quote", TradeTick: "trade", Funding: "funding"}.get(type(event))
    digits = row.pop("digits", 0)
    for name in ("bid", "ask", "price", "mark", "index"):
        if name in row:
            row[name] = numbers.decimal(row[name], digits)
    for name in ("bid_size", "ask_size", "size"):
        if name in row:
            row[name] = _size(row[name])
    for name in ("bids", "asks"):
        if name in row:
            row[name] = [(numbers.decimal(at, digits), _size(size)) for at, size in row[name]]
    if "side" in row and row["side"] is not None:
        row["side"] = event.side.name  # type: ignore[union-attr]
    return {"kind": kind or ("book" if "bids" in row else "status"), **row}
