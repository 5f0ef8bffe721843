"""Recordings as markets: frames with their time of receipt, from any file that holds some.

Understood, plain or gzipped:

    <nanoseconds> <JSON>                  one frame a line
    <seconds>: <JSON>                     captures; also `URL -> <seconds>: body` (REST) and lines
                                          of what a client sent, which are skipped
    {"ts": <nanoseconds>, "frame": …}     JSON lines; without "ts" frames are a millisecond apart
    <JSON>                                bare frames, a millisecond apart

A line that is none of these is skipped and counted.
"""

from __future__ import annotations

import gzip
import heapq
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import IO, Final

import msgspec

from tradeloom.simulators.dialect import VenueDialect
from tradeloom.simulators.fitting import Fitting
from tradeloom.simulators.limits import LINE_BYTES_MAX
from tradeloom.simulators.player import Tape
from tradeloom.simulators.references import learn, split

_STAMPED: Final = re.compile(rb"(\d{15,20}) ([{\[].*)", re.DOTALL)
_CAPTURED: Final = re.compile(rb"(?:(\S+) -> )?(\d{9,11}(?:\.\d+)?): ?([{\[].*)", re.DOTALL)
_MS_NS: Final = 1_000_000
# Frames looked at to find out what a recording holds.
SAMPLE: Final = 3_000


class RecordingError(ValueError):
    """A recording cannot be played; the text says which and why."""


class _Line(msgspec.Struct):
    frame: msgspec.Raw
    ts: int = 0


class Frame(msgspec.Struct, frozen=True):
    """One recorded frame."""

    ts_ns: int
    body: bytes
    source: str


def files(paths: Sequence[Path]) -> list[Path]:
    """The files of paths and folders, sorted. Raises `RecordingError` when there are none."""
    found: list[Path] = []
    for path in paths:
        if not path.exists():
            raise RecordingError(f"there is no file or folder {path}")
        inside = sorted(each for each in path.rglob("*") if each.is_file())
        found += inside if path.is_dir() else [path]
    kept = [each for each in found if each.suffix in (".gz", ".jsonl", ".txt", ".log", ".raw")]
    if not kept:
        raise RecordingError(f"no recording in {', '.join(map(str, paths))}")
    return kept


def frames(path: Path) -> Iterator[Frame]:
    """The frames of a file, in its order; times never go back."""
    last_ns = 0
    with _open(path) as lines:
        for line in iter(lambda: lines.readline(LINE_BYTES_MAX), b""):
            frame = _frame(line.strip(), last_ns, path.name)
            if frame is not None:
                last_ns = frame.ts_ns
                yield frame


def _open(path: Path) -> IO[bytes]:
    if path.suffix == ".gz":
        # gzip's file object is one: its class does not say so.
        return gzip.open(path, "rb")  # type: ignore[return-value]
    return path.open("rb")


def _frame(line: bytes, last_ns: int, name: str) -> Frame | None:
    stamped = _STAMPED.fullmatch(line)
    if stamped:
        return Frame(max(last_ns, int(stamped[1])), stamped[2], name)
    captured = _CAPTURED.fullmatch(line)
    if captured:
        ts_ns = int(Decimal(captured[2].decode()) * 10**9)
        return Frame(max(last_ns, ts_ns), captured[3], (captured[1] or name.encode()).decode())
    if not line.startswith((b"{", b"[")):
        return None
    try:
        wrapped = msgspec.json.decode(line, type=_Line)
        return Frame(max(last_ns + _MS_NS, wrapped.ts), bytes(wrapped.frame), name)
    except msgspec.DecodeError:
        return Frame(last_ns + _MS_NS, line, name)


def venue_of(paths: Sequence[Path], dialects: Iterable[type[VenueDialect]]) -> type[VenueDialect]:
    """Whose frames these are. Raises `RecordingError` when nobody knows them."""
    hits: Counter[type[VenueDialect]] = Counter()
    known = list(dialects)
    for path in files(paths):
        for number, frame in enumerate(frames(path)):
            if number >= SAMPLE // 10:
                break
            for each in known:
                hits[each] += any(True for _ in each.figures_in(frame.body))
    best = hits.most_common(1)
    if not best or not best[0][1]:
        raise RecordingError(
            f"no venue knows the frames of {paths[0]}; there are recordings of "
            + ", ".join(sorted(each.name for each in known))
        )
    return best[0][0]


def symbols_of(paths: Sequence[Path], venue: type[VenueDialect]) -> list[str]:
    """Our symbols of a recording; their precision is remembered for listing them."""
    found: dict[str, tuple[str, int, int]] = {}
    for path in files(paths):
        for number, frame in enumerate(frames(path)):
            if number >= SAMPLE:
                break
            for symbol, price, size in venue.figures_in(frame.body):
                known = found.get(symbol, (price, 0, 0))
                found[symbol] = (
                    known[0], max(known[1], _decimals(price)), max(known[2], _decimals(size))
                )  # fmt: skip
    for symbol, (price, price_digits, size_digits) in found.items():
        learn(split(symbol)[0], price, price_digits, size_digits)
    return sorted(found)


def _decimals(text: str) -> int:
    return len(text.partition(".")[2].rstrip("0"))


def recorded(
    paths: Sequence[Path], reader: VenueDialect, venue: VenueDialect | None = None
) -> Iterator[Tape]:
    """A recording of `reader`'s venue, all files merged by time; fitted to `venue` if that is
    another one.
    """
    tapes = heapq.merge(*(_tapes(path, reader) for path in files(paths)), key=_time)
    if venue is None or venue is reader:
        return tapes
    return Fitting(reader.exchange, venue.exchange).fitted(tapes)


def _time(tape: Tape) -> int:
    return tape.ts_ns


def _tapes(path: Path, reader: VenueDialect) -> Iterator[Tape]:
    for frame in frames(path):
        reader.frame_source = frame.source
        for channel, payload, event in reader.read_frame(frame.ts_ns, frame.body):
            yield Tape(frame.ts_ns, event, channel, payload)
