"""Routes of instruments, groups, quotes and bars."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from tradeloom.domain.group import Group
from tradeloom.domain.instrument import Instrument
from tradeloom.gateways.candles import candles, with_past
from tradeloom.gateways.limits import BARS_MAX
from tradeloom.gateways.quotes import Quote, price
from tradeloom.gateways.rest.answers import BarOut, QuoteOut, problems
from tradeloom.gateways.rest.errors import missing
from tradeloom.gateways.rest.gate import Gate, reply
from tradeloom.gateways.rest.models import model_of
from tradeloom.gateways.rest.orders import when
from tradeloom.gateways.rest.tables import CSV, AsCsv, whole
from tradeloom.gateways.wire import rfc3339, wire
from tradeloom.marketdata.bars import Bar
from tradeloom.security.rights import Principal, Scope

InstrumentOut = model_of(Instrument, "InstrumentOut")
GroupOut = model_of(Group, "GroupOut")
Symbol = Annotated[str, Path(min_length=1, max_length=32)]
GroupName = Annotated[str, Path(min_length=1, max_length=64)]
Viewer = Annotated[
    int | None,
    Query(ge=1, le=2**63 - 1, description="Show the prices this account would be filled at."),
]
Period = Annotated[str, Query(pattern="^(M1|M5|M15|M30|H1|H4|D1|W1)$")]


def router(gate: Gate) -> APIRouter:
    """The routes."""
    api = APIRouter(prefix="/api/v1", responses=problems(504))
    reads = Depends(gate.need(Scope.MARKET_READ))
    names = gate.desk.names

    def instrument(symbol: str) -> Instrument:
        for each in names.instruments:
            if each.symbol == symbol:
                return each
        raise missing("instrument", "instrument")

    @api.get(
        "/instruments",
        tags=["market"],
        response_model=list[InstrumentOut],  # type: ignore[valid-type]
        responses=CSV,
    )
    async def list_instruments(csv: AsCsv, caller: Principal = reads) -> Response:
        """Every instrument and its conditions."""
        rows = [wire(each) for each in names.instruments]
        return whole(csv, "instruments", InstrumentOut, rows)

    @api.get("/instruments/{symbol:path}", tags=["market"], response_model=InstrumentOut)
    async def get_instrument(symbol: Symbol, caller: Principal = reads) -> Response:
        """One instrument and its conditions."""
        return reply(instrument(symbol))

    @api.get(
        "/groups",
        tags=["market"],
        response_model=list[GroupOut],  # type: ignore[valid-type]
        responses=CSV,
    )
    async def list_groups(csv: AsCsv, caller: Principal = reads) -> Response:
        """Every group and its conditions."""
        return whole(csv, "groups", GroupOut, [wire(each) for each in names.groups])

    @api.get("/groups/{name:path}", tags=["market"], response_model=GroupOut)
    async def get_group(name: GroupName, caller: Principal = reads) -> Response:
        """One group and its conditions."""
        for each in names.groups:
            if each.name == name:
                return reply(each)
        raise missing("group", "name")

    def shown(quotes: list[Quote], caller: Principal, account: int | None) -> list[Quote]:
        if account is None:
            return quotes
        return gate.markups.shown(quotes, gate.sees(caller, account))

    @api.get("/quotes", tags=["market"], response_model=list[QuoteOut], responses=CSV)
    async def list_quotes(
        csv: AsCsv, account: Viewer = None, caller: Principal = reads
    ) -> Response:
        """The newest quote of every symbol that has one."""
        found = shown(list(gate.board.newest.values()), caller, account)
        return whole(csv, "quotes", QuoteOut, [quote(each) for each in found])

    @api.get("/quotes/{symbol:path}", tags=["market"], response_model=QuoteOut)
    async def get_quote(
        symbol: Symbol, account: Viewer = None, caller: Principal = reads
    ) -> Response:
        """The newest quote of a symbol."""
        found = gate.board.newest.get(symbol)
        if found is None:
            raise missing("quote", "symbol")
        return reply(quote(shown([found], caller, account)[0]))

    @api.get("/bars/{symbol:path}", tags=["market"], response_model=list[BarOut], responses=CSV)
    async def list_bars(
        csv: AsCsv,
        symbol: Symbol,
        period: Period = "M1",
        limit: Annotated[int, Query(ge=1, le=BARS_MAX)] = 500,
        before: Annotated[
            str | None,
            Query(
                max_length=40,
                description="RFC 3339; only bars that start before it, for paging back.",
                json_schema_extra={"format": "date-time"},
            ),
        ] = None,
        caller: Principal = reads,
    ) -> Response:
        """The newest candles of a symbol, oldest first; without `before` the last is still open."""
        digits = instrument(symbol).digits
        until = when(before, "before") or None
        made = await candles(gate.bars, gate.bar_store, symbol, digits, period, limit, until)
        if gate.past is not None:
            made = await with_past(
                gate.past, gate.bars, gate.bar_store, symbol, period, limit, until, made
            )
        return whole(csv, f"{period}-bars", BarOut, [bar(each, digits) for each in made])

    return api


def quote(each: Quote) -> dict[str, Any]:
    """A quote on the wire."""
    return {
        "symbol": each.symbol,
        "bid": price(each.bid, each.digits),
        "ask": price(each.ask, each.digits),
        "time": rfc3339(each.ts),
    }


def bar(each: Bar, digits: int) -> dict[str, Any]:
    """A candle on the wire."""
    return {
        "time": rfc3339(each.start_ns),
        "open": price(each.open, digits),
        "high": price(each.high, digits),
        "low": price(each.low, digits),
        "close": price(each.close, digits),
        "ticks": each.ticks,
    }
