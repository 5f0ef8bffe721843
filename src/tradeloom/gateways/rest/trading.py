"""Routes of orders and positions, but for placing an order (see `orders`)."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from pydantic import Field
from starlette.responses import Response

from tradeloom.domain import commands as c
from tradeloom.engine.views import OrderView, PositionView
from tradeloom.gateways.rest.answers import Done, problems
from tradeloom.gateways.rest.errors import missing
from tradeloom.gateways.rest.gate import Gate, IdempotencyKey, done, reply
from tradeloom.gateways.rest.models import Closed, Id, Positive, model_of
from tradeloom.gateways.rest.orders import when
from tradeloom.gateways.rest.tables import CSV, AsCsv, whole
from tradeloom.gateways.wire import wire
from tradeloom.security.rights import Principal, Scope

OrderOut = model_of(OrderView, "OrderOut")
PositionOut = model_of(PositionView, "PositionOut")
Points = Annotated[int, Field(ge=0, le=10**15)]
Account = Annotated[int, Field(ge=1, le=2**63 - 1, description="Trading account.")]
Number = Annotated[int, Path(ge=1, le=2**63 - 1)]
OfAccount = Annotated[int, Query(ge=1, le=2**63 - 1, description="Trading account.")]
Symbol = Annotated[str, Field(min_length=1, max_length=32, examples=["EURUSD"])]


class ModifyOrderIn(Closed):
    """New price, stops and expiry of a working order; what is null is removed."""

    account: Account
    price: Positive
    limit_price: Positive | None = None
    sl: Positive | None = None
    tp: Positive | None = None
    expire: Annotated[str | None, Field(max_length=40, description="RFC 3339.")] = None


class OfOneAccount(Closed):
    """Orders or positions of an account, of one instrument if it is given."""

    account: Account
    instrument: Symbol | None = None


class ModifyPositionIn(Closed):
    """New stops and trailing distance (points) of a position; null and 0 remove them."""

    account: Account
    sl: Positive | None = None
    tp: Positive | None = None
    trailing: Points = 0
    trailing_step: Points = 0


class ClosePositionIn(Closed):
    """Close a position, or `volume` lots of it, within `max_deviation` points of `price`."""

    account: Account
    volume: Positive | None = None
    price: Positive | None = None
    max_deviation: Points | None = None


class CloseByIn(Closed):
    """The opposite position to close against."""

    account: Account
    position_by: Id


class AccountIn(Closed):
    """The account of the position."""

    account: Account


def router(gate: Gate) -> APIRouter:
    """The routes."""
    api = APIRouter(prefix="/api/v1", responses=problems(504))
    reads = Depends(gate.need(Scope.ACCOUNTS_READ))
    trades = Depends(gate.need(Scope.TRADE))

    async def run(caller: Principal, command: c.AccountCommand) -> Response:
        gate.trades(caller, command.account)
        return reply(done(await gate.execute(command)))

    @api.get(
        "/orders",
        tags=["orders"],
        response_model=list[OrderOut],  # type: ignore[valid-type]
        responses=CSV,
    )
    async def list_working_orders(
        csv: AsCsv, account: OfAccount, caller: Principal = reads
    ) -> Response:
        """Working orders of an account."""
        gate.sees(caller, account)
        rows = [wire(each) for each in gate.desk.read(lambda r: r.orders(account))]
        return whole(csv, f"orders-{account}", OrderOut, rows)

    @api.get("/orders/{order}", tags=["orders"], response_model=OrderOut)
    async def get_working_order(
        order: Number, account: OfAccount, caller: Principal = reads
    ) -> Response:
        """One working order."""
        gate.sees(caller, account)
        found = gate.desk.read(lambda r: r.orders(account))
        return reply(_one(found, order, "order"))

    @api.patch("/orders/{order}", tags=["orders"], response_model=Done)
    async def modify_order(
        order: Number, body: ModifyOrderIn, key: IdempotencyKey = None, caller: Principal = trades
    ) -> Response:
        """Set price, stops and expiry of a working order."""
        return await run(
            caller,
            c.ModifyOrder(
                id=key or "",
                account=body.account,
                order=order,
                price=Decimal(body.price),
                limit_price=_decimal(body.limit_price),
                sl=_decimal(body.sl),
                tp=_decimal(body.tp),
                expire=when(body.expire, "expire"),
            ),
        )

    @api.delete("/orders/{order}", tags=["orders"], response_model=Done)
    async def cancel_order(
        order: Number, account: OfAccount, key: IdempotencyKey = None, caller: Principal = trades
    ) -> Response:
        """Cancel a working order."""
        return await run(caller, c.CancelOrder(id=key or "", account=account, order=order))

    @api.post("/orders/cancel-all", tags=["orders"], response_model=Done)
    async def cancel_all_orders(
        body: OfOneAccount, key: IdempotencyKey = None, caller: Principal = trades
    ) -> Response:
        """Cancel every working order; `reference` says how many."""
        symbol = body.instrument or ""
        return await run(caller, c.CancelAll(id=key or "", account=body.account, instrument=symbol))

    @api.get(
        "/positions",
        tags=["positions"],
        response_model=list[PositionOut],  # type: ignore[valid-type]
        responses=CSV,
    )
    async def list_positions(csv: AsCsv, account: OfAccount, caller: Principal = reads) -> Response:
        """Open positions of an account, valued at the present quotes."""
        gate.sees(caller, account)
        rows = [wire(each) for each in gate.desk.read(lambda r: r.positions(account))]
        return whole(csv, f"positions-{account}", PositionOut, rows)

    @api.get("/positions/{position}", tags=["positions"], response_model=PositionOut)
    async def get_position(
        position: Number, account: OfAccount, caller: Principal = reads
    ) -> Response:
        """One open position."""
        gate.sees(caller, account)
        found = gate.desk.read(lambda r: r.positions(account))
        return reply(_one(found, position, "position"))

    @api.patch("/positions/{position}", tags=["positions"], response_model=Done)
    async def modify_position(
        position: Number,
        body: ModifyPositionIn,
        key: IdempotencyKey = None,
        caller: Principal = trades,
    ) -> Response:
        """Set stop loss, take profit and trailing stop."""
        return await run(
            caller,
            c.ModifyPosition(
                id=key or "",
                account=body.account,
                position=position,
                sl=_decimal(body.sl),
                tp=_decimal(body.tp),
                trailing=body.trailing,
                trailing_step=body.trailing_step,
            ),
        )

    @api.post("/positions/{position}/close", tags=["positions"], response_model=Done)
    async def close_position(
        position: Number,
        body: ClosePositionIn,
        key: IdempotencyKey = None,
        caller: Principal = trades,
    ) -> Response:
        """Close a position at the market, whole or in part."""
        return await run(
            caller,
            c.ClosePosition(
                id=key or "",
                account=body.account,
                position=position,
                volume=_decimal(body.volume),
                price=_decimal(body.price),
                max_deviation=body.max_deviation,
            ),
        )

    @api.post("/positions/{position}/close-by", tags=["positions"], response_model=Done)
    async def close_position_by(
        position: Number, body: CloseByIn, key: IdempotencyKey = None, caller: Principal = trades
    ) -> Response:
        """Close two opposite positions of one instrument against each other."""
        return await run(
            caller,
            c.CloseBy(
                id=key or "",
                account=body.account,
                position=position,
                position_by=body.position_by,
            ),
        )

    @api.post("/positions/{position}/reverse", tags=["positions"], response_model=Done)
    async def reverse_position(
        position: Number, body: AccountIn, key: IdempotencyKey = None, caller: Principal = trades
    ) -> Response:
        """Turn a position around at the market, all or nothing."""
        return await run(caller, c.Reverse(id=key or "", account=body.account, position=position))

    @api.post("/positions/close-all", tags=["positions"], response_model=Done)
    async def close_all_positions(
        body: OfOneAccount, key: IdempotencyKey = None, caller: Principal = trades
    ) -> Response:
        """Close every position that can be closed now; `reference` says how many."""
        symbol = body.instrument or ""
        return await run(caller, c.CloseAll(id=key or "", account=body.account, instrument=symbol))

    return api


def _one(found: list[Any], number: int, what: str) -> Any:
    for each in found:
        if each.id == number:
            return each
    raise missing(what, what)


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
