"""The catalog against a plain Python oracle: what was written comes back, once, in order."""

from __future__ import annotations

import tempfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradeloom.marketdata.history import Catalog, CatalogError, Kind, quote_chunks

DAY_NS = 86_400_000_000_000
COLUMNS = ("ts_ns", "venue_ns", "bid", "ask", "bid_size", "ask_size")
Row = tuple[int, int, int, int, int, int]

# Few values, so that equal rows and equal times are common; times cross two midnights.
_row = st.tuples(
    st.integers(-3, 3).map(lambda each: 16_000 * DAY_NS + each * DAY_NS // 2),
    st.just(0),
    st.integers(1, 3),
    st.integers(3, 4),
    st.just(0),
    st.integers(0, 1),
)
_batches = st.lists(st.tuples(st.integers(2, 5), st.lists(_row, max_size=30)), max_size=6)


def frame(rows: list[Row]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=dict.fromkeys(COLUMNS, pl.Int64), orient="row")


def everything(catalog: Catalog, start: int | None = None, end: int | None = None) -> list[Row]:
    frames = list(catalog.read("v", "S", Kind.QUOTES, start, end))
    for each in frames:
        assert each["ts_ns"].is_sorted()
    rows = [row for each in frames for row in each.rows()]
    return [row[:-1] for row in rows]


@settings(max_examples=40, deadline=None)
@given(batches=_batches, compacted=st.booleans())
def test_appended_rows_come_back_once_in_time_order(
    batches: list[tuple[int, list[Row]]], compacted: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        catalog = Catalog(folder, create=True)
        oracle: set[tuple[int, ...]] = set()
        finest = max((digits for digits, rows in batches if rows), default=0)
        for digits, rows in batches:
            written = catalog.append("v", "S", Kind.QUOTES, frame(rows), digits)
            scale = 10 ** (finest - digits) if rows else 1
            scaled = {(ts, v, bid * scale, ask * scale, *s) for ts, v, bid, ask, *s in rows}
            assert written.stored == len(scaled - oracle)
            assert written.duplicates == len(rows) - written.stored
            oracle |= scaled
        if compacted:
            catalog.compact()
        read = everything(catalog)
        assert sorted(read) == sorted(oracle)
        assert [row[0] for row in read] == sorted(row[0] for row in oracle)
        scanned = catalog.scan("v", "S", Kind.QUOTES).collect()
        assert sorted(row[:-1] for row in scanned.rows()) == sorted(oracle)
        assert scanned["ts_ns"].is_sorted()
        start, end = 16_000 * DAY_NS - 1, 16_000 * DAY_NS + DAY_NS
        inside = sorted(row for row in oracle if start <= row[0] < end)
        assert sorted(everything(catalog, start, end)) == inside
        days = {row[0] // DAY_NS for row in oracle}
        assert len(catalog.days("v", "S", Kind.QUOTES)) == len(days)
        covered = catalog.coverage()
        assert sum(each.rows for each in covered) == len(oracle)
        assert not catalog.verify()
        assert not catalog.orphans()


def test_write_replaces_the_days_it_touches(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path, create=True)
    first = [(DAY_NS, 0, 1, 2, 0, 0), (2 * DAY_NS, 0, 1, 2, 0, 0)]
    catalog.append("v", "S", Kind.QUOTES, frame(first), 2)
    catalog.write("v", "S", Kind.QUOTES, frame([(DAY_NS + 5, 0, 3, 4, 0, 0)]), 2)
    assert everything(catalog) == [(DAY_NS + 5, 0, 3, 4, 0, 0), first[1]]
    assert not catalog.orphans()


def test_a_long_log_is_folded_and_reads_the_same(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path, create=True)
    for at in range(140):
        catalog.append("v", "S", Kind.QUOTES, frame([(DAY_NS + at, 0, 1, 2, 0, 0)]), 0)
    assert len(list((tmp_path / "_log").glob("*.json"))) < 20
    assert len(everything(Catalog(tmp_path))) == 140
    assert catalog.compact() == 139
    assert len(list(tmp_path.glob("venue=*/**/*.parquet"))) == 1
    chunks = list(quote_chunks(catalog, "v", "S", rows_max=64))
    assert [len(chunk) for chunk in chunks] == [64, 64, 12]


def test_odd_names_are_kept_apart_from_the_folders(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path, create=True)
    row = frame([(DAY_NS, 0, 1, 2, 0, 0)])
    catalog.append("kraken", "XBT/USD", Kind.QUOTES, row, 1)
    catalog.append("kraken", "../../x", Kind.QUOTES, row, 1)
    assert {each.stream.symbol for each in catalog.coverage()} == {"XBT/USD", "../../x"}
    assert all(tmp_path in path.parents for path in tmp_path.glob("**/*.parquet"))
    assert len(list(catalog.read("kraken", "XBT/USD", Kind.QUOTES))) == 1
    with pytest.raises(CatalogError, match="cannot name"):
        catalog.append("", "S", Kind.QUOTES, row, 1)


def test_unusable_rows_are_named(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path, create=True)
    row = frame([(DAY_NS, 0, 1, 2, 0, 0)])
    with pytest.raises(CatalogError, match="no column ask; give ts_ns"):
        catalog.append("v", "S", Kind.QUOTES, row.drop("ask"), 1)
    with pytest.raises(CatalogError, match="13 price digits"):
        catalog.append("v", "S", Kind.QUOTES, row, 13)
    empty = row.with_columns(bid=pl.lit(None, pl.Int64))
    with pytest.raises(CatalogError, match="empty values in column bid"):
        catalog.append("v", "S", Kind.QUOTES, empty, 1)
    with pytest.raises(CatalogError, match="column ts_ns holds"):
        catalog.append("v", "S", Kind.QUOTES, row.with_columns(ts_ns=pl.lit(-1)), 1)
    catalog.append("v", "S", Kind.QUOTES, row.with_columns(bid=pl.lit(2**61)), 1)
    with pytest.raises(CatalogError, match="does not fit"):
        catalog.append("v", "S", Kind.QUOTES, row, 9)


def test_damage_is_found_and_named(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path, create=True)
    for day in (1, 2):
        catalog.append("v", "S", Kind.QUOTES, frame([(day * DAY_NS, 0, 1, 2, 0, 0)]), 1)
    first, second = sorted(tmp_path.glob("**/*.parquet"))
    first.write_bytes(b"PAR1 nonsense" + first.read_bytes()[13:-20])
    second.unlink()
    problems = [each.problem for each in catalog.verify()]
    assert problems == ["the file was changed or damaged", "the file is gone"]
    with pytest.raises(CatalogError, match=f"{first.name}: damaged Parquet file"):
        list(catalog.read("v", "S", Kind.QUOTES))
    entry = min((tmp_path / "_log").glob("*.commit.json"))
    entry.write_bytes(entry.read_bytes()[:-9])
    with pytest.raises(CatalogError, match="damaged log entry"):
        Catalog(tmp_path).coverage()


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path, create=True)
    with catalog.writing(), pytest.raises(CatalogError, match="another process is writing"):
        Catalog(tmp_path).append("v", "S", Kind.QUOTES, frame([]), 1)


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="not a history catalog"):
        Catalog(tmp_path)
