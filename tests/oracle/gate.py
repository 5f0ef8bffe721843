"""Who may trade, order limits and price sanity (sections 5, 6 and 6.1)."""

from __future__ import annotations

from dataclasses import dataclass

from tests.oracle.arithmetic import SECOND
from tests.oracle.codes import At, Code, OrderType, RefusedError, Side, Tif, Trading
from tests.oracle.config import Instrument
from tests.oracle.margin import is_pending, same_kind, value_at
from tests.oracle.quote import client_prices, outside_collar, quote_is_old, session_open
from tests.oracle.state import DISABLED, READ_ONLY, Account, Order, Position, State


def count_rate(state: State, account: Account) -> None:
    """The order rate, counted in calendar seconds; refused commands count too."""
    second = state.time // SECOND
    if account.second != second:
        account.second, account.in_second = second, 0
    account.in_second += 1
    limit = state.group_of(account).limits["orders_per_s"]
    if limit and account.in_second > limit:
        raise RefusedError(Code.TOO_FREQUENT, At.LIMITS)


def account_gate(
    state: State, account: Account, instrument: Instrument | None, *, reduces: bool
) -> None:
    """Flags and trading states."""
    flags_gate(account)
    states = trading_states(state, account, instrument)
    if Trading.HALTED in states:
        raise RefusedError(Code.HALTED, At.STATE)
    if Trading.REDUCING in states and not reduces:
        raise RefusedError(Code.REDUCE_ONLY, At.STATE)


def flags_gate(account: Account) -> None:
    """Disabled and read-only."""
    if account.flags & DISABLED:
        raise RefusedError(Code.ACCOUNT_DISABLED, At.ACCOUNT)
    if account.flags & READ_ONLY:
        raise RefusedError(Code.TRADE_READ_ONLY, At.ACCOUNT)


def trading_states(
    state: State, account: Account, instrument: Instrument | None
) -> tuple[int, ...]:
    """Shard, group, account and instrument."""
    group = state.group_of(account)
    of_instrument = (instrument.state,) if instrument is not None else ()
    return (state.trading, group.state, account.state, *of_instrument)


def market_gate(state: State, instrument: Instrument) -> None:
    """Trade mode, session and quote."""
    if instrument.trade_mode == "disabled":
        raise RefusedError(Code.TRADE_DISABLE, At.INSTRUMENT)
    if not session_open(instrument, state.time):
        raise RefusedError(Code.TRADE_MARKET_CLOSED, At.INSTRUMENT)
    if quote_is_old(instrument, state.time):
        raise RefusedError(Code.TRADE_OFFQUOTES, At.INSTRUMENT)


def mode_gate(instrument: Instrument, side: int, *, reduces: bool) -> None:
    """Trade modes that allow one side only, or closing only."""
    if reduces:
        return
    if instrument.trade_mode == "close_only":
        raise RefusedError(Code.CLOSE_ONLY, At.INSTRUMENT)
    if instrument.trade_mode == "long_only" and side == Side.SELL:
        raise RefusedError(Code.TRADE_LONG_ONLY, At.SIDE)
    if instrument.trade_mode == "short_only" and side == Side.BUY:
        raise RefusedError(Code.SHORT_ONLY, At.SIDE)


def reduces_netting(state: State, order: Order) -> bool:
    """Netting: opposite to the position and not larger than it."""
    if state.group_of(state.accounts[order.account]).mode != "netting":
        return False
    p = same_kind(state, order)
    return p is not None and p.side != order.side and order.rest <= p.volume


def not_closing(p: Position, at: At = At.POSITION) -> None:
    """A position whose close is in flight is left alone."""
    if p.closing:
        raise RefusedError(Code.TRADE_INCORRECT_STATE, at)


def mixing(state: State, order: Order) -> None:
    """Netting: isolated and cross do not mix on one instrument."""
    if state.group_of(state.accounts[order.account]).mode != "netting":
        return
    for p in state.positions_of(order.account):
        if p.instrument == order.instrument and p.isolated != (order.leverage > 0):
            raise RefusedError(Code.TRADE_INCORRECT_STATE, At.LEVERAGE)


def position_limits(state: State, order: Order) -> None:
    """position_volume_max and positions_max."""
    account = state.accounts[order.account]
    group = state.group_of(account)
    positions = state.positions_of(account.id)
    here = [p for p in positions if p.instrument == order.instrument]
    same = sum(p.volume for p in here if p.side == order.side)
    other = sum(p.volume for p in here if p.side != order.side)
    netting = group.mode == "netting"
    result = abs(same + order.rest - other) if netting else same + order.rest
    limit = group.limits["position_volume_max"]
    if limit and result > limit:
        raise RefusedError(Code.LIMIT_REACHED, At.LIMITS)
    opens = order.opened not in state.positions if not netting else same_kind(state, order) is None
    limit = group.limits["positions_max"]
    if limit and opens and len(positions) >= limit:
        raise RefusedError(Code.LIMIT_REACHED, At.LIMITS)


def order_limits(state: State, order: Order, price: int, *, rests: bool) -> None:
    """All limits of a new order; `price` is its entry price."""
    account = state.accounts[order.account]
    limits = state.group_of(account).limits
    if limits["order_volume_max"] and order.volume > limits["order_volume_max"]:
        raise RefusedError(Code.LIMIT_REACHED, At.LIMITS)
    if limits["order_value_max"] and value_at(state, order, price) > limits["order_value_max"]:
        raise RefusedError(Code.LIMIT_REACHED, At.LIMITS)
    position_limits(state, order)
    if limits["orders_max"] and rests and len(state.working(account.id)) >= limits["orders_max"]:
        raise RefusedError(Code.LIMIT_REACHED, At.LIMITS)


def deviation(side: int, price: int, reference: int, allowed: int) -> None:
    """The fill may be worse than the reference price by the deviation at most."""
    worse = price - reference if side == Side.BUY else reference - price
    if allowed >= 0 and reference > 0 and worse > allowed:
        raise RefusedError(Code.TRADE_REQUOTE, At.MAX_DEVIATION)


def collar(instrument: Instrument, *prices: int) -> None:
    """The collar on every price given."""
    if any(outside_collar(instrument, price) for price in prices):
        raise RefusedError(Code.COLLAR, At.PRICE)


def limit_hit(order: Order, bid: int, ask: int) -> bool:
    """A limit that could fill at these client prices."""
    price = order.entry_price
    return ask <= price if order.side == Side.BUY else bid >= price


def stop_hit(order: Order, bid: int, ask: int) -> bool:
    """A stop (or the trigger of a stop-limit) that fires at these client prices."""
    return ask >= order.price if order.side == Side.BUY else bid <= order.price


@dataclass
class Levels:
    """Where SL and TP are measured, and how."""

    side: int
    price: int
    distance: int


def stop_levels(levels: Levels, sl: int, tp: int) -> None:
    """SL and TP on the right side and far enough."""
    sign = 1 if levels.side == Side.BUY else -1
    for value, away, at in (
        (sl, sign * (levels.price - sl), At.SL),
        (tp, sign * (tp - levels.price), At.TP),
    ):
        if value and (away <= 0 or away < levels.distance):
            raise RefusedError(Code.TRADE_INVALID_SL_TP, at)


def pending_sanity(state: State, order: Order) -> bool:
    """Stop side, stops level, SL, TP and collar; True when a limit could fill."""
    instrument = state.instruments[order.instrument]
    bid, ask = client_prices(instrument, order.markup)
    market = ask if order.side == Side.BUY else bid
    fillable = order.is_limit_now and limit_hit(order, bid, ask)
    if not order.is_limit_now and stop_hit(order, bid, ask):
        raise RefusedError(Code.TRADE_BAD_PRICES, At.PRICE)
    price = order.entry_price if order.is_limit_now else order.price
    rests = order.tif not in (Tif.IOC, Tif.FOK)
    if rests and not fillable and abs(price - market) < instrument.stops_level:
        raise RefusedError(Code.TRADE_BAD_STOPS, At.PRICE)
    stop_levels(Levels(order.side, order.entry_price, instrument.stops_level), order.sl, order.tp)
    collar(
        instrument,
        *(() if order.is_limit_now and order.type != OrderType.LIMIT else (order.price,)),
    )
    if order.type == OrderType.STOP_LIMIT:
        collar(instrument, order.limit_price)
    assert is_pending(order.type)
    return fillable
