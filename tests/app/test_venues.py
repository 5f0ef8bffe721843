"""`tradeloom up --venue` against a simulated venue: prices in, orders out, vault, kill switch."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.app.process import Service, service

START_S = 90.0


def run(*arguments: str, given: str = "") -> str:
    """A command of ours, to its end."""
    done = subprocess.run(
        [sys.executable, "-c", "from tradeloom.cli import main; main()", *arguments],
        input=given,
        capture_output=True,
        text=True,
        timeout=START_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def simulated() -> Iterator[tuple[str, str, str]]:
    """Address, key and secret of a simulated Binance."""
    child = subprocess.Popen(
        [
            *(sys.executable, "-c", "from tradeloom.cli import main; main()"),
            *("simulate", "binance", "--port", "0", "--symbols", "BTCUSDT,ETHUSDT"),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    lines = []
    for line in child.stdout:
        lines.append(line)
        if "Ctrl-C" in line:
            break
    banner = "".join(lines)
    address = re.search(r"(http://[\d.]+:\d+)/binance", banner)
    keys = re.search(r"key (\S+) .*\n\s+secret (\S+)", banner)
    assert address is not None
    assert keys is not None
    yield address.group(1), keys.group(1), keys.group(2)
    child.send_signal(signal.SIGTERM)
    child.communicate(timeout=30)


@pytest.fixture(scope="module")
def live(
    simulated: tuple[str, str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """A service on its market, with its key in the vault."""
    address, key, secret = simulated
    data = tmp_path_factory.mktemp("venue") / "data"
    said = run(
        *("vault", "put", "binance", "--stdin", "--data-dir", str(data)),
        given=f'{{"key": "{key}", "secret": "{secret}"}}',
    )
    assert secret not in said
    options = ("--venue", "binance", "--venue-url", address, "--symbols", "BTCUSDT,ETHUSDT")
    with service(data, *options) as made:
        yield made


def until(what: Any, why: str, seconds: float = 30.0) -> Any:
    """What `what` gives once it gives something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := what():
            return found
        time.sleep(0.05)
    raise AssertionError(why)


def test_the_venues_prices_are_the_market(live: Service) -> None:
    """Quotes of both symbols, and an order on a demo account fills at them."""
    token = live.sign_up("dora")
    account = live.account(token)
    with live.client(token) as client:

        def quoted() -> dict[str, Any]:
            rows = client.get("/quotes").json()
            found = {row["symbol"]: row for row in rows}
            return found if {"BTCUSDT", "ETHUSDT"} <= set(found) else {}

        quotes = until(quoted, "no quotes of the venue")
        assert 10_000 < float(quotes["BTCUSDT"]["bid"]) < 1_000_000
        order = {"account": account, "instrument": "BTCUSDT", "side": "buy", "volume": "0.01"}
        made = client.post("/orders", json=order)
        assert made.status_code in (200, 201), made.text


def test_staff_trade_at_the_venue(live: Service) -> None:
    """Placed, listed, cancelled; bad ones are refused with the field; traders may not."""
    with live.client(live.admin()) as client:
        until(lambda: client.get("/venues/binance/health").json()["state"] == "ready", "not ready")
        (venue,) = client.get("/venues").json()
        assert (venue["venue"], venue["account"], venue["trades"]) == ("binance", "main", True)
        order = {
            "client_id": "rest-1", "symbol": "BTCUSDT", "side": "buy", "volume": "0.001",
            "type": "limit", "price": "20000",
        }  # fmt: skip
        placed = client.post("/venues/binance/orders", json=order)
        assert placed.status_code == 200, placed.text
        assert placed.json()["outcome"] == "accepted"
        again = client.post("/venues/binance/orders", json=order)
        assert again.json()["venue_order_id"] == placed.json()["venue_order_id"]
        working = client.get("/venues/binance/orders").json()
        assert [(each["client_id"], each["state"]) for each in working] == [("rest-1", "working")]
        bad = client.post(
            "/venues/binance/orders", json=order | {"client_id": "r2", "price": "1.001"}
        )
        assert bad.status_code == 422
        assert bad.json()["field"] == "price"
        gone = client.delete("/venues/binance/orders/rest-1")
        assert gone.status_code == 200, gone.text
        until(lambda: client.get("/venues/binance/orders").json() == [], "still working")
        assert client.get("/venues/binance/orders/rest-1").json()["state"] == "cancelled"
        market = {"client_id": "rest-3", "symbol": "BTCUSDT", "side": "buy", "volume": "0.01"}
        assert client.post("/venues/binance/orders", json=market).status_code == 200
        fills = until(lambda: client.get("/venues/binance/fills").json(), "no fill")
        assert {each["client_id"] for each in fills} == {"rest-3"}
        held = {row["currency"] for row in client.get("/venues/binance/balances").json()}
        assert {"BTC", "USDT"} <= held
        assert client.get("/venues/nowhere/health").status_code == 404
        limits = client.get("/venues/binance/limits").json()
        assert {row["name"] for row in limits} >= {"weight", "orders"}
    with live.client(live.sign_up("tom")) as client:
        assert client.get("/venues").status_code == 403
        assert client.post("/venues/binance/orders", json=order).status_code == 403


def test_the_kill_switch_of_a_venue(live: Service) -> None:
    """Orders end, new ones are refused with the reason, until somebody resets it."""
    with live.client(live.admin()) as client:
        order = {
            "client_id": "kill-1", "symbol": "BTCUSDT", "side": "buy", "volume": "0.001",
            "type": "limit", "price": "20000",
        }  # fmt: skip
        assert client.post("/venues/binance/orders", json=order).status_code == 200
        killed = client.post("/venues/binance/kill", json={"reason": "a test of it"})
        assert [each["client_id"] for each in killed.json()] == ["kill-1"]
        refused = client.post("/venues/binance/orders", json=order | {"client_id": "kill-2"})
        assert (refused.status_code, refused.json()["name"]) == (409, "HALTED")
        assert client.get("/venues/binance/health").json()["state"] == "killed"
        client.post("/venues/binance/reset", json={"reason": "the test is over"})
        until(lambda: client.get("/venues/binance/health").json()["state"] == "ready", "not ready")
        actions = [row["action"] for row in client.get("/audit").json()["items"]]
        assert {"venue.kill", "venue.reset"} <= set(actions)


def test_the_vault_shows_no_values(live: Service, simulated: tuple[str, str, str]) -> None:
    """Names of parts only, over REST as in the terminal; nothing in logs or the database."""
    _, key, secret = simulated
    with live.client(live.admin()) as client:
        body = {"values": {"key": "abc", "secret": "not-to-be-seen", "passphrase": "x"}}
        kept = client.put("/vault/okx/desk2", json=body)
        assert kept.json()["holds"] == ["key", "passphrase", "secret"]
        shown = client.get("/vault").text
        assert "not-to-be-seen" not in shown
        assert secret not in shown
        assert client.delete("/vault/okx/desk2").status_code == 204
        assert client.delete("/vault/okx/desk2").status_code == 404
    assert secret not in live.log.read_text()
    assert key not in live.log.read_text()
    for path in Path(live.data).glob("tradeloom.db*"):
        assert secret.encode() not in path.read_bytes()
    listed = run("vault", "list", "--data-dir", str(live.data))
    assert "binance/main: key, secret" in listed


def test_every_quote_is_kept(live: Service) -> None:
    """Ticks of the venue are in the catalog of the data directory while it runs."""
    market = Path(live.data) / "market"
    until(lambda: list(market.rglob("*.parquet")), "nothing is recorded")
    listed = run("data", "list", "--catalog", str(market))
    assert "BTCUSDT" in listed


def test_an_unknown_symbol_or_venue_does_not_start(
    simulated: tuple[str, str, str], tmp_path: Path
) -> None:
    """One line says what is wrong."""
    for options, words in (
        (("--venue", "binance", "--symbols", "NOSUCHCOIN"), "NOSUCHCOIN"),
        (("--venue", "nowhere"), "no venue 'nowhere'"),
    ):
        done = subprocess.run(
            [
                *(sys.executable, "-c", "from tradeloom.cli import main; main()", "up"),
                *("--port", "0", "--data-dir", str(tmp_path / "d"), "--venue-url", simulated[0]),
                *options,
            ],
            capture_output=True,
            text=True,
            timeout=START_S,
            check=False,
        )
        assert done.returncode == 78
        last = done.stderr.strip().splitlines()[-1]
        assert words in last
        assert "Traceback" not in done.stderr


def test_it_stops_cleanly(live: Service) -> None:
    """SIGTERM drains; the venue's connection is closed."""
    assert httpx.get(f"{live.api}/system/ready", trust_env=False).status_code == 200
    assert live.stop() == 0
