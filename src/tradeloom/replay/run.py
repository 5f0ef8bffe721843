"""The replay loop: slices of ticks, then the commands of the scripts, in one batch each."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from tradeloom.domain.commands import DefineCurrency, DefineGroup, DefineInstrument
from tradeloom.domain.enums import CalcMode, Ledger
from tradeloom.engine import Engine
from tradeloom.engine.batches import fill, quotes_batch
from tradeloom.marketdata.quotes import Chunk
from tradeloom.replay.ahead import ahead
from tradeloom.replay.cast import GROUPS, Cast, Int64, lots_per_thousand, open_cast
from tradeloom.replay.market import Market
from tradeloom.replay.scripts import Scripts
from tradeloom.replay.slices import slices
from tradeloom.replay.tally import Tally

# Ticks between two turns of the scripts: long enough that a batch is worth its call, short enough
# that a thousand ticks of a fast market do not pass without an order.
SLICE_TICKS: Final = 8192
_SECOND_NS: Final = 1_000_000_000
_DAY_NS: Final = 86_400 * _SECOND_NS
_FUNDING_NS: Final = 8 * 3600 * _SECOND_NS
_FUNDING_RATE: Final = 10_000  # 0.01 %, the resting rate of perpetuals, in 1e-8
_PEG: Final = 10**5  # 1.00000


class Progress(msgspec.Struct, frozen=True):
    """How far a replay is: ticks done, of how many, at which market time, after how long."""

    ticks: int
    total: int
    market_ns: int
    seconds: float


class LedgerTotal(msgspec.Struct, frozen=True):
    """One ledger in one currency; customers and house cancel out when the books balance."""

    ledger: str
    currency: str
    customers: Decimal
    house: Decimal
    balanced: bool


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What happened in a replay."""

    ticks: int
    seconds: float
    ticks_per_s: int
    accounts: int
    first_ns: int
    last_ns: int
    counts: dict[str, int]
    rejected: dict[str, int]
    ledgers: list[LedgerTotal]
    state_hash: str
    journal: str
    notes: tuple[str, ...]
    interrupted: bool


class Replay:
    """One replay of a market through an engine that has nothing in it yet.

    `speed` is market seconds per second, None for as fast as it goes. `stopped` is asked before
    every slice. `progress` is told after every slice.
    """

    def __init__(
        self,
        engine: Engine,
        market: Market,
        *,
        accounts: int,
        seed: int,
        speed: float | None = None,
        journal: Path | None = None,
        stopped: Callable[[], bool] = lambda: False,
        progress: Callable[[Progress], None] = lambda _: None,
    ) -> None:
        self._engine = engine
        self._market = market
        self._accounts = accounts
        self._seed = seed
        self._speed = speed
        self._journal = journal
        self._stopped = stopped
        self._progress = progress
        self._tally = Tally()
        count = len(market.instruments)
        self._bid = np.zeros(count, np.int64)
        self._ask = np.zeros(count, np.int64)
        self._index = np.zeros(count, np.int64)
        self._first_ns = self._last_ns = 0
        self._ticks = 0

    def run(self) -> Outcome:
        """Replay until the ticks end or `stopped` says so; raises what reading the ticks raises."""
        with ahead(self._market.chunks) as chunks:
            return self._run(slices(chunks, SLICE_TICKS))

    def _run(self, parts: Iterator[Chunk]) -> Outcome:
        start = time.perf_counter()
        scripts: Scripts | None = None
        interrupted = False
        for step, part in enumerate(parts):
            if self._stopped():
                interrupted = True
                break
            self._note(part)
            if scripts is None:
                scripts = self._open(part)
            self._pace(start)
            self._apply(self._quotes(part))
            dues = b"".join(self._dues(part))
            acts = scripts.commands(step, self._last_ns, self._bid, self._ask)
            self._apply(dues + b"".join(batch.tobytes() for batch in acts))
            seconds = time.perf_counter() - start
            self._progress(Progress(self._ticks, self._market.ticks, self._last_ns, seconds))
        return self._outcome(time.perf_counter() - start, interrupted)

    def _note(self, part: Chunk) -> None:
        """Remember the last quote of every instrument in this slice."""
        self._first_ns = self._first_ns or int(part.ts_ns[0])
        # Of repeated indices numpy keeps the last assignment.
        self._bid[part.instrument] = part.bid
        self._ask[part.instrument] = part.ask
        self._ticks += len(part.ts_ns)

    def _open(self, part: Chunk) -> Scripts:
        """Define everything and open the accounts one nanosecond before the first tick."""
        engine, market, ts = self._engine, self._market, int(part.ts_ns[0]) - 1
        for currency in market.currencies:
            engine.execute(DefineCurrency(currency=currency), ts=ts).checked()
        for instrument in (*market.instruments, *market.pegs):
            engine.execute(DefineInstrument(instrument=instrument), ts=ts).checked()
        for group in GROUPS:
            engine.execute(DefineGroup(group=group), ts=ts).checked()
        for peg in market.pegs:
            index = engine.names.instrument(peg.symbol)
            engine.apply(quotes_batch(ts, index, _PEG, _PEG))
        self._index[:] = [engine.names.instrument(each.symbol) for each in market.instruments]
        cast = open_cast(engine, market, self._accounts, self._seed, ts)
        return self._scripts(cast)

    def _scripts(self, cast: Cast) -> Scripts:
        thousand: Int64 = lots_per_thousand(self._market, self._bid)
        bodies = [each.to_core() for each in self._market.instruments]
        volume_max = np.array([body["volume_max"] for body in bodies], np.int64)
        return Scripts(cast, self._index, thousand, volume_max, self._seed)

    def _quotes(self, part: Chunk) -> bytes:
        return quotes_batch(part.ts_ns, self._index[part.instrument], part.bid, part.ask)

    def _dues(self, part: Chunk) -> Iterator[bytes]:
        """Swaps and funding that fell due in this slice, booked at its end."""
        before, self._last_ns = self._last_ns or int(part.ts_ns[0]), int(part.ts_ns[-1])
        if before // _DAY_NS < self._last_ns // _DAY_NS:
            yield fill("Rollover", {"ts": self._last_ns, "day": before // _DAY_NS}).tobytes()
        if before // _FUNDING_NS < self._last_ns // _FUNDING_NS:
            for number, instrument in enumerate(self._market.instruments):
                if instrument.calc is CalcMode.PERPETUAL and self._bid[number]:
                    index = int(self._index[number])
                    columns = {"ts": self._last_ns, "instrument": index, "rate": _FUNDING_RATE}
                    yield fill("Funding", columns).tobytes()

    def _apply(self, batch: bytes) -> None:
        if batch:
            self._tally.add(self._engine.apply(batch))

    def _pace(self, start: float) -> None:
        """Wait until the market time of the last slice has come, at the chosen speed."""
        if self._speed is None or not self._last_ns:
            return
        due = (self._last_ns - self._first_ns) / _SECOND_NS / self._speed
        while not self._stopped() and (left := due - (time.perf_counter() - start)) > 0:
            time.sleep(min(left, 0.1))

    def _outcome(self, seconds: float, interrupted: bool) -> Outcome:
        return Outcome(
            ticks=self._ticks,
            seconds=round(seconds, 3),
            ticks_per_s=int(self._ticks / seconds) if seconds > 0 else 0,
            accounts=self._accounts,
            first_ns=self._first_ns,
            last_ns=self._last_ns,
            counts=dict(self._tally.counts),
            rejected=dict(self._tally.rejected.most_common()),
            ledgers=[
                LedgerTotal(
                    Ledger(row.ledger).name.lower(),
                    row.currency,
                    row.customers,
                    row.house,
                    row.customers + row.house == 0,
                )
                for row in self._engine.trial_balance()
            ],
            state_hash=self._engine.state_hash,
            journal=str(self._journal or ""),
            notes=self._market.notes,
            interrupted=interrupted,
        )


def market_time(ns: int) -> str:
    """UTC nanoseconds as text, to the second."""
    return datetime.fromtimestamp(ns // _SECOND_NS, UTC).strftime("%Y-%m-%d %H:%M:%S")
