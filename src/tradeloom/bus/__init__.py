"""Streams between rooms and processes: published once, read by every group, kept until stored.

`Bus` is the contract (`contract.py`), `MemoryBus` carries it inside one process and `RedisBus` over
Redis Streams. `Consumer` is how a group's member reads: first what a crash left behind, then what
is new; it tells who is dead and what is poison.
"""

from __future__ import annotations

from .consumer import Consumer, ConsumerHealth, Delivery
from .contract import Backlog, Buried, Bus, Entry, Trimmed, Waiting
from .errors import BusError, BusFull, BusUnavailable, OutcomeUnknown
from .memory import MemoryBus
from .redis import RedisBus

__all__ = [
    "Backlog",
    "Buried",
    "Bus",
    "BusError",
    "BusFull",
    "BusUnavailable",
    "Consumer",
    "ConsumerHealth",
    "Delivery",
    "Entry",
    "MemoryBus",
    "OutcomeUnknown",
    "RedisBus",
    "Trimmed",
    "Waiting",
]
