"""Checks a whole catalog: every file against the log, every stream by the rules of an import."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tradeloom.marketdata.calendar import Opening
from tradeloom.marketdata.history.catalog import Catalog, Coverage
from tradeloom.marketdata.history.checks import Checker
from tradeloom.marketdata.history.formats import Piece
from tradeloom.marketdata.history.kinds import DIGITS
from tradeloom.marketdata.history.limits import GAP_NS
from tradeloom.marketdata.history.parts import stream_folder
from tradeloom.marketdata.history.report import Refused, Report, SourceReport

# Venues that close; all others are open day and night.
_OPENING: Final = {
    "fxcm": Opening.WEEKDAYS,
    "oanda": Opening.WEEKDAYS,
    "usa": Opening.EXCHANGE,
    "schwab": Opening.EXCHANGE,
}


def check_catalog(
    catalog: Catalog,
    *,
    opening: Opening | None = None,
    gap_ns: int = GAP_NS,
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Return what is damaged (`refused`) and what is odd in the rows of sound files.

    Raises CatalogError when the log cannot be read.
    """
    report = Report()
    damaged = catalog.verify()
    report.refused = [Refused(each.path, f"{each.path}: {each.problem}") for each in damaged]
    broken = {each.path.rsplit("/", 2)[0] for each in damaged}
    streams = catalog.coverage()
    total, done = sum(each.rows for each in streams), 0
    for each in streams:
        if not any(_is_of(path, each) for path in broken):
            report.sources.append(_checked(catalog, each, opening, gap_ns))
        done += each.rows
        if progress is not None:
            progress(done, total)
    return report


def _checked(
    catalog: Catalog, covered: Coverage, opening: Opening | None, gap_ns: int
) -> SourceReport:
    stream = covered.stream
    checker = Checker(opening or _OPENING.get(stream.venue, Opening.ALWAYS), gap_ns)
    for rows in catalog.read(*stream):
        checker.passed(Piece(stream, int(rows[DIGITS][0]), rows.drop(DIGITS)))
    found = SourceReport(str(stream), "catalog", covered.size, covered.rows)
    found.streams = checker.reports()
    return found


def _is_of(partition: str, covered: Coverage) -> bool:
    return partition == stream_folder(covered.stream)
