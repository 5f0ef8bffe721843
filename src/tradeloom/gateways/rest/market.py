"""Routes of instruments, groups, quotes and bars."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from tradeloom.domain import commands as c
from tradeloom.domain.enums import TradeMode
from tradeloom.domain.group import Group
from tradeloom.domain.instrument import Instrument
from tradeloom.gateways.limits import BARS_MAX
from tradeloom.gateways.quotes import Quote, price
from tradeloom.gateways.rest.answers import BarOut, Done, QuoteOut, problems
from tradeloom.gateways.rest.errors import missing
from tradeloom.gateways.rest.gate import Gate, IdempotencyKey, done, reply
from tradeloom.gateways.rest.models import Closed, model_of, words
from tradeloom.gateways.wire import rfc3339, wire
from tradeloom.marketdata.bars import PERIODS, Bar, longer
from tradeloom.security.rights import Principal, Scope

InstrumentOut = model_of(Instrument, "InstrumentOut")
GroupOut = model_of(Group, "GroupOut")
Symbol = Annotated[str, Path(min_length=1, max_length=32)]
Period = Annotated[str, Query(pattern="^(M1|M5|M15|M30|H1|H4|D1|W1)$")]


class TradeModeIn(Closed):
    """What may be traded on the instrument from now on."""

    trade_mode: words(TradeMode)  # type: ignore[valid-type]


def router(gate: Gate) -> APIRouter:
    """The routes."""
    api = APIRouter(prefix="/api/v1", responses=problems(504))
    reads = Depends(gate.need(Scope.MARKET_READ))
    manages = Depends(gate.need(Scope.INSTRUMENTS_MANAGE))
    names = gate.desk.names

    def instrument(symbol: str) -> Instrument:
        for each in names.instruments:
            if each.symbol == symbol:
                return each
        raise missing("instrument", "instrument")

    @api.get("/instruments", tags=["market"], response_model=list[InstrumentOut])  # type: ignore[valid-type]
    async def list_instruments(caller: Principal = reads) -> Response:
        """Every instrument and its conditions."""
        return reply([wire(each) for each in names.instruments])

    @api.get("/instruments/{symbol:path}", tags=["market"], response_model=InstrumentOut)
    async def get_instrument(symbol: Symbol, caller: Principal = reads) -> Response:
        """One instrument and its conditions."""
        return reply(instrument(symbol))

    @api.patch("/instruments/{symbol:path}", tags=["market"], response_model=Done)
    async def set_trade_mode(
        symbol: Symbol, body: TradeModeIn, key: IdempotencyKey = None, caller: Principal = manages
    ) -> Response:
        """Set what may be traded on an instrument."""
        changed = msgspec.structs.replace(instrument(symbol), trade_mode=TradeMode(body.trade_mode))
        command = c.DefineInstrument(id=key or "", instrument=changed)
        return reply(done(await gate.execute(command)))

    @api.get("/groups", tags=["market"], response_model=list[GroupOut])  # type: ignore[valid-type]
    async def list_groups(caller: Principal = reads) -> Response:
        """Every group and its conditions."""
        return reply([wire(each) for each in names.groups])

    @api.get("/quotes", tags=["market"], response_model=list[QuoteOut])
    async def list_quotes(caller: Principal = reads) -> Response:
        """The newest quote of every symbol that has one."""
        return reply([quote(each) for each in gate.board.newest.values()])

    @api.get("/quotes/{symbol:path}", tags=["market"], response_model=QuoteOut)
    async def get_quote(symbol: Symbol, caller: Principal = reads) -> Response:
        """The newest quote of a symbol."""
        found = gate.board.newest.get(symbol)
        if found is None:
            raise missing("quote", "symbol")
        return reply(quote(found))

    @api.get("/bars/{symbol:path}", tags=["market"], response_model=list[BarOut])
    async def list_bars(
        request: Request,
        symbol: Symbol,
        period: Period = "M1",
        limit: Annotated[int, Query(ge=1, le=BARS_MAX)] = 500,
        caller: Principal = reads,
    ) -> Response:
        """The newest candles of a symbol, oldest first; the last one is still open."""
        digits = instrument(symbol).digits
        made = longer(gate.bars.minutes(symbol), PERIODS[period])
        return reply([bar(each, digits) for each in made[-limit:]])

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
