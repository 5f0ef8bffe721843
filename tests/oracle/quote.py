"""Prices, whether one may trade now, and conversion between currencies (sections 5 to 7.2)."""

from __future__ import annotations

from tests.oracle.arithmetic import LOT, PPM, SECOND, ceil_div, he, second_of_week
from tests.oracle.codes import At, Code, RefusedError, Side, Trading
from tests.oracle.config import Instrument
from tests.oracle.state import Account, Path, Position, State, Step


def client_prices(instrument: Instrument, markup: int) -> tuple[int, int]:
    """bid' and ask' of a markup."""
    return max(instrument.bid - markup, 1), instrument.ask + markup


def closing_price(instrument: Instrument, position: Position) -> int:
    """The client price at which a position would close, without slippage."""
    bid, ask = client_prices(instrument, position.markup)
    return bid if position.side == Side.BUY else ask


def slipped(instrument: Instrument, side: int, price: int, volume: int) -> int:
    """A client price worsened by slippage for an order of this side and volume."""
    per_lot = ceil_div(instrument.slippage_points_per_lot * volume, LOT)
    slip = instrument.slippage_points + per_lot
    return price + slip if side == Side.BUY else max(price - slip, 1)


def session_open(instrument: Instrument, ts: int) -> bool:
    """Whether the market is open by the calendar."""
    if any(start <= ts // SECOND < end for start, end in instrument.holidays):
        return False
    second = second_of_week(ts)
    sessions = instrument.sessions
    return not sessions or any(start <= second < end for start, end in sessions)


def quote_is_old(instrument: Instrument, ts: int) -> bool:
    """No quote yet, or one older than allowed."""
    age = ts - instrument.quote_ns
    limit = instrument.quote_age_max_ms
    return instrument.bid == 0 or (limit > 0 and age > limit * 10**6)


def executable(state: State, instrument: Instrument) -> bool:
    """Whether triggers and stop-outs may act on the instrument now."""
    return (
        instrument.trade_mode != "disabled"
        and session_open(instrument, state.time)
        and Trading.HALTED not in (instrument.state, state.trading)
        and instrument.bid > 0
    )


def routed(state: State, account: Account, instrument: Instrument) -> bool:
    """Whether orders of the account on the instrument go to a venue."""
    group = state.group_of(account)
    override = group.overrides.get(instrument.index)
    if override is not None and override.execution is not None:
        return override.execution == "routed"
    return (group.execution or instrument.execution) == "routed"


def liquidity(instrument: Instrument, volume: int) -> int:
    """How much of a volume one quote fills."""
    if instrument.liquidity_max == 0:
        return volume
    step = instrument.volume_step
    return min(volume, instrument.liquidity_max // step * step)


def outside_collar(instrument: Instrument, price: int) -> bool:
    """Whether a price is too far from the middle of the market."""
    both = instrument.bid + instrument.ask
    away = abs(2 * price - both) * PPM
    return instrument.collar_ppm > 0 and away > instrument.collar_ppm * both


# ---- conversion --------------------------------------------------------------------------------


def _step(state: State, traded: Instrument, source: int, target: int) -> Step | None:
    usable = [i for i in state.instruments if i.converts and i.bid > 0]
    if traded.bid > 0 and {traded.base, traded.profit} == {source, target}:
        return traded.index, traded.profit == source
    for instrument in usable:
        if (instrument.base, instrument.profit) == (source, target):
            return instrument.index, False
    for instrument in usable:
        if (instrument.profit, instrument.base) == (source, target):
            return instrument.index, True
    return None


def find_path(state: State, traded: Instrument, source: int, target: int) -> Path:
    """How to convert between two currencies now; refused when there is no way."""
    if source == target:
        return ()
    direct = _step(state, traded, source, target)
    if direct is not None:
        return (direct,)
    usd = [index for index, currency in enumerate(state.currencies) if currency.code == "USD"]
    if usd and usd[0] not in (source, target):
        first = _step(state, traded, source, usd[0])
        second = _step(state, traded, usd[0], target)
        if first is not None and second is not None:
            return first, second
    raise RefusedError(Code.TRADE_OFFQUOTES, At.CURRENCY)


def _along(state: State, amount: int, step: Step, numerator: int, denominator: int) -> int:
    index, divide = step
    scale = 10 ** state.instruments[index].digits
    if divide:
        return he(amount * scale * denominator, numerator)
    return he(amount * numerator, scale * denominator)


def convert(state: State, amount: int, path: Path, side: int) -> int:
    """Profit, commission and notional: raw bid for buys, raw ask for sells."""
    for step in path:
        instrument = state.instruments[step[0]]
        price = instrument.bid if side == Side.BUY else instrument.ask
        amount = _along(state, amount, step, price, 1)
    return amount


def convert_margin(
    state: State, amount: int, path: Path, side: int, traded: Instrument, price: int, rule: str
) -> int:
    """Margin: fill price of the traded pair, else ask for buys and bid for sells, or mid."""
    for step in path:
        instrument = state.instruments[step[0]]
        numerator, denominator = instrument.ask if side == Side.BUY else instrument.bid, 1
        if rule == "mid":
            numerator, denominator = instrument.bid + instrument.ask, 2
        if instrument.index == traded.index:
            numerator, denominator = price, 1
        amount = _along(state, amount, step, numerator, denominator)
    return amount
