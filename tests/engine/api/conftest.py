"""An engine with an account that can trade, at a time that only moves when a test says so."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tradeloom.domain.presets import DEMO, EURUSD
from tradeloom.engine import Engine

WEDNESDAY = 1_767_787_200_000_000_000  # 2026-01-07 12:00 UTC


class Clock:
    """A clock that stands still until it is told to move."""

    def __init__(self) -> None:
        self.now = WEDNESDAY

    def __call__(self) -> int:
        return self.now


def furnish(engine: Engine) -> Engine:
    """EURUSD at 1.10000 / 1.10002, and account 1001 of the demo group with 10,000."""
    engine.define(EURUSD, DEMO)
    engine.open_account(1001, group="demo")
    engine.deposit(1001, "10000")
    engine.quote("EURUSD", "1.10000", "1.10002")
    return engine


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def engine(clock: Clock) -> Iterator[Engine]:
    with Engine.open(clock=clock) as engine:
        yield furnish(engine)
