"""The journal: an ordered, durable, tamper-evident list of input batches with one writer."""

from .contract import Durability, Journal, Record, RecordReader
from .disk import Disk
from .errors import (
    JournalDamaged,
    JournalError,
    JournalFenced,
    JournalLocked,
    JournalTooNew,
    JournalUnavailable,
    JournalWriteFailed,
)
from .file import FileJournal
from .memory import MemoryJournal
from .reader import FileReader

__all__ = [
    "Disk",
    "Durability",
    "FileJournal",
    "FileReader",
    "Journal",
    "JournalDamaged",
    "JournalError",
    "JournalFenced",
    "JournalLocked",
    "JournalTooNew",
    "JournalUnavailable",
    "JournalWriteFailed",
    "MemoryJournal",
    "Record",
    "RecordReader",
]
