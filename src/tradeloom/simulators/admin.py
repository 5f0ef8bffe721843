"""`/_sim`: what whoever runs the simulator may see and command, in JSON.

    GET    /_sim/state                       venues, sessions, markets, keys' names
    GET    /_sim/faults                      kinds, what is armed, what fired
    POST   /_sim/faults                      {"venue", "kind", "where", "count", …}; see `Fault`
    DELETE /_sim/faults                      disarm everything
    POST   /_sim/market                      {"venue", "do": "hold"|"go"|"step", "count", "speed"}
    POST   /_sim/quote                       {"venue", "symbol", "bid", "ask", "bid_size", …}
    POST   /_sim/trade                       {"venue", "symbol", "price", "size", "side"}
    POST   /_sim/funding                     {"venue", "symbol", "rate"}

Without "venue" a command goes to every venue. A mistake is answered 400 with what is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeVar

import msgspec
from aiohttp import web

from tradeloom.domain.enums import Side
from tradeloom.domain.market import SIZE_DIGITS, BookQuote, TradeTick
from tradeloom.simulators.dialect import VenueDialect, encode
from tradeloom.simulators.faults import Fault, FaultKind
from tradeloom.simulators.figures import BadFigure, plain, scaled
from tradeloom.simulators.orders import Refused
from tradeloom.simulators.player import MarketPlayer

_T = TypeVar("_T")


class _Fault(msgspec.Struct, forbid_unknown_fields=True):
    kind: FaultKind
    venue: str = ""
    where: str = ""
    count: int | None = 1
    after: int = 0
    probability: float = 1.0
    seconds: float = 0.0
    status: int = 0


class _Market(msgspec.Struct, forbid_unknown_fields=True):
    do: str
    venue: str = ""
    count: int = 1
    speed: float | None = None


class _Quote(msgspec.Struct, forbid_unknown_fields=True):
    symbol: str
    bid: str
    ask: str
    bid_size: str = "1"
    ask_size: str = "1"
    venue: str = ""


class _Trade(msgspec.Struct, forbid_unknown_fields=True):
    symbol: str
    price: str
    size: str
    side: str = "buy"
    venue: str = ""


class _Funding(msgspec.Struct, forbid_unknown_fields=True):
    symbol: str
    rate: str
    venue: str = ""


class Admin:
    """The commands of one simulator."""

    def __init__(
        self, venues: Mapping[str, VenueDialect], players: Mapping[str, MarketPlayer]
    ) -> None:
        self._venues: Final = venues
        self._players: Final = players

    def add_to(self, app: web.Application) -> None:
        """Serve them."""
        routes = app.router
        routes.add_get("/_sim/state", self._state)
        routes.add_get("/_sim/faults", self._faults)
        routes.add_post("/_sim/faults", self._arm)
        routes.add_delete("/_sim/faults", self._disarm)
        routes.add_post("/_sim/market", self._market)
        routes.add_post("/_sim/quote", self._quote)
        routes.add_post("/_sim/trade", self._trade)
        routes.add_post("/_sim/funding", self._funding)

    async def _state(self, _: web.Request) -> web.Response:
        return _json({name: self._state_of(each) for name, each in self._venues.items()})

    def _state_of(self, venue: VenueDialect) -> dict[str, Any]:
        player = self._players.get(venue.name)
        return {
            "time_ns": venue.clock.now_ns(),
            "sessions": [
                {
                    "id": each.id,
                    "path": each.call.path,
                    "account": each.credentials.account if each.credentials else None,
                    "channels": sorted(each.channels),
                    "sent": each.sent,
                    "waiting": each.waiting,
                }
                for each in sorted(venue.sessions, key=lambda session: session.id)
            ],
            "symbols": sorted(venue.exchange.markets),
            "accounts": {
                name: {
                    asset: {
                        "free": plain(balance.free, SIZE_DIGITS),
                        "locked": plain(balance.locked, SIZE_DIGITS),
                    }
                    for asset, balance in sorted(account.balances.items())
                }
                for name, account in venue.exchange.accounts.items()
            },
            "open_orders": sum(len(each) for each in venue.exchange.books.open.values()),
            "played": player.played if player else 0,
            "ended": player.ended if player else True,
        }

    async def _faults(self, _: web.Request) -> web.Response:
        found = {
            name: {
                "armed": [each for each in venue.faults.armed if not each.spent],
                "fired": dict(venue.faults.fired),
                "firings": list(venue.faults.firings),
            }
            for name, venue in self._venues.items()
        }
        return _json({"kinds": list(FaultKind), "venues": found})

    async def _arm(self, request: web.Request) -> web.Response:
        asked = _read(await request.read(), _Fault)
        armed = {}
        for venue in self._wanted(asked.venue):
            fault = Fault(
                kind=asked.kind, where=asked.where, count=asked.count, after=asked.after,
                probability=asked.probability, seconds=asked.seconds, status=asked.status,
            )  # fmt: skip
            try:
                armed[venue.name] = venue.inject(fault)
            except ValueError as error:
                raise _bad(str(error)) from error
        return _json(armed)

    async def _disarm(self, _: web.Request) -> web.Response:
        return _json({name: venue.faults.clear() for name, venue in self._venues.items()})

    async def _market(self, request: web.Request) -> web.Response:
        asked = _read(await request.read(), _Market)
        played: dict[str, int] = {}
        for venue in self._wanted(asked.venue):
            player = self._players.get(venue.name)
            if player is None:
                raise _bad(f"{venue.name} has no market that plays")
            match asked.do:
                case "hold":
                    player.hold()
                case "go":
                    player.go(asked.speed)
                case "step":
                    player.hold()
                    player.step(asked.count)
                case _:
                    raise _bad('"do" must be "hold", "go" or "step"')
            played[venue.name] = player.played
        return _json({"played": played})

    async def _quote(self, request: web.Request) -> web.Response:
        asked = _read(await request.read(), _Quote)
        for venue in self._wanted(asked.venue):
            try:
                at = venue.exchange.market(asked.symbol).instrument
                event = BookQuote(
                    venue.name, at.symbol, at.digits,
                    scaled(asked.bid, at.digits), scaled(asked.ask, at.digits),
                    scaled(asked.bid_size, SIZE_DIGITS), scaled(asked.ask_size, SIZE_DIGITS),
                    venue.clock.now_ns(), venue.clock.now_ns(),
                )  # fmt: skip
            except (Refused, BadFigure) as error:
                raise _bad(str(error)) from error
            venue.feed(event)
        return _json({})

    async def _trade(self, request: web.Request) -> web.Response:
        asked = _read(await request.read(), _Trade)
        if asked.side not in ("buy", "sell"):
            raise _bad('"side" must be "buy" or "sell": the side of the taker')
        for venue in self._wanted(asked.venue):
            try:
                at = venue.exchange.market(asked.symbol).instrument
                event = TradeTick(
                    venue.name, at.symbol, at.digits, scaled(asked.price, at.digits),
                    scaled(asked.size, SIZE_DIGITS), Side[asked.side.upper()], "",
                    venue.clock.now_ns(), venue.clock.now_ns(),
                )  # fmt: skip
            except (Refused, BadFigure) as error:
                raise _bad(str(error)) from error
            venue.feed(event)
        return _json({})

    async def _funding(self, request: web.Request) -> web.Response:
        asked = _read(await request.read(), _Funding)
        for venue in self._wanted(asked.venue):
            try:
                venue.exchange.charge_funding(asked.symbol, scaled(asked.rate, 6))
            except (Refused, BadFigure) as error:
                raise _bad(str(error)) from error
            venue.flush()
        return _json({})

    def _wanted(self, name: str) -> list[VenueDialect]:
        if not name:
            return list(self._venues.values())
        if name not in self._venues:
            raise _bad(f"there is no venue {name[:40]!r}; there are {', '.join(self._venues)}")
        return [self._venues[name]]


def _read(body: bytes, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.DecodeError as error:
        raise _bad(str(error)) from error


def _json(body: Any) -> web.Response:
    return web.Response(body=encode(body), content_type="application/json")


def _bad(why: str) -> web.HTTPBadRequest:
    return web.HTTPBadRequest(text=encode({"error": why}).decode(), content_type="application/json")
