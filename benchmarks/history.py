"""The history catalog: rows imported and scanned per second, beside plain Python in the same run.

    python -m benchmarks.history [rows]

The rows are a CSV file of quotes made from a seed. The baseline reads it with the csv module,
Decimal, checks, deduplicates and writes one file: what one would write
in an evening. Both must find the same quotes.
"""

from __future__ import annotations

import csv
import random
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path

import polars as pl

from benchmarks.report import row, write
from tradeloom.marketdata.history import Catalog, Kind, import_paths
from tradeloom.marketdata.history.limits import BATCH_ROWS

ROWS = 1_000_000
START_MS = 1_400_000_000_000
DIGITS = 5


def make(path: Path, rows: int) -> None:
    """Write quotes of a random walk, four a second."""
    chance = random.Random(7)
    bid = 138_000
    with path.open("w") as out:
        out.write("ts_ms,bid,ask\n")
        for at in range(rows):
            bid += chance.randrange(-3, 4)
            ask = bid + chance.randrange(1, 20)
            out.write(
                f"{START_MS + at * 250},{bid // 100_000}.{bid % 100_000:05d},"
                f"{ask // 100_000}.{ask % 100_000:05d}\n"
            )


def plain(path: Path, out: Path) -> tuple[int, int]:
    """Import with the standard library; returns rows and the sum of all mids' doubles."""
    seen = set()
    total = 0
    scale = 10**DIGITS
    with path.open() as text, out.open("w", newline="") as made:
        writer = csv.writer(made)
        for each in csv.DictReader(text):
            ts_ns = int(each["ts_ms"]) * 1_000_000
            bid, ask = int(Decimal(each["bid"]) * scale), int(Decimal(each["ask"]) * scale)
            key = (ts_ns, bid, ask)
            if bid <= 0 or bid > ask or key in seen:
                continue
            seen.add(key)
            total += bid + ask
            writer.writerow(key)
    return len(seen), total


def plain_scan(path: Path) -> tuple[int, int]:
    """Read what the baseline wrote."""
    rows = total = 0
    with path.open() as text:
        for _, bid, ask in csv.reader(text):
            rows += 1
            total += int(bid) + int(ask)
    return rows, total


def scan(catalog: Catalog) -> tuple[int, int]:
    """Read the catalog back."""
    rows = total = 0
    for frame in catalog.read("csv", "EURUSD", Kind.QUOTES):
        rows += frame.height
        total += int(frame["bid"].sum()) + int(frame["ask"].sum())
    return rows, total


def main(rows: int) -> None:
    """Measure and write build/bench/history.json."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "EURUSD.csv"
        make(source, rows)
        clock = time.perf_counter
        begin = clock()
        baseline = plain(source, Path(folder) / "plain.csv")
        plain_s = clock() - begin
        begin = clock()
        assert plain_scan(Path(folder) / "plain.csv") == baseline
        plain_scan_s = clock() - begin
        catalog = Catalog(Path(folder) / "catalog", create=True)
        begin = clock()
        report = import_paths(catalog, [source], batch_rows=BATCH_ROWS)
        ours_s = clock() - begin
        assert report.stored == baseline[0], report
        begin = clock()
        assert scan(catalog) == baseline
        scan_s = clock() - begin
        begin = clock()
        lazy = catalog.scan("csv", "EURUSD", Kind.QUOTES)
        assert (
            lazy.select(pl.col("bid").sum() + pl.col("ask").sum()).collect().item() == baseline[1]
        )
        lazy_s = clock() - begin
        size = sum(each.size for each in catalog.coverage()) / rows
        text = source.stat().st_size / rows
    write(
        "history",
        [
            row("quotes imported from CSV, checked, deduplicated, durable", rows / ours_s, "rows/s",
                at_least=200_000, baseline=f"csv and Decimal: {rows / plain_s:,.0f} rows/s"),
            row("import over plain Python", plain_s / ours_s, "times", at_least=3,
                baseline="1 = csv and Decimal"),
            row("quotes read back in time order", rows / scan_s, "rows/s", at_least=5_000_000,
                baseline=f"csv reader: {rows / plain_scan_s:,.0f} rows/s"),
            row("quotes summed by a lazy scan", rows / lazy_s, "rows/s",
                baseline=f"csv reader: {rows / plain_scan_s:,.0f} rows/s"),
            row("bytes a quote", size, "bytes", at_most=16, baseline=f"CSV: {text:.1f} bytes"),
        ],
    )  # fmt: skip


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS)
