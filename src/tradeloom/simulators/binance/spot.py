"""The simulated Binance spot market: `/binance/api/v3`, `/binance/ws`, `/binance/ws-api/v3`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import ClassVar, Final

from tradeloom.domain.market import (
    BookDelta,
    BookQuote,
    InstrumentKind,
    TradeTick,
    VenueInstrument,
)
from tradeloom.simulators.accounts import Fees
from tradeloom.simulators.binance.budgets import Limit
from tradeloom.simulators.binance.errors import SPOT
from tradeloom.simulators.binance.family import Family, Operation
from tradeloom.simulators.binance.markets import SpotMarkets
from tradeloom.simulators.binance.private import UserData
from tradeloom.simulators.binance.recorded import figures_in, read_frame
from tradeloom.simulators.binance.rows import SpotStreams
from tradeloom.simulators.binance.trading import SpotTrading
from tradeloom.simulators.clock import Clock
from tradeloom.simulators.dialect import Socket, encode
from tradeloom.simulators.exchange import MarketInput, SelfTrade
from tradeloom.simulators.figures import scaled
from tradeloom.simulators.orders import AccountEvent
from tradeloom.simulators.references import reference, split
from tradeloom.simulators.sessions import Session

SYMBOLS: Final = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "BNBUSDT", "XRPUSDT")
API: Final = "api"
PING_S: Final = 20.0
PONG_S: Final = 60.0


class BinanceSpot(Family):
    """Binance spot."""

    name = "binance"
    fees = Fees(1_000, 1_000, "received")
    self_trade: ClassVar[SelfTrade] = "expire_maker"
    first_id = 28_457_000
    refusals = SPOT
    messages_per_s = 5
    limits: ClassVar[Sequence[Limit]] = (
        Limit("REQUEST_WEIGHT", "MINUTE", 1, 6_000),
        Limit("ORDERS", "SECOND", 10, 100),
        Limit("ORDERS", "DAY", 1, 200_000),
        Limit("RAW_REQUESTS", "MINUTE", 5, 300_000),
    )

    def __init__(
        self, *, seed: int, clock: Clock, symbols: Sequence[str] = (), demo_keys: bool = True
    ) -> None:
        self._user_data: Final = UserData(self)
        super().__init__(seed=seed, clock=clock, symbols=symbols, demo_keys=demo_keys)

    @classmethod
    def instruments(cls, symbols: Sequence[str]) -> list[VenueInstrument]:
        """Pairs; the wire's name is our name."""
        return [_listed(cls.name, each) for each in symbols or SYMBOLS]

    def operations(self) -> Iterable[Operation]:
        """Everything that can be asked."""
        markets, trading = SpotMarkets(self), SpotTrading(self)
        return [*markets.operations(), *trading.operations(), *self._user_data.operations()]

    def make_streams(self) -> SpotStreams:
        """The market streams."""
        return SpotStreams(self, self.messages_per_s)

    def sockets(self) -> list[Socket]:
        """Streams under any path a client may build, and the WebSocket API."""
        paths = ("/ws", "/ws/{streams:.+}", "/stream", "/stream/ws", "/stream/ws/{number:.+}")
        return [
            *(Socket(path, ping_s=PING_S, pong_s=PONG_S) for path in paths),
            Socket("/ws-api/v3", API, ping_s=PING_S, pong_s=PONG_S),
        ]

    def on_open(self, session: Session) -> None:
        """Streams of the URL."""
        self.streams.open(session, session.call.params.get("streams", ""))
        if session.call.params.get("number") is not None:
            session.state["combined"] = False

    async def on_message(self, session: Session, text: str) -> None:
        """A frame on either kind of socket."""
        if session.socket.purpose == API:
            await self.on_api_frame(session, text)
        else:
            self.streams.on_message(session, text)

    def on_control(self, session: Session) -> None:
        """Pings and pongs count as messages."""
        if session.socket.purpose != API:
            self.streams.count_message(session)

    def on_quote(self, instrument: VenueInstrument, quote: BookQuote) -> None:
        """bookTicker."""
        self.streams.on_quote(instrument, quote)

    def on_trade(self, instrument: VenueInstrument, trade: TradeTick) -> None:
        """trade and aggTrade."""
        self.streams.on_trade(instrument, trade)

    def on_book(self, instrument: VenueInstrument, delta: BookDelta) -> None:
        """depth."""
        self.streams.on_book(instrument, delta)

    def tell(self, event: AccountEvent) -> None:
        """executionReport, outboundAccountPosition."""
        self._user_data.tell(event)

    def notice(self) -> None:
        """serverShutdown."""
        event = {"e": "serverShutdown", "E": self.clock.now_ms()}
        for session in self.sessions:
            if session.socket.purpose == API:
                session.send(encode({"event": event}))
            else:
                session.send(self.framed(session, "!serverShutdown", encode(event)))

    def expire_tokens(self) -> int:
        """User data subscriptions end."""
        return self._user_data.end_all()

    def play(self, channel: str, payload: bytes, event: MarketInput) -> None:
        """A recorded frame as it was."""
        self.streams.play(channel, payload, event)

    def read_frame(self, ts_ns: int, frame: bytes) -> Iterable[tuple[str, bytes, MarketInput]]:
        """Combined-stream frames and REST snapshots of Binance recordings."""
        return read_frame(self.exchange, ts_ns, frame, self.single_trades, self.frame_source)

    @classmethod
    def figures_in(cls, frame: bytes) -> Iterable[tuple[str, str, str]]:
        """What a recorded frame trades."""
        return figures_in(frame, futures=False)


def _listed(venue: str, symbol: str) -> VenueInstrument:
    base, quote = split(symbol)
    known = reference(base)
    step = 10 ** (8 - known.size_digits)
    return VenueInstrument(
        venue=venue,
        symbol=f"{base}{quote}",
        wire=f"{base}{quote}",
        kind=InstrumentKind.SPOT,
        base=base,
        quote=quote,
        settle=quote,
        digits=known.price_digits,
        tick=1,
        step=step,
        volume_min=step,
        volume_max=scaled("90000000", 8),
        notional_min=Decimal(5),
        contract_currency=base,
    )
