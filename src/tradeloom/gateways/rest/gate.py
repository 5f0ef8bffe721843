"""What every route needs: the desk, the board, the people, and the checks at the door."""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
from fastapi import Header, Request
from fastapi.security import APIKeyHeader, HTTPBearer
from starlette.responses import Response

from tradeloom.domain import commands as c
from tradeloom.gateways.desk import Desk, Reply
from tradeloom.gateways.identity import Callers, unauthenticated
from tradeloom.gateways.markups import Markups
from tradeloom.gateways.meters import Meters
from tradeloom.gateways.quotes import QuoteBoard
from tradeloom.gateways.rates import Rates
from tradeloom.gateways.rest.errors import invalid, missing
from tradeloom.gateways.wire import rfc3339, wire
from tradeloom.marketdata.bars import BarBuilder
from tradeloom.marketdata.past import Past
from tradeloom.security import Client, Principal, Scope, Security
from tradeloom.store import Database, audit
from tradeloom.store.bars import BarStore

if TYPE_CHECKING:
    from tradeloom.connectors.switch import Switchboard
    from tradeloom.gateways.causes import Inputs
    from tradeloom.gateways.journal_health import JournalHealth
    from tradeloom.gateways.office import Office
    from tradeloom.gateways.overview import Overview
    from tradeloom.gateways.records import Records

BEARER: Final = HTTPBearer(
    auto_error=False, scheme_name="bearer", description="An access token from sign-in."
)
API_KEY: Final = APIKeyHeader(
    name="X-API-Key", auto_error=False, scheme_name="apiKey", description="An API key."
)
_KEY: Final = re.compile(r"[A-Za-z0-9_-]{1,32}")
KEY_PATTERN: Final = r"^[A-Za-z0-9_-]{1,32}$"
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=KEY_PATTERN,
        description="Id of the command: the same key with the same body gives the first answer "
        "again, with another body 409 DUPLICATE_ID. Kept across restarts.",
    ),
]

Check = Callable[[Request], Awaitable[Principal]]


@dataclass(slots=True)
class Gate:
    """Everything a route may use. `about` says what the service is, for /system."""

    desk: Desk
    board: QuoteBoard
    bars: BarBuilder
    bar_store: BarStore
    past: Past | None
    callers: Callers
    security: Security
    database: Database
    switchboard: Switchboard
    records: Records
    office: Office
    overview: Overview
    markups: Markups
    inputs: Inputs
    journal: JournalHealth
    meters: Meters
    order_rates: Rates
    about: dict[str, Any]
    ready: Callable[[], dict[str, str]]

    def need(self, scope: Scope) -> Check:
        """A dependency that lets in callers with this scope."""

        async def check(request: Request) -> Principal:
            return await self.caller(request, scope)

        return check

    async def caller(self, request: Request, scope: Scope) -> Principal:
        """The caller of a request; raises `Problem` 401 and the `NotAllowed` of security."""
        token = token_of(request)
        caller = self.callers.known(token) or await self.callers.of(token)
        caller.need(scope)
        return caller

    def sees(self, caller: Principal, account: int) -> int:
        """The account, if the caller may look at it; raises `Problem` 404."""
        if not caller.sees(account):
            raise missing("account", "account")
        return account

    def trades(self, caller: Principal, account: int) -> int:
        """The account, if the caller may trade on it; raises `Problem` 404."""
        if account not in caller.accounts and not caller.may(Scope.TRADE_ALL):
            raise missing("account", "account")
        return account

    async def note(self, caller: Principal, action: str, target: str, **detail: Any) -> None:
        """Keep in the audit who did what."""
        async with self.database.write() as connection:
            await audit.append(
                connection,
                ts=time.time_ns(),
                actor=caller.user_id,
                action=action,
                target=target,
                detail=detail,
            )

    async def execute(self, command: c.Command) -> Reply:
        """Run a command; raises `Refused` and `Rejected`."""
        return await self.desk.checked(command)


def token_of(request: Request) -> str:
    """The token or key of a request; raises `Problem` 401."""
    headers = request.headers
    given = headers.get("authorization")
    if given is not None:
        kind, _, token = given.partition(" ")
        if kind.lower() == "bearer" and token:
            return token
        raise unauthenticated()
    key = headers.get("x-api-key")
    if not key:
        raise unauthenticated()
    return key


def client_of(request: Request) -> Client:
    """Where a request comes from."""
    agent = request.headers.get("user-agent", "")
    return Client(request.client.host if request.client else "", agent)


def command_id(request: Request) -> str:
    """The Idempotency-Key of a request, empty when there is none; raises `Problem`."""
    given = request.headers.get("idempotency-key")
    if given is None:
        return ""
    if not _KEY.fullmatch(given):
        raise invalid("Idempotency-Key", "an id is 1 to 32 of A-Z a-z 0-9 _ and -")
    return given


def reply(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """An answer of ours as JSON."""
    body = msgspec.json.encode(wire(value) if isinstance(value, msgspec.Struct) else value)
    return Response(body, status, headers, media_type="application/json")


def page(rows: list[dict[str, Any]], cursor: str | None) -> Response:
    """One page of a listing; `next` is None on the last one."""
    return reply({"items": rows, "next": cursor})


def done(made: Reply, **more: Any) -> dict[str, Any]:
    """What every command answers."""
    return {
        "code": int(made.code),
        "name": made.code.name,
        "reference": made.reference,
        "repeat": made.repeat,
        "time": rfc3339(made.ts),
        **more,
    }
