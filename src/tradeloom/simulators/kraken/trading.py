"""Orders of Kraken, as sockets and REST ask for them, on the exchange."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import msgspec

from tradeloom.domain.enums import Side
from tradeloom.domain.market import VenueInstrument
from tradeloom.simulators.figures import BadFigure, scaled
from tradeloom.simulators.kraken import names
from tradeloom.simulators.kraken.access import AMEND, CANCEL
from tradeloom.simulators.kraken.errors import KrakenError, refusal
from tradeloom.simulators.kraken.rows import FORCES
from tradeloom.simulators.orders import NewOrder, Order, OrderKind, Reason, Refused

if TYPE_CHECKING:
    from tradeloom.simulators.kraken.spot import KrakenSpot

_KINDS: Final = {
    "market": OrderKind.MARKET,
    "limit": OrderKind.LIMIT,
    "stop-loss": OrderKind.MARKET,
    "take-profit": OrderKind.MARKET,
    "stop-loss-limit": OrderKind.LIMIT,
    "take-profit-limit": OrderKind.LIMIT,
}
_UUID: Final = re.compile(r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)
_TEXT_ID: Final = re.compile(r"[\x21-\x7e]{1,18}")


class Trigger(msgspec.Struct):
    """When a stop acts."""

    price: Decimal
    reference: str = "last"


class Terms(msgspec.Struct):
    """An order as it is asked for."""

    symbol: str
    side: str
    order_type: str
    order_qty: Decimal
    limit_price: Decimal | None = None
    triggers: Trigger | None = None
    time_in_force: str = "gtc"
    expire_time: str = ""
    post_only: bool = False
    reduce_only: bool = False
    cl_ord_id: str = ""
    deadline: str = ""
    validate: bool = False


class Amending(msgspec.Struct):
    """New terms of an order."""

    order_id: str = ""
    cl_ord_id: str = ""
    order_qty: Decimal | None = None
    limit_price: Decimal | None = None


class Trading:
    """Everything that changes orders. Errors are `KrakenError`."""

    def __init__(self, venue: KrakenSpot) -> None:
        self._venue: Final = venue
        self._dead_men: Final[dict[str, int]] = {}  # account -> when everything is cancelled

    def place(self, account: str, terms: Terms) -> Order | None:
        """A new order; None when it was only checked."""
        exchange = self._venue.exchange
        asked = self._asked(terms)
        try:
            market = exchange.market(asked.symbol)
            if terms.validate:
                exchange.check(account, asked)
                return None
            self._venue.access.order(account, market.instrument.symbol, 1.0)
            return exchange.place(account, asked)
        except Refused as refused:
            raise refusal(refused) from refused

    def amend(self, account: str, terms: Amending) -> Order:
        """New price or volume."""
        order = self.find(account, terms.order_id, terms.cl_ord_id)
        at = self._venue.exchange.market(order.symbol).instrument
        self._change(order, AMEND)
        try:
            return self._venue.exchange.amend(
                order,
                price=_figure(terms.limit_price, at.digits, "price"),
                size=_figure(terms.order_qty, 8, "order_qty"),
            )
        except Refused as refused:
            raise refusal(refused) from refused

    def cancel(self, account: str, order_id: str, client_id: str) -> Order:
        """Cancel one."""
        order = self.find(account, order_id, client_id)
        self._change(order, CANCEL)
        try:
            return self._venue.exchange.cancel(order)
        except Refused as refused:
            raise refusal(refused) from refused

    def cancel_all(self, account: str) -> int:
        """Cancel everything; how many there were."""
        return len(self._venue.exchange.cancel_all(account))

    def cancel_after(self, account: str, seconds: int) -> tuple[int, int]:
        """Arm the dead-man switch, 0 disarms: the time now and of the cancellation, ns."""
        now = self._venue.clock.now_ns()
        if not seconds:
            self._dead_men.pop(account, None)
            return now, 0
        self._dead_men[account] = now + seconds * 10**9
        return now, self._dead_men[account]

    def tick(self) -> None:
        """Cancel for those who fell silent."""
        now = self._venue.clock.now_ns()
        for account in [who for who, at in self._dead_men.items() if at <= now]:
            del self._dead_men[account]
            self._venue.exchange.cancel_all(account, reason=Reason.BY_VENUE)

    def find(self, account: str, order_id: str, client_id: str) -> Order:
        """An order by either name."""
        number = names.order_number(order_id) if order_id else None
        if order_id and number is None:
            raise KrakenError("EOrder:Invalid order")
        try:
            return self._venue.exchange.order(account, order_id=number, client_id=client_id)
        except Refused as refused:
            raise refusal(refused) from refused

    def _change(self, order: Order, costs: tuple[tuple[int, int], ...]) -> None:
        age_s = (self._venue.clock.now_ns() - order.created_ns) / 1e9
        self._venue.access.change(order.account, order.symbol, age_s, costs)

    def _asked(self, terms: Terms) -> NewOrder:
        market = self._venue.exchange.by_wire.get(terms.symbol)
        if market is None:
            raise KrakenError("EQuery:Unknown asset pair")
        at = market.instrument
        kind = _KINDS.get(terms.order_type)
        if kind is None:
            raise KrakenError("EGeneral:Invalid arguments:ordertype")
        force = FORCES.get(terms.time_in_force.lower())
        if force is None or terms.side not in ("buy", "sell"):
            raise KrakenError("EGeneral:Invalid arguments")
        if terms.reduce_only:
            raise KrakenError("EOrder:Reduce only:Non-PC")
        check_client_id(terms.cl_ord_id)
        price = _figure(terms.limit_price, at.digits, "price") or 0
        if kind is OrderKind.LIMIT and not price:
            raise KrakenError("EGeneral:Invalid arguments:price")
        side = Side.BUY if terms.side == "buy" else Side.SELL
        stop, rising = _stop(at, terms, side)
        return NewOrder(
            symbol=at.symbol,
            side=side,
            kind=kind,
            size=_figure(terms.order_qty, 8, "volume") or 0,
            price=price if kind is OrderKind.LIMIT else 0,
            force=force,
            post_only=terms.post_only,
            stop_price=stop,
            stop_rising=rising,
            expires_ns=self._expiry(terms),
            client_id=terms.cl_ord_id,
            note={"ordertype": terms.order_type},
        )

    def _expiry(self, terms: Terms) -> int:
        if terms.time_in_force.lower() != "gtd":
            return 0
        try:
            when = datetime.fromisoformat(terms.expire_time)
        except ValueError:
            raise KrakenError("EGeneral:Invalid arguments:expiretm") from None
        expires_ns = int(when.timestamp() * 1e6) * 1_000
        if expires_ns <= self._venue.clock.now_ns():
            raise KrakenError("EGeneral:Invalid arguments:expiretm")
        return expires_ns


def of_form(params: Mapping[str, str], at: VenueInstrument) -> Terms:
    """AddOrder's form in the words of the sockets."""
    kind = params.get("ordertype", "")
    waits = kind.startswith(("stop-loss", "take-profit"))
    flags = params.get("oflags", "").split(",")
    first, second = _decimal(params, "price"), _decimal(params, "price2")
    expires = params.get("expiretm", "0")
    if not expires.isdigit():
        raise KrakenError("EGeneral:Invalid arguments:expiretm")
    return Terms(
        symbol=at.wire,
        side=params.get("type", ""),
        order_type=kind,
        order_qty=_decimal(params, "volume") or Decimal(0),
        limit_price=second if waits else first,
        triggers=Trigger(first) if waits and first is not None else None,
        time_in_force=params.get("timeinforce", "GTC"),
        expire_time=datetime.fromtimestamp(int(expires)).astimezone().isoformat(),
        post_only="post" in flags,
        cl_ord_id=params.get("cl_ord_id", ""),
        validate=params.get("validate") == "true",
    )


def check_client_id(text: str) -> None:
    """Up to 18 characters, or a UUID; raises `KrakenError`."""
    if text and not (_TEXT_ID.fullmatch(text) or _UUID.fullmatch(text)):
        raise KrakenError("EGeneral:Invalid arguments:cl_ord_id")


def _decimal(params: Mapping[str, str], name: str) -> Decimal | None:
    text = params.get(name, "")
    if not text:
        return None
    try:
        return Decimal(text)
    except ArithmeticError:
        raise KrakenError(f"EGeneral:Invalid arguments:{name}") from None


def _figure(value: Decimal | None, digits: int, name: str) -> int | None:
    if value is None:
        return None
    try:
        return scaled(format(value, "f"), digits)
    except BadFigure:
        text = "EOrder:Tick size check failed" if name == "price" else ""
        raise KrakenError(text or f"EGeneral:Invalid arguments:{name}") from None


def _stop(at: VenueInstrument, terms: Terms, side: Side) -> tuple[int, bool]:
    """The stop price, and whether the market rises to it."""
    if not terms.order_type.startswith(("stop-loss", "take-profit")):
        return 0, False
    if terms.triggers is None:
        raise KrakenError("EGeneral:Invalid arguments:triggers")
    loss = terms.order_type.startswith("stop-loss")
    return _figure(terms.triggers.price, at.digits, "price") or 0, loss == (side is Side.BUY)


def placed(order: Order | None) -> dict[str, Any]:
    """The result of add_order and amend_order."""
    if order is None:
        return {}
    result = {"order_id": names.order_name(order.id)}
    return result | ({"cl_ord_id": order.client_id} if order.client_id else {})
