"""Swaps at the end of a day and funding of perpetuals (section 10)."""

from __future__ import annotations

from tests.oracle.arithmetic import LOT, he
from tests.oracle.codes import At, Code, Ledger, PositionState, Posting, Reason, RefusedError, Side
from tests.oracle.config import Instrument
from tests.oracle.margin import profit_of
from tests.oracle.positions import emit_position, move_ledger_cost
from tests.oracle.quote import client_prices, closing_price, convert, find_path
from tests.oracle.state import LegRow, Path, Position, State, margin_leg
from tests.oracle.trading import Answer, field
from tests.oracle.wire import InputRecord


def _in_order(state: State) -> list[Position]:
    """Positions by id within accounts in opening order."""
    return [
        p
        for account in state.accounts
        for p in sorted(state.positions_of(account), key=lambda p: p.id)
    ]


def _path(state: State, p: Position) -> Path:
    return p.path if p.isolated else state.accounts[p.account].paths[p.instrument]


def rollover(state: State, record: InputRecord) -> Answer:
    """ROLLOVER."""
    day, posted = field(record, "day"), 0
    for p in _in_order(state):
        if record.account not in (0, p.account) or p.last_swap_day >= day:
            continue
        instrument = state.instruments[p.instrument]
        factor = instrument.swap_days[(day + 3) % 7]
        value = _side_value(instrument, p)
        if instrument.swap_mode == "disabled" or factor == 0 or value == 0:
            p.last_swap_day = day
            continue
        try:
            if instrument.swap_mode.startswith("reopen"):
                _reopen(state, instrument, p, factor)
                moved = True
            else:
                moved = _post_swap(state, instrument, p, factor)
        except RefusedError:
            continue
        p.last_swap_day = day
        if not moved:
            continue
        emit_position(state, p, PositionState.CHANGED, Reason.ROLLOVER)
        state.touched.add(p.account)
        state.counts[f"swap {instrument.swap_mode}"] += 1
        posted += 1
    return Code.OK, posted


def _side_value(instrument: Instrument, p: Position) -> int:
    long, short = p.swap_rates or (instrument.swap_long, instrument.swap_short)
    return long if p.side == Side.BUY else short


def _post_swap(state: State, i: Instrument, p: Position, factor: int) -> bool:
    account = state.accounts[p.account]
    target, s = state.currency_of(account), _side_value(i, p)
    kn, kd = i.factor
    currency, path = i.profit, _path(state, p)
    if i.swap_mode == "points":
        amount = he(s * p.volume * kn, kd * LOT)
    elif i.swap_mode.startswith("interest"):
        price = i.bid if p.side == Side.BUY else i.ask
        cost = p.cost if i.swap_mode == "interest_open" else p.volume * price
        amount = he(cost * i.contract_size * s, 10 ** (18 + i.digits) * i.swap_year_days)
    else:
        amount = he(s * p.volume, LOT)
        named = {"base": i.base, "margin": i.margin, "deposit": target, "profit": i.profit}
        currency = named[i.swap_mode]
        if currency != i.profit:
            path = find_path(state, i, currency, target)
    money = state.round(convert(state, amount * factor, path, p.side), target)
    rows: list[LegRow] = [
        (Ledger.CASH, 0, Posting.SWAP, target, money),
        (Ledger.FUNDING_PNL, 0, Posting.SWAP, target, money),
    ]
    p.swap += money
    state.ledger(account.id, p.id, rows)
    return money != 0


def _reopen(state: State, i: Instrument, p: Position, factor: int) -> None:
    bid, _ = client_prices(i, p.markup)
    price = bid if i.swap_mode == "reopen_bid" else closing_price(i, p)
    profit = profit_of(state, p, p.volume, price)
    target = state.currency_of(state.accounts[p.account])
    p.cost = (price + he(_side_value(i, p), 10**8) * factor) * p.volume
    rows: list[LegRow] = [
        move_ledger_cost(state, p, Posting.OPEN),
        (Ledger.REALISED_PNL, 0, Posting.PROFIT, target, profit),
        (Ledger.CASH, 0, Posting.PROFIT, target, profit),
    ]
    state.ledger(p.account, p.id, rows)


def funding(state: State, record: InputRecord) -> Answer:
    """FUNDING."""
    instrument = state.instruments[field(record, "instrument")]
    if state.time <= instrument.funding_ns:
        raise RefusedError(Code.TRADE_INCORRECT_STATE, At.TS)
    instrument.funding_ns = state.time
    rate, posted = field(record, "rate"), 0
    kn, kd = instrument.factor
    both = instrument.bid + instrument.ask
    for p in _in_order(state):
        if p.instrument != instrument.index:
            continue
        value = convert(state, he(both * p.volume * kn, 2 * kd), _path(state, p), p.side)
        currency = state.currency_of(state.accounts[p.account])
        paid = state.round(he(value * rate, 10**8), currency)
        money = -paid if p.side == Side.BUY else paid
        if money == 0:
            continue
        rows: list[LegRow] = [
            (Ledger.CASH, 0, Posting.FUNDING, currency, money),
            (Ledger.FUNDING_PNL, 0, Posting.FUNDING, currency, money),
        ]
        p.swap += money
        if p.isolated:
            p.margin += money
            rows.append(margin_leg(currency, money))
        state.ledger(p.account, p.id, rows)
        emit_position(state, p, PositionState.CHANGED, Reason.ROLLOVER)
        state.touched.add(p.account)
        state.counts["funding"] += 1
        posted += 1
    return Code.OK, posted
