"""Captured WebSocket frames with the receiver's time, decoded by venue.

Two ways of writing them: `<ns> <JSON>` (hftbacktest) and cryptofeed's `<seconds>: <JSON>`, where
other lines tell connections (`url <-> t`), what was sent (`url <- t: …`) and REST bodies
(`url -> t: …`). A decoder turns a venue's frame into rows; `register_decoder` adds venues.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import polars as pl

from tradeloom.marketdata.calendar import Opening
from tradeloom.marketdata.history.formats.format import Options, Piece, Unknown
from tradeloom.marketdata.history.kinds import COLUMNS, PRICES, Kind, Stream
from tradeloom.marketdata.history.limits import FRAME_BYTES_MAX
from tradeloom.marketdata.history.numbers import BadNumberError, decimals, mantissas, volumes
from tradeloom.marketdata.recordings.errors import RecordingError
from tradeloom.marketdata.recordings.files import Block, read_blocks

# Symbol, kind, row: columns of the kind in order, prices and sizes as text, times as integers.
Row = tuple[str, Kind, tuple[Any, ...]]
# Receive time (UTC ns), frame decoded from JSON (numbers with a point as text), the row sink.
# Returns False for a frame that holds no market data.
Decoder = Callable[[int, Any, Callable[[Row], None]], bool]

_STAMPED: Final = re.compile(rb"(\d{19}) (\{.*)")
_FEED: Final = re.compile(rb"(\d{10})(?:\.(\d{1,9}))?: (.*)")
_FEED_URL: Final = re.compile(rb"wss?://([^/ :]+)|https?://([^/ :]+)")
_OTHER: Final = re.compile(rb"(?:wss?|https?)://\S.* (?:<->|<-|->) |configuration: |$")
_ADVICE: Final = "expected lines of <receive ns> <JSON>, or a cryptofeed capture"
_SIZES: Final = {"bid_size", "ask_size", "volume", "size"}
# Decimals stay text on their way to integers.
_JSON: Final = msgspec.json.Decoder(float_hook=str)
_DECODERS: Final[dict[str, Decoder]] = {}
# Part of a host's name -> venue.
_HOSTS: Final[dict[bytes, str]] = {}


def register_decoder(venue: str, decoder: Decoder, hosts: tuple[str, ...] = ()) -> None:
    """Decode this venue's frames with `decoder` from now on; `hosts` name it in captures."""
    _DECODERS[venue] = decoder
    for host in hosts:
        _HOSTS[host.encode()] = venue


class CaptureSource:
    """A capture of one venue."""

    opening = Opening.ALWAYS

    def __init__(self, path: Path, form: str, venue: str, name: str, symbol: str | None) -> None:
        self.path = path
        self.format = form
        self.identity = f"{form}|{venue}|{name}|{symbol}"
        self.done = 0
        self.ignored: Counter[str] = Counter()
        self._venue = name
        self._symbol = symbol
        self._decode = _DECODERS[venue]
        self._line = _STAMPED if form == "binance" else _FEED
        self._rows: dict[tuple[str, Kind], list[tuple[Any, ...]]] = {}

    def pieces(self) -> Iterator[Piece]:
        """Yield the rows. Raises RecordingError for a damaged file, with the line."""
        for block in read_blocks(self.path):
            for number, line in enumerate(block.text.splitlines()):
                self._take(line, block.line + number)
            yield from self._drain(block)
            self.done += len(block.text)

    def _take(self, line: bytes, number: int) -> None:
        found = self._line.fullmatch(line)
        if found is None:
            if self._line is _FEED and _OTHER.match(line):
                self.ignored["not a frame"] += 1
                return
            shown = line[:60].decode("utf-8", "replace")
            raise RecordingError(self.path, f"not a stamped frame: {shown!r}", _ADVICE, number)
        body = found.groups()[-1]
        if len(body) > FRAME_BYTES_MAX:
            self.ignored["huge frame"] += 1
            return
        if self._line is _STAMPED:
            ts_ns = int(found[1])
        else:
            ts_ns = int(found[1] + (found[2] or b"").ljust(9, b"0"))
        try:
            frame = _JSON.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            problem = f"not JSON ({error}): {body[:60].decode('utf-8', 'replace')!r}"
            raise RecordingError(self.path, problem, _ADVICE, number) from error
        try:
            if not self._decode(ts_ns, frame, self._add):
                self.ignored["no market data"] += 1
        except (LookupError, TypeError, ValueError, AttributeError):
            # A frame of another shape than documented: counted, never guessed at.
            self.ignored["unknown shape"] += 1

    def _add(self, row: Row) -> None:
        symbol, kind, values = row
        self._rows.setdefault((symbol, kind), []).append(values)

    def _drain(self, block: Block) -> Iterator[Piece]:
        for (symbol, kind), rows in self._rows.items():
            try:
                digits, frame = exact(kind, rows)
            except BadNumberError as bad:
                problem = f"{symbol} {kind.value}: {bad.problem}"
                advice = "cut the frame out of the file"
                raise RecordingError(self.path, problem, advice, block.line) from bad
            yield Piece(Stream(self._venue, self._symbol or symbol, kind), digits, frame)
        self._rows = {}


def exact(kind: Kind, rows: list[tuple[Any, ...]]) -> tuple[int, pl.DataFrame]:
    """Turn rows with prices and sizes as text into integers; returns digits and frame."""
    texts = {*PRICES[kind], *_SIZES}
    shape = {name: pl.String() if name in texts else dtype for name, dtype in COLUMNS[kind].items()}
    frame = pl.DataFrame(rows, schema=shape, orient="row")
    prices = PRICES[kind]
    digits, made = mantissas([decimals(frame[name]) for name in prices])
    columns = [pl.Series(name, values) for name, values in zip(prices, made, strict=True)]
    sizes = [name for name in COLUMNS[kind] if name in _SIZES]
    columns += [pl.Series(name, volumes(decimals(frame[name]))) for name in sizes]
    return digits, frame.with_columns(columns)


def recognise_stamped(path: Path, text: bytes, options: Options) -> CaptureSource | None:
    """Return the file as a capture of stamped Binance frames, or None."""
    if not _STAMPED.match(text):
        return None
    # Only USD-margined futures name the event inside bookTicker, and tell the transaction's time.
    futures = b'"e":"bookTicker"' in text or b'"pu":' in text
    venue = "binance-usdm" if futures else "binance"
    return CaptureSource(path, "binance", venue, options.venue or venue, options.symbol)


def recognise_cryptofeed(path: Path, text: bytes, options: Options) -> CaptureSource | None:
    """Return the file as a cryptofeed capture of a venue we decode, or None."""
    line = text.split(b"\n", 1)[0]
    url = _FEED_URL.match(line)
    if url is None or not _OTHER.match(line):
        return None
    if url[1] is None:
        # A file of REST bodies alone has no frame to decode.
        raise Unknown(path, "a capture of REST bodies without frames", "give the ws file beside it")
    host = url[1]
    for name, venue in _HOSTS.items():
        # By whole labels: the futures' host ends in the letters of the spot market's.
        if host == name or host.endswith(b"." + name):
            return CaptureSource(path, "cryptofeed", venue, options.venue or venue, options.symbol)
    problem = f"no decoder for frames of {host.decode('ascii', 'replace')}"
    raise RecordingError(path, problem, f"known: {', '.join(sorted(_DECODERS))}")
