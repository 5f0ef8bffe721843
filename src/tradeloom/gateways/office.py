"""The back office's acts: money and definitions, done at once or after a second person agreed.

An act is a plain JSON object, so that it can wait in the store and be done later exactly as it was
asked for. What a second person agreed to is done under the command id `approval-<number>`: doing it
again after a crash changes nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import msgspec

from tradeloom.domain import commands as c
from tradeloom.domain.enums import ReturnCode
from tradeloom.domain.errors import Refused, Rejected
from tradeloom.gateways import definitions
from tradeloom.gateways.desk import Desk, Reply
from tradeloom.gateways.problems import MEANINGS, ApiCode, Problem
from tradeloom.security import Principal, Role, Scope
from tradeloom.store import Database, audit, impact
from tradeloom.store.approvals import Approval, Approvals, ApprovalState
from tradeloom.store.changes import Changes

Act = dict[str, Any]
_NS: Final = 10**9
_BUSY: Final = (ReturnCode.BUSY, ReturnCode.JOURNAL_UNAVAILABLE)
MONEY: Final[dict[str, Callable[..., c.AccountCommand]]] = {
    "deposit": c.Deposit,
    "withdrawal": c.Withdraw,
    "credit_in": c.CreditIn,
    "credit_out": c.CreditOut,
    "correction": c.Correct,
}


@dataclass(frozen=True, slots=True)
class FourEyes:
    """When a second person is needed. `amount`: of money, from it on; None: never.

    `accounts`: of a definition, when so many accounts or more are concerned; 0: never.
    `expires_s`: how long a request waits.
    """

    amount: Decimal | None = None
    accounts: int = 0
    expires_s: float = 86_400.0


class Office:
    """Does what staff ask for, keeps who and why, and asks a second person where one is needed."""

    def __init__(self, desk: Desk, database: Database, rule: FourEyes) -> None:
        self.rule: Final = rule
        self.approvals: Final = Approvals(database)
        self.changes: Final = Changes(database)
        self._desk = desk
        self._database = database
        self._one = asyncio.Lock()

    @staticmethod
    def scope(act: Act) -> Scope:
        """What one must be allowed to do or agree to an act."""
        return Scope.MONEY if act["operation"] in MONEY else Scope.INSTRUMENTS_MANAGE

    async def needs_second(self, act: Act) -> bool:
        """True if the rule asks for a second person."""
        if act["operation"] in MONEY:
            amount = self.rule.amount
            return amount is not None and abs(Decimal(act["amount"])) >= amount
        if not self.rule.accounts:
            return False
        return (await self.concerned(act["operation"], act["name"])).accounts >= self.rule.accounts

    async def concerned(self, what: str, name: str) -> impact.Impact:
        """Whom a change of a definition concerns."""
        of = impact.of_instrument if what == "instrument" else impact.of_group
        return await of(self._database, name)

    async def ask(self, caller: Principal, act: Act, reason: str, key: str = "") -> Approval:
        """Put an act before a second person; the same key asks once.

        Raises `Refused` for an act the engine would not take, and for a key used for another one.
        """
        async with self._one:
            known = await self.approvals.asked(caller.user_id, key) if key else None
            if known is not None:
                if known.request != act:
                    raise Refused(ReturnCode.DUPLICATE_ID, "id")
                return known
            return await self._ask(caller, act, reason, key)

    async def _ask(self, caller: Principal, act: Act, reason: str, key: str) -> Approval:
        self._check(act)
        now = time.time_ns()
        async with self._database.write() as connection:
            number = await self.approvals.ask(
                connection,
                now=now,
                expires=now + int(self.rule.expires_s * _NS),
                requester=caller.user_id,
                operation=act["operation"],
                target=_target(act),
                request=act,
                reason=reason,
                key=key or None,
            )
            await audit.append(
                connection, ts=now, actor=caller.user_id, action="approval.request",
                target=_target(act), detail={"approval": number, "reason": reason} | _told(act),
            )  # fmt: skip
        return await self.request(number)

    async def do(
        self, caller: Principal, act: Act, reason: str, key: str = "", approval: int | None = None
    ) -> Reply:
        """Do an act now; raises `Refused`, `Rejected` and `Problem`."""
        if act["operation"] in MONEY:
            return await self._money(caller, act, reason, key, approval)
        return await self._define(caller, act, reason, key, approval)

    async def approve(self, caller: Principal, number: int, note: str) -> Approval:
        """Agree, and do what was asked for; what the engine said to it stands in `outcome`."""
        async with self._one:
            return await self._approve(caller, number, note)

    async def _approve(self, caller: Principal, number: int, note: str) -> Approval:
        found = await self.request(number)
        caller.need(self.scope(found.request))
        if found.requester == caller.user_id:
            raise Problem(403, ApiCode.SECOND_PERSON, MEANINGS[ApiCode.SECOND_PERSON])
        if found.state is ApprovalState.PENDING:
            await self._decide(caller, found, ApprovalState.APPROVED, note)
        elif found.state is not ApprovalState.APPROVED or found.outcome is not None:
            raise _decided(found)
        await self.approvals.close(number, await self._outcome(found))
        return await self.request(number)

    async def reject(self, caller: Principal, number: int, note: str) -> Approval:
        """Do not agree; who asked may take the request back in the same way."""
        found = await self.request(number)
        caller.need(self.scope(found.request))
        own = found.requester == caller.user_id
        state = ApprovalState.WITHDRAWN if own else ApprovalState.REJECTED
        await self._decide(caller, found, state, note)
        return await self.request(number)

    async def _decide(
        self, caller: Principal, found: Approval, state: ApprovalState, note: str
    ) -> None:
        now = time.time_ns()
        async with self._database.write() as connection:
            done = await self.approvals.decide(
                connection, found.id, state, by=caller.user_id, now=now, note=note
            )
            if done:
                await audit.append(
                    connection, ts=now, actor=caller.user_id, action=f"approval.{state.value}",
                    target=found.target, detail={"approval": found.id, "note": note},
                )  # fmt: skip
        if not done:
            raise _decided(await self.request(found.id))

    async def _outcome(self, found: Approval) -> dict[str, Any]:
        """Do an approved act as who asked for it; the engine's no is an outcome, too."""
        asker = Principal(found.requester, "", Role.SERVICE, frozenset())
        try:
            made = await self.do(
                asker, found.request, found.reason, f"approval-{found.id}", found.id
            )
        except (Refused, Rejected) as error:
            if error.code in _BUSY:
                raise
            code, field, detail = error.code, error.field, str(error)
            return {"code": code.number, "name": code.name, "field": field, "detail": detail}
        except Problem as error:
            name = error.code.name
            return {"code": int(error.code), "name": name, "field": "", "detail": error.detail}
        return {"code": int(made.code), "name": made.code.name, "field": "", "detail": "done"}

    async def _money(
        self, caller: Principal, act: Act, reason: str, key: str, approval: int | None
    ) -> Reply:
        made = await self._desk.checked(_money_command(act, key))
        if not made.repeat or approval is not None:
            detail = {"amount": act["amount"], "reason": reason, "reference": made.reference}
            detail |= {"input": made.cause, "approval": approval}
            async with self._database.write() as connection:
                await audit.append(
                    connection, ts=time.time_ns(), actor=caller.user_id,
                    action=f"money.{act['operation']}", target=str(act["account"]),
                    detail={key: value for key, value in detail.items() if value},
                )  # fmt: skip
        return made

    async def _define(
        self, caller: Principal, act: Act, reason: str, key: str, approval: int | None
    ) -> Reply:
        what, name, after = act["operation"], act["name"], act["after"]
        standing = definitions.known(self._desk, what, name)
        before = None if standing is None else definitions.shown(standing)
        if before not in (act["before"], after) or (approval is None and before == after):
            raise Problem(409, ApiCode.CONFLICT, _CHANGED if before != after else _SAME)
        made = await self._desk.checked(definitions.command(definitions.parse(what, after), key))
        now, changes = time.time_ns(), definitions.difference(act["before"], after)
        async with self._database.write() as connection:
            number = await self.changes.add(
                connection, ts=now, actor=caller.user_id, what=what, name=name,
                before=act["before"], after=after, reason=reason,
                reverts=act.get("reverts"), approval=approval,
            )  # fmt: skip
            detail = {"change": number, "reason": reason, "changes": changes[:50]}
            detail |= {} if approval is None else {"approval": approval}
            await audit.append(
                connection, ts=now, actor=caller.user_id, action=f"{what}.change",
                target=name, detail=detail,
            )  # fmt: skip
        return made

    def _check(self, act: Act) -> None:
        if act["operation"] in MONEY:
            self._desk.encoder.encode(_money_command(act, ""), 0)
            if self._desk.shard.read(lambda core: core.account(act["account"])) is None:
                raise Refused(ReturnCode.USER_NOT_FOUND, "account")
            return
        refused = definitions.refusal(self._desk, definitions.parse(act["operation"], act["after"]))
        if refused is not None:
            raise refused

    async def request(self, number: int) -> Approval:
        """One request, expired if its time is over; raises `Problem`."""
        found = await self.approvals.get(number)
        if found is None:
            detail = "there is no such approval"
            raise Problem(404, ReturnCode.ERR_NOTFOUND, detail, field="number")
        if found.state is ApprovalState.PENDING and found.expires <= time.time_ns():
            return msgspec.structs.replace(found, state=ApprovalState.EXPIRED)
        return found


_CHANGED: Final = "somebody changed it meanwhile; look at it again and ask anew"
_SAME: Final = "it is as it should be already; nothing was changed"


def _money_command(act: Act, key: str) -> c.AccountCommand:
    make = MONEY[act["operation"]]
    return make(id=key, account=act["account"], amount=Decimal(act["amount"]))


def _target(act: Act) -> str:
    return str(act["account"]) if act["operation"] in MONEY else str(act["name"])


def _told(act: Act) -> dict[str, Any]:
    if act["operation"] in MONEY:
        return {"operation": act["operation"], "amount": act["amount"]}
    changes = definitions.difference(act["before"], act["after"])
    return {"operation": act["operation"], "changes": changes[:50]}


def _decided(found: Approval) -> Problem:
    detail = f"the request is {found.state.value} already; nothing was changed"
    return Problem(409, ApiCode.CONFLICT, detail, field="number")
