"""Backpack Exchange: spot and perpetuals, signed with Ed25519."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tradeloom.domain.market import BookDelta, BookQuote, TradeTick, VenueInstrument
from tradeloom.simulators.accounts import Fees, is_spot, money
from tradeloom.simulators.backpack.errors import BackpackError, invalid
from tradeloom.simulators.backpack.rows import (
    amount,
    instrument,
    kline_row,
    listing,
    order_event,
    position_event,
    price,
)
from tradeloom.simulators.backpack.signing import Unsigned, verify
from tradeloom.simulators.backpack.streams import Streams, framed, mark_row, ticker_row
from tradeloom.simulators.backpack.trading import Trading
from tradeloom.simulators.clock import Clock
from tradeloom.simulators.dialect import (
    Call,
    Reply,
    Route,
    Socket,
    VenueDialect,
    encode,
    json_reply,
)
from tradeloom.simulators.exchange import Market
from tradeloom.simulators.keys import Credentials, seeded
from tradeloom.simulators.orders import AccountEvent, BalanceEvent, Change, OrderEvent, Status
from tradeloom.simulators.rates import FixedWindow
from tradeloom.simulators.sessions import Session

DEFAULT: Final = ("BTCUSDC", "ETHUSDC", "SOLUSDC", "BTCUSDC-PERP", "ETHUSDC-PERP")
_MINUTES: Final = {
    "1m": 1, "3m": 3, "5m": 5, "15m": 15, "30m": 30, "1h": 60, "2h": 120, "4h": 240,
    "6h": 360, "8h": 480, "12h": 720, "1d": 1_440,
}  # fmt: skip
_KINDS: Final = {
    Change.NEW: "orderAccepted",
    Change.TRADE: "orderFill",
    Change.CANCELED: "orderCancelled",
    Change.EXPIRED: "orderExpired",
    Change.AMENDED: "orderModified",
    Change.TRIGGERED: "orderAccepted",
}


class _Frame(msgspec.Struct):
    method: str
    params: list[str]
    id: int | str | None = None
    signature: list[str] | None = None


class Backpack(VenueDialect):
    """The venue `backpack`."""

    name: ClassVar[str] = "backpack"
    fees: ClassVar[Fees] = Fees(maker_ppm=800, taker_ppm=1_000)
    # The venue documents no acknowledgement of a subscription; clients must cope with both.
    acknowledges: bool = False

    def __init__(
        self, *, seed: int, clock: Clock, symbols: Sequence[str] = (), demo_keys: bool = True
    ) -> None:
        super().__init__(seed=seed, clock=clock, symbols=symbols, demo_keys=demo_keys)
        self._streams: Final = Streams(self)
        self._trading: Final = Trading(self)
        self._requests: Final = FixedWindow(2_000, 60 * 10**9, self.clock)
        self._held_before: Final[dict[tuple[str, str], int]] = {}

    @classmethod
    def instruments(cls, symbols: Sequence[str]) -> list[VenueInstrument]:
        """Spot markets, and perpetuals for names that end in -PERP."""
        return [instrument(each) for each in dict.fromkeys(symbols or DEFAULT)]

    def demo_credentials(self, seed: int) -> list[Credentials]:
        """An Ed25519 pair: key and secret are its halves in base64."""
        return [_pair(seeded(seed, "backpack"), "demo")]

    def credentials_of(self, text: str) -> Credentials:
        """The secret (base64 of 32 bytes), or `KEY:SECRET`."""
        secret = text.rpartition(":")[2]
        try:
            raw = base64.b64decode(secret, validate=True)[:32]
            return _pair(raw, text.partition(":")[0] or "user")
        except ValueError:
            raise ValueError("a Backpack secret is base64 of 32 bytes") from None

    def starting_balances(self) -> dict[str, int]:
        """Dollars and some coins."""
        coins: dict[str, str | int] = {"USDC": 1_000_000, "BTC": 10, "ETH": 100, "SOL": 1_000}
        return money(coins)

    # ---- REST --------------------------------------------------------------------------------

    def routes(self) -> Iterable[Route]:
        """Public calls, then signed ones."""
        public = {
            "/api/v1/markets": self._markets,
            "/api/v1/market": lambda call: listing(self._market(call)),
            "/api/v1/depth": self._depth,
            "/api/v1/klines": self._klines,
            "/api/v1/trades": self._trades,
            "/api/v1/ticker": lambda call: self._ticker(self._market(call)),
            "/api/v1/tickers": lambda call: [
                self._ticker(each) for each in self.exchange.markets.values()
            ],
            "/api/v1/markPrices": self._mark_prices,
            "/api/v1/status": lambda call: {"status": "Ok", "message": None},
            "/api/v1/assets": lambda call: [
                {"symbol": each, "tokens": []} for each in sorted(self.exchange.spot_assets())
            ],
            "/api/v1/securities": lambda call: [],
        }
        for path, answer in public.items():
            yield Route("GET", path, _public(answer))
        yield Route("GET", "/api/v1/ping", _text(lambda: "pong"))
        yield Route("GET", "/api/v1/time", _text(lambda: str(self.clock.now_ms())))
        yield from self._trading.routes()

    def sockets(self) -> Iterable[Socket]:
        """One address; the server pings once a minute."""
        return [Socket("", ping_s=60.0, pong_s=120.0), Socket("/", ping_s=60.0, pong_s=120.0)]

    async def before(self, call: Call) -> Mapping[str, str]:
        """2,000 requests a minute."""
        if not self._requests.add(call.headers.get("X-API-Key") or call.ip):
            wait = float(self._requests.ends_in_s())
            raise BackpackError(429, "TOO_MANY_REQUESTS", "Too many requests", wait)
        return {}

    def _market(self, call: Call) -> Market:
        found = self.exchange.by_wire.get(dict(call.query_pairs()).get("symbol", ""))
        if found is None:
            raise BackpackError(400, "INVALID_SYMBOL", "Invalid symbol")
        return found

    def _markets(self, call: Call) -> list[dict[str, Any]]:
        return [listing(each) for each in self.exchange.markets.values()]

    def _depth(self, call: Call) -> dict[str, Any]:
        at = self._market(call).instrument
        book = self.exchange.snapshot(at.symbol, 1_000)
        return {
            "asks": [[price(at, p), amount(s)] for p, s in book.asks],
            "bids": [[price(at, p), amount(s)] for p, s in reversed(book.bids)],
            "lastUpdateId": str(book.seq),
            "timestamp": book.venue_ns // 1_000,
        }

    def _klines(self, call: Call) -> list[dict[str, Any]]:
        market, given = self._market(call), dict(call.query_pairs())
        minutes = _MINUTES.get(given.get("interval", ""))
        if minutes is None or not given.get("startTime", "").isdigit():
            raise invalid("failed to parse parameter `interval` or `startTime`")
        end = given.get("endTime", "")
        bars = market.bars.spans(
            minutes, int(given["startTime"]) * 10**9, int(end) * 10**9 if end.isdigit() else None
        )
        return [kline_row(market.instrument, each, minutes * 60) for each in bars]

    def _trades(self, call: Call) -> list[dict[str, Any]]:
        market = self._market(call)
        at = market.instrument
        limit = int(dict(call.query_pairs()).get("limit", "100"))
        return [
            {
                "id": int(each.trade_id),
                "price": price(at, each.price),
                "quantity": amount(each.size),
                "quoteQuantity": amount(each.price * each.size // 10**at.digits),
                "timestamp": each.venue_ns // 10**6,
                "isBuyerMaker": bool(each.side),
            }
            for each in list(reversed(market.trades))[:limit]
        ]

    def _ticker(self, market: Market) -> dict[str, Any]:
        row = ticker_row(market, self.clock.now_ns())
        return {
            "symbol": row["s"],
            "firstPrice": row["o"],
            "lastPrice": row["c"],
            "high": row["h"],
            "low": row["l"],
            "volume": row["v"],
            "quoteVolume": row["V"],
            "priceChange": "0",
            "priceChangePercent": "0",
            "trades": str(row["n"]),
        }

    def _mark_prices(self, call: Call) -> list[dict[str, Any]]:
        rows = [
            mark_row(each, self.clock.now_ns())
            for each in self.exchange.markets.values()
            if not is_spot(each.instrument)
        ]
        return [
            {
                "symbol": row["s"],
                "markPrice": row["p"],
                "indexPrice": row["i"],
                "fundingRate": row["f"],
                "nextFundingTimestamp": row["n"] // 1_000,
            }
            for row in rows
        ]

    # ---- streams -----------------------------------------------------------------------------

    async def on_message(self, session: Session, text: str) -> None:
        """SUBSCRIBE and UNSUBSCRIBE."""
        try:
            frame = msgspec.json.decode(text, type=_Frame)
        except msgspec.DecodeError:
            session.send(_error(4002, "Invalid request"))
            return
        if frame.method == "UNSUBSCRIBE":
            for stream in frame.params:
                self.unsubscribe(session, stream)
        elif frame.method == "SUBSCRIBE":
            if not self._subscribe(session, frame):
                return
        else:
            session.send(_error(4002, "Invalid request"))
            return
        if self.acknowledges and frame.id is not None:
            session.send(encode({"id": frame.id, "result": None}))

    def _subscribe(self, session: Session, frame: _Frame) -> bool:
        if frame.signature is not None:
            given = (frame.signature + [""] * 4)[:4]
            try:
                session.credentials = verify(
                    self.keys, self.clock.now_ms(), given[0], given[1], given[2], given[3],
                    "subscribe", [],
                )  # fmt: skip
            except Unsigned as unsigned:
                session.send(_error(4003, unsigned.message))
                return False
        for stream in frame.params:
            private = stream.startswith("account.")
            if (private and session.credentials is None) or not (
                private or self._streams.known(stream)
            ):
                session.send(_error(4006, "Invalid stream"))
                return False
        for stream in frame.params:
            if self.subscribe(session, stream) and stream == "account.positionUpdate":
                self._position_snapshot(session, stream)
        return True

    def _position_snapshot(self, session: Session, stream: str) -> None:
        who = session.credentials
        held = self.exchange.accounts[who.account].positions if who else {}
        for (symbol, _), position in held.items():
            if position.size:
                market = self.exchange.markets[symbol]
                row = position_event(market, position, "", self.clock.now_ns() // 1_000)
                session.send(framed(stream, row))

    def on_quote(self, instrument: VenueInstrument, quote: BookQuote) -> None:
        """bookTicker"""
        self._streams.on_quote(instrument, quote)

    def on_trade(self, instrument: VenueInstrument, trade: TradeTick) -> None:
        """trade"""
        self._streams.on_trade(instrument, trade)

    def on_book(self, instrument: VenueInstrument, delta: BookDelta) -> None:
        """depth"""
        self._streams.on_book(instrument, delta)

    def tell(self, event: AccountEvent) -> None:
        """account.orderUpdate, account.positionUpdate, account.balanceUpdate."""
        if isinstance(event, BalanceEvent):
            self._tell_balance(event)
            for symbol in event.symbols:
                self._tell_position(event.account, self.exchange.markets[symbol])
            return
        self._tell_order(event)

    def _tell_order(self, event: OrderEvent) -> None:
        at = self.exchange.markets[event.order.symbol].instrument
        kind = _KINDS[event.change]
        if event.change is Change.NEW and event.order.status is Status.WAITING:
            kind = "triggerPlaced"
        row = order_event(at, event.order, kind, event.fill, event.ts_ns // 1_000)
        self._private(event.order.account, "account.orderUpdate", at.wire, row)

    def _tell_position(self, account: str, market: Market) -> None:
        position = self.exchange.accounts[account].position(market.instrument.symbol)
        key = account, position.symbol
        before = self._held_before.get(key, 0)
        self._held_before[key] = position.size
        kind = "positionOpened" if not before else "positionAdjusted"
        kind = "positionClosed" if not position.size else kind
        row = position_event(market, position, kind, self.clock.now_ns() // 1_000)
        self._private(account, "account.positionUpdate", market.instrument.wire, row)

    def _tell_balance(self, event: BalanceEvent) -> None:
        account = self.exchange.accounts[event.account]
        for asset in event.assets:
            held = account.balance(asset)
            row = {
                "e": "balanceUpdate",
                "E": event.ts_ns // 1_000,
                "a": asset,
                "A": amount(held.free),
                "L": amount(held.locked),
                "S": "0",
            }
            self._private(event.account, "account.balanceUpdate", "", row)

    def _private(self, account: str, stream: str, wire: str, row: dict[str, Any]) -> None:
        for session in self.sessions_of(account):
            for name in (stream, f"{stream}.{wire}"):
                if name in session.channels:
                    session.send(framed(name, row))

    # ---- faults ------------------------------------------------------------------------------

    def failure(self, status: int, retry_after_s: float, where: str) -> Reply:
        """Too many requests, or trouble inside."""
        code = {418: "TOO_MANY_REQUESTS", 429: "TOO_MANY_REQUESTS", 503: "SERVICE_UNAVAILABLE"}
        words = code.get(status, "SERVER_ERROR")
        return BackpackError(status, words, words.replace("_", " ").title(), retry_after_s).reply

    def notice(self) -> None:
        """A shutdown is told by a close frame."""
        for session in tuple(self.sessions):
            session.close(1001, "shutdown")

    def expire_tokens(self) -> int:
        """There are no tokens: signed connections are closed."""
        signed = [each for each in self.sessions if each.credentials is not None]
        for session in signed:
            session.close(1008, "signed out")
        return len(signed)


def _pair(secret: bytes, account: str) -> Credentials:
    private = Ed25519PrivateKey.from_private_bytes(secret)
    public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return Credentials(
        key=base64.b64encode(public).decode(),
        secret=base64.b64encode(secret).decode(),
        public_key=public,
        account=account,
    )


def _error(code: int, message: str) -> bytes:
    return encode({"id": None, "error": {"code": code, "message": message}})


def _public(answer: Any) -> Any:
    async def handle(call: Call) -> Reply:
        return json_reply(answer(call))

    return handle


def _text(answer: Any) -> Any:
    async def handle(call: Call) -> Reply:
        return Reply(answer().encode(), content_type="text/plain")

    return handle
