"""The simulated Coinbase spot market."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tradeloom.domain.market import BookDelta, BookQuote, TradeTick, VenueInstrument
from tradeloom.simulators.accounts import Fees
from tradeloom.simulators.clock import Clock
from tradeloom.simulators.coinbase import names
from tradeloom.simulators.coinbase.errors import failure
from tradeloom.simulators.coinbase.recorded import read_frame
from tradeloom.simulators.coinbase.rest import ROOT, RestCalls
from tradeloom.simulators.coinbase.streams import Streams
from tradeloom.simulators.coinbase.tokens import holder
from tradeloom.simulators.coinbase.trading import Trading
from tradeloom.simulators.dialect import Call, Reply, Route, Socket, VenueDialect, VenueError
from tradeloom.simulators.exchange import MarketInput
from tradeloom.simulators.figures import scaled
from tradeloom.simulators.keys import Credentials, ec_pem, ed25519, seeded
from tradeloom.simulators.orders import AccountEvent
from tradeloom.simulators.rates import FixedWindow
from tradeloom.simulators.sessions import Session

HOST: Final = "api.coinbase.com"
SECOND_NS: Final = 10**9
PRIVATE_PER_S: Final = 30
PUBLIC_PER_S: Final = 10


class CoinbaseSpot(VenueDialect):
    """Coinbase spot."""

    name = "coinbase"
    fees = Fees(6_000, 8_000, "quote")
    self_trade = "expire_taker"
    first_id = 7_340_000_000

    def __init__(
        self, *, seed: int, clock: Clock, symbols: Sequence[str] = (), demo_keys: bool = True
    ) -> None:
        super().__init__(seed=seed, clock=clock, symbols=symbols, demo_keys=demo_keys)
        self._streams: Final = Streams(self)
        self._private: Final = FixedWindow(PRIVATE_PER_S, SECOND_NS, self.clock)
        self._public: Final = FixedWindow(PUBLIC_PER_S, SECOND_NS, self.clock)
        self.every(1.0, self._streams.beat)

    # ---- what is there -----------------------------------------------------------------------

    @classmethod
    def instruments(cls, symbols: Sequence[str]) -> list[VenueInstrument]:
        """Pairs against dollars, or the wanted ones."""
        return [names.listed(cls.name, each) for each in symbols or names.SYMBOLS]

    def demo_credentials(self, seed: int) -> list[Credentials]:
        """An ECDSA key as PEM and an Ed25519 key as base64, of the same account."""
        pem, public = ec_pem(seed, self.name, "ec")
        private, raw = ed25519(seed, self.name, "ed25519")
        both = base64.b64encode(private.private_bytes_raw() + raw).decode()
        organisation = f"organizations/{_uuid(seed, 'organisation')}/apiKeys"
        return [
            Credentials(key=f"{organisation}/{_uuid(seed, 'ec')}", secret=pem, public_key=public),
            Credentials(key=_uuid(seed, "ed25519"), secret=both, public_key=raw),
        ]

    def credentials_of(self, text: str) -> Credentials:
        """`NAME:SECRET` with the base64 of an Ed25519 key."""
        key, colon, secret = text.partition(":")
        if not (key and colon and secret):
            raise ValueError("a key of coinbase is NAME:SECRET")
        try:
            raw = base64.b64decode(secret, validate=True)
            private = Ed25519PrivateKey.from_private_bytes(raw[:32])
        except ValueError:
            raise ValueError("a secret of coinbase is the base64 of an Ed25519 key") from None
        public = private.public_key().public_bytes_raw()
        return Credentials(key=key, secret=secret, public_key=public)

    def starting_balances(self) -> dict[str, int]:
        """A million of every currency, a hundred of every coin."""
        return {
            asset: scaled("1000000" if asset in ("USD", "EUR", "GBP", "USDC") else "100", 8)
            for asset in sorted(self.exchange.spot_assets())
        }

    def routes(self) -> Iterable[Route]:
        """REST."""
        return RestCalls(self, Trading(self)).routes()

    def sockets(self) -> list[Socket]:
        """Prices and the account: two hosts at the real venue."""
        return [Socket("/ws"), Socket("/ws-user", "user")]

    # ---- access ------------------------------------------------------------------------------

    def holder(self, token: str, call: Call | None = None) -> Credentials:
        """Whose token it is. Raises `BadToken`."""
        uris: tuple[str, ...] = ()
        if call is not None:
            here = f"{call.headers.get('Host', '')}/{self.name}{call.path}"
            # Clients that were pointed here by their base address sign that address.
            uris = tuple(
                f"{call.method} {place}" for place in (f"{HOST}{call.path}", here, f"http://{here}")
            )
        return holder(self.keys, token, self.clock.now_ns() // 10**9, uris)

    async def before(self, call: Call) -> Mapping[str, str]:
        """30 calls a second with a key, 10 without."""
        token = call.headers.get("Authorization", "")
        public = call.path.startswith(f"{ROOT}/market") or call.path == f"{ROOT}/time"
        window = self._public if public else self._private
        if not window.add(call.ip if public or not token else "key"):
            raise VenueError(failure(429, 1.0))
        return {}

    # ---- sockets -----------------------------------------------------------------------------

    async def on_message(self, session: Session, text: str) -> None:
        """subscribe, unsubscribe."""
        self._streams.on_message(session, text)

    def framed(self, session: Session, channel: str, payload: bytes) -> bytes:
        """An envelope with the connection's own number."""
        return self._streams.framed(session, channel, payload)

    def on_quote(self, instrument: VenueInstrument, quote: BookQuote) -> None:
        """Nothing: quotes are the top of level2."""

    def on_trade(self, instrument: VenueInstrument, trade: TradeTick) -> None:
        """market_trades, ticker."""
        self._streams.on_trade(instrument, trade)

    def on_book(self, instrument: VenueInstrument, delta: BookDelta) -> None:
        """level2."""
        self._streams.on_book(instrument, delta)

    def tell(self, event: AccountEvent) -> None:
        """user."""
        self._streams.tell(event)

    # ---- faults ------------------------------------------------------------------------------

    def failure(self, status: int, retry_after_s: float, where: str) -> Reply:
        """An HTTP status in Coinbase's words."""
        return failure(status, retry_after_s)

    def notice(self) -> None:
        """Coinbase gives none: it hangs up."""

    def expire_tokens(self) -> int:
        """Signed-in connections end."""
        ended = [each for each in self.sessions if each.credentials is not None]
        for session in ended:
            session.close(1008, "token expired")
        return len(ended)

    def read_frame(self, ts_ns: int, frame: bytes) -> Iterable[tuple[str, bytes, MarketInput]]:
        """Frames of the older Exchange feed."""
        return read_frame(self.exchange, ts_ns, frame)


def _uuid(seed: int, what: str) -> str:
    text = seeded(seed, "coinbase", what, size=16).hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
