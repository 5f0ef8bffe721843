"""The client commands that close positions: CLOSE_POSITION, CLOSE_ALL, CLOSE_BY, REVERSE."""

from __future__ import annotations

from tests.oracle.arithmetic import he
from tests.oracle.codes import At, Code, OrderState, Reason, RefusedError
from tests.oracle.execution import INTERNAL, closing_order, fill, fill_close
from tests.oracle.gate import (
    account_gate,
    count_rate,
    deviation,
    market_gate,
    mode_gate,
    not_closing,
)
from tests.oracle.margin import Plan, check_money
from tests.oracle.orders import after_fill, close_position, deviation_limit
from tests.oracle.quote import closing_price, routed, slipped
from tests.oracle.state import ALL_INSTRUMENTS, State
from tests.oracle.trading import Answer, client_fill_price, field
from tests.oracle.wire import InputRecord


def close_one(state: State, record: InputRecord) -> Answer:
    """CLOSE_POSITION."""
    account = state.accounts[record.account]
    count_rate(state, account)
    p = state.positions[field(record, "position")]
    instrument = state.instruments[p.instrument]
    account_gate(state, account, instrument, reduces=True)
    market_gate(state, instrument)
    not_closing(p)
    volume = field(record, "volume") or p.volume
    reference, allowed = field(record, "price"), field(record, "max_deviation")
    side = 1 - p.side
    if not routed(state, account, instrument):
        price = slipped(instrument, side, closing_price(instrument, p), volume)
        deviation(side, price, reference, allowed)
    limit = deviation_limit(side, reference, allowed)
    order = close_position(state, p, volume, Reason.CLIENT, price=reference, limit=limit)
    return (Code.TRADE_ACCEPTED if order.routed else Code.OK), order.id


def close_all(state: State, record: InputRecord) -> Answer:
    """CLOSE_ALL: what the gate lets through."""
    account = state.accounts[record.account]
    wanted = field(record, "instrument")
    positions = sorted(state.positions_of(account.id), key=lambda p: p.id)
    matching = [p for p in positions if wanted in (ALL_INSTRUMENTS, p.instrument)]
    count_rate(state, account)
    account_gate(state, account, None, reduces=True)
    if not matching:
        raise RefusedError(Code.ERR_NOTFOUND, At.POSITION)
    closed = 0
    for p in matching:
        instrument = state.instruments[p.instrument]
        try:
            account_gate(state, account, instrument, reduces=True)
            market_gate(state, instrument)
            not_closing(p)
        except RefusedError:
            continue
        close_position(state, p, p.volume, Reason.CLOSE_ALL)
        closed += 1
    return Code.OK, closed


def close_by(state: State, record: InputRecord) -> Answer:
    """CLOSE_BY: both close at the open price of the second position."""
    account = state.accounts[record.account]
    count_rate(state, account)
    first = state.positions[field(record, "position")]
    second = state.positions[field(record, "position_by")]
    instrument = state.instruments[first.instrument]
    account_gate(state, account, instrument, reduces=True)
    market_gate(state, instrument)
    not_closing(first)
    not_closing(second, At.POSITION_BY)
    volume = min(first.volume, second.volume)
    price = he(second.cost, second.volume)
    order = closing_order(first, volume, Reason.CLOSE_BY)
    order.id = state.next_id()
    fill_close(state, order, first, volume, price, 0, INTERNAL, free=True)
    order.side = first.side
    fill_close(state, order, second, volume, price, 0, INTERNAL, free=True)
    order.side = 1 - first.side
    order.filled, order.state = volume, OrderState.FILLED
    state.emit_order(order, Reason.CLOSE_BY)
    return Code.OK, order.id


def reverse(state: State, record: InputRecord) -> Answer:
    """REVERSE: twice the volume (netting) or close and open the opposite (hedging)."""
    account = state.accounts[record.account]
    count_rate(state, account)
    p = state.positions[field(record, "position")]
    instrument = state.instruments[p.instrument]
    account_gate(state, account, instrument, reduces=False)
    market_gate(state, instrument)
    mode_gate(instrument, 1 - p.side, reduces=False)
    not_closing(p)
    netting = state.group_of(account).mode == "netting"
    order = closing_order(p, p.volume * (2 if netting else 1), Reason.REVERSE)
    order.position = 0
    price = client_fill_price(state, order, slip=True)
    check_money(state, order, Plan(p, p.volume, p.volume), price)
    if netting:
        order.id = state.next_id()
    else:
        close_position(state, p, p.volume, Reason.REVERSE)
        order.id = state.next_id()
    fill(state, order, order.volume, price)
    after_fill(state, order, killed=True)
    return Code.OK, order.id
