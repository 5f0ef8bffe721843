"""Routes that change groups and instruments: look first, then change, and take it back."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal

import msgspec
from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from tradeloom.domain.enums import ReturnCode, TradeMode
from tradeloom.domain.errors import Refused
from tradeloom.domain.group import Group
from tradeloom.domain.instrument import Instrument
from tradeloom.gateways import definitions as d
from tradeloom.gateways.limits import PAGE_ROWS_MAX
from tradeloom.gateways.office import Act
from tradeloom.gateways.problems import ApiCode, Problem
from tradeloom.gateways.rest.answers import Done, problems
from tradeloom.gateways.rest.approvals import ApprovalOut, approval
from tradeloom.gateways.rest.errors import invalid, missing, plain
from tradeloom.gateways.rest.gate import Gate, IdempotencyKey, done, reply
from tradeloom.gateways.rest.models import Closed, Id, Time, input_of, words
from tradeloom.gateways.rest.tables import CSV, AsCsv, pages
from tradeloom.gateways.wire import rfc3339
from tradeloom.security.rights import Principal, Scope
from tradeloom.store.changes import ChangeRow

InstrumentIn = input_of(Instrument, "InstrumentIn")
GroupIn = input_of(Group, "GroupIn")
Reason = Annotated[str, Field(min_length=3, max_length=200, description="Kept for good.")]
SecondPerson = Annotated[
    bool, Field(description="Wait for somebody else to agree, whatever the rule says.")
]
Symbol = Annotated[str, Path(min_length=1, max_length=32)]
Name = Annotated[str, Path(min_length=1, max_length=64)]
Number = Annotated[int, Path(ge=1, le=2**63 - 1)]
Kind = Literal["group", "instrument"]
_PLACE: Final = re.compile(r"\$\.?([\w.\[\]]*)")


class InstrumentPut(Closed):
    """How the instrument shall be from now on, and why."""

    definition: InstrumentIn  # type: ignore[valid-type]
    reason: Reason
    second_person: SecondPerson = False


class GroupPut(Closed):
    """How the group shall be from now on, and why."""

    definition: GroupIn  # type: ignore[valid-type]
    reason: Reason
    second_person: SecondPerson = False


class RevertIn(Closed):
    """Why a change is taken back."""

    reason: Reason
    second_person: SecondPerson = False


class TradeModeIn(Closed):
    """What may be traded on the instrument from now on."""

    trade_mode: words(TradeMode)  # type: ignore[valid-type]
    reason: Annotated[str, Field(max_length=200)] = ""


class FieldChange(BaseModel):
    """One field that changes; `field` with dots into objects."""

    field: str
    old: Any
    new: Any


class Refusal(BaseModel):
    """Why the engine would not take it."""

    code: int
    name: str
    field: str
    detail: str


class ChangePreview(BaseModel):
    """What a change would do. `new`: there is none of this name yet."""

    what: Kind
    name: str
    new: bool
    changes: list[FieldChange]
    accounts: int = Field(description="Accounts it concerns.")
    positions: int = Field(description="Open positions it concerns.")
    orders: int = Field(description="Pending orders it concerns.")
    refused: Refusal | None
    second_person: bool = Field(description="Somebody else has to agree.")


class ChangeOut(BaseModel):
    """A change that was made."""

    id: int
    time: Time
    actor: Id
    what: Kind
    name: str
    reason: str
    changes: list[FieldChange]
    new: bool
    reverts: int | None
    approval: int | None


class ChangePage(BaseModel):
    """A page of changes."""

    items: list[ChangeOut]
    next: str | None


_WAITS: Final[dict[int | str, dict[str, Any]]] = {
    202: {"model": ApprovalOut, "description": "Somebody else has to agree first"}
}


def router(gate: Gate) -> APIRouter:
    """The routes."""
    api = APIRouter(prefix="/api/v1", responses=problems(504))
    manages = Depends(gate.need(Scope.INSTRUMENTS_MANAGE))
    office = gate.office

    async def preview(what: str, body: BaseModel) -> Response:
        definition = _parsed(what, body)
        act = _act(gate, what, definition)
        refused = d.refusal(gate.desk, definition)
        concerned = await office.concerned(what, act["name"])
        return reply(
            {
                "what": what,
                "name": act["name"],
                "new": act["before"] is None,
                "changes": d.difference(act["before"], act["after"]),
                "accounts": concerned.accounts,
                "positions": concerned.positions,
                "orders": concerned.orders,
                "refused": None if refused is None else _refusal(refused),
                "second_person": await office.needs_second(act),
            }
        )

    async def change(
        caller: Principal, act: Act, reason: str, second: bool, key: str | None
    ) -> Response:
        if second or await office.needs_second(act):
            return reply(approval(await office.ask(caller, act, reason, key or "")), 202)
        return reply(done(await office.do(caller, act, reason, key or "")))

    @api.post("/instruments/preview", tags=["market"], response_model=ChangePreview)
    async def preview_instrument(
        body: InstrumentIn,  # type: ignore[valid-type]
        caller: Principal = manages,
    ) -> Response:
        """What a new or changed instrument would change, and for whom; changes nothing."""
        return await preview("instrument", body)

    @api.put("/instruments/{symbol:path}", tags=["market"], response_model=Done, responses=_WAITS)
    async def put_instrument(
        symbol: Symbol,
        body: InstrumentPut,
        key: IdempotencyKey = None,
        caller: Principal = manages,
    ) -> Response:
        """Create an instrument, or set all its conditions."""
        definition = _parsed("instrument", body.definition)
        _same(symbol, d.name_of(definition), "symbol")
        act = _act(gate, "instrument", definition)
        return await change(caller, act, body.reason, body.second_person, key)

    @api.patch("/instruments/{symbol:path}", tags=["market"], response_model=Done)
    async def set_trade_mode(
        symbol: Symbol, body: TradeModeIn, key: IdempotencyKey = None, caller: Principal = manages
    ) -> Response:
        """Set what may be traded on an instrument, at once: in an emergency nobody waits."""
        standing = d.known(gate.desk, "instrument", symbol)
        if standing is None:
            raise missing("instrument", "instrument")
        mode = TradeMode(body.trade_mode)
        act = _act(gate, "instrument", msgspec.structs.replace(standing, trade_mode=mode))
        reason = body.reason or "trade mode"
        if act["before"] == act["after"]:
            return reply(done(await gate.execute(d.command(standing, key or ""))))
        return reply(done(await office.do(caller, act, reason, key or "")))

    @api.post("/groups/preview", tags=["market"], response_model=ChangePreview)
    async def preview_group(
        body: GroupIn,  # type: ignore[valid-type]
        caller: Principal = manages,
    ) -> Response:
        """What a new or changed group would change, and for whom; changes nothing."""
        return await preview("group", body)

    @api.put("/groups/{name:path}", tags=["market"], response_model=Done, responses=_WAITS)
    async def put_group(
        name: Name, body: GroupPut, key: IdempotencyKey = None, caller: Principal = manages
    ) -> Response:
        """Create a group, or set all its conditions."""
        definition = _parsed("group", body.definition)
        _same(name, d.name_of(definition), "name")
        act = _act(gate, "group", definition)
        return await change(caller, act, body.reason, body.second_person, key)

    @api.get("/changes", tags=["market"], response_model=ChangePage, responses=CSV)
    async def list_changes(
        csv: AsCsv,
        what: Kind | None = None,
        name: Annotated[str | None, Query(max_length=64)] = None,
        cursor: Annotated[str | None, Query(max_length=128)] = None,
        limit: Annotated[int | None, Query(ge=1, le=PAGE_ROWS_MAX)] = None,
        caller: Principal = manages,
    ) -> Response:
        """Changes of groups and instruments, newest first."""

        async def listed(at: str | None, size: int | None) -> tuple[list[Any], str | None]:
            found = await office.changes.listed(what=what, name=name, cursor=at, limit=size)
            return [_change(row) for row in found.items], found.next

        return await pages(csv, "changes", ChangeOut, listed, cursor, limit)

    @api.post("/changes/{number}/revert", tags=["market"], response_model=Done, responses=_WAITS)
    async def revert_change(
        number: Number, body: RevertIn, key: IdempotencyKey = None, caller: Principal = manages
    ) -> Response:
        """Set what was changed to what it was before; what changed since is overwritten."""
        found = await office.changes.get(number)
        if found is None:
            raise missing("change", "number")
        if found.before is None:
            detail = "it was new then and cannot be taken away; disable it instead"
            raise Problem(409, ApiCode.CONFLICT, detail, field="number")
        act = _act(gate, found.what, d.parse(found.what, found.before)) | {"reverts": number}
        if act["before"] == act["after"]:
            detail = "it is as it was before that change already"
            raise Problem(409, ApiCode.CONFLICT, detail, field="number")
        return await change(caller, act, body.reason, body.second_person, key)

    return api


def _parsed(what: str, body: BaseModel) -> d.Definition:
    """The definition a request describes; raises `Problem`."""
    try:
        return d.parse(what, body.model_dump(exclude_unset=True))
    except msgspec.ValidationError as error:
        text, _, place = str(error).partition(" - at ")
        found = _PLACE.search(place)
        raise invalid(found[1] if found else "", plain(text)) from None


def _same(path: str, body: str, field: str) -> None:
    if path != body:
        raise invalid(f"definition.{field}", f"it must be the one of the path, {path!r:.70}")


def _act(gate: Gate, what: str, definition: d.Definition) -> Act:
    standing = d.known(gate.desk, what, d.name_of(definition))
    return {
        "operation": what,
        "name": d.name_of(definition),
        "before": None if standing is None else d.shown(standing),
        "after": d.shown(d.settled(definition)),
    }


def _refusal(error: Refused) -> dict[str, Any]:
    code: ReturnCode = error.code
    return {"code": code.number, "name": code.name, "field": error.field, "detail": str(error)}


def _change(row: ChangeRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "time": rfc3339(row.ts),
        "actor": row.actor,
        "what": row.what,
        "name": row.name,
        "reason": row.reason,
        "changes": d.difference(row.before, row.after),
        "new": row.before is None,
        "reverts": row.reverts,
        "approval": row.approval,
    }
