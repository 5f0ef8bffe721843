"""Orders of Coinbase: configurations to orders of the exchange, reasons under HTTP 200."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from tradeloom.domain.enums import Side
from tradeloom.domain.market import VenueInstrument
from tradeloom.simulators.coinbase import names
from tradeloom.simulators.coinbase.errors import EDIT, PLACE, argument
from tradeloom.simulators.figures import BadFigure, scaled
from tradeloom.simulators.orders import Force, NewOrder, OrderKind, Refused

if TYPE_CHECKING:
    from tradeloom.simulators.coinbase.spot import CoinbaseSpot

T = TypeVar("T")

# Configuration -> order type, kind, how long it lives.
_KINDS: Final = {
    "market_market_ioc": ("MARKET", OrderKind.MARKET, Force.IOC),
    "limit_limit_gtc": ("LIMIT", OrderKind.LIMIT, Force.GTC),
    "limit_limit_gtd": ("LIMIT", OrderKind.LIMIT, Force.GTC),
    "limit_limit_fok": ("LIMIT", OrderKind.LIMIT, Force.FOK),
    "sor_limit_ioc": ("LIMIT", OrderKind.LIMIT, Force.IOC),
    "stop_limit_stop_limit_gtc": ("STOP_LIMIT", OrderKind.LIMIT, Force.GTC),
    "stop_limit_stop_limit_gtd": ("STOP_LIMIT", OrderKind.LIMIT, Force.GTC),
}
CANCELS_MAX: Final = 100


class Terms(msgspec.Struct):
    """The inside of a configuration."""

    base_size: str = ""
    quote_size: str = ""
    limit_price: str = ""
    stop_price: str = ""
    stop_direction: str = ""
    end_time: str = ""
    post_only: bool = False


class Placing(msgspec.Struct):
    """A new order."""

    client_order_id: str
    product_id: str
    side: str
    order_configuration: dict[str, Terms]


class Editing(msgspec.Struct):
    """New terms of an order; both are needed."""

    order_id: str
    price: str
    size: str


class Cancelling(msgspec.Struct):
    """Orders to cancel."""

    order_ids: list[str]


class Reasoned(Exception):  # noqa: N818 - a word of the house, like Refused
    """A refusal with its reason."""


class Trading:
    """Everything that changes orders."""

    def __init__(self, venue: CoinbaseSpot) -> None:
        self._venue: Final = venue

    def place(self, account: str, body: bytes) -> Any:
        """POST orders. A client id that is known returns its order, whatever else is asked."""
        placing = _read(body, Placing)
        exchange = self._venue.exchange
        known = exchange.books.find(account, None, placing.client_order_id)
        try:
            order = known or exchange.place(account, self._asked(placing))
        except Refused as refused:
            return self._failed(placing, PLACE.get(refused.reason, "UNKNOWN_FAILURE_REASON"))
        except Reasoned as reasoned:
            return self._failed(placing, str(reasoned))
        name = names.order_name(order.id)
        return {
            "success": True,
            "failure_reason": "UNKNOWN_FAILURE_REASON",
            "order_id": name,
            "success_response": {
                "order_id": name,
                "product_id": placing.product_id,
                "side": placing.side,
                "client_order_id": placing.client_order_id,
            },
            "order_configuration": placing.order_configuration,
        }

    @staticmethod
    def _failed(placing: Placing, reason: str) -> dict[str, Any]:
        preview = reason.startswith("PREVIEW_")
        return {
            "success": False,
            "failure_reason": "UNKNOWN_FAILURE_REASON",
            "order_id": "",
            "error_response": {
                "error": "UNKNOWN_FAILURE_REASON" if preview else reason,
                "message": "",
                "error_details": "",
                "preview_failure_reason": reason if preview else "UNKNOWN_PREVIEW_FAILURE_REASON",
                "new_order_failure_reason": "UNKNOWN_FAILURE_REASON" if preview else reason,
            },
            "order_configuration": placing.order_configuration,
        }

    def edit(self, account: str, body: bytes) -> Any:
        """POST orders/edit: limit orders that are good till cancelled."""
        editing = _read(body, Editing)
        exchange = self._venue.exchange
        try:
            order = exchange.order(account, order_id=names.order_number(editing.order_id))
            if "limit_limit_gtc" not in order.asked.note.get("configuration", {}):
                return _edited("ONLY_LIMIT_ORDER_EDITS_SUPPORTED")
            at = exchange.market(order.symbol).instrument
            price, size = scaled(editing.price, at.digits), scaled(editing.size, 8)
            exchange.amend(order, price=price, size=size)
        except Refused as refused:
            return _edited(EDIT.get(refused.reason, "UNKNOWN_EDIT_ORDER_FAILURE_REASON"))
        except BadFigure:
            return _edited("INVALID_PRICE")
        return {"success": True, "errors": []}

    def cancel(self, account: str, body: bytes) -> Any:
        """POST orders/batch_cancel."""
        wanted = _read(body, Cancelling).order_ids
        if not 0 < len(wanted) <= CANCELS_MAX:
            raise argument(f"order_ids takes 1 to {CANCELS_MAX}")
        return {"results": [self._cancel(account, each) for each in wanted]}

    def _cancel(self, account: str, name: str) -> dict[str, Any]:
        exchange = self._venue.exchange
        reason = "UNKNOWN_CANCEL_FAILURE_REASON"
        done = True
        try:
            exchange.cancel(exchange.order(account, order_id=names.order_number(name)))
        except Refused:
            done, reason = False, "UNKNOWN_CANCEL_ORDER"
        return {"success": done, "failure_reason": reason, "order_id": name}

    def _asked(self, placing: Placing) -> NewOrder:
        market = self._venue.exchange.by_wire.get(placing.product_id)
        if market is None:
            raise Reasoned("INVALID_PRODUCT_ID")
        if len(placing.order_configuration) != 1 or not placing.client_order_id:
            raise argument("one order_configuration and a client_order_id are required")
        ((name, terms),) = placing.order_configuration.items()
        found = _KINDS.get(name)
        if found is None or placing.side not in ("BUY", "SELL"):
            raise Reasoned("UNSUPPORTED_ORDER_CONFIGURATION")
        word, kind, force = found
        at, side = market.instrument, Side[placing.side]
        return NewOrder(
            symbol=at.symbol,
            side=side,
            kind=kind,
            size=_figure(terms.base_size, 8, "INVALID_SIZE_PRECISION"),
            quote_amount=_figure(terms.quote_size, 8, "INVALID_SIZE_PRECISION"),
            price=_price(at, terms) if kind is OrderKind.LIMIT else 0,
            force=force,
            post_only=terms.post_only,
            stop_price=_figure(terms.stop_price, at.digits, "INVALID_PRICE_PRECISION"),
            stop_rising=terms.stop_direction == "STOP_DIRECTION_STOP_UP",
            expires_ns=self._end(terms) if name.endswith("gtd") else 0,
            client_id=placing.client_order_id,
            note={
                "order_type": word,
                "configuration": {name: _said(terms)},
            },
        )

    def _end(self, terms: Terms) -> int:
        try:
            ends = int(datetime.fromisoformat(terms.end_time).timestamp() * 1e6) * 1_000
        except ValueError:
            raise Reasoned("INVALID_END_TIME") from None
        if ends <= self._venue.clock.now_ns():
            raise Reasoned("INVALID_END_TIME")
        return ends


def _said(terms: Terms) -> dict[str, Any]:
    told = msgspec.structs.asdict(terms)
    return {name: value for name, value in told.items() if value or name == "post_only"}


def _price(at: VenueInstrument, terms: Terms) -> int:
    price = _figure(terms.limit_price, at.digits, "INVALID_PRICE_PRECISION")
    if not price:
        raise Reasoned("INVALID_LIMIT_PRICE")
    return price


def _figure(text: str, digits: int, reason: str) -> int:
    try:
        return scaled(text, digits) if text else 0
    except BadFigure:
        raise Reasoned(reason) from None


def _edited(reason: str) -> dict[str, Any]:
    preview = reason.startswith("PREVIEW_")
    row = {
        "edit_failure_reason": "UNKNOWN_EDIT_ORDER_FAILURE_REASON" if preview else reason,
        "preview_failure_reason": reason if preview else "UNKNOWN_PREVIEW_FAILURE_REASON",
    }
    return {"success": False, "errors": [row]}


def _read(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.DecodeError as error:
        raise argument(str(error)[:200]) from None
