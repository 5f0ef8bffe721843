"""Coinbase's sockets: channels, one envelope, and one running number per connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from tradeloom.domain.market import BookDelta, TradeTick, VenueInstrument
from tradeloom.simulators.coinbase import rows
from tradeloom.simulators.coinbase.tokens import BadToken
from tradeloom.simulators.dialect import encode
from tradeloom.simulators.exchange import Market
from tradeloom.simulators.faults import FaultKind
from tradeloom.simulators.figures import plain
from tradeloom.simulators.orders import AccountEvent, Change, OrderEvent
from tradeloom.simulators.sessions import Session

if TYPE_CHECKING:
    from tradeloom.simulators.coinbase.spot import CoinbaseSpot

# What clients ask for -> what frames are called.
CHANNELS: Final = {
    "level2": "l2_data",
    "market_trades": "market_trades",
    "ticker": "ticker",
    "heartbeats": "heartbeats",
    "user": "user",
}
_WITHOUT_PRODUCTS: Final = ("heartbeats", "user")
TRADES_TOLD: Final = 100
ORDERS_PER_EVENT: Final = 50


class Request(msgspec.Struct):
    """A frame of a client."""

    type: str
    channel: str = ""
    product_ids: list[str] = []
    jwt: str = ""


class Streams:
    """All sessions' channels."""

    def __init__(self, venue: CoinbaseSpot) -> None:
        self._venue: Final = venue
        self._beats = 0

    # ---- subscribing -------------------------------------------------------------------------

    def on_message(self, session: Session, text: str) -> None:
        """subscribe or unsubscribe, one channel a message."""
        try:
            request = msgspec.json.decode(text, type=Request)
        except msgspec.DecodeError:
            self._error(session, "malformed message")
            return
        if request.type not in ("subscribe", "unsubscribe") or request.channel not in CHANNELS:
            self._error(session, f"unknown channel {request.channel[:40]}")
            return
        if request.jwt or request.channel == "user":
            try:
                session.credentials = self._venue.holder(request.jwt)
            except BadToken:
                self._error(session, "authentication failure")
                return
        if request.channel in _WITHOUT_PRODUCTS:
            wanted = [""]
        else:
            wanted = request.product_ids
            unknown = [each for each in wanted if each not in self._venue.exchange.by_wire]
            if unknown:
                self._error(session, f"{unknown[0][:40]} is not a valid product")
                return
        self._change(session, request, wanted)

    def _change(self, session: Session, request: Request, wanted: list[str]) -> None:
        fresh = []
        for product in wanted:
            name = _name(request.channel, product)
            if request.type == "unsubscribe":
                self._venue.unsubscribe(session, name)
            elif self._venue.subscribe(session, name):
                fresh.append(product)
        self._send(session, "subscriptions", {"subscriptions": self._subscriptions(session)})
        for product in fresh:
            for event in self._snapshot(session, request.channel, product):
                self._send(session, CHANNELS[request.channel], event)

    @staticmethod
    def _subscriptions(session: Session) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name in sorted(session.channels):
            channel, _, product = name.partition(" ")
            found.setdefault(channel, []).append(product or channel)
        return found

    def _error(self, session: Session, message: str) -> None:
        session.send(encode({"type": "error", "message": message}))

    def _snapshot(self, session: Session, channel: str, product: str) -> list[dict[str, Any]]:
        exchange = self._venue.exchange
        if channel == "user":
            account = session.credentials.account if session.credentials else ""
            told = [
                rows.user_order(exchange.market(each.symbol).instrument, each)
                for each in exchange.open_orders(account)
            ]
            parts = range(0, max(len(told), 1), ORDERS_PER_EVENT)
            return [
                {"type": "snapshot", "orders": told[at : at + ORDERS_PER_EVENT]} for at in parts
            ]
        if not product:
            return []
        market = exchange.market(product)
        at = market.instrument
        if channel == "level2":
            whole = rows.updates(at, exchange.snapshot(at.symbol), 0)
            return [{"type": "snapshot", "product_id": at.wire, "updates": whole}]
        if channel == "market_trades":
            newest = list(market.trades)[-TRADES_TOLD:]
            trades = [rows.trade(at, each) for each in reversed(newest)]
            return [{"type": "snapshot", "trades": trades}]
        return [{"type": "snapshot", "tickers": [self._ticker(market)]}]

    # ---- telling -----------------------------------------------------------------------------

    def framed(self, session: Session, channel: str, payload: bytes) -> bytes:
        """The envelope, with the connection's next number."""
        number = session.state.get("sequence", -1) + 1
        if self._venue.strikes(FaultKind.BAD_CHECKSUM, channel):
            number += 1  # there are no checksums: a number is left out instead
        session.state["sequence"] = number
        return encode(
            {
                "channel": CHANNELS.get(channel.partition(" ")[0], channel),
                "client_id": "",
                "timestamp": rows.time_text(self._venue.clock.now_ns()),
                "sequence_num": number,
                "events": [msgspec.Raw(payload)],
            }
        )

    def _send(self, session: Session, channel: str, event: dict[str, Any]) -> None:
        session.send(self.framed(session, channel, encode(event)), channel)

    def beat(self) -> None:
        """heartbeats."""
        self._beats += 1
        now = rows.time_text(self._venue.clock.now_ns())
        event = encode({"current_time": now, "heartbeat_counter": self._beats})
        self._venue.publish("heartbeats", event)

    def on_book(self, at: VenueInstrument, delta: BookDelta) -> None:
        """level2."""
        name = f"level2 {at.wire}"
        if self._venue.wanted(name):
            told = rows.updates(at, delta, delta.venue_ns)
            event = {"type": "update", "product_id": at.wire, "updates": told}
            self._venue.publish(name, encode(event))

    def on_trade(self, at: VenueInstrument, trade: TradeTick) -> None:
        """market_trades and ticker."""
        name = f"market_trades {at.wire}"
        if self._venue.wanted(name):
            event = {"type": "update", "trades": [rows.trade(at, trade)]}
            self._venue.publish(name, encode(event))
        if self._venue.wanted(f"ticker {at.wire}"):
            market = self._venue.exchange.market(at.symbol)
            event = {"type": "update", "tickers": [self._ticker(market)]}
            self._venue.publish(f"ticker {at.wire}", encode(event))

    @staticmethod
    def _ticker(market: Market) -> dict[str, str]:
        at, quote = market.instrument, market.quote
        last = plain(market.last or market.mark, at.digits)
        return {
            "type": "ticker",
            "product_id": at.wire,
            "price": last,
            "volume_24_h": "0",
            "low_24_h": last,
            "high_24_h": last,
            "low_52_w": last,
            "high_52_w": last,
            "price_percent_chg_24_h": "0",
            "best_bid": plain(quote.bid, at.digits) if quote else "",
            "best_bid_quantity": plain(quote.bid_size, 8) if quote else "",
            "best_ask": plain(quote.ask, at.digits) if quote else "",
            "best_ask_quantity": plain(quote.ask_size, 8) if quote else "",
        }

    def tell(self, event: AccountEvent) -> None:
        """user: what became of an order; balances are not told."""
        if not isinstance(event, OrderEvent):
            return
        order = event.order
        at = self._venue.exchange.market(order.symbol).instrument
        status = "PENDING" if event.change is Change.NEW else ""
        told = [rows.user_order(at, order, status)]
        if event.change is Change.NEW:
            told.append(rows.user_order(at, order))
        for session in self._venue.sessions_of(order.account):
            if "user" in session.channels:
                for row in told:
                    self._send(session, "user", {"type": "update", "orders": [row]})


def _name(channel: str, product: str) -> str:
    return f"{channel} {product}" if product else channel
