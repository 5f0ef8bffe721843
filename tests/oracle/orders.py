"""What happens to orders after they were placed: cancel, expiry, activation, intents."""

from __future__ import annotations

from tests.oracle.codes import (
    At,
    Code,
    OrderState,
    OrderType,
    Reason,
    RefusedError,
    Side,
    Tif,
    Trading,
)
from tests.oracle.execution import close_now, closing_order, fill, released
from tests.oracle.gate import (
    limit_hit,
    mixing,
    mode_gate,
    position_limits,
    reduces_netting,
    stop_hit,
    trading_states,
)
from tests.oracle.margin import check_money, plan_fill
from tests.oracle.quote import client_prices, closing_price, liquidity, routed, slipped
from tests.oracle.state import Order, Position, State, margin_leg


def set_margin(state: State, order: Order, amount: int) -> None:
    """Moves the order's own margin, with its LEDGER event."""
    change, order.margin = amount - order.margin, amount
    currency = state.currency_of(state.accounts[order.account])
    state.ledger(order.account, order.id, [margin_leg(currency, change)])


def end(state: State, order: Order, final: int, reason: int, code: int = 0) -> None:
    """Ends an order without a fill."""
    state.touched.add(order.account)
    set_margin(state, order, 0)
    order.state = final
    state.orders.pop(order.id, None)
    state.emit_order(order, reason, code=code)


def expire_due(state: State) -> None:
    """Expires what is due, by (expire, id)."""
    due = [o for o in state.orders.values() if not o.routed and 0 < o.expire <= state.time]
    for order in sorted(due, key=lambda o: (o.expire, o.id)):
        end(state, order, OrderState.EXPIRED, Reason.EXPIRY)


def cancel_others(state: State, order: Order) -> None:
    """OCO: the others of the number are cancelled, by id."""
    if not order.oco:
        return
    for other in sorted(state.working(order.account), key=lambda o: o.id):
        if other.oco == order.oco and other.id != order.id:
            end(state, other, OrderState.CANCELLED, Reason.OCO)


def after_fill(state: State, order: Order, *, killed: bool) -> None:
    """State, ORDER event and OCO after a fill inside."""
    if order.rest <= 0:
        order.state = OrderState.FILLED
    else:
        order.state = OrderState.CANCELLED if killed else OrderState.PARTIAL
    if order.state == OrderState.PARTIAL:
        state.orders[order.id] = order
    else:
        state.orders.pop(order.id, None)
    cut = order.state == OrderState.CANCELLED
    state.emit_order(order, Reason.KILLED if cut else order.reason)
    cancel_others(state, order)


# ---- activation at a quote -----------------------------------------------------------------------


def activate(state: State, order: Order) -> None:
    """One pending order at a quote: triggers, fills, goes to the venue or is cancelled."""
    account, instrument = state.accounts[order.account], state.instruments[order.instrument]
    bid, ask = client_prices(instrument, order.markup)
    if not order.is_limit_now:
        if not stop_hit(order, bid, ask):
            return
        if order.type == OrderType.STOP_LIMIT:
            order.state, order.reason = OrderState.TRIGGERED, Reason.PENDING
            state.emit_order(order, Reason.PENDING)
    if order.is_limit_now and not limit_hit(order, bid, ask):
        return
    at_venue = routed(state, account, instrument)
    volume = order.rest if at_venue else liquidity(instrument, order.rest)
    if volume == 0:
        return
    order.reason = Reason.PENDING
    price = ask if order.side == Side.BUY else bid
    if order.type == OrderType.STOP and not at_venue:
        price = slipped(instrument, order.side, price, order.volume)
    try:
        reserve = _allowed(state, order, volume, price)
    except RefusedError as refused:
        no_money = refused.code == Code.TRADE_NO_MONEY
        reason = Reason.NO_MONEY if no_money else Reason.LIMIT
        end(state, order, OrderState.CANCELLED, reason, refused.code)
        return
    if at_venue:
        submit(state, order, intent_limit(order), reserve)
        cancel_others(state, order)
        return
    ends = order.type == OrderType.STOP
    fill(state, order, volume, price, ends=ends)
    after_fill(state, order, killed=ends)


def _allowed(state: State, order: Order, volume: int, price: int) -> int:
    account, instrument = state.accounts[order.account], state.instruments[order.instrument]
    reduces = reduces_netting(state, order)
    if Trading.REDUCING in trading_states(state, account, instrument) and not reduces:
        raise RefusedError(Code.REDUCE_ONLY, At.STATE)
    mode_gate(instrument, order.side, reduces=reduces)
    mixing(state, order)
    if not reduces:
        position_limits(state, order)
    release = released(state, order, volume, ends=order.type == OrderType.STOP)
    return check_money(state, order, plan_fill(state, order, volume), price, release=release)


# ---- closes --------------------------------------------------------------------------------------


def close_position(
    state: State,
    p: Position,
    volume: int,
    reason: int,
    *,
    price: int = 0,
    limit: int | None = None,
) -> Order:
    """Closes a volume of a position now, inside or by an intent."""
    account, instrument = state.accounts[p.account], state.instruments[p.instrument]
    order = closing_order(p, volume, reason, price)
    if routed(state, account, instrument):
        order.id = state.next_id()
        submit(state, order, limit, 0)
        return order
    client = closing_price(instrument, p)
    close_now(state, order, slipped(instrument, order.side, client, volume))
    return order


# ---- intents -------------------------------------------------------------------------------------


def venue_price(order: Order, price: int, price_max: int) -> int:
    """A client price limit in the venue's terms: the markup is taken off."""
    raw = price - order.markup if order.side == Side.BUY else price + order.markup
    return min(max(raw, 1), price_max)


def intent_limit(order: Order) -> int | None:
    """The limit of a triggered pending, in client terms; None is a market order."""
    return order.entry_price if order.type in (OrderType.LIMIT, OrderType.STOP_LIMIT) else None


def deviation_limit(side: int, reference: int, allowed: int) -> int | None:
    """The limit a maximal deviation makes, in client terms; None when none was asked for."""
    if allowed < 0 or reference <= 0:
        return None
    return reference + allowed if side == Side.BUY else reference - allowed


def submit(state: State, order: Order, limit: int | None, reserve: int) -> None:
    """Sends an order to the venue: reserve, ORDER, ROUTE."""
    state.touched.add(order.account)
    order.routed = True
    state.orders[order.id] = order
    state.routed[order.id] = order
    if order.position:
        state.positions[order.position].closing = order.id
    set_margin(state, order, reserve)
    order.state = OrderState.ROUTING
    state.emit_order(order, order.reason)
    route(state, order, 0, limit, order.reason)


def route(state: State, order: Order, action: int, limit: int | None, reason: int) -> None:
    """The ROUTE event."""
    price_max = state.instruments[order.instrument].price_max
    state.emit(
        "Route",
        {
            "order": order.id,
            "account": order.account,
            "instrument": order.instrument,
            "side": int(order.side),
            "action": action,
            "tif": int(order.tif),
            "reason": int(reason),
            "volume": order.rest,
            "limit": 0 if limit is None else venue_price(order, limit, price_max),
            "position": order.position,
            "tag": order.tag,
        },
    )


def rests(order: Order) -> bool:
    """Whether an order may stay when it cannot fill whole at once."""
    return order.type != OrderType.MARKET and order.tif not in (Tif.IOC, Tif.FOK)
