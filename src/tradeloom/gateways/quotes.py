"""The quote board: the newest quote of every symbol, and who wants to hear of the next one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple


class Quote(NamedTuple):
    """One quote in the instrument's points; `ts` is UTC nanoseconds, `number` counts all quotes."""

    symbol: str
    digits: int
    bid: int
    ask: int
    ts: int
    number: int


Listener = Callable[[list[Quote]], None]


def price(mantissa: int, digits: int) -> str:
    """A price as decimal text."""
    if not digits:
        return str(mantissa)
    text = str(mantissa).rjust(digits + 1, "0")
    return f"{text[:-digits]}.{text[-digits:]}"


class QuoteBoard:
    """Fed by the market, read by the gateways; everything on the event loop."""

    def __init__(self) -> None:
        self.newest: Final[dict[str, Quote]] = {}
        self.count = 0
        self._listeners: list[Listener] = []

    def publish(self, quotes: list[Quote]) -> None:
        """Make these the newest quotes, in their order."""
        for quote in quotes:
            self.newest[quote.symbol] = quote
        self.count += len(quotes)
        for listener in tuple(self._listeners):
            listener(quotes)

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with every lot of quotes; returns the function that ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)
