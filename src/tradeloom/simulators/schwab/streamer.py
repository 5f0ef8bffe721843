"""The streamer: log-in first, level one with only what changed, whole books, account activity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from tradeloom.domain.enums import Side
from tradeloom.domain.market import SIZE_DIGITS
from tradeloom.simulators.dialect import encode
from tradeloom.simulators.exchange import Market
from tradeloom.simulators.orders import Change, OrderEvent
from tradeloom.simulators.schwab.rows import (
    DIGITS,
    order_id,
    price,
    scaled_number,
    shares,
    utc,
)
from tradeloom.simulators.sessions import Session

if TYPE_CHECKING:
    from tradeloom.simulators.schwab import Schwab

L1: Final = "LEVELONE_EQUITIES"
BOOKS: Final = ("NASDAQ_BOOK", "NYSE_BOOK")
ACTIVITY: Final = "ACCT_ACTIVITY"
SERVICES: Final = (L1, *BOOKS, ACTIVITY)
KEYS_MAX: Final = 500
IDLE_S: Final = 30
_GOOD: Final = {"SUBS": 26, "UNSUBS": 27, "ADD": 28, "VIEW": 29}
_BAD: Final = {"SUBS": 22, "UNSUBS": 23, "ADD": 24, "VIEW": 25}
_EVENTS: Final = {
    Change.NEW: "OrderCreated",
    Change.TRADE: "OrderFillCompleted",
    Change.CANCELED: "CancelAccepted",
    Change.EXPIRED: "OrderExpired",
    Change.AMENDED: "ChangeAccepted",
    Change.TRIGGERED: "OrderActivated",
}
_BOOK_LEVELS: Final = 20


class _Request(msgspec.Struct):
    service: str
    command: str
    requestid: str | int = "0"
    parameters: dict[str, str] = {}


class _Frame(msgspec.Struct):
    requests: list[_Request]


class Streamer:
    """The streamer of one dialect."""

    def __init__(self, dialect: Schwab) -> None:
        self._dialect: Final = dialect
        self._books_moved: Final[set[str]] = set()
        dialect.every(0.1, self.flush)
        dialect.every(2.0, self._heartbeat)

    async def on_message(self, session: Session, text: str) -> None:
        """One or several commands."""
        try:
            requests = msgspec.json.decode(text, type=_Frame).requests
        except msgspec.DecodeError:
            self._answer(session, "ADMIN", "LOGIN", "0", 21, "Bad command formatting")
            return
        for each in requests:
            self._command(session, each)

    def _command(self, session: Session, asked: _Request) -> None:
        key = str(asked.requestid)
        if asked.service == "ADMIN":
            self._admin(session, asked, key)
        elif session.credentials is None:
            self._answer(session, asked.service, asked.command, key, 20, "Not logged in")
        elif asked.service not in SERVICES:
            self._answer(session, asked.service, asked.command, key, 11, "Service not available")
        elif asked.command not in _GOOD:
            self._answer(session, asked.service, asked.command, key, 21, "Unknown command")
        else:
            self._subscription(session, asked, key)

    def _admin(self, session: Session, asked: _Request, key: str) -> None:
        if asked.command == "LOGOUT":
            self._answer(session, "ADMIN", "LOGOUT", key, 0, "SUCCESS")
            session.close()
            return
        found = self._dialect.access.of_token(asked.parameters.get("Authorization", ""))
        if found is None:
            self._answer(session, "ADMIN", "LOGIN", key, 3, "Login Denied.")
            session.close()
            return
        if self._dialect.sessions_of(found.account):
            self._answer(session, "ADMIN", "LOGIN", key, 12, "Maximum connections reached.")
            session.close()
            return
        session.credentials = found
        session.state["since"] = self._dialect.clock.under.now_ns()
        session.state["l1"] = {}
        self._answer(session, "ADMIN", "LOGIN", key, 0, "server=simulated;status=NP")

    def _subscription(self, session: Session, asked: _Request, key: str) -> None:
        names = [each for each in asked.parameters.get("keys", "").split(",") if each]
        command, service = asked.command, asked.service
        if not names and command != "VIEW":
            self._answer(session, service, command, key, _BAD[command], "no keys")
            return
        channels = {f"{service}:{name}" for name in names}
        have = {each for each in session.channels if each.startswith(f"{service}:")}
        after = channels if command == "SUBS" else have | channels
        if command != "UNSUBS" and len(after) > KEYS_MAX:
            self._answer(session, service, command, key, 19, "Symbol limit reached")
            return
        gone = channels if command == "UNSUBS" else have - channels if command == "SUBS" else set()
        for channel in gone:
            self._dialect.unsubscribe(session, channel)
            session.state["l1"].pop(channel.partition(":")[2], None)
        self._answer(session, service, command, key, _GOOD[command], f"{command} command succeeded")
        if command == "UNSUBS":
            return
        for channel in sorted(channels):
            self._dialect.subscribe(session, channel)
        self._first(session, service, command, names)

    def _first(self, session: Session, service: str, command: str, names: list[str]) -> None:
        """What a new subscription gets at once: everything that is known."""
        if service == ACTIVITY:
            row = {"seq": 0, "key": "Account Activity", "1": "", "2": "SUBSCRIBED", "3": ""}
            self._data(session, service, command, [row])
            return
        for name in names:
            market = self._dialect.exchange.by_wire.get(name)
            if market is not None and service == L1:
                session.state["l1"].pop(name, None)
                self._level_one(session, market, command)
            elif market is not None:
                self._data(session, service, command, [self._book(market)])

    def _answer(
        self, session: Session, service: str, command: str, key: str, code: int, words: str
    ) -> None:
        row = {
            "service": service,
            "command": command,
            "requestid": key,
            "SchwabClientCorrelId": "correl",
            "timestamp": self._dialect.clock.now_ms(),
            "content": {"code": code, "msg": words},
        }
        session.send(encode({"response": [row]}))

    def _data(self, session: Session, service: str, command: str, content: list[Any]) -> None:
        row = {
            "service": service,
            "timestamp": self._dialect.clock.now_ms(),
            "command": command,
            "content": content,
        }
        session.send(encode({"data": [row]}), service)

    # ---- prices ------------------------------------------------------------------------------

    def moved(self, symbol: str) -> None:
        """A book changed."""
        self._books_moved.add(symbol)

    def flush(self) -> None:
        """Ten times a second: what changed for each reader since it was told last."""
        moved = sorted(self._books_moved)
        self._books_moved.clear()
        for session in tuple(self._dialect.sessions):
            for channel in sorted(session.channels):
                service, _, name = channel.partition(":")
                market = self._dialect.exchange.by_wire.get(name)
                if market is None:
                    continue
                if service == L1:
                    self._level_one(session, market, "SUBS")
                elif name in moved:
                    self._data(session, service, "SUBS", [self._book(market)])

    def _level_one(self, session: Session, market: Market, command: str) -> None:
        name = market.instrument.wire
        now, told = self._fields(market), session.state["l1"].get(name)
        changed = {key: value for key, value in now.items() if not told or told.get(key) != value}
        if not changed:
            return
        session.state["l1"][name] = now
        row: dict[str, Any] = {"key": name, **changed}
        if told is None:
            row |= {"delayed": False, "assetMainType": "EQUITY", "assetSubType": "COE"}
        self._data(session, L1, command, [row])

    def _fields(self, market: Market) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        quote = market.quote
        if quote is not None and quote.bid_size and quote.ask_size:
            fields |= {
                "1": price(quote.bid),
                "2": price(quote.ask),
                "4": int(shares(quote.bid_size)),
                "5": int(shares(quote.ask_size)),
                "34": quote.venue_ns // 10**6,
            }
        volume = sum(each.size for each in market.trades)
        fields["8"] = int(shares(volume)) + 1_000
        if market.trades:
            last = market.trades[-1]
            fields |= {
                "3": price(last.price),
                "9": int(shares(last.size)),
                "35": last.venue_ns // 10**6,
            }
        return fields

    def _book(self, market: Market) -> dict[str, Any]:
        book = self._dialect.exchange.snapshot(market.instrument.symbol, _BOOK_LEVELS)
        sides = [
            [
                {
                    "0": price(level),
                    "1": int(shares(size)),
                    "2": 1,
                    "3": [{"0": "NSDQ", "1": int(shares(size)), "2": book.seq}],
                }
                for level, size in levels
            ]
            for levels in (book.bids, book.asks)
        ]
        return {
            "key": market.instrument.wire, "1": book.venue_ns // 10**6, "2": sides[0], "3": sides[1]
        }  # fmt: skip

    # ---- account -----------------------------------------------------------------------------

    def tell(self, event: OrderEvent) -> None:
        """An order of the account changed."""
        channel = f"{ACTIVITY}:Account Activity"
        for session in self._dialect.sessions_of(event.order.account):
            if channel in session.channels:
                session.state["seq"] = session.state.get("seq", 0) + 1
                kind = _EVENTS[event.change]
                row = {
                    "seq": session.state["seq"],
                    "key": "Account Activity",
                    "1": "1",
                    "2": kind,
                    "3": encode(_activity(event, kind)).decode(),
                }
                self._data(session, ACTIVITY, "SUBS", [row])

    def _heartbeat(self) -> None:
        now = self._dialect.clock.under.now_ns()
        beat = encode({"notify": [{"heartbeat": str(self._dialect.clock.now_ms())}]})
        for session in tuple(self._dialect.sessions):
            if session.credentials is None:
                continue
            if not session.channels and now - session.state["since"] > IDLE_S * 10**9:
                self.stop(session, "Stop streaming due to empty subscription")
            else:
                session.send(beat)

    def stop(self, session: Session, words: str) -> None:
        """Say that the stream ends, and end it."""
        row = {
            "service": "ADMIN",
            "timestamp": self._dialect.clock.now_ms(),
            "content": {"code": 30, "msg": words},
        }
        session.send(encode({"notify": [row]}))
        session.close()


def _activity(event: OrderEvent, kind: str) -> dict[str, Any]:
    order, fill = event.order, event.fill
    details: dict[str, Any] = {
        "EventType": kind,
        "Symbol": order.symbol,
        "BuySellCode": "Buy" if order.side is Side.BUY else "Sell",
        "Quantity": scaled_number(order.size, SIZE_DIGITS),
        "LeavesQuantity": scaled_number(order.left, SIZE_DIGITS),
        "Timestamp": {"DateTimeString": utc(event.ts_ns)},
    }
    if fill is not None:
        details["ExecutionPrice"] = scaled_number(fill.price, DIGITS)
        details["ExecutionQuantity"] = scaled_number(fill.size, SIZE_DIGITS)
    return {
        "SchwabOrderID": str(order_id(order)),
        "AccountNumber": "########",
        "BaseEvent": {"EventType": kind, f"{kind}Event": details},
    }
