"""Routes of what happened: orders, fills, closed positions, money, transfers, statements, audit."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, create_model
from starlette.responses import Response, StreamingResponse

from tradeloom.domain.enums import Ledger
from tradeloom.gateways.limits import PAGE_ROWS_MAX
from tradeloom.gateways.rest.answers import problems
from tradeloom.gateways.rest.gate import Gate
from tradeloom.gateways.rest.models import Time, model_of, words
from tradeloom.gateways.rest.orders import when
from tradeloom.gateways.rest.tables import CSV, AsCsv, pages
from tradeloom.gateways.sheet import Row
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


OrderRowOut = model_of(OrderRow, "OrderRowOut")
FillOut = model_of(FillRow, "FillOut")
ClosedPositionOut = model_of(ClosedPositionRow, "ClosedPositionOut")
BalanceOut = model_of(BalanceRow, "BalanceOut")
MarginEventOut = model_of(MarginRow, "MarginEventOut")
TransferOut = model_of(TransferRow, "TransferOut")
LedgerAccountOut = model_of(LedgerAccountRow, "LedgerAccountOut")


def _page_of(row: type[BaseModel]) -> type[BaseModel]:
    fields: dict[str, Any] = {
        "items": (list[row], ...),  # type: ignore[valid-type]
        "next": (str | None, ...),
    }
    return create_model(f"{row.__name__}Page", __doc__="A page.", **fields)


async def _listing(
    csv: bool,
    name: str,
    model: type[BaseModel],
    read: Callable[..., Awaitable[Page[Any]]],
    cursor: str | None,
    limit: int | None,
) -> Response:
    """A page of rows as `read(cursor=…, limit=…)` gives them, or all of them as a file."""

    async def listed(at: str | None, size: int | None) -> tuple[list[Row], str | None]:
        found = await read(cursor=at, limit=size)
        return [wire(row) for row in found.items], found.next

    return await pages(csv, name, model, listed, cursor, limit)


def router(gate: Gate) -> APIRouter:
    """The routes."""
    api = APIRouter(prefix="/api/v1", responses=problems())
    reads = Depends(gate.need(Scope.ACCOUNTS_READ))
    books = Depends(gate.need(Scope.LEDGER_READ))
    audits = Depends(gate.need(Scope.AUDIT_READ))
    history, ledger = gate.records.history, gate.records.ledger

    @api.get(
        "/history/orders", tags=["history"], response_model=_page_of(OrderRowOut), responses=CSV
    )
    async def list_orders(
        csv: AsCsv,
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
        read = partial(
            history.orders,
            account,
            instrument=instrument,
            since=_when(since, "since"),
            until=_when(until, "until"),
        )
        return await _listing(csv, "orders", OrderRowOut, read, cursor, limit)

    @api.get("/fills", tags=["history"], response_model=_page_of(FillOut), responses=CSV)
    async def list_fills(
        csv: AsCsv,
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
        read = partial(
            history.fills,
            account,
            order=order,
            position=position,
            instrument=instrument,
            since=_when(since, "since"),
            until=_when(until, "until"),
        )
        return await _listing(csv, "fills", FillOut, read, cursor, limit)

    @api.get(
        "/history/positions",
        tags=["history"],
        response_model=_page_of(ClosedPositionOut),
        responses=CSV,
    )
    async def list_closed_positions(
        csv: AsCsv,
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
        read = partial(
            history.closed_positions,
            account,
            instrument=instrument,
            since=_when(since, "since"),
            until=_when(until, "until"),
        )
        return await _listing(csv, "closed-positions", ClosedPositionOut, read, cursor, limit)

    @api.get(
        "/history/balance", tags=["history"], response_model=_page_of(BalanceOut), responses=CSV
    )
    async def list_balance_operations(
        csv: AsCsv,
        account: Account,
        since: Moment = None,
        until: Moment = None,
        cursor: Cursor = None,
        limit: Limit = None,
        caller: Principal = reads,
    ) -> Response:
        """Money that came or went without a trade, newest first."""
        gate.sees(caller, account)
        read = partial(
            history.balance,
            account,
            since=_when(since, "since"),
            until=_when(until, "until"),
        )
        return await _listing(csv, "balance", BalanceOut, read, cursor, limit)

    @api.get(
        "/accounts/{account}/margin-events",
        tags=["history"],
        response_model=_page_of(MarginEventOut),
        responses=CSV,
    )
    async def list_margin_events(
        csv: AsCsv,
        account: Number,
        cursor: Cursor = None,
        limit: Limit = None,
        caller: Principal = reads,
    ) -> Response:
        """Margin calls, stop-outs and recoveries of an account, newest first."""
        gate.sees(caller, account)
        read = partial(history.margin_events, account)
        return await _listing(csv, "margin-events", MarginEventOut, read, cursor, limit)

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
        "/ledger/transfers", tags=["ledger"], response_model=_page_of(TransferOut), responses=CSV
    )
    async def list_transfers(
        csv: AsCsv,
        account: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
        ledger_: Annotated[words(Ledger) | None, Query(alias="ledger")] = None,  # type: ignore[valid-type]
        since: Moment = None,
        until: Moment = None,
        cursor: Cursor = None,
        limit: Limit = None,
        caller: Principal = books,
    ) -> Response:
        """Transfers of one account or of all, newest first."""
        read = partial(
            ledger.transfers,
            account,
            ledger=None if ledger_ is None else Ledger[ledger_.upper()],
            since=_when(since, "since"),
            until=_when(until, "until"),
        )
        return await _listing(csv, "transfers", TransferOut, read, cursor, limit)

    @api.get(
        "/ledger/accounts",
        tags=["ledger"],
        response_model=_page_of(LedgerAccountOut),
        responses=CSV,
    )
    async def list_ledger_accounts(
        csv: AsCsv,
        account: Annotated[int | None, Query(ge=0, le=2**63 - 1)] = None,
        cursor: Cursor = None,
        limit: Limit = None,
        caller: Principal = books,
    ) -> Response:
        """Accounts of the six ledgers; number 0 is the house."""
        read = partial(ledger.accounts, account)
        return await _listing(csv, "ledger-accounts", LedgerAccountOut, read, cursor, limit)

    @api.get("/audit", tags=["audit"], response_model=AuditPage, responses=CSV)
    async def list_audit(
        csv: AsCsv,
        actor: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
        action: Annotated[
            str | None, Query(max_length=64, description="With a dot at its end: all such.")
        ] = None,
        target: Annotated[str | None, Query(max_length=128)] = None,
        since: Moment = None,
        until: Moment = None,
        cursor: Cursor = None,
        limit: Limit = None,
        caller: Principal = audits,
    ) -> Response:
        """Who did what, newest first."""
        begin, end = _when(since, "since"), _when(until, "until")

        async def listed(at: str | None, size: int | None) -> tuple[list[Row], str | None]:
            found = await audit.entries(
                gate.database, actor=actor, action=action, target=target, since=begin, until=end,
                cursor=at, limit=size,
            )  # fmt: skip
            return [_audited(row) for row in found.items], found.next

        return await pages(csv, "audit", AuditOut, listed, cursor, limit)

    return api


def _when(text: str | None, field: str) -> int | None:
    return when(text, field) or None


def _audited(row: audit.AuditRow) -> Row:
    return {
        "id": row.id,
        "time": rfc3339(row.ts),
        "actor": row.actor,
        "action": row.action,
        "target": row.target,
        "address": row.address,
        "detail": row.detail,
    }
