"""One venue's recording fitted to another's instruments, where that one was never recorded.

An instrument fits another with the same base when their quotes are the same currency, or both are
worth a dollar. Prices are rounded away from the middle to the other's tick, sizes down to its
step; sizes in contracts are recounted. What vanishes by that is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from tradeloom.domain.enums import Side
from tradeloom.domain.market import BookQuote, Level, TradeTick, VenueInstrument
from tradeloom.simulators.exchange import Exchange, MarketInput
from tradeloom.simulators.player import Tape
from tradeloom.simulators.references import USD_LIKE


def fits(source: VenueInstrument, target: VenueInstrument) -> bool:
    """Whether the prices of one may stand for the other's."""
    if source.base != target.base:
        return False
    both_dollars = source.quote in USD_LIKE and target.quote in USD_LIKE
    return source.quote == target.quote or both_dollars


class Fitting:
    """From the instruments of one exchange to those of another."""

    def __init__(self, source: Exchange, target: Exchange) -> None:
        self._to: Final[dict[str, list[VenueInstrument]]] = {}
        self._from: Final = {each: market.instrument for each, market in source.markets.items()}
        for symbol, at in self._from.items():
            targets = [market.instrument for market in target.markets.values()]
            self._to[symbol] = [each for each in targets if fits(at, each)]
        # Levels that fell onto one coarser price: their sizes, by the price they came from.
        self._levels: Final[dict[tuple[str, Side, int], dict[int, int]]] = {}

    def fitted(self, tapes: Iterable[Tape]) -> Iterator[Tape]:
        """The same market, for the other exchange."""
        for tape in tapes:
            source = self._from[tape.event.symbol]
            for target in self._to[tape.event.symbol]:
                event = self._event(tape.event, source, target)
                if event is not None:
                    yield Tape(tape.ts_ns, event)

    def _event(
        self, event: MarketInput, source: VenueInstrument, target: VenueInstrument
    ) -> MarketInput | None:
        named = {"venue": target.venue, "symbol": target.symbol, "digits": target.digits}
        if isinstance(event, TradeTick):
            price = _price(event.price, source, target, None)
            size = _size(event.size, event.price, source, target)
            return msgspec.structs.replace(event, **named, price=price, size=size) if size else None
        if isinstance(event, BookQuote):
            return msgspec.structs.replace(
                event, **named,
                bid=_price(event.bid, source, target, Side.BUY),
                ask=_price(event.ask, source, target, Side.SELL),
                bid_size=max(target.step, _size(event.bid_size, event.bid, source, target)),
                ask_size=max(target.step, _size(event.ask_size, event.ask, source, target)),
            )  # fmt: skip
        if event.snapshot:
            for key in [each for each in self._levels if each[0] == target.symbol]:
                del self._levels[key]
        return msgspec.structs.replace(
            event, **named,
            bids=self._side(event.bids, Side.BUY, source, target),
            asks=self._side(event.asks, Side.SELL, source, target),
        )  # fmt: skip

    def _side(
        self, rows: Iterable[Level], side: Side, source: VenueInstrument, target: VenueInstrument
    ) -> tuple[Level, ...]:
        changed: dict[int, int] = {}
        for price, size in rows:
            at = _price(price, source, target, side)
            parts = self._levels.setdefault((target.symbol, side, at), {})
            parts[price] = _size(size, price, source, target)
            if not parts[price]:
                del parts[price]
            changed[at] = sum(parts.values())
            if not parts:
                del self._levels[target.symbol, side, at]
        return tuple(changed.items())


def _price(price: int, source: VenueInstrument, target: VenueInstrument, side: Side | None) -> int:
    """The price on the target's tick: bids down, asks up, trades to the nearest."""
    tick = max(1, target.tick)
    top, bottom = price * 10**target.digits, 10**source.digits * tick
    if side is Side.BUY:
        steps = top // bottom
    elif side is Side.SELL:
        steps = -(-top // bottom)
    else:
        steps = (2 * top + bottom) // (2 * bottom)
    fitted: int = steps * tick
    return fitted


def _size(size: int, price: int, source: VenueInstrument, target: VenueInstrument) -> int:
    """The size in the target's units, in whole steps."""
    step = max(1, target.step)
    in_base = size * source.contract_size.as_integer_ratio()[0]
    below = source.contract_size.as_integer_ratio()[1]
    if source.inverse:
        in_base, below = in_base * 10**source.digits, below * max(1, price)
    top, bottom = target.contract_size.as_integer_ratio()
    if target.inverse:
        in_base, below = in_base * price, below * 10**source.digits
    fitted: int = in_base * bottom // (below * top) // step * step
    return fitted
