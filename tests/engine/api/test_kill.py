"""A program that embeds the engine is killed again and again; no acknowledged order is lost."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

from tests.engine.api.conftest import WEDNESDAY
from tradeloom.engine import Engine

ROOT = Path(__file__).resolve().parents[3]


def test_no_acknowledged_order_is_lost(tmp_path: Path) -> None:
    dice = random.Random(5)
    acknowledged: list[str] = []
    for _ in range(5):
        with subprocess.Popen(
            [sys.executable, "-m", "tests.engine.api.trader", str(tmp_path / "data")],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        ) as program:
            assert program.stdout is not None
            acknowledged.append(program.stdout.readline().strip())
            time.sleep(dice.random() / 2)
            program.kill()
            acknowledged += program.stdout.read().splitlines()
    whole = [name for name in acknowledged if name.startswith("order-")]
    with Engine.open(tmp_path / "data", clock=lambda: WEDNESDAY) as engine:
        positions = len(engine.positions(1))
        assert positions >= len(set(whole)) > 5
        for name in whole[:-1]:
            assert engine.buy(1, "EURUSD", "0.01", id=name).repeat
        assert len(engine.positions(1)) == positions
        assert all(row.customers + row.house == 0 for row in engine.trial_balance())
