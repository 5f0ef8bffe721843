"""Deribit: perpetuals over JSON-RPC, on a socket and by HTTP."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Final

import msgspec

from tradeloom.domain.market import (
    BookDelta,
    BookQuote,
    TradeTick,
    VenueInstrument,
)
from tradeloom.simulators.accounts import Fees, money
from tradeloom.simulators.clock import Clock
from tradeloom.simulators.deribit.access import Access
from tradeloom.simulators.deribit.errors import RpcFailure, failure_of
from tradeloom.simulators.deribit.params import Params
from tradeloom.simulators.deribit.queries import Queries
from tradeloom.simulators.deribit.reading import read
from tradeloom.simulators.deribit.rows import instrument
from tradeloom.simulators.deribit.streams import Streams, notification
from tradeloom.simulators.deribit.trading import PLACING, Trading
from tradeloom.simulators.dialect import Call, Reply, Route, Socket, VenueDialect, encode
from tradeloom.simulators.exchange import MarketInput
from tradeloom.simulators.keys import Credentials, seeded_text
from tradeloom.simulators.orders import AccountEvent, BalanceEvent, OrderEvent, Refused
from tradeloom.simulators.rates import Bucket
from tradeloom.simulators.sessions import Session

DEFAULT: Final = ("BTCUSD-PERP", "ETHUSD-PERP", "BTCUSDC-PERP", "ETHUSDC-PERP")
_MATCHING: Final = PLACING | {
    "private/cancel", "private/cancel_by_label", "private/cancel_all",
    "private/cancel_all_by_instrument", "private/cancel_all_by_currency",
}  # fmt: skip
_HEARTBEAT_MIN_S: Final = 10


class Deribit(VenueDialect):
    """The venue `deribit`."""

    name: ClassVar[str] = "deribit"
    fees: ClassVar[Fees] = Fees(maker_ppm=0, taker_ppm=500)
    # Seconds per second of heartbeats; tests make them short.
    heartbeat_pace: float = 1.0

    def __init__(
        self, *, seed: int, clock: Clock, symbols: Sequence[str] = (), demo_keys: bool = True
    ) -> None:
        super().__init__(seed=seed, clock=clock, symbols=symbols, demo_keys=demo_keys)
        self._access: Final = Access(self)
        self._streams: Final = Streams(self)
        self._trading: Final = Trading(self)
        self._private: Final = self._trading.methods()
        self._public: Final = Queries(self).methods()
        self._index: Final = {name: n for n, name in enumerate(self.exchange.markets)}
        self._credits: Final = Bucket(50_000, 10_000, self.clock)
        self._matching: Final = Bucket(20, 5, self.clock)
        self._lists: Final = Bucket(50, 5, self.clock)
        self.every(0.05, self._beat)

    @classmethod
    def instruments(cls, symbols: Sequence[str]) -> list[VenueInstrument]:
        """Perpetuals; a pair with USD is inverse."""
        return [instrument(each) for each in dict.fromkeys(symbols or DEFAULT)]

    def demo_credentials(self, seed: int) -> list[Credentials]:
        """Client id and client secret."""
        return [
            Credentials(
                key=seeded_text(seed, "deribit", "id", length=8),
                secret=seeded_text(seed, "deribit", "secret", length=43),
            )
        ]

    def credentials_of(self, text: str) -> Credentials:
        """`CLIENT_ID:CLIENT_SECRET`."""
        key, _, secret = text.partition(":")
        if not key or not secret:
            raise ValueError("a Deribit key is CLIENT_ID:CLIENT_SECRET")
        return Credentials(key=key, secret=secret, account=key)

    def starting_balances(self) -> dict[str, int]:
        """Coins for inverse perpetuals, dollars for linear ones."""
        coins: dict[str, str | int] = {"BTC": 10, "ETH": 100, "USDC": 1_000_000, "USDT": 1_000_000}
        return money(
            coins | {each.settle: 1_000 for each in self._settled() if each.settle not in coins}
        )

    def _settled(self) -> list[VenueInstrument]:
        return [each.instrument for each in self.exchange.markets.values()]

    def index_of(self, symbol: str) -> int:
        """The place of an instrument among all, for ids."""
        return self._index[symbol]

    # ---- calls -------------------------------------------------------------------------------

    def routes(self) -> Iterable[Route]:
        """The same methods by HTTP."""
        for kind, methods in (("public", [*self._public, "auth"]), ("private", self._private)):
            for name in methods:
                path, places = f"/api/v2/{kind}/{name}", f"{kind}/{name}" in PLACING
                yield Route("GET", path, self._http, places)
                yield Route("POST", path, self._http, places)

    def sockets(self) -> Iterable[Socket]:
        """One address for everything."""
        return [Socket("/ws/api/v2")]

    async def _http(self, call: Call) -> Reply:
        method = call.path.removeprefix("/api/v2/")
        given: Mapping[str, Any] = dict(call.query_pairs())
        number: Any = None
        try:
            if call.method == "POST" and call.body:
                body = _decoded(call.body)
                number, given = body.get("id"), body.get("params") or {}
            who = self._access.of_call(call)
            self._spend(method, who.key if who else call.ip)
            result = self._result(method, Params(given), who, None)
        except RpcFailure as failed:
            return Reply(self._frame(number, error=failed.body()), failed.status)
        return Reply(self._frame(number, result=result))

    async def on_message(self, session: Session, text: str) -> None:
        """A request on a socket."""
        session.state["heard"] = self.clock.under.now_ns()
        session.state["tested"] = 0
        number: Any = None
        try:
            frame = _decoded(text.encode())
            number, method = frame.get("id"), str(frame.get("method", ""))
            given = Params(frame.get("params") or {})
            who = session.credentials
            if who is None and "access_token" in given:
                who = self._access.of_token(given.text("access_token"))
            self._spend(method, who.key if who else session.call.ip)
            if method.endswith(("/subscribe", "/unsubscribe", "/unsubscribe_all")):
                self._channels(session, method, given, number)
                return
            answer = self._frame(number, result=self._result(method, given, who, session))
        except RpcFailure as failed:
            session.send(self._frame(number, error=failed.body()))
            self.flush()
            if failed.code == 10028:
                session.close(1008, "too many requests")
            return
        unknown = self._frame(number, error=RpcFailure(11094).body())
        await self.respond(session, method, answer, places=method in PLACING, unknown=unknown)

    def _result(
        self, method: str, given: Params, who: Credentials | None, session: Session | None
    ) -> Any:
        kind, _, name = method.partition("/")
        if method == "public/auth":
            return self._access.sign_in(given.raw(), session)
        if method in ("public/set_heartbeat", "public/disable_heartbeat"):
            return self._set_heartbeat(method, given, session)
        if kind == "public" and name in self._public:
            return self._public[name](given)
        if kind != "private" or name not in self._private:
            raise RpcFailure(-32601)
        if who is None:
            raise RpcFailure(13009)
        try:
            return self._private[name](given, who, session)
        except Refused as refused:
            raise failure_of(refused) from None

    def _spend(self, method: str, who: str) -> None:
        if method == "public/get_instruments":
            enough = self._lists.take(who)
        elif method in _MATCHING:
            enough = self._matching.take(who)
        else:
            enough = self._credits.take(who, 3_000 if method.endswith("/subscribe") else 500)
        if not enough:
            raise RpcFailure(10028, wait_s=1.0)

    def _frame(self, number: Any, *, result: Any = None, error: Any = None) -> bytes:
        now_us = self.clock.now_ns() // 1_000
        body: dict[str, Any] = {"jsonrpc": "2.0"}
        if number is not None:
            body["id"] = number
        if error is not None:
            body["error"] = error
        else:
            body["result"] = result
        return encode(body | {"usIn": now_us, "usOut": now_us, "usDiff": 0, "testnet": False})

    # ---- channels ----------------------------------------------------------------------------

    def _channels(self, session: Session, method: str, given: Params, number: Any) -> None:
        if method.startswith("private/") and session.credentials is None:
            raise RpcFailure(13009)
        if method.endswith("unsubscribe_all"):
            for channel in tuple(session.channels):
                self.unsubscribe(session, channel)
            session.send(self._frame(number, result="ok"))
            return
        names = given.words("channels")
        if method.endswith("/unsubscribe"):
            gone = [name for name in names if self.unsubscribe(session, name)]
            session.send(self._frame(number, result=gone))
            return
        raw = any(name.endswith(".raw") for name in names)
        if raw and session.credentials is None:
            raise RpcFailure(13778)
        private = method.startswith("private/")
        taken = [name for name in names if self._known(name, session if private else None)]
        session.send(self._frame(number, result=taken))
        for name in taken:
            if self.subscribe(session, name):
                self._streams.joined(session, name)

    def _known(self, channel: str, session: Session | None) -> bool:
        if not channel.startswith("user."):
            return self._streams.known(channel)
        parts = channel.split(".")
        if session is None or session.credentials is None:
            return False
        if parts[1] == "portfolio":
            return len(parts) == 3
        return parts[1] in ("orders", "trades", "changes") and len(parts) in (4, 5)

    def on_quote(self, instrument: VenueInstrument, quote: BookQuote) -> None:
        """quote.I"""
        self._streams.on_quote(instrument, quote)

    def on_trade(self, instrument: VenueInstrument, trade: TradeTick) -> None:
        """trades.I"""
        self._streams.on_trade(self._index[instrument.symbol], instrument, trade)

    def on_book(self, instrument: VenueInstrument, delta: BookDelta) -> None:
        """book.I"""
        self._streams.on_book(instrument, delta)

    def read_frame(self, ts_ns: int, frame: bytes) -> Iterable[tuple[str, bytes, MarketInput]]:
        """Quotes, trades and books of listed perpetuals."""
        return read(self.exchange, ts_ns, frame)

    # ---- private events ----------------------------------------------------------------------

    def tell(self, event: AccountEvent) -> None:
        """user.orders, user.trades, user.changes, user.portfolio."""
        if isinstance(event, BalanceEvent):
            account = event.account
            for session in self.sessions_of(account):
                for asset in event.assets:
                    channel = f"user.portfolio.{asset.lower()}"
                    if channel in session.channels:
                        row = self._trading.portfolio(account, asset)
                        session.send(notification(channel, row))
            return
        self._tell_order(event)

    def _tell_order(self, event: OrderEvent) -> None:
        market = self.exchange.markets[event.order.symbol]
        at = market.instrument
        order = self._trading.row(event.order)
        trades = [self._trading.trade_row(event.fill, event.order)] if event.fill else []
        for session in self.sessions_of(event.order.account):
            for channel in sorted(session.channels):
                parts = channel.split(".")
                if parts[0] != "user" or not _concerns(parts, at):
                    continue
                if parts[1] == "orders":
                    data: Any = order if parts[-1] == "raw" else [order]
                elif parts[1] == "trades" and trades:
                    data = trades
                elif parts[1] == "changes":
                    held = [self._trading.position(event.order.account, market)] if trades else []
                    data = {
                        "instrument_name": at.wire,
                        "trades": trades,
                        "orders": [order],
                        "positions": held,
                    }
                else:
                    continue
                session.send(notification(channel, data))

    # ---- life of a connection ----------------------------------------------------------------

    def _set_heartbeat(self, method: str, given: Params, session: Session | None) -> str:
        if session is None:
            raise RpcFailure(-32602, "only over a connection", "interval")
        interval = 0
        if method == "public/set_heartbeat":
            interval = given.number("interval")
            if interval < _HEARTBEAT_MIN_S:
                raise RpcFailure(-32602, "must be at least 10", "interval")
        now = self.clock.under.now_ns()
        session.state.update(interval=interval, heard=now, beaten=now, tested=0)
        return "ok"

    def _beat(self) -> None:
        """Every interval: a test for those that said nothing, a heartbeat for the others."""
        now = self.clock.under.now_ns()
        for session in tuple(self.sessions):
            every_ns = int(session.state.get("interval", 0) * self.heartbeat_pace * 1e9)
            if not every_ns or now - session.state["beaten"] < every_ns:
                continue
            session.state["beaten"] = now
            if session.state["tested"]:
                session.close(1008, "no answer to a test request")
                continue
            quiet = now - session.state["heard"] >= every_ns
            session.state["tested"] = now if quiet else 0
            kind = "test_request" if quiet else "heartbeat"
            frame = {"jsonrpc": "2.0", "method": "heartbeat", "params": {"type": kind}}
            session.send(encode(frame))

    def on_closed(self, session: Session) -> None:
        """Cancel-on-disconnect."""
        self._trading.cancel_of(session)

    def notice(self) -> None:
        """Maintenance is told, then every connection is closed."""
        self.publish("platform_state", notification("platform_state", {"maintenance": True}))
        for session in tuple(self.sessions):
            session.close(1001, "maintenance")

    def expire_tokens(self) -> int:
        """End every sign-in."""
        return self._access.expire()

    def failure(self, status: int, retry_after_s: float, where: str) -> Reply:
        """Too many requests, or trouble inside."""
        code = 10028 if status in (418, 429) else 11051 if status == 503 else 11094
        headers = {"Retry-After": f"{retry_after_s:g}"} if retry_after_s else {}
        failed = RpcFailure(code, wait_s=retry_after_s)
        return Reply(self._frame(None, error=failed.body()), status, headers)


def _concerns(parts: list[str], at: VenueInstrument) -> bool:
    """Whether `user.X.I.raw` or `user.X.KIND.CURRENCY.raw` is about an instrument."""
    if len(parts) == 4:
        return parts[2] == at.wire
    return (
        len(parts) == 5
        and parts[2].lower() in ("any", "future")
        and parts[3].upper() in ("ANY", at.settle)
    )


def _decoded(text: bytes) -> dict[str, Any]:
    try:
        frame = msgspec.json.decode(text)
    except msgspec.DecodeError:
        raise RpcFailure(-32700) from None
    if not isinstance(frame, dict) or not isinstance(frame.get("params") or {}, dict):
        raise RpcFailure(-32600)
    return frame
