"""Looks at rows on their way in: takes out what cannot be true, counts what is odd.

Left out by rule, each row for the first that holds: negative, zero, crossed (bid above ask; equal
is a locked market and stays), no volume, and bars whose high or low is not. Counted and kept: rows
earlier than one before them, prices finer than the stream's tick, pauses while the market is open,
and the receiver's clock against the venue's.
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from itertools import pairwise
from typing import Final

import numpy as np
import polars as pl

from tradeloom.marketdata.calendar import Calendar, Opening
from tradeloom.marketdata.history.formats import Piece
from tradeloom.marketdata.history.kinds import PRICES, VOLUME_DIGITS, Kind, Stream
from tradeloom.marketdata.history.limits import EXAMPLES_MAX, GAP_NS, GAPS_MAX, SKEW_MS_MAX
from tradeloom.marketdata.history.report import Finding, Gap, Skew, StreamReport, utc
from tradeloom.marketdata.quotes import Int64Array

_MS: Final = 1_000_000
_SIZES: Final = {
    Kind.QUOTES: ("bid_size", "ask_size"),
    Kind.TRADES: ("volume",),
    Kind.BARS_1M: ("volume",),
    Kind.BOOK: ("size",),
}
# The tick is the decimal place that all but this share of the prices keep to.
_OFF_TICK_SHARE_MAX: Final = 0.01


def rules(kind: Kind) -> dict[str, pl.Expr]:
    """Return what makes a row of this kind unusable, in the order asked."""
    prices, sizes = PRICES[kind], _SIZES[kind]
    found = {
        "negative": pl.any_horizontal(pl.col(name) < 0 for name in (*prices, *sizes)),
        "zero": pl.any_horizontal(pl.col(name) == 0 for name in prices),
    }
    if kind is Kind.QUOTES:
        found["crossed"] = pl.col("bid") > pl.col("ask")
    if kind is Kind.TRADES:
        found["no volume"] = pl.col("volume") == 0
    if kind is Kind.BARS_1M:
        inside = [pl.col(name).is_between("low", "high") for name in ("open", "close")]
        found["high or low is not"] = ~(inside[0] & inside[1])
    return found


class Checker:
    """Checks one source, piece after piece."""

    def __init__(self, opening: Opening, gap_ns: int = GAP_NS) -> None:
        self._calendar = Calendar(opening, (1,) * 24)
        self._gap_ns = gap_ns
        self._streams: dict[Stream, _Seen] = {}

    def passed(self, piece: Piece) -> pl.DataFrame:
        """Return the usable rows of a piece, in its order."""
        seen = self._streams.setdefault(piece.stream, _Seen(piece.stream))
        broken = pl.repeat(False, piece.frame.height, dtype=pl.Boolean, eager=True)
        for name, rule in rules(piece.stream.kind).items():
            now = piece.frame.select(rule.alias("broken"))["broken"] & ~broken
            if now.any():
                seen.quarantine(name, piece.frame, now, piece.digits, piece.line)
                broken |= now
        frame = piece.frame.filter(~broken)
        if frame.height:
            seen.times(frame["ts_ns"].to_numpy(), self._calendar, self._gap_ns)
            seen.places(frame, piece.digits)
            if "venue_ns" in frame.columns:
                seen.clocks(frame)
        return frame

    def reports(self) -> list[StreamReport]:
        """Return what was found, one report per stream."""
        return [seen.report() for seen in self._streams.values()]


def gaps_between(
    parts: list[tuple[StreamReport, Opening]], gap_ns: int = GAP_NS
) -> list[StreamReport]:
    """Find pauses between the sources of a stream, as reports of gaps only."""
    spans: dict[str, list[tuple[StreamReport, Opening]]] = {}
    for part in parts:
        if part[0].rows:
            spans.setdefault(part[0].name, []).append(part)
    found = []
    for each in spans.values():
        each.sort(key=lambda part: (part[0].first_ns, part[0].last_ns))
        first, opening = each[0]
        report = StreamReport(first.venue, first.symbol, first.kind)
        calendar = Calendar(opening, (1,) * 24)
        end_ns = first.last_ns
        for _, (after, _) in pairwise(each):
            _add_gaps(report, np.array([end_ns, after.first_ns]), calendar, gap_ns)
            end_ns = max(end_ns, after.last_ns)
        if report.gap_count:
            found.append(report)
    return found


class _Seen:
    """What was seen of one stream."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._report = StreamReport(stream.venue, stream.symbol, stream.kind.value)
        self._latest_ns = -1
        self._places: Counter[int] = Counter()
        self._skew_ms: Counter[int] = Counter()

    def quarantine(
        self, rule: str, frame: pl.DataFrame, broken: pl.Series, digits: int, line: int | None
    ) -> None:
        rows = broken.arg_true()
        finding = self._report.quarantined.setdefault(rule, Finding())
        finding.count += len(rows)
        for row in rows.head(EXAMPLES_MAX - len(finding.examples)).to_list():
            values = frame.row(row, named=True)
            prices = (
                f"{name} {Decimal(values[name]).scaleb(-digits):f}"
                for name in PRICES[self._stream.kind]
            )
            sizes = (
                f"{name} {Decimal(values[name]).scaleb(-VOLUME_DIGITS).normalize():f}"
                for name in _SIZES[self._stream.kind]
            )
            where = f"line {line + row}, " if line is not None else ""
            what = ", ".join((*prices, *sizes))
            finding.examples.append(f"{where}{utc(values['ts_ns'])} {what}")

    def times(self, ts_ns: Int64Array, calendar: Calendar, gap_ns: int) -> None:
        report = self._report
        report.first_ns = (
            min(report.first_ns, int(ts_ns.min())) if report.rows else int(ts_ns.min())
        )
        report.rows += len(ts_ns)
        known = np.array([self._latest_ns], np.int64) if self._latest_ns >= 0 else ts_ns[:1]
        latest = np.maximum.accumulate(np.concatenate((known, ts_ns)))
        report.out_of_order += int((ts_ns < latest[:-1]).sum())
        _add_gaps(report, latest, calendar, gap_ns)
        self._latest_ns = report.last_ns = int(latest[-1])

    def places(self, frame: pl.DataFrame, digits: int) -> None:
        for name in PRICES[self._stream.kind]:
            price = frame[name].to_numpy()
            for places in range(digits, 0, -1):
                rest = price % 10 != 0
                finer = int(rest.sum())
                self._places[places] += finer
                price = price[~rest] // 10
                if not len(price):
                    break
            self._places[0] += len(price)

    def clocks(self, frame: pl.DataFrame) -> None:
        venue_ns, ts_ns = frame["venue_ns"].to_numpy(), frame["ts_ns"].to_numpy()
        known = venue_ns > 0
        if known.any():
            ms = np.clip((ts_ns[known] - venue_ns[known]) // _MS, -SKEW_MS_MAX, SKEW_MS_MAX)
            values, counts = np.unique(ms, return_counts=True)
            self._skew_ms.update(dict(zip(values.tolist(), counts.tolist(), strict=True)))

    def report(self) -> StreamReport:
        total = self._places.total()
        if total:
            finer = 0
            tick = max(self._places)
            # From the finest place upwards, while the prices that need it stay few.
            while tick and finer + self._places[tick] <= total * _OFF_TICK_SHARE_MAX:
                finer += self._places[tick]
                tick -= 1
            self._report.off_tick = finer
            self._report.tick = f"1e-{tick}"
        if self._skew_ms:
            ms = sorted(self._skew_ms)
            below = np.cumsum([self._skew_ms[each] for each in ms])
            rows = int(below[-1])
            at = [ms[int(np.searchsorted(below, rows * share))] for share in (0.5, 0.99)]
            self._report.skew = Skew(rows, ms[0], at[0], at[1])
        return self._report


def _add_gaps(report: StreamReport, ts_ns: Int64Array, calendar: Calendar, gap_ns: int) -> None:
    """Add the pauses between consecutive times, longer than `gap_ns` of open market."""
    long = np.flatnonzero(np.diff(ts_ns) > gap_ns)
    if not len(long):
        return
    before, after = ts_ns[long], ts_ns[long + 1]
    opened = calendar.to_busy(after) - calendar.to_busy(before)
    for from_ns, to_ns, open_ns in zip(before, after, opened, strict=True):
        if open_ns > gap_ns:
            report.gap_count += 1
            if len(report.gaps) < GAPS_MAX:
                report.gaps.append(Gap(int(from_ns), int(to_ns), int(open_ns)))
