"""Fills: what happens to positions, margin and money when an order fills (sections 6, 11, 15)."""

from __future__ import annotations

from dataclasses import dataclass

from tests.oracle.arithmetic import he, trading_day
from tests.oracle.codes import (
    Entry,
    Ledger,
    OrderState,
    OrderType,
    PositionState,
    Posting,
    Reason,
    Tif,
)
from tests.oracle.config import Instrument
from tests.oracle.margin import (
    ENTRY,
    EXIT,
    commission_of,
    isolated_margin,
    margin_of,
    open_path,
    plan_fill,
    profit_of,
    same_kind,
    split_posted,
)
from tests.oracle.positions import emit_position, move_ledger_cost, repost_leg, trail
from tests.oracle.state import LegRow, Order, Position, State, margin_leg

ROUTED, LATE, OVERFILL = 1, 2, 4


@dataclass
class Venue:
    """What a venue adds to a fill."""

    flags: int = 0
    trade: bytes = bytes(32)


INTERNAL = Venue()


def fill(
    state: State,
    order: Order,
    volume: int,
    price: int,
    venue: Venue = INTERNAL,
    *,
    ends: bool = False,
) -> tuple[int, int]:
    """Books a fill of an order; answers what closing its `position` gave (profit, margin)."""
    state.touched.add(order.account)
    release = released(state, order, volume, ends=ends)
    order.margin -= release
    first = not order.filled
    order.filled += volume
    gave = (0, 0)
    aim = state.positions.get(order.position)
    if aim is not None:
        closed = min(volume, aim.volume)
        gave = fill_close(state, order, aim, closed, price, release, venue)
        release, volume = 0, volume - closed
    plan = plan_fill(state, order, volume)
    if plan.closes is not None and plan.close_volume:
        fill_close(state, order, plan.closes, plan.close_volume, price, release, venue)
        release = 0
    if plan.open_volume:
        fill_open(state, order, plan.open_volume, price, release, venue, first=first)
    return gave


def released(state: State, order: Order, volume: int, *, ends: bool) -> int:
    """The part of an order's own margin that a fill of this volume gives back."""
    if volume >= order.rest or ends:
        return order.margin
    currency = state.currency_of(state.accounts[order.account])
    return split_posted(state, order.margin, volume, order.rest, currency)


def fill_close(
    state: State,
    order: Order,
    p: Position,
    volume: int,
    price: int,
    release: int,
    venue: Venue,
    *,
    free: bool = False,
) -> tuple[int, int]:
    """Closes a volume of a position; answers the posted profit and isolated margin released."""
    account, instrument = state.accounts[p.account], state.instruments[p.instrument]
    currency = state.currency_of(account)
    state.touched.add(account.id)
    profit = profit_of(state, p, volume, price)
    path = p.path if p.isolated else account.paths[p.instrument]
    commission = 0
    if not free:
        done = (p.side, volume, price)
        commission = commission_of(state, account, instrument, order.commission, EXIT, done, path)
    average = he(p.cost, p.volume)
    freed = _shrink(state, p, volume, currency)
    if p.volume == 0:
        del state.positions[p.id]
    change = -freed if p.isolated else repost_leg(state, account, instrument)
    rows: list[LegRow] = [
        margin_leg(currency, -release),
        move_ledger_cost(state, p, Posting.CLOSE),
        (Ledger.REALISED_PNL, 0, Posting.PROFIT, currency, profit),
        (Ledger.CASH, 0, Posting.PROFIT, currency, profit),
        (Ledger.CASH, 0, Posting.COMMISSION, currency, -commission),
        (Ledger.FEES, 0, Posting.COMMISSION, currency, -commission),
        margin_leg(currency, change),
    ]
    state.ledger(account.id, p.id, rows)
    _emit_fill(state, order, p.id, Entry.OUT, volume, price, profit, commission, venue)
    if p.volume:
        emit_position(state, p, PositionState.CHANGED, order.reason)
    else:
        emit_position(state, p, PositionState.CLOSED, order.reason, average)
    return profit, freed


def _shrink(state: State, p: Position, volume: int, currency: int) -> int:
    """Takes a volume off a position; answers the isolated margin that becomes free."""
    everything = volume == p.volume
    cost = p.cost if everything else he(p.cost * volume, p.volume)
    freed = 0
    if p.isolated:
        freed = split_posted(state, p.margin, volume, p.volume, currency)
        p.initial -= split_posted(state, p.initial, volume, p.volume, currency)
        p.margin -= freed
    else:
        p.margin -= p.margin if everything else he(p.margin * volume, p.volume)
    p.cost -= cost
    p.volume -= volume
    return freed


def fill_open(
    state: State,
    order: Order,
    volume: int,
    price: int,
    release: int,
    venue: Venue,
    *,
    first: bool,
) -> None:
    """Opens a position or adds to one."""
    account, instrument = state.accounts[order.account], state.instruments[order.instrument]
    currency = state.currency_of(account)
    p = _adds_to(state, order)
    path = open_path(state, order)
    if p is not None and p.isolated:
        path = p.path
    fill_of = (order.side, volume, price)
    commission = commission_of(state, account, instrument, order.commission, ENTRY, fill_of, path)
    if order.leverage:
        basis = isolated_margin(
            state, account, instrument, order.side, volume, price, order.leverage
        )
    else:
        basis = margin_of(state, account, instrument, order.side, volume, price, rate=order.side)
    opened = p is None
    if p is None:
        p = _new_position(state, order, instrument, path)
    elif first and state.group_of(account).mode == "netting":
        _take_over(p, order)
    p.volume += volume
    p.cost += price * volume
    p.margin += basis
    change = basis
    if p.isolated:
        p.initial += basis
    else:
        account.paths[instrument.index] = path
        change = repost_leg(state, account, instrument)
    if (opened or (first and order.trailing)) and instrument.bid:
        trail(state, p)
    rows: list[LegRow] = [
        margin_leg(currency, -release),
        move_ledger_cost(state, p, Posting.OPEN),
        (Ledger.CASH, 0, Posting.COMMISSION, currency, -commission),
        (Ledger.FEES, 0, Posting.COMMISSION, currency, -commission),
        margin_leg(currency, change),
    ]
    state.ledger(account.id, p.id, rows)
    _emit_fill(state, order, p.id, Entry.IN, volume, price, 0, commission, venue)
    what = PositionState.OPENED if opened else PositionState.CHANGED
    emit_position(state, p, what, order.reason)


def _adds_to(state: State, order: Order) -> Position | None:
    """The position a fill adds to: of its instrument (netting), or the one the order opened."""
    if state.group_of(state.accounts[order.account]).mode == "netting":
        return same_kind(state, order)
    return state.positions.get(order.opened)


def _take_over(p: Position, order: Order) -> None:
    """Netting: what a position takes from an order that adds to it."""
    p.sl = order.sl or p.sl
    p.tp = order.tp or p.tp
    if order.trailing:
        p.trailing, p.trailing_step = order.trailing, order.trailing_step
    if order.own_terms & 1:
        p.commission = order.commission
    if order.own_terms & 2:
        p.markup = order.markup
    if order.own_terms & 4:
        p.swap_rates = order.swap_rates


def _new_position(
    state: State, order: Order, instrument: Instrument, path: tuple[tuple[int, bool], ...]
) -> Position:
    p = Position(
        id=state.next_id(),
        account=order.account,
        instrument=order.instrument,
        side=order.side,
        leverage=order.leverage,
        volume=0,
        cost=0,
        sl=order.sl,
        tp=order.tp,
        trailing=order.trailing,
        trailing_step=order.trailing_step,
        markup=order.markup,
        commission=order.commission,
        swap_rates=order.swap_rates,
        path=path if order.leverage else (),
        last_swap_day=trading_day(state.time, instrument.day_end_s) - 1,
        tag=order.tag,
        order=order.id,
        opened=state.time,
    )
    state.positions[p.id] = p
    order.opened = p.id
    return p


def _emit_fill(
    state: State,
    order: Order,
    position: int,
    entry: Entry,
    volume: int,
    price: int,
    profit: int,
    commission: int,
    venue: Venue,
) -> None:
    state.emit(
        "Fill",
        {
            "order": order.id,
            "position": position,
            "account": order.account,
            "instrument": order.instrument,
            "side": int(order.side),
            "entry": int(entry),
            "reason": int(order.reason),
            "flags": venue.flags,
            "volume": volume,
            "price": price,
            "profit": profit,
            "commission": commission,
            "trade": venue.trade,
        },
    )


# ---- closing orders ------------------------------------------------------------------------------


def closing_order(p: Position, volume: int, reason: int, price: int = 0) -> Order:
    """A market order that closes a position, not yet numbered."""
    return Order(
        id=0,
        account=p.account,
        instrument=p.instrument,
        side=1 - p.side,
        type=OrderType.MARKET,
        tif=Tif.IOC,
        volume=volume,
        price=price,
        limit_price=0,
        sl=0,
        tp=0,
        trailing=0,
        trailing_step=0,
        expire=0,
        oco=0,
        position=p.id,
        leverage=0,
        markup=p.markup,
        commission=p.commission,
        swap_rates=p.swap_rates,
        own_terms=0,
        tag=p.tag,
        reason=reason,
    )


def close_now(state: State, order: Order, price: int) -> None:
    """Numbers and fills a closing order inside; reports it as filled."""
    p = state.positions[order.position]
    order.id = state.next_id()
    order.filled = order.volume
    closed = fill_close(state, order, p, order.volume, price, 0, INTERNAL)
    order.state = OrderState.FILLED
    state.emit_order(order, order.reason)
    compensate(state, order, p, closed)


def compensate(state: State, order: Order, p: Position, closed: tuple[int, int]) -> None:
    """The house pays what an isolated liquidation lost beyond its margin."""
    missing = -(closed[0] + closed[1])
    if order.reason != Reason.LIQUIDATION or not p.isolated or missing <= 0:
        return
    currency = state.currency_of(state.accounts[p.account])
    rows: list[LegRow] = [
        (Ledger.CASH, 0, Posting.COMPENSATION, currency, missing),
        (Ledger.REALISED_PNL, 0, Posting.COMPENSATION, currency, missing),
    ]
    state.ledger(p.account, p.id, rows)
    state.counts["isolated compensation"] += 1
