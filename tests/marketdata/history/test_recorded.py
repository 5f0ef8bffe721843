"""The recorded markets in the catalog: counts, clock zones, faults known to be in them."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tradeloom.marketdata.history import Catalog, Kind, import_paths
from tradeloom.marketdata.history.report import Report

FOLDER = Path(os.environ.get("TRADELOOM_RECORDED", ""))
LEAN = FOLDER / "lean_apache2"
pytestmark = [
    pytest.mark.recorded,
    pytest.mark.skipif(
        not os.environ.get("TRADELOOM_RECORDED"),
        reason="TRADELOOM_RECORDED does not name a folder of recordings",
    ),
]


def imported(folder: Path, *paths: Path) -> tuple[Catalog, Report]:
    catalog = Catalog(folder, create=True)
    report = import_paths(catalog, paths)
    assert not report.refused, report.refused
    return catalog, report


def mids(catalog: Catalog, venue: str, at_ns: np.ndarray[tuple[int], np.dtype[np.int64]]) -> object:
    rows = pl.concat(catalog.read(venue, "EURUSD", Kind.QUOTES))
    last = np.searchsorted(rows["ts_ns"].to_numpy(), at_ns, side="right") - 1
    return ((rows["bid"] + rows["ask"]).to_numpy() / 2)[last]


def test_fxcm_is_five_hours_behind_and_sends_crossed_quotes(tmp_path: Path) -> None:
    days = ("20140506", "20140507")
    paths = [LEAN / f"forex/{v}/tick/eurusd/{d}_quote.zip" for v in ("fxcm", "oanda") for d in days]
    catalog, report = imported(tmp_path, *paths)
    start, end = 1_399_356_000, 1_399_496_400  # 6 May 06:00 to 7 May 21:00, both have quotes
    at_ns = np.arange(start, end, 10, dtype=np.int64) * 10**9
    fxcm, oanda = (np.asarray(mids(catalog, venue, at_ns)) for venue in ("fxcm", "oanda"))
    # Prices have 5 digits: a pip is 10.
    assert np.abs(fxcm - oanda).mean() / 10 < 0.2
    shifted = np.asarray(mids(catalog, "fxcm", at_ns + 3_600 * 10**9))
    assert np.abs(shifted - oanda).mean() / 10 > 1
    found = {each.name: each for each in report.streams()}
    oracle = _crossed(paths[:2])
    assert oracle > 1_000
    assert found["fxcm/EURUSD/quotes"].quarantined["crossed"].count == oracle


def _crossed(paths: list[Path]) -> int:
    """Count by comparing the text of each line: prices of one pair have the same whole digit."""
    import zipfile

    crossed = 0
    for path in paths:
        with zipfile.ZipFile(path) as archive:
            for line in archive.read(archive.namelist()[0]).decode().splitlines():
                _, bid, ask = line.split(",")
                crossed += float(bid) > float(ask)
    return crossed


def test_equity_ticks_and_minutes_are_new_york_time_and_ten_thousandths(tmp_path: Path) -> None:
    catalog, report = imported(tmp_path, LEAN / "equity/usa/tick", LEAN / "equity/usa/minute/ibm")
    (trades,) = catalog.read("usa", "IBM", Kind.TRADES)
    first = trades.row(0, named=True)
    # 14,430,270 ms after midnight in New York, which was UTC-4: 08:00:30.270 UTC.
    assert first["ts_ns"] == 1_381_132_830_270_000_000
    assert first["price"] == 181.52 * 10 ** first["digits"]
    assert first["volume"] == 283 * 10**8
    assert trades.height == 24_293
    quotes = next(each for each in report.streams() if each.kind == "quotes")
    assert quotes.quarantined["crossed"].count < quotes.rows / 1_000
    bars = pl.concat(catalog.read("usa", "IBM", Kind.BARS_1M))
    assert set(bars["basis"].unique()) == {"bid", "ask", "trade"}


def test_minute_bars_of_fx_and_coins(tmp_path: Path) -> None:
    paths = (
        LEAN / "crypto",
        LEAN / "cryptofuture",
        LEAN / "forex/fxcm/minute",
        LEAN / "cfd/oanda/minute",
    )
    catalog, _ = imported(tmp_path, *paths)
    held = {str(each.stream): each.rows for each in catalog.coverage()}
    assert held["coinbase/BTCUSD/bars_1m"] > 8_000
    assert held["bybit-futures/BTCUSDT/bars_1m"] > 400
    assert {"fxcm/EURUSD/bars_1m", "oanda/XAUUSD/bars_1m"} <= set(held)
    first = next(catalog.read("fxcm", "EURUSD", Kind.BARS_1M)).row(0, named=True)
    assert first["ts_ns"] == 1_398_920_400_000_000_000  # midnight EST, 05:00 UTC


def test_binance_frames(tmp_path: Path) -> None:
    path = FOLDER / "hftbacktest_mit/usdm/btcusdt_20240808.gz"
    catalog, report = imported(tmp_path, path)
    found = {each.kind: each for each in report.streams()}
    # Counted when the recording was taken: 66,089 best bids and asks, 21,313 trades.
    assert found["quotes"].rows == 66_089
    assert found["trades"].rows == 21_313
    skew = found["trades"].skew
    assert skew is not None
    assert -1_300 < skew.median_ms < -1_200
    book = pl.concat(catalog.read("binance-usdm", "BTCUSDT", Kind.BOOK))
    assert book["last_seq"].n_unique() == 6_551


def test_captures_of_seven_venues(tmp_path: Path) -> None:
    catalog, report = imported(tmp_path, FOLDER / "cryptofeed_xfree86")
    streams = [each.stream for each in catalog.coverage()]
    venues = {"binance", "binance-usdm", "bybit", "coinbase", "deribit", "kraken", "okx"}
    assert {stream.venue for stream in streams} == venues
    rows: dict[tuple[str, Kind], int] = {}
    for each in catalog.coverage():
        key = (each.stream.venue, each.stream.kind)
        rows[key] = rows.get(key, 0) + each.rows
    # Frames of these kinds in the files.
    assert rows["coinbase", Kind.TRADES] == 95
    assert rows["coinbase", Kind.QUOTES] == 95
    assert rows["bybit", Kind.TRADES] >= 66
    assert not any("unknown shape" in each.ignored for each in report.sources)
