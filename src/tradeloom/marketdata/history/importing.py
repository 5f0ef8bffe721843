"""Brings recorded files into a catalog: resumable, deduplicated, checked.

A source is known by the digest of its bytes and of everything else that decides what is read from
it. Its rows are cut into batches of a fixed number, and every batch is one commit. Killed in the
middle, the next import reads the file again, passes over the batches that are there, and goes on:
the catalog is byte for byte the one of an import that was not disturbed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import polars as pl

from tradeloom.marketdata.calendar import Opening
from tradeloom.marketdata.history.catalog import Catalog, Rows
from tradeloom.marketdata.history.checks import Checker, gaps_between
from tradeloom.marketdata.history.formats import Options, Piece, Source, Unknown, recognise
from tradeloom.marketdata.history.formats.format import text_bytes
from tradeloom.marketdata.history.kinds import COLUMNS, DIGITS, Stream
from tradeloom.marketdata.history.limits import BATCH_ROWS, GAP_NS
from tradeloom.marketdata.history.log import SourceState, State
from tradeloom.marketdata.history.parts import file_digest, rescaled
from tradeloom.marketdata.history.report import Refused, Report, SourceReport, StreamReport
from tradeloom.marketdata.limits import FILES_MAX
from tradeloom.marketdata.recordings.catalog import is_catalog
from tradeloom.marketdata.recordings.errors import RecordingError

# Text bytes done and in total.
Progress = Callable[[int, int], None]
_KEY_BYTES: Final = 16


def import_paths(
    catalog: Catalog,
    paths: Sequence[Path | str],
    options: Options | None = None,
    *,
    progress: Progress | None = None,
    batch_rows: int = BATCH_ROWS,
    gap_ns: int = GAP_NS,
) -> Report:
    """Import files, and all files below folders; in folders, files of other kinds are passed over.

    A file that cannot be read is in the report's `refused`, the others are imported. `gap_ns`: the
    shortest pause reported. Raises RecordingError for options no file can be read with, and
    CatalogError when the catalog is being written by another process.
    """
    options = options or Options()
    report = Report()
    files = list(_files([Path(path) for path in paths]))
    sizes = [text_bytes(path) for path, _ in files]
    total, before = sum(sizes), 0
    spans: list[tuple[StreamReport, Opening]] = []
    with catalog.writing() as state:
        for (path, by_name), size in zip(files, sizes, strict=True):
            try:
                source = recognise(path, options)
                tell = _told(progress, before, total)
                found = _Import(catalog, state, source, batch_rows, gap_ns, tell).run(report)
                report.sources.append(found)
                spans += [(each, source.opening) for each in found.streams]
            except Unknown as unknown:
                kept = report.refused if by_name else report.skipped
                kept.append(Refused(str(path), str(unknown)))
            except RecordingError as error:
                report.refused.append(Refused(str(path), str(error)))
            before += size
            if progress is not None:
                progress(before, total)
    report.between = gaps_between(spans, gap_ns)
    return report


class _Import:
    """The import of one source."""

    def __init__(
        self,
        catalog: Catalog,
        state: State,
        source: Source,
        batch_rows: int,
        gap_ns: int,
        tell: Callable[[int], None],
    ) -> None:
        self._catalog = catalog
        self._state = state
        self._source = source
        self._batch_rows = batch_rows
        self._tell = tell
        self._checker = Checker(source.opening, gap_ns)
        self._waiting: dict[Stream, list[Piece]] = {}
        self._rows = 0
        self._batch = 0
        self._key = _key(source, batch_rows)

    def run(self, report: Report) -> SourceReport:
        """Import it, or return what was found when that was done before."""
        done = self._state.sources.get(self._key)
        if done is not None and done.done and done.report is not None:
            report.known += 1
            return done.report
        for piece in self._source.pieces():
            passed = piece._replace(frame=self._checker.passed(piece))
            self._waiting.setdefault(piece.stream, []).append(passed)
            self._rows += passed.frame.height
            self._tell(self._source.done)
            if self._rows >= self._batch_rows:
                self._flush(last=False)
        self._flush(last=True)
        state = self._state.sources.get(self._key, SourceState(self._key, 0))
        found = SourceReport(
            str(self._source.path),
            self._source.format,
            self._source.done,
            state.stored,
            state.duplicates,
            {why: count for why, count in self._source.ignored.items() if count},
            self._checker.reports(),
        )
        finished = SourceState(
            self._key, state.batches, state.duplicates, state.stored, True, found
        )
        self._catalog.finish(self._state, finished)
        return found

    def _flush(self, *, last: bool) -> None:
        batch = []
        self._rows = 0
        for stream, pieces in sorted(self._waiting.items()):
            rows = _joined(stream, pieces)
            held = rows.frame.clear()
            if pieces[0].unnamed:
                # Equal trades are told apart by their number, so none may be cut from its equals.
                frame = rows.frame
                if not last and frame.height:
                    tail = frame["ts_ns"] == frame["ts_ns"][-1]
                    held, frame = frame.filter(tail), frame.filter(~tail)
                rows = rows._replace(frame=_numbered(frame))
            batch.append(rows)
            self._waiting[stream] = [Piece(stream, rows.digits, held, None, pieces[0].unnamed)]
            self._rows += held.height
        known = self._state.sources.get(self._key, SourceState(self._key, 0))
        if self._batch >= known.batches and any(rows.frame.height for rows in batch):
            name = f"{self._key[:16]}-{self._batch:05d}"
            progress = SourceState(self._key, self._batch + 1, known.duplicates, known.stored)
            self._catalog.commit(self._state, batch, name, progress)
        self._batch += 1


def _joined(stream: Stream, pieces: list[Piece]) -> Rows:
    digits = max(piece.digits for piece in pieces)
    columns = list(COLUMNS[stream.kind])
    frames = [
        rescaled(
            stream.kind,
            piece.frame.with_columns(pl.lit(piece.digits, pl.UInt8).alias(DIGITS)),
            digits,
        ).select(columns)
        for piece in pieces
        if piece.frame.height
    ]
    return Rows(stream, pl.concat(frames) if frames else pieces[0].frame.select(columns), digits)


def _numbered(trades: pl.DataFrame) -> pl.DataFrame:
    """Give the second and later of equal trades `#2`, `#3`… behind what stands for an id."""
    number = pl.int_range(1, pl.len() + 1).over(trades.columns)
    suffix = pl.when(number > 1).then(pl.format("#{}", number)).otherwise(pl.lit(""))
    return trades.with_columns((pl.col("trade_id") + suffix).alias("trade_id"))


def _key(source: Source, batch_rows: int) -> str:
    try:
        content = file_digest(source.path)
    except OSError as error:
        problem = error.strerror or str(error)
        raise RecordingError(source.path, problem, "check the path") from error
    text = f"{content}|{source.identity}|{batch_rows}"
    return hashlib.blake2b(text.encode(), digest_size=_KEY_BYTES).hexdigest()


def _told(progress: Progress | None, before: int, total: int) -> Callable[[int], None]:
    def tell(done: int) -> None:
        if progress is not None:
            progress(before + done, total)

    return tell


def _files(given: Sequence[Path]) -> Iterator[tuple[Path, bool]]:
    """Yield each file once, sorted inside each folder, with whether it was given by name."""
    seen: set[Path] = set()
    for path in given:
        if path.is_dir() and is_catalog(path):
            raise RecordingError(path, "a history catalog", "give recordings to import")
        below = path.is_dir()
        for each in sorted(path.rglob("*")) if below else [path]:
            if (below and not each.is_file()) or each.resolve() in seen:
                continue
            seen.add(each.resolve())
            if len(seen) > FILES_MAX:
                raise RecordingError(path, f"more than {FILES_MAX} files", "give a smaller folder")
            yield each, not below
