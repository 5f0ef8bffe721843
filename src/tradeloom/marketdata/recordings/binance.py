"""Raw Binance WebSocket captures: lines `<receive time, UTC ns> <JSON frame>`.

Quotes come from `bookTicker` frames (`b` and `a`), trades from `trade` frames. Depth frames and
the REST snapshot some captures start with are passed over. Times are those of the receiving clock,
unchanged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from tradeloom.marketdata.recordings.decimals import (
    BadLineError,
    Decimals,
    parse_columns,
    rescale,
)
from tradeloom.marketdata.recordings.errors import NotQuotesError, RecordingError
from tradeloom.marketdata.recordings.files import Block, beginning, read_blocks
from tradeloom.marketdata.recordings.formats import RawRows

# One trade: volume with 8 decimals, buy = the taker bought.
TRADE: Final[np.dtype[Any]] = np.dtype(
    [("ts_ns", "<i8"), ("price", "<i8"), ("volume", "<i8"), ("buy", "?")]
)
_VOLUME_PLACES: Final = 8
_LINE: Final = re.compile(rb"^\d{19} \{[^\n]*\}$", re.MULTILINE)
_QUOTE: Final = re.compile(
    rb'^(\d{19}) \{"stream":"(\w+)@bookTicker","data":\{[^\n{}]*"b":"([\d.]+)"'
    rb'[^\n{}]*"a":"([\d.]+)"',
    re.MULTILINE,
)
_TRADE: Final = re.compile(
    rb'^(\d{19}) \{"stream":"\w+@trade","data":\{[^\n{}]*"p":"([\d.]+)","q":"([\d.]+)"'
    rb'[^\n{}]*"m":(true|false)',
    re.MULTILINE,
)
_STAMPED_JSON: Final = re.compile(rb"\d{19} \{")
_ADVICE: Final = "expected lines of <receive ns> <JSON frame>"
# Only frames of the USD-margined futures venue name their event type inside bookTicker.
_USDM_MARK: Final = b'@bookTicker","data":{"e":"bookTicker"'


class BinanceCapture:
    """A capture of one symbol's Binance streams."""

    name = "binance-ws"

    def __init__(self, path: Path, source: str, symbol: str) -> None:
        self.path = path
        self.source = source
        self.symbol = symbol

    @classmethod
    def recognise(cls, path: Path) -> BinanceCapture | None:
        """Return the file as this format, or None. Raises NotQuotesError when it has no quotes."""
        if not _STAMPED_JSON.match(beginning(path)):
            return None
        for block in read_blocks(path):
            if found := _QUOTE.search(block.text):
                market = "usdm" if _USDM_MARK in block.text else "spot"
                return cls(path, f"binance-{market}", found[2].decode().upper())
        raise NotQuotesError(path, "no bookTicker frame in the capture", "record that stream too")

    def rows(self) -> Iterator[RawRows]:
        """Yield the file's quotes in its own order. Raises RecordingError for a damaged file."""
        wanted = self.symbol.lower().encode()
        for block in read_blocks(self.path):
            self._check_lines(block)
            found = _QUOTE.findall(block.text)
            if len(found) != block.text.count(b'@bookTicker"'):
                raise self._unreadable(block, b'@bookTicker"', _QUOTE)
            if any(symbol != wanted for _, symbol, _, _ in found):
                problem = f"quotes of other symbols than {self.symbol}"
                raise RecordingError(self.path, problem, "split the capture by symbol", block.line)
            text = b"".join(b"%b,%b,%b\n" % (ts, bid, ask) for ts, _, bid, ask in found)
            stamp, bid, ask = self._parse(block, text, 3)
            yield RawRows(stamp.value, bid, ask)

    def trades(self, price_digits: int) -> Iterator[npt.NDArray[np.void]]:
        """Yield the capture's trades as arrays of dtype `TRADE`, in the file's own order.

        Raises RecordingError for a damaged file and for prices finer than `price_digits`.
        """
        for block in read_blocks(self.path):
            self._check_lines(block)
            found = _TRADE.findall(block.text)
            if len(found) != block.text.count(b'@trade"'):
                raise self._unreadable(block, b'@trade"', _TRADE)
            text = b"".join(b"%b,%b,%b\n" % (ts, price, size) for ts, price, size, _ in found)
            stamp, price, size = self._parse(block, text, 3)
            rows = np.empty(len(found), TRADE)
            rows["ts_ns"] = stamp.value
            rows["price"], price_exact = rescale(price, price_digits)
            rows["volume"], size_exact = rescale(size, _VOLUME_PLACES)
            rows["buy"] = [maker_bought == b"false" for *_, maker_bought in found]
            if not (price_exact & size_exact).all():
                problem = f"a price finer than {price_digits} digits or a volume finer than 8"
                raise RecordingError(self.path, problem, "ask for more digits", block.line)
            yield rows

    def _parse(self, block: Block, text: bytes, count: int) -> list[Decimals]:
        try:
            return parse_columns(text, count)
        except BadLineError as bad:
            raise RecordingError(self.path, bad.problem, _ADVICE, block.line) from bad

    def _check_lines(self, block: Block) -> None:
        lines = block.text.count(b"\n")
        if len(_LINE.findall(block.text)) == lines:
            return
        for number, line in enumerate(block.text.splitlines()):
            if not _LINE.fullmatch(line):
                shown = line[:60].decode("ascii", "replace")
                problem = f"not a stamped JSON frame: {shown!r}"
                raise RecordingError(self.path, problem, _ADVICE, block.line + number)

    def _unreadable(self, block: Block, mark: bytes, frame: re.Pattern[bytes]) -> RecordingError:
        for number, line in enumerate(block.text.splitlines()):
            if mark in line and not frame.match(line):
                shown = line[:120].decode("ascii", "replace")
                problem = f"unreadable frame {shown!r}"
                return RecordingError(self.path, problem, _ADVICE, block.line + number)
        return RecordingError(self.path, "unreadable frame", _ADVICE, block.line)
