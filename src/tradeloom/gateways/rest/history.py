"""Routes of what happened: orders, fills, closed positions, money, transfers, statements, audit."""

from __future__ import annotations

import time
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, create_model
from starlette.responses import Response, StreamingResponse

from tradeloom.gateways.limits import PAGE_ROWS_MAX
from tradeloom.gateways.rest.answers import problems
from tradeloom.gateways.rest.gate import Gate, page
from tradeloom.gateways.rest.models import Time, model_of
from tradeloom.gateways.rest.orders import when
from tradeloom.gateways.wire import rfc3339, wire
from tradeloom.security import Principal, Scope
from tradeloom.store import audit
from tradeloom.store.cursors import Page
from tradeloom.store.rows import (
    BalanceRow,
    ClosedPositionRow,
    FillRow,
    LedgerAccountRow,
    MarginRow,
    OrderRow,
    TransferRow,
)

Account = Annotated[int, Query(ge=1, le=2**63 - 1, description="Trading account.")]
Number = Annotated[int, Path(ge=1, le=2**63 - 1)]
Cursor = Annotated[str | None, Query(max_length=128, description="`next` of the page before.")]
Limit = Annotated[int | None, Query(ge=1, le=PAGE_ROWS_MAX)]
Symbol = Annotated[str | None, Query(min_length=1, max_length=32)]
Moment = Annotated[
    str | None,
    Query(max_length=40, description="RFC 3339.", json_schema_extra={"format": "date-time"}),
]


class AuditOut(BaseModel):
    """One thing that was done; `actor` is a user id, null the system or an unknown caller."""

    id: int
    time: Time
    actor: int | None
    action: str
    target: str
    address: str
    detail: dict[str, Any]


class AuditPage(BaseModel):
    """A page of the audit."""

    items: list[AuditOut]
    next: str | None


def _page_of(row: type[msgspec.Struct], name: str) -> type[BaseModel]:
    fields: dict[str, Any] = {
        "items": (list[model_of(row, name)], ...),  # type: ignore[misc]
        "next": (str | None, ...),
    }
    return create_model(f"{name}Page", __doc__="A page.", **fields)


def router(gate: Gate) -> APIRouter:
    """The routes."""
    api = APIRouter(prefix="/api/v1", responses=problems())
    reads = Depends(gate.need(Scope.ACCOUNTS_READ))
    books = Depends(gate.need(Scope.LEDGER_READ))
    audits = Depends(gate.need(Scope.AUDIT_READ))
    history, ledger = gate.records.history, gate.records.ledger

    @api.get("/history/orders", tags=["history"], response_model=_page_of(OrderRow, "OrderRowOut"))
    async def list_orders(
        account: Account,
        instrument: Symbol = None,
        since: Moment = None,
        until: Moment = None,
        cursor: Cursor = None,
        limit: Limit = None,
        caller: Principal = reads,
    ) -> Response:
        """Orders of an account, living and ended, newest first."""
        gate.sees(caller, account)
        found = await history.orders(
            account,
            instrument=instrument,
            since=_when(since, "since"),
            until=_when(until, "until"),
            cursor=cursor,
            limit=limit,
        )
        return _reply(found)

    @api.get("/fills", tags=["history"], response_model=_page_of(FillRow, "FillOut"))
    async def list_fills(
        account: Account,
        order: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
        position: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
        instrument: Symbol = None,
        since: Moment = None,
        until: Moment = None,
        cursor: Cursor = None,
        limit: Limit = None,
        caller: Principal = reads,
    ) -> Response:
        """Fills of an account, newest first."""
        gate.sees(caller, account)
        found = await history.fills(
            account,
            order=order,
            position=position,
            instrument=instrument,
            since=_when(since, "since"),
            until=_when(until, "until"),
            cursor=cursor,
            limit=limit,
        )
        return _reply(found)

    @api.get(
        "/history/positions",
        tags=["history"],
        response_model=_page_of(ClosedPositionRow, "ClosedPositionOut"),
    )
    async def list_closed_positions(
        account: Account,
        instrument: Symbol = None,
        since: Moment = None,
        until: Moment = None,
        cursor: Cursor = None,
        limit: Limit = None,
        caller: Principal = reads,
    ) -> Response:
        """Closed positions of an account, the last closed first."""
        gate.sees(caller, account)
        found = await history.closed_positions(
            account,
            instrument=instrument,
            since=_when(since, "since"),
            until=_when(until, "until"),
            cursor=cursor,
            limit=limit,
        )
        return _reply(found)

    @api.get(
        "/history/balance", tags=["history"], response_model=_page_of(BalanceRow, "BalanceOut")
    )
    async def list_balance_operations(
        account: Account,
        since: Moment = None,
        until: Moment = None,
        cursor: Cursor = None,
        limit: Limit = None,
        caller: Principal = reads,
    ) -> Response:
        """Money that came or went without a trade, newest first."""
        gate.sees(caller, account)
        found = await history.balance(
            account,
            since=_when(since, "since"),
            until=_when(until, "until"),
            cursor=cursor,
            limit=limit,
        )
        return _reply(found)

    @api.get(
        "/accounts/{account}/margin-events",
        tags=["history"],
        response_model=_page_of(MarginRow, "MarginEventOut"),
    )
    async def list_margin_events(
        account: Number,
        cursor: Cursor = None,
        limit: Limit = None,
        caller: Principal = reads,
    ) -> Response:
        """Margin calls, stop-outs and recoveries of an account, newest first."""
        gate.sees(caller, account)
        return _reply(await history.margin_events(account, cursor=cursor, limit=limit))

    @api.get(
        "/accounts/{account}/statement.csv",
        tags=["history"],
        response_class=StreamingResponse,
        responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
    )
    async def statement(
        account: Number,
        since: Moment = None,
        until: Moment = None,
        caller: Principal = reads,
    ) -> Response:
        """Every movement of cash and credit, oldest first, as CSV."""
        gate.sees(caller, account)
        begin, end = _when(since, "since") or 1, _when(until, "until") or time.time_ns()
        headers = {"content-disposition": f'attachment; filename="statement-{account}.csv"'}
        return StreamingResponse(
            gate.records.statement(account, begin, end), media_type="text/csv", headers=headers
        )

    @api.get(
        "/ledger/transfers", tags=["ledger"], response_model=_page_of(TransferRow, "TransferOut")
    )
    async def list_transfers(
        account: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
        since: Moment = None,
        until: Moment = None,
        cursor: Cursor = None,
        limit: Limit = None,
        caller: Principal = books,
    ) -> Response:
        """Transfers of one account or of all, newest first."""
        found = await ledger.transfers(
            account,
            since=_when(since, "since"),
            until=_when(until, "until"),
            cursor=cursor,
            limit=limit,
        )
        return _reply(found)

    @api.get(
        "/ledger/accounts",
        tags=["ledger"],
        response_model=_page_of(LedgerAccountRow, "LedgerAccountOut"),
    )
    async def list_ledger_accounts(
        account: Annotated[int | None, Query(ge=0, le=2**63 - 1)] = None,
        cursor: Cursor = None,
        limit: Limit = None,
        caller: Principal = books,
    ) -> Response:
        """Accounts of the six ledgers; number 0 is the house."""
        return _reply(await ledger.accounts(account, cursor=cursor, limit=limit))

    @api.get("/audit", tags=["audit"], response_model=AuditPage)
    async def list_audit(
        actor: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
        action: Annotated[str | None, Query(max_length=64)] = None,
        cursor: Cursor = None,
        limit: Limit = None,
        caller: Principal = audits,
    ) -> Response:
        """Who did what, newest first."""
        found = await audit.entries(
            gate.database, actor=actor, action=action, cursor=cursor, limit=limit
        )
        rows = [
            {
                "id": row.id,
                "time": rfc3339(row.ts),
                "actor": row.actor,
                "action": row.action,
                "target": row.target,
                "address": row.address,
                "detail": row.detail,
            }
            for row in found.items
        ]
        return page(rows, found.next)

    return api


def _when(text: str | None, field: str) -> int | None:
    return when(text, field) or None


def _reply(found: Page[Any]) -> Response:
    return page([wire(row) for row in found.items], found.next)
