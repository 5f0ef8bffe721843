"""A seeded market: many instruments whose ticks behave like recorded ones, without end.

Every instrument has its own random numbers, named by its symbol, so choosing other instruments
beside it does not change its ticks. The market is made one window of clock time after the other;
in each, the instruments are drawn first, crosses are then priced from their legs, and all are
merged by time. Bids wander freely but are folded back between half and double their start, so a
price never reaches zero however long the market runs.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final

import numpy as np

from tradeloom.marketdata.calendar import HOUR_NS, Calendar
from tradeloom.marketdata.fitted import PROFILES
from tradeloom.marketdata.instruments import (
    MARKET,
    Cross,
    CrossRule,
    MarketInstrument,
    choose,
)
from tradeloom.marketdata.quotes import Chunk, Int64Array, QuoteRows, quote_rows
from tradeloom.marketdata.tape import Tape

# Monday 2024-01-01 00:00 UTC: a week day, so every market soon opens.
START_NS: Final = 1_704_067_200_000_000_000
# Ten minutes of the whole market are some hundred thousand ticks, a chunk worth a call.
_WINDOW_NS: Final = HOUR_NS // 6
_MASK_32: Final = 2**32 - 1


class MarketGenerator:
    """An endless market in chunks; equal arguments give equal ticks on every machine.

    `seed` is any integer from 0 to 2**32 - 1, `symbols` a choice from `MARKET` (None: all of it),
    `start_ns` UTC nanoseconds not before 1970-01-05. Raises ValueError for others.
    """

    def __init__(
        self, seed: int, symbols: tuple[str, ...] | None = None, start_ns: int = START_NS
    ) -> None:
        if not 0 <= seed <= _MASK_32:
            raise ValueError(f"seed {seed} is not from 0 to {_MASK_32}")
        if start_ns < 96 * HOUR_NS:
            raise ValueError(f"start {start_ns} ns is before Monday 1970-01-05")
        self.instruments: Final = choose(symbols)
        self._seed = seed
        self._start_ns = start_ns

    def chunks(self, ticks: int | None = None) -> Iterator[Chunk]:
        """Yield the market in time order, none empty; the first `ticks` of it, or for ever.

        Instruments are indices into `instruments`; at equal times the lower index comes first.
        Each call starts again from the beginning.
        """
        left = ticks
        for chunk in self._windows():
            if left is None:
                yield chunk
                continue
            if left > 0 and len(chunk.ts_ns):
                ts_ns, instrument, bid, ask = chunk
                yield Chunk(ts_ns[:left], instrument[:left], bid[:left], ask[:left])
            left -= len(chunk.ts_ns)
            if left <= 0:
                return

    def _windows(self) -> Iterator[Chunk]:
        lines = {each.symbol: _Line(each, self._seed, self._start_ns) for each in self._needed()}
        end_ns = self._start_ns
        while True:
            end_ns += _WINDOW_NS
            windows: dict[str, QuoteRows] = {}
            for symbol, line in lines.items():
                cross = line.instrument.cross
                windows[symbol] = (
                    line.until(end_ns)
                    if cross is None
                    else line.crossed(end_ns, cross, lines, windows)
                )
            for symbol, rows in windows.items():
                lines[symbol].remember(rows)
            chunk = _merged([windows[each.symbol] for each in self.instruments])
            if len(chunk.ts_ns):
                yield chunk

    def _needed(self) -> list[MarketInstrument]:
        """The chosen instruments and the legs of their crosses; legs come first."""
        chosen = {each.symbol for each in self.instruments}
        for each in self.instruments:
            if each.cross is not None:
                chosen |= {each.cross.first, each.cross.second}
        needed = [each for each in MARKET if each.symbol in chosen]
        return sorted(needed, key=lambda each: each.cross is not None)


class _Line:
    """One instrument on its way through time: its tape, its price, and ticks drawn ahead."""

    def __init__(self, instrument: MarketInstrument, seed: int, start_ns: int) -> None:
        self.instrument = instrument
        profile = PROFILES[instrument.profile]
        self._tape = Tape(
            profile,
            Calendar(instrument.opening, profile.hours),
            seed=seed << 32 | zlib.crc32(instrument.symbol.encode()),
            start_ns=start_ns,
            pace=instrument.pace,
            move=instrument.move,
            spread=instrument.spread,
        )
        self._walk = 0
        self._ahead: list[QuoteRows] = []
        # Twice the middle of the last quote before this window: crosses open with it.
        self.middle2 = 2 * instrument.start

    def until(self, end_ns: int) -> QuoteRows:
        """Return the quotes up to, not including, `end_ns`."""
        while not self._ahead or self._ahead[-1]["ts_ns"][-1] < end_ns:
            self._ahead.append(self._quotes())
        rows = np.concatenate(self._ahead) if len(self._ahead) > 1 else self._ahead[0]
        cut = int(np.searchsorted(rows["ts_ns"], end_ns))
        self._ahead = [rows[cut:]] if cut < len(rows) else []
        return rows[:cut]

    def crossed(
        self, end_ns: int, cross: Cross, lines: dict[str, _Line], windows: dict[str, QuoteRows]
    ) -> QuoteRows:
        """Return the quotes up to `end_ns`, priced from the legs' quotes at or before each time."""
        rows = self.until(end_ns).copy()
        spread = rows["ask"] - rows["bid"]
        first = _middle2_at(rows["ts_ns"], windows[cross.first], lines[cross.first].middle2)
        second = _middle2_at(rows["ts_ns"], windows[cross.second], lines[cross.second].middle2)
        digits = self.instrument.price_digits
        first_digits = lines[cross.first].instrument.price_digits
        second_digits = lines[cross.second].instrument.price_digits
        if cross.rule is CrossRule.TIMES:
            middle = first * second // (4 * 10 ** (first_digits + second_digits - digits))
        else:
            middle = first * 10 ** (digits + second_digits - first_digits) // second
        rows["bid"] = np.maximum(middle - spread // 2, 1)
        rows["ask"] = rows["bid"] + spread
        return rows

    def remember(self, rows: QuoteRows) -> None:
        """Keep the last quote of a finished window."""
        if len(rows):
            self.middle2 = int(rows["bid"][-1] + rows["ask"][-1])

    def _quotes(self) -> QuoteRows:
        ts_ns, move, spread = self._tape.draw()
        walk = self._walk + np.cumsum(move)
        self._walk = int(walk[-1])
        bid = _folded(walk + self.instrument.start, self.instrument.start)
        return quote_rows(ts_ns, bid, bid + spread)


def _folded(walk: Int64Array, start: int) -> Int64Array:
    """Reflect a walk between half and double `start`, like light between two mirrors."""
    low, height = max(start // 2, 1), start + start // 2
    inside = np.mod(walk - low, 2 * height)
    return np.asarray(low + np.minimum(inside, 2 * height - inside))


def _middle2_at(ts_ns: Int64Array, leg: QuoteRows, before: int) -> Int64Array:
    """Twice the leg's middle price at each time; `before` holds until its first quote."""
    middles = np.concatenate(([before], leg["bid"] + leg["ask"]))
    return np.asarray(middles[np.searchsorted(leg["ts_ns"], ts_ns, side="right")])


def _merged(windows: list[QuoteRows]) -> Chunk:
    rows = np.concatenate(windows)
    index = np.repeat(np.arange(len(windows), dtype=np.uint32), [len(each) for each in windows])
    order = np.argsort(rows["ts_ns"], kind="stable")
    rows = rows[order]
    return Chunk(
        np.ascontiguousarray(rows["ts_ns"]),
        index[order],
        np.ascontiguousarray(rows["bid"]),
        np.ascontiguousarray(rows["ask"]),
    )
