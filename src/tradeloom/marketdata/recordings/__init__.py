"""Recorded markets: recognise the file, check it, stream its quotes as exact integers."""

from tradeloom.marketdata.recordings.catalog import (
    Catalog,
    Skipped,
    open_recording,
    open_recordings,
)
from tradeloom.marketdata.recordings.errors import NotQuotesError, RecordingError
from tradeloom.marketdata.recordings.recording import Faults, Recording

__all__ = [
    "Catalog",
    "Faults",
    "NotQuotesError",
    "Recording",
    "RecordingError",
    "Skipped",
    "open_recording",
    "open_recordings",
]
