"""What an order would do, without doing it: price, margin, costs, what is free afterwards.

The order is tried on a small engine with a copy of the account (see `scratch`), so every rule but
that of the money is the engine's own word. The money is worked out here from the margins the real
positions have: section 7.1 of docs/engine/semantics.md. Read it under the lock of the core.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import msgspec

from tradeloom.domain import numbers
from tradeloom.domain.enums import Entry, Field, ReturnCode
from tradeloom.domain.errors import Refused, explain
from tradeloom.engine.records import COMMAND_HEADER, INPUT_HEADER, INPUTS, LEG
from tradeloom.engine.scratch import Scratch, Template, Values, command, unpack

if TYPE_CHECKING:
    from tradeloom._core import AccountRow, Core
    from tradeloom.engine.names import Names

_MARGIN_LEDGER: Final = 5
_CASH_LEDGER: Final = 1
_HEAD: Final = INPUT_HEADER.size + COMMAND_HEADER.size
_REOPENS: Final = ("reopen_close", "reopen_bid")
_NS: Final = 10**9
_DAY_S: Final = 86_400


class RefusalView(msgspec.Struct, frozen=True):
    """Why an order would not be taken."""

    code: int
    name: str
    field: str
    detail: str


class PreviewView(msgspec.Struct, frozen=True, kw_only=True):
    """What an order would do; money in the account's `currency`.

    `refused`: why it would not be taken. `price`: of its first fill, or what it waits for; `filled`
    is the volume that fills at once. `margin`: what is taken at once, negative when it frees some;
    `margin_filled`: once the whole order is filled. `spread`: spread, markup and slippage in money;
    `swap` of the coming night, None when it cannot be told. What cannot be worked out is None.
    """

    account: int
    instrument: str
    currency: str
    refused: RefusalView | None
    price: Decimal | None
    filled: Decimal
    margin: Decimal | None
    margin_filled: Decimal | None
    commission: Decimal | None
    spread: Decimal | None
    swap: Decimal | None
    equity_after: Decimal | None
    margin_after: Decimal | None
    free_after: Decimal | None
    level_after: Decimal | None


@dataclass(slots=True)
class _Tried:
    """What happened to the order in the small engine. Money in units of 1e-8."""

    code: ReturnCode
    field: str
    price: int = 0
    filled: int = 0
    opened: bool = False
    entry_commission: int = 0
    commission: int = 0
    spread: int = 0
    equity: int = 0  # change of cross equity
    legs: int = 0  # change of the margin of cross positions
    locked: int = 0  # margin of isolated positions that opens
    reserve: int = 0  # margin of what waits
    surcharge: int = 0
    swap: int | None = None


class Previews:
    """Makes previews for one core; remembers its definitions as long as they stay the same."""

    def __init__(self) -> None:
        self._template: Template | None = None
        self._seq = -1

    def preview(self, core: Core, names: Names, record: bytes, now: int) -> PreviewView:
        """What the packed PLACE_ORDER `record` would do at `now`; raises `Refused`.

        `Refused` only when account or instrument are unknown; any other refusal is told.
        """
        return self.prepare(core, names, record, now).view()

    def prepare(self, core: Core, names: Names, record: bytes, now: int) -> Trial:
        """The part that reads the core, and the only one that needs its lock; raises `Refused`."""
        account, _ = COMMAND_HEADER.unpack_from(record, INPUT_HEADER.size)
        row = core.account(account)
        if row is None:
            raise Refused(ReturnCode.USER_NOT_FOUND, "account")
        if self._template is None or self._seq != names.seq:
            self._template, self._seq = Template(core), names.seq
        order = INPUTS["PlaceOrder"].unpack(record, _HEAD)
        ts = max(now, core.now)
        refused = _refusal(core.admit(command("PlaceOrder", ts, account, order))[1])
        scratch = Scratch(core, self._template, account, row)
        return Trial(scratch, names, row, order, ts, refused)


class Trial:
    """One order on one account."""

    def __init__(
        self,
        scratch: Scratch,
        names: Names,
        row: AccountRow,
        order: Values,
        ts: int,
        refused: RefusalView | None,
    ) -> None:
        self._scratch = scratch
        self._names = names
        self._row = row
        self._order = order
        self._ts = ts
        self._refused = refused
        self._index: int = order["instrument"]
        self._body: Values = scratch.instruments[self._index]

    def view(self) -> PreviewView:
        """What it would do."""
        names, refused = self._names, self._refused
        unit = 10 ** (numbers.MONEY_DIGITS - names.currencies[self._row["currency"]].digits)
        done = self._run(self._order, unit)
        whole: _Tried | None = None
        if refused is None and not done.code.good:
            refused = _refused(done.code, done.field)
        if refused is None and self._too_dear(done):
            refused = _refused(ReturnCode.TRADE_NO_MONEY, "volume")
        waits = done.code.good and done.filled < self._order["volume"]
        if not done.code.good or waits:
            whole = self._run(self._as_filled(), unit, moved=self._moved())
            whole = whole if whole.code.good else None
        shown = done if done.code.good and done.filled else whole
        after = done if done.code.good else whole
        row, digits = self._row, names.digits(self._index)
        price = done.price or self._order["limit_price"] or self._order["price"]
        if not price and whole is not None:
            price = whole.price
        equity = margin = None
        if after is not None:
            equity = row["cross_equity"] + after.equity
            margin = row["cross_margin"] + after.legs + after.reserve
        return PreviewView(
            account=self._scratch.account,
            instrument=names.symbol(self._index),
            currency=names.currencies[row["currency"]].code,
            refused=refused,
            price=numbers.decimal(price, digits) if price else None,
            filled=numbers.lots(done.filled),
            margin=_money(None if after is None else after.legs + after.locked + after.reserve),
            margin_filled=_money(_full(whole or done)),
            commission=_money(shown.commission if shown else None),
            spread=_money(shown.spread if shown else None),
            swap=_money(shown.swap if shown else None),
            equity_after=_money(equity),
            margin_after=_money(margin),
            free_after=_money(None if equity is None or margin is None else equity - margin),
            level_after=_level(equity, margin),
        )

    def _too_dear(self, done: _Tried) -> bool:
        """The check of section 7.1, for what opens or waits."""
        if not done.opened and not done.reserve:
            return False
        equity, margin = self._row["cross_equity"], self._row["cross_margin"]
        if done.locked:
            return equity - margin - done.reserve - done.entry_commission - done.locked < 0
        after = margin + done.legs + done.surcharge + done.reserve
        return after > margin and equity - done.entry_commission - after < 0

    def _moved(self) -> tuple[int, int] | None:
        """The quote at which a waiting order fills: its price, with the spread of now."""
        price = self._order["limit_price"] or self._order["price"]
        if not self._order["type_"] or not price:
            return None
        bid, ask = self._scratch.quoted(self._index)
        markup = self._markup()
        if self._order["side"] == 0:
            return max(price - markup - (ask - bid), 1), max(price - markup, 1)
        return price + markup, price + markup + (ask - bid)

    def _as_filled(self) -> Values:
        """The order as a plain one at the market."""
        plain = {"type_": 0, "tif": 0, "price": 0, "limit_price": 0, "sl": 0, "tp": 0}
        more = {"trailing": 0, "trailing_step": 0, "expire": 0, "oco": 0, "max_deviation": -1}
        return self._order | plain | more

    def _markup(self) -> int:
        symbol, group = self._body["symbol"], self._scratch.group
        if self._order["terms"] & 2:
            return int(self._order["markup"])
        for override in group["overrides"]:
            if override["symbol"] == symbol and override.get("markup_points") is not None:
                return int(override["markup_points"])
        return int(group["markup_points"])

    def _run(self, order: Values, unit: int, moved: tuple[int, int] | None = None) -> _Tried:
        done = self._place(order, unit, moved, dear=False)
        futures = self._body["calc"] == "futures" and self._body["maintenance_margin"]
        if done.code.good and done.opened and futures:
            dear = self._place(order, unit, moved, dear=True)
            done.surcharge = dear.surcharge - done.surcharge
        else:
            done.surcharge = 0
        return done

    def _place(self, order: Values, unit: int, moved: tuple[int, int] | None, dear: bool) -> _Tried:
        scratch = self._scratch
        core, at = scratch.make(self._index, moved=moved, dear=dear)
        ts, account = max(self._ts, at), scratch.account
        if order["position"]:
            order = order | {"position": scratch.positions.get(order["position"], 0)}
        before = core.account(account)
        held = {v["position"]: v for _, v, _ in unpack(core.positions(account))}
        events = list(unpack(core.apply(command("PlaceOrder", ts, account, order))))
        refusal = next(v for name, v, _ in events if name == "EventResult")
        done = _Tried(ReturnCode(refusal["code"]), _field(refusal["field"]))
        after = core.account(account)
        if not done.code.good or before is None or after is None:
            return done
        done.equity = after["cross_equity"] - before["cross_equity"]
        sums = _Sums(scratch, self._index)
        for name, values, rest in events:
            if name == "EventFill":
                self._count(done, values)
            elif name == "EventPosition":
                old = held.get(values["position"])
                self._take(done, sums, values, old, unit)
                held[values["position"]] = values
            elif name == "EventLedger" and values["reference"] == refusal["reference"]:
                done.reserve += _amount(rest, values["count"], _MARGIN_LEDGER)
        mine = {v["position"] for n, v, _ in events if n == "EventFill" and v["entry"] == Entry.IN}
        profits = {p: profit for p, profit, _ in core.position_profits(account)}
        fresh = [p for p in mine if p not in scratch.positions.values()]
        done.spread = -sum(profits.get(p, 0) for p in fresh) if fresh else -done.equity
        if not fresh:
            done.spread -= done.commission
        done.legs = sums.change(unit)
        if mine:
            done.swap = self._night(core, ts, mine, events, held)
        return done

    def _count(self, done: _Tried, fill: Values) -> None:
        done.price = done.price or fill["price"]
        done.filled += fill["volume"]
        done.commission += fill["commission"]
        if fill["entry"] == Entry.IN:
            done.opened = True
            done.entry_commission += fill["commission"]

    def _take(self, done: _Tried, sums: _Sums, now: Values, old: Values | None, unit: int) -> None:
        """What a changed position means for the margins of the real ones."""
        there = {here: real for real, here in self._scratch.positions.items()}
        real = there.get(now["position"])
        change = now["volume"] - (old["volume"] if old else 0)
        if change > 0:
            taken = now["margin"] - (old["margin"] if old else 0)
            done.surcharge += taken
            if now["flags"] & 1:
                done.locked += taken
            else:
                sums.shift(now["side"], taken, change)
        elif real is not None and not now["flags"] & 1:
            held = next(v for v in self._scratch.held if v["position"] == real)
            part = half_even(held["margin"] * -change, held["volume"])
            sums.shift(now["side"], -part, change)
        elif real is not None and old is not None:
            held = next(v for v in self._scratch.held if v["position"] == real)
            freed = half_even(held["margin"] * -change, held["volume"])
            done.locked -= post(freed, unit)
            done.equity += post(freed, unit) - (old["margin"] - now["margin"])

    def _night(
        self, core: Core, ts: int, mine: set[int], events: list[Any], held: dict[int, Values]
    ) -> int | None:
        """Swap of the next rollover on what this order opened."""
        if self._body["swap_mode"] in _REOPENS:
            return None
        end = self._body["day_end_s"]
        day = (ts // _NS - end) // _DAY_S + (1 if end else 0)
        opened = sum(
            v["volume"] for n, v, _ in events if n == "EventFill" and v["entry"] == Entry.IN
        )
        rolled = command("Rollover", ts, self._scratch.account, {"day": day})
        found = 0
        for name, values, rest in unpack(core.apply(rolled)):
            if name == "EventLedger" and values["reference"] in mine:
                found += _amount(rest, values["count"], _CASH_LEDGER)
        volume = sum(held[p]["volume"] for p in mine)
        return half_even(found * opened, volume) if volume else 0


class _Sums:
    """Volumes and margins of the real cross positions on one instrument."""

    def __init__(self, scratch: Scratch, index: int) -> None:
        self._group, self._body = scratch.group, scratch.instruments[index]
        self._volume, self._base = [0, 0], [0, 0]
        for held in scratch.held:
            if held["instrument"] == index and not held["flags"] & 1:
                self.shift(held["side"], held["margin"], held["volume"])
        self._before = list(self._volume), list(self._base)

    def shift(self, side: int, margin: int, volume: int) -> None:
        """A position came, went or changed."""
        self._volume[side] += volume
        self._base[side] += margin

    def change(self, unit: int) -> int:
        """By how much the posted margin changes."""
        now = self._margin(self._volume, self._base, unit)
        return now - self._margin(*self._before, unit)

    def _margin(self, volume: list[int], base: list[int], unit: int) -> int:
        long, short = volume
        total = base[0] + base[1]
        if not long or not short:
            margin = total
        elif self._group["mode"] == "netting" or self._group["hedged_margin"] == "larger_leg":
            margin = max(base)
        else:
            larger, of = (base[0], long) if long >= short else (base[1], short)
            covered = half_even(total * min(long, short), long + short)
            margin = half_even(larger * abs(long - short), of)
            margin += half_even(covered * self._body["hedged_ppm"], 10**6)
        return post(self._tiered(margin), unit)

    def _tiered(self, margin: int) -> int:
        tiers = self._body["tiers"]
        if not tiers:
            return margin
        found = 0
        for n, (floor, rate) in enumerate(tiers):
            top = min(margin, tiers[n + 1][0]) if n + 1 < len(tiers) else margin
            if top <= floor:
                break
            found += half_even((top - floor) * rate, 10**6)
        return found


def half_even(total: int, count: int) -> int:
    """total / count, rounded half to even; `count` is positive."""
    whole, rest = divmod(total, count)
    return whole + (2 * rest > count or (2 * rest == count and whole % 2 == 1))


def post(amount: int, unit: int) -> int:
    """An amount of 1e-8 rounded to the currency's minor unit."""
    return half_even(amount, unit) * unit


def _amount(rest: memoryview, count: int, ledger: int) -> int:
    legs = (LEG.unpack(rest, n * LEG.size) for n in range(count))
    return sum(leg["amount"] for leg in legs if leg["ledger"] == ledger)


def _full(tried: _Tried) -> int | None:
    return tried.legs + tried.locked if tried.code.good else None


def _money(amount: int | None) -> Decimal | None:
    return None if amount is None else numbers.amount(amount)


def _level(equity: int | None, margin: int | None) -> Decimal | None:
    if equity is None or not margin or margin < 0:
        return None
    return numbers.decimal(equity * 10_000 // margin, 2)


def _field(number: int) -> str:
    return Field(number).name.lower() if number else ""


def _refused(code: ReturnCode, field: str) -> RefusalView:
    return RefusalView(code.number, code.name, field, explain(code, field))


def _refusal(answers: bytes) -> RefusalView | None:
    for name, values, _ in unpack(answers):
        if name == "EventResult":
            return _refused(ReturnCode(values["code"]), _field(values["field"]))
    return None
