"""A program that trades with an embedded engine and prints what was acknowledged, for ever."""

from __future__ import annotations

import sys
from itertools import count

from tests.engine.api.conftest import WEDNESDAY
from tradeloom.domain.presets import DEMO, EURUSD
from tradeloom.engine import Engine


def main(folder: str) -> None:
    """Trade in `folder`; each line is the id of an acknowledged order."""
    with Engine.open(folder, clock=lambda: WEDNESDAY) as engine:
        engine.define(EURUSD, DEMO)
        if not engine.accounts():
            engine.open_account(1, group="demo")
        engine.deposit(1, "100000", id="money")
        engine.quote("EURUSD", "1.10000", "1.10002")
        for number in count(len(engine.positions(1))):
            engine.buy(1, "EURUSD", "0.01", id=f"order-{number}")
            sys.stdout.write(f"order-{number}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
