"""What the running service reaches, beside a bare FastAPI route: `make bench-platform`.

Server processes are pinned to one core, this client to the other. Every row checks its answer:
orders are counted in the store, quotes by their running numbers, kills order by order.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import uvloop

from benchmarks.http_load import Load, drive
from benchmarks.report import Row, write
from benchmarks.report import row as report_row
from benchmarks.socket_load import listen
from tests.app.crash import kills
from tests.app.process import Service, free_port

CONNECTIONS = 64
READERS = 1_000
SYMBOLS = ["BTCUSDT", "ETHUSDT", "EURUSD", "XAUUSD"]
ORDER_S = 8.0
FANOUT_S = 10.0


def row(
    name: str, value: float, unit: str, is_: str = "", bound: float = 0.0, beside: str = "-"
) -> Row:
    """A figure with its bound; `beside` is the baseline of the same run."""
    least = bound if is_ == ">=" else None
    most = bound if is_ in ("<", "<=") else None
    return report_row(name, value, unit, at_least=least, at_most=most, baseline=beside)


@contextlib.contextmanager
def pinned(*cores: int) -> Iterator[None]:
    """Start children on these cores; this process comes back to where it was."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, set(cores) & before or before)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextlib.contextmanager
def served(data: Path, *options: str) -> Iterator[Service]:
    """A service on the first core."""
    unlimited = {
        f"TRADELOOM_{name}": "1000000"
        for name in ("ORDERS_PER_S", "REQUESTS_PER_S", "REQUESTS_BURST")
    }
    live = Service(data, *options, **unlimited)
    with pinned(0):
        live.start()
    try:
        yield live
    finally:
        if live.process is not None and live.process.poll() is None:
            live.kill()


@contextlib.contextmanager
def bare() -> Iterator[tuple[int, int]]:
    """The baseline on the first core; its port and process."""
    port = free_port()
    with pinned(0):
        process = subprocess.Popen([sys.executable, "-m", "benchmarks.bare", str(port)])
    try:
        for _ in range(600):
            with contextlib.suppress(httpx.HTTPError):
                httpx.get(f"http://127.0.0.1:{port}/", trust_env=False)
                break
            time.sleep(0.1)
        yield port, process.pid
    finally:
        process.kill()
        process.wait()


def _load(port: int, pid: int, token: str, account: int) -> Load:
    def body(number: int) -> bytes:
        side = b"buy" if number % 2 else b"sell"
        return b'{"account":%d,"instrument":"BTCUSDT","side":"%s","volume":"0.001"}' % (
            account,
            side,
        )

    os.sched_setaffinity(0, {1} & os.sched_getaffinity(0) or os.sched_getaffinity(0))
    work = drive(
        port,
        "/api/v1/orders",
        token,
        body,
        connections=CONNECTIONS,
        seconds=ORDER_S,
        pid=pid,
    )
    return uvloop.run(work)


def orders(live: Service, token: str) -> list[Row]:
    """Durable market orders against a bare route of the same shape; netting keeps it small."""
    account = live.account(token, group="netting")
    best, plain = Load(), Load()
    assert live.process is not None
    with bare() as (port, pid):
        for _ in range(2):
            found = _load(live.port, live.process.pid, token, account)
            best = found if found.per_s > best.per_s else best
            assert not found.bad, found.bad
            found = _load(port, pid, token, account)
            plain = found if found.per_s > plain.per_s else plain
    with live.client(token) as client:
        stored = client.get("/fills", params={"account": account, "limit": 1}).json()["items"]
        assert stored
    p99 = best.quantile(0.99) * 1e3
    bare_rate = f"bare FastAPI POST: {plain.per_s:,.0f}/s"
    bare_p99 = f"bare: {plain.quantile(0.99) * 1e3:.1f} ms"
    ratio = best.per_s / plain.per_s
    name = "REST market orders/s, one core, durable, 64 sockets"
    return [
        row(name, best.per_s, "1/s", ">=", 2500, bare_rate),
        row("REST market order p99", p99, "ms", "<", 60, bare_p99),
        row(
            "server CPU per durable order", best.cpu_us, "us", "", 0, f"bare: {plain.cpu_us:.0f} us"
        ),
        row("order route over the bare route", ratio, "x", ">=", 0.5, bare_rate),
    ]


def fanout(data: Path) -> list[Row]:
    """A thousand readers of four symbols that together tick at least 100 times a second."""
    from tradeloom.app.market import generated

    source = generated(1, tuple(SYMBOLS))
    chunk = next(iter(source.tapes[0]()))
    rate = len(chunk.ts_ns) / ((chunk.ts_ns[-1] - chunk.ts_ns[0]) / 1e9)
    speed = 130 / rate
    with served(data, "--symbols", ",".join(SYMBOLS), "--speed", f"{speed:.2f}") as live:
        token = live.sign_up("reader")
        os.sched_setaffinity(0, {1} & os.sched_getaffinity(0) or os.sched_getaffinity(0))
        found = uvloop.run(listen(live.port, token, SYMBOLS, READERS, FANOUT_S))
    assert not found.lost, f"{found.lost} readers were cut"
    ranked = sorted(found.latencies)
    p99 = ranked[int(len(ranked) * 0.99)] * 1e3
    rate = found.quotes / found.seconds
    frames = f"in {found.frames / found.seconds:,.0f} frames/s"
    middle = f"p50 {statistics.median(ranked) * 1e3:.0f} ms"
    return [
        row("WebSocket quotes/s to 1,000 clients", rate, "1/s", ">=", 100_000, frames),
        row("WebSocket quote p99, tick time to reader", p99, "ms", "<", 100, middle),
    ]


async def _latencies(live: Service, token: str, account: int) -> tuple[list[float], list[float]]:
    """Seconds from the answer to the event, and from sending the order to it."""
    from websockets.asyncio.client import connect

    found, whole = [], []
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        connect(live.ws, additional_headers=headers, proxy=None, compression=None) as ws,
        httpx.AsyncClient(trust_env=False, headers=headers) as client,
    ):
        message = {"op": "subscribe", "channel": "orders", "account": account}
        await ws.send(json.dumps(message))
        for _ in range(2):
            await ws.recv()
        body = {"account": account, "instrument": "BTCUSDT", "volume": "0.001"}
        times: dict[int, float] = {}

        async def read() -> None:
            async for text in ws:
                event = json.loads(text)
                if event.get("kind") == "fill":
                    times[event["event"]["order"]] = time.perf_counter()

        reading = asyncio.create_task(read())
        for number in range(400):
            order = body | {"side": "buy" if number % 2 else "sell"}
            sent = time.perf_counter()
            answer = await client.post(f"{live.api}/orders", json=order)
            acknowledged = time.perf_counter()
            placed = answer.json()["order"]
            while placed not in times:
                await asyncio.sleep(0)
            found.append(max(0.0, times[placed] - acknowledged))
            whole.append(times[placed] - sent)
            await asyncio.sleep(0.005)
        reading.cancel()
    return found, whole


def push(live: Service, token: str) -> list[Row]:
    """From the answer to an order until its fill is at a subscribed socket."""
    account = live.account(token, group="netting")
    found, whole = uvloop.run(_latencies(live, token, account))
    ranked, sent = sorted(found), statistics.median(whole) * 1e3
    beside = f"sent to event: p50 {sent:.1f} ms"
    middle, p99 = statistics.median(ranked) * 1e3, ranked[int(len(ranked) * 0.99)] * 1e3
    return [
        row("order acknowledged to event at a socket, p50", middle, "ms", "<", 2, beside),
        row("order acknowledged to event at a socket, p99", p99, "ms", "<", 10, beside),
    ]


def start_and_memory(data: Path) -> list[Row]:
    """Cold start to the first quote a client can read, the best of three; then memory, idle."""
    took, memory = [], 0.0
    for number in range(3):
        live = Service(data / str(number))
        began = time.perf_counter()
        live.start()
        took.append(time.perf_counter() - began)
        time.sleep(5)
        assert live.process is not None
        status = Path(f"/proc/{live.process.pid}/status").read_text()
        memory = next(
            int(line.split()[1]) / 1024 for line in status.splitlines() if "VmRSS" in line
        )
        assert live.stop() == 0
    return [
        row("cold start to first quote", min(took), "s", "<", 3),
        row("memory, idle demo", memory, "MB", "<", 200),
    ]


def crashes(data: Path, runs: int) -> list[Row]:
    """kill -9 under load, restart, look for every acknowledged order."""
    tally = kills(data, runs)
    for fault in tally.faults[:5]:
        print(fault, file=sys.stderr)
    wrong = tally.missing + tally.doubled + tally.unbalanced
    known = f"of {tally.acknowledged:,} acknowledged"
    return [
        row("kill -9 runs", tally.runs, "runs", ">=", 50),
        row("acknowledged orders missing or doubled", wrong, "orders", "<=", 0, known),
    ]


def main() -> None:
    """Run everything and write build/bench/platform.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--only", default="start,orders,fanout,kills")
    arguments = parser.parse_args()
    everywhere = os.sched_getaffinity(0)
    rows: list[Row] = []
    wanted = arguments.only.split(",")
    with tempfile.TemporaryDirectory(prefix="tradeloom-bench-") as folder:
        data = Path(folder)
        if "start" in wanted:
            rows += start_and_memory(data)
        if "orders" in wanted:
            with served(data / "orders") as live:
                token = live.sign_up("bench")
                rows += orders(live, token)
                rows += push(live, token)
        os.sched_setaffinity(0, everywhere)
        if "fanout" in wanted:
            rows += fanout(data / "fanout")
        os.sched_setaffinity(0, everywhere)
        if "kills" in wanted and arguments.kills:
            rows += crashes(data / "kills", arguments.kills)
    write("platform", rows)


if __name__ == "__main__":
    main()
