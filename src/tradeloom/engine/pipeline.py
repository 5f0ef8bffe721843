"""One batch from bytes to durable state: hooks, admission, journal, apply, answers.

The order of the steps is the promise of the engine. Nothing that was refused reaches the journal;
nothing reaches the core before it is durable; nobody is answered before both.

Admission looks at the state before the batch. Where a batch first makes something (defines an
instrument, opens an account) and then uses it, the use looks impossible; so the batch is cut before
such an input, and what is left is admitted after the first part was applied. Only administrative
inputs can cause a cut, so traders' mistakes never cost the others a sync.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tradeloom._core import Core

from .frames import Batch
from .hooks import Hooks
from .journal import Journal, JournalUnavailable
from .results import Results, deal, indices, refuse, renumbered, results, walk

BUSY: Final = 1013
JOURNAL_UNAVAILABLE: Final = 1014
# Where the time stands in an input.
_TS_AT: Final = 8


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a batch came to: one answer per submission, and the events of the whole batch.

    `index` of a RESULT counts from the start of the submission in `answers`, and from the start of
    the first submission in `events`.
    """

    answers: list[bytes]
    events: bytes
    ts: int
    # Why something was not done: the journal had no room. Empty when all is well.
    unavailable: str = ""


class Pipeline:
    """Runs batches against one core and one journal; one thread at a time may call `run`.

    `core_lock` is held while the core is in use, so that others may read it in between: what they
    see is durable, because only durable inputs are applied.
    """

    def __init__(
        self,
        core: Core,
        journal: Journal,
        hooks: Hooks,
        clock: Callable[[], int],
        *,
        keep_ts: bool = False,
    ) -> None:
        self.core = core
        self.journal = journal
        self.hooks = hooks
        self.core_lock = threading.Lock()
        self._clock = clock
        self._keep_ts = keep_ts

    def run(self, submissions: Sequence[bytes], counts: Sequence[int]) -> Outcome:
        """Process submissions, whose framing is checked, in order; returns when it is durable."""
        if len(submissions) == 1 == counts[0] and not self.hooks.active:
            outcome = self._run_one(submissions[0])
            if outcome is not None:
                return outcome
        batch = Batch(submissions, counts)
        starts = batch.starts
        ts = max(self._clock(), self.core.now)
        if not self._keep_ts:
            batch.stamp(ts)
        answers: list[Results] = []
        original: NDArray[np.int64] | None = None
        if self.hooks.active:
            passed, numbers, refused = self.hooks.run(batch, ts)
            if refused:
                original = np.asarray(numbers, np.int64)
                answers.append(results(b"".join(refused), len(refused)))
            batch = Batch(passed, [1] * len(passed))
        events, unavailable, first = [], "", 0
        while first < batch.size and not unavailable:
            piece = self._piece(batch, first)
            try:
                happened = self._commit(piece, ts)
            except JournalUnavailable as error:
                unavailable = str(error)
                packed = batch.part(first, batch.size)
                rows = results(refuse(packed, JOURNAL_UNAVAILABLE, 0, ts), batch.size - first)
                rows["index"] += first
                if original is not None:
                    rows["index"] = original[rows["index"]]
                answers.append(rows)
                break
            happened = piece.renumbered(happened, original)
            events.append(happened)
            answers.extend(piece.answers(happened, original))
            first = piece.end
        return Outcome(deal(starts, answers), b"".join(events), ts, unavailable)

    def _run_one(self, packed: bytes) -> Outcome | None:
        """The same steps for a single input, without the machinery; None: it was not admitted."""
        core = self.core
        ts = max(self._clock(), core.now)
        if not self._keep_ts:
            packed = packed[:_TS_AT] + ts.to_bytes(8, "little") + packed[_TS_AT + 8 :]
        with self.core_lock:
            if core.admit(packed)[0] is not None:
                return None
        try:
            self.journal.reserve(len(packed))
        except JournalUnavailable as error:
            refused = refuse(packed, JOURNAL_UNAVAILABLE, 0, ts)
            return Outcome([refused], b"", ts, str(error))
        self.journal.append(packed, core.input_seq + 1, 1, ts)
        with self.core_lock:
            events = core.apply(packed)
        return Outcome([walk(events)], events, ts)

    def _piece(self, batch: Batch, first: int) -> _Piece:
        """As much of the batch from input `first` on as admission can judge by the state now."""
        end = batch.fitting(first, self.journal.payload_bytes_max)
        payload = batch.part(first, end)
        with self.core_lock:
            admitted, answered = self.core.admit(payload)
            if admitted is None:
                return _Piece(payload, first, end, b"", batch.commands(first, end))
            cut = batch.cut(first, end, first + indices(answered))
            if cut is not None:
                payload, end = batch.part(first, cut), cut
                admitted, answered = self.core.admit(payload)
        commands = batch.commands(first, end)
        return _Piece(payload if admitted is None else admitted, first, end, answered, commands)

    def _commit(self, piece: _Piece, ts: int) -> bytes:
        """Make the admitted inputs durable, then real; their events."""
        if not piece.admitted:
            return b""
        self.journal.reserve(len(piece.admitted))
        self.journal.append(piece.admitted, self.core.input_seq + 1, piece.inputs, ts)
        with self.core_lock:
            return self.core.apply(piece.admitted)


class _Piece:
    """Inputs `first` … `end` of a batch: those admitted, and the answers to the others."""

    __slots__ = ("_gone", "_refused", "_results", "admitted", "end", "first", "inputs")

    def __init__(self, admitted: bytes, first: int, end: int, answered: bytes, cmds: int) -> None:
        self.admitted = admitted
        self.first = first
        self.end = end
        self._refused = answered
        self._gone = indices(answered)
        self.inputs = end - first - len(self._gone)
        self._results = cmds - len(self._gone)

    def renumbered(self, events: bytes, original: NDArray[np.int64] | None) -> bytes:
        """The events with the index of each RESULT counted from the start of the whole batch."""
        if not self.first and not self._refused and original is None:
            return events
        kept = np.delete(np.arange(self.first, self.end), self._gone)
        return renumbered(events, self._results, kept if original is None else original[kept])

    def answers(self, events: bytes, original: NDArray[np.int64] | None) -> list[Results]:
        """All RESULTs, of the events and of what was refused, numbered like the events."""
        refused = results(self._refused, len(self._gone))
        refused["index"] += self.first
        if original is not None:
            refused["index"] = original[refused["index"]]
        applied = results(events, self._results)
        return [applied, refused] if len(refused) else [applied]
