"""Spot's user data stream: sign-in, subscriptions and events on the WebSocket API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tradeloom.simulators.binance.errors import BAD_KEY, BinanceError
from tradeloom.simulators.binance.family import Caller, Operation
from tradeloom.simulators.binance.orders import force_of, status_of
from tradeloom.simulators.binance.params import Params
from tradeloom.simulators.binance.rows import price, size
from tradeloom.simulators.binance.signing import is_ed25519
from tradeloom.simulators.dialect import encode
from tradeloom.simulators.orders import (
    AccountEvent,
    BalanceEvent,
    Change,
    OrderEvent,
    Reason,
    Status,
)
from tradeloom.simulators.sessions import Session

if TYPE_CHECKING:
    from tradeloom.simulators.binance.spot import BinanceSpot

_MS: Final = 1_000_000
SUBSCRIPTIONS: Final = "subscriptions"
_CHANGES: Final = {
    Change.NEW: "NEW",
    Change.TRIGGERED: "NEW",
    Change.TRADE: "TRADE",
    Change.CANCELED: "CANCELED",
    Change.EXPIRED: "EXPIRED",
    Change.AMENDED: "REPLACED",
}


class UserData:
    """Who listens to which account, and what they hear."""

    def __init__(self, venue: BinanceSpot) -> None:
        self._venue = venue
        self._last_subscription = -1

    def operations(self) -> list[Operation]:
        """The table; these have no REST twin."""
        return [
            Operation(self.logon, "session.logon", security="signed", weight=2),
            Operation(self.session, "session.status", weight=2),
            Operation(self.logout, "session.logout", weight=2),
            Operation(self.subscribe, "userDataStream.subscribe", weight=2),
            Operation(
                self.subscribe_signed, "userDataStream.subscribe.signature",
                security="signed", weight=2,
            ),
            Operation(self.unsubscribe, "userDataStream.unsubscribe", weight=2),
            Operation(self.subscriptions, "session.subscriptions", weight=2),
        ]  # fmt: skip

    # ---- sign-in -----------------------------------------------------------------------------

    def logon(self, _params: Params, caller: Caller) -> dict[str, Any]:
        """session.logon: Ed25519 keys only."""
        session, credentials = _session(caller), caller.credentials
        if credentials is None or not is_ed25519(credentials):
            raise BinanceError(-4056, "Only Ed25519 API keys are supported for this request.")
        session.credentials = credentials
        now_ms = self._venue.clock.now_ms()
        session.state.update(logged_on=True, logged_on_ms=now_ms)
        return self.session(_params, caller)

    def session(self, _params: Params, caller: Caller) -> dict[str, Any]:
        """session.status."""
        session = _session(caller)
        known = session.state.get("logged_on") and session.credentials
        return {
            "apiKey": session.credentials.key if known and session.credentials else None,
            "authorizedSince": session.state.get("logged_on_ms") if known else None,
            "connectedSince": session.state["born_ns"] // _MS,
            "returnRateLimits": True,
            "serverTime": self._venue.clock.now_ms(),
            "userDataStream": bool(session.state.get(SUBSCRIPTIONS)),
        }

    def logout(self, params: Params, caller: Caller) -> dict[str, Any]:
        """session.logout."""
        session = _session(caller)
        session.state.pop("logged_on", None)
        session.state.pop("logged_on_ms", None)
        return self.session(params, caller)

    # ---- subscriptions -----------------------------------------------------------------------

    def subscribe(self, _params: Params, caller: Caller) -> dict[str, Any]:
        """userDataStream.subscribe, after session.logon."""
        session = _session(caller)
        if not session.state.get("logged_on") or session.credentials is None:
            raise BAD_KEY
        return self._subscribe(session, session.credentials.account)

    def subscribe_signed(self, _params: Params, caller: Caller) -> dict[str, Any]:
        """userDataStream.subscribe.signature, with any kind of key."""
        session = _session(caller)
        session.credentials = session.credentials or caller.credentials
        return self._subscribe(session, caller.account)

    def _subscribe(self, session: Session, account: str) -> dict[str, Any]:
        held: dict[int, str] = session.state.setdefault(SUBSCRIPTIONS, {})
        if account in held.values():
            raise BinanceError(-1193, "Subscription already active for this account.")
        number = len(held)
        while number in held:
            number += 1
        held[number] = account
        return {"subscriptionId": number}

    def unsubscribe(self, params: Params, caller: Caller) -> dict[str, Any]:
        """userDataStream.unsubscribe, one or all."""
        held: dict[int, str] = _session(caller).state.setdefault(SUBSCRIPTIONS, {})
        number = params.optional("subscriptionId")
        if number is None:
            held.clear()
        elif held.pop(number, None) is None:
            raise BinanceError(-1128, "Subscription does not exist.")
        return {}

    def subscriptions(self, _params: Params, caller: Caller) -> list[dict[str, Any]]:
        """session.subscriptions."""
        held: dict[int, str] = _session(caller).state.get(SUBSCRIPTIONS, {})
        return [{"subscriptionId": number} for number in sorted(held)]

    def end_all(self) -> int:
        """Every subscription ends (eventStreamTerminated); how many."""
        ended = 0
        event = {"e": "eventStreamTerminated", "E": self._venue.clock.now_ms()}
        for session in tuple(self._venue.sessions):
            held: dict[int, str] = session.state.get(SUBSCRIPTIONS, {})
            for number in held:
                session.send(encode({"subscriptionId": number, "event": event}))
            ended += len(held)
            held.clear()
            session.state.pop("logged_on", None)
        return ended

    # ---- events ------------------------------------------------------------------------------

    def tell(self, event: AccountEvent) -> None:
        """executionReport or outboundAccountPosition."""
        account = event.order.account if isinstance(event, OrderEvent) else event.account
        readers = [
            (session, number)
            for session in sorted(self._venue.sessions, key=lambda each: each.id)
            for number, held in session.state.get(SUBSCRIPTIONS, {}).items()
            if held == account
        ]
        if not readers:
            return
        row = self._report(event) if isinstance(event, OrderEvent) else self._position(event)
        for session, number in readers:
            session.send(encode({"subscriptionId": number, "event": row}), "userData")

    def _position(self, event: BalanceEvent) -> dict[str, Any]:
        account = self._venue.exchange.accounts[event.account]
        return {
            "e": "outboundAccountPosition",
            "E": self._venue.clock.now_ms(),
            "u": event.ts_ns // _MS,
            "B": [
                {
                    "a": asset,
                    "f": size(account.balance(asset).free),
                    "l": size(account.balance(asset).locked),
                }
                for asset in event.assets
            ],
        }

    def _report(self, event: OrderEvent) -> dict[str, Any]:
        order, fill = event.order, event.fill
        at = self._venue.exchange.markets[order.symbol].instrument
        note = order.asked.note
        canceled = event.change is Change.CANCELED
        shown_id, original_id = order.client_id, ""
        if canceled:
            shown_id = note.get("cancel_id") or self._venue.new_client_id()
            original_id = order.client_id
        elif event.change is Change.AMENDED:
            original_id = note.get("before_amend", "")
        kind = _CHANGES[event.change]
        if order.reason is Reason.SELF_TRADE and event.change is Change.EXPIRED:
            kind = "TRADE_PREVENTION"
        row: dict[str, Any] = {
            "e": "executionReport",
            "E": self._venue.clock.now_ms(),
            "s": at.wire,
            "c": shown_id,
            "S": order.side.name,
            "o": note["type"],
            "f": force_of(order),
            "q": size(order.size),
            "p": price(at, order.price),
            "P": price(at, order.stop_price),
            "F": size(0),
            "g": -1,
            "C": original_id,
            "x": kind,
            "X": status_of(order),
            "r": "NONE",
            "i": order.id,
            "l": size(fill.size if fill else 0),
            "z": size(order.filled),
            "L": price(at, fill.price if fill else 0),
            "n": size(fill.fee) if fill else "0",
            "N": fill.fee_asset if fill else None,
            "T": event.ts_ns // _MS,
            "t": fill.trade_id if fill else -1,
            "I": order.id * 100 + order.seq,
            "w": order.status in (Status.NEW, Status.PARTIALLY_FILLED),
            "m": bool(fill and fill.maker),
            "M": False,
            "O": order.created_ns // _MS,
            "Z": size(order.cost),
            "Y": size(fill.cost if fill else 0),
            "Q": size(note.get("quote", 0)),
            "W": order.created_ns // _MS,
            "V": "EXPIRE_MAKER",
        }
        if event.change is Change.EXPIRED:
            row["eR"] = 1 if order.reason is Reason.SELF_TRADE else 6
        return row


def _session(caller: Caller) -> Session:
    if caller.session is None:
        raise BinanceError(-1000, "This request needs a WebSocket connection.")
    return caller.session
