"""`tradeloom serve venue`: one venue's connector as a service of its own, spoken to over gRPC."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from typing import Final

import typer

from tradeloom.app.vault import opened
from tradeloom.app.venues import connect, setups_of
from tradeloom.gateways.grpc.venue import VenueServer
from tradeloom.settings import Settings

log = logging.getLogger(__name__)

TOKEN_VARIABLE: Final = "TRADELOOM_VENUE_TOKEN"  # noqa: S105


async def run(settings: Settings, venue: str, host: str, port: int | None) -> None:
    """Serve until SIGTERM or SIGINT. Raises ValueError, OSError, InsecureSecrets, StoreError."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with opened(settings) as vault:
        (setup,) = await setups_of([venue], settings.venue_urls, vault)
    connector = connect(setup, settings.data_dir / "venues")
    wanted = connector.profile.port if port is None else port
    server = VenueServer(connector, host, wanted, os.environ.get(TOKEN_VARIABLE, ""))
    try:
        # Listen first: health says NOT_SERVING until the venue is connected.
        await server.start()
        typer.echo(f"{connector.profile.title}: gRPC at {host}:{server.port}")
        sys.stdout.flush()
        await connector.start()
        await stop.wait()
        log.info("stopping: calls in flight are finished, orders at the venue stay")
    finally:
        await server.stop()
        await connector.close()
