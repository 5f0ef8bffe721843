"""The recorder: every quote and trade of the market streams, stored before it is acknowledged."""

from __future__ import annotations

from .contract import RecordStore, Stored, StoreDown
from .postgres import PostgresRecords
from .recorder import MarketDataRecorder, RecorderHealth

__all__ = [
    "MarketDataRecorder",
    "PostgresRecords",
    "RecordStore",
    "RecorderHealth",
    "StoreDown",
    "Stored",
]
