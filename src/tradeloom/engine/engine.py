"""The engine to embed: define, open accounts, quote, trade, read; durable when it has a path.

    with Engine.open("data") as engine:
        engine.define(EURUSD, DEMO)
        engine.open_account(1001, group="demo")
        engine.deposit(1001, "10000")
        engine.quote("EURUSD", "1.10000", "1.10002")
        engine.buy(1001, "EURUSD", "0.10", sl="1.09", tp="1.12")

Single writer: one engine belongs to one thread, and one directory to one engine. When a call
returns, what it did is on the disk (with a path) and will be there again after any kind of stop.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from os import PathLike
from types import TracebackType
from typing import Final, Self

from tradeloom.domain import commands as c
from tradeloom.domain import events as e
from tradeloom.domain.enums import ReturnCode
from tradeloom.domain.errors import EngineStopped, Refused
from tradeloom.domain.numbers import Number
from tradeloom.engine import codec
from tradeloom.engine.answer import Answer, answer, refusal
from tradeloom.engine.codec import Encoder
from tradeloom.engine.decoder import Decoder
from tradeloom.engine.desk import Desk
from tradeloom.engine.history import History
from tradeloom.engine.journal import JournalUnavailable
from tradeloom.engine.limits import EVENTS_KEPT_BYTES
from tradeloom.engine.names import Names
from tradeloom.engine.reads import Reads
from tradeloom.engine.views import (
    AccountView,
    LedgerRow,
    OrderView,
    PositionView,
    QuoteView,
    TradingStates,
    TrialRow,
)
from tradeloom.engine.writer import DurableWriter, MemoryWriter, Writer

Clock = Callable[[], int]
"""Gives the time in UTC nanoseconds."""


class Engine(Desk):
    """One trading engine. Make it with `Engine.open`; use it in a `with` block or call `close`.

    `names` knows what is defined, `reads` answers questions, and both are also reachable through
    the short methods here. `execute` never raises for a bad command: its `Answer` says what is
    wrong.
    """

    def __init__(self, writer: Writer, clock: Clock | None = None) -> None:
        self._writer: Final = writer
        self._clock: Final = clock
        self.names = Names.of(writer.core, writer.core.event_seq)
        self.reads = Reads(writer.core, self.names)
        self._encoder: Final = Encoder(self.names, self.reads.instrument_of)
        self._decoder: Final = Decoder(self.names)
        self._history: Final = History(writer.core.event_seq + 1, EVENTS_KEPT_BYTES)
        self._open = True

    @classmethod
    def open(
        cls, path: str | PathLike[str] | None = None, *, clock: Clock | None = None, shard: int = 0
    ) -> Engine:
        """Open the engine whose journal is in the directory `path`, or a new one in memory.

        `clock` gives UTC nanoseconds; the default is the wall clock, held still while it runs
        backwards. Raises the errors of `tradeloom.engine.journal` when the journal cannot be used.
        """
        writer = MemoryWriter(shard) if path is None else DurableWriter(path, shard)
        return cls(writer, clock)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the journal; everything acknowledged is in it already."""
        self._open = False
        self._writer.close()

    # ---- writing -----------------------------------------------------------------------------

    def execute(self, command: c.Command, *, ts: int | None = None) -> Answer:
        """Execute one command at `ts` (UTC ns, default: the clock); its answer, good or bad."""
        try:
            return self._run(self._encoder.encode(command, self._now(ts)))
        except Refused as error:
            return refusal(error)

    def quote(
        self,
        symbol: str,
        bid: Number,
        ask: Number,
        *,
        ts: int | None = None,
        check: bool = True,
    ) -> Answer:
        """Feed a quote; the answer's events are everything it triggered."""
        try:
            made = self._run(self._encoder.quote(symbol, bid, ask, self._now(ts)))
        except Refused as error:
            if check:
                raise
            return refusal(error)
        return made.checked() if check else made

    def tick(self, *, ts: int | None = None) -> Answer:
        """Let time pass without a quote, so that due orders expire."""
        return self._run(codec.clock(self._now(ts)))

    def apply(self, batch: bytes) -> bytes:
        """Run a batch of packed input records; returns their packed events, in order.

        For thousands of inputs in one call, durable together; build them with
        `tradeloom.engine.batches`, read them with `decode`. Times come from the records. Raises
        `MalformedInput` for bytes that are not whole records and `JournalUnavailable` when the disk
        has no room; nothing was done then.
        """
        if not self._open:
            raise EngineStopped("the engine is closed; open it again to go on")
        data = self._writer.write(batch)
        self._history.add(data, self._writer.core.event_seq + 1)
        return data

    def decode(self, data: bytes) -> Iterator[e.AnyEvent]:
        """Packed events as values."""
        return self._decoder.decode(data)

    # ---- reading -----------------------------------------------------------------------------

    def events(self, after: int = 0) -> Iterator[e.AnyEvent]:
        """History with `seq` above `after`, in order.

        What is no longer in memory is made again from the journal. Raises `LookupError` when there
        is no journal either.
        """
        if self._history.covers(after):
            chunks, decoder = self._history.behind(after), self._decoder
        else:
            chunks, decoder = self._writer.replay(after), Decoder(Names())
        return (event for chunk in chunks for event in decoder.decode(chunk) if event.seq > after)

    def accounts(self) -> list[int]:
        """Account numbers in order of opening, closed ones too."""
        return self.reads.accounts()

    def account(self, account: int) -> AccountView:
        """One account now; raises `Refused`."""
        return self.reads.account(account)

    def positions(self, account: int) -> list[PositionView]:
        """Open positions of an account; raises `Refused`."""
        return self.reads.positions(account)

    def orders(self, account: int) -> list[OrderView]:
        """Working orders of an account; raises `Refused`."""
        return self.reads.orders(account)

    def last_quote(self, symbol: str) -> QuoteView | None:
        """The last quote of a symbol, None before the first; raises `Refused`."""
        return self.reads.quote(symbol)

    def trading_states(self) -> TradingStates:
        """What may be done where, as set by `set_trading_state`."""
        return self.reads.trading_states()

    def ledger(self, account: int) -> list[LedgerRow]:
        """Balances of an account in the six ledgers; raises `Refused`."""
        return self.reads.ledger(account)

    def trial_balance(self) -> list[TrialRow]:
        """Customers and house per ledger and currency; each row adds up to zero."""
        return self.reads.trial_balance()

    @property
    def state_hash(self) -> str:
        """SHA-256 over everything the engine knows, as 64 hex digits (semantics, section 14)."""
        return self._writer.core.state_hash().hex()

    def _now(self, ts: int | None) -> int:
        if ts is not None:
            return ts
        if self._clock is not None:
            return self._clock()
        return max(time.time_ns(), self._writer.core.now)

    def _run(self, record: bytes) -> Answer:
        try:
            data = self.apply(record)
        except JournalUnavailable as error:
            raise Refused(ReturnCode.JOURNAL_UNAVAILABLE, "", str(error)) from error
        return answer(self._decoder.result(data), lambda: self._decoder.decode(data))
