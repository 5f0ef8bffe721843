"""A quote, isolated stops, and the margin level of accounts (section 9)."""

from __future__ import annotations

from tests.oracle.arithmetic import PPM, he
from tests.oracle.codes import (
    Ledger,
    OrderState,
    PositionState,
    Posting,
    Reason,
    Side,
)
from tests.oracle.config import Instrument
from tests.oracle.margin import equity, margin, position_floating
from tests.oracle.orders import activate, close_position, end
from tests.oracle.positions import emit_position, trail
from tests.oracle.quote import closing_price, executable, routed
from tests.oracle.state import Account, Position, State


def on_quote(state: State, instrument: Instrument, bid: int, ask: int) -> None:
    """Sets the quote and lets everything act on it, in order."""
    instrument.bid, instrument.ask, instrument.quote_ns = bid, ask, state.time
    if executable(state, instrument):
        _stops(state, instrument, Reason.STOP_LOSS)
        _stops(state, instrument, Reason.TAKE_PROFIT)
        for p in _acting(state, instrument):
            if trail(state, p):
                emit_position(state, p, PositionState.CHANGED, Reason.TRAILING)
        for number in sorted(state.orders):
            order = state.orders.get(number)
            if order is None or order.routed or order.instrument != instrument.index:
                continue
            if not state.halted(state.accounts[order.account]):
                activate(state, order)
    index = instrument.index
    seen = [p for p in state.positions.values() if index in (p.instrument, *(s[0] for s in p.path))]
    _isolated(state, seen)
    for account in state.accounts.values():
        if _sees(state, account, instrument.index):
            state.touched.add(account.id)


def _sees(state: State, account: Account, index: int) -> bool:
    return any(
        leg == index or index in (step[0] for step in path) for leg, path in account.paths.items()
    )


def _acting(state: State, instrument: Instrument) -> list[Position]:
    """Positions on the instrument whose triggers may act, by id."""
    return [
        p
        for _, p in sorted(state.positions.items())
        if p.instrument == instrument.index
        and not p.closing
        and not state.halted(state.accounts[p.account])
    ]


def _hit(instrument: Instrument, p: Position, reason: Reason) -> bool:
    price = closing_price(instrument, p)
    long = p.side == Side.BUY
    if reason == Reason.STOP_LOSS:
        return p.sl > 0 and (price <= p.sl if long else price >= p.sl)
    return p.tp > 0 and (price >= p.tp if long else price <= p.tp)


def _stops(state: State, instrument: Instrument, reason: Reason) -> None:
    for p in [p for p in _acting(state, instrument) if _hit(instrument, p, reason)]:
        close_position(state, p, p.volume, reason)


def _isolated(state: State, positions: list[Position]) -> None:
    """Closes isolated positions that have lost their margin, by id."""
    for p in sorted(positions, key=lambda p: p.id):
        account, instrument = state.accounts[p.account], state.instruments[p.instrument]
        if not p.isolated or p.closing or state.halted(account):
            continue
        if not executable(state, instrument):
            continue
        ppm = state.group_of(account).isolated_stop_ppm
        if p.margin + position_floating(state, p) <= he(p.initial * ppm, PPM):
            close_position(state, p, p.volume, Reason.LIQUIDATION)


# ---- margin level --------------------------------------------------------------------------------


def level_of(state: State, account: Account) -> int:
    """0 fine, 1 margin call, 2 stop-out."""
    group = state.group_of(account)
    cross, orders = state.cross(account.id), state.orders_of(account.id)
    if not cross and not orders:
        return 0
    e, m = equity(state, account), margin(state, account)

    def below(level: int) -> bool:
        if group.level_unit == "money":
            return (bool(cross) or m > 0) and e < level
        if m > 0:
            return e * 10_000 < level * m
        return group.stop_out_hedged and bool(cross) and e < 0

    if below(group.stop_out):
        return 2
    return 1 if below(group.margin_call) else 0


def evaluate(state: State) -> None:
    """Every account is looked at; those that something happened to may act."""
    for account in list(state.accounts.values()):
        if state.halted(account):
            continue
        if account.id not in state.touched:
            assert level_of(state, account) == account.level, f"missed: {account}"
            continue
        closed = False
        while True:
            level = level_of(state, account)
            _set_level(state, account, level)
            if level != 2:
                break
            acted = _act(state, account)
            if acted is None:
                break
            closed = closed or acted
        if closed:
            _protect(state, account)
    state.touched.clear()


def _set_level(state: State, account: Account, level: int) -> None:
    if level == account.level:
        return
    account.level = level
    e, m = equity(state, account), margin(state, account)
    fields = {"account": account.id, "level": level, "equity": e, "margin": m}
    state.emit("Margin", fields)
    state.counts[f"margin level {level}"] += 1


def _act(state: State, account: Account) -> bool | None:
    """One stop-out action: True closed, False cancelled, None nothing possible."""
    cross = state.cross(account.id)
    if any(p.closing for p in cross):
        return None
    reserved = [o for o in state.working(account.id) if o.margin > 0]
    if reserved:
        largest = min(reserved, key=lambda o: (-o.margin, o.id))
        end(state, largest, OrderState.CANCELLED, Reason.STOP_OUT)
        return False
    able = [p for p in cross if executable(state, state.instruments[p.instrument])]
    if not able:
        return None
    currency = state.currency_of(account)

    def loss(p: Position) -> tuple[int, int]:
        return state.round(position_floating(state, p), currency), p.id

    worst = min(able, key=loss)
    volume = worst.volume
    if state.group_of(account).mode == "netting":
        volume = min(volume, state.instruments[worst.instrument].volume_max)
    close_position(state, worst, volume, Reason.STOP_OUT)
    return None if routed(state, account, state.instruments[worst.instrument]) else True


def _protect(state: State, account: Account) -> None:
    group = state.group_of(account)
    balance = state.balance(account.id)
    if group.negative_balance_protection and balance < 0 and not state.positions_of(account.id):
        currency = group.currency
        rows = [(Ledger.CASH, 0, Posting.COMPENSATION, currency, -balance)]
        state.ledger(account.id, 0, rows)
        state.counts["balance compensation"] += 1
