"""Rows on their way into Parquet files and out again: shapes checked, sorted, cut by day, exact."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final
from urllib.parse import quote

import polars as pl

from tradeloom.marketdata.history.errors import CatalogError
from tradeloom.marketdata.history.kinds import COLUMNS, DIGITS, PRICES, Kind, Stream
from tradeloom.marketdata.history.limits import NAME_BYTES_MAX
from tradeloom.marketdata.history.log import Part, sync_folder
from tradeloom.marketdata.limits import MANTISSA_MAX, PRICE_DIGITS_MAX, TIMESTAMP_NS_MAX

_DAY_NS: Final = 86_400_000_000_000
_DIGEST_BYTES: Final = 16
SCHEMA_VERSION: Final = "1"
# Fast to write and a quarter smaller than LZ4 on mantissas.
_CODEC: Final = "zstd"


def shaped(stream: Stream, frame: pl.DataFrame, digits: int) -> pl.DataFrame:
    """Return the rows as the catalog stores them: its columns and types, sorted by `ts_ns`, each
    row once.

    Raises CatalogError for missing columns, nulls, times before 1970 or after 2262, and prices or
    digits out of range.
    """
    if not 0 <= digits <= PRICE_DIGITS_MAX:
        problem = f"{digits} price digits"
        raise CatalogError(str(stream), problem, f"give 0 to {PRICE_DIGITS_MAX}")
    columns = COLUMNS[stream.kind]
    if missing := [name for name in columns if name not in frame.columns]:
        advice = f"give {', '.join(columns)}"
        raise CatalogError(str(stream), f"no column {', '.join(missing)}", advice)
    try:
        rows = frame.select(pl.col(name).cast(kind) for name, kind in columns.items())
    except pl.exceptions.PolarsError as error:
        problem = f"a value that does not fit its column ({str(error).splitlines()[0]})"
        raise CatalogError(str(stream), problem, "give integers as documented") from error
    for name in columns:
        if rows[name].null_count():
            raise CatalogError(str(stream), f"empty values in column {name}", "leave the row out")
    if rows.height:
        _check_range(stream, rows, ("ts_ns",), 0, TIMESTAMP_NS_MAX)
        _check_range(stream, rows, PRICES[stream.kind], -MANTISSA_MAX, MANTISSA_MAX)
    return rows.unique(maintain_order=True).sort("ts_ns", maintain_order=True)


def by_day(rows: pl.DataFrame) -> Iterator[tuple[date, pl.DataFrame]]:
    """Cut rows sorted by time at UTC midnights."""
    days = rows["ts_ns"] // _DAY_NS
    at = 0
    for day, count in zip(*days.rle().struct.unnest().select("value", "len"), strict=True):
        yield datetime.fromtimestamp(day * 86_400, UTC).date(), rows.slice(at, count)
        at += count


def stream_folder(stream: Stream) -> str:
    """Return a stream's path below the catalog. Raises CatalogError for an unusable name."""
    for name in stream[:2]:
        if not name or len(quote(name, safe="").encode()) > NAME_BYTES_MAX or name in {".", ".."}:
            problem = f"{name[:40]!r} cannot name a venue or symbol"
            raise CatalogError(str(stream)[:80], problem, "give 1 to 200 characters")
    venue, symbol = (quote(name, safe="") for name in stream[:2])
    return f"venue={venue}/symbol={symbol}/kind={stream.kind.value}"


def write_part(
    root: Path, stream: Stream, day: date, name: str, rows: pl.DataFrame, digits: int
) -> Part:
    """Write one file: temporary name, sync, rename. It counts once a commit names it."""
    path = f"{stream_folder(stream)}/day={day.isoformat()}/{name}.parquet"
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_suffix(".new")
    stored = rows.with_columns(pl.lit(digits, pl.UInt8).alias(DIGITS))
    meta = {"tradeloom.schema": SCHEMA_VERSION, "tradeloom.digits": str(digits)}
    encoded = io.BytesIO()
    stored.write_parquet(encoded, compression=_CODEC, statistics=True, metadata=meta)
    content = encoded.getbuffer()
    with temporary.open("wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    temporary.rename(target)
    sync_folder(target.parent)
    span = rows["ts_ns"]
    return Part(
        path,
        *stream,
        day.isoformat(),
        rows.height,
        len(content),
        hashlib.blake2b(content, digest_size=_DIGEST_BYTES).hexdigest(),
        int(span[0]),
        int(span[-1]),
        digits,
    )


def read_part(root: Path, part: Part) -> pl.DataFrame:
    """Read one file whole. Raises CatalogError when it is gone or damaged."""
    path = root / part.path
    advice = "run `tradeloom data check`, then import its source into a new catalog"
    try:
        rows = pl.read_parquet(path, hive_partitioning=False)
    except FileNotFoundError as error:
        raise CatalogError(path, "the file is gone", advice) from error
    except (pl.exceptions.PolarsError, OSError) as error:
        problem = f"damaged Parquet file ({str(error).splitlines()[0]})"
        raise CatalogError(path, problem, advice) from error
    if rows.height != part.rows:
        raise CatalogError(path, f"{rows.height} rows instead of {part.rows}", advice)
    return rows


def rescaled(kind: Kind, rows: pl.DataFrame, digits: int) -> pl.DataFrame:
    """Express the prices of rows, which have a column `digits`, with that many digits (not fewer).

    Raises CatalogError when a price does not fit 62 bits.
    """
    if (rows[DIGITS] == digits).all():
        return rows
    factor = pl.lit(10, pl.Int64).pow(pl.lit(digits) - pl.col(DIGITS).cast(pl.Int64))
    for name in PRICES[kind]:
        finest = digits - int(rows[DIGITS].cast(pl.Int64).min())  # type: ignore[arg-type]
        largest = int(rows[name].abs().max() or 0)  # type: ignore[arg-type]
        if largest * 10**finest > MANTISSA_MAX:
            problem = f"a price does not fit {digits} digits in 62 bits"
            raise CatalogError(name, problem, "keep coarse and fine prices under two symbols")
    scaled = [(pl.col(name) * factor).cast(pl.Int64) for name in PRICES[kind]]
    return rows.with_columns(*scaled, pl.lit(digits, pl.UInt8).alias(DIGITS))


def runs(parts: Iterable[Part]) -> Iterator[list[Part]]:
    """Group files so that no time of one group lies inside another; groups are in time order."""
    run: list[Part] = []
    end_ns = -1
    for part in sorted(parts, key=lambda part: (part.first_ns, part.last_ns, part.path)):
        if run and part.first_ns > end_ns:
            yield run
            run = []
        run.append(part)
        end_ns = max(end_ns, part.last_ns)
    if run:
        yield run


def merged(root: Path, kind: Kind, parts: Sequence[Part], digits: int) -> pl.DataFrame:
    """Read files of one stream into one time-ordered frame."""
    frames = [rescaled(kind, read_part(root, part), digits) for part in parts]
    whole = pl.concat(frames) if len(frames) > 1 else frames[0]
    return whole.sort("ts_ns", maintain_order=True) if len(frames) > 1 else whole


def file_digest(path: Path) -> str:
    """Return the BLAKE2b-128 of a file's bytes, hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(
            stream, lambda: hashlib.blake2b(digest_size=_DIGEST_BYTES)
        ).hexdigest()


def _check_range(
    stream: Stream, rows: pl.DataFrame, columns: Iterable[str], least: int, most: int
) -> None:
    for name in columns:
        low, high = rows[name].min(), rows[name].max()
        if int(low) < least or int(high) > most:  # type: ignore[arg-type]
            problem = f"column {name} holds {low!r} to {high!r}"
            raise CatalogError(str(stream), problem, f"values are {least} to {most}")
