"""`tradeloom up`: runs the service on a terminal, with a short banner."""

from __future__ import annotations

import asyncio
import logging
import sys

import typer

from tradeloom.app.logs import set_up
from tradeloom.app.service import CREDENTIALS, CannotStart, Service, serve
from tradeloom.engine.journal import JournalError
from tradeloom.security import InsecureSecrets
from tradeloom.settings import Settings
from tradeloom.store import StoreError

log = logging.getLogger(__name__)

# Of BSD's sysexits: the configuration or the environment is wrong.
EXIT_CANNOT_START = 78


def up(settings: Settings) -> int:
    """Run until SIGTERM or SIGINT; the exit code."""
    set_up(settings.log_format, settings.log_level)
    try:
        _run(settings)
    except (CannotStart, JournalError, InsecureSecrets, StoreError) as error:
        typer.echo(f"tradeloom: {error}", err=True)
        return EXIT_CANNOT_START
    return 0


def _run(settings: Settings) -> None:
    if sys.platform == "win32":
        asyncio.run(serve(settings, banner))
    else:
        import uvloop

        uvloop.run(serve(settings, banner))


def banner(service: Service) -> None:
    """Say where the service is and how to get in."""
    label = service.source.label
    lines = [
        f"Tradeloom is up: {service.url}  (API reference at /docs; REST at /api/v1, events at /ws)",
        f"Market: {label}" + (" - prices are not real" if service.source.simulated else ""),
    ]
    if service.admin is not None:
        where = service.settings.data_dir / CREDENTIALS
        lines += [
            "First administrator, shown once (change the password at sign-in):",
            f"  login:    {service.admin.login}",
            f"  password: {service.admin.password}",
            f"  also in {where} (readable by you only); delete it when you have noted them",
        ]
    lines.append("Stop with Ctrl-C.")
    typer.echo("\n".join(lines))
    sys.stdout.flush()
