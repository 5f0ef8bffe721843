"""The recorded formats: what each file's path and first line say, and how its lines become numbers.

A format knows one file. It yields its quotes as exact decimals, unfiltered; what a usable quote
is, the recording decides. Recognition asks each format in turn and looks at content as well as at
names.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

from tradeloom.marketdata.quotes import Int64Array
from tradeloom.marketdata.recordings.decimals import Decimals


class RawRows(NamedTuple):
    """Quotes as written in the file: UTC nanoseconds, and prices with each row's own decimals."""

    ts_ns: Int64Array
    bid: Decimals
    ask: Decimals


class Format(Protocol):
    """One recorded file in a known format."""

    path: Path
    name: str
    source: str
    symbol: str

    def rows(self) -> Iterator[RawRows]:
        """Yield the file's quotes in its own order. Raises RecordingError for a damaged file."""
        ...
