"""Routes of the service itself: alive, ready, time, version, metrics, trading state, audit."""

from __future__ import annotations

import time
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field
from starlette.responses import Response

from tradeloom.domain import commands as c
from tradeloom.domain.enums import Scope as StateScope
from tradeloom.domain.enums import TradingState
from tradeloom.gateways.journal_health import JournalView
from tradeloom.gateways.problems import every
from tradeloom.gateways.rest.answers import Done, TradingStateOut, problems
from tradeloom.gateways.rest.errors import invalid
from tradeloom.gateways.rest.gate import Gate, IdempotencyKey, done, reply
from tradeloom.gateways.rest.models import Closed, Time, model_of
from tradeloom.gateways.rest.tables import CSV, AsCsv, whole
from tradeloom.gateways.wire import rfc3339
from tradeloom.security.rights import Principal, Scope


class LiveOut(BaseModel):
    """The process answers."""

    status: Literal["live"]


class ReadyOut(BaseModel):
    """Whether the service can do its work; `checks` says what cannot, each ok or a reason."""

    status: Literal["ready", "not ready"]
    checks: dict[str, str]


class TimeOut(BaseModel):
    """The server's clock."""

    time: Time
    unix_ns: int


class VersionOut(BaseModel):
    """What runs here."""

    version: str
    market: str
    simulated: bool


class HealthOut(BaseModel):
    """The service in figures."""

    status: Literal["ready", "not ready"]
    checks: dict[str, str]
    durability: str
    events: int
    inputs: int
    waiting: int
    quotes: int
    accounts: int
    sockets: int
    stored_seq: int
    uptime_s: float


JournalOut = model_of(JournalView, "JournalOut")


class ProblemKind(BaseModel):
    """A problem there can be."""

    code: int
    name: str
    detail: str


class TradingStateIn(Closed):
    """What may be done from now on; `target`: account, group or symbol, empty for the shard."""

    scope: Literal["shard", "group", "account", "instrument"]
    state: Literal["active", "reducing", "halted"]
    target: Annotated[str, Field(max_length=64)] = ""
    reason: Annotated[str, Field(max_length=200, description="Kept in the audit.")] = ""


class KillIn(Closed):
    """Halt everything; the reason is kept in the audit. `confirm`: the word HALT, typed."""

    reason: Annotated[str, Field(min_length=1, max_length=200)]
    confirm: Literal["HALT"]


def router(gate: Gate) -> APIRouter:
    """The routes."""
    api = APIRouter(prefix="/api/v1", responses=problems())
    watches = Depends(gate.need(Scope.SYSTEM_READ))
    rules = Depends(gate.need(Scope.STATE_MANAGE))
    reads = Depends(gate.need(Scope.MARKET_READ))

    @api.get("/system/live", tags=["system"], response_model=LiveOut)
    async def live() -> Response:
        """Whether the process answers; for restarting it."""
        return reply({"status": "live"})

    @api.get(
        "/system/ready",
        tags=["system"],
        response_model=ReadyOut,
        responses={503: {"model": ReadyOut, "description": "Not ready"}},
    )
    async def ready() -> Response:
        """Whether the service takes work; for load balancers."""
        checks = gate.ready()
        fine = _fine(checks)
        status = "ready" if fine else "not ready"
        return reply({"status": status, "checks": checks}, 200 if fine else 503)

    @api.get("/system/time", tags=["system"], response_model=TimeOut)
    async def server_time() -> Response:
        """The server's clock, to set yours by."""
        now = time.time_ns()
        return reply({"time": rfc3339(now), "unix_ns": now})

    @api.get("/system/version", tags=["system"], response_model=VersionOut)
    async def version() -> Response:
        """Version, and whether the market is simulated."""
        names = ("version", "market", "simulated")
        return reply({name: gate.about[name] for name in names})

    @api.get("/system/health", tags=["system"], response_model=HealthOut)
    async def health(caller: Principal = watches) -> Response:
        """The service in figures."""
        checks = gate.ready()
        shard = gate.desk.shard
        events, inputs, accounts = shard.read(
            lambda core: (core.event_seq, core.input_seq, len(core.accounts()))
        )
        return reply(
            {
                "status": "ready" if _fine(checks) else "not ready",
                "checks": checks,
                "durability": shard.durability,
                "events": events,
                "inputs": inputs,
                "waiting": shard.waiting,
                "quotes": gate.board.count,
                "accounts": accounts,
                "sockets": gate.about["sockets"](),
                "stored_seq": gate.about["stored_seq"](),
                "uptime_s": round(time.monotonic() - gate.about["started"], 1),
            }
        )

    @api.get("/system/journal", tags=["system"], response_model=JournalOut)
    async def journal(caller: Principal = watches) -> Response:
        """The journal in figures: segment, snapshot, commit times, room on the disk."""
        return reply(await gate.journal.look(time.time(), gate.about["stored_seq"]()))

    @api.get(
        "/system/metrics",
        tags=["system"],
        response_class=Response,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    )
    async def metrics(caller: Principal = watches) -> Response:
        """Everything counted, in the text format of Prometheus."""
        return Response(gate.meters.text(), media_type="text/plain; version=0.0.4")

    @api.get("/problems", tags=["system"], response_model=list[ProblemKind])
    async def list_problems() -> Response:
        """Every problem this service answers with: number, name and meaning."""
        return reply(every())

    @api.get("/trading-states", tags=["state"], response_model=list[TradingStateOut], responses=CSV)
    async def list_trading_states(csv: AsCsv, caller: Principal = reads) -> Response:
        """What is not active, and the shard."""
        return whole(csv, "trading-states", TradingStateOut, _states(gate))

    @api.put("/trading-states", tags=["state"], response_model=Done)
    async def set_trading_state(
        body: TradingStateIn, key: IdempotencyKey = None, caller: Principal = rules
    ) -> Response:
        """Set what may be done by the shard, a group, an account or an instrument."""
        command = c.SetTradingState(
            id=key or "",
            scope=StateScope[body.scope.upper()],
            state=TradingState[body.state.upper()],
            target=_target(body),
        )
        made = await gate.execute(command)
        target = f"{body.scope} {body.target}".strip()
        await gate.note(caller, "trading_state", target, state=body.state, reason=body.reason)
        return reply(done(made))

    @api.post("/kill-switch", tags=["state"], response_model=Done)
    async def kill_switch(body: KillIn, caller: Principal = rules) -> Response:
        """Halt the whole shard at once. Set its trading state to active to go on."""
        command = c.SetTradingState(scope=StateScope.SHARD, state=TradingState.HALTED)
        made = await gate.execute(command)
        await gate.note(caller, "kill_switch", "shard", reason=body.reason)
        return reply(done(made))

    return api


def _fine(checks: dict[str, str]) -> bool:
    return all(check == "ok" for check in checks.values())


def _target(body: TradingStateIn) -> str | int:
    if body.scope == "shard":
        return 0
    if body.scope != "account":
        return body.target
    if not (body.target.isascii() and body.target.isdigit() and len(body.target) < 20):
        raise invalid("target", "it is not the number of an account")
    return int(body.target)


def _states(gate: Gate) -> list[dict[str, Any]]:
    shard, groups, instruments, accounts = gate.desk.shard.read(lambda core: core.trading_states())
    names = gate.desk.names

    def row(scope: str, target: str, state: int) -> dict[str, Any]:
        return {"scope": scope, "target": target, "state": TradingState(state).name.lower()}

    made = [row("shard", "", shard)]
    made += [row("group", names.groups[n].name, s) for n, s in enumerate(groups) if s]
    made += [row("instrument", names.symbol(n), s) for n, s in enumerate(instruments) if s]
    made += [row("account", str(n), s) for n, s in accounts]
    return made
