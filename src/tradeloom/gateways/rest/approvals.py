"""Routes of what waits for a second person: listing, agreeing, refusing."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from tradeloom.gateways.limits import PAGE_ROWS_MAX
from tradeloom.gateways.rest.answers import problems
from tradeloom.gateways.rest.gate import Gate, reply
from tradeloom.gateways.rest.models import Closed, Id, Time, words
from tradeloom.gateways.rest.tables import CSV, AsCsv, pages
from tradeloom.gateways.wire import rfc3339
from tradeloom.security import NotAllowed, Principal, Scope
from tradeloom.store.approvals import Approval, ApprovalState

State = words(ApprovalState)
Wanted = Annotated[str | None, Query(pattern="^(pending|approved|rejected|expired|withdrawn)$")]
Number = Annotated[int, Path(ge=1, le=2**63 - 1)]


class DecisionIn(Closed):
    """A word on the decision."""

    note: Annotated[str, Field(max_length=200)] = ""


class Outcome(BaseModel):
    """What the engine said when it was done."""

    code: int
    name: str
    field: str
    detail: str


class ApprovalOut(BaseModel):
    """A request that waits, or how it ended. `request`: what will be done, or was."""

    id: int
    created: Time
    expires: Time
    requester: Id
    operation: str
    target: str
    request: dict[str, Any]
    reason: str
    state: State  # type: ignore[valid-type]
    decided_by: int | None
    decided: Time | None
    note: str
    outcome: Outcome | None


class ApprovalPage(BaseModel):
    """A page of requests."""

    items: list[ApprovalOut]
    next: str | None


class RuleOut(BaseModel):
    """When a second person is needed: from an amount, or a number of accounts on; null: never."""

    amount: str | None
    accounts: int | None
    expires_s: float


def router(gate: Gate) -> APIRouter:
    """The routes."""
    api = APIRouter(prefix="/api/v1", responses=problems(504))
    office = gate.office

    async def staff(request: Request) -> Principal:
        """Somebody who may do at least one kind of what is asked for."""
        caller = await gate.caller(request, Scope.ACCOUNTS_READ_ALL)
        if not (caller.may(Scope.MONEY) or caller.may(Scope.INSTRUMENTS_MANAGE)):
            raise NotAllowed(Scope.MONEY)
        return caller

    decides = Depends(staff)

    @api.get("/approvals", tags=["approvals"], response_model=ApprovalPage, responses=CSV)
    async def list_approvals(
        csv: AsCsv,
        state: Wanted = None,
        operation: Annotated[str | None, Query(max_length=32)] = None,
        target: Annotated[str | None, Query(max_length=128)] = None,
        cursor: Annotated[str | None, Query(max_length=128)] = None,
        limit: Annotated[int | None, Query(ge=1, le=PAGE_ROWS_MAX)] = None,
        caller: Principal = decides,
    ) -> Response:
        """What waits for a second person, and what did, newest first."""
        wanted = None if state is None else ApprovalState(state)

        async def listed(at: str | None, size: int | None) -> tuple[list[Any], str | None]:
            found = await office.approvals.listed(
                state=wanted, operation=operation, target=target, cursor=at, limit=size
            )
            return [approval(row) for row in found.items], found.next

        return await pages(csv, "approvals", ApprovalOut, listed, cursor, limit)

    @api.get("/approvals/rule", tags=["approvals"], response_model=RuleOut)
    async def get_approval_rule(caller: Principal = decides) -> Response:
        """When a second person is needed here."""
        rule = office.rule
        amount = None if rule.amount is None else str(rule.amount)
        return reply(
            {"amount": amount, "accounts": rule.accounts or None, "expires_s": rule.expires_s}
        )

    @api.get("/approvals/{number}", tags=["approvals"], response_model=ApprovalOut)
    async def get_approval(number: Number, caller: Principal = decides) -> Response:
        """One request."""
        return reply(approval(await office.request(number)))

    @api.post("/approvals/{number}/approve", tags=["approvals"], response_model=ApprovalOut)
    async def approve(number: Number, body: DecisionIn, caller: Principal = decides) -> Response:
        """Agree to what somebody else asked for; it is done at once, `outcome` says how it went."""
        return reply(approval(await office.approve(caller, number, body.note)))

    @api.post("/approvals/{number}/reject", tags=["approvals"], response_model=ApprovalOut)
    async def reject(number: Number, body: DecisionIn, caller: Principal = decides) -> Response:
        """Refuse what somebody else asked for, or take the own request back."""
        return reply(approval(await office.reject(caller, number, body.note)))

    return api


def approval(row: Approval) -> dict[str, Any]:
    """A request on the wire."""
    return {
        "id": row.id,
        "created": rfc3339(row.created),
        "expires": rfc3339(row.expires),
        "requester": row.requester,
        "operation": row.operation,
        "target": row.target,
        "request": row.request,
        "reason": row.reason,
        "state": row.state.value,
        "decided_by": row.decided_by,
        "decided": None if row.decided is None else rfc3339(row.decided),
        "note": row.note,
        "outcome": row.outcome,
    }
