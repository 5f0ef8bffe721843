"""What paper fills add up to: balances on spot, positions and realised profit on derivatives.

Linear contracts: profit = volume x contract size x (exit - entry), in the settlement currency.
Inverse contracts (a unit is worth `contract_size` dollars): profit = volume x contract size x
(1/entry - 1/exit), in coins.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from tradeloom.connectors.contract import (
    OrderRequest,
    VenueBalance,
    VenueFill,
    VenueOrder,
    VenuePosition,
)
from tradeloom.domain.enums import Side
from tradeloom.domain.market import BookQuote, InstrumentKind, VenueInstrument

_HELD: Final = frozenset({InstrumentKind.SPOT, InstrumentKind.EQUITY})
_ZERO: Final = Decimal(0)


class _Position:
    __slots__ = ("at", "entry", "volume")

    def __init__(self, at: VenueInstrument) -> None:
        self.at = at
        self.volume = _ZERO
        self.entry = _ZERO


class PaperBooks:
    """Money and positions. `leverage` is what a derivative position may be of its margin."""

    def __init__(self, money: Mapping[str, Decimal], leverage: int) -> None:
        self._total: defaultdict[str, Decimal] = defaultdict(Decimal, money)
        self._reserved: dict[str, tuple[str, Decimal]] = {}
        self._positions: dict[str, _Position] = {}
        self._leverage = leverage

    def lacks(
        self, request: OrderRequest, at: VenueInstrument, touch: Decimal, fee: Decimal
    ) -> str:
        """What is missing for the order, in words; empty when nothing is."""
        price = request.price if request.price is not None else request.stop_price or touch
        currency, need = self._need(request.side, at, request.volume, price, fee)
        if at.kind not in _HELD:
            position = self._positions.get(at.symbol)
            signed = request.volume if request.side is Side.BUY else -request.volume
            held = position.volume if position is not None else _ZERO
            if abs(held + signed) <= abs(held):
                return ""  # it only makes the position smaller
        free = self.free(currency)
        if need <= free:
            return ""
        return f"needs {need.normalize():f} {currency}, free are {free.normalize():f}"

    def reserve(self, order: VenueOrder, at: VenueInstrument, fee: Decimal) -> None:
        """Set money aside for a resting order."""
        if order.price is not None:
            left = order.volume - order.filled
            self._reserved[order.client_id] = self._need(order.side, at, left, order.price, fee)

    def release(self, client_id: str) -> None:
        """The order ended."""
        self._reserved.pop(client_id, None)

    def turnover(self, at: VenueInstrument, volume: Decimal, price: Decimal) -> tuple[Decimal, str]:
        """What a trade is worth, and in which currency its fee is."""
        if at.inverse:
            return volume * at.contract_size / price, at.settle
        return volume * at.contract_size * price, at.quote if at.kind in _HELD else at.settle

    def apply(self, fill: VenueFill, at: VenueInstrument) -> None:
        """Book a fill."""
        self._total[fill.fee_currency] -= fill.fee
        signed = fill.volume if fill.side is Side.BUY else -fill.volume
        if at.kind in _HELD:
            self._total[at.base] += signed
            self._total[at.quote] -= signed * fill.price
            return
        position = self._positions.setdefault(at.symbol, _Position(at))
        before = position.volume
        after = before + signed
        if before * signed >= 0:
            position.entry = _entry(position, signed, fill.price)
        else:
            closed = min(abs(signed), abs(before)) * (1 if before > 0 else -1)
            self._total[at.settle] += _profit(at, closed, position.entry, fill.price)
            if before * after < 0:
                position.entry = fill.price
        position.volume = after
        if not after:
            del self._positions[at.symbol]

    def free(self, currency: str) -> Decimal:
        """What orders and positions leave of a currency."""
        held = sum(
            (amount for name, amount in self._reserved.values() if name == currency), start=_ZERO
        )
        margin = _ZERO
        for position in self._positions.values():
            worth, settle = self.turnover(position.at, abs(position.volume), position.entry)
            if settle == currency:
                margin += worth / self._leverage
        return self._total[currency] - held - margin

    def balances(self, venue: str, account: str) -> list[VenueBalance]:
        """Money that is not zero."""
        return [
            VenueBalance(
                venue=venue,
                account=account,
                currency=currency,
                total=total,
                free=self.free(currency),
            )
            for currency, total in sorted(self._total.items())
            if total
        ]

    def positions(
        self, venue: str, account: str, quotes: Mapping[str, BookQuote]
    ) -> list[VenuePosition]:
        """Open positions, with what they would bring now."""
        made = []
        for symbol, position in sorted(self._positions.items()):
            quote = quotes.get(symbol)
            unrealised = None
            if quote is not None:
                side = quote.bid if position.volume > 0 else quote.ask
                price = Decimal(side).scaleb(-quote.digits)
                unrealised = _profit(position.at, position.volume, position.entry, price)
            made.append(
                VenuePosition(
                    venue=venue,
                    account=account,
                    symbol=symbol,
                    volume=position.volume,
                    entry_price=position.entry,
                    unrealised=unrealised,
                )
            )
        return made

    def _need(
        self, side: Side, at: VenueInstrument, volume: Decimal, price: Decimal, fee: Decimal
    ) -> tuple[str, Decimal]:
        worth, currency = self.turnover(at, volume, price)
        if at.kind not in _HELD:
            return currency, worth / self._leverage + worth * fee
        if side is Side.BUY:
            return at.quote, worth * (1 + fee)
        return at.base, volume


def _entry(position: _Position, signed: Decimal, price: Decimal) -> Decimal:
    """The average entry after adding to a position: harmonic where the contract is inverse."""
    before, after = abs(position.volume), abs(position.volume + signed)
    if not before:
        return price
    if position.at.inverse:
        return after / (before / position.entry + abs(signed) / price)
    return (before * position.entry + abs(signed) * price) / after


def _profit(at: VenueInstrument, volume: Decimal, entry: Decimal, price: Decimal) -> Decimal:
    """Profit of a signed volume from entry to price, in the settlement currency."""
    if at.inverse:
        return volume * at.contract_size * (1 / entry - 1 / price)
    return volume * at.contract_size * (price - entry)
