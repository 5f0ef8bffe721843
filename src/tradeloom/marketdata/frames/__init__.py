"""Path 2 of market data: events packed into frames, published to `md:VENUE`, read exactly once."""

from __future__ import annotations

from .frame import BadFrame, Frame, event_ns, pack, stream_of, unpack
from .marks import Marks
from .publisher import MarketPublisher, PublisherHealth

__all__ = [
    "BadFrame",
    "Frame",
    "MarketPublisher",
    "Marks",
    "PublisherHealth",
    "event_ns",
    "pack",
    "stream_of",
    "unpack",
]
