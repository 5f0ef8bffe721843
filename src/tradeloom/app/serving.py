"""`tradeloom serve`: single rooms as services of their own. Rooms are imported when they start."""

from __future__ import annotations

from typing import Annotated, Final

import typer

app = typer.Typer(help="Single rooms as services of their own.", no_args_is_help=True)

EXIT_CANNOT_START: Final = 78


@app.command("venue")
def serve_venue(
    venue: Annotated[str, typer.Argument(help="Name of the venue, such as binance.")],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int | None, typer.Option(help="TCP port; the venue's own (binance 5060) by default.")
    ] = None,
    venue_url: Annotated[
        list[str] | None,
        typer.Option(help="VENUE.NAME=URL, or a simulator's http://…; may be repeated."),
    ] = None,
    data_dir: Annotated[str | None, typer.Option(help="Vault and orders; made if absent.")] = None,
    database_url: Annotated[str | None, typer.Option(help="Database of the vault.")] = None,
) -> None:
    """Serve one venue over gRPC: MarketData, TradeFlow, Admin and grpc.health.v1.

    Keys come from the vault (tradeloom vault put VENUE); without one the service has prices only.
    Beyond 127.0.0.1 callers need the bearer token in TRADELOOM_VENUE_TOKEN.

    Examples:

      tradeloom serve venue binance

      tradeloom serve venue kraken --venue-url http://127.0.0.1:9777 --port 6062
    """
    import asyncio

    from tradeloom.app.logs import set_up
    from tradeloom.app.serve_venue import run
    from tradeloom.security import InsecureSecrets
    from tradeloom.settings import BadSettings, load
    from tradeloom.store import StoreError

    try:
        settings = load(
            data_dir=data_dir, database_url=database_url, venues=venue, venue_urls=venue_url or None
        )
        set_up(settings.log_format, settings.log_level)
        asyncio.run(run(settings, venue, host, port))
    except (BadSettings, ValueError, InsecureSecrets, StoreError, OSError) as error:
        typer.echo(f"tradeloom: {error}", err=True)
        raise typer.Exit(EXIT_CANNOT_START) from error


@app.command("ingest")
def serve_ingest(
    service: Annotated[
        list[str], typer.Option(help="HOST:PORT of a venue service; may be repeated.")
    ],
    symbols: Annotated[str, typer.Option(help="Comma-separated, such as BTCUSDT,ETHUSDT.")],
    redis: Annotated[str | None, typer.Option(help="redis://…; TRADELOOM_REDIS_URL.")] = None,
) -> None:
    """Carry venue services' events over gRPC to the streams md:VENUE of Redis.

    Example:

      tradeloom serve ingest --service 127.0.0.1:5060 --symbols BTCUSDT --redis redis://localhost
    """
    import asyncio
    import os

    from tradeloom.app.streaming import ingest
    from tradeloom.bus import BusError
    from tradeloom.connectors.contract import UnknownSymbol, VenueUnavailable
    from tradeloom.settings import BadSettings, load

    wanted = [each.strip().upper() for each in symbols.split(",") if each.strip()]
    try:
        url = load(redis_url=redis).redis_url.get_secret_value()
        if not url or not wanted:
            raise BadSettings("name a Redis (--redis redis://…) and at least one symbol")
        token = os.environ.get("TRADELOOM_VENUE_TOKEN", "")
        asyncio.run(ingest(service, wanted, url, token, typer.echo))
    except (BadSettings, BusError, UnknownSymbol, VenueUnavailable) as error:
        typer.echo(f"tradeloom: {error}", err=True)
        raise typer.Exit(EXIT_CANNOT_START) from error
