"""A thousand WebSocket readers in one process that count every quote they get."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import cast

# Of so many frames one is read for its latency: reading all of them would measure the reader.
_SAMPLE = 50


@dataclass(slots=True)
class Fanout:
    """What all readers together received."""

    quotes: int = 0
    frames: int = 0
    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    lost: int = 0


class _Reader(asyncio.Protocol):
    def __init__(self, token: str, symbols: list[str], fanout: Fanout) -> None:
        self._token = token
        self._symbols = symbols
        self._fanout = fanout
        self._buffer = bytearray()
        self._open = False
        self.counting = False
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(
            (
                "GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
                "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: tradeloom.json\r\n"
                f"Authorization: Bearer {self._token}\r\n\r\n"
            ).encode()
        )

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer
        buffer += data
        if not self._open:
            end = buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            del buffer[: end + 4]
            self._open = True
            body = json.dumps(
                {
                    "op": "subscribe",
                    "channel": "quotes",
                    "symbols": self._symbols,
                    "interval_ms": 25,
                }
            ).encode()
            head = bytes((0x81, 0x80 | 126)) + len(body).to_bytes(2, "big")
            self._transport.write(head + bytes(4) + body)
        while len(buffer) >= 2:
            size, at = buffer[1] & 0x7F, 2
            if size == 126:
                size, at = int.from_bytes(buffer[2:4], "big"), 4
            elif size == 127:
                size, at = int.from_bytes(buffer[2:10], "big"), 10
            if len(buffer) < at + size:
                return
            self._frame(buffer[0] & 15, bytes(buffer[at : at + size]))
            del buffer[: at + size]

    def connection_lost(self, error: Exception | None) -> None:
        if self.counting:
            self._fanout.lost += 1

    def leave(self) -> None:
        """Hang up."""
        self._transport.abort()

    def _frame(self, kind: int, frame: bytes) -> None:
        if kind == 9:  # ping
            self._transport.write(bytes((0x8A, 0x80 | len(frame))) + bytes(4) + frame)
            return
        if not self.ready.done() and b'"subscribed"' in frame:
            self.ready.set_result(None)
        if not self.counting or not frame.startswith(b'{"type":"quotes"'):
            return
        fanout = self._fanout
        count = frame.count(b'"symbol"')
        fanout.quotes += count
        fanout.frames += 1
        if fanout.frames % _SAMPLE == 0:
            now = time.time()
            for quote in json.loads(frame)["quotes"]:
                when = datetime.fromisoformat(quote["time"][:26]).replace(tzinfo=UTC)
                fanout.latencies.append(now - when.timestamp())


def _same(reader: _Reader) -> _Reader:
    return reader


async def listen(port: int, token: str, symbols: list[str], readers: int, seconds: float) -> Fanout:
    """Connect the readers, then count for some seconds."""
    loop = asyncio.get_running_loop()
    fanout = Fanout()
    made: list[_Reader] = []
    for number in range(readers):
        reader = _Reader(token, symbols, fanout)
        await loop.create_connection(partial(_same, reader), "127.0.0.1", port)
        made.append(reader)
        if number % 50 == 49:
            await asyncio.sleep(0.05)
    await asyncio.wait_for(asyncio.gather(*(reader.ready for reader in made)), 60)
    await asyncio.sleep(1.0)
    for reader in made:
        reader.counting = True
    began = time.perf_counter()
    await asyncio.sleep(seconds)
    fanout.seconds = time.perf_counter() - began
    for reader in made:
        reader.counting = False
        reader.leave()
    return fanout
