"""Routes of trading accounts: open, list, change, close, and money in and out."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Path
from pydantic import Field
from starlette.responses import Response

from tradeloom.domain import commands as c
from tradeloom.domain.enums import AccountFlag, ReturnCode
from tradeloom.domain.errors import Refused, Rejected
from tradeloom.engine.reads import Reads
from tradeloom.engine.views import AccountView, LedgerRow, TrialRow
from tradeloom.gateways.rest.answers import Done, problems
from tradeloom.gateways.rest.approvals import ApprovalOut, approval
from tradeloom.gateways.rest.gate import Gate, IdempotencyKey, done, reply
from tradeloom.gateways.rest.models import Closed, Positive, Signed, model_of
from tradeloom.gateways.rest.tables import CSV, AsCsv, whole
from tradeloom.gateways.wire import wire
from tradeloom.security import NotAllowed, Principal, Scope
from tradeloom.store import audit

AccountOut = model_of(AccountView, "AccountOut", owner=(int | None, ...))
LedgerOut = model_of(LedgerRow, "LedgerOut")
TrialOut = model_of(TrialRow, "TrialOut")
Number = Annotated[int, Path(ge=1, le=2**63 - 1)]
Group = Annotated[str, Field(min_length=1, max_length=64, examples=["demo"])]
Leverage = Annotated[int, Field(ge=0, le=10_000, description="0 takes the group's.")]

_WAITS: Final[dict[int | str, dict[str, Any]]] = {
    202: {"model": ApprovalOut, "description": "Somebody else has to agree first"}
}
# The first number given out: short enough to say on the phone, long enough to look like one.
_FIRST_ACCOUNT: Final = 100_001
# Groups in which anybody may open an account with play money.
_DEMO_GROUPS: Final = ("demo", "netting", "pro")
# Accounts one trader may open himself: enough to try every group, few enough to be a bound.
_OWN_ACCOUNTS_MAX: Final = 20
_OPENED: Final = "account.open"


class OpenIn(Closed):
    """A new account. A trader opens demo accounts for himself; staff any, for `owner`."""

    group: Group = "demo"
    leverage: Leverage = 0
    demo: bool = Field(True, description="Start with the demo balance.")
    owner: Annotated[int | None, Field(ge=1, le=2**63 - 1, description="User id.")] = None


class ChangeIn(Closed):
    """What to change; null leaves it. `read_only` and `disabled` stop trading."""

    group: Group | None = None
    leverage: Leverage | None = None
    read_only: bool | None = None
    disabled: bool | None = None


class Why(Closed):
    """Why money moves, and whether somebody else has to agree first."""

    reason: Annotated[str, Field(max_length=200, description="Kept for good.")] = ""
    second_person: Annotated[
        bool, Field(description="Wait for somebody else to agree, whatever the rule says.")
    ] = False


class MoneyIn(Why):
    """An amount in the account's currency."""

    amount: Positive


class CreditIn(Why):
    """Credit given or taken back; it carries margin but is not the customer's."""

    amount: Positive
    direction: Literal["in", "out"] = "in"


class CorrectionIn(Why):
    """A correction of either sign."""

    amount: Signed


def router(gate: Gate) -> APIRouter:
    """The routes."""
    api = APIRouter(prefix="/api/v1", responses=problems(504))
    reads = Depends(gate.need(Scope.ACCOUNTS_READ))
    manages = Depends(gate.need(Scope.ACCOUNTS_MANAGE))
    money = Depends(gate.need(Scope.MONEY))
    books = Depends(gate.need(Scope.LEDGER_READ))
    opening = asyncio.Lock()

    @api.get(
        "/accounts",
        tags=["accounts"],
        response_model=list[AccountOut],  # type: ignore[valid-type]
        responses=CSV,
    )
    async def list_accounts(csv: AsCsv, caller: Principal = reads) -> Response:
        """The own accounts; all of them for staff."""
        known = gate.desk.read(Reads.accounts)
        numbers = known
        if not caller.may(Scope.ACCOUNTS_READ_ALL):
            there = set(known)
            numbers = sorted(each for each in caller.accounts if each in there)
        owners = await gate.security.owners.all()
        views = gate.desk.read(lambda r: [r.account(each) for each in numbers])
        return whole(csv, "accounts", AccountOut, [_shown(view, owners) for view in views])

    @api.post("/accounts", tags=["accounts"], response_model=AccountOut, status_code=201)
    async def open_account(
        body: OpenIn, key: IdempotencyKey = None, caller: Principal = reads
    ) -> Response:
        """Open an account; a demo account starts with the demo balance."""
        staff = caller.may(Scope.ACCOUNTS_MANAGE)
        if not staff:
            if body.owner not in (None, caller.user_id):
                raise NotAllowed(Scope.ACCOUNTS_MANAGE)
            if not body.demo or body.group not in _DEMO_GROUPS or caller.key:
                raise NotAllowed(Scope.ACCOUNTS_MANAGE)
            if len(caller.accounts) >= _OWN_ACCOUNTS_MAX:
                raise Rejected(ReturnCode.LIMIT_REACHED, "accounts")
        owner = body.owner or caller.user_id
        gate.desk.names.group(body.group)
        await gate.security.people.get(owner)
        async with opening:
            number = await _opened_before(gate, caller, key)
            if number is None:
                number = await _next_number(gate)
                # The owner first: an account nobody owns would be invisible after a crash here.
                await gate.security.owners.give(number, owner, actor=caller.user_id)
                await gate.note(caller, _OPENED, str(number), key=key or "", group=body.group)
                gate.callers.forget()
            await _open(gate, number, body)
        view = gate.desk.read(lambda r: r.account(number))
        return reply(wire(view) | {"owner": owner}, 201)

    @api.get("/accounts/{account}", tags=["accounts"], response_model=AccountOut)
    async def get_account(account: Number, caller: Principal = reads) -> Response:
        """One account at the present quotes."""
        gate.sees(caller, account)
        view = gate.desk.read(lambda r: r.account(account))
        return reply(_shown(view, await gate.security.owners.all()))

    @api.patch("/accounts/{account}", tags=["accounts"], response_model=Done)
    async def change_account(
        account: Number, body: ChangeIn, key: IdempotencyKey = None, caller: Principal = manages
    ) -> Response:
        """Change group, leverage and flags."""
        core = gate.desk.shard.read(lambda core: core.account(account))
        if core is None:
            raise Refused(ReturnCode.USER_NOT_FOUND, "account")
        now = AccountFlag(core["flags"]) & ~AccountFlag.CLOSED
        command = c.UpdateAccount(
            id=key or "",
            account=account,
            group=body.group or gate.desk.names.groups[core["group"]].name,
            leverage=core["leverage"] if body.leverage is None else body.leverage,
            flags=_flag(
                _flag(now, AccountFlag.READ_ONLY, body.read_only),
                AccountFlag.DISABLED,
                body.disabled,
            ),
        )
        made = await gate.execute(command)
        await gate.note(
            caller, "account.change", str(account), **body.model_dump(exclude_none=True)
        )
        return reply(done(made))

    @api.delete("/accounts/{account}", tags=["accounts"], response_model=Done)
    async def close_account(
        account: Number, key: IdempotencyKey = None, caller: Principal = manages
    ) -> Response:
        """Close an account that has no trades, balance or credit."""
        made = await gate.execute(c.CloseAccount(id=key or "", account=account))
        await gate.note(caller, "account.close", str(account))
        return reply(done(made))

    async def move(
        caller: Principal, operation: str, account: int, body: Any, key: str | None
    ) -> Response:
        act = {"operation": operation, "account": account, "amount": body.amount}
        if body.second_person or await gate.office.needs_second(act):
            return reply(approval(await gate.office.ask(caller, act, body.reason, key or "")), 202)
        return reply(done(await gate.office.do(caller, act, body.reason, key or "")))

    @api.post("/accounts/{account}/deposits", tags=["money"], response_model=Done, responses=_WAITS)
    async def deposit(
        account: Number, body: MoneyIn, key: IdempotencyKey = None, caller: Principal = money
    ) -> Response:
        """Put money in."""
        return await move(caller, "deposit", account, body, key)

    @api.post(
        "/accounts/{account}/withdrawals", tags=["money"], response_model=Done, responses=_WAITS
    )
    async def withdraw(
        account: Number, body: MoneyIn, key: IdempotencyKey = None, caller: Principal = money
    ) -> Response:
        """Take money out, up to what is free."""
        return await move(caller, "withdrawal", account, body, key)

    @api.post("/accounts/{account}/credits", tags=["money"], response_model=Done, responses=_WAITS)
    async def credit(
        account: Number, body: CreditIn, key: IdempotencyKey = None, caller: Principal = money
    ) -> Response:
        """Give credit, or take it back."""
        return await move(caller, f"credit_{body.direction}", account, body, key)

    @api.post(
        "/accounts/{account}/corrections", tags=["money"], response_model=Done, responses=_WAITS
    )
    async def correct(
        account: Number, body: CorrectionIn, key: IdempotencyKey = None, caller: Principal = money
    ) -> Response:
        """Correct the balance by an amount of either sign."""
        return await move(caller, "correction", account, body, key)

    @api.get(
        "/accounts/{account}/ledger",
        tags=["ledger"],
        response_model=list[LedgerOut],  # type: ignore[valid-type]
        responses=CSV,
    )
    async def account_ledger(csv: AsCsv, account: Number, caller: Principal = reads) -> Response:
        """Balances of an account in the six ledgers."""
        gate.sees(caller, account)
        rows = [wire(row) for row in gate.desk.read(lambda r: r.ledger(account))]
        return whole(csv, f"ledger-{account}", LedgerOut, rows)

    @api.get(
        "/ledger/trial-balance",
        tags=["ledger"],
        response_model=list[TrialOut],  # type: ignore[valid-type]
        responses=CSV,
    )
    async def trial_balance(csv: AsCsv, caller: Principal = books) -> Response:
        """Customers and house per ledger and currency; each row adds up to zero."""
        rows = [wire(row) for row in gate.desk.read(Reads.trial_balance)]
        return whole(csv, "trial-balance", TrialOut, rows)

    return api


def _shown(view: AccountView, owners: dict[int, int]) -> dict[str, Any]:
    made: dict[str, Any] = wire(view)
    return made | {"owner": owners.get(view.id)}


def _flag(flags: AccountFlag, flag: AccountFlag, wanted: bool | None) -> AccountFlag:
    if wanted is None:
        return flags
    return flags | flag if wanted else flags & ~flag


async def _opened_before(gate: Gate, caller: Principal, key: str | None) -> int | None:
    """The account this caller opened under this key."""
    if not key:
        return None
    cursor = None
    while True:
        found = await audit.entries(
            gate.database, actor=caller.user_id, action=_OPENED, cursor=cursor
        )
        for row in found.items:
            if row.detail.get("key") == key:
                return int(row.target)
        cursor = found.next
        if cursor is None:
            return None


async def _next_number(gate: Gate) -> int:
    owned = await gate.security.owners.all()
    known = gate.desk.read(Reads.accounts)
    return max((_FIRST_ACCOUNT - 1, *owned, *known)) + 1


async def _open(gate: Gate, number: int, body: OpenIn) -> None:
    """Open the account and pay the demo balance; whatever of it was done before stays done."""
    try:
        await gate.execute(c.OpenAccount(account=number, group=body.group, leverage=body.leverage))
    except Refused as error:
        if error.code is not ReturnCode.USR_LOGIN_EXIST:
            raise
    if body.demo:
        amount = Decimal(gate.about["demo_balance"])
        if amount > 0:
            await gate.execute(c.Deposit(id="demo-balance", account=number, amount=amount))
