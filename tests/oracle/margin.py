"""Margin of positions, orders and legs, floating profit, and the check for money (section 7)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tests.oracle.arithmetic import LOT, PPM, he
from tests.oracle.codes import At, Code, Ledger, OrderType, RefusedError, Side
from tests.oracle.config import Commission, Group, Instrument
from tests.oracle.quote import convert, convert_margin, find_path
from tests.oracle.state import Account, Order, Path, Position, State

Part = tuple[int, int, int]  # side, volume, margin basis
EXIT, ENTRY = 2, 1


def leverage_of(state: State, account: Account, instrument: Instrument) -> int:
    """Override leverage, else the account's, else the group's."""
    group = state.group_of(account)
    override = group.overrides.get(instrument.index)
    if override is not None and override.leverage is not None:
        return override.leverage
    return account.leverage or group.leverage


def raw_margin(
    i: Instrument, volume: int, price: int, leverage: int, *, opening: bool, tiers: bool
) -> int:
    """Margin of a volume in the margin currency at 8 decimals, before conversion and rate."""
    value, scale = volume * i.contract_size, 10 ** (8 + i.digits)
    if tiers and i.tiers:
        return he(value * price, scale)
    if i.calc == "futures":
        held = i.initial_margin if opening or i.maintenance_margin == 0 else i.maintenance_margin
        return he(volume * held, LOT)
    if i.initial_margin > 0:
        divided = i.calc in ("forex", "cfd_leverage")
        return he(volume * i.initial_margin, LOT * (leverage if divided else 1))
    if i.calc == "forex":
        return he(value, LOT * leverage)
    if i.calc == "forex_no_leverage":
        return he(value, LOT)
    if i.calc in ("cfd", "stocks"):
        return he(value * price, scale)
    if i.calc == "cfd_index":
        return he(value * price * i.tick_value, 10**16 * i.tick_size)
    return he(value * price, scale * leverage)


def margin_of(
    state: State,
    account: Account,
    instrument: Instrument,
    side: int,
    volume: int,
    price: int,
    *,
    rate: int,
    opening: bool = False,
    tiers: bool = True,
) -> int:
    """Section 7.1 in account currency at 8 decimals; `rate` is the number of the margin rate."""
    ppm = instrument.margin_rate_ppm[rate]
    if ppm == 0:
        return 0
    leverage = leverage_of(state, account, instrument)
    raw = raw_margin(instrument, volume, price, leverage, opening=opening, tiers=tiers)
    target = state.currency_of(account)
    path = find_path(state, instrument, instrument.margin, target)
    rule = state.group_of(account).margin_conversion
    return he(convert_margin(state, raw, path, side, instrument, price, rule) * ppm, PPM)


def isolated_margin(
    state: State, account: Account, i: Instrument, side: int, volume: int, price: int, leverage: int
) -> int:
    """Posted margin of an isolated position."""
    kn, kd = i.factor
    raw = he(price * volume * kn, kd * leverage)
    target = state.currency_of(account)
    path = find_path(state, i, i.profit, target)
    return state.round(convert(state, raw, path, side), target)


def pending_margin(state: State, order: Order, volume: int) -> int:
    """Posted margin of a pending order for the volume still open."""
    account, instrument = state.accounts[order.account], state.instruments[order.instrument]
    rate = 2 * order.type + order.side
    price = order.entry_price
    amount = margin_of(
        state,
        account,
        instrument,
        order.side,
        volume,
        price,
        rate=rate,
        opening=True,
        tiers=False,
    )
    return state.round(amount, state.currency_of(account))


def leg_margin(group: Group, instrument: Instrument, parts: Iterable[Part]) -> int:
    """Margin of the cross positions of one leg, at 8 decimals."""
    parts = list(parts)
    volumes = [sum(v for side, v, _ in parts if side == wanted) for wanted in (0, 1)]
    margins = [sum(m for side, _, m in parts if side == wanted) for wanted in (0, 1)]
    total = sum(volumes)
    if total == 0:
        return 0
    if group.mode == "netting" or group.hedged_margin == "larger_leg":
        margin = max(margins)
    else:
        larger = 0 if volumes[0] >= volumes[1] else 1
        uncovered, covered = abs(volumes[0] - volumes[1]), min(volumes)
        open_part = he(margins[larger] * uncovered, volumes[larger])
        hedged_part = he(he(sum(margins) * covered, total) * instrument.hedged_ppm, PPM)
        margin = open_part + hedged_part
    if not instrument.tiers:
        return margin
    result = 0
    for number, (floor, rate) in enumerate(instrument.tiers):
        top = margin
        if number + 1 < len(instrument.tiers):
            top = min(margin, instrument.tiers[number + 1][0])
        result += he(max(top - floor, 0) * rate, PPM)
    return result


def parts_of(positions: Iterable[Position]) -> list[Part]:
    """What leg_margin looks at."""
    return [(p.side, p.volume, p.margin) for p in positions]


def posted_leg(state: State, account: Account, instrument: Instrument, parts: list[Part]) -> int:
    """The posted margin of a leg made of these parts."""
    margin = leg_margin(state.group_of(account), instrument, parts)
    return state.round(margin, state.currency_of(account))


# ---- money of an account -------------------------------------------------------------------------


def notional(instrument: Instrument, volume: int, price: int) -> int:
    """Value of a volume in the profit currency."""
    kn, kd = instrument.factor
    return he(price * volume * kn, kd)


def value_at(state: State, order: Order, price: int) -> int:
    """Notional of an order in account currency, by a path found now."""
    account, instrument = state.accounts[order.account], state.instruments[order.instrument]
    value = notional(instrument, order.volume, price)
    path = find_path(state, instrument, instrument.profit, state.currency_of(account))
    return convert(state, value, path, order.side)


def position_floating(state: State, position: Position) -> int:
    """Floating profit of one position in account currency, at 8 decimals."""
    instrument = state.instruments[position.instrument]
    path = position.path
    if not position.isolated:
        path = state.accounts[position.account].paths[position.instrument]
    return _floating(state, instrument, [position], path, position.side)


def _floating(
    state: State, instrument: Instrument, positions: list[Position], path: Path, side: int
) -> int:
    kn, kd = instrument.factor
    volume = sum(p.volume for p in positions)
    if side == Side.BUY:
        raw = instrument.bid * volume - sum(p.cost + p.markup * p.volume for p in positions)
    else:
        raw = sum(p.cost - p.markup * p.volume for p in positions) - instrument.ask * volume
    return convert(state, he(raw * kn, kd), path, side)


def floating(state: State, account: Account) -> int:
    """Floating profit of all cross positions."""
    total = 0
    for index, path in account.paths.items():
        instrument = state.instruments[index]
        leg = state.cross(account.id, index)
        for side in (Side.BUY, Side.SELL):
            positions = [p for p in leg if p.side == side]
            total += _floating(state, instrument, positions, path, side)
    return total


def isolated_locked(state: State, account: int) -> int:
    """Posted margin of the isolated positions."""
    return sum(p.margin for p in state.positions_of(account) if p.isolated)


def equity(state: State, account: Account) -> int:
    """Cross equity E."""
    money = state.balance(account.id) + state.credit(account.id)
    return money - isolated_locked(state, account.id) + floating(state, account)


def margin(state: State, account: Account) -> int:
    """Account margin M."""
    return sum(account.legs.values()) + sum(o.margin for o in state.orders_of(account.id))


def used_margin(state: State, account: Account) -> int:
    """Balance of ledger 5."""
    return state.customer[Ledger.MARGIN, 0, state.currency_of(account), account.id]


def commission_of(
    state: State,
    account: Account,
    instrument: Instrument,
    terms: Commission,
    when: int,
    fill: tuple[int, int, int],
    path: Path,
) -> int:
    """Posted commission of a fill (side of the position, volume, price); 0 when none is due."""
    mode, value, due = terms
    side, volume, price = fill
    if mode == 0 or due not in (0, when):
        return 0
    currency = state.currency_of(account)
    if mode == 1:
        amount = he(value * volume, LOT)
    elif mode == 2:
        converted = convert(state, notional(instrument, volume, price), path, side)
        amount = he(converted * value, LOT)
    else:
        amount = value
    return max(state.round(amount, currency), 0)


# ---- the check -----------------------------------------------------------------------------------


@dataclass
class Plan:
    """What a fill will do: how much of which position it closes, how much it opens."""

    closes: Position | None
    close_volume: int
    open_volume: int


def plan_fill(state: State, order: Order, volume: int) -> Plan:
    """How an order without `position` splits into a closing and an opening part."""
    account = state.accounts[order.account]
    target = None
    if state.group_of(account).mode == "netting":
        same = same_kind(state, order)
        target = same if same is not None and same.side != order.side else None
    closed = min(volume, target.volume) if target is not None else 0
    return Plan(target, closed, volume - closed)


def same_kind(state: State, order: Order) -> Position | None:
    """Netting: the position of the order's instrument that is isolated or cross like the order."""
    for p in state.positions_of(order.account):
        if p.instrument == order.instrument and p.isolated == (order.leverage > 0):
            return p
    return None


def open_path(state: State, order: Order, plan: Plan | None = None) -> Path:
    """The profit path the opened volume will have; a leg that empties first finds it anew."""
    account, instrument = state.accounts[order.account], state.instruments[order.instrument]
    leg = state.cross(account.id, instrument.index)
    closes = plan is not None and plan.closes is not None and leg == [plan.closes]
    empties = closes and plan is not None and plan.close_volume == leg[0].volume
    if order.leverage == 0 and order.instrument in account.paths and not empties:
        return account.paths[order.instrument]
    return find_path(state, instrument, instrument.profit, state.currency_of(account))


def margin_after(state: State, order: Order, plan: Plan, price: int) -> tuple[int, int]:
    """Posted margin of the leg after the fill, and the futures surcharge of what opens."""
    account, instrument = state.accounts[order.account], state.instruments[order.instrument]
    parts = []
    for p in state.cross(account.id, instrument.index):
        volume, basis = p.volume, p.margin
        if plan.closes is p:
            basis -= he(basis * plan.close_volume, volume)
            volume -= plan.close_volume
        parts.append((p.side, volume, basis))
    if plan.open_volume == 0 or order.leverage:
        return posted_leg(state, account, instrument, parts), 0
    fill = (state, account, instrument, order.side, plan.open_volume, price)
    held = margin_of(*fill, rate=order.side)
    surcharge = 0
    if instrument.calc == "futures" and not instrument.tiers:
        surcharge = margin_of(*fill, rate=order.side, opening=True) - held
    parts.append((order.side, plan.open_volume, held))
    return posted_leg(state, account, instrument, parts), surcharge


def check_money(
    state: State, order: Order, plan: Plan, price: int, *, release: int = 0, extra: int = 0
) -> int:
    """Refuses for NO_MONEY; the answer is what a routed order has to reserve."""
    account, instrument = state.accounts[order.account], state.instruments[order.instrument]
    before, money = margin(state, account), equity(state, account)
    if order.leverage and plan.open_volume:
        path = open_path(state, order, plan)
        locked = isolated_margin(
            state, account, instrument, order.side, plan.open_volume, price, order.leverage
        )
        if plan.closes is not None and plan.closes.isolated:
            money += _freed(state, plan.closes, plan.close_volume, price)
        entry = _entry(state, order, plan, price, path)
        if money - (before - release + extra) - entry - locked < 0:
            raise RefusedError(Code.TRADE_NO_MONEY, At.VOLUME)
        return locked
    if plan.open_volume == 0 and extra == 0:
        return 0
    leg, surcharge = margin_after(state, order, plan, price)
    change = leg - account.legs.get(instrument.index, 0)
    after = before - release + extra + change + surcharge
    entry = 0
    if plan.open_volume:
        entry = _entry(state, order, plan, price, open_path(state, order, plan))
    if after > before and money - entry - after < 0:
        raise RefusedError(Code.TRADE_NO_MONEY, At.VOLUME)
    return state.round(max(0, after - extra - (before - release)), state.currency_of(account))


def _entry(state: State, order: Order, plan: Plan, price: int, path: Path) -> int:
    account, instrument = state.accounts[order.account], state.instruments[order.instrument]
    fill = (order.side, plan.open_volume, price)
    return commission_of(state, account, instrument, order.commission, ENTRY, fill, path)


def _freed(state: State, position: Position, volume: int, price: int) -> int:
    currency = state.currency_of(state.accounts[position.account])
    return split_posted(state, position.margin, volume, position.volume, currency) + profit_of(
        state, position, volume, price
    )


def split_posted(state: State, amount: int, volume: int, of: int, currency: int) -> int:
    """The posted share of a volume; closing all takes all."""
    return amount if volume == of else state.round(he(amount * volume, of), currency)


def profit_of(state: State, position: Position, volume: int, price: int) -> int:
    """Posted profit of closing a volume at a price."""
    account, instrument = state.accounts[position.account], state.instruments[position.instrument]
    kn, kd = instrument.factor
    part = (
        position.cost if volume == position.volume else he(position.cost * volume, position.volume)
    )
    raw = price * volume - part if position.side == Side.BUY else part - price * volume
    path = position.path if position.isolated else account.paths[position.instrument]
    converted = convert(state, he(raw * kn, kd), path, position.side)
    return state.round(converted, state.currency_of(account))


def is_pending(order_type: int) -> bool:
    """Limit, stop and stop-limit."""
    return order_type != OrderType.MARKET
