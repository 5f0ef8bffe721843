"""Frames: what one entry of a market stream holds.

A frame carries the events that came while the frame before it was on its way, so a quiet market
pays one entry per event and a burst one per 256. `producer` names one run of one publisher and
`seq` is dense within it, from 1: a frame that comes twice is known, a missing one is seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from tradeloom.domain.market import BookDelta, BookQuote, Funding, MarketEvent, TradeTick

from ..limits import CLOCKS_APART_MAX_NS

VERSION: Final = 1


class Frame(msgspec.Struct, frozen=True, array_like=True):
    """Events of one venue in the order they came."""

    version: int
    producer: str
    seq: int
    events: list[MarketEvent]


class BadFrame(ValueError):  # noqa: N818 - the name says what it is
    """Bytes that are no frame of this version, or the frame `at` a position of a batch that nobody
    can store; it never will be."""

    def __init__(self, problem: str, at: int | None = None) -> None:
        self.at: Final = at
        super().__init__(problem)


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(Frame).decode


def stream_of(venue: str) -> str:
    """The stream of a venue's market data."""
    return f"md:{venue}"


def pack(producer: str, seq: int, events: Sequence[MarketEvent]) -> bytes:
    """A frame as bytes."""
    return _encode((VERSION, producer, seq, events))


def unpack(data: bytes) -> Frame:
    """The frame in bytes; raises BadFrame."""
    try:
        frame = _decode(data)
    except msgspec.DecodeError as error:
        raise BadFrame(f"not a frame of market events: {error}") from error
    if frame.version != VERSION:
        raise BadFrame(f"a frame of version {frame.version}; this program knows {VERSION}")
    return frame


def event_ns(event: BookQuote | TradeTick | BookDelta | Funding) -> int:
    """When it happened: the venue's clock, or ours where it tells none or is plainly wrong."""
    venue_ns, recv_ns = event.venue_ns, event.recv_ns
    if not venue_ns or (recv_ns and abs(venue_ns - recv_ns) > CLOCKS_APART_MAX_NS):
        return recv_ns
    return venue_ns
