"""Routes of what a user wants remembered: layouts, favourites, alerts, settings."""

from __future__ import annotations

import time
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel
from starlette.responses import Response

from tradeloom.domain.enums import ReturnCode
from tradeloom.gateways.limits import PREFERENCE_BYTES_MAX
from tradeloom.gateways.problems import Problem
from tradeloom.gateways.rest.answers import problems
from tradeloom.gateways.rest.errors import invalid, missing
from tradeloom.gateways.rest.gate import Gate, reply
from tradeloom.gateways.rest.models import Closed, Time
from tradeloom.gateways.wire import rfc3339
from tradeloom.security import Principal, Scope
from tradeloom.store.preferences import Preferences, TooMany

Name = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$", examples=["terminal.layout"])]


class PreferenceIn(Closed):
    """What to remember: any JSON, up to 32 KB."""

    value: Any


class PreferenceOut(BaseModel):
    """What is remembered."""

    name: str
    value: Any
    updated: Time


def router(gate: Gate) -> APIRouter:
    """The routes."""
    api = APIRouter(prefix="/api/v1", responses=problems())
    own = Depends(gate.need(Scope.PROFILE))
    kept = Preferences(gate.database)

    @api.get("/me/preferences", tags=["me"], response_model=list[str])
    async def list_preferences(caller: Principal = own) -> Response:
        """Names of what is remembered for the caller."""
        return reply(await kept.names(caller.user_id))

    @api.get("/me/preferences/{name}", tags=["me"], response_model=PreferenceOut)
    async def get_preference(name: Name, caller: Principal = own) -> Response:
        """One thing that is remembered."""
        found = await kept.get(caller.user_id, name)
        if found is None:
            raise missing("preference", "name")
        updated = rfc3339(found.updated)
        return reply({"name": found.name, "value": found.value, "updated": updated})

    @api.put("/me/preferences/{name}", tags=["me"], status_code=204, response_class=Response)
    async def set_preference(name: Name, body: PreferenceIn, caller: Principal = own) -> Response:
        """Remember something in the place of what was there."""
        try:
            size = len(msgspec.json.encode(body.value))
        except (UnicodeEncodeError, TypeError, OverflowError):
            raise invalid("value", "it has a character that is none") from None
        if size > PREFERENCE_BYTES_MAX:
            raise invalid("value", f"it is larger than {PREFERENCE_BYTES_MAX} bytes")
        try:
            await kept.put(caller.user_id, name, body.value, time.time_ns())
        except TooMany as error:
            detail = f"LIMIT_REACHED (1012) in name: {error}; remove one you do not need"
            raise Problem(409, ReturnCode.LIMIT_REACHED, detail, field="name") from None
        return Response(status_code=204)

    @api.delete("/me/preferences/{name}", tags=["me"], status_code=204, response_class=Response)
    async def remove_preference(name: Name, caller: Principal = own) -> Response:
        """Forget something."""
        if not await kept.remove(caller.user_id, name):
            raise missing("preference", "name")
        return Response(status_code=204)

    return api
