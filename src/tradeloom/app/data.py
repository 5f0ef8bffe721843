"""`tradeloom data record | bars | export` and `tradeloom serve recorder | bars | bridge`."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import typer

_FAILED: Final = 1
_BAD_INPUT: Final = 2
_NS: Final = 10**9

_Venues = Annotated[str, typer.Option("--venue", help="Venue, or several with commas.")]
_Redis = Annotated[
    str | None, typer.Option("--redis", help="redis://… of the streams; TRADELOOM_REDIS_URL.")
]
_Database = Annotated[
    str | None,
    typer.Option("--database", help="postgresql://… or sqlite:///FILE; TRADELOOM_DATABASE_URL."),
]
_Catalog = Annotated[Path | None, typer.Option("--catalog", help="Folder of a history catalog.")]
_Since = Annotated[str | None, typer.Option(help="From this time, like 2026-05-28T10:00 (UTC).")]
_Until = Annotated[str | None, typer.Option(help="Up to this time, not included.")]


class Interval(StrEnum):
    """Lengths of bars."""

    S1 = "1s"
    S5 = "5s"
    M1 = "1m"
    M5 = "5m"
    M15 = "15m"
    M30 = "30m"
    H1 = "1h"
    H4 = "4h"
    D1 = "1d"


class Recorded(StrEnum):
    """Kinds of recorded ticks."""

    QUOTES = "quotes"
    TRADES = "trades"


def record(
    files: Annotated[
        list[Path] | None, typer.Option("--from", help="Recordings or folders to play.")
    ] = None,
    venue: _Venues = "",
    symbols: Annotated[str, typer.Option(help="Symbols of the venue, with commas.")] = "",
    venue_url: Annotated[
        list[str] | None, typer.Option(help="Other addresses: NAME=URL, or a simulator's http://…")
    ] = None,
    redis: _Redis = None,
    catalog: _Catalog = None,
    database: _Database = None,
    with_bars: Annotated[
        bool, typer.Option("--bars/--no-bars", help="Of files: make bars, too.")
    ] = True,
) -> None:
    """Keep ticks and bars: of recordings, of a venue, or of what is on the streams of Redis.

    Ticks go into a catalog, or into PostgreSQL. Bars go into the database, or beside the catalog.

    Examples:

      tradeloom data record --from recordings/ --catalog history/

      tradeloom data record --venue binance --symbols BTCUSDT,ETHUSDT --catalog history/
    """
    from tradeloom.app import data_jobs as jobs

    venues = _names(venue)
    with _said_plainly():
        if files:
            _record_files(files, venues, catalog, database or "", with_bars)
        elif venues and symbols:
            connectors = _connectors(venues, venue_url or [])
            wanted = [each.upper() for each in _names(symbols)]
            _run(jobs.record_venues(connectors, wanted, catalog, database or "", _tell))
        elif venues:
            redis_url, _ = _places(redis, database)
            work = jobs.serve_recorder(
                redis_url, venues, catalog, database or "", "recorder-1", _tell
            )
            _run(work)
        else:
            raise jobs.DataProblem(
                "nothing to record: give --from FILE, or --venue NAME with --symbols or --redis"
            )


def _record_files(
    files: list[Path], venues: list[str], catalog: Path | None, database: str, with_bars: bool
) -> None:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from tradeloom.app import data_jobs as jobs

    columns = (TextColumn("recording"), BarColumn(), TextColumn("{task.completed:,} quotes"))
    console = Console(stderr=True)
    with Progress(*columns, TimeRemainingColumn(), console=console) as shown:
        task = shown.add_task("", total=None)

        def progress(done: int, total: int) -> None:
            shown.update(task, completed=done, total=total)

        name = venues[0] if venues else None
        work = jobs.record_files(files, name, catalog, database, progress, with_bars=with_bars)
        counts = asyncio.run(work)
    typer.echo(", ".join(f"{count:,} {what.replace('_', ' ')}" for what, count in counts.items()))


def _connectors(venues: list[str], urls: list[str]) -> Any:
    """Connectors without keys: market data is public."""
    from tradeloom.connectors.connector import VenueConnector
    from tradeloom.connectors.venues import dialect_of

    made = {}
    for name in venues:
        dialect = dialect_of(name)
        places: dict[str, str] = {}
        for each in urls:
            if each.startswith(("http://", "https://")):
                places = dialect.profile.simulated(each) | places
            else:
                key, _, url = each.partition("=")
                places[key.removeprefix(f"{name}.")] = url
        made[name] = VenueConnector(dialect, urls=places)
    return made


def bars(
    venue: Annotated[str, typer.Argument(help="Such as binance.")],
    symbol: Annotated[str, typer.Argument(help="Such as BTCUSDT.")],
    interval: Annotated[Interval, typer.Option(help="Length of the bars.")] = Interval.M1,
    since: _Since = None,
    until: _Until = None,
    limit: Annotated[int, typer.Option(min=1, max=5_000, help="The newest so many.")] = 50,
    database: _Database = None,
    catalog: _Catalog = None,
    csv: Annotated[Path | None, typer.Option(help="Write them here as CSV.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON lines.")] = False,
) -> None:
    """Show or export stored bars of a venue: bid, ask, middle, trades, volume.

    Example:

      tradeloom data bars binance BTCUSDT --interval 5m --catalog history/
    """
    import msgspec

    from tradeloom.app import data_jobs as jobs
    from tradeloom.marketdata.aggregator import NAMES

    with _said_plainly():
        place = database or (f"sqlite:///{catalog}/bars.db" if catalog else _places(None, None)[1])
        span = (_time(since, "--since"), _time(until, "--until"))
        work = jobs.bars_of(place, venue, symbol.upper(), NAMES[interval.value], *span, limit)
        found = asyncio.run(work)
        if not found:
            raise jobs.DataProblem(f"no {interval.value} bars of {symbol.upper()} at {venue} there")
    rows = [bar.shown() for bar in found]
    if as_json:
        for row in rows:
            typer.echo(msgspec.json.encode(row))
    elif csv is not None:
        _write_csv(csv, rows)
    else:
        _show_bars(rows)


def _write_csv(path: Path, rows: list[dict[str, object]]) -> None:
    import csv

    with path.open("w", newline="") as out:
        writer = csv.DictWriter(out, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    typer.echo(f"{len(rows):,} bars in {path}")


def _show_bars(rows: list[dict[str, object]]) -> None:
    from rich.console import Console
    from rich.table import Table

    sides = [side for side in ("trade", "mid") if any(row[f"{side}_open"] for row in rows)]
    prices = [f"{side}_{word}" for side in sides for word in ("open", "high", "low", "close")]
    table = Table(box=None, pad_edge=False)
    table.add_column("start, UTC", no_wrap=True)
    for heading in (*prices, "volume", "trades", "quotes", "rev"):
        table.add_column(heading.replace("_", " "), justify="right")
    for row in rows:
        start = int(str(row["start_ns"])) // _NS
        when = datetime.fromtimestamp(start, UTC).strftime("%Y-%m-%d %H:%M:%S")
        texts = ["-" if row[name] is None else f"{row[name]}" for name in prices]
        mark = f"{row['revision']}{'*' if row['filled'] else ''}{'' if row['finished'] else '…'}"
        table.add_row(
            when, *texts, f"{row['volume']}", f"{row['trades']}", f"{row['quotes']}", mark
        )
    Console(width=None if Console().is_terminal else 180).print(table)


def export(
    venue: Annotated[str, typer.Argument(help="Such as binance.")],
    symbol: Annotated[str, typer.Argument(help="Such as BTCUSDT.")],
    out: Annotated[Path, typer.Argument(help="File to write: .csv or .parquet.")],
    kind: Annotated[Recorded, typer.Option(help="What to export.")] = Recorded.QUOTES,
    since: _Since = None,
    until: _Until = None,
    catalog: _Catalog = None,
    database: _Database = None,
) -> None:
    """Write recorded ticks of a symbol to a file; CSV has decimals, Parquet the exact integers.

    Example:

      tradeloom data export binance BTCUSDT btc.csv --since 2026-05-28 --catalog history/
    """
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn

    from tradeloom.app import data_jobs as jobs
    from tradeloom.marketdata.history.kinds import Kind

    with _said_plainly():
        span = (_time(since, "--since"), _time(until, "--until"))
        columns = (SpinnerColumn(), TextColumn("{task.completed:,} rows"))
        with Progress(*columns, console=Console(stderr=True)) as shown:
            task = shown.add_task("", total=None)
            work = jobs.export(
                catalog,
                database or "",
                venue,
                symbol.upper(),
                Kind(kind.value),
                *span,
                out,
                lambda rows: shown.update(task, completed=rows),
            )
            rows = asyncio.run(work)
    typer.echo(f"{rows:,} {kind.value} in {out}")


def serve_recorder(
    venue: _Venues,
    redis: _Redis = None,
    catalog: _Catalog = None,
    database: _Database = None,
    name: Annotated[str, typer.Option(help="Of this recorder alone.")] = "recorder-1",
) -> None:
    """Record the market streams of Redis, until it is stopped."""
    from tradeloom.app import data_jobs as jobs

    with _said_plainly():
        redis_url, place = _places(redis, database)
        _run(jobs.serve_recorder(redis_url, _names(venue), catalog, place, name, _tell))


def serve_bars(
    venue: _Venues,
    redis: _Redis = None,
    database: _Database = None,
    name: Annotated[str, typer.Option(help="Of this aggregator alone.")] = "bars-1",
) -> None:
    """Make bars of the market streams of Redis, until it is stopped."""
    from tradeloom.app import data_jobs as jobs

    with _said_plainly():
        redis_url, place = _places(redis, database)
        _run(jobs.serve_bars(redis_url, _names(venue), place, name, _tell))


def serve_bridge(
    venue: _Venues,
    redis: _Redis = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="TCP port; 0 takes a free one.")] = 8010,
    name: Annotated[str, typer.Option(help="Of this bridge alone.")] = "bridge-1",
) -> None:
    """Show the market streams of Redis on a WebSocket, until it is stopped."""
    from tradeloom.app import data_jobs as jobs

    with _said_plainly():
        redis_url, _ = _places(redis, None)
        _run(jobs.serve_bridge(redis_url, _names(venue), host, port, name, _tell))


def register(data: typer.Typer) -> None:
    """Add the commands of this file to `tradeloom data`."""
    for command in (record, bars, export):
        data.command(command.__name__)(command)


def register_services(serve: typer.Typer) -> None:
    """Add the services of this file to `tradeloom serve`."""
    for name, command in (
        ("recorder", serve_recorder),
        ("bars", serve_bars),
        ("bridge", serve_bridge),
    ):
        serve.command(name)(command)


def _places(redis: str | None, database: str | None) -> tuple[str, str]:
    """The addresses of Redis and of the database: given here, or in the settings."""
    from tradeloom import settings

    loaded = settings.load(redis_url=redis, database_url=database)
    return loaded.redis_url.get_secret_value(), loaded.database


def _names(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _time(text: str | None, option: str) -> int | None:
    """UTC nanoseconds of an ISO time."""
    from tradeloom.app.data_jobs import DataProblem

    if text is None:
        return None
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise DataProblem(f"{option}: {text!r} is not a time like 2026-05-28T10:00") from None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return int(when.timestamp()) * _NS + when.microsecond * 1_000


def _run(work: Coroutine[Any, Any, None]) -> None:
    import logging

    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    asyncio.run(work)


def _tell(line: str) -> None:
    typer.echo(line, err=True)


@contextmanager
def _said_plainly() -> Iterator[None]:
    """Problems a user can solve, as one line and an exit code."""
    from tradeloom.app.data_jobs import DataProblem
    from tradeloom.bus import BusError
    from tradeloom.connectors.contract import VenueUnavailable
    from tradeloom.marketdata.history.errors import CatalogError
    from tradeloom.marketdata.recorder import StoreDown
    from tradeloom.marketdata.recordings import RecordingError
    from tradeloom.settings import BadSettings
    from tradeloom.store import StoreError

    try:
        yield
    except (DataProblem, BadSettings, RecordingError, CatalogError, ValueError) as error:
        typer.echo(f"tradeloom: {error}", err=True)
        raise typer.Exit(_BAD_INPUT) from error
    except (BusError, StoreDown, StoreError, VenueUnavailable, OSError) as error:
        typer.echo(f"tradeloom: {error}", err=True)
        raise typer.Exit(_FAILED) from error
