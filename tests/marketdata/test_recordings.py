"""Recorded files as a user has them: each format is read exactly, each damage is named."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import pytest

from tradeloom.marketdata import quotes
from tradeloom.marketdata.recordings import (
    Faults,
    NotQuotesError,
    RecordingError,
    files,
    open_recording,
    open_recordings,
)
from tradeloom.marketdata.recordings.binance import BinanceCapture

DAY_NS = 86_400_000_000_000
MAY_1_NS = 1_398_902_400_000_000_000  # 2014-05-01 00:00 UTC
TICKS = "0,1.38727,1.38729\r\n250,1.3873,1.38731\r\n86399999.5,1.38727,1.38729"
FRAME = (
    '17231612550301466%02d {"stream":"btcusdt@bookTicker","data":{"u":1,"s":"BTCUSDT",'
    '"b":"%s","B":"2.5","a":"%s","A":"1.0"}}\n'
)
DEPTH = '1723161255030146670 {"stream":"btcusdt@depth@0ms","data":{"b":[["1","2"]],"a":[]}}\n'
SNAPSHOT = '1723161255030146670 {"lastUpdateId":1,"bids":[["1.0","2"]],"asks":[]}\n'
TRADE = (
    '1723161255030146671 {"stream":"btcusdt@trade","data":{"e":"trade","s":"BTCUSDT","t":1,'
    '"p":"61800.30","q":"0.006","X":"MARKET","m":false}}\n'
)


def _lean(folder: Path, text: str, broker: str = "oanda", name: str = "20140501_quote") -> Path:
    path = folder / "forex" / broker / "tick" / "eurusd" / f"{name}.zip"
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{name}.csv", text)
    return path


def _capture(folder: Path, text: str) -> Path:
    path = folder / "capture.gz"
    path.write_bytes(gzip.compress(text.encode()))
    return path


def _table(folder: Path, text: str, name: str = "EURUSD_2024.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode())
    return path


def _rows(path: Path) -> list[tuple[int, int, int]]:
    rows: list[tuple[int, int, int]] = []
    for chunk in open_recording(path).chunks():
        assert chunk.dtype == quotes.QUOTE
        rows += chunk.tolist()
    return rows


def test_lean_ticks(tmp_path: Path) -> None:
    path = _lean(tmp_path, TICKS)
    recording = open_recording(path)
    assert (recording.source, recording.symbol) == ("lean-oanda", "EURUSD")
    assert (recording.price_digits, recording.rows, recording.faults) == (5, 3, Faults())
    assert recording.paths == (path,)
    assert _rows(path) == [
        (MAY_1_NS, 138727, 138729),
        (MAY_1_NS + 250_000_000, 138730, 138731),
        (MAY_1_NS + DAY_NS - 500_000, 138727, 138729),
    ]


def test_fxcm_clock_is_five_hours_behind(tmp_path: Path) -> None:
    assert _rows(_lean(tmp_path, TICKS, "fxcm"))[0][0] == MAY_1_NS + 5 * 3600 * 10**9


def test_binance_capture(tmp_path: Path) -> None:
    text = DEPTH + SNAPSHOT + FRAME % (71, "61800.20", "61800.30") + TRADE
    path = _capture(tmp_path, text + FRAME % (72, "61800.10000000", "61800.3"))
    recording = open_recording(path)
    assert (recording.source, recording.symbol) == ("binance-spot", "BTCUSDT")
    assert (recording.price_digits, recording.rows) == (1, 2)
    assert _rows(path) == [
        (1723161255030146671, 618002, 618003),
        (1723161255030146672, 618001, 618003),
    ]


def test_binance_trades(tmp_path: Path) -> None:
    path = _capture(tmp_path, FRAME % (71, "61800.20", "61800.30") + TRADE)
    capture = BinanceCapture.recognise(path)
    assert capture is not None
    (trades,) = capture.trades(price_digits=1)
    assert trades.tolist() == [(1723161255030146671, 618003, 600_000, True)]
    with pytest.raises(RecordingError, match="finer than 0 digits"):
        list(capture.trades(price_digits=0))


@pytest.mark.parametrize(
    ("header", "stamp"),
    [
        ("ts,bid,ask", "1704067200123456789"),
        ("ts_us,bid,ask", "1704067200123456.789"),
        ("timestamp,bid,ask", "1704067200123.456789"),
        ("TS_S, Bid, Ask", "1704067200.123456789"),
    ],
)
def test_csv_units_of_time(tmp_path: Path, header: str, stamp: str) -> None:
    path = _table(tmp_path, f"{header}\n{stamp},1.5,1.75\n")
    assert _rows(path) == [(1704067200123456789, 150, 175)]
    assert open_recording(path).symbol == "EURUSD"


def test_gzipped_csv(tmp_path: Path) -> None:
    path = tmp_path / "XAUUSD.csv.gz"
    path.write_bytes(gzip.compress(b"ts_ns,bid,ask\n5,1,2\n"))
    assert _rows(path) == [(5, 1, 2)]
    assert open_recording(path).symbol == "XAUUSD"


def test_faulty_rows_are_counted_and_left_out(tmp_path: Path) -> None:
    text = (
        "ts_ns,bid,ask\n10,1.1,1.2\n11,0,1.2\n12,1.1,0.0\n13,1.20001,1.2\n"
        "9,1.1,1.2\n14,1.2,1.2\n14,1.1,1.2\n13,1.1,1.2\n"
    )
    recording = open_recording(_table(tmp_path, text))
    assert recording.faults == Faults(zero=2, crossed=1, backwards=2)
    assert recording.faults.total + recording.rows == 8
    assert [row[0] for row in _rows(tmp_path)] == [10, 14, 14]
    assert (recording.first_ns, recording.last_ns) == (10, 14)


def test_blocks_do_not_change_the_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = "".join(f"{n * n},{1 + n / 8},{2 + n / 8}\r\n" for n in range(500))
    path = _table(tmp_path, "ts_ns,bid,ask\r\n" + lines + "999999,1,2")
    whole = _rows(path)
    assert len(whole) == 501
    for size in (1, 7, 64, 1000):
        monkeypatch.setattr(files, "BLOCK_BYTES", max(size, 16))
        assert _rows(path) == whole


def test_a_folder_is_joined_by_source_and_symbol(tmp_path: Path) -> None:
    second = _lean(tmp_path, "0,1.5,1.6", name="20140502_quote")
    first = _lean(tmp_path, TICKS)
    _lean(tmp_path, TICKS, "fxcm")
    _lean(tmp_path, "1,2,3", name="20140501_trade")
    (tmp_path / "readme.md").write_text("about")
    found = open_recordings([tmp_path])
    assert [(each.source, each.rows) for each in found.recordings] == [
        ("lean-fxcm", 3),
        ("lean-oanda", 4),
    ]
    assert found.recordings[1].paths == (first, second)
    assert {each.path.name for each in found.skipped} == {"20140501_trade.zip", "readme.md"}
    with pytest.raises(RecordingError, match="2 recordings instead of one"):
        open_recording(tmp_path)


def test_a_file_given_twice_is_read_once(tmp_path: Path) -> None:
    path = _lean(tmp_path, TICKS)
    assert open_recordings([path, tmp_path, path]).recordings[0].rows == 3


def test_overlapping_files_are_refused(tmp_path: Path) -> None:
    _table(tmp_path, "ts_ns,bid,ask\n10,1,2\n30,1,2\n", "EURUSD_a.csv")
    _table(tmp_path, "ts_ns,bid,ask\n20,1,2\n40,1,2\n", "EURUSD_b.csv")
    with pytest.raises(RecordingError, match=r"EURUSD_b\.csv.*before .*EURUSD_a\.csv ends"):
        open_recordings([tmp_path])


@pytest.mark.parametrize(
    ("text", "line", "part"),
    [
        ("ts_ns,bid,ask\n1,1.1,1.2\n2,1.1\n", 3, "2 fields"),
        ("ts_ns,bid,ask\n1,1.1,1.2\n2,NaN,1.2\n", 3, "'NaN'"),
        ("ts_ns,bid,ask\n1,-1.1,1.2\n", 2, "'-1.1'"),
        ("ts_s,bid,ask\n1.0000000001,1.1,1.2\n", 2, "no nanosecond"),
        ("ts_s,bid,ask\n9999999999999,1.1,1.2\n", 2, "no nanosecond"),
        ("ts,bid,ask\n123,1.1,1.2\n", 2, "unit of time '123'"),
        ("ts_ns,bid,ask\n", None, "nothing after the header"),
        ("ts_ns,bid,ask\n1,0,0\n2,3,2\n", None, "no usable quote"),
        ("ts_ns,bid,ask\n1,0.1234567890123,1\n", None, "13 decimals"),
        ("a,b,c\n1,2,3\n", None, "not a recorded format"),
        ("\x00\x01\x02garbage", None, "not a recorded format"),
        ("", None, "empty"),
    ],
)
def test_a_bad_table_is_named(tmp_path: Path, text: str, line: int | None, part: str) -> None:
    path = _table(tmp_path, text)
    with pytest.raises(RecordingError) as caught:
        open_recording(path)
    assert (caught.value.path, caught.value.line) == (path, line)
    assert part in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("text", [DEPTH, TRADE])
def test_a_capture_without_quotes_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(NotQuotesError, match="no bookTicker"):
        open_recording(_capture(tmp_path, text))


@pytest.mark.parametrize(
    ("bad", "part"),
    [
        ("17231612550301466 {}\n", "not a stamped JSON frame"),
        ('1723161255030146672 {"stream":"btcusdt@bookTicker","da\n', "not a stamped JSON frame"),
        (FRAME % (72, "x", "61800.30"), "unreadable frame"),
        ((FRAME % (72, "1.0", "1.1")).replace("btcusdt@", "ethusdt@"), "other symbols"),
    ],
)
def test_a_bad_capture_is_named(tmp_path: Path, bad: str, part: str) -> None:
    with pytest.raises(RecordingError, match=part):
        open_recording(_capture(tmp_path, FRAME % (71, "61800.20", "61800.30") + bad))


def test_truncated_files_are_named(tmp_path: Path) -> None:
    lines = "".join(f"{n},1.{n:05},2.0\n" for n in range(20_000))
    archive = _lean(tmp_path, lines)
    archive.write_bytes(archive.read_bytes()[:-100])
    with pytest.raises(RecordingError, match="damaged zip"):
        open_recording(archive)
    zipped = tmp_path / "EURUSD.csv.gz"
    zipped.write_bytes(gzip.compress(("ts_ns,bid,ask\n" + lines).encode())[:-100])
    with pytest.raises(RecordingError, match="truncated or damaged gzip"):
        open_recording(zipped)


def test_a_flipped_bit_in_a_zip_is_found(tmp_path: Path) -> None:
    archive = _lean(tmp_path, "".join(f"{n},1.{n:05},2.0\n" for n in range(20_000)))
    data = bytearray(archive.read_bytes())
    data[len(data) // 2] ^= 0x10
    archive.write_bytes(data)
    with pytest.raises(RecordingError):
        open_recording(archive)


def test_other_lean_files_are_refused(tmp_path: Path) -> None:
    path = _lean(tmp_path, "1,2,3", name="20140501_trade")
    with pytest.raises(NotQuotesError, match="tick trades"):
        open_recording(path)
    with pytest.raises(RecordingError, match="clock zone of broker 'nobody'"):
        open_recording(_lean(tmp_path, TICKS, "nobody"))
    with pytest.raises(RecordingError, match="not a date"):
        open_recording(_lean(tmp_path, TICKS, name="20149901_quote"))
    with pytest.raises(RecordingError, match="past midnight"):
        open_recording(_lean(tmp_path, "86400000,1,2"))


def test_missing_paths_and_empty_folders(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="No such file"):
        open_recording(tmp_path / "nothing.csv")
    with pytest.raises(RecordingError, match="no recording found"):
        open_recordings([tmp_path])
    with pytest.raises(RecordingError, match="no recording found"):
        open_recordings([])
