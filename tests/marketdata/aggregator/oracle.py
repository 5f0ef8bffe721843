"""Bars the obvious way: all ticks, each once, sorted, first and last and highest and lowest."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from tradeloom.domain.market import BookQuote, TradeTick
from tradeloom.marketdata.aggregator import INTERVALS_S, MarketBar, Prices

NS = 10**9
Key = tuple[str, str, int, int]


def key(bar: MarketBar) -> Key:
    return bar.venue, bar.symbol, bar.interval_s, bar.start_ns


def time_of(tick: BookQuote | TradeTick) -> int:
    return tick.venue_ns or tick.recv_ns


def _prices(values: list[int]) -> Prices | None:
    if not values:
        return None
    return Prices(values[0], max(values), min(values), values[-1])


def bars(ticks: Iterable[BookQuote | TradeTick]) -> dict[Key, MarketBar]:
    """Every bar of every interval; revision 0, not finished. Ticks of one symbol share digits."""
    quotes: dict[Key, dict[tuple[object, ...], BookQuote]] = {}
    trades: dict[Key, dict[tuple[object, ...], TradeTick]] = {}
    digits: dict[Key, int] = {}
    for tick in ticks:
        ns = time_of(tick)
        for interval_s in INTERVALS_S:
            at = (tick.venue, tick.symbol, interval_s, ns - ns % (interval_s * NS))
            digits[at] = tick.digits
            if isinstance(tick, BookQuote):
                values = (ns, tick.seq, tick.bid, tick.ask, tick.bid_size, tick.ask_size)
                quotes.setdefault(at, {})[values] = tick
            else:
                same = (ns, tick.trade_id, tick.price, tick.size)
                trades.setdefault(at, {})[same] = tick
    found = {}
    for at in digits:
        of = sorted(quotes.get(at, {}).values(), key=lambda q: (time_of(q), q.seq, q.bid, q.ask))
        done = sorted(
            trades.get(at, {}).values(),
            key=lambda t: (time_of(t), len(t.trade_id), t.trade_id, t.price),
        )
        venue, symbol, interval_s, start_ns = at
        found[at] = MarketBar(
            venue=venue,
            symbol=symbol,
            interval_s=interval_s,
            start_ns=start_ns,
            digits=digits[at],
            bid=_prices([q.bid for q in of]),
            ask=_prices([q.ask for q in of]),
            both=_prices([q.bid + q.ask for q in of]),
            trade=_prices([t.price for t in done]),
            volume=Decimal(sum(t.size for t in done)) / 10**8,
            quotes=len(of),
            trades=len(done),
        )
    return found
