"""Margin call, stop-out and isolated stops of 2,000 accounts against brute-force revaluation."""

from __future__ import annotations

import os
import random
import time
from typing import Any

import pytest

from tests.core.population import Client, Judge, Market, Rules, actions_of
from tests.core.world import UNIT, text
from tests.oracle import EventRecord, InputRecord, decode_events, encode
from tests.oracle.wire import definition, make
from tradeloom import _core

SOAK_MINUTES = float(os.environ.get("TRADELOOM_SOAK_MINUTES", "10"))
NOON = 1_699_963_200_000_000_000
CURRENCIES = {"USD": 2, "EUR": 2, "JPY": 0, "GBP": 2}
# symbol, mode, digits, contract, base, profit, first bid, spread
MARKETS: list[tuple[str, str, int, int, str, str, int, int]] = [
    ("EURUSD", "forex", 5, 100_000, "EUR", "USD", 110_000, 8),
    ("USDJPY", "forex", 3, 100_000, "USD", "JPY", 150_000, 12),
    ("GBPUSD", "forex", 5, 100_000, "GBP", "USD", 125_000, 10),
    ("EURJPY", "forex", 3, 100_000, "EUR", "JPY", 165_000, 15),
    ("XAUUSD", "cfd_leverage", 2, 100, "USD", "USD", 200_000, 30),
    ("GER40", "cfd_leverage", 1, 25, "EUR", "EUR", 160_000, 10),
    ("BTCUSD", "perpetual", 1, 10, "USD", "USD", 370_000, 20),
]
GROUPS: list[dict[str, Any]] = [
    {"name": "usd", "currency": "USD", "mode": "hedging", "negative_balance_protection": True},
    {"name": "eur", "currency": "EUR", "mode": "hedging", "level_unit": "money"},
    {"name": "jpy", "currency": "JPY", "mode": "netting", "markup_points": 2},
    {"name": "gbp", "currency": "GBP", "mode": "netting", "margin_call": 8_000},
]
MONEY = {"USD": 10_000, "EUR": 9_000, "JPY": 1_500_000, "GBP": 8_000}
MONEY_LEVELS = {"margin_call": 4_000 * UNIT, "stop_out": 2_000 * UNIT}


class Crowd:
    """The core with a population, and the judge beside it."""

    def __init__(self, seed: int, accounts: int) -> None:
        self.source = random.Random(seed)
        self.core = _core.Core(0)
        self.now = NOON
        self.judge = Judge([])
        for code, digits in CURRENCIES.items():
            self.send(definition("DefineCurrency", NOON, text({"code": code, "digits": digits})))
        for market in MARKETS:
            self._define(*market)
        for group in GROUPS:
            levels = MONEY_LEVELS if group.get("level_unit") == "money" else {}
            body = text({"leverage": 100} | group | levels)
            self.send(definition("DefineGroup", NOON, body))
        for number in range(1, accounts + 1):
            self._open(number)

    def send(self, record: InputRecord) -> list[EventRecord]:
        return decode_events(self.core.apply(encode(record)))

    def _define(
        self,
        symbol: str,
        calc: str,
        digits: int,
        contract: int,
        base: str,
        profit: str,
        bid: int,
        spread: int,
    ) -> None:
        settings = {
            "symbol": symbol,
            "calc": calc,
            "digits": digits,
            "contract_size": contract * UNIT,
            "base": base,
            "profit": profit,
            "margin": base if calc == "forex" else profit,
        }
        self.send(definition("DefineInstrument", NOON, text(settings)))
        market = Market(contract * UNIT, 10 ** (8 + digits), digits, base, profit)
        if calc != "forex":
            market.base = market.profit = profit
        market.bid, market.ask = bid, bid + spread
        self.judge.markets.append(market)
        index = len(self.judge.markets) - 1
        self.send(make("Quote", NOON, instrument=index, bid=bid, ask=bid + spread))

    def _open(self, number: int) -> None:
        group = self.source.randrange(len(GROUPS))
        settings = GROUPS[group]
        currency = settings["currency"]
        money_level = settings.get("level_unit") == "money"
        rules = Rules(
            currency,
            CURRENCIES[currency],
            settings["mode"] == "netting",
            money_level,
            MONEY_LEVELS["margin_call"] if money_level else settings.get("margin_call", 10_000),
            MONEY_LEVELS["stop_out"] if money_level else 5_000,
            settings.get("negative_balance_protection", False),
        )
        self.judge.clients[number] = Client(number, rules)
        self.send(make("OpenAccount", self.now, number, b"", group=group))
        self.fund(number)

    def fund(self, number: int) -> None:
        """Money and a handful of positions, up to the limit of what margin allows."""
        client = self.judge.clients[number]
        markup = 2 if client.rules.currency == "JPY" else 0
        amount = MONEY[client.rules.currency] * UNIT + max(0, -client.balance)
        unit = 10 ** (8 - client.rules.digits)
        amount -= amount % unit
        record = make("Balance", self.now, number, b"", amount=amount)
        self.judge.learn(self.send(record), markup)
        markets = list(range(len(MARKETS)))
        self.source.shuffle(markets)
        for turn in range(self.source.randint(3, 7)):
            market = markets[turn % len(markets)]
            values = {
                "instrument": market,
                "side": self.source.randrange(2),
                "volume": self.source.randint(5, 150) * 10**6,
                "max_deviation": -1,
            }
            holds = any(held.market == market for held in client.isolated)
            if not (client.rules.netting and (holds or market in client.legs)):
                if self.source.random() < 0.2:
                    values |= {"flags": 1, "leverage": self.source.choice([5, 20, 100])}
                self.judge.learn(
                    self.send(make("PlaceOrder", self.now, number, b"", **values)), markup
                )

    def quote(self) -> None:
        """A random quote, sometimes a gap; the core must do what the judge says."""
        index = self.source.randrange(len(MARKETS))
        first, spread = MARKETS[index][6:]
        market = self.judge.markets[index]
        reach = self.source.choice([1, 1, 2, 3, 5, 5, 10, 150])
        step = first * self.source.randint(-reach, reach) // 10_000
        pull = (first - market.bid) // 200
        bid = max(market.bid + step + pull, 1)
        self.now += 10**8
        record = make("Quote", self.now, 0, b"", instrument=index, bid=bid, ask=bid + spread)
        found = actions_of(self.send(record))
        expected = self.judge.quote(index, bid, bid + spread)
        assert found == expected, f"{record}\ncore  {found}\njudge {expected}"

    def refill(self, share: float) -> None:
        """New money and positions for some of those who lost everything."""
        for number, client in self.judge.clients.items():
            if not client.legs and not client.isolated and self.source.random() < share:
                self.fund(number)

    def compare(self) -> None:
        """Balances, levels and margins of everybody, from the core's own view."""
        for number, client in self.judge.clients.items():
            row = self.core.account(number)
            assert row is not None
            mine = (client.balance, client.level, client.equity, client.margin)
            theirs = (row["balance"], row["level"], row["cross_equity"], row["cross_margin"])
            assert mine == theirs, number


def _run(seed: int, accounts: int, quotes: int) -> Crowd:
    crowd = Crowd(seed, accounts)
    crowd.compare()
    for number in range(1, quotes + 1):
        crowd.quote()
        if number % 100 == 0:
            crowd.refill(0.5)
        if number % 500 == 0:
            crowd.compare()
            crowd.core.check()
            crowd.core = _core.Core.restore(crowd.core.snapshot())
    return crowd


def test_two_thousand_accounts() -> None:
    crowd = _run(1, 2_000, 1_000)
    assert crowd.judge.actions > 1_000, "the population is too calm to prove anything"


@pytest.mark.soak
def test_two_thousand_accounts_for_minutes() -> None:
    end = time.monotonic() + 60 * SOAK_MINUTES
    seed = random.SystemRandom().randrange(10**9)
    while time.monotonic() < end:
        _run(seed, 2_000, 5_000)
        seed += 1
