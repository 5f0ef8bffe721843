"""Draws plausible and implausible inputs for a state, from seeds or from hypothesis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Protocol, TypeVar

from tests.core.oddities import CALM, GROUP_CHANGES, INSTRUMENT_CHANGES, SIGNED, WILD
from tests.core.world import ACCOUNTS, GROUPS, INSTRUMENTS, QUOTES, UNIT, text
from tests.oracle.state import ALL_INSTRUMENTS, Order, Position, State
from tests.oracle.wire import InputRecord, definition, make

T = TypeVar("T")
NANOS = 10**9
BASES = [QUOTES[instrument["symbol"]][0] for instrument in INSTRUMENTS]


class Chooser(Protocol):
    """Where choices come from."""

    def between(self, low: int, high: int) -> int:
        """A whole number of the range, both ends included."""


class Inputs:
    """Draws one input after another; looks at the oracle's state for ids and prices."""

    def __init__(self, chooser: Chooser, state: State, *, wild: bool = False) -> None:
        self.chooser = chooser
        self.reaches = WILD if wild else CALM
        self.state = state
        self.names = 0
        self.sent: list[InputRecord] = []

    # ---- choices -----------------------------------------------------------------------------

    def between(self, low: int, high: int) -> int:
        return self.chooser.between(low, high)

    def pick(self, items: Sequence[T]) -> T:
        return items[self.between(0, len(items) - 1)]

    def chance(self, percent: int) -> bool:
        return self.between(1, 100) <= percent

    def time(self) -> int:
        steps = (0, 1, NANOS // 3, NANOS, 60 * NANOS, 3_600 * NANOS, 30_000 * NANOS)
        weights = (20, 30, 30, 12, 5, 2, 1)
        at = self.between(1, sum(weights))
        for step, weight in zip(steps, weights, strict=True):
            at -= weight
            if at <= 0:
                return self.state.time + step
        return self.state.time

    def name(self) -> bytes:
        if self.chance(60):
            return b""
        self.names += 1
        return b"c-%d" % self.names

    def account(self) -> int:
        return self.pick(list(ACCOUNTS)) if self.chance(99) else self.between(0, 12)

    def instrument(self) -> int:
        return self.between(0, len(INSTRUMENTS) - (1 if self.chance(99) else 0))

    def next(self) -> InputRecord:
        """Any input; now and then an old one again."""
        if self.sent and self.chance(2):
            old = self.pick(self.sent[-50:])
            record = replace(old, ts=self.time())
        else:
            record = self.pick(KINDS)(self)
            if self.chance(2):
                record = self.spoil(record)
        self.sent.append(record)
        return record

    def spoil(self, record: InputRecord) -> InputRecord:
        """One field of a record made strange."""
        if self.chance(10):
            return replace(record, ts=self.pick([0, -1, self.state.time - 1]))
        names = [
            name
            for name, value in record.fields.items()
            if isinstance(value, int) and name not in ("amount", "swap_long", "swap_short")
        ]
        if not names:
            return record
        name = self.pick(names)
        odd = self.pick([0, 1, 2, 3, 7, 250])
        if name in SIGNED:
            odd = self.pick([0, -1, 1, 10**15, 10**15 + 1, -(2**63), 2**63 - 1, odd])
        return replace(record, fields={**record.fields, name: odd})

    # ---- market ------------------------------------------------------------------------------

    def quote(self) -> InputRecord:
        index = self.instrument()
        if self.state.positions and self.chance(50):
            index = self.pick([p.instrument for p in self.state.positions.values()])
        if index >= len(INSTRUMENTS):
            return make("Quote", self.time(), instrument=index, bid=1, ask=2)
        instrument = self.state.instruments[index]
        base = BASES[index]
        last = instrument.bid or base
        reach = self.pick(self.reaches)
        bid = last + base * self.between(-reach, reach) // 10_000
        bid = min(max(bid, base // 2), base * 2)
        spread = QUOTES[instrument.symbol][1]
        ask = bid + self.pick([spread, spread, spread, 0, 3 * spread])
        return make("Quote", self.time(), instrument=index, bid=bid, ask=ask)

    def clock(self) -> InputRecord:
        return make("Clock", self.time())

    def swap_day(self) -> InputRecord:
        today = self.state.time // (86_400 * NANOS)
        account = self.account() if self.chance(30) else 0
        return make("Rollover", self.time(), account, self.name(), day=today + self.between(-1, 2))

    def funding(self) -> InputRecord:
        index = 9 if self.chance(90) else self.instrument()
        rate = self.between(-200_000, 200_000)
        return make("Funding", self.time(), 0, self.name(), instrument=index, rate=rate)

    # ---- orders ------------------------------------------------------------------------------

    def near(self, price: int) -> int:
        """A price within two percent, often very near."""
        reach = self.pick([5, 20, 60, 200])
        return max(price + price * self.between(-reach, reach) // 10_000, 1)

    def volume(self, index: int) -> int:
        settings = self.state.instruments[index]
        steps = self.pick([0, 1, 5, 20, 50, 100, 300])
        if index == 9:
            steps *= self.pick([1, 10])
        if index == 7:
            steps = min(steps, 5)
        return settings.volume_min + self.between(0, steps) * settings.volume_step

    def place(self) -> InputRecord:
        index = self.instrument()
        if index >= len(INSTRUMENTS):
            return make("PlaceOrder", self.time(), self.account(), self.name(), instrument=index)
        settings = self.state.instruments[index]
        price = settings.bid or BASES[index]
        kind = self.pick([0, 0, 0, 1, 1, 2, 3])
        side = self.between(0, 1)
        tifs = ([0, 0, 3, 4], [0, 0, 1, 2, 3, 4], [0, 1, 2], [0, 1, 2])[kind]
        tif = self.pick(tifs)
        sign = -1 if side else 1
        values: dict[str, int] = {
            "instrument": index,
            "side": side,
            "type_": kind,
            "tif": tif,
            "volume": self.volume(index),
            "max_deviation": self.pick([-1, -1, 0, 5, 100]),
            "tag": self.between(0, 3),
        }
        ts = self.time()
        if kind:
            away = price * self.between(1, 120) // 10_000 + self.pick([0, 25])
            toward = -sign if kind == 1 else sign
            values["price"] = max(price + toward * away, 1) if self.chance(85) else self.near(price)
            values["oco"] = self.pick([0, 0, 1, 2])
            if kind == 3:
                values["limit_price"] = self.near(values["price"])
        elif self.chance(40):
            values["price"] = self.near(price)
        if tif == 2:
            values["expire"] = ts + self.pick([1, NANOS, 100 * NANOS, 10_000 * NANOS])
        entry = values.get("limit_price") or (values["price"] if kind else price)
        values |= self.stops(side, entry, index)
        values |= self.terms()
        if self.chance(20):
            values |= {"flags": 1, "leverage": self.pick([1, 5, 20, 50])}
        return make("PlaceOrder", ts, self.account(), self.name(), **values)

    def stops(self, side: int, price: int, index: int) -> dict[str, int]:
        sign = -1 if side else 1
        values = {}
        spread = QUOTES[self.state.instruments[index].symbol][1]
        if self.chance(30):
            away = price * self.between(1, 100) // 10_000 + 2 * spread
            values["sl"] = max(price - sign * away, 1)
        if self.chance(30):
            values["tp"] = max(price + sign * price * self.between(1, 100) // 10_000, 1)
        if self.chance(15):
            values["trailing"] = price * self.between(1, 60) // 10_000
            values["trailing_step"] = self.pick([0, 1, 10])
        return values

    def terms(self) -> dict[str, int]:
        if self.chance(85):
            return {}
        return {
            "terms": self.between(1, 7),
            "commission_mode": self.between(0, 3),
            "commission_when": self.between(0, 2),
            "commission_value": self.pick([0, UNIT, 777, 123_456_789]),
            "markup": self.pick([0, 1, 15]),
            "swap_long": self.between(-5 * UNIT, 5 * UNIT),
            "swap_short": self.between(-5 * UNIT, 5 * UNIT),
        }

    def position(self) -> Position | None:
        found = list(self.state.positions.values())
        return self.pick(found) if found else None

    def order(self, *, routed: bool = False) -> Order | None:
        found = [o for o in self.state.orders.values() if o.routed == routed]
        return self.pick(found) if found else None

    def owner(self, item: Position | Order) -> int:
        return item.account if self.chance(98) else self.account()

    def place_close(self) -> InputRecord:
        p = self.position()
        if p is None:
            return self.place()
        volume = p.volume if self.chance(50) else self.volume(p.instrument)
        values: dict[str, int] = {
            "instrument": p.instrument,
            "side": 1 - p.side,
            "tif": 3,
            "volume": volume,
            "position": p.id,
            "max_deviation": -1,
        }
        return make("PlaceOrder", self.time(), self.owner(p), self.name(), **values | self.terms())

    def modify_order(self) -> InputRecord:
        o = self.order(routed=self.chance(5))
        if o is None:
            return self.place()
        values = {
            "order": o.id,
            "price": self.near(o.price) if o.price else 0,
            "limit_price": self.near(o.limit_price) if o.limit_price else 0,
            "sl": self.pick([0, o.sl]),
            "tp": self.pick([0, o.tp]),
            "expire": self.state.time + 10**12 if o.tif == 2 else 0,
        }
        return make("ModifyOrder", self.time(), self.owner(o), self.name(), **values)

    def cancel(self) -> InputRecord:
        o = self.order(routed=self.chance(30))
        if o is None:
            return self.place()
        return make("CancelOrder", self.time(), self.owner(o), self.name(), order=o.id)

    def cancel_all(self) -> InputRecord:
        index = ALL_INSTRUMENTS if self.chance(50) else self.instrument()
        return make("CancelAll", self.time(), self.account(), self.name(), instrument=index)

    # ---- positions ---------------------------------------------------------------------------

    def close(self) -> InputRecord:
        p = self.position()
        if p is None:
            return self.place()
        volume = 0 if self.chance(50) else self.volume(p.instrument)
        price = self.near(self.state.instruments[p.instrument].bid) if self.chance(30) else 0
        values = {"position": p.id, "volume": volume, "price": price}
        values["max_deviation"] = self.pick([-1, 0, 50])
        return make("ClosePosition", self.time(), self.owner(p), self.name(), **values)

    def close_by(self) -> InputRecord:
        p = self.position()
        if p is None:
            return self.place()
        mine = [
            q.id
            for q in self.state.positions_of(p.account)
            if q.instrument == p.instrument and q.side != p.side
        ]
        other = self.pick(mine) if mine else p.id
        values = {"position": p.id, "position_by": other}
        return make("CloseBy", self.time(), self.owner(p), self.name(), **values)

    def close_all(self) -> InputRecord:
        index = ALL_INSTRUMENTS if self.chance(30) else self.instrument()
        return make("CloseAll", self.time(), self.account(), self.name(), instrument=index)

    def reverse(self) -> InputRecord:
        p = self.position()
        if p is None:
            return self.place()
        return make("Reverse", self.time(), self.owner(p), self.name(), position=p.id)

    def modify_position(self) -> InputRecord:
        p = self.position()
        if p is None:
            return self.place()
        price = self.state.instruments[p.instrument].bid
        values = self.stops(p.side, price, p.instrument)
        ts = self.time()
        return make("ModifyPosition", ts, self.owner(p), self.name(), position=p.id, **values)

    def report(self) -> InputRecord:
        routed = list(self.state.routed.values())
        if not routed:
            return self.place()
        live = [o for o in routed if o.id in self.state.orders]
        o = self.pick(live) if live and self.chance(85) else self.pick(routed)
        values: dict[str, Any] = {"order": o.id, "kind": self.pick([0, 1, 1, 1, 1, 2, 3, 4, 5])}
        if values["kind"] == 1:
            whole = max(o.rest, 1) if self.chance(60) else self.volume(o.instrument)
            values["volume"] = whole
            values["price"] = self.near(self.state.instruments[o.instrument].bid)
            values["trade"] = (b"t-%d" % self.between(0, 40)).ljust(32, b"\0")
        return make("Report", self.time(), self.pick([0, o.account]), self.name(), **values)

    # ---- administration ----------------------------------------------------------------------

    def balance(self) -> InputRecord:
        op = self.pick([0, 0, 0, 1, 2, 3, 4])
        unit = UNIT * (1000 if self.chance(40) else 1)
        amount = self.between(1, 3000) * unit
        if op == 4 and self.chance(50):
            amount = -amount
        if self.chance(3):
            amount = self.pick([0, -1, 1, 10**28 + 10**8, 12_345_678])
        return make("Balance", self.time(), self.account(), self.name(), op=op, amount=amount)

    def trading_state(self) -> InputRecord:
        scope = self.between(0, 3)
        targets = (0, self.between(0, 8), self.account(), self.instrument())
        value = self.pick([0, 0, 0, 1, 2])
        values = {"scope": scope, "target": targets[scope], "state": value}
        return make("SetTradingState", self.time(), 0, self.name(), **values)

    def resume(self) -> InputRecord:
        """Active again, where something is not."""
        state = self.state
        found = [(0, 0)] if state.trading else []
        found += [(1, g.index) for g in state.groups if g.state]
        found += [(2, a.id) for a in state.accounts.values() if a.state]
        found += [(3, i.index) for i in state.instruments if i.state]
        if not found:
            return self.quote()
        scope, target = self.pick(found)
        return make("SetTradingState", self.time(), 0, self.name(), scope=scope, target=target)

    def account_command(self) -> InputRecord:
        account = self.account()
        group = ACCOUNTS.get(account, 0) if self.chance(70) else self.between(0, len(GROUPS))
        values = {"group": group, "leverage": self.pick([0, 0, 20, 500])}
        values["flags"] = self.pick([0, 0, 0, 0, 1, 2])
        kind = self.pick(["UpdateAccount"] * 8 + ["OpenAccount"])
        return make(kind, self.time(), account, self.name(), **values)

    def close_account(self) -> InputRecord:
        return make("CloseAccount", self.time(), self.account(), self.name())

    def define(self) -> InputRecord:
        ts = self.time()
        if self.chance(40):
            group = dict(self.pick(GROUPS))
            group |= self.pick(GROUP_CHANGES)
            return definition("DefineGroup", ts, text(group), self.name())
        instrument = dict(self.pick(INSTRUMENTS))
        instrument |= self.pick(INSTRUMENT_CHANGES)
        return definition("DefineInstrument", ts, text(instrument), self.name())


Kind = Callable[[Inputs], InputRecord]
WEIGHTED: list[tuple[Kind, int]] = [
    (Inputs.quote, 40),
    (Inputs.place, 30),
    (Inputs.report, 12),
    (Inputs.close, 4),
    (Inputs.place_close, 3),
    (Inputs.modify_order, 5),
    (Inputs.modify_position, 5),
    (Inputs.cancel, 3),
    (Inputs.cancel_all, 1),
    (Inputs.close_by, 3),
    (Inputs.close_all, 1),
    (Inputs.reverse, 3),
    (Inputs.balance, 4),
    (Inputs.clock, 2),
    (Inputs.swap_day, 2),
    (Inputs.funding, 2),
    (Inputs.trading_state, 1),
    (Inputs.resume, 4),
    (Inputs.account_command, 2),
    (Inputs.close_account, 1),
    (Inputs.define, 2),
]
KINDS: list[Kind] = [kind for kind, weight in WEIGHTED for _ in range(weight)]
