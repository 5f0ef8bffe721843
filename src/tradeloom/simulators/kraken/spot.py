"""The simulated Kraken spot market."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from tradeloom.domain.market import BookDelta, BookQuote, TradeTick, VenueInstrument
from tradeloom.simulators.accounts import Fees
from tradeloom.simulators.clock import Clock
from tradeloom.simulators.dialect import Reply, Route, Socket, VenueDialect, encode
from tradeloom.simulators.exchange import MarketInput
from tradeloom.simulators.figures import scaled
from tradeloom.simulators.keys import Credentials, seeded, seeded_text
from tradeloom.simulators.kraken import names
from tradeloom.simulators.kraken.access import Access
from tradeloom.simulators.kraken.errors import error_reply, status_text
from tradeloom.simulators.kraken.private import CHANNELS, Private
from tradeloom.simulators.kraken.recorded import read_frame
from tradeloom.simulators.kraken.rest import RestCalls
from tradeloom.simulators.kraken.rows import time_text
from tradeloom.simulators.kraken.streams import Streams
from tradeloom.simulators.kraken.trading import Trading
from tradeloom.simulators.orders import AccountEvent
from tradeloom.simulators.sessions import Session

PRIVATE: Final = "private"


class Request(msgspec.Struct):
    """A frame of a client."""

    method: str
    params: dict[str, Any] = {}
    req_id: int | None = None


class KrakenSpot(VenueDialect):
    """Kraken spot."""

    name = "kraken"
    fees = Fees(1_600, 2_600, "quote")
    first_id = 81_000_000

    def __init__(
        self, *, seed: int, clock: Clock, symbols: Sequence[str] = (), demo_keys: bool = True
    ) -> None:
        super().__init__(seed=seed, clock=clock, symbols=symbols, demo_keys=demo_keys)
        self.system = "online"
        self.access: Final = Access(self.keys, self.clock, seed)
        self.trading: Final = Trading(self)
        self.by_rest_name: Final = {
            name: market
            for market in self.exchange.markets.values()
            for name in (
                names.pair_name(market.instrument),
                names.alt_name(market.instrument),
                names.ws_name(market.instrument),
                market.instrument.wire,
            )
        }
        self._streams: Final = Streams(self)
        self._private: Final = Private(self)
        self.every(1.0, self._heartbeat)
        self.every(0.2, self.trading.tick)

    # ---- what is there -----------------------------------------------------------------------

    @classmethod
    def instruments(cls, symbols: Sequence[str]) -> list[VenueInstrument]:
        """Pairs against dollars, or the wanted ones."""
        return [names.listed(cls.name, each) for each in symbols or names.SYMBOLS]

    def demo_credentials(self, seed: int) -> list[Credentials]:
        """One key; secrets are 64 bytes in base64."""
        secret = base64.b64encode(seeded(seed, self.name, "secret", size=64)).decode()
        return [
            Credentials(key=seeded_text(seed, self.name, "key", length=56), secret=secret),
        ]

    def credentials_of(self, text: str) -> Credentials:
        """`KEY:SECRET`, the secret in base64."""
        key, colon, secret = text.partition(":")
        if not (key and colon and secret):
            raise ValueError("a key of kraken is KEY:SECRET")
        try:
            base64.b64decode(secret, validate=True)
        except ValueError:
            raise ValueError("a secret of kraken is base64") from None
        return Credentials(key=key, secret=secret)

    def starting_balances(self) -> dict[str, int]:
        """A million of every currency, a hundred of every coin."""
        return {
            asset: scaled("1000000" if asset in ("USD", "EUR", "USDT", "GBP") else "100", 8)
            for asset in sorted(self.exchange.spot_assets())
        }

    def routes(self) -> Iterable[Route]:
        """REST."""
        return RestCalls(self).routes()

    def sockets(self) -> list[Socket]:
        """Prices at `/v2`, the account at `/auth/v2` (another host at the real venue)."""
        return [Socket("/v2"), Socket("/auth/v2", PRIVATE)]

    # ---- sockets -----------------------------------------------------------------------------

    def on_open(self, session: Session) -> None:
        """The state of the system is told first."""
        session.send(self._status(session))

    def _status(self, session: Session) -> bytes:
        row = {
            "version": "2.0.10",
            "system": self.system,
            "api_version": "v2",
            "connection_id": session.id,
        }
        return encode({"channel": "status", "type": "update", "data": [row]})

    async def on_message(self, session: Session, text: str) -> None:
        """A request."""
        now = time_text(self.clock.now_ns())
        ack: dict[str, Any] = {"time_in": now, "time_out": now}
        try:
            request = msgspec.json.decode(text, type=Request)
        except msgspec.DecodeError:
            error = {"error": "Malformed request", "success": False, "method": ""}
            session.send(encode({**error, **ack}))
            return
        ack = {"method": request.method, **ack}
        if request.req_id is not None:
            ack["req_id"] = request.req_id
        private = session.socket.purpose == PRIVATE
        if request.method == "ping":
            session.send(encode({**ack, "method": "pong", "success": True}))
        elif request.method in ("subscribe", "unsubscribe"):
            owned = request.params.get("channel") in CHANNELS
            if owned and private:
                self._private.subscribe(session, request.params, ack)
            else:
                self._streams.subscribe(session, request.params, ack)
        elif private:
            await self._private.on_request(session, request.method, request.params, ack)
        else:
            text = f"Unsupported method {request.method[:40]}"
            session.send(encode({**ack, "error": text, "success": False}))

    def _heartbeat(self) -> None:
        for session in self.sessions:
            if session.channels:
                session.send(b'{"channel":"heartbeat"}')

    def on_quote(self, instrument: VenueInstrument, quote: BookQuote) -> None:
        """ticker."""
        self._streams.on_quote(instrument, quote)

    def on_trade(self, instrument: VenueInstrument, trade: TradeTick) -> None:
        """trade."""
        self._streams.on_trade(instrument, trade)

    def on_book(self, instrument: VenueInstrument, delta: BookDelta) -> None:
        """book."""
        self._streams.on_book(instrument, delta)

    def tell(self, event: AccountEvent) -> None:
        """executions, balances."""
        self._private.tell(event)

    # ---- faults ------------------------------------------------------------------------------

    def failure(self, status: int, retry_after_s: float, where: str) -> Reply:
        """An HTTP status with Kraken's error list."""
        return error_reply(status_text(status), status, retry_after_s)

    def notice(self) -> None:
        """The system goes into maintenance."""
        self.system = "maintenance"
        for session in self.sessions:
            session.send(self._status(session))
        self.system = "online"

    def expire_tokens(self) -> int:
        """Tokens of the sockets end."""
        return self.access.expire()

    def read_frame(self, ts_ns: int, frame: bytes) -> Iterable[tuple[str, bytes, MarketInput]]:
        """Frames of the first version's recordings."""
        return read_frame(self.exchange, ts_ns, frame)
