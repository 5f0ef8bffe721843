"""Imports: killed and resumed, overlapping, damaged; and the CSV that people have."""

from __future__ import annotations

import gzip
import json
import random
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from tradeloom.cli import app
from tradeloom.marketdata.history import Catalog, Kind, Options, import_paths
from tradeloom.marketdata.merge import merge_recordings
from tradeloom.marketdata.recordings import RecordingError, open_recordings
from tradeloom.marketdata.summary import summarise

TEN = 1_398_938_400_000_000_000  # 1 May 2014, 10:00 UTC
LINE = "ts,bid,ask\n1398938400,1.1,1.2\n"
START_MS = 1_400_000_000_000
CHILD = """
import sys
from tradeloom.marketdata.history import Catalog, import_paths
import_paths(Catalog(sys.argv[1], create=True), sys.argv[2:], batch_rows=20_000)
"""


def write_quotes(path: Path, rows: int, start_ms: int = START_MS, seed: int = 1) -> None:
    chance = random.Random(seed)
    lines = ["ts_ms,bid,ask"]
    for at in range(rows):
        bid = 138_000 + chance.randrange(500)
        lines.append(f"{start_ms + at * 250},1.{bid - 100_000:05d},1.{bid - 99_990:05d}")
    path.write_text("\n".join(lines) + "\n")


def files_of(folder: Path) -> dict[str, bytes]:
    state = Catalog(folder)
    named = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.glob("venue=*/**/*.parquet")
    }
    for orphan in state.orphans():
        named.pop(orphan.relative_to(folder).as_posix(), None)
    return named


def test_killed_in_the_middle_an_import_goes_on_as_if_nothing_had_been(tmp_path: Path) -> None:
    sources = tmp_path / "sources"
    sources.mkdir()
    for at in range(3):
        write_quotes(sources / f"EURUSD_{at}.csv", 120_000, START_MS + at * 30_000_000, at)
    import_paths(Catalog(tmp_path / "whole", create=True), [sources], batch_rows=20_000)
    killed = tmp_path / "killed"
    log = killed / "_log"
    kills = 0
    for wanted in (2, 6, 11):
        child = subprocess.Popen([sys.executable, "-c", CHILD, str(killed), str(sources)])
        try:
            until = time.monotonic() + 60
            while len(list(log.glob("*.commit.json"))) < wanted and child.poll() is None:
                assert time.monotonic() < until, "the import did not get on"
                time.sleep(0.002)
            kills += child.poll() is None
            child.send_signal(signal.SIGKILL)
        finally:
            child.kill()
            child.wait()
    assert kills, "the import was done before it could be killed"
    subprocess.run([sys.executable, "-c", CHILD, str(killed), str(sources)], check=True, timeout=60)
    assert files_of(killed) == files_of(tmp_path / "whole")
    assert Catalog(killed).coverage() == Catalog(tmp_path / "whole").coverage()
    Catalog(killed).compact()
    assert not Catalog(killed).orphans()


def test_a_second_import_of_the_same_and_of_an_overlapping_source(tmp_path: Path) -> None:
    write_quotes(tmp_path / "EURUSD_a.csv", 10_000)
    text = (tmp_path / "EURUSD_a.csv").read_text().splitlines()
    later = [f"{START_MS + 2_600_000 + at},1.38,1.39" for at in range(500)]
    (tmp_path / "EURUSD_b.csv").write_text("\n".join([text[0], *text[6_001:], *later]) + "\n")
    catalog = Catalog(tmp_path / "catalog", create=True)
    first = import_paths(catalog, [tmp_path / "EURUSD_a.csv"])
    assert (first.stored, first.duplicates, first.known) == (10_000, 0, 0)
    again = import_paths(catalog, [tmp_path / "EURUSD_a.csv"])
    assert (again.stored, again.known) == (10_000, 1)
    overlapping = import_paths(catalog, [tmp_path / "EURUSD_b.csv"])
    assert (overlapping.stored, overlapping.duplicates) == (500, 4_000)
    rows = sum(frame.height for frame in catalog.read("csv", "EURUSD", Kind.QUOTES))
    assert rows == 10_500


def test_equal_trades_without_ids_are_different_trades(tmp_path: Path) -> None:
    lines = ["time;price;volume", *["2024-01-02 10:00:00;10,5;3"] * 3, "2024-01-02 10:00:01;10,6;1"]
    for name in ("AB_1.csv", "AB_2.csv"):
        (tmp_path / name).write_text("\n".join(lines) + "\n" + "\n" * (name == "AB_2.csv"))
    catalog = Catalog(tmp_path / "catalog", create=True)
    report = import_paths(catalog, [tmp_path / "AB_1.csv", tmp_path / "AB_2.csv"])
    assert (report.stored, report.duplicates) == (4, 4)
    (trades,) = catalog.read("csv", "AB", Kind.TRADES)
    assert trades["price"].to_list() == [105, 105, 105, 106]
    assert trades["volume"].to_list() == [300_000_000] * 3 + [100_000_000]


def test_what_cannot_be_true_is_left_out_and_told(tmp_path: Path) -> None:
    lines = ["ts_s,bid,ask,bid_size,ask_size"]
    lines += [f"{1_400_000_000 + at},1.1,1.2,1,1" for at in range(200)]
    lines += [
        "1400000300,1.3,1.2,1,1",
        "1400000301,0,1.2,1,1",
        "1400000302,-1.1,1.2,1,1",
        "1400000303,1.2,1.2,1,1",
        "1400000150,1.1,1.15,1,1",
        "1400009000,1.1,1.2,1,1",
    ]
    (tmp_path / "X.csv").write_text("\n".join(lines) + "\n")
    catalog = Catalog(tmp_path / "catalog", create=True)
    report = import_paths(catalog, [tmp_path / "X.csv"])
    (stream,) = report.streams()
    counts = {rule: finding.count for rule, finding in stream.quarantined.items()}
    assert counts == {"negative": 1, "zero": 1, "crossed": 1}
    example = stream.quarantined["crossed"].examples[0]
    assert example.startswith("line 202, 2014-05-13T16:58:20.000Z bid 1.30, ask 1.20")
    assert (stream.rows, stream.out_of_order, stream.off_tick) == (203, 1, 1)
    assert stream.gap_count == 1
    assert stream.gaps[0].to_ns == 1_400_009_000 * 10**9
    told = json.loads(report.to_json())
    assert told["streams"][0]["quarantined"]["zero"]["count"] == 1
    times = pl.concat(catalog.read("csv", "X", Kind.QUOTES))["ts_ns"]
    assert times.is_sorted()


@pytest.mark.parametrize(
    ("text", "options", "first_ns", "price"),
    [
        ("time,bid,ask\n2014-05-01T10:00:00.5Z,1.25,1.26\n", {}, TEN + 500_000_000, 125),
        ("Date;Time;Bid;Ask\n2014.05.01;10:00:00;1,25;1,26\n", {}, TEN, 125),
        ("<DATE>\t<TIME>\t<BID>\t<ASK>\n2014.05.01\t10:00\t1.25\t1.26\n", {}, TEN, 125),
        (
            "20140501 100000500,1.25,1.26,0\n",
            {"columns": ("ts", "bid", "ask", "-"), "timezone": "EST"},
            1398956400_500000000,
            125,
        ),
        ("timestamp|bid|ask\n1398938400|1.25|1.26\n", {}, TEN, 125),
        ("timestamp,ask,bid\n1398938400123,1.26,125e-2\n", {}, TEN + 123_000_000, 125),
        ('"time","bid","ask"\r\n"1398938400123456","1.250","1.26"\r\n', {}, TEN + 123_456_000, 125),
        (
            "datetime,bid,ask\n2014-07-01 09:30,1.25,1.26\n",
            {"timezone": "America/New_York"},
            1404221400_000000000,
            125,
        ),
        ("time,open,high,low,close,volume\n1398938400,1.25,1.3,1.2,1.25,10\n", {}, TEN, 125),
    ],
)  # fmt: skip
def test_csv_as_people_write_it(
    tmp_path: Path, text: str, options: dict[str, object], first_ns: int, price: int
) -> None:
    (tmp_path / "EURUSD.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
    catalog = Catalog(tmp_path / "catalog", create=True)
    report = import_paths(catalog, [tmp_path], Options(**options))  # type: ignore[arg-type]
    assert not report.refused, report.refused
    (covered,) = catalog.coverage()
    (frame,) = catalog.read(*covered.stream)
    row = frame.row(0, named=True)
    assert row["ts_ns"] == first_ns
    assert row.get("bid", row.get("open")) * 10 ** (2 - row["digits"]) == price


@pytest.mark.parametrize(
    ("text", "options", "told"),
    [
        (LINE + "1398938401,1.x,1.2\n", {}, r"line 3: column 2 \(bid\): '1.x'"),
        (LINE + "1398938401,1.1\n", {}, "line 3: 2 fields instead of 3"),
        (LINE + "yesterday,1.1,1.2\n", {}, r"line 3: column 1 \(ts\): time 'yest"),
        ("ts,bid,ask\n12345,1.1,1.2\n", {}, "unknown unit of time '12345'"),
        ("ts,bid,ask\n1398938400,,1.2\n", {}, r"line 2: column 2 \(bid\): empty"),
        ("1398938400,1.1,1.2\n", {}, "line 1: no header"),
        ("a,b,c\n1,2,3\n", {}, "neither quotes"),
        ("ts,bid,ask\n", {}, "no rows after the header"),
        (LINE, {"timezone": "Mars/Base"}, "unknown time zone"),
        (LINE, {"columns": ("ts", "bid")}, "3 fields, but --columns names 2"),
        (LINE, {"format": "parrot"}, "known: auto, csv"),
        ("time,price,volume,side\n1398938400,1,1,up\n", {}, r"column 4 \(side\): 'up' is neither"),
        ("", {}, "the file is empty"),
    ],
)  # fmt: skip
def test_csv_errors_name_line_and_column(
    tmp_path: Path, text: str, options: dict[str, object], told: str
) -> None:
    path = tmp_path / "EURUSD.csv"
    path.write_text(text)
    catalog = Catalog(tmp_path / "catalog", create=True)
    report = import_paths(catalog, [path], Options(**options))  # type: ignore[arg-type]
    assert len(report.refused) == 1
    with pytest.raises(RecordingError, match=told):
        raise RecordingError(path, report.refused[0].reason, "")
    assert not catalog.coverage()


def test_damaged_archives_are_named_and_the_rest_is_imported(tmp_path: Path) -> None:
    folder = tmp_path / "forex/oanda/tick/eurusd"
    folder.mkdir(parents=True)
    text = "".join(f"{at * 100},1.1{at % 7},1.2{at % 5}\n" for at in range(20_000))
    for day in ("20140505", "20140506"):
        with zipfile.ZipFile(folder / f"{day}_quote.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("eurusd.csv", text)
    whole = (folder / "20140505_quote.zip").read_bytes()
    (folder / "20140505_quote.zip").write_bytes(whole[:200] + bytes(50) + whole[250:])
    (tmp_path / "EURUSD.csv.gz").write_bytes(gzip.compress(b"ts_s,bid,ask\n" * 500)[:-12])
    catalog = Catalog(tmp_path / "catalog", create=True)
    report = import_paths(catalog, [folder, tmp_path / "EURUSD.csv.gz"])
    assert len(report.refused) == 2
    assert all("truncated or damaged" in each.reason for each in report.refused)
    assert [str(day) for day in catalog.days("oanda", "EURUSD", Kind.QUOTES)] == ["2014-05-06"]


def test_the_command_line(tmp_path: Path) -> None:
    write_quotes(tmp_path / "EURUSD.csv", 2_000)
    where = ["--catalog", str(tmp_path / "history")]
    run = CliRunner().invoke
    done = run(app, ["data", "import", str(tmp_path / "EURUSD.csv"), *where, "--venue", "mine",
                     "--report", str(tmp_path / "report.json")])  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "2,000 rows stored" in done.output
    assert json.loads((tmp_path / "report.json").read_text())["stored"] == 2_000
    listed = json.loads(run(app, ["data", "list", *where, "--json"]).output)
    assert [(each["venue"], each["rows"]) for each in listed] == [("mine", 2_000)]
    assert run(app, ["data", "check", *where]).exit_code == 0
    assert run(app, ["data", "compact", *where]).exit_code == 0
    next((tmp_path / "history").glob("**/*.parquet")).write_bytes(b"gone bad")
    checked = run(app, ["data", "check", *where])
    assert checked.exit_code == 1
    assert "changed or damaged" in checked.output
    missing = run(app, ["data", "list", "--catalog", str(tmp_path / "no")])
    assert missing.exit_code == 2
    assert "not a history catalog" in missing.output


def test_a_catalog_replays_as_its_recording_does(tmp_path: Path) -> None:
    write_quotes(tmp_path / "EURUSD.csv", 5_000)
    catalog = tmp_path / "history"
    import_paths(Catalog(catalog, create=True), [tmp_path / "EURUSD.csv"], batch_rows=1_000)
    direct, stored = (
        summarise(merge_recordings(open_recordings([path]).recordings), 1)
        for path in (tmp_path / "EURUSD.csv", catalog)
    )
    assert direct == stored
    assert direct.lines[0].ticks == 5_000
