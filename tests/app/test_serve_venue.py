"""A venue's way to other processes: simulator, vault, venue service, ingest, Redis, a reader."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pytest

from tests.bus.conftest import redis
from tests.bus.server import Server
from tradeloom.bus import RedisBus
from tradeloom.connectors.contract import OrderRequest, Outcome, State, UnknownSymbol
from tradeloom.connectors.remote import RemoteConnector
from tradeloom.domain.enums import OrderState, OrderType, Side
from tradeloom.domain.market import BookQuote, MarketEvent, TradeTick
from tradeloom.marketdata.bridge import MarketDataBridge

__all__ = ["redis"]
START_S = 60.0
TOKEN = "a-token-of-the-test"  # noqa: S105
SECRET = "the-secret-part-of-a-key-0123456789"  # noqa: S105


def command(*words: object) -> list[str]:
    code = "from tradeloom.cli import main; main()"
    return [sys.executable, "-c", code, *map(str, words)]


def environment(**more: str) -> dict[str, str]:
    clean = {name: text for name, text in os.environ.items() if not name.startswith("TRADELOOM_")}
    return clean | more


def run(*words: object, given: str = "") -> subprocess.CompletedProcess[str]:
    """A command, to its end."""
    return subprocess.run(
        command(*words),
        input=given,
        capture_output=True,
        text=True,
        timeout=START_S,
        env=environment(),
        check=False,
    )


class Running:
    """A process that serves: what it said until it was up, and after it ended."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self.process = process
        self.log = log

    def said(self, pattern: str) -> re.Match[str]:
        """Wait for a line."""
        end = time.monotonic() + START_S
        while time.monotonic() < end:
            found = re.search(pattern, self.log.read_text())
            if found:
                return found
            assert self.process.poll() is None, self.log.read_text()[-2_000:]
            time.sleep(0.02)
        raise AssertionError(f"no {pattern!r} in {self.log.read_text()[-2_000:]}")


@contextmanager
def serving(log: Path, *words: object, **more: str) -> Iterator[Running]:
    """Ends by SIGTERM, and must end with code 0."""
    with log.open("w") as out:
        process = subprocess.Popen(
            command(*words), stdout=out, stderr=out, text=True, env=environment(**more)
        )
    try:
        yield Running(process, log)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0, log.read_text()[-2_000:]
        assert "Traceback" not in log.read_text()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


@contextmanager
def simulated(folder: Path) -> Iterator[tuple[str, str, str]]:
    """Address, key and secret of a simulated Binance."""
    words = ("simulate", "binance", "--port", "0", "--symbols", "BTCUSDT,ETHUSDT")
    with serving(folder / "simulator.log", *words, PYTHONUNBUFFERED="1") as running:
        running.said("Ctrl-C")
        address = running.said(r"(http://[\d.]+:\d+)/binance").group(1)
        keys = running.said(r"key (\S+) .*\n\s+secret (\S+)")
        yield address, keys.group(1), keys.group(2)


async def test_from_the_venue_to_a_reader_of_redis(redis: Server, tmp_path: Path) -> None:
    data = tmp_path / "data"
    with simulated(tmp_path) as (address, key, secret):
        given = json.dumps({"key": key, "secret": secret})
        kept = run("vault", "put", "binance", "--stdin", "--data-dir", data, given=given)
        assert kept.returncode == 0, kept.stderr
        venue = ("serve", "venue", "binance", "--port", "0", "--venue-url", address)
        beyond = run(*venue, "--host", "0.0.0.0", "--data-dir", data)  # noqa: S104
        assert beyond.returncode == 78
        assert "give the service a token" in beyond.stderr
        with serving(
            tmp_path / "venue.log", *venue, "--data-dir", data, TRADELOOM_VENUE_TOKEN=TOKEN
        ) as service:
            place = service.said(r"Binance spot: gRPC at (\S+)").group(1)
            remote = RemoteConnector(place, TOKEN)
            await remote.start()
            assert remote.health().state is State.READY
            await _trades(remote)
            words = ("serve", "ingest", "--service", place, "--redis", redis.url)
            odd = run(*words, "--symbols", "BTCUSDT")
            assert odd.returncode == 78
            assert "token" in odd.stderr
            with serving(
                tmp_path / "ingest.log",
                *(*words, "--symbols", "btcusdt,ETHUSDT"),
                TRADELOOM_VENUE_TOKEN=TOKEN,
            ) as ingest:
                ingest.said(r"binance at \S+: BTCUSDT, ETHUSDT to md:binance")
                await _reads(redis.url)
            await remote.stop()
        for log in tmp_path.glob("*.log"):
            if log.name != "simulator.log":  # whose banner shows its own demo key
                for hidden in (key, secret, TOKEN):
                    assert hidden not in log.read_text()
        assert list((data / "venues").glob("binance-main.db"))


async def _trades(remote: RemoteConnector) -> None:
    order = OrderRequest(
        client_id="served-1", symbol="BTCUSDT", side=Side.BUY, volume=Decimal("0.001"),
        type=OrderType.LIMIT, price=Decimal(20_000),
    )  # fmt: skip
    assert (await remote.submit(order)).outcome is Outcome.ACCEPTED
    assert (await remote.query("served-1")).state is OrderState.WORKING
    assert (await remote.cancel("served-1")).outcome is Outcome.ACCEPTED
    with pytest.raises(UnknownSymbol):
        await remote.snapshot("NOSUCH")


async def _reads(url: str) -> None:
    """Quotes of both and a trade, from the stream that the ingest fills."""
    bus = RedisBus(url)
    bridge = MarketDataBridge(bus, ["md:binance"])
    events: list[MarketEvent] = []
    bridge.follow(events.extend)
    task = asyncio.create_task(bridge.run())
    try:
        async with asyncio.timeout(30):
            while not {"BTCUSDT", "ETHUSDT"} <= {
                e.symbol for e in events if isinstance(e, BookQuote)
            } or not any(isinstance(e, TradeTick) for e in events):
                await asyncio.sleep(0.02)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await bus.close()
    for event in events:
        assert event.venue == "binance"
        if isinstance(event, BookQuote):
            assert 0 < event.bid < event.ask


def test_the_vault_as_a_process_shows_no_value(tmp_path: Path) -> None:
    data = tmp_path / "data"
    place = ("--data-dir", data)
    empty = run("vault", "list", *place)
    assert "the vault is empty" in empty.stdout
    given = json.dumps({"key": "my-key-0123456789", "secret": SECRET, "passphrase": "open-sesame"})
    kept = run("vault", "put", "okx", "--account", "desk2", "--stdin", *place, given=given)
    assert kept.returncode == 0, kept.stderr
    listed = run("vault", "list", *place)
    assert "okx/desk2: key, passphrase, secret" in listed.stdout
    lacking = json.dumps({"key": "my-key-0123456789", "secret": SECRET})
    wrong = [
        run("vault", "put", "okx", "--stdin", *place, given=lacking),
        run("vault", "put", "okx", "--stdin", *place, given=f'{{"key": "{SECRET}'),
        run("vault", "put", "nowhere", "--stdin", *place, given=given),
    ]
    words = ("lacks passphrase", "not an object", "no venue")
    for ended, said in zip(wrong, words, strict=True):
        assert ended.returncode == 2
        assert said in ended.stderr
        assert "Traceback" not in ended.stderr
    gone = run("vault", "remove", "okx", "--account", "desk2", *place)
    assert gone.returncode == 0, gone.stderr
    assert "the vault is empty" in run("vault", "list", *place).stdout
    shown = "".join(each.stdout + each.stderr for each in (empty, kept, listed, *wrong, gone))
    files = b"".join(path.read_bytes() for path in data.rglob("*") if path.is_file())
    for hidden in ("my-key-0123456789", SECRET, "open-sesame"):
        assert hidden not in shown
        assert hidden.encode() not in files


def test_a_venue_nobody_knows_does_not_start(tmp_path: Path) -> None:
    for words, said in (
        (("nowhere",), "no venue 'nowhere'"),
        (("binance", "--venue-url", "binance.nothing=http://127.0.0.1:1"), "no address nothing"),
    ):
        ended = run("serve", "venue", *words, "--data-dir", tmp_path / "data")
        assert ended.returncode == 78
        assert said in ended.stderr
        assert "Traceback" not in ended.stderr
