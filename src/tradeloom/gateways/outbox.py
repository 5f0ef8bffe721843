"""The outbox of a shard as its readers see it: events by batch, by account and by cause.

Packed events stay packed: a batch is walked once, only what somebody is waiting for is decoded. The
newest batches stay in memory, so that a reader who was away gets what it missed.
"""

from __future__ import annotations

import struct
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from tradeloom.domain.events import AnyEvent
from tradeloom.engine.decoder import Decoder
from tradeloom.engine.names import Names
from tradeloom.engine.records import EVENTS
from tradeloom.gateways.limits import CAUSES_MAX, RING_BYTES_MAX

_HEAD: Final = struct.Struct("<IHHQqQ")
_U64: Final = struct.Struct("<Q")
_CONFIG: Final = EVENTS["EventConfig"].kind
OUTCOME: Final = frozenset((EVENTS["EventOrder"].kind, EVENTS["EventFill"].kind))
"""Kinds that say what became of an order."""


def _account_offsets() -> dict[int, int]:
    sizes = {"B": 1, "H": 2, "I": 4, "Q": 8, "q": 8, "n": 16, "s": 32}
    found = {}
    for record in EVENTS.values():
        at = _HEAD.size
        for name, letter in record.fields:
            if name == "account" and record.kind:
                found[record.kind] = at
            at += sizes[letter]
    return found


_ACCOUNT_AT: Final = _account_offsets()


class Place(NamedTuple):
    """Where an event stands in its batch; `account` 0 when it is about none."""

    kind: int
    seq: int
    cause: int
    account: int
    start: int
    end: int


class Batch(NamedTuple):
    """The packed events of one batch and where each stands."""

    data: bytes
    places: list[Place]


Listener = Callable[[Batch], None]


def walk(data: bytes | memoryview) -> Iterator[Place]:
    """Every event of packed history, in order; answers that are not history are passed over."""
    at, end = 0, len(data)
    head, number, offsets = _HEAD.unpack_from, _U64.unpack_from, _ACCOUNT_AT
    while at < end:
        length, kind, _, seq, _, cause = head(data, at)
        if seq:
            offset = offsets.get(kind)
            account = number(data, at + offset)[0] if offset else 0
            yield Place(kind, seq, cause, account, at, at + length)
        at += length


class Outbox:
    """Takes every batch from the shard; call it from the event loop only.

    `last` is the seq of the newest event, `first` that of the oldest one in memory.
    """

    def __init__(self, names: Names, last: int, bytes_max: int = RING_BYTES_MAX) -> None:
        self.decoder: Final = Decoder(names)
        self.last = last
        self.first = last + 1
        self._ring: deque[Batch] = deque()
        self._bytes = 0
        self._bytes_max = bytes_max
        self._causes: OrderedDict[int, tuple[bytes, int, int]] = OrderedDict()
        self._listeners: list[Listener] = []

    def __call__(self, data: bytes) -> None:
        """Take the events of one durable batch."""
        places = list(walk(data))
        if not places:
            return
        causes = self._causes
        for place in places:
            if place.kind == _CONFIG:
                for _ in self.decoder.decode(data[place.start : place.end]):
                    pass  # the decoder's directory of names has learned it
            known = causes.get(place.cause)
            start = place.start if known is None else known[1]
            causes[place.cause] = (data, start, place.end)
        while len(causes) > CAUSES_MAX:
            causes.popitem(last=False)
        batch = Batch(data, places)
        self.last = places[-1].seq
        self._ring.append(batch)
        self._bytes += len(data)
        while self._bytes > self._bytes_max and len(self._ring) > 1:
            self._bytes -= len(self._ring.popleft().data)
        self.first = self._ring[0].places[0].seq
        for listener in tuple(self._listeners):
            listener(batch)

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with every batch; returns the function that ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def caused(self, cause: int, kinds: frozenset[int] | None = None) -> tuple[AnyEvent, ...]:
        """The events one input made, if it was among the newest; only these kinds if given."""
        known = self._causes.get(cause)
        if known is None:
            return ()
        data, start, end = known
        part = memoryview(data)[start:end]
        if kinds is None:
            return tuple(self.decoder.decode(part))
        found: list[AnyEvent] = []
        for place in walk(part):
            if place.kind in kinds:
                found += self.decoder.decode(part[place.start : place.end])
        return tuple(found)

    def covers(self, after: int) -> bool:
        """True if every event behind `after` is in memory."""
        return after >= self.first - 1

    def behind(self, after: int) -> Iterator[Batch]:
        """Batches in memory that hold events behind `after`; the first may hold older ones."""
        for batch in tuple(self._ring):
            if batch.places[-1].seq > after:
                yield batch
