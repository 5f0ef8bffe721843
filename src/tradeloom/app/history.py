"""`tradeloom data import | list | check | compact`: the history catalog on the command line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

_CATALOG: Final = Path("catalog")
_Folder = Annotated[Path, typer.Option("--catalog", help="Folder of the catalog.")]
_REFUSED: Final = 1
_BAD_INPUT: Final = 2


class Hours(StrEnum):
    """When a market is open, for the search for gaps."""

    ALWAYS = "always"
    WEEKDAYS = "weekdays"
    EXCHANGE = "exchange"


def import_(
    paths: Annotated[list[Path], typer.Argument(help="Recordings, or folders of them.")],
    catalog: _Folder = _CATALOG,
    form: Annotated[
        str, typer.Option("--format", help="auto, lean, binance, cryptofeed or csv.")
    ] = "auto",
    venue: Annotated[str | None, typer.Option(help="Store under this venue.")] = None,
    symbol: Annotated[str | None, typer.Option(help="Store under this symbol.")] = None,
    timezone: Annotated[
        str | None, typer.Option(help="Of times without one, like Europe/London; UTC.")
    ] = None,
    columns: Annotated[
        str, typer.Option(help="CSV: what each column is, like ts_ms,bid,ask,- (- is passed over).")
    ] = "",
    delimiter: Annotated[str | None, typer.Option(help="CSV: one character, or tab.")] = None,
    hours: Annotated[Hours | None, typer.Option(help="When the market is open.")] = None,
    gap_minutes: Annotated[int, typer.Option(min=1, help="Shortest pause reported.")] = 10,
    report: Annotated[Path | None, typer.Option(help="Write the report here as JSON.")] = None,
) -> None:
    """Import recorded files into a catalog; run it again to go on where it was stopped.

    Examples:

      tradeloom data import recordings/ --catalog history/

      tradeloom data import EURUSD.csv --columns ts_ms,bid,ask --venue mybroker
    """
    from rich.console import Console

    from tradeloom.marketdata.calendar import Opening
    from tradeloom.marketdata.history import Catalog, Options, import_paths

    options = Options(
        form,
        venue,
        symbol,
        timezone,
        tuple(columns.split(",")) if columns else (),
        delimiter,
        Opening[hours.name] if hours else None,
    )
    with _said_plainly():
        for path in paths:
            if not path.exists():
                _complain(f"{path}: no such file or folder; check the path")
        with _progress("importing") as progress:
            into = Catalog(catalog, create=True)
            gap_ns = gap_minutes * 60_000_000_000
            found = import_paths(into, paths, options, progress=progress, gap_ns=gap_ns)
        if report is not None:
            report.write_bytes(found.to_json())
    found.show(Console(width=None if Console().is_terminal else 180))
    if found.refused:
        raise typer.Exit(_REFUSED)


def list_(
    catalog: _Folder = _CATALOG,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List what a catalog holds: streams, days, rows, first and last time."""
    import msgspec
    from rich.console import Console
    from rich.table import Table

    from tradeloom.marketdata.history import Catalog
    from tradeloom.marketdata.history.report import utc

    with _said_plainly():
        found = Catalog(catalog).coverage()
    if as_json:
        rows = [each.stream._asdict() | each._asdict() for each in found]
        typer.echo(msgspec.json.encode([row | {"stream": str(row["stream"])} for row in rows]))
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("stream", "first", "last"):
        table.add_column(heading, no_wrap=True)
    for heading in ("days", "rows", "digits", "kB"):
        table.add_column(heading, justify="right")
    for each in found:
        counts = (each.days, each.rows, each.digits, each.size // 1_000)
        table.add_row(
            str(each.stream), utc(each.first_ns), utc(each.last_ns), *(f"{one:,}" for one in counts)
        )
    Console(width=None if Console().is_terminal else 180).print(table)


def check(
    catalog: _Folder = _CATALOG,
    hours: Annotated[Hours | None, typer.Option(help="When the markets are open.")] = None,
    gap_minutes: Annotated[int, typer.Option(min=1, help="Shortest pause reported.")] = 10,
    report: Annotated[Path | None, typer.Option(help="Write the report here as JSON.")] = None,
) -> None:
    """Read a whole catalog and say what is damaged, missing or odd. Exit code 1: damaged."""
    from rich.console import Console

    from tradeloom.marketdata.calendar import Opening
    from tradeloom.marketdata.history import Catalog
    from tradeloom.marketdata.history.checking import check_catalog

    with _said_plainly(), _progress("checking") as progress:
        opening = Opening[hours.name] if hours else None
        opened = Catalog(catalog)
        gap_ns = gap_minutes * 60_000_000_000
        found = check_catalog(opened, opening=opening, gap_ns=gap_ns, progress=progress)
        orphans = len(opened.orphans())
        if report is not None:
            report.write_bytes(found.to_json())
    found.show(Console(width=None if Console().is_terminal else 180))
    if orphans:
        typer.echo(f"{orphans} files of stopped writers; `tradeloom data compact` removes them")
    if found.refused:
        raise typer.Exit(_REFUSED)


def compact(catalog: _Folder = _CATALOG) -> None:
    """Join the files of each day into one and remove what stopped writers left."""
    from tradeloom.marketdata.history import Catalog

    with _said_plainly():
        gone = Catalog(catalog).compact()
    typer.echo(f"{gone:,} files fewer")


def register(data: typer.Typer) -> None:
    """Add these commands to `tradeloom data`."""
    for name, command in (("import", import_), ("list", list_), ("check", check)):
        data.command(name)(command)
    data.command("compact")(compact)


@contextmanager
def _said_plainly() -> Iterator[None]:
    from tradeloom.marketdata.history import CatalogError
    from tradeloom.marketdata.recordings import RecordingError

    try:
        yield
    except (CatalogError, RecordingError) as error:
        _complain(str(error), error)
    except OSError as error:
        _complain(f"{error.filename or 'catalog'}: {error.strerror or error}", error)


def _complain(text: str, cause: Exception | None = None) -> None:
    typer.echo(f"tradeloom: {text}", err=True)
    raise typer.Exit(_BAD_INPUT) from cause


@contextmanager
def _progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar on standard error while it is a terminal."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )
    with bar:
        task = bar.add_task(what, total=None)

        def tell(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield tell
