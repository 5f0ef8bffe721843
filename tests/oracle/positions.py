"""Positions and legs: their event, trailing stop, ledger cost and posted margin."""

from __future__ import annotations

from tests.oracle.arithmetic import he
from tests.oracle.codes import Ledger, PositionState, Posting, Reason, Side
from tests.oracle.config import Instrument
from tests.oracle.margin import parts_of, posted_leg
from tests.oracle.quote import client_prices
from tests.oracle.state import Account, LegRow, Position, State


def emit_position(
    state: State, p: Position, what: PositionState, reason: int, price: int | None = None
) -> None:
    """The POSITION event; a closed one shows its last average price."""
    state.emit(
        "Position",
        {
            "position": p.id,
            "account": p.account,
            "instrument": p.instrument,
            "side": int(p.side),
            "state": int(what),
            "reason": int(reason),
            "flags": int(p.isolated),
            "volume": p.volume,
            "price": he(p.cost, p.volume) if price is None else price,
            "cost": p.cost,
            "sl": p.sl,
            "tp": p.tp,
            "trailing": p.trailing,
            "margin": p.margin,
            "swap": p.swap,
            "order": p.order,
            "opened": p.opened,
            "tag": p.tag,
        },
    )
    state.counts[f"position {what.name} {Reason(reason).name}"] += 1


def trail(state: State, p: Position) -> bool:
    """Moves the stop of a trailing position to the current quote; True when it moved."""
    if p.trailing == 0:
        return False
    instrument = state.instruments[p.instrument]
    bid, ask = client_prices(instrument, p.markup)
    step = max(p.trailing_step, 1)
    if p.side == Side.BUY:
        better = bid - p.trailing
        moves = better >= 1 and (p.sl == 0 or better >= p.sl + step)
    else:
        better = ask + p.trailing
        moves = better <= instrument.price_max and (p.sl == 0 or better <= p.sl - step)
    if moves:
        p.sl = better
    return moves


def ledger_cost(state: State, p: Position) -> int:
    """Posted value of the open cost, signed by side, in the profit currency."""
    instrument = state.instruments[p.instrument]
    if p.volume == 0:
        return 0
    kn, kd = instrument.factor
    value = state.round(he(p.cost * kn, kd), instrument.profit)
    return value if p.side == Side.BUY else -value


def move_ledger_cost(state: State, p: Position, reason: Posting) -> LegRow:
    """The leg of ledger 2 after the cost of a position changed."""
    before, p.ledger_cost = p.ledger_cost, ledger_cost(state, p)
    currency = state.instruments[p.instrument].profit
    return Ledger.POSITION, 0, reason, currency, p.ledger_cost - before


def repost_leg(state: State, account: Account, instrument: Instrument) -> int:
    """Recomputes the posted margin of a leg; the answer is its change."""
    index = instrument.index
    positions = state.cross(account.id, index)
    before = account.legs.pop(index, 0)
    after = posted_leg(state, account, instrument, parts_of(positions))
    if positions:
        account.legs[index] = after
        account.leg_rules[index] = leg_rules(state, account, instrument)
    else:
        account.paths.pop(index, None)
        account.leg_rules.pop(index, None)
    return after - before


def leg_rules(state: State, account: Account, instrument: Instrument) -> tuple[object, ...]:
    """What the margin of a leg depends on besides its positions."""
    group = state.group_of(account)
    return group.hedged_margin, group.mode, instrument.hedged_ppm, tuple(instrument.tiers)
