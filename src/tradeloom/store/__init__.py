"""The store: SQL tables that follow the engine's events, and the tables of people and rights.

`Database` is the asynchronous door for reads and small writes; `follow` starts the writer that
stores a shard's events, `rebuild` makes its tables again from nothing.
"""

from __future__ import annotations

from .address import Address, BadAddress
from .database import Database
from .errors import BadCursor, CorruptEvents, EventGap, SecondWriter, StoreError, Unavailable
from .writer import EventSource, Progress, ProjectionWriter, follow, rebuild

__all__ = [
    "Address",
    "BadAddress",
    "BadCursor",
    "CorruptEvents",
    "Database",
    "EventGap",
    "EventSource",
    "Progress",
    "ProjectionWriter",
    "SecondWriter",
    "StoreError",
    "Unavailable",
    "follow",
    "rebuild",
]
