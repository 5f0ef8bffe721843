"""A load client for one route: raw HTTP over keep-alive connections, one request in flight each."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

Body = Callable[[int], bytes]


@dataclass(slots=True)
class Load:
    """What a load run came to; latencies in seconds."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    bad: dict[int, int] = field(default_factory=dict)
    cpu_s: float = 0.0

    @property
    def cpu_us(self) -> float:
        """Processor time of the server per good answer, which other work hardly moves."""
        return self.cpu_s / len(self.latencies) * 1e6 if self.latencies else 0.0

    @property
    def per_s(self) -> float:
        """Good answers per second."""
        return len(self.latencies) / self.seconds if self.seconds else 0.0

    def quantile(self, share: float) -> float:
        """Latency that this share stays below."""
        ranked = sorted(self.latencies)
        return ranked[min(len(ranked) - 1, int(len(ranked) * share))] if ranked else 0.0


def cpu_s(pid: int) -> float:
    """Processor time a process has used, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class _Connection(asyncio.Protocol):
    def __init__(self, head: bytes, body: Body, load: Load, numbers: list[int]) -> None:
        self._head = head
        self._body = body
        self._load = load
        self._numbers = numbers
        self._buffer = b""
        self._sent = 0.0
        self.stopping = False
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        at = self._buffer.lower().find(b"content-length:", 0, end)
        stop = self._buffer.find(b"\r", at)
        size = int(self._buffer[at + 15 : stop])
        if len(self._buffer) < end + 4 + size:
            return
        status = int(self._buffer[9:12])
        if status == 201:
            self._load.latencies.append(time.perf_counter() - self._sent)
        else:
            self._load.bad[status] = self._load.bad.get(status, 0) + 1
        self._buffer = self._buffer[end + 4 + size :]
        if self.stopping:
            self._transport.close()
            return
        self._send()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None)

    def _send(self) -> None:
        self._numbers[0] += 1
        body = self._body(self._numbers[0])
        self._sent = time.perf_counter()
        length = str(len(body)).encode()
        self._transport.write(self._head + length + b"\r\n\r\n" + body)


async def drive(
    port: int, path: str, token: str, body: Body, *, connections: int, seconds: float, pid: int
) -> Load:
    """POST to `path` for some seconds after a warm-up of one; `pid` is the server's process."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
        "Content-Type: application/json\r\nContent-Length: "
    ).encode()
    loop = asyncio.get_running_loop()
    load, numbers = Load(), [0]
    made = [
        await loop.create_connection(
            lambda: _Connection(head, body, load, numbers), "127.0.0.1", port
        )
        for _ in range(connections)
    ]
    await asyncio.sleep(1.0)
    load.latencies.clear()
    load.bad.clear()
    began, cpu = time.perf_counter(), cpu_s(pid)
    await asyncio.sleep(seconds)
    load.seconds, load.cpu_s = time.perf_counter() - began, cpu_s(pid) - cpu
    counted = Load(load.seconds, list(load.latencies), dict(load.bad), load.cpu_s)
    for _, connection in made:
        connection.stopping = True
    await asyncio.wait({connection.done for _, connection in made}, timeout=5)
    return counted
