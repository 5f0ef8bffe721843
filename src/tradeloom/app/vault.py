"""`tradeloom vault`: keys of venues in the database of an installation, typed in, never shown."""

from __future__ import annotations

import asyncio
import getpass
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
import typer

if TYPE_CHECKING:
    from tradeloom.security import Vault
    from tradeloom.settings import Settings

app = typer.Typer(help="Keys of venues: encrypted, never shown again.", no_args_is_help=True)

_DATA: Final = typer.Option(help="Data directory of the installation.")
_BASE: Final = typer.Option(help="Database; SQLite in the data directory by default.")


@app.command()
def put(
    venue: Annotated[str, typer.Argument(help="Name of the venue, such as binance.")],
    account: Annotated[str, typer.Option(help="Your name for the account.")] = "main",
    stdin: Annotated[
        bool, typer.Option("--stdin", help='Read {"key": …, "secret": …} from standard input.')
    ] = False,
    data_dir: Annotated[str | None, _DATA] = None,
    database_url: Annotated[str | None, _BASE] = None,
) -> None:
    """Keep a key. Asks for each part without showing it.

    Examples:

      tradeloom vault put binance

      tradeloom vault put okx --account desk2 --stdin < key.json
    """
    from tradeloom.connectors.venues import dialect_of

    try:
        profile = dialect_of(venue).profile
    except ValueError as error:
        raise _stop(str(error)) from error
    venue, needs = profile.venue, [need.value for need in profile.needs]
    values = _from_stdin() if stdin else {name: _asked(venue, name) for name in needs}
    missing = [name for name in needs if not values.get(name)]
    odd = sorted(set(values) - set(needs))
    if missing or odd:
        what = f"lacks {', '.join(missing)}" if missing else f"has unknown {', '.join(odd)}"
        raise _stop(f"a key of {venue} consists of {', '.join(needs)}; this one {what}")
    asyncio.run(_put(_settings(data_dir, database_url), venue, account, values))
    typer.echo(f"kept the key of {venue}/{account}; a running service uses it after a restart")


@app.command("list")
def listed(
    data_dir: Annotated[str | None, _DATA] = None,
    database_url: Annotated[str | None, _BASE] = None,
) -> None:
    """List what is kept: venues, accounts and names of parts, never values."""
    rows = asyncio.run(_list(_settings(data_dir, database_url)))
    for venue, account, holds, updated in rows:
        when = datetime.fromtimestamp(updated / 1e9, UTC)
        typer.echo(f"{venue}/{account}: {', '.join(holds)} (since {when:%Y-%m-%d %H:%M} UTC)")
    if not rows:
        typer.echo("the vault is empty; tradeloom vault put VENUE keeps a key")


@app.command()
def remove(
    venue: Annotated[str, typer.Argument(help="Name of the venue.")],
    account: Annotated[str, typer.Option(help="Your name for the account.")] = "main",
    data_dir: Annotated[str | None, _DATA] = None,
    database_url: Annotated[str | None, _BASE] = None,
) -> None:
    """Forget a key."""
    from tradeloom.security import NotFound

    try:
        asyncio.run(_remove(_settings(data_dir, database_url), venue, account))
    except NotFound as error:
        raise _stop(str(error)) from error
    typer.echo(f"forgot the key of {venue}/{account}")


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Vault]:
    """The vault of an installation."""
    from tradeloom.security import Door, Secrets, Vault
    from tradeloom.store import Address, Database

    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    database = await Database.open(Address.parse(settings.database))
    try:
        yield Vault(Door(database, Secrets.load(settings.data_dir / "secrets.json")))
    finally:
        await database.close()


async def _put(settings: Settings, venue: str, account: str, values: dict[str, str]) -> None:
    from tradeloom.security import BadValue

    async with opened(settings) as vault:
        try:
            await vault.put(venue, account, values)
        except BadValue as error:
            raise _stop(str(error)) from error


async def _list(settings: Settings) -> list[tuple[str, str, list[str], int]]:
    async with opened(settings) as vault:
        return [(r.venue, r.account, r.holds, r.updated) for r in await vault.listed()]


async def _remove(settings: Settings, venue: str, account: str) -> None:
    async with opened(settings) as vault:
        await vault.remove(venue, account)


def _settings(data_dir: str | None, database_url: str | None) -> Settings:
    from tradeloom.settings import BadSettings, load

    try:
        return load(data_dir=data_dir, database_url=database_url)
    except BadSettings as error:
        raise _stop(str(error)) from error


def _asked(venue: str, name: str) -> str:
    if not sys.stdin.isatty():
        raise _stop("no terminal to ask on; pass the key as JSON with --stdin")
    return getpass.getpass(f"{venue} {name}: ").strip()


def _from_stdin() -> dict[str, str]:
    try:
        return msgspec.json.decode(sys.stdin.buffer.read(64 * 1024), type=dict[str, str])
    except msgspec.DecodeError:
        # The text is not echoed: it may hold half a key.
        raise _stop('standard input is not an object of texts: {"key": "…"}') from None


def _stop(text: str) -> typer.Exit:
    typer.echo(f"tradeloom: {text}", err=True)
    return typer.Exit(2)
