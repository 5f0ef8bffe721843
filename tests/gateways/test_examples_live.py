"""The examples that talk to a service run as their reader would run them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.app.process import Service

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def _run(name: str, *arguments: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name), *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_trade_rest(live: Service) -> None:
    lines = _run("trade_rest.py", live.url, "example")
    assert lines[0].startswith("bought 0.01 at ")
    assert lines[-1].startswith("balance ")


def test_watch_ws(live: Service, anna: str) -> None:
    lines = _run("watch_ws.py", live.ws, anna, "3", "BTCUSDT", "ETHUSDT")
    assert {line.split()[0] for line in lines} <= {"BTCUSDT", "ETHUSDT"}
    assert len(lines) >= 3
