"""`tradeloom data record | bars | export`, `tradeloom serve recorder | bars | bridge`, for real."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import websockets
from typer.testing import CliRunner, Result

from tests.bus import server as redis_server
from tests.marketdata.ticks import quote, trade
from tests.store import server as postgres_server
from tradeloom.bus import RedisBus
from tradeloom.cli import app
from tradeloom.domain.market import MarketEvent
from tradeloom.marketdata.frames import pack

NS = 10**9
START = 1_780_012_800 * NS
ROWS = [(START + n * NS // 2, 110_000 + n % 50, 110_003 + n % 50) for n in range(1_000)]


def run(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "EURUSD.csv"
    lines = [f"{ts},{bid / 1e5:.5f},{ask / 1e5:.5f}" for ts, bid, ask in ROWS]
    path.write_text("ts_ns,bid,ask\n" + "\n".join(lines) + "\n")
    return path


def test_record_a_file_then_show_bars_and_export(recording: Path, tmp_path: Path) -> None:
    catalog = tmp_path / "history"
    done = run("data", "record", "--from", recording, "--venue", "demo", "--catalog", catalog)
    assert done.exit_code == 0, done.stderr
    assert "1,000 quotes" in done.stdout
    again = run("data", "record", "--from", recording, "--venue", "demo", "--catalog", catalog,
                "--no-bars")  # fmt: skip
    assert again.exit_code == 0, again.stderr

    shown = run(
        "data", "bars", "demo", "EURUSD", "--interval", "5m", "--catalog", catalog, "--json"
    )
    assert shown.exit_code == 0, shown.stderr
    bars = [json.loads(line) for line in shown.stdout.splitlines()]
    assert [bar["quotes"] for bar in bars] == [600, 400]
    bids = [bid for _, bid, _ in ROWS[:600]]
    assert bars[0]["bid_high"] == f"{max(bids) / 1e5:.5f}"
    assert bars[0]["mid_open"] == "1.100015"
    assert all(bar["finished"] for bar in bars)
    table = run("data", "bars", "demo", "EURUSD", "--catalog", catalog, "--limit", "3")
    assert len(table.stdout.splitlines()) == 4

    out = tmp_path / "out.csv"
    wrote = run("data", "export", "demo", "EURUSD", out, "--catalog", catalog)
    assert wrote.exit_code == 0, wrote.stderr
    with out.open() as file:
        rows = list(csv.DictReader(file))
    assert [(int(r["ts_ns"]), r["bid"], r["ask"]) for r in rows] == [
        (ts, f"{bid / 1e5:.5f}", f"{ask / 1e5:.5f}") for ts, bid, ask in ROWS
    ]
    part = tmp_path / "part.parquet"
    since, until = "2026-05-29T00:00:10", "2026-05-29T00:00:20"
    wrote = run("data", "export", "demo", "EURUSD", part, "--catalog", catalog, "--since", since,
                "--until", until)  # fmt: skip
    assert wrote.exit_code == 0, wrote.stderr
    assert pl.read_parquet(part)["bid"].to_list() == [bid for _, bid, _ in ROWS[20:40]]


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("data", "record"), "nothing to record"),
        (("data", "record", "--from", "{file}"), "no place for ticks"),
        (("data", "record", "--from", "nowhere", "--catalog", "{new}"), "nowhere"),
        (("data", "export", "v", "s", "out.txt", "--catalog", "{new}"), ".csv or .parquet"),
        (("data", "export", "v", "s", "out.csv", "--catalog", "{new}"), "not a history catalog"),
        (("data", "bars", "v", "s", "--since", "tomorrow"), "is not a time"),
        (("serve", "recorder", "--venue", "binance", "--catalog", "{new}"), "--redis"),
        (("serve", "bridge", "--venue", "binance", "--redis", "http://x"), "redis://"),
    ],
)
def test_bad_input_gets_one_clear_line(
    words: tuple[str, ...], problem: str, recording: Path, tmp_path: Path
) -> None:
    texts = {"{file}": str(recording), "{new}": str(tmp_path / "new")}
    done = run(*(texts.get(word, word) for word in words))
    assert done.exit_code in (1, 2)
    assert problem in done.stderr
    assert isinstance(done.exception, SystemExit)


@pytest.fixture
def redis() -> Iterator[str]:
    with contextlib.ExitStack() as stack:
        try:
            server = stack.enter_context(redis_server.running(seed=11))
        except redis_server.NoServerError as error:
            pytest.skip(f"no Redis: {error}")
        yield server.url


@pytest.fixture
def postgres() -> Iterator[str]:
    with contextlib.ExitStack() as stack:
        try:
            server = stack.enter_context(postgres_server.running(9_000))
        except postgres_server.NoServerError as error:
            pytest.skip(f"no PostgreSQL: {error}")
        yield f"{server.address}/postgres"


@contextlib.contextmanager
def service(*words: object) -> Iterator[subprocess.Popen[str]]:
    code = "from tradeloom.cli import main; main()"
    command = [sys.executable, "-c", code, *map(str, words)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=dict(os.environ))
    try:
        yield process
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        if process.stderr is not None:
            process.stderr.close()


async def test_services_on_redis_record_make_bars_and_show(
    redis: str, postgres: str, tmp_path: Path
) -> None:
    bus = RedisBus(redis)
    events: list[MarketEvent] = [(trade if n % 4 == 0 else quote)(n) for n in range(400)]
    place = ("--venue", "binance", "--redis", redis)
    with (
        service("serve", "recorder", *place, "--database", postgres),
        service("serve", "bars", *place, "--database", postgres),
        service("serve", "bridge", *place, "--port", "0") as bridge,
    ):
        assert bridge.stderr is not None
        line = await asyncio.to_thread(bridge.stderr.readline)
        address = re.search(r"ws://\S+", line)
        assert address, line
        async with websockets.connect(address.group()) as socket:

            async def ask(request: Any) -> Any:
                await socket.send(json.dumps(request))
                return json.loads(await asyncio.wait_for(socket.recv(), 10))

            assert (await ask({"op": "dance"}))["type"] == "error"
            assert (await ask({"op": "subscribe", "symbols": ["BTCUSDT"]}))["type"] == "error"
            wanted = {"op": "subscribe", "symbols": ["binance:BTCUSDT"], "rate": "full"}
            assert (await ask(wanted))["type"] == "subscribed"
            while not await bus.length("md:binance"):
                await bus.publish("md:binance", pack("p", 1, events))
            seen: list[dict[str, Any]] = []
            while len(seen) < len(events):
                seen += json.loads(await asyncio.wait_for(socket.recv(), 20))["data"]
            assert [row["kind"] for row in seen[:5]] == ["trade"] + ["quote"] * 3 + ["trade"]
            assert seen[1]["bid"] == f"{events[1].bid / 100:.2f}"  # type: ignore[union-attr]
            tickers = {"op": "subscribe", "symbols": "*", "rate": "tickers"}
            assert (await ask(tickers))["type"] == "subscribed"
            [ticker] = json.loads(await asyncio.wait_for(socket.recv(), 10))["data"]
            assert ticker["symbol"] == "BTCUSDT"
        async with asyncio.timeout(30):
            for group in ("recorder", "bars"):
                while (await bus.backlog("md:binance", group))[:2] != (0, 0):
                    await asyncio.sleep(0.05)
    await bus.close()
    out = tmp_path / "trades.csv"
    of = ("binance", "BTCUSDT", "--database", postgres)
    words = ("data", "export", *of[:2], out, *of[2:], "--kind", "trades")
    wrote = await asyncio.to_thread(run, *words)
    assert wrote.exit_code == 0, wrote.stderr
    assert len(out.read_text().splitlines()) == 101
    words = ("data", "bars", *of, "--interval", "1h", "--json")  # type: ignore[assignment]
    shown = await asyncio.to_thread(run, *words)
    bars = [json.loads(row) for row in shown.stdout.splitlines()]
    assert sum(bar["trades"] for bar in bars) == 100
    assert sum(bar["quotes"] for bar in bars) == 300


def test_the_recorder_service_waits_for_a_redis_that_is_away(tmp_path: Path) -> None:
    """It starts, says so, and ends well when told to."""
    words = ("--venue", "binance", "--redis", "redis://127.0.0.1:1/0", "--catalog", tmp_path / "c")
    with service("serve", "recorder", *words) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("running")
        time.sleep(0.5)
        assert process.poll() is None
