"""Routes of staff: finding accounts, exposure, who is near a stop-out, the cause of a transfer."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from tradeloom.domain.enums import MarginLevel
from tradeloom.engine.views import AccountView
from tradeloom.gateways import causes
from tradeloom.gateways.limits import MARGIN_ROWS_MAX, PAGE_ROWS_MAX
from tradeloom.gateways.overview import Danger, Exposure, grouped
from tradeloom.gateways.rest.answers import problems
from tradeloom.gateways.rest.errors import missing
from tradeloom.gateways.rest.gate import Gate, reply
from tradeloom.gateways.rest.history import MarginEventOut, TransferOut
from tradeloom.gateways.rest.models import Time, model_of, words
from tradeloom.gateways.rest.tables import CSV, AsCsv, pages, whole
from tradeloom.gateways.wire import rfc3339, wire
from tradeloom.security.rights import Principal, Scope
from tradeloom.store.account_search import FoundAccount, search

_Known: Any = model_of(AccountView, "KnownAccount")
Cursor = Annotated[str | None, Query(max_length=128, description="`next` of the page before.")]
Limit = Annotated[int | None, Query(ge=1, le=PAGE_ROWS_MAX)]
Part = Annotated[str | None, Query(min_length=1, max_length=64)]
TransferId = Annotated[
    str, Path(pattern=r"^[0-9]{1,5}-[0-9]{1,19}-[0-9]{1,9}$", examples=["0-1024-0"])
]
# The cause of a transfer is looked for among what was noted at most so long before it.
_NOTED_NS: Final = 60 * 10**9


class StaffAccountOut(_Known):  # type: ignore[misc]
    """An account as it is now, and who owns it."""

    owner: int | None
    login: str
    name: str
    opened: Time


class StaffAccountPage(BaseModel):
    """A page of accounts."""

    items: list[StaffAccountOut]
    next: str | None


ExposureOut = model_of(Exposure, "ExposureOut")
DangerOut = model_of(Danger, "DangerOut")


class MarginEventPage(BaseModel):
    """A page of margin events."""

    items: list[MarginEventOut]  # type: ignore[valid-type]
    next: str | None


class CauseOut(BaseModel):
    """Where a transfer comes from. `command`: the journaled input, null when it is too far back."""

    transfer: TransferOut  # type: ignore[valid-type]
    transfers: list[TransferOut] = Field(  # type: ignore[valid-type]
        description="Everything the same input posted."
    )
    input_seq: int
    command: dict[str, Any] | None
    order: dict[str, Any] | None
    fills: list[dict[str, Any]]
    audit: int | None = Field(description="The audit entry, if one of the staff did it.")


def router(gate: Gate) -> APIRouter:
    """The routes."""
    api = APIRouter(prefix="/api/v1", responses=problems())
    staff = Depends(gate.need(Scope.ACCOUNTS_READ_ALL))
    books = Depends(gate.need(Scope.LEDGER_READ))
    history, ledger = gate.records.history, gate.records.ledger

    @api.get("/staff/accounts", tags=["staff"], response_model=StaffAccountPage, responses=CSV)
    async def search_accounts(
        csv: AsCsv,
        q: Annotated[
            str, Query(max_length=64, description="Part of login or name, or the number.")
        ] = "",
        owner: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
        group: Part = None,
        currency: Annotated[str | None, Query(min_length=1, max_length=8)] = None,
        state: Literal["active", "read_only", "disabled", "closed"] | None = None,
        cursor: Cursor = None,
        limit: Limit = None,
        caller: Principal = staff,
    ) -> Response:
        """Accounts by number, valued at the present quotes."""

        async def listed(at: str | None, size: int | None) -> tuple[list[Any], str | None]:
            found = await search(
                gate.database, text=q.replace("\0", ""), owner=owner, group=group,
                currency=currency, state=state, cursor=at, limit=size,
            )  # fmt: skip
            views = gate.desk.read(lambda r: [r.account(each.account) for each in found.items])
            rows = zip(views, found.items, strict=True)
            return [_account(view, row) for view, row in rows], found.next

        return await pages(csv, "accounts", StaffAccountOut, listed, cursor, limit)

    @api.get(
        "/staff/exposure",
        tags=["staff"],
        response_model=list[ExposureOut],  # type: ignore[valid-type]
        responses=CSV,
    )
    async def list_exposure(
        csv: AsCsv,
        by: Literal["instrument", "group", "both"] = "instrument",
        instrument: Annotated[str | None, Query(min_length=1, max_length=32)] = None,
        group: Part = None,
        currency: Annotated[str | None, Query(min_length=1, max_length=8)] = None,
        caller: Principal = staff,
    ) -> Response:
        """What all accounts together have open, by instrument or group and account currency."""
        seen = await gate.overview.now()
        held = [
            each
            for each in seen.exposure
            if instrument in (None, each.exposure.instrument)
            and group in (None, each.exposure.group)
            and currency in (None, each.exposure.currency)
        ]
        rows = [each.exposure for each in held] if by == "both" else grouped(held, by)
        return whole(csv, f"exposure-by-{by}", ExposureOut, [wire(row) for row in rows])

    @api.get(
        "/staff/margin",
        tags=["staff"],
        response_model=list[DangerOut],  # type: ignore[valid-type]
        responses=CSV,
    )
    async def list_margin_levels(
        csv: AsCsv,
        below: Annotated[
            str,
            Query(pattern=r"^[0-9]{1,9}(\.[0-9]{1,2})?$", description="Margin level in percent."),
        ] = "150",
        group: Part = None,
        limit: Annotated[int, Query(ge=1, le=MARGIN_ROWS_MAX)] = 200,
        caller: Principal = staff,
    ) -> Response:
        """Accounts with a margin level below so many percent, the lowest first."""
        seen, most = await gate.overview.now(), Decimal(below)
        found = (row for row in seen.danger if row.level < most and group in (None, row.group))
        rows = [wire(row) for _, row in zip(range(limit), found, strict=False)]
        return whole(csv, "margin-levels", DangerOut, rows)

    @api.get("/margin-events", tags=["staff"], response_model=MarginEventPage, responses=CSV)
    async def list_all_margin_events(
        csv: AsCsv,
        level: words(MarginLevel) | None = None,  # type: ignore[valid-type]
        cursor: Cursor = None,
        limit: Limit = None,
        caller: Principal = staff,
    ) -> Response:
        """Margin calls, stop-outs and recoveries of all accounts, newest first."""
        wanted = None if level is None else MarginLevel[level.upper()]

        async def listed(at: str | None, size: int | None) -> tuple[list[Any], str | None]:
            found = await history.margin_events(None, level=wanted, cursor=at, limit=size)
            return [wire(row) for row in found.items], found.next

        return await pages(csv, "margin-events", MarginEventOut, listed, cursor, limit)

    @api.get("/ledger/transfers/{transfer}", tags=["ledger"], response_model=CauseOut)
    async def get_transfer_cause(transfer: TransferId, caller: Principal = books) -> Response:
        """From a cent to its cause: the transfer, its siblings, order, fills, and the command."""
        shard, number, leg = (int(part) for part in transfer.split("-"))
        if number >= 2**63 or shard > 2**15 - 1 or leg >= 2**31:
            raise missing("transfer", "transfer")
        siblings = await ledger.posted_by(shard, number)
        found = next((row for row in siblings if row.leg == leg), None)
        if found is None:
            raise missing("transfer", "transfer")
        # Every fill stands right behind a posting of its own input.
        fills = await history.fills_between(shard, siblings[0].seq, siblings[-1].seq + 1)
        order = await history.order(fills[0].order if fills else found.reference)
        since = found.ts - _NOTED_NS
        return reply(
            {
                "transfer": wire(found),
                "transfers": [wire(row) for row in siblings],
                "input_seq": number,
                "command": _plain(await gate.inputs.find(number)),
                "order": None if order is None else wire(order),
                "fills": [wire(fill) for fill in fills],
                "audit": await causes.audited(gate.database, found.account, number, since),
            }
        )

    return api


def _account(view: AccountView, row: FoundAccount) -> dict[str, Any]:
    made: dict[str, Any] = wire(view)
    opened = rfc3339(row.opened)
    return made | {"owner": row.owner, "login": row.login, "name": row.name, "opened": opened}


def _plain(command: dict[str, Any] | None) -> dict[str, Any] | None:
    """A journaled input with its time as text; numbers are the engine's integers."""
    if command is None:
        return None
    large = {key: str(each) if _large(each) else each for key, each in command.items()}
    return large | {"ts": rfc3339(command["ts"])}


def _large(value: Any) -> bool:
    """True for a number that JavaScript would round."""
    return isinstance(value, int) and abs(value) >= 2**53
