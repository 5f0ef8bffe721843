"""The history catalog: Parquet files by venue, symbol, kind and UTC day, and a log that names them.

    catalog/
      _log/0000000001.commit.json …                                 which files count
      venue=oanda/symbol=EURUSD/kind=quotes/day=2014-05-05/….parquet

One process writes at a time, any number reads; a reader sees the catalog as of one commit. A row
that is there already (same time, same values, same trade id) is not stored again.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import NamedTuple

import polars as pl

from tradeloom.marketdata.history.errors import CatalogError
from tradeloom.marketdata.history.kinds import COLUMNS, DIGITS, PRICES, Kind, Stream
from tradeloom.marketdata.history.limits import PART_ROWS_MAX, WRITERS_MAX
from tradeloom.marketdata.history.log import Commit, Log, Part, SourceState, State
from tradeloom.marketdata.history.parts import (
    by_day,
    file_digest,
    merged,
    rescaled,
    runs,
    shaped,
    write_part,
)
from tradeloom.marketdata.recordings.catalog import is_catalog


class Rows(NamedTuple):
    """Rows to store: a frame with the kind's columns, prices with `digits` decimals."""

    stream: Stream
    frame: pl.DataFrame
    digits: int


class Written(NamedTuple):
    """What became of rows: stored, and left out because they were there already."""

    stored: int
    duplicates: int


class Coverage(NamedTuple):
    """What the catalog holds of one stream; times are those of the first and last row, UTC ns."""

    stream: Stream
    days: int
    rows: int
    first_ns: int
    last_ns: int
    digits: int
    size: int


class Damage(NamedTuple):
    """A file that is not as the log says."""

    path: str
    problem: str


class Catalog:
    """A catalog in a folder."""

    def __init__(self, root: Path | str, *, create: bool = False) -> None:
        """Open it. Raises CatalogError when there is none (and `create` is False)."""
        self.root = Path(root)
        self._log = Log(self.root)
        if create:
            if self.root.exists() and not self.root.is_dir():
                raise CatalogError(self.root, "not a folder", "give a folder for the catalog")
            self._log.folder.mkdir(parents=True, exist_ok=True)
        elif not is_catalog(self.root):
            advice = "make one with `tradeloom data import`"
            raise CatalogError(self.root, "not a history catalog", advice)

    def append(
        self, venue: str, symbol: str, kind: Kind, frame: pl.DataFrame, digits: int
    ) -> Written:
        """Add rows that are not there yet, durably. Raises CatalogError for unusable rows."""
        with self.writing() as state:
            name = f"append-{state.number + 1:010d}"
            return self.commit(state, [Rows(Stream(venue, symbol, kind), frame, digits)], name)

    def write(
        self, venue: str, symbol: str, kind: Kind, frame: pl.DataFrame, digits: int
    ) -> Written:
        """Put rows in the place of all rows of the UTC days they touch, in one commit."""
        stream = Stream(venue, symbol, kind)
        with self.writing() as state:
            rows = shaped(stream, frame, digits)
            name = f"write-{state.number + 1:010d}"
            added = [
                write_part(self.root, stream, day, name, part, digits) for day, part in by_day(rows)
            ]
            days = {part.day for part in added}
            replaced = [each.path for each in self._parts(state, stream) if each.day in days]
            self._log.append(state, Commit(tuple(added), tuple(replaced)))
            self._sweep(replaced)
        return Written(rows.height, frame.height - rows.height)

    def scan(
        self,
        venue: str,
        symbol: str,
        kind: Kind,
        start_ns: int | None = None,
        end_ns: int | None = None,
    ) -> pl.LazyFrame:
        """Return a lazy frame of the rows of start <= ts_ns < end in time order.

        All prices have the same `digits`, the largest of the stream's.
        """
        parts, digits = self._within(Stream(venue, symbol, kind), start_ns, end_ns)
        schema = {**COLUMNS[kind], DIGITS: pl.UInt8()}
        if not parts:
            return pl.LazyFrame(schema=schema)
        groups = []
        for run in runs(parts):
            frames = []
            for part in run:
                rows = pl.scan_parquet(self.root / part.path, hive_partitioning=False)
                factor = 10 ** (digits - part.digits)
                if factor > 1:
                    scaled = [pl.col(name) * factor for name in PRICES[kind]]
                    rows = rows.with_columns(*scaled, pl.lit(digits, pl.UInt8).alias(DIGITS))
                frames.append(rows)
            whole = pl.concat(frames)
            groups.append(whole.sort("ts_ns", maintain_order=True) if len(run) > 1 else whole)
        rows = pl.concat(groups)
        if start_ns is not None:
            rows = rows.filter(pl.col("ts_ns") >= start_ns)
        return rows if end_ns is None else rows.filter(pl.col("ts_ns") < end_ns)

    def read(
        self,
        venue: str,
        symbol: str,
        kind: Kind,
        start_ns: int | None = None,
        end_ns: int | None = None,
    ) -> Iterator[pl.DataFrame]:
        """Yield the same rows in frames that follow each other in time, none empty.

        Memory holds the files that overlap in time, one when the stream is compacted.
        """
        parts, digits = self._within(Stream(venue, symbol, kind), start_ns, end_ns)
        for run in runs(parts):
            rows = merged(self.root, kind, run, digits)
            if start_ns is not None:
                rows = rows.filter(pl.col("ts_ns") >= start_ns)
            if end_ns is not None:
                rows = rows.filter(pl.col("ts_ns") < end_ns)
            if rows.height:
                yield rows

    def days(self, venue: str, symbol: str, kind: Kind) -> list[date]:
        """Return the UTC days that have rows, in order."""
        parts = self._parts(self._log.load(), Stream(venue, symbol, kind))
        return sorted({date.fromisoformat(part.day) for part in parts})

    def coverage(self) -> list[Coverage]:
        """Return what is there, one line per stream, sorted."""
        streams: dict[Stream, list[Part]] = {}
        for part in self._log.load().parts.values():
            streams.setdefault(part.stream, []).append(part)
        return [
            Coverage(
                stream,
                len({part.day for part in parts}),
                sum(part.rows for part in parts),
                min(part.first_ns for part in parts),
                max(part.last_ns for part in parts),
                max(part.digits for part in parts),
                sum(part.size for part in parts),
            )
            for stream, parts in sorted(streams.items())
        ]

    def compact(self) -> int:
        """Join the files of each day into few that do not overlap; sweep rubbish left by kills.

        Returns the number of files that went away. A reader that opened the catalog before may
        find its files gone and has to read again.
        """
        with self.writing() as state:
            before = len(state.parts)
            days: dict[tuple[Stream, str], list[Part]] = {}
            for part in state.parts.values():
                days.setdefault((part.stream, part.day), []).append(part)
            for (stream, day), parts in sorted(days.items()):
                if len(parts) > 1:
                    self._join(state, stream, date.fromisoformat(day), parts)
            self._log.fold(state)
            for orphan in self._orphans(state):
                orphan.unlink(missing_ok=True)
            return before - len(state.parts)

    def verify(self) -> list[Damage]:
        """Read every file and compare it with the log; an empty list means all is well."""
        state = self._log.load()
        found = []
        for part in sorted(state.parts.values(), key=lambda part: part.path):
            path = self.root / part.path
            if not path.is_file():
                found.append(Damage(part.path, "the file is gone"))
            elif path.stat().st_size != part.size or file_digest(path) != part.digest:
                found.append(Damage(part.path, "the file was changed or damaged"))
        return found

    def orphans(self) -> list[Path]:
        """Return files that no commit names, left by a killed writer; `compact` sweeps them."""
        return self._orphans(self._log.load())

    def sources(self) -> dict[str, SourceState]:
        """Return the imported sources by digest."""
        return self._log.load().sources

    @contextmanager
    def writing(self) -> Iterator[State]:
        """Hold the catalog's only writer's place. Raises CatalogError when it is taken."""
        with (self._log.folder / "writer.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                problem = "another process is writing to this catalog"
                raise CatalogError(self.root, problem, "wait until it is done") from error
            yield self._log.load()

    def commit(
        self,
        state: State,
        batch: Sequence[Rows],
        name: str,
        source: SourceState | None = None,
    ) -> Written:
        """Store a batch under a file name of the caller's, with the progress of its source.

        Every stream may occur once. The caller is inside `writing`, which gave the state.
        """

        def written(rows: Rows) -> list[Part]:
            new = shaped(rows.stream, rows.frame, rows.digits)
            new = self._without_known(state, rows.stream, new, rows.digits)
            return [
                write_part(self.root, rows.stream, day, name, part, rows.digits)
                for day, part in by_day(new)
            ]

        # Side by side: what a file costs is waiting for the disk.
        with ThreadPoolExecutor(max(1, min(len(batch), WRITERS_MAX))) as writers:
            added = [part for parts in writers.map(written, batch) for part in parts]
        given = sum(rows.frame.height for rows in batch)
        stored = sum(part.rows for part in added)
        if source is not None:
            source = SourceState(
                source.digest,
                source.batches,
                source.duplicates + given - stored,
                source.stored + stored,
            )
        if added or source is not None:
            self._log.append(state, Commit(tuple(added), (), source))
        return Written(stored, given - stored)

    def finish(self, state: State, source: SourceState) -> None:
        """Record that a source is imported to its end."""
        self._log.append(state, Commit(source=source))

    def _without_known(
        self, state: State, stream: Stream, rows: pl.DataFrame, digits: int
    ) -> pl.DataFrame:
        if not rows.height:
            return rows
        first_ns, last_ns = int(rows["ts_ns"][0]), int(rows["ts_ns"][-1])
        parts = [
            part
            for part in self._parts(state, stream)
            if part.last_ns >= first_ns and part.first_ns <= last_ns
        ]
        if not parts:
            return rows
        finest = max(digits, *(part.digits for part in parts))
        known = merged(self.root, stream.kind, parts, finest)
        known = known.filter(pl.col("ts_ns").is_between(first_ns, last_ns))
        columns = list(COLUMNS[stream.kind])
        numbered = rows.with_columns(pl.lit(digits, pl.UInt8).alias(DIGITS)).with_row_index("_at")
        same_scale = rescaled(stream.kind, numbered, finest)
        kept = same_scale.join(known, on=columns, how="anti", maintain_order="left")["_at"]
        return rows if len(kept) == rows.height else rows[kept]

    def _join(self, state: State, stream: Stream, day: date, parts: list[Part]) -> None:
        digits = max(part.digits for part in parts)
        rows = merged(self.root, stream.kind, sorted(parts, key=lambda part: part.path), digits)
        rows = rows.drop(DIGITS)
        added = [
            write_part(
                self.root,
                stream,
                day,
                f"joined-{state.number + 1:010d}-{at // PART_ROWS_MAX:05d}",
                rows.slice(at, PART_ROWS_MAX),
                digits,
            )
            for at in range(0, rows.height, PART_ROWS_MAX)
        ]
        gone = [part.path for part in parts]
        self._log.append(state, Commit(tuple(added), tuple(gone)))
        self._sweep(gone)

    def _within(
        self, stream: Stream, start_ns: int | None, end_ns: int | None
    ) -> tuple[list[Part], int]:
        """Return the files that reach into a span, and the digits of the whole stream."""
        every = self._parts(self._log.load(), stream)
        found = [
            part
            for part in every
            if (start_ns is None or part.last_ns >= start_ns)
            and (end_ns is None or part.first_ns < end_ns)
        ]
        return found, max((part.digits for part in every), default=0)

    def _parts(self, state: State, stream: Stream) -> list[Part]:
        return [part for part in state.parts.values() if part.stream == stream]

    def _orphans(self, state: State) -> list[Path]:
        found = [*self.root.glob("venue=*/**/*.parquet"), *self.root.glob("venue=*/**/*.new")]
        return sorted(
            path for path in found if path.relative_to(self.root).as_posix() not in state.parts
        )

    def _sweep(self, paths: Sequence[str]) -> None:
        for path in paths:
            (self.root / path).unlink(missing_ok=True)
