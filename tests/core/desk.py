"""A short way to write example tests that run against the core and the oracle."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import pytest

from tests.core.world import UNIT, text
from tests.oracle import EventRecord, InputRecord, Oracle, decode_events, encode
from tests.oracle.codes import At, Code
from tests.oracle.wire import Value, definition, make
from tradeloom import _core

NOON = 1_699_963_200_000_000_000  # Tuesday 2023-11-14 12:00 UTC
SECOND = 10**9
DAY = 86_400 * SECOND
LOT = 10**8
CENT = 10**6


class Engine(Protocol):
    """What both implementations can do."""

    def apply(self, records: list[InputRecord]) -> list[EventRecord]:
        """The events of the inputs."""


class CoreEngine:
    """The core, spoken to like the oracle."""

    def __init__(self) -> None:
        self.core = _core.Core(0)

    def apply(self, records: list[InputRecord]) -> list[EventRecord]:
        """The events of the inputs."""
        events = decode_events(self.core.apply(b"".join(encode(r) for r in records)))
        self.core.check()
        return events


class CheckedOracle(Oracle):
    """The oracle with its invariants checked after every call."""

    def apply(self, records: list[InputRecord]) -> list[EventRecord]:
        """The events of the inputs."""
        events = super().apply(records)
        self.check()
        return events


both = pytest.mark.parametrize("make_engine", [CoreEngine, CheckedOracle], ids=["core", "oracle"])
MakeEngine = Callable[[], Engine]


class Desk:
    """One engine with a clock, names for things and short commands."""

    def __init__(self, make_engine: MakeEngine) -> None:
        self.engine = make_engine()
        self.now = NOON
        self.events: list[EventRecord] = []
        self.symbols: dict[str, int] = {}
        self.groups: dict[str, int] = {}

    # ---- set-up ------------------------------------------------------------------------------

    def currencies(self, **digits: int) -> None:
        for code, number in digits.items():
            self._ok(definition("DefineCurrency", self.now, text({"code": code, "digits": number})))

    def instrument(self, symbol: str, calc: str = "forex", **settings: Any) -> int:
        named = {"symbol": symbol, "calc": calc, "digits": 5, "contract_size": 100_000 * UNIT}
        if calc.startswith("forex"):
            named |= {"base": symbol[:3], "profit": symbol[3:], "margin": symbol[:3]}
        body = text(named | settings)
        index = self._ok(definition("DefineInstrument", self.now, body))
        return self.symbols.setdefault(symbol, index)

    def group(self, name: str = "g", **settings: Any) -> int:
        named = {"name": name, "currency": "USD", "leverage": 100, "mode": "hedging"}
        index = self._ok(definition("DefineGroup", self.now, text(named | settings)))
        return self.groups.setdefault(name, index)

    def account(self, number: int, money: int = 0, group: str = "g", leverage: int = 0) -> None:
        values = {"group": self.groups[group], "leverage": leverage}
        self._ok(make("OpenAccount", self.now, number, b"", **values))
        if money:
            self._ok(make("Balance", self.now, number, amount=money * UNIT))

    # ---- inputs ------------------------------------------------------------------------------

    def send(self, record: InputRecord) -> list[EventRecord]:
        self.events = self.engine.apply([record])
        return self.events

    def later(self, nanoseconds: int) -> None:
        self.now += nanoseconds

    def quote(self, symbol: str, bid: int, ask: int) -> list[EventRecord]:
        values = {"instrument": self.symbols[symbol], "bid": bid, "ask": ask}
        return self.send(make("Quote", self.now, 0, b"", **values))

    def command(self, kind: str, account: int, **values: Value) -> list[EventRecord]:
        return self.send(make(kind, self.now, account, b"", **values))

    def order(self, account: int, symbol: str, lots: int, **values: int) -> int:
        """Places an order of hundredths of a lot (negative sells); answers its id."""
        named: dict[str, Value] = {
            "instrument": self.symbols[symbol],
            "side": int(lots < 0),
            "volume": abs(lots) * LOT // 100,
            "max_deviation": -1,
        }
        self.command("PlaceOrder", account, **named | values)
        assert self.code in (Code.OK, Code.TRADE_ACCEPTED), self.answer
        reference = self.result["reference"]
        assert isinstance(reference, int)
        return reference

    def refused(self, account: int, symbol: str, lots: int, **values: int) -> tuple[Code, At]:
        """The same for an order that must not pass; answers code and field."""
        with pytest.raises(AssertionError):
            self.order(account, symbol, lots, **values)
        return self.answer

    def _ok(self, record: InputRecord) -> int:
        self.send(record)
        assert self.code == Code.OK, self.answer
        reference = self.result["reference"]
        assert isinstance(reference, int)
        return reference

    # ---- answers -----------------------------------------------------------------------------

    def all(self, name: str) -> list[dict[str, Any]]:
        """The bodies of the last events of one kind."""
        return [dict(event.fields) for event in self.events if event.name == name]

    def one(self, name: str) -> dict[str, Any]:
        """The only last event of one kind."""
        (found,) = self.all(name)
        return found

    @property
    def result(self) -> dict[str, Any]:
        return self.one("Result")

    @property
    def code(self) -> Code:
        return Code(self.result["code"])

    @property
    def answer(self) -> tuple[Code, At]:
        return self.code, At(self.result["field"])

    def legs(self) -> list[tuple[int, int]]:
        """Ledger and amount of every leg of the last input."""
        found = []
        for event in self.events:
            for leg in event.legs:
                ledger, amount = leg["ledger"], leg["amount"]
                assert isinstance(ledger, int)
                assert isinstance(amount, int)
                found.append((ledger, amount))
        return found

    def moved(self, ledger: int) -> int:
        """The sum of the legs of a ledger in the last input."""
        return sum(amount for number, amount in self.legs() if number == ledger)
