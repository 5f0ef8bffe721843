"""The simulated USD-M futures market: `/binance_usdm/fapi`, `/public`, `/market`, `/private`."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, ClassVar, Final
from urllib.parse import parse_qs

from tradeloom.domain.market import (
    BookDelta,
    BookQuote,
    InstrumentKind,
    TradeTick,
    VenueInstrument,
)
from tradeloom.simulators.accounts import Fees
from tradeloom.simulators.binance.budgets import Limit
from tradeloom.simulators.binance.errors import USDM
from tradeloom.simulators.binance.family import Family, Operation
from tradeloom.simulators.binance.recorded import figures_in, read_frame
from tradeloom.simulators.binance_usdm.account import UsdmAccount
from tradeloom.simulators.binance_usdm.markets import UsdmMarkets
from tradeloom.simulators.binance_usdm.private import UsdmUserData
from tradeloom.simulators.binance_usdm.rows import FUNDING_NS, UsdmStreams, funding_time_ms, price
from tradeloom.simulators.binance_usdm.trading import UsdmTrading
from tradeloom.simulators.clock import Clock
from tradeloom.simulators.dialect import Socket, encode
from tradeloom.simulators.exchange import MarketInput, SelfTrade
from tradeloom.simulators.figures import fixed, scaled
from tradeloom.simulators.orders import AccountEvent, Reason
from tradeloom.simulators.references import reference, split
from tradeloom.simulators.sessions import Session

SYMBOLS: Final = ("BTCUSDT-PERP", "ETHUSDT-PERP", "SOLUSDT-PERP", "BNBUSDT-PERP", "XRPUSDT-PERP")
API: Final = "api"
PRIVATE: Final = "private"
PING_S: Final = 180.0
PONG_S: Final = 600.0
FUNDING_KEPT: Final = 1_000
# Which streams live below which path, since 2026-04-23.
PUBLIC_STREAMS: Final = ("bookTicker", "depth", "rpiDepth", "trade")
# Ticks and decimals of a quantity that differ from the spot market's.
_TICKS: Final = {"BTC": 10}
_SIZE_DIGITS: Final = {"BTC": 3, "ETH": 3, "SOL": 2, "BNB": 2, "XRP": 1}


class BinanceUsdm(Family):
    """Binance USD-M futures: linear perpetuals, cross margin, one-way or hedge mode."""

    name = "binance_usdm"
    fees = Fees(200, 500)
    self_trade: ClassVar[SelfTrade] = "expire_maker"
    first_id = 8_389_765_000
    refusals = USDM
    messages_per_s = 10
    limits: ClassVar[Sequence[Limit]] = (
        Limit("REQUEST_WEIGHT", "MINUTE", 1, 2_400),
        Limit("ORDERS", "MINUTE", 1, 1_200),
        Limit("ORDERS", "SECOND", 10, 300),
    )

    def __init__(
        self, *, seed: int, clock: Clock, symbols: Sequence[str] = (), demo_keys: bool = True
    ) -> None:
        self.user_data: Final = UsdmUserData(self)
        self.countdowns: Final[dict[tuple[str, str], int]] = {}
        self.funding_charged: Final[deque[dict[str, Any]]] = deque(maxlen=FUNDING_KEPT)
        super().__init__(seed=seed, clock=clock, symbols=symbols, demo_keys=demo_keys)
        self._funding_at_ns = funding_time_ms(self.clock.now_ns()) * 1_000_000
        self.every(0.1, self._watch)

    @classmethod
    def instruments(cls, symbols: Sequence[str]) -> list[VenueInstrument]:
        """Perpetuals; `BTCUSDT-PERP` is `BTCUSDT` on the wire."""
        return [_listed(cls.name, each) for each in symbols or SYMBOLS]

    def operations(self) -> Iterable[Operation]:
        """Everything that can be asked."""
        groups = (UsdmMarkets(self), UsdmTrading(self), UsdmAccount(self))
        found: list[Operation] = []
        for group in groups:
            found += group.operations()
        return found

    def make_streams(self) -> UsdmStreams:
        """The market streams."""
        return UsdmStreams(self, self.messages_per_s)

    def sockets(self) -> list[Socket]:
        """The three roots, each raw and combined, and the WebSocket API."""
        found = [Socket("/ws-fapi/v1", API, PING_S, PONG_S)]
        for root in ("public", "market", PRIVATE):
            paths = (f"/{root}{path}" for path in ("/ws", "/ws/{streams:.+}", "/stream"))
            found += [Socket(path, root, PING_S, PONG_S) for path in paths]
        return found

    def on_open(self, session: Session) -> None:
        """Streams of the URL, or a listen key."""
        path_streams = session.call.params.get("streams", "")
        if session.socket.purpose != PRIVATE:
            self.streams.open(session, path_streams)
            for channel in tuple(session.channels):
                if not self._belongs(session, channel):
                    self.unsubscribe(session, channel)
            return
        self.streams.open(session, "")
        query = parse_qs(session.call.query)
        named = query.get("listenKey", query.get("streams", [path_streams]))[0]
        for text in filter(None, named.split("/")):
            self.user_data.open(session, text)

    def _belongs(self, session: Session, channel: str) -> bool:
        """Whether a stream is served on the root a session connected to."""
        kind = channel.partition("@")[2].partition("@")[0]
        public = kind.startswith(PUBLIC_STREAMS) or channel == "!bookTicker"
        return public == (session.socket.purpose == "public")

    def subscribe(self, session: Session, channel: str) -> bool:
        """Only what the session's root serves; a private connection may add listen keys."""
        if session.socket.purpose == PRIVATE:
            return self.user_data.open(session, channel)
        return self._belongs(session, channel) and super().subscribe(session, channel)

    async def on_message(self, session: Session, text: str) -> None:
        """A frame on any kind of socket."""
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
        """ORDER_TRADE_UPDATE, TRADE_LITE, ACCOUNT_UPDATE, ALGO_UPDATE."""
        self.user_data.tell(event)

    def notice(self) -> None:
        """serverShutdown."""
        event = encode({"e": "serverShutdown", "E": self.clock.now_ms()})
        for session in self.sessions:
            session.send(self.framed(session, "!serverShutdown", event))

    def expire_tokens(self) -> int:
        """Every listen key ends now."""
        return self.user_data.expire(everything=True)

    def play(self, channel: str, payload: bytes, event: MarketInput) -> None:
        """A recorded frame as it was."""
        self.streams.play(channel, payload, event)

    def read_frame(self, ts_ns: int, frame: bytes) -> Iterable[tuple[str, bytes, MarketInput]]:
        """Combined-stream frames and REST snapshots of USD-M recordings."""
        return read_frame(self.exchange, ts_ns, frame, self.single_trades, self.frame_source)

    @classmethod
    def figures_in(cls, frame: bytes) -> Iterable[tuple[str, str, str]]:
        """What a recorded frame trades."""
        return figures_in(frame, futures=True)

    def _watch(self) -> None:
        """Listen keys, dead-man switches and funding, by the venue's clock."""
        now_ns = self.clock.now_ns()
        self.user_data.expire()
        for (account, symbol), at_ns in list(self.countdowns.items()):
            if at_ns <= now_ns:
                del self.countdowns[account, symbol]
                self.exchange.cancel_all(account, symbol, Reason.BY_VENUE)
        if now_ns >= self._funding_at_ns:
            self._funding_at_ns += FUNDING_NS
            for market in self.exchange.markets.values():
                self.exchange.charge_funding(market.instrument.symbol, market.funding_ppm)
                self.funding_charged.append(
                    {
                        "symbol": market.instrument.wire,
                        "fundingRate": fixed(market.funding_ppm * 100, 8),
                        "fundingTime": now_ns // 1_000_000,
                        "markPrice": price(market.instrument, market.mark),
                    }
                )


def _listed(venue: str, symbol: str) -> VenueInstrument:
    base, quote = split(symbol)
    known = reference(base)
    size_digits = _SIZE_DIGITS.get(base, min(known.size_digits, 3))
    step = 10 ** (8 - size_digits)
    return VenueInstrument(
        venue=venue,
        symbol=f"{base}{quote}-PERP",
        wire=f"{base}{quote}",
        kind=InstrumentKind.PERPETUAL,
        base=base,
        quote=quote,
        settle=quote,
        digits=known.price_digits,
        tick=_TICKS.get(base, 1),
        step=step,
        volume_min=step,
        volume_max=scaled("1000000", 8),
        notional_min=Decimal(5),
        contract_currency=base,
    )
