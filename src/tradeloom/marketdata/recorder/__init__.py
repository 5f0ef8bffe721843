"""The recorder: every quote and trade of the market streams, stored before it is acknowledged."""

from __future__ import annotations

from .contract import RecordStore, Stored, StoreDown
from .parquet import ParquetRecords
from .postgres import PostgresRecords
from .recorder import MarketDataRecorder, RecorderHealth

__all__ = [
    "MarketDataRecorder",
    "ParquetRecords",
    "PostgresRecords",
    "RecordStore",
    "RecorderHealth",
    "StoreDown",
    "Stored",
]
