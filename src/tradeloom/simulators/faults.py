"""Faults on command: what goes wrong at a simulated venue, how often, and what really happened.

A fault is armed with a kind, an optional text that the place must contain (a stream's name, a
path), how many times it fires (`count`, None for ever), how many chances it lets pass first
(`after`) and a probability from the seeded dice. Kinds marked "now" act once when they are
armed, on every connection they match. Every firing is counted and listed.
"""

from __future__ import annotations

import random
from collections import Counter, deque
from enum import StrEnum
from typing import Final

import msgspec

from tradeloom.simulators.limits import FAULTS_ARMED_MAX, FIRINGS_KEPT


class FaultKind(StrEnum):
    """What can go wrong; the comment says where it strikes and what its fields mean."""

    # Outgoing WebSocket frames of a market stream; `where` is matched against the stream's name.
    DROP_FRAME = "drop_frame"
    DUPLICATE_FRAME = "duplicate_frame"
    REORDER_FRAME = "reorder_frame"  # sent after the one that follows it
    MALFORM_FRAME = "malform_frame"  # cut in half: no longer JSON
    BAD_CHECKSUM = "bad_checksum"  # the dialect spoils the next checksum (a size where none is)
    SILENCE = "silence"  # now: nothing at all is sent for `seconds`; pings are not answered either
    # Connections.
    CLOSE = "close"  # now: the socket is torn down, the client sees 1006
    CLOSE_CODE = "close_code"  # now: a close frame with `status`
    REFUSE_CONNECT = "refuse_connect"  # the handshake is answered with HTTP `status`
    NO_PONG = "no_pong"  # a ping of the client is never answered
    LATE_PONG = "late_pong"  # …answered after `seconds`
    NOTICE = "notice"  # now: the venue says that it will soon hang up, in its own words
    # Requests, REST and WebSocket; `where` is matched against the path or method.
    HTTP_STATUS = (
        "http_status"  # not handled: answered `status` (429, 418, 503, …), `seconds` later
    )
    # allowed again (Retry-After)
    UNKNOWN_OUTCOME = "unknown_outcome"  # a placement goes through, and is answered with 503
    NO_ANSWER = "no_answer"  # handled, never answered: the client runs into its time-out
    DELAY = "delay"  # answered `seconds` late; the events it caused are not
    # Private events.
    DOUBLE_FILL = "double_fill"  # a fill is told twice
    FILL_BEFORE_ACK = "fill_before_ack"  # events of a placement go out before its answer
    DROP_EVENT = "drop_event"  # a private event is never sent
    EXPIRE_TOKEN = "expire_token"  # noqa: S105 - now: sessions and listen keys end early
    # The venue.
    CLOCK = "clock"  # now: its clock is off by `seconds` (0 puts it right)
    HALT = "halt"  # now: the instrument named by `where` stops trading, all without; `count` 0 ends


NOW: Final = frozenset(
    {
        FaultKind.SILENCE, FaultKind.CLOSE, FaultKind.CLOSE_CODE, FaultKind.NOTICE,
        FaultKind.EXPIRE_TOKEN, FaultKind.CLOCK, FaultKind.HALT,
    }
)  # fmt: skip


class Fault(msgspec.Struct, kw_only=True):
    """An armed fault; `chances` and `fired` count what became of it."""

    kind: FaultKind
    where: str = ""
    count: int | None = 1
    after: int = 0
    probability: float = 1.0
    seconds: float = 0.0
    status: int = 0
    id: int = 0
    chances: int = 0
    fired: int = 0

    @property
    def spent(self) -> bool:
        """Whether it will not fire again."""
        return self.count is not None and self.fired >= self.count


class Firing(msgspec.Struct, frozen=True):
    """A fault struck."""

    fault: int
    kind: FaultKind
    where: str
    ts_ns: int


class Faults:
    """The faults of one venue. `take` is asked at every place where one could strike."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)  # noqa: S311 - chance of a simulation
        self._last_id = 0
        self.armed: Final[list[Fault]] = []
        self.fired: Final[Counter[str]] = Counter()
        self.firings: Final[deque[Firing]] = deque(maxlen=FIRINGS_KEPT)

    def arm(self, fault: Fault) -> Fault:
        """Arm a fault and give it its number; raises ValueError when too many are armed."""
        self.armed[:] = [each for each in self.armed if not each.spent]
        if len(self.armed) >= FAULTS_ARMED_MAX:
            raise ValueError(f"more than {FAULTS_ARMED_MAX} faults are armed; clear some first")
        self._last_id += 1
        fault.id = self._last_id
        if fault.kind not in NOW:
            self.armed.append(fault)
        return fault

    def clear(self) -> int:
        """Disarm everything; how many there were."""
        found = len(self.armed)
        self.armed.clear()
        return found

    def take(self, kind: FaultKind, where: str, now_ns: int) -> Fault | None:
        """The fault that strikes at this place now, if any; it counts as fired."""
        for fault in self.armed:
            if fault.kind is not kind or fault.spent or fault.where not in where:
                continue
            fault.chances += 1
            if fault.chances <= fault.after:
                continue
            if fault.probability < 1.0 and self._dice.random() >= fault.probability:
                continue
            self.struck(fault, where, now_ns)
            return fault
        return None

    def struck(self, fault: Fault, where: str, now_ns: int) -> None:
        """Count a firing."""
        fault.fired += 1
        self.fired[fault.kind.value] += 1
        self.firings.append(Firing(fault.id, fault.kind, where, now_ns))
