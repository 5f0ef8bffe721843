"""Accounts of a simulated exchange: balances that orders lock, positions with margin, fees.

Money is an integer of 1e-8 of its asset. Spot orders lock what they would pay; derivatives lock
margin of the settle asset. What is free is never negative, except by a loss that ran past it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from tradeloom.domain.enums import Side
from tradeloom.domain.market import SIZE_DIGITS, InstrumentKind, VenueInstrument
from tradeloom.simulators.figures import divided

MONEY_SCALE = 10**8
PPM = 10**6


class Balance(msgspec.Struct):
    """One asset: `free` may be spent, `locked` waits in open orders. Both money."""

    free: int = 0
    locked: int = 0


class Position(msgspec.Struct):
    """One instrument's position: `size` is negative when short.

    `value` is the money paid (linear: quote, inverse: base coin) for the open size, so that
    the sum of all realised results equals what was received less what was paid, to the last 1e-8.
    """

    symbol: str
    side: str = ""  # "" in one-way mode, else LONG or SHORT
    size: int = 0
    value: int = 0
    realised: int = 0
    leverage: int = 20
    updated_ns: int = 0


class Fees(msgspec.Struct, frozen=True):
    """What a trade costs, in millionths of its money; negative is a rebate.

    `paid_in`: "received" takes it from the asset a spot trade buys (Binance, OKX), "quote" from
    the quote currency. Derivatives always pay in the settle asset.
    """

    maker_ppm: int = 1_000
    taker_ppm: int = 1_000
    paid_in: Literal["received", "quote"] = "received"


class Account(msgspec.Struct):
    """A client of the exchange."""

    name: str
    fees: Fees = Fees()
    balances: dict[str, Balance] = {}
    positions: dict[tuple[str, str], Position] = {}
    hedged: bool = False  # positions per side instead of one net position
    leverage: int = 20

    def balance(self, asset: str) -> Balance:
        """The balance of an asset, made empty when there was none."""
        return self.balances.setdefault(asset, Balance())

    def position(self, symbol: str, side: str = "") -> Position:
        """The position of an instrument, made flat when there was none."""
        found = self.positions.get((symbol, side))
        if found is None:
            found = Position(symbol, side, leverage=self.leverage)
            self.positions[symbol, side] = found
        return found

    def deposit(self, asset: str, amount: int) -> None:
        """Add money; a negative amount takes it out."""
        self.balance(asset).free += amount


def is_spot(instrument: VenueInstrument) -> bool:
    """Whether a trade exchanges assets (else it opens a position)."""
    return instrument.kind in (InstrumentKind.SPOT, InstrumentKind.EQUITY, InstrumentKind.FOREX)


def cost_of(instrument: VenueInstrument, price: int, size: int) -> int:
    """Money of `size` at `price`: quote currency, or the base coin on inverse contracts."""
    top, bottom = instrument.contract_size.as_integer_ratio()
    if instrument.inverse:
        return divided(size * top * 10**instrument.digits, price * bottom) if price else 0
    return divided(price * size * top, bottom * 10**instrument.digits)


def fee_of(cost: int, ppm: int) -> int:
    """The fee on money, rounded half to even."""
    return divided(cost * ppm, PPM)


def size_for(instrument: VenueInstrument, money: int, price: int) -> int:
    """The largest size, in whole steps, that `money` buys at `price`."""
    step = max(1, instrument.step)
    top, bottom = instrument.contract_size.as_integer_ratio()
    size: int = money * bottom * 10**instrument.digits // (price * top)
    return size // step * step


def unrealised(instrument: VenueInstrument, position: Position, mark: int) -> int:
    """What closing at `mark` would realise."""
    if not position.size or not mark:
        return 0
    worth = cost_of(instrument, mark, abs(position.size))
    gain = worth - position.value
    return gain if (position.size > 0) != instrument.inverse else -gain


def entry_price(instrument: VenueInstrument, position: Position, extra_digits: int = 0) -> int:
    """The average price of an open position, as a mantissa with `extra_digits` more decimals."""
    if not position.size or not position.value:
        return 0
    top, bottom = instrument.contract_size.as_integer_ratio()
    scale: int = 10 ** (instrument.digits + extra_digits)
    size = abs(position.size)
    if instrument.inverse:
        return divided(size * top * scale, position.value * bottom)
    return divided(position.value * bottom * scale, size * top)


def trade_position(
    instrument: VenueInstrument, position: Position, side: Side, size: int, cost: int
) -> int:
    """Apply a fill to a position and return the realised result (money of the settle asset)."""
    signed = size if side is Side.BUY else -size
    realised = 0
    if position.size and (position.size > 0) != (signed > 0):
        closed = min(size, abs(position.size))
        released = divided(position.value * closed, abs(position.size))
        received = divided(cost * closed, size)
        gain = received - released
        realised = gain if (position.size > 0) != instrument.inverse else -gain
        position.value -= released
        position.size += closed if signed > 0 else -closed
        size -= closed
        cost -= received
    if size:
        position.size += size if signed > 0 else -size
        position.value += cost
    position.realised += realised
    return realised


def margin_used(instrument: VenueInstrument, position: Position, mark: int) -> int:
    """Initial margin of a position at the mark price."""
    if not position.size:
        return 0
    worth = cost_of(instrument, mark, abs(position.size)) if mark else position.value
    return -(-worth // max(1, position.leverage))


def money(amounts: dict[str, str | int]) -> dict[str, int]:
    """Starting balances in whole units of their assets as money."""
    from tradeloom.simulators.figures import scaled

    return {asset: scaled(str(amount), SIZE_DIGITS) for asset, amount in amounts.items()}


def sorted_assets(assets: Iterable[str]) -> tuple[str, ...]:
    """Each asset once, in a fixed order."""
    return tuple(sorted(set(assets)))
