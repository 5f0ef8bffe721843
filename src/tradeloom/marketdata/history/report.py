"""What an import or a check found: counts, first examples, gaps, clocks; printed or as JSON."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
from rich.console import Console, RenderableType
from rich.console import Group as Stacked
from rich.table import Table
from rich.text import Text

from tradeloom.marketdata.history.limits import EXAMPLES_MAX, GAPS_MAX


class Finding(msgspec.Struct):
    """How often a rule was broken, and the first rows that did."""

    count: int = 0
    examples: list[str] = msgspec.field(default_factory=list)

    def add(self, other: Finding) -> None:
        """Count another part's findings in."""
        self.count += other.count
        self.examples = [*self.examples, *other.examples][:EXAMPLES_MAX]


class Gap(msgspec.Struct, frozen=True):
    """A pause: from the last row before it to the first after it, and how long the market was open
    in between, all in nanoseconds (UTC).
    """

    from_ns: int
    to_ns: int
    open_ns: int


class Skew(msgspec.Struct, frozen=True):
    """Receive time minus venue time in milliseconds. A negative median: the receiver's clock is
    behind the venue's.
    """

    rows: int
    min_ms: int
    median_ms: int
    p99_ms: int


class StreamReport(msgspec.Struct):
    """One stream of a source: rows that passed, rows left out by rule, and what looks odd."""

    venue: str
    symbol: str
    kind: str
    rows: int = 0
    first_ns: int = 0
    last_ns: int = 0
    quarantined: dict[str, Finding] = msgspec.field(default_factory=dict)
    out_of_order: int = 0
    off_tick: int = 0
    tick: str = ""
    gap_count: int = 0
    gaps: list[Gap] = msgspec.field(default_factory=list)
    skew: Skew | None = None

    @property
    def name(self) -> str:
        """Return venue/symbol/kind."""
        return f"{self.venue}/{self.symbol}/{self.kind}"

    def add(self, other: StreamReport) -> None:
        """Count another source's part of the same stream in; skew is the larger sample's."""
        spans = [each for each in (self, other) if each.rows]
        self.first_ns = min((each.first_ns for each in spans), default=0)
        self.last_ns = max((each.last_ns for each in spans), default=0)
        self.rows += other.rows
        for rule, finding in other.quarantined.items():
            self.quarantined.setdefault(rule, Finding()).add(finding)
        self.out_of_order += other.out_of_order
        self.off_tick += other.off_tick
        self.tick = self.tick or other.tick
        self.gap_count += other.gap_count
        self.gaps = [*self.gaps, *other.gaps][:GAPS_MAX]
        if other.skew and (self.skew is None or other.skew.rows > self.skew.rows):
            self.skew = other.skew


class SourceReport(msgspec.Struct):
    """One source file: its format, rows stored, rows that were there already, its streams."""

    path: str
    format: str
    text_bytes: int
    stored: int = 0
    duplicates: int = 0
    ignored: dict[str, int] = msgspec.field(default_factory=dict)
    streams: list[StreamReport] = msgspec.field(default_factory=list)


class Refused(msgspec.Struct, frozen=True):
    """A file that was not imported, and why."""

    path: str
    reason: str


class Report(msgspec.Struct):
    """A whole import or check."""

    sources: list[SourceReport] = msgspec.field(default_factory=list)
    known: int = 0  # sources that were imported before and only counted again
    refused: list[Refused] = msgspec.field(default_factory=list)
    skipped: list[Refused] = msgspec.field(default_factory=list)
    between: list[StreamReport] = msgspec.field(default_factory=list)  # gaps between two sources

    @property
    def stored(self) -> int:
        """Return the rows these sources brought."""
        return sum(each.stored for each in self.sources)

    @property
    def duplicates(self) -> int:
        """Return the rows that were in the catalog already."""
        return sum(each.duplicates for each in self.sources)

    def streams(self) -> list[StreamReport]:
        """Return one report per stream, over all sources, sorted by name."""
        total: dict[str, StreamReport] = {}
        for part in [*(each for source in self.sources for each in source.streams), *self.between]:
            if part.name not in total:
                total[part.name] = StreamReport(part.venue, part.symbol, part.kind)
            total[part.name].add(part)
        return [total[name] for name in sorted(total)]

    def to_json(self) -> bytes:
        """Return everything as one JSON object, with the totals per stream beside the sources."""
        whole = msgspec.to_builtins(self)
        whole |= {"stored": self.stored, "duplicates": self.duplicates}
        whole["streams"] = msgspec.to_builtins(self.streams())
        return msgspec.json.format(msgspec.json.encode(whole), indent=1)

    def show(self, console: Console) -> None:
        """Print the totals per stream, then what was found, a line each."""
        console.print(self)

    def __rich__(self) -> RenderableType:
        table = Table(box=None, pad_edge=False)
        for column in ("stream", "first", "last"):
            table.add_column(column, no_wrap=True)
        heads = ("rows", "quarantined", "out of order", "off tick", "gaps", "clock, ms")
        for column in heads:
            table.add_column(column, justify="right")
        lines: list[RenderableType] = [table]
        for each in self.streams():
            out = sum(finding.count for finding in each.quarantined.values())
            skew = f"{each.skew.median_ms:+,}" if each.skew else "-"
            counts = (each.rows, out, each.out_of_order, each.off_tick, each.gap_count)
            span = (utc(each.first_ns), utc(each.last_ns)) if each.rows else ("-", "-")
            table.add_row(each.name, *span, *(f"{count:,}" for count in counts), skew)
            lines += [Text(f"  {line}") for line in _notes(each)]
        head = f"{len(self.sources):,} sources ({self.known:,} imported before), "
        head += f"{self.stored:,} rows stored, {self.duplicates:,} duplicates left out"
        if self.skipped:
            head += f", {len(self.skipped):,} files of other kinds passed over"
        refused = [Text(f"not imported: {each.reason}") for each in self.refused]
        return Stacked(*lines, Text(head), *refused)


def utc(ts_ns: int) -> str:
    """Return a time as ISO 8601 in UTC, cut to milliseconds."""
    when = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=ts_ns // 1_000)
    return f"{when:%Y-%m-%dT%H:%M:%S}.{when.microsecond // 1000:03d}Z"


def _notes(each: StreamReport) -> list[str]:
    notes = [
        f"{each.name}: {rule} {finding.count:,}, first {finding.examples[0]}"
        for rule, finding in each.quarantined.items()
        if finding.examples
    ]
    if each.gaps:
        gap = max(each.gaps, key=lambda gap: gap.open_ns)
        minutes = gap.open_ns / 60e9
        notes.append(
            f"{each.name}: {each.gap_count:,} gaps, longest listed {minutes:,.1f} open minutes "
            f"from {utc(gap.from_ns)} to {utc(gap.to_ns)}"
        )
    if each.skew and each.skew.median_ms < 0:
        notes.append(
            f"{each.name}: the receiving clock was {-each.skew.median_ms:,} ms behind the venue's"
        )
    return notes
