"""What a venue reports about routed orders (section 12)."""

from __future__ import annotations

from tests.oracle.codes import At, Code, OrderState, Reason, RefusedError, ReportKind, Side
from tests.oracle.execution import LATE, OVERFILL, ROUTED, Venue, compensate, fill
from tests.oracle.margin import isolated_margin, margin_of, open_path, plan_fill
from tests.oracle.orders import end
from tests.oracle.state import Order, State
from tests.oracle.trading import Answer, field
from tests.oracle.wire import InputRecord

ENDS = {
    ReportKind.REJECTED: OrderState.REJECTED,
    ReportKind.CANCELLED: OrderState.CANCELLED,
    ReportKind.EXPIRED: OrderState.EXPIRED,
}


def report(state: State, record: InputRecord) -> Answer:
    """REPORT."""
    order = state.routed[field(record, "order")]
    kind = ReportKind(field(record, "kind"))
    live = order.id in state.orders
    if kind == ReportKind.FILL:
        _fill(state, order, record, live=live)
    elif live and kind == ReportKind.ACCEPTED:
        if order.state in (OrderState.ROUTING, OrderState.UNRESOLVED):
            order.state = OrderState.ROUTED
            state.emit_order(order, Reason.VENUE)
    elif live and kind == ReportKind.UNKNOWN:
        order.state = OrderState.UNRESOLVED
        state.emit_order(order, Reason.VENUE)
    elif live:
        end(state, order, ENDS[kind], Reason.VENUE)
        _free(state, order)
    state.touched.add(order.account)
    return Code.OK, order.id


def _free(state: State, order: Order) -> None:
    """The position is free again when its closing order ends."""
    p = state.positions.get(order.position)
    if p is not None and p.closing == order.id:
        p.closing = 0


def _fill(state: State, order: Order, record: InputRecord, *, live: bool) -> None:
    raw, volume = field(record, "price"), field(record, "volume")
    price = raw + order.markup if order.side == Side.BUY else max(raw - order.markup, 1)
    _can_book(state, order, volume, price)
    trade = record.fields["trade"]
    assert isinstance(trade, bytes)
    state.trades.add((order.id, trade))
    over = order.filled + volume > order.volume
    flags = ROUTED | (0 if live else LATE) | (OVERFILL if over else 0)
    aim = state.positions.get(order.position)
    if not live:
        order.reason = Reason.VENUE
    if order.filled + volume >= order.volume:
        _free(state, order)
    gave = fill(state, order, volume, price, Venue(flags, trade))
    if live and order.rest <= 0:
        order.state = OrderState.FILLED
        state.orders.pop(order.id, None)
    elif live and order.state != OrderState.CANCEL_PENDING:
        order.state = OrderState.PARTIAL
    state.emit_order(order, order.reason)
    if aim is not None:
        compensate(state, order, aim, gave)


def _can_book(state: State, order: Order, volume: int, price: int) -> None:
    """Refused when a conversion that opening needs is missing."""
    aim = state.positions.get(order.position)
    rest = volume - (min(volume, aim.volume) if aim is not None else 0)
    opens = plan_fill(state, order, rest).open_volume
    if not opens:
        return
    account, instrument = state.accounts[order.account], state.instruments[order.instrument]
    if instrument.bid == 0:
        raise RefusedError(Code.TRADE_OFFQUOTES, At.INSTRUMENT)
    open_path(state, order)
    if order.leverage:
        isolated_margin(state, account, instrument, order.side, opens, price, order.leverage)
    else:
        margin_of(state, account, instrument, order.side, opens, price, rate=order.side)
