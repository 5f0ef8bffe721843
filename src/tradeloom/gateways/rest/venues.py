"""Routes of venues: how they are, their instruments, orders on our accounts there; the vault."""

from __future__ import annotations

from collections.abc import Awaitable
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeVar

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from tradeloom.connectors.contract import (
    Amendment,
    Connector,
    Health,
    OrderAnswer,
    OrderRequest,
    Outcome,
    RateLimit,
    UnknownOrder,
    UnknownSymbol,
    Unsupported,
    VenueBalance,
    VenueFill,
    VenueInfo,
    VenueOrder,
    VenuePosition,
    VenueUnavailable,
)
from tradeloom.domain.enums import OrderType, ReturnCode, Side, TimeInForce
from tradeloom.domain.market import VenueInstrument
from tradeloom.gateways.problems import Problem, status_of
from tradeloom.gateways.rest.answers import problems
from tradeloom.gateways.rest.errors import invalid, missing
from tradeloom.gateways.rest.gate import Gate, client_of, reply
from tradeloom.gateways.rest.models import Closed, Positive, model_of
from tradeloom.gateways.wire import rfc3339, wire
from tradeloom.security.rights import Principal, Scope

T = TypeVar("T")

Name = Annotated[str, Path(pattern=r"^[a-z0-9_-]{1,32}$", description="Name of the venue.")]
ClientIdPath = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,32}$")]
Symbol = Annotated[str | None, Query(pattern=r"^[A-Za-z0-9_./-]{1,40}$")]
_PART = r"^[a-z0-9_-]{1,32}$"

InfoOut = model_of(VenueInfo, "VenueOut")
HealthOut = model_of(Health, "VenueHealthOut")
LimitOut = model_of(RateLimit, "VenueLimitOut")
InstrumentOut = model_of(VenueInstrument, "VenueInstrumentOut")
OrderOut = model_of(VenueOrder, "VenueOrderOut")
FillOut = model_of(VenueFill, "VenueFillOut")
BalanceOut = model_of(VenueBalance, "VenueBalanceOut")
PositionOut = model_of(VenuePosition, "VenuePositionOut")
AnswerOut = model_of(OrderAnswer, "VenueAnswerOut")


def _many(model: Any) -> Any:
    return list[model]


InfoOuts, LimitOuts, InstrumentOuts = _many(InfoOut), _many(LimitOut), _many(InstrumentOut)
OrderOuts, FillOuts, AnswerOuts = _many(OrderOut), _many(FillOut), _many(AnswerOut)
BalanceOuts, PositionOuts = _many(BalanceOut), _many(PositionOut)


class NewOrder(Closed):
    """An order for a venue. `volume` is in units of the venue's own quantity."""

    client_id: str = Field(pattern=r"^[A-Za-z0-9_-]{1,32}$", description="Yours, unique for ever.")
    symbol: str = Field(pattern=r"^[A-Za-z0-9_./-]{1,40}$")
    side: Literal["buy", "sell"]
    volume: Positive
    type: Literal["market", "limit", "stop", "stop_limit"] = "market"
    price: Positive | None = None
    stop_price: Positive | None = None
    tif: Literal["gtc", "day", "gtd", "ioc", "fok"] = "gtc"
    post_only: bool = False
    reduce_only: bool = False
    expire_ns: int = Field(default=0, ge=0, le=2**63 - 1)


class Change(Closed):
    """New terms of a working order; what is left out stays."""

    price: Positive | None = None
    volume: Positive | None = None


class Why(Closed):
    """A reason that is kept in the audit."""

    reason: str = Field(min_length=3, max_length=200)


class DeadMan(Closed):
    """The venue cancels everything after so many silent seconds; null turns that off."""

    after_s: int | None = Field(ge=5, le=3_600)


class KeyParts(Closed):
    """The parts of a key by name, such as key and secret; write only."""

    values: dict[
        Annotated[str, Field(pattern=_PART)], Annotated[str, Field(min_length=1, max_length=8192)]
    ] = Field(min_length=1, max_length=8)


class KeyOut(BaseModel):
    """A key in the vault: what it consists of, not what it is."""

    venue: str
    account: str
    holds: list[str]
    updated: str


class DrainedOut(BaseModel):
    """Whether no working order was left."""

    drained: bool


def router(gate: Gate) -> APIRouter:
    """The routes."""
    api = APIRouter(prefix="/api/v1", tags=["venues"], responses=problems(504))
    looks = Depends(gate.need(Scope.ACCOUNTS_READ_ALL))
    trades = Depends(gate.need(Scope.TRADE_ALL))
    runs = Depends(gate.need(Scope.STATE_MANAGE))
    keys = Depends(gate.need(Scope.ROLES_MANAGE))

    def found(venue: str) -> Connector:
        connector = gate.switchboard.connections.get(venue)
        if connector is None:
            raise missing("venue in this service", "venue")
        return connector

    @api.get("/venues", response_model=InfoOuts)
    async def list_venues(caller: Principal = looks) -> Response:
        """The venues that this service is connected to."""
        return _rows([each.info() for each in gate.switchboard.connections.values()])

    @api.get("/venues/{venue}/health", response_model=HealthOut)
    async def venue_health(venue: Name, caller: Principal = looks) -> Response:
        """State, connections, stale symbols, clock, and what became of every frame."""
        return reply(found(venue).health())

    @api.get("/venues/{venue}/limits", response_model=LimitOuts)
    async def venue_limits(venue: Name, caller: Principal = looks) -> Response:
        """What is left of the venue's rate limits."""
        return _rows(found(venue).limits())

    @api.get("/venues/{venue}/instruments", response_model=InstrumentOuts)
    async def venue_instruments(
        venue: Name, symbol: Symbol = None, caller: Principal = looks
    ) -> Response:
        """What the venue lists; `symbol` filters by the beginning of a name."""
        listed = await _asked(found(venue).instruments())
        wanted = (symbol or "").upper()
        return _rows([each for each in listed if each.symbol.startswith(wanted)])

    @api.get("/venues/{venue}/orders", response_model=OrderOuts)
    async def venue_orders(
        venue: Name, symbol: Symbol = None, caller: Principal = looks
    ) -> Response:
        """Orders that work at the venue now, ours and those of others."""
        return _rows(await _asked(found(venue).open_orders(symbol)))

    @api.get("/venues/{venue}/orders/{client_id}", response_model=OrderOut)
    async def venue_order(
        venue: Name, client_id: ClientIdPath, caller: Principal = looks
    ) -> Response:
        """One order, as the venue has it now."""
        return reply(await _asked(found(venue).query(client_id)))

    @api.post("/venues/{venue}/orders", response_model=AnswerOut, responses={202: _UNSURE})
    async def place_at_venue(venue: Name, order: NewOrder, caller: Principal = trades) -> Response:
        """Place an order: 200 accepted, 202 sent but not known yet (ask for it by its id).

        The same request again gives the first answer again.
        """
        connector = found(venue)
        request = OrderRequest(
            client_id=order.client_id,
            symbol=order.symbol,
            side=Side[order.side.upper()],
            volume=Decimal(order.volume),
            type=OrderType[order.type.upper()],
            price=None if order.price is None else Decimal(order.price),
            stop_price=None if order.stop_price is None else Decimal(order.stop_price),
            tif=TimeInForce[order.tif.upper()],
            post_only=order.post_only,
            reduce_only=order.reduce_only,
            expire_ns=order.expire_ns,
        )
        answer = await connector.submit(request)
        if answer.outcome is not Outcome.REFUSED:
            await gate.note(caller, "venue.order", f"{venue}/{order.client_id}")
        return _answered(answer)

    @api.patch(
        "/venues/{venue}/orders/{client_id}", response_model=AnswerOut, responses={202: _UNSURE}
    )
    async def amend_at_venue(
        venue: Name, client_id: ClientIdPath, change: Change, caller: Principal = trades
    ) -> Response:
        """Change price or volume of a working order."""
        price = None if change.price is None else Decimal(change.price)
        volume = None if change.volume is None else Decimal(change.volume)
        if price is None and volume is None:
            raise invalid("price", "give a new price, a new volume, or both")
        amendment = Amendment(client_id=client_id, price=price, volume=volume)
        return _answered(await found(venue).amend(amendment))

    @api.delete(
        "/venues/{venue}/orders/{client_id}", response_model=AnswerOut, responses={202: _UNSURE}
    )
    async def cancel_at_venue(
        venue: Name, client_id: ClientIdPath, caller: Principal = trades
    ) -> Response:
        """Cancel one order."""
        return _answered(await found(venue).cancel(client_id))

    @api.delete("/venues/{venue}/orders", response_model=AnswerOuts)
    async def cancel_all_at_venue(
        venue: Name, symbol: Symbol = None, caller: Principal = trades
    ) -> Response:
        """Cancel everything, or everything of a symbol."""
        return _rows(await _asked(found(venue).cancel_all(symbol)))

    @api.get("/venues/{venue}/fills", response_model=FillOuts)
    async def venue_fills(
        venue: Name,
        since_ns: Annotated[int, Query(ge=0, le=2**63 - 1)] = 0,
        symbol: Symbol = None,
        caller: Principal = looks,
    ) -> Response:
        """Executions since then, each once."""
        return _rows(await _asked(found(venue).fills(since_ns, symbol)))

    @api.get("/venues/{venue}/balances", response_model=BalanceOuts)
    async def venue_balances(venue: Name, caller: Principal = looks) -> Response:
        """Money at the venue."""
        return _rows(await _asked(found(venue).balances()))

    @api.get("/venues/{venue}/positions", response_model=PositionOuts)
    async def venue_positions(venue: Name, caller: Principal = looks) -> Response:
        """Open positions at the venue."""
        return _rows(await _asked(found(venue).positions()))

    @api.post("/venues/{venue}/kill", response_model=AnswerOuts)
    async def kill_venue(venue: Name, why: Why, caller: Principal = runs) -> Response:
        """No new orders, latched over restarts, and everything cancelled."""
        answers = await _asked(found(venue).kill(why.reason))
        await gate.note(caller, "venue.kill", venue, reason=why.reason)
        return _rows(answers)

    @api.post("/venues/{venue}/reset", response_model=HealthOut)
    async def reset_venue(venue: Name, why: Why, caller: Principal = runs) -> Response:
        """Undo kill or drain."""
        connector = found(venue)
        await _asked(connector.reset(why.reason))
        await gate.note(caller, "venue.reset", venue, reason=why.reason)
        return reply(connector.health())

    @api.post("/venues/{venue}/drain", response_model=DrainedOut)
    async def drain_venue(venue: Name, why: Why, caller: Principal = runs) -> Response:
        """Take no new orders; says whether working ones are left."""
        drained = await _asked(found(venue).drain(0.0))
        await gate.note(caller, "venue.drain", venue, reason=why.reason)
        return reply({"drained": drained})

    @api.post("/venues/{venue}/reconnect", response_model=HealthOut)
    async def reconnect_venue(venue: Name, caller: Principal = runs) -> Response:
        """Close and open every connection to the venue."""
        connector = found(venue)
        await _asked(connector.reconnect())
        await gate.note(caller, "venue.reconnect", venue)
        return reply(connector.health())

    @api.put("/venues/{venue}/cancel-on-disconnect", response_model=HealthOut)
    async def dead_man(venue: Name, order: DeadMan, caller: Principal = runs) -> Response:
        """Arm the venue's own dead-man switch, or turn it off."""
        connector = found(venue)
        await _asked(connector.cancel_on_disconnect(order.after_s))
        await gate.note(caller, "venue.cancel_on_disconnect", venue, after_s=order.after_s)
        return reply(connector.health())

    @api.get("/vault", response_model=list[KeyOut])
    async def list_vault(caller: Principal = keys) -> Response:
        """Keys of venues: what each consists of, never what it is."""
        rows = await gate.security.vault.listed()
        return reply(
            [
                {
                    "venue": row.venue,
                    "account": row.account,
                    "holds": row.holds,
                    "updated": rfc3339(row.updated),
                }
                for row in rows
            ]
        )

    @api.put("/vault/{venue}/{account}", response_model=KeyOut)
    async def put_key(
        venue: Name,
        account: Annotated[str, Path(pattern=_PART)],
        key: KeyParts,
        request: Request,
        caller: Principal = keys,
    ) -> Response:
        """Keep a key of a venue; it is used from the next start on."""
        row = await gate.security.vault.put(
            venue, account, key.values, actor=caller.user_id, client=client_of(request)
        )
        return reply(
            {
                "venue": row.venue,
                "account": row.account,
                "holds": row.holds,
                "updated": rfc3339(row.updated),
            }
        )

    @api.delete("/vault/{venue}/{account}", status_code=204, response_class=Response)
    async def remove_key(
        venue: Name,
        account: Annotated[str, Path(pattern=_PART)],
        request: Request,
        caller: Principal = keys,
    ) -> Response:
        """Forget a key."""
        await gate.security.vault.remove(
            venue, account, actor=caller.user_id, client=client_of(request)
        )
        return Response(status_code=204)

    return api


_UNSURE: dict[str, Any] = {
    "model": AnswerOut,
    "description": "Sent, and the venue has not told what became of it: ask by the client id.",
}


def _rows(rows: Any) -> Response:
    return reply([wire(each) for each in rows])


def _answered(answer: OrderAnswer) -> Response:
    """An accepted or unresolved order; a refused one is a problem."""
    if answer.outcome is Outcome.REFUSED:
        text = answer.message or "the venue refused it"
        if answer.venue_code:
            text = f"{text} (the venue's code is {answer.venue_code})"
        detail = f"{answer.code.name} ({answer.code.number}): {text}"
        raise Problem(status_of(answer.code, True), answer.code, detail, field=answer.field)
    return reply(answer, 202 if answer.outcome is Outcome.UNRESOLVED else 200)


async def _asked(call: Awaitable[T]) -> T:
    """The venue's answer; its exceptions as problems."""
    try:
        return await call
    except (UnknownSymbol, UnknownOrder) as error:
        raise Problem(404, ReturnCode.ERR_NOTFOUND, str(error)) from error
    except Unsupported as error:
        raise Problem(409, ReturnCode.TRADE_INCORRECT_CMD, str(error)) from error
    except VenueUnavailable as error:
        headers = {"Retry-After": "2"}
        raise Problem(503, ReturnCode.BUSY, str(error), headers=headers) from error
