"""Embed the engine: a durable trading engine in ten lines. Run it twice: it remembers."""

from __future__ import annotations

import sys

from tradeloom.domain.presets import DEMO, EURUSD
from tradeloom.engine import Engine

WEDNESDAY = 1_767_787_200_000_000_000  # 2026-01-07 12:00 UTC; without a clock it is the wall clock

with Engine.open(sys.argv[1] if len(sys.argv) > 1 else None, clock=lambda: WEDNESDAY) as engine:
    engine.define(EURUSD, DEMO)
    if 1001 not in engine.accounts():
        engine.open_account(1001, group="demo")
        engine.deposit(1001, "10000", id="first-deposit")
    engine.quote("EURUSD", "1.10000", "1.10002")
    engine.buy(1001, "EURUSD", "0.10", sl="1.09", tp="1.12", id="first-order")
    engine.quote("EURUSD", "1.10500", "1.10502")
    for position in engine.positions(1001):
        print(position.instrument, position.side.name, position.volume, "profit", position.profit)
    account = engine.account(1001)
    print("balance", account.balance, "equity", account.equity, "margin", account.margin)
