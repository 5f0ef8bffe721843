"""POST /orders/preview: what an order would do, before it is sent."""

from __future__ import annotations

import time
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from tradeloom.engine.preview import Previews, PreviewView
from tradeloom.gateways.limits import PREVIEWS_BURST, PREVIEWS_PER_S
from tradeloom.gateways.rates import Rates
from tradeloom.gateways.rest import orders
from tradeloom.gateways.rest.answers import problems
from tradeloom.gateways.rest.gate import Gate, reply
from tradeloom.gateways.rest.models import model_of
from tradeloom.security.rights import Scope

PreviewOut = model_of(PreviewView, "PreviewOut")
_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/OrderRequest"}}},
    }
}


def router(gate: Gate) -> APIRouter:
    """The route."""
    api = APIRouter(prefix="/api/v1", responses=problems())
    previews, names = Previews(), gate.desk.names
    rates = Rates(PREVIEWS_PER_S, PREVIEWS_BURST)

    @api.post("/orders/preview", tags=["orders"], response_model=PreviewOut, openapi_extra=_BODY)
    async def preview_order(request: Request) -> Response:
        """What the same order would do now: margin, costs, what is free after it; sends nothing.

        A refusal of the engine is part of the answer, not a problem.
        """
        caller = await gate.caller(request, Scope.ACCOUNTS_READ)
        wait = rates.take(caller.user_id)
        if wait:
            raise orders.too_fast(wait)
        order = orders.decode(await request.body())
        gate.sees(caller, order.account)
        record = gate.desk.encoder.encode(orders.command(order, ""), 0)
        now = time.time_ns()
        return reply(gate.desk.shard.read(lambda core: previews.preview(core, names, record, now)))

    return api
