"""The trading desk every gateway uses: sends commands to the shard and reads its state.

One shard, one desk. Commands wait for their durable answer; reads see only durable state.
"""

from __future__ import annotations

import asyncio
import struct
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from tradeloom.domain import commands as c
from tradeloom.domain.enums import Field, ReturnCode
from tradeloom.domain.errors import Refused, Rejected, explain
from tradeloom.domain.events import AnyEvent
from tradeloom.engine.codec import Encoder
from tradeloom.engine.names import Names
from tradeloom.engine.reads import Reads
from tradeloom.engine.shard import Shard, ShardClosed
from tradeloom.gateways.limits import ANSWER_S, ANSWERS_TIMED
from tradeloom.gateways.outbox import OUTCOME, Outbox

T = TypeVar("T")
_RESULT: Final = struct.Struct("<IHHQqQIHHQQ32s")
_REFUSED, _REPEAT = 1, 2


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of a command, as its durable RESULT says.

    `reference`: order, position or count it made. `refused`: it left no trace. `repeat`: the id was
    known, so this is the first answer again, without the events. `ts`: UTC nanoseconds.
    """

    code: ReturnCode
    field: str
    reference: int
    refused: bool
    repeat: bool
    seq: int
    ts: int
    cause: int
    outbox: Outbox

    @property
    def events(self) -> tuple[AnyEvent, ...]:
        """Everything the command caused, in order."""
        return self.outbox.caused(self.cause) if self.cause else ()

    @property
    def outcome(self) -> tuple[AnyEvent, ...]:
        """Only the orders and fills among the events."""
        return self.outbox.caused(self.cause, OUTCOME) if self.cause else ()

    def checked(self) -> Reply:
        """This reply if it is good; raises `Refused` or `Rejected` if not."""
        if self.code.good:
            return self
        kind = Refused if self.refused else Rejected
        raise kind(self.code, self.field, explain(self.code, self.field))


class Unanswered(Exception):  # noqa: N818
    """The answer did not come in time; the command may still be done. Send the same id again."""


class Desk:
    """Commands in, answers out, for one running shard."""

    def __init__(self, shard: Shard) -> None:
        self.shard: Final = shard
        self.draining = False
        # Seconds from a command to its durable answer, the newest ones.
        self.took: Final[deque[float]] = deque(maxlen=ANSWERS_TIMED)
        core_names = shard.read(lambda core: Names.of(core, core.event_seq))
        self.names: Final = core_names
        self.outbox: Final = Outbox(core_names, shard.read(lambda core: core.event_seq))
        self.stop_listening: Final = shard.subscribe(self.outbox)
        self.encoder: Final = Encoder(core_names, self._instrument_of)

    async def execute(self, command: c.Command) -> Reply:
        """Execute a command durably; its answer, good or bad, with the events it made."""
        result = await self.submit(self.encoder.encode(command, 0))
        return self.answer(result)

    async def submit(self, record: bytes) -> bytes:
        """Submit one packed command; its packed RESULT. Raises `Unanswered` and `Refused`."""
        if self.draining:
            raise Refused(ReturnCode.BUSY, "", _STOPPING)
        began = time.perf_counter()
        try:
            future = self.shard.submit(record)
        except ShardClosed as error:
            raise Refused(ReturnCode.BUSY, "", _STOPPING) from error
        if future.done():
            return future.result()
        try:
            async with asyncio.timeout(ANSWER_S):
                result = await future
        except TimeoutError as error:
            raise Unanswered from error
        self.took.append(time.perf_counter() - began)
        return result

    def answer(self, result: bytes) -> Reply:
        """What one packed RESULT says."""
        _, _, flags, seq, ts, cause, _, code, field, _, reference, _ = _RESULT.unpack_from(result)
        return Reply(
            ReturnCode(code),
            Field(field).name.lower() if field else "",
            reference,
            bool(flags & _REFUSED),
            bool(flags & _REPEAT),
            seq,
            ts,
            cause,
            self.outbox,
        )

    async def checked(self, command: c.Command) -> Reply:
        """Execute a command; raises `Refused` or `Rejected` when it was not done."""
        return (await self.execute(command)).checked()

    def read(self, look: Callable[[Reads], T]) -> T:
        """What `look` sees in the state; raises the `Refused` of the read."""
        return self.shard.read(lambda core: look(Reads(core, self.names)))

    def events(self, data: bytes) -> list[AnyEvent]:
        """Packed events as values."""
        return list(self.outbox.decoder.decode(data))

    def _instrument_of(self, account: int, order: int, position: int) -> int | None:
        return self.shard.read(
            lambda core: Reads(core, self.names).instrument_of(account, order, position)
        )


_STOPPING: Final = explain(ReturnCode.BUSY, "", "the service is stopping")

__all__ = ["Desk", "Refused", "Rejected", "Unanswered"]
