"""What an importer is: it recognises a file and yields its rows as exact integers, unfiltered.

Which rows are usable the checks decide, and where they go the catalog; an importer only knows how
one format writes numbers and times.
"""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple, Protocol
from zoneinfo import ZoneInfo

import polars as pl

from tradeloom.marketdata.calendar import Opening
from tradeloom.marketdata.history.kinds import Stream
from tradeloom.marketdata.recordings.errors import RecordingError
from tradeloom.marketdata.recordings.files import beginning


class Piece(NamedTuple):
    """Rows of one stream in the file's order, prices with `digits` decimals, and the number of the
    text line the first row stands on (each row a line), or None. `unnamed`: trades without ids of
    their own, so that equal rows are different trades.
    """

    stream: Stream
    digits: int
    frame: pl.DataFrame
    line: int | None = None
    unnamed: bool = False


@dataclass(frozen=True, slots=True)
class Options:
    """What the caller knows better than the file. `columns`: names of a CSV file's columns in
    order; `timezone`: IANA name for times without one.
    """

    format: str = "auto"
    venue: str | None = None
    symbol: str | None = None
    timezone: str | None = None
    columns: tuple[str, ...] = ()
    delimiter: str | None = None
    opening: Opening | None = None


class Source(Protocol):
    """One file in a known format."""

    format: str
    path: Path
    opening: Opening
    # Everything beside the file's bytes that decides what is read from it.
    identity: str
    # Text bytes read so far.
    done: int

    @property
    def ignored(self) -> Mapping[str, int]:
        """Return the rows passed over, by reason."""
        ...

    def pieces(self) -> Iterator[Piece]:
        """Yield the rows. Raises RecordingError for a damaged file, with the line."""
        ...


# Given the path, its first text and the options: the source, or None when it is something else.
Importer = Callable[[Path, bytes, Options], Source | None]


@dataclass(slots=True)
class _Registry:
    importers: dict[str, Importer] = field(default_factory=dict)


_REGISTRY: Final = _Registry()


class Unknown(RecordingError):  # noqa: N818 - a finding about a file, reads as one
    """The file is of no known format; in a folder it is passed over."""


def register_importer(name: str, importer: Importer) -> None:
    """Add a format; one that is registered later is asked first. Raises ValueError for a name that
    is taken by another.
    """
    if _REGISTRY.importers.setdefault(name, importer) is not importer:
        raise ValueError(f"the format {name!r} is registered already")


def format_names() -> list[str]:
    """Return the names of the known formats."""
    return list(_REGISTRY.importers)


def recognise(path: Path, options: Options) -> Source:
    """Find the importer of a file.

    Raises Unknown when there is none, and RecordingError when the file is damaged.
    """
    names = format_names()
    if options.format != "auto":
        if options.format not in names:
            known = ", ".join(["auto", *names])
            raise RecordingError(path, f"unknown format {options.format!r}", f"known: {known}")
        names = [options.format]
    if path.suffix in {".py", ".parquet", ".md"}:
        raise Unknown(path, "not a recorded format", _advice())
    text = beginning(path)
    if not text.strip():
        raise Unknown(path, "the file is empty", "record it again or leave it out")
    for name in reversed(names):
        source = _REGISTRY.importers[name](path, text, options)
        if source is not None:
            return source
    what = "a recorded format" if options.format == "auto" else f"the format {options.format}"
    raise Unknown(path, f"not {what}", _advice())


def zone_of(path: Path, options: Options) -> ZoneInfo | None:
    """Return the zone the caller named. Raises RecordingError for an unknown one."""
    if options.timezone is None:
        return None
    try:
        return ZoneInfo(options.timezone)
    except (KeyError, ValueError, OSError) as error:
        problem = f"unknown time zone {options.timezone!r}"
        raise RecordingError(path, problem, "give one like Europe/London") from error


def text_bytes(path: Path) -> int:
    """Return how many bytes of text a file holds, from its directory or trailer; for progress."""
    try:
        with path.open("rb") as raw:
            magic = raw.read(2)
            if magic == b"PK":
                with zipfile.ZipFile(raw) as archive:
                    return sum(info.file_size for info in archive.infolist())
            if magic == b"\x1f\x8b":
                # The trailer's length is modulo 2**32; progress may run past 100 % then.
                with gzip.open(path):
                    raw.seek(-4, 2)
                    return int.from_bytes(raw.read(4), "little")
        return path.stat().st_size
    except (OSError, zipfile.BadZipFile):
        return 0


def _advice() -> str:
    return f"give --format (one of {', '.join(format_names())}), or convert it to CSV"
