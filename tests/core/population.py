"""A judge for large populations: revalues every leg a quote touches and looks at every account.

It knows positions only from the core's events and does margin call, stop-out and isolated stops
by brute force in whole numbers; the core must have done exactly the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.oracle import EventRecord
from tests.oracle.arithmetic import he, post
from tests.oracle.codes import Reason

Action = tuple[Any, ...]


@dataclass
class Market:
    """One instrument: its factor, currencies and quote."""

    kn: int
    kd: int
    digits: int
    base: str
    profit: str
    bid: int = 0
    ask: int = 0


@dataclass
class Rules:
    """What the judge has to know of a group."""

    currency: str
    digits: int
    netting: bool
    money_level: bool
    margin_call: int
    stop_out: int
    protected: bool


@dataclass
class Held:
    """An open position."""

    id: int
    market: int
    side: int
    volume: int
    cost: int
    markup: int
    margin: int
    initial: int
    isolated: bool


@dataclass
class Leg:
    """The cross positions of an account on one instrument."""

    path: list[tuple[int, bool]]
    held: list[Held] = field(default_factory=list)
    floating: int = 0
    margin: int = 0


@dataclass
class Client:
    """An account."""

    id: int
    rules: Rules
    balance: int = 0
    level: int = 0
    legs: dict[int, Leg] = field(default_factory=dict)
    isolated: list[Held] = field(default_factory=list)

    @property
    def equity(self) -> int:
        locked = sum(held.margin for held in self.isolated)
        return self.balance - locked + sum(leg.floating for leg in self.legs.values())

    @property
    def margin(self) -> int:
        return sum(leg.margin for leg in self.legs.values())


class Judge:
    """All clients and markets, and what must happen at a quote."""

    def __init__(self, markets: list[Market], isolated_stop_ppm: int = 50_000) -> None:
        self.markets = markets
        self.clients: dict[int, Client] = {}
        self.stop_ppm = isolated_stop_ppm
        self.actions = 0

    # ---- valuation ---------------------------------------------------------------------------

    def path(self, market: int, target: str) -> list[tuple[int, bool]]:
        """Conversion of the profit currency: directly, else over USD."""
        source = self.markets[market].profit
        if source == target:
            return []
        direct = self._pair(source, target, market)
        if direct is not None:
            return [direct]
        first, second = self._pair(source, "USD", market), self._pair("USD", target, market)
        assert first is not None
        assert second is not None
        return [first, second]

    def _pair(self, source: str, target: str, traded: int) -> tuple[int, bool] | None:
        order = [traded, *range(len(self.markets))]
        for index in order:
            if (self.markets[index].base, self.markets[index].profit) == (source, target):
                return index, False
        for index in order:
            if (self.markets[index].profit, self.markets[index].base) == (source, target):
                return index, True
        return None

    def worth(self, market: int, side: int, raw: int, path: list[tuple[int, bool]]) -> int:
        """A price difference times volume, in account currency."""
        own = self.markets[market]
        amount = he(raw * own.kn, own.kd)
        for index, divide in path:
            cross = self.markets[index]
            price, scale = cross.ask if side else cross.bid, 10**cross.digits
            amount = he(amount * scale, price) if divide else he(amount * price, scale)
        return amount

    def floating(self, held: Held, path: list[tuple[int, bool]]) -> int:
        """Floating profit of one position."""
        own = self.markets[held.market]
        if held.side:
            raw = held.cost - (own.ask + held.markup) * held.volume
        else:
            raw = (own.bid - held.markup) * held.volume - held.cost
        return self.worth(held.market, held.side, raw, path)

    def revalue(self, client: Client, market: int) -> None:
        """Floating profit and margin of a leg, from all its positions."""
        leg = client.legs[market]
        if not leg.held:
            del client.legs[market]
            return
        own = self.markets[market]
        leg.floating = 0
        volumes, margins = [0, 0], [0, 0]
        for side in (0, 1):
            raw = 0
            for held in leg.held:
                if held.side == side:
                    price = own.ask + held.markup if side else own.bid - held.markup
                    value = price * held.volume
                    raw += held.cost - value if side else value - held.cost
                    volumes[side] += held.volume
                    margins[side] += held.margin
            leg.floating += self.worth(market, side, raw, leg.path)
        if client.rules.netting:
            margin = max(margins)
        else:
            larger = 0 if volumes[0] >= volumes[1] else 1
            uncovered, covered = abs(volumes[0] - volumes[1]), min(volumes)
            margin = he(margins[larger] * uncovered, volumes[larger])
            margin += he(sum(margins) * covered, sum(volumes))
        leg.margin = post(margin, client.rules.digits)

    # ---- learning from events ----------------------------------------------------------------

    def learn(self, events: list[EventRecord], markup: int) -> None:
        """Takes over what a command did."""
        changed: set[tuple[int, int]] = set()
        for event in events:
            fields: dict[str, Any] = dict(event.fields)
            if event.name == "Ledger":
                self.clients[fields["account"]].balance = fields["balance"]
            elif event.name == "Margin":
                self.clients[fields["account"]].level = fields["level"]
            elif event.name == "Position":
                changed.add((fields["account"], fields["instrument"]))
                self._take(fields, markup)
        for account, market in changed:
            if market in self.clients[account].legs:
                self.revalue(self.clients[account], market)

    def _take(self, fields: dict[str, Any], markup: int) -> None:
        client = self.clients[fields["account"]]
        market, isolated = fields["instrument"], bool(fields["flags"] & 1)
        path = self.path(market, client.rules.currency)
        mine = client.isolated
        if not isolated:
            mine = client.legs.setdefault(market, Leg(path)).held
        mine[:] = [held for held in mine if held.id != fields["position"]]
        if fields["volume"]:
            made = Held(
                fields["position"],
                market,
                fields["side"],
                fields["volume"],
                fields["cost"],
                markup,
                fields["margin"],
                fields["margin"],
                isolated,
            )
            mine.append(made)
            mine.sort(key=lambda held: held.id)

    # ---- a quote -----------------------------------------------------------------------------

    def quote(self, index: int, bid: int, ask: int) -> list[Action]:
        """What must happen, in order."""
        self.markets[index].bid, self.markets[index].ask = bid, ask
        done: list[Action] = []
        loose = [(held, client) for client in self.clients.values() for held in client.isolated]
        for held, client in sorted(loose, key=lambda item: item[0].id):
            path = self.path(held.market, client.rules.currency)
            if index != held.market and index not in [step for step, _ in path]:
                continue
            left = held.margin + self.floating(held, path)
            if left <= he(held.initial * self.stop_ppm, 10**6):
                done.append(self._close(client, held, path, Reason.LIQUIDATION))
        for client in self.clients.values():
            for market, leg in list(client.legs.items()):
                if market == index or any(step == index for step, _ in leg.path):
                    self.revalue(client, market)
            self._evaluate(client, done)
        self.actions += len(done)
        return done

    def level(self, client: Client) -> int:
        """0 fine, 1 margin call, 2 stop-out."""
        if not client.legs:
            return 0
        rules, equity, margin = client.rules, client.equity, client.margin
        for level, bound in ((2, rules.stop_out), (1, rules.margin_call)):
            if rules.money_level and equity < bound:
                return level
            if not rules.money_level and margin > 0 and equity * 10_000 < bound * margin:
                return level
        return 0

    def _evaluate(self, client: Client, done: list[Action]) -> None:
        closed = False
        while True:
            level = self.level(client)
            if level != client.level:
                client.level = level
                done.append(("margin", client.id, level, client.equity, client.margin))
            if level != 2:
                break
            worst = min(
                (post(self.floating(held, leg.path), client.rules.digits), held.id, held, leg.path)
                for leg in client.legs.values()
                for held in leg.held
            )
            done.append(self._close(client, worst[2], worst[3], Reason.STOP_OUT))
            closed = True
        broke = client.balance < 0 and not client.legs and not client.isolated
        if closed and client.rules.protected and broke:
            done.append(("pays", client.id, -client.balance))
            client.balance = 0

    def _close(
        self, client: Client, held: Held, path: list[tuple[int, bool]], reason: Reason
    ) -> Action:
        own = self.markets[held.market]
        price = own.ask + held.markup if held.side else max(own.bid - held.markup, 1)
        profit = post(self.floating(held, path), client.rules.digits)
        client.balance += profit
        if held.isolated:
            client.isolated.remove(held)
            client.balance += max(0, -(profit + held.margin))
        else:
            client.legs[held.market].held.remove(held)
            self.revalue(client, held.market)
        return "close", held.id, int(reason), price, profit


def actions_of(events: list[EventRecord]) -> list[Action]:
    """What the core did at a quote, as the judge says it."""
    found: list[Action] = []
    for event in events:
        fields: dict[str, Any] = dict(event.fields)
        if event.name == "Margin":
            shown = (fields["account"], fields["level"], fields["equity"], fields["margin"])
            found.append(("margin", *shown))
        elif event.name == "Fill":
            shown = (fields["position"], fields["reason"], fields["price"], fields["profit"])
            found.append(("close", *shown))
        elif event.name == "Ledger" and fields["reference"] == 0:
            found.append(("pays", fields["account"], event.legs[0]["amount"]))
    return found
