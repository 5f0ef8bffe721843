"""The daily jobs from a terminal, against a running service; stop, restart and settings."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.app.process import PASSWORD, Service, service


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with service(tmp_path_factory.mktemp("cli") / "data") as made:
        yield made


@pytest.fixture
def run(live: Service, tmp_path_factory: pytest.TempPathFactory) -> Any:
    home = tmp_path_factory.getbasetemp()

    def call(*arguments: str, good: bool = True) -> Any:
        done = subprocess.run(
            [sys.executable, "-c", "from tradeloom.cli import main; main()", *arguments],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env={
                "TRADELOOM_TOKENS": str(home / "tokens.json"),
                "TRADELOOM_URL": live.url,
                "TRADELOOM_PASSWORD": PASSWORD,
                "PATH": "",
                "COLUMNS": "200",
            },
        )
        assert (done.returncode == 0) is good, done.stdout + done.stderr
        return done.stdout if good else done.stderr

    return call


def test_a_day_at_the_terminal(run: Any, live: Service, tmp_path_factory: Any) -> None:
    run("login", "dora", "--sign-up")
    tokens = tmp_path_factory.getbasetemp() / "tokens.json"
    assert tokens.stat().st_mode & 0o777 == 0o600
    account = json.loads(run("accounts", "--open", "--json"))[0]["id"]
    order = json.loads(run("order", "buy", "0.10", "eurusd", "--json"))[0]
    assert order["state"] == "filled"
    open_ = json.loads(run("positions", "--account", str(account), "--json"))
    assert [each["id"] for each in open_] == [order["position"]]
    assert "EURUSD" in run("positions")
    assert "BTCUSDT" in run("watch", "BTCUSDT", "--frames", "2")
    run("close", str(order["position"]))
    assert json.loads(run("positions", "--json")) == []
    refused = run("deposit", "5", "--account", str(account), good=False)
    assert "needs money" in refused
    assert json.loads(run("health", "--json"))[0]["status"] == "ready"


def test_doctor_and_config(run: Any, live: Service) -> None:
    checks = json.loads(run("doctor", "--port", "0", "--json", "--data-dir", str(live.data)))
    assert {each["state"] for each in checks} <= {"ok", "warn"}
    taken = run("doctor", "--port", str(live.port), good=False)
    assert taken == ""
    assert json.loads(run("config", "show", "--json"))["host"] == "127.0.0.1"


def test_a_stop_drains_and_a_restart_finds_everything(tmp_path: Path) -> None:
    with service(tmp_path / "data", "--symbols", "BTCUSDT,ETHUSDT") as live:
        token = live.sign_up("eve")
        account = live.account(token)
        body = {"account": account, "instrument": "BTCUSDT", "side": "buy", "volume": "0.01"}
        with live.client(token) as client:
            placed = client.post("/orders", json=body, headers={"Idempotency-Key": "k"}).json()
        assert live.stop() == 0
        began = time.monotonic()
        live.start()
        assert time.monotonic() - began < 60
        token = live.sign_in("eve")
        with live.client(token) as client:
            found = client.get("/positions", params={"account": account}).json()
            assert [each["id"] for each in found] == [placed["position"]]
            again = client.post("/orders", json=body, headers={"Idempotency-Key": "k"})
            assert again.json()["order"] == placed["order"]
            entry = float(found[0]["price"])
            bid = float(client.get("/quotes/BTCUSDT").json()["bid"])
            assert abs(bid / entry - 1) < 0.02  # the market goes on where it stopped
        assert live.stop() == 0


def test_settings_that_cannot_be_used_are_told(tmp_path: Path) -> None:
    def up(*options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", "from tradeloom.cli import main; main()", "up", *options],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    bad = up("--port", "99999")
    assert bad.returncode == 2
    assert "port" in bad.stderr
    unknown = up("--symbols", "NOPE", "--port", "0", "--data-dir", str(tmp_path / "x"))
    assert unknown.returncode == 78
    assert "NOPE" in unknown.stderr


def test_the_store_is_made_again_from_the_journal(tmp_path: Path) -> None:
    with service(tmp_path / "data", "--symbols", "BTCUSDT,ETHUSDT") as live:
        token = live.sign_up("gil")
        account = live.account(token)
        body = {"account": account, "instrument": "BTCUSDT", "side": "buy", "volume": "0.01"}
        with live.client(token) as client:
            for _ in range(3):
                assert client.post("/orders", json=body).status_code == 201
        assert live.stop() == 0
        command = "from tradeloom.cli import main; main()"
        done = subprocess.run(
            [sys.executable, "-c", command, "rebuild", "--data-dir", str(live.data)],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        live.start()
        token = live.sign_in("gil")
        with live.client(token) as client:
            fills = client.get("/fills", params={"account": account}).json()["items"]
            assert len(fills) == 3
            assert client.get("/me").json()["accounts"] == [account]


def test_tracing_without_its_packages_is_told(tmp_path: Path) -> None:
    pytest.importorskip("opentelemetry.trace")
    if importlib.util.find_spec("opentelemetry.sdk"):
        pytest.skip("the packages are there")
    made = Service(tmp_path / "data", "--symbols", "BTCUSDT", TRADELOOM_OTEL="true")
    with pytest.raises(AssertionError, match="tradeloom\\[otel\\]"):
        made.start()
