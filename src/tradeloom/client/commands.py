"""The sub-commands of the terminal client; each is a few calls and a table."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table

from tradeloom.client.session import DEFAULT_URL, URL_VARIABLE, Failed, Session, call, decoded, keep

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Account = Annotated[int | None, typer.Option(help="Account; the first of yours by default.")]

console = Console()


@contextlib.contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except Failed as error:
        typer.echo(f"tradeloom: {error}", err=True)
        raise typer.Exit(1) from error


def _show(rows: Sequence[dict[str, Any]], columns: Sequence[str], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(rows))
        return
    console.print(_table(rows, columns))


def _table(rows: Sequence[dict[str, Any]], columns: Sequence[str]) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in columns:
        numeric = all(
            str(row[column] or "0").lstrip("-").replace(".", "").isdigit() for row in rows
        )
        table.add_column(column.replace("_", " "), justify="right" if numeric else "left")
    for row in rows:
        table.add_row(*("" if row[column] is None else str(row[column]) for column in columns))
    return table


def _account(session: Session, given: int | None) -> int:
    if given is not None:
        return given
    known = session.get("/me")["accounts"]
    if not known:
        raise Failed("you have no account; run `tradeloom accounts --open`")
    return int(known[0])


def login(
    name: Annotated[str, typer.Argument(help="Login.")],
    url: Annotated[str, typer.Option(envvar=URL_VARIABLE, help="The service.")] = DEFAULT_URL,
    code: Annotated[str, typer.Option(help="Code of the second factor.")] = "",
    sign_up: Annotated[bool, typer.Option("--sign-up", help="Become a trader first.")] = False,
    password: Annotated[
        str, typer.Option(prompt=True, hide_input=True, envvar="TRADELOOM_PASSWORD")
    ] = "",
) -> None:
    """Sign in; the tokens are kept in a file only you can read.

    Examples:

      tradeloom login anna --sign-up

      tradeloom login admin --url https://trade.example.com
    """
    with _told():
        if sign_up:
            body = {"login": name, "password": password}
            decoded(call(url, "POST", "/auth/sign-up", "", json=body))
        body = {"login": name, "password": password} | ({"code": code} if code else {})
        tokens = decoded(call(url, "POST", "/auth/sign-in", "", json=body))
        if tokens["must_change_password"]:
            _new_password(url, tokens["access_token"], password)
        path = keep(url, tokens)
        typer.echo(f"signed in as {name}; tokens are in {path}")


def _new_password(url: str, token: str, old: str) -> None:
    new = typer.prompt("New password", hide_input=True, confirmation_prompt=True)
    decoded(call(url, "POST", "/me/password", token, json={"old": old, "new": new}))


def accounts(
    open_: Annotated[bool, typer.Option("--open", help="Open a demo account first.")] = False,
    group: Annotated[str, typer.Option(help="Group of the new account.")] = "demo",
    as_json: AsJson = False,
) -> None:
    """List the accounts, or open a demo account.

    Examples:

      tradeloom accounts --open

      tradeloom accounts --json
    """
    with _told():
        session = Session()
        if open_:
            session.post("/accounts", {"group": group})
        columns = ("id", "group", "currency", "balance", "equity", "margin", "free_margin", "level")
        _show(session.get("/accounts"), columns, as_json)


def deposit(
    amount: Annotated[str, typer.Argument(help="Amount in the account's currency.")],
    account: Annotated[int, typer.Option(help="Account.")],
    as_json: AsJson = False,
) -> None:
    """Put money into an account (staff).

    Example:

      tradeloom deposit 500 --account 100001
    """
    with _told():
        made = Session().post(f"/accounts/{account}/deposits", {"amount": amount})
        _show([made], ("name", "time"), as_json)


def order(
    side: Annotated[str, typer.Argument(help="buy or sell.")],
    volume: Annotated[str, typer.Argument(help="Lots.")],
    symbol: Annotated[str, typer.Argument(help="Instrument.")],
    account: Account = None,
    limit: Annotated[str | None, typer.Option(help="A limit order at this price.")] = None,
    stop: Annotated[str | None, typer.Option(help="A stop order at this price.")] = None,
    sl: Annotated[str | None, typer.Option(help="Stop loss.")] = None,
    tp: Annotated[str | None, typer.Option(help="Take profit.")] = None,
    as_json: AsJson = False,
) -> None:
    """Place an order.

    Examples:

      tradeloom order buy 0.10 EURUSD

      tradeloom order sell 0.5 BTCUSDT --limit 70000 --sl 72000
    """
    with _told():
        session = Session()
        body: dict[str, Any] = {
            "account": _account(session, account),
            "instrument": symbol.upper(),
            "side": side,
            "volume": volume,
            "sl": sl,
            "tp": tp,
        }
        if limit is not None:
            body |= {"type": "limit", "price": limit}
        elif stop is not None:
            body |= {"type": "stop", "price": stop}
        made = session.post("/orders", body)
        _show([made], ("order", "state", "filled", "price", "position"), as_json)


def positions(account: Account = None, as_json: AsJson = False) -> None:
    """List the open positions.

    Example:

      tradeloom positions --account 100001
    """
    with _told():
        session = Session()
        rows = session.get("/positions", account=_account(session, account))
        _show(rows, _POSITION_COLUMNS, as_json)


def close(
    position: Annotated[int, typer.Argument(help="Position.")],
    volume: Annotated[str | None, typer.Option(help="Lots; all by default.")] = None,
    account: Account = None,
    as_json: AsJson = False,
) -> None:
    """Close a position, whole or in part.

    Example:

      tradeloom close 12 --volume 0.05
    """
    with _told():
        session = Session()
        body = {"account": _account(session, account), "volume": volume}
        made = session.post(f"/positions/{position}/close", body)
        _show([made], ("name", "reference", "time"), as_json)


def health(
    url: Annotated[str, typer.Option(envvar=URL_VARIABLE, help="The service.")] = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Say whether the service is ready, and what it runs.

    Example:

      tradeloom health --json
    """
    with _told():
        ready = call(url, "GET", "/system/ready", "").json()
        version = decoded(call(url, "GET", "/system/version", ""))
        row = {"status": ready["status"]} | ready["checks"] | version
        _show([row], tuple(row), as_json)
        if ready["status"] != "ready":
            raise typer.Exit(1)


def watch(
    symbols: Annotated[list[str] | None, typer.Argument(help="Symbols; all by default.")] = None,
    account: Account = None,
    frames: Annotated[int, typer.Option(help="Stop after so many updates; 0: never.")] = 0,
) -> None:
    """Watch quotes live, as they come over the WebSocket.

    Examples:

      tradeloom watch

      tradeloom watch EURUSD BTCUSDT
    """
    with _told(), contextlib.suppress(KeyboardInterrupt):
        session = Session()
        session.get("/me")  # refreshes the token when it must
        wanted = [symbol.upper() for symbol in symbols or ()]
        asyncio.run(_watch(session, wanted, frames))


async def _watch(session: Session, symbols: list[str], frames: int) -> None:
    from websockets.asyncio.client import connect
    from websockets.exceptions import WebSocketException

    rows: dict[str, dict[str, Any]] = {}
    url = session.url.replace("http", "ws", 1) + "/ws"
    headers = {"Authorization": f"Bearer {session.token}"}
    try:
        async with connect(url, additional_headers=headers, proxy=None) as socket:
            message: dict[str, Any] = {"op": "subscribe", "channel": "quotes", "interval_ms": 200}
            await socket.send(json.dumps(message | ({"symbols": symbols} if symbols else {})))
            with Live(console=console, refresh_per_second=5) as live:
                seen = 0
                async for text in socket:
                    heard = json.loads(text)
                    if heard["type"] == "error":
                        raise Failed(heard["detail"])
                    if heard["type"] != "quotes":
                        continue
                    rows |= {quote["symbol"]: quote for quote in heard["quotes"]}
                    ordered = [rows[name] for name in sorted(rows)]
                    live.update(_table(ordered, ("symbol", "bid", "ask", "time")))
                    seen += 1
                    if seen == frames:
                        return
    except (OSError, WebSocketException) as error:
        raise Failed(f"{url} does not answer ({error})") from error


_POSITION_COLUMNS = (
    "id",
    "instrument",
    "side",
    "volume",
    "price",
    "current",
    "sl",
    "tp",
    "profit",
    "swap",
)

COMMANDS: tuple[Callable[..., None], ...] = (
    login,
    accounts,
    deposit,
    order,
    positions,
    close,
    watch,
    health,
)
"""What the root command offers."""
