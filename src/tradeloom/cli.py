"""The `tradeloom` command: parses arguments, then calls the room that does the work.

A sub-command imports its room inside its function, so that `tradeloom --help` stays instant.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from tradeloom import __version__
from tradeloom.app import data as market_data
from tradeloom.app import history, serving, vault
from tradeloom.client import commands as client

app = typer.Typer(
    name="tradeloom",
    help="Self-hosted trading platform.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tradeloom {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Self-hosted trading platform."""


@app.command()
def recordings(
    paths: Annotated[list[Path], typer.Argument(help="Recordings, or folders of them.")],
    skipped: Annotated[bool, typer.Option(help="Also list files that are no recordings.")] = False,
) -> None:
    """Check recorded markets and say what they hold."""
    from tradeloom.marketdata.recordings import RecordingError, open_recordings

    try:
        found = open_recordings(paths)
    except RecordingError as error:
        typer.echo(f"tradeloom: {error}", err=True)
        raise typer.Exit(1) from error
    rows = [
        (
            *(each.source, each.symbol, each.price_digits, each.rows),
            *(_utc(each.first_ns), _utc(each.last_ns)),
            *(each.faults.zero, each.faults.crossed, each.faults.backwards),
        )
        for each in found.recordings
    ]
    header = ("source", "symbol", "digits", "quotes", "first", "last")
    _print_table((*header, "zero", "crossed", "backwards"), rows)
    typer.echo(f"{len(found.skipped)} files are no recordings")
    for each in found.skipped if skipped else ():
        typer.echo(f"{each.path}: {each.reason}")


@app.command()
def market(
    ticks: Annotated[int, typer.Option(min=1, help="How many ticks to make.")] = 1_000_000,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Names the market.")] = 1,
    symbols: Annotated[str, typer.Option(help="Comma-separated; all by default.")] = "",
) -> None:
    """Make a generated market and say what it holds."""
    from tradeloom.marketdata.generator import MarketGenerator
    from tradeloom.marketdata.summary import summarise

    try:
        generator = MarketGenerator(seed, tuple(symbols.upper().split(",")) if symbols else None)
    except ValueError as error:
        typer.echo(f"tradeloom: {error}", err=True)
        raise typer.Exit(2) from error
    summary = summarise(generator.chunks(ticks), len(generator.instruments))
    rows = [
        (each.symbol, line.ticks, *(_price(last, each.price_digits) for last in line.last))
        for each, line in zip(generator.instruments, summary.lines, strict=True)
    ]
    _print_table(("symbol", "ticks", "bid", "ask"), rows)
    typer.echo(f"{_utc(summary.first_ns)} to {_utc(summary.last_ns)}, digest {summary.digest}")


@app.command()
def replay(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Recordings; none: a generated market.")
    ] = None,
    ticks: Annotated[
        int | None,
        typer.Option(help="End after so many ticks. [default: all; 1,000,000 generated]"),
    ] = None,
    accounts: Annotated[int, typer.Option(help="Scripted accounts that trade.")] = 3_000,
    seed: Annotated[int, typer.Option(help="Names the scripts' decisions and the market.")] = 1,
    speed: Annotated[
        str, typer.Option(help="Market seconds per second, or as fast as it goes.")
    ] = "max",
    journal: Annotated[
        Path | None, typer.Option(help="Record durably in this new or empty folder.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
) -> None:
    """Trade a recorded or generated market with scripted accounts and say what happened."""
    from tradeloom.replay import command

    code = command.replay(
        paths or [],
        seed=seed,
        ticks=ticks,
        accounts=accounts,
        speed=speed,
        journal=journal,
        as_json=json,
    )
    raise typer.Exit(code)


@app.command(
    add_help_option=False,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def journal(context: typer.Context) -> None:
    """Verify, show and measure journals."""
    from tradeloom.engine.journal.cli import app as journal_app

    journal_app(context.args, prog_name="tradeloom journal")


@app.command()
def up(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="TCP port; 0 takes a free one.")] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="Journal, database and secrets; made if absent.")
    ] = None,
    replay: Annotated[
        list[Path] | None, typer.Option(help="Recordings to play, looped; may be repeated.")
    ] = None,
    speed: Annotated[float | None, typer.Option(help="Market seconds per second.")] = None,
    seed: Annotated[int | None, typer.Option(help="Names the generated market.")] = None,
    symbols: Annotated[str | None, typer.Option(help="Comma-separated; all by default.")] = None,
    venue: Annotated[
        str | None, typer.Option(help="Live market of these venues, such as binance,kraken.")
    ] = None,
    venue_url: Annotated[
        list[str] | None,
        typer.Option(help="VENUE.NAME=URL, or a simulator's http://…; may be repeated."),
    ] = None,
    paper: Annotated[
        bool | None, typer.Option("--paper", help="Also a paper account at each venue.")
    ] = None,
    database_url: Annotated[
        str | None, typer.Option(help="postgresql://…; an SQLite file by default.")
    ] = None,
) -> None:
    """Start the whole service in one process: engine, market, REST, WebSocket.

    Every option can also be set by TRADELOOM_<NAME> or in tradeloom.toml; `tradeloom config show`
    lists them.

    Examples:

      tradeloom up

      tradeloom up --port 9000 --data-dir /var/lib/tradeloom

      tradeloom up --replay recordings/ --speed 10

      tradeloom up --venue binance --symbols BTCUSDT,ETHUSDT
    """
    import gc

    # Importing makes objects that stay; collecting in between costs a fifth of the start.
    gc.disable()
    from tradeloom import settings

    try:
        loaded = settings.load(
            host=host,
            port=port,
            data_dir=data_dir,
            replay=tuple(replay) if replay else None,
            speed=speed,
            seed=seed,
            symbols=symbols,
            venues=venue,
            venue_urls=tuple(venue_url) if venue_url else None,
            paper=paper,
            database_url=database_url,
        )
    except settings.BadSettings as error:
        typer.echo(f"tradeloom: {error}", err=True)
        raise typer.Exit(2) from error
    from tradeloom.app.up import up as start

    gc.freeze()
    gc.enable()

    raise typer.Exit(start(loaded))


@app.command()
def doctor(
    port: Annotated[int | None, typer.Option(help="TCP port to look at.")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Data directory to look at.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check whether the service could run here: Python, disk, port, database, clock.

    Example:

      tradeloom doctor --port 9000
    """
    from tradeloom import settings
    from tradeloom.app.doctor import doctor as examine

    try:
        loaded = settings.load(port=port, data_dir=data_dir)
    except settings.BadSettings as error:
        typer.echo(f"tradeloom: {error}", err=True)
        raise typer.Exit(2) from error
    raise typer.Exit(examine(loaded, as_json))


@app.command()
def rebuild(
    data_dir: Annotated[Path | None, typer.Option(help="Data directory.")] = None,
    database_url: Annotated[str | None, typer.Option(help="Database; SQLite by default.")] = None,
) -> None:
    """Make the stored history again from the journal; the service must be stopped.

    Example:

      tradeloom rebuild --data-dir /var/lib/tradeloom
    """
    from tradeloom import settings
    from tradeloom.app.rebuilding import rebuilt

    try:
        loaded = settings.load(data_dir=data_dir, database_url=database_url)
    except settings.BadSettings as error:
        typer.echo(f"tradeloom: {error}", err=True)
        raise typer.Exit(2) from error
    raise typer.Exit(rebuilt(loaded))


@app.command()
def simulate(
    venues: Annotated[str, typer.Argument(help="Venues, comma-separated, or all.")],
    recordings: Annotated[
        list[Path] | None,
        typer.Option("--from", help="Recorded frames to play; may be repeated."),
    ] = None,
    speed: Annotated[str, typer.Option(help="Market seconds per second, or max.")] = "1",
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 9777,
    seed: Annotated[int, typer.Option(min=0, help="Names the market, keys and chances.")] = 1,
    symbols: Annotated[str, typer.Option(help="Comma-separated; a handful by default.")] = "",
    key: Annotated[
        list[str] | None, typer.Option(help="[VENUE=]KEY:SECRET[:PASSPHRASE]; may be repeated.")
    ] = None,
    rate: Annotated[float, typer.Option(help="Events per second of a made market's symbol.")] = 10,
    loop: Annotated[bool, typer.Option(help="Play a recording again and again.")] = False,
    hold: Annotated[bool, typer.Option(help="Move the market only on command.")] = False,
) -> None:
    """Start protocol-true stand-ins of venues that any client can talk to.

    Examples:

      tradeloom simulate binance

      tradeloom simulate binance,binance_usdm --from btcusdt.gz --speed 10

      tradeloom simulate all --port 9777 --seed 7
    """
    from tradeloom.app.simulate import Wanted
    from tradeloom.app.simulate import simulate as start

    wanted = Wanted(
        venues=venues,
        recordings=recordings or [],
        speed=speed,
        host=host,
        port=port,
        seed=seed,
        symbols=symbols,
        keys=key or [],
        rate=rate,
        loop=loop,
        hold=hold,
    )
    raise typer.Exit(start(wanted))


config = typer.Typer(help="The settings of the service.", no_args_is_help=True)
app.add_typer(config, name="config")


@config.command("show")
def config_show(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print every setting and what it means; passwords are left out."""
    import json

    from tradeloom import settings

    try:
        rows = settings.shown(settings.load())
    except settings.BadSettings as error:
        typer.echo(f"tradeloom: {error}", err=True)
        raise typer.Exit(2) from error
    if as_json:
        typer.echo(json.dumps({name: value for name, (value, _) in rows.items()}))
    else:
        table = [(name, value, about) for name, (value, about) in rows.items()]
        _print_table(("setting", "value", "meaning"), table)


data = typer.Typer(help="History: import, list and check catalogs.", no_args_is_help=True)
app.add_typer(data, name="data")
history.register(data)
market_data.register(data)


app.add_typer(vault.app, name="vault")
app.add_typer(serving.app, name="serve")
market_data.register_services(serving.app)


for _command in client.COMMANDS:
    app.command()(_command)


def _utc(ts_ns: int) -> str:
    from datetime import UTC, datetime, timedelta

    when = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=ts_ns // 1_000)
    return f"{when:%Y-%m-%dT%H:%M:%S}Z"


def _price(mantissa: int, digits: int) -> str:
    if not mantissa:
        return "-"
    text = str(mantissa).zfill(digits + 1)
    return f"{text[:-digits]}.{text[-digits:]}" if digits else text


def _print_table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(*header, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(f"{each:,}" if isinstance(each, int) else str(each) for each in row))
    # A pipe gets the full width, so that scripts can read whole lines.
    console = Console(width=None if Console().is_terminal else 160)
    console.print(table)


def main() -> None:
    """Run the command line; the entry point of the `tradeloom` script."""
    app()
