"""`tradeloom simulate` as a process: its banner is true, its keys work, its mistakes are told."""

from __future__ import annotations

import hashlib
import hmac
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from tradeloom.cli import app

START_S = 60.0
RECORDING = (
    '{} {{"stream":"btcusdt@bookTicker","data":{{"u":{},"s":"BTCUSDT","b":"61800.00000000",'
    '"B":"1.00000000","a":"61800.01000000","A":"2.00000000"}}}}\n'
)


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-c", "from tradeloom.cli import main; main()", "simulate", *arguments]


@contextmanager
def running(*arguments: str) -> Iterator[str]:
    """The banner of a simulator that runs, and ends when told to."""
    process = subprocess.Popen(
        command("--port", "0", *arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    lines = []
    try:
        for line in process.stdout:
            lines.append(line)
            if "Ctrl-C" in line:
                break
        yield "".join(lines)
    finally:
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=START_S)
    assert (process.returncode, errors) == (0, "")


def test_it_serves_what_its_banner_says() -> None:
    with running("binance,binance-usdm", "--seed", "5", "--key", "binance=mine:hidden") as banner:
        spot, usdm = re.findall(r": (http://\S+/binance\w*)  ws://", banner)
        assert (spot.rsplit("/")[-1], usdm.rsplit("/")[-1]) == ("binance", "binance_usdm")
        assert httpx.get(f"{usdm}/fapi/v1/ping").json() == {}
        query = f"timestamp={time.time_ns() // 1_000_000}"
        shown = re.search(r"key (\w{64}) .*\n +secret (\w{64})", banner)
        assert shown
        for key, secret in (("mine", "hidden"), shown.groups()):
            signed = hmac.new(secret.encode(), query.encode(), hashlib.sha256).hexdigest()
            answer = httpx.get(
                f"{spot}/api/v3/account?{query}&signature={signed}", headers={"X-MBX-APIKEY": key}
            )
            assert answer.status_code == 200
            balances = {each["asset"]: each["free"] for each in answer.json()["balances"]}
            assert balances["USDT"] == "1000000.00000000"
        deadline = time.monotonic() + START_S
        while not httpx.get(f"{spot}/api/v3/trades?symbol=BTCUSDT").json():
            assert time.monotonic() < deadline, "a made market trades"
            time.sleep(0.1)


def test_a_recording_is_played_as_it_was_and_fitted_to_another_venue(tmp_path: Path) -> None:
    path = tmp_path / "btc.jsonl"
    path.write_text("".join(RECORDING.format(10**18 + n, 7 + n) for n in range(40)))
    with running("binance,binance_usdm", "--from", str(path), "--speed", "max") as banner:
        assert "recorded frames as they were; BTCUSDT" in banner
        assert "its own encoding; BTCUSDT-PERP" in banner
        spot, usdm = re.findall(r": (http://\S+/binance\w*)  ws://", banner)
        assert _asks(f"{spot}/api/v3/depth?symbol=BTCUSDT") == [["61800.01000000", "2.00000000"]]
        assert _asks(f"{usdm}/fapi/v1/depth?symbol=BTCUSDT") == [["61800.10", "2.000"]]


def _asks(url: str) -> object:
    """The asks, as soon as there are some."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        asks = httpx.get(url).json()["asks"]
        if asks:
            return asks
        time.sleep(0.05)
    return None


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["mars"], "there is no venue 'mars'; there are "),
        ([","], "name a venue, or all"),
        (["binance", "--speed", "fast"], "--speed 'fast' is neither a positive number nor 'max'"),
        (["binance", "--key", "abc"], "a key of binance is KEY:SECRET"),
        (["binance,binance_usdm", "--key", "a:b"], "a key is VENUE=KEY:SECRET"),
        (["binance", "--symbols", "FOO"], "'FOO' is no pair"),
        (["binance", "--from", "/nothing/here"], "there is no file or folder /nothing/here"),
    ],
)
def test_mistakes(arguments: list[str], told: str) -> None:
    ended = CliRunner().invoke(app, ["simulate", *arguments])
    assert ended.exit_code == 2
    assert ended.stderr.startswith("tradeloom: ")
    assert told in ended.stderr


def test_a_port_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = str(holder.getsockname()[1])
        ended = subprocess.run(
            command("binance", "--port", port), capture_output=True, text=True, timeout=START_S
        )
    assert ended.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in ended.stderr
