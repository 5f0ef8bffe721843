"""A small engine of its own with one account in it, to try an order on without touching the book.

The rules are the real ones, because it is a real `Core`: the same definitions, quotes, trading
states and, in volume, the same positions. Only the account is rich: whether there is money for an
order is worked out by `preview` from what the real account has. What it costs to make one depends
on the number of instruments and of the account's positions, never on the size of the book.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from tradeloom._core import Core
from tradeloom.domain.enums import BalanceOp, Scope
from tradeloom.engine.records import COMMAND_HEADER, EVENT_HEADER, EVENTS, INPUT_HEADER, INPUTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tradeloom._core import AccountRow

RICH: Final = 10**26
"""Money of the account, units of 1e-8: more than any order needs, less than the engine's bound."""
_NAMES: Final = {record.kind: name for name, record in EVENTS.items()}
_OPEN_TO_ALL: Final = {
    "trade_mode": "full",
    "sessions": [],
    "holidays": [],
    "quote_age_max_ms": 0,
    "collar_ppm": 0,
    "stops_level": 0,
    "volume_min": 1,
    "volume_step": 1,
    "volume_max": 10**15,
    "liquidity_max": 0,
    "execution": "internal",
}
_NO_LIMITS: Final = {
    "order_volume_max": 0,
    "order_value_max": 0,
    "position_volume_max": 0,
    "orders_max": 0,
    "positions_max": 0,
    "orders_per_s": 0,
}

Values = dict[str, Any]


def unpack(data: bytes) -> Iterator[tuple[str, Values, memoryview]]:
    """Packed events as (name, integers, what follows the body)."""
    view, at = memoryview(data), 0
    while at < len(view):
        length, kind, *_ = EVENT_HEADER.unpack_from(view, at)
        name = _NAMES[kind]
        body = at + EVENT_HEADER.size
        yield name, EVENTS[name].unpack(view, body), view[body + EVENTS[name].size : at + length]
        at += length


def command(
    name: str, ts: int, account: int = 0, values: Mapping[str, int] | None = None, tail: bytes = b""
) -> bytes:
    """The input record of a command."""
    body = INPUTS[name].pack(values or {}) + tail
    length = INPUT_HEADER.size + COMMAND_HEADER.size + len(body)
    head = INPUT_HEADER.pack(length, INPUTS[name].kind, 0, ts)
    return head + COMMAND_HEADER.pack(account, b"") + body


def quote(index: int, bid: int, ask: int, ts: int) -> bytes:
    """The input record of a quote."""
    body = INPUTS["Quote"].pack({"instrument": index, "bid": bid, "ask": ask})
    return INPUT_HEADER.pack(INPUT_HEADER.size + len(body), INPUTS["Quote"].kind, 0, ts) + body


def definition(name: str, ts: int, body: Mapping[str, Any] | str) -> bytes:
    """The input record that defines something."""
    text = body if isinstance(body, str) else json.dumps(body)
    raw = text.encode()
    return command(name, ts, tail=raw + b"\0" * (-len(raw) % 8))


class Template:
    """Everything a core has defined, without its accounts; made anew when that changes."""

    def __init__(self, core: Core) -> None:
        self.instruments: Final = [json.loads(text) for text in core.instruments()]
        self.groups: Final = [json.loads(text) for text in core.groups()]
        blank = Core(core.shard)
        records = [definition("DefineCurrency", 1, text) for text in core.currencies()]
        records += [definition("DefineInstrument", 1, text) for text in core.instruments()]
        for record in records:
            blank.apply_muted(record)
        self._snapshot: Final = blank.snapshot()

    def core(self) -> Core:
        """A core with the definitions and nothing else."""
        return Core.restore(self._snapshot)


class Scratch:
    """One account of a core, copied out of it. Read under the lock of the real core."""

    def __init__(self, core: Core, template: Template, account: int, row: AccountRow) -> None:
        self.account: Final = account
        self.group: Final[Values] = template.groups[row["group"]]
        self.instruments: Final = template.instruments
        self.held: Final = [v for _, v, _ in unpack(core.positions(account))]
        self._pending = sum(1 for _ in unpack(core.orders(account)))
        self._row: Final = row
        self._states: Final = core.trading_states()
        quoted = ((n, *core.quote(n)) for n in range(len(self.instruments)))
        self._quotes: Final = sorted((ts, n, bid, ask) for n, bid, ask, ts in quoted if bid)
        self._template: Final = template
        self.positions: dict[int, int] = {}

    def quoted(self, index: int) -> tuple[int, int]:
        """Bid and ask of an instrument, zeros before its first quote."""
        return next(((bid, ask) for _, n, bid, ask in self._quotes if n == index), (0, 0))

    def routed(self, index: int) -> bool:
        """True if orders on the instrument go to a venue."""
        special = self._special(index).get("execution")
        where = special or self.group["execution"] or self.instruments[index]["execution"]
        return bool(where == "routed")

    def make(
        self, index: int, *, moved: tuple[int, int] | None = None, dear: bool = False
    ) -> tuple[Core, int]:
        """A core ready for an order on the instrument, and its time.

        `moved`: another bid and ask of the instrument. `dear`: futures cost their initial margin
        to hold, too.
        """
        core, ts = self._template.core(), 1
        for ts, n, bid, ask in self._quotes:
            core.apply_muted(quote(n, bid, ask, ts))
        at, touched = ts, {held["instrument"] for held in self.held}
        core.apply_muted(definition("DefineGroup", at, self._free_group()))
        row = {"group": 0, "leverage": self._row["leverage"]}
        core.apply_muted(command("OpenAccount", at, self.account, row))
        money = {"op": BalanceOp.DEPOSIT.value, "amount": RICH}
        core.apply_muted(command("Balance", at, self.account, money))
        for n in touched | {index}:
            body = self.instruments[n] | _OPEN_TO_ALL
            core.apply_muted(definition("DefineInstrument", at, body))
        self.positions = {}
        for held in self.held:
            self.positions[held["position"]] = self._hold(core, at, held)
        self._wait(core, at, index)
        for n in touched | {index}:
            body = self._tried(n) if n == index else self.instruments[n]
            if dear and n == index:
                body = body | {"maintenance_margin": body["initial_margin"]}
            core.apply_muted(definition("DefineInstrument", at, body))
        core.apply_muted(definition("DefineGroup", at, self._real_group()))
        if self._row["flags"]:
            row |= {"flags": self._row["flags"]}
            core.apply_muted(command("UpdateAccount", at, self.account, row))
        self._set_states(core, at)
        if moved is not None:
            core.apply_muted(quote(index, *moved, at))
        return core, at

    def _hold(self, core: Core, ts: int, held: Values) -> int:
        """Open a position of the same volume; its id here."""
        isolated = held["flags"] & 1
        order = {
            "instrument": held["instrument"],
            "side": held["side"],
            "volume": held["volume"],
            "max_deviation": -1,
            "flags": isolated,
            "leverage": isolated,
        }
        for name, values, _ in unpack(core.apply(command("PlaceOrder", ts, self.account, order))):
            if name == "EventPosition":
                return int(values["position"])
        return 0

    def _wait(self, core: Core, ts: int, index: int) -> None:
        """As many pending orders as there are, where nothing can reach them."""
        order = {"instrument": index, "type_": 1, "volume": 1, "price": 1, "max_deviation": -1}
        for _ in range(self._pending if self.group["limits"]["orders_max"] else 0):
            core.apply_muted(command("PlaceOrder", ts, self.account, order))

    def _special(self, index: int) -> Values:
        symbol = self.instruments[index]["symbol"]
        for override in self.group["overrides"]:
            if override["symbol"] == symbol:
                return dict(override)
        return {}

    def _tried(self, index: int) -> Values:
        body: Values = self.instruments[index]
        if not self.routed(index):
            return body
        # A venue has rules of its own; margin is reserved as for a fill at the client's price.
        free = {"slippage_points": 0, "slippage_points_per_lot": 0, "liquidity_max": 0}
        return body | free | {"execution": "internal"}

    def _free_group(self) -> Values:
        return self._real_group() | {"limits": _NO_LIMITS}

    def _real_group(self) -> Values:
        overrides = [
            {key: value for key, value in override.items() if key != "execution"}
            for override in self.group["overrides"]
        ]
        # Looking is not counted as an order.
        limits = self.group["limits"] | {"orders_per_s": 0}
        return self.group | {"overrides": overrides, "limits": limits, "execution": "internal"}

    def _set_states(self, core: Core, ts: int) -> None:
        shard, groups, instruments, accounts = self._states
        wanted = [(Scope.SHARD, 0, shard), (Scope.GROUP, 0, groups[self._row["group"]])]
        wanted += [(Scope.INSTRUMENT, n, state) for n, state in enumerate(instruments)]
        wanted += [(Scope.ACCOUNT, n, state) for n, state in accounts if n == self.account]
        for scope, target, state in wanted:
            if state:
                values = {"scope": scope.value, "target": target, "state": state}
                core.apply_muted(command("SetTradingState", ts, 0, values))
