"""Schwab: US equities behind a weekly log-in."""

from __future__ import annotations

import email.utils
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Final

from tradeloom.domain.market import BookDelta, BookQuote, TradeTick, VenueInstrument
from tradeloom.simulators.accounts import Fees, money
from tradeloom.simulators.clock import Clock
from tradeloom.simulators.dialect import Call, Reply, Route, Socket, VenueDialect, json_reply
from tradeloom.simulators.keys import Credentials, seeded_text
from tradeloom.simulators.orders import AccountEvent, OrderEvent
from tradeloom.simulators.rates import FixedWindow
from tradeloom.simulators.schwab.access import Access
from tradeloom.simulators.schwab.errors import DataError, TraderError
from tradeloom.simulators.schwab.rows import instrument, price, quote_row, shares
from tradeloom.simulators.schwab.streamer import Streamer
from tradeloom.simulators.schwab.trader import Trader
from tradeloom.simulators.sessions import Session

DEFAULT: Final = ("AAPL", "MSFT", "SPY", "TSLA", "INTC")
_MINUTES: Final = {"1": 1, "5": 5, "10": 10, "15": 15, "30": 30}


class Schwab(VenueDialect):
    """The venue `schwab`."""

    name: ClassVar[str] = "schwab"
    fees: ClassVar[Fees] = Fees(maker_ppm=0, taker_ppm=0, paid_in="quote")
    # An order that fills at once may be answered without its id.
    forgets_instant_fills: bool = True

    def __init__(
        self, *, seed: int, clock: Clock, symbols: Sequence[str] = (), demo_keys: bool = True
    ) -> None:
        super().__init__(seed=seed, clock=clock, symbols=symbols, demo_keys=False)
        self.access: Final = Access(self)
        self._trader: Final = Trader(self)
        self._streamer: Final = Streamer(self)
        self._requests: Final = FixedWindow(120, 60 * 10**9, self.clock)
        for credentials in self.demo_credentials(seed) if demo_keys else ():
            self.add_key(credentials)

    @classmethod
    def instruments(cls, symbols: Sequence[str]) -> list[VenueInstrument]:
        """Equities by ticker."""
        return [instrument(each) for each in dict.fromkeys(symbols or DEFAULT)]

    def demo_credentials(self, seed: int) -> list[Credentials]:
        """App key, app secret, and as passphrase the refresh token of a log-in just made."""
        return [
            Credentials(
                key=seeded_text(seed, "schwab", "key", length=32),
                secret=seeded_text(seed, "schwab", "secret", length=16),
                passphrase=seeded_text(seed, "schwab", "refresh"),
            )
        ]

    def credentials_of(self, text: str) -> Credentials:
        """`APP_KEY:APP_SECRET:REFRESH_TOKEN`."""
        parts = text.split(":")
        if len(parts) != 3 or not all(parts):
            raise ValueError("a Schwab key is APP_KEY:APP_SECRET:REFRESH_TOKEN")
        return Credentials(key=parts[0], secret=parts[1], passphrase=parts[2], account=parts[0])

    def add_key(self, credentials: Credentials) -> Credentials:
        """A key, and the log-in of its person."""
        added = super().add_key(credentials)
        self.access.let_in(added)
        return added

    def starting_balances(self) -> dict[str, int]:
        """Dollars, and a hundred shares of everything."""
        held: dict[str, str | int] = dict.fromkeys(self.exchange.markets, 100)
        return money({"USD": 1_000_000, **held})

    # ---- REST --------------------------------------------------------------------------------

    def routes(self) -> Iterable[Route]:
        """Log-in, trader and market data."""
        data = "/marketdata/v1"
        return [
            Route("GET", "/v1/oauth/authorize", self.access.authorize),
            Route("POST", "/v1/oauth/token", self.access.token),
            *self._trader.routes(),
            Route("GET", f"{data}/quotes", self._quotes),
            Route("GET", f"{data}/{{symbol}}/quotes", self._quote),
            Route("GET", f"{data}/pricehistory", self._history),
            Route("GET", f"{data}/markets", self._markets),
            Route("GET", f"{data}/instruments", self._instruments),
        ]

    def sockets(self) -> Iterable[Socket]:
        """The streamer, where the preferences say."""
        return [Socket("/ws", purpose="streamer")]

    async def before(self, call: Call) -> Mapping[str, str]:
        """The time, which clients read from this header; 120 requests a minute."""
        stamp = email.utils.formatdate(self.clock.now_ns() / 1e9, usegmt=True)
        who = call.headers.get("Authorization") or call.ip
        if not self._requests.add(who):
            wait = float(self._requests.ends_in_s())
            raise TraderError(429, "Too Many Requests", retry_after_s=wait)
        return {"Date": stamp}

    async def _quotes(self, call: Call) -> Reply:
        self.access.who(call)
        names = dict(call.query_pairs()).get("symbols", "")
        if not names:
            raise DataError(400, "Bad Request", "Search combination should have min of 1.")
        rows, now_ms = {}, self.clock.now_ms()
        unknown = []
        for name in names.upper().split(","):
            market = self.exchange.by_wire.get(name)
            if market is None:
                unknown.append(name)
            else:
                rows[name] = quote_row(market, now_ms)
        found: dict[str, Any] = dict(rows)
        return json_reply(found | ({"errors": {"invalidSymbols": unknown}} if unknown else {}))

    async def _quote(self, call: Call) -> Reply:
        self.access.who(call)
        market = self.exchange.by_wire.get(call.params["symbol"].upper())
        if market is None:
            raise DataError(404, "Not Found")
        return json_reply({market.instrument.wire: quote_row(market, self.clock.now_ms())})

    async def _history(self, call: Call) -> Reply:
        self.access.who(call)
        given = dict(call.query_pairs())
        market = self.exchange.by_wire.get(given.get("symbol", "").upper())
        if market is None:
            raise DataError(404, "Not Found")
        daily = given.get("frequencyType") == "daily"
        minutes = 1_440 if daily else _MINUTES.get(given.get("frequency", "1"), 0)
        if not minutes:
            raise DataError(400, "Bad Request", "valid frequency: 1, 5, 10, 15, 30")
        start, end = (
            int(given[name]) * 10**6 if given.get(name, "").isdigit() else None
            for name in ("startDate", "endDate")
        )
        bars = market.bars.spans(minutes, start, end)
        rows = [
            {
                "open": price(each.open),
                "high": price(each.high),
                "low": price(each.low),
                "close": price(each.close),
                "volume": int(shares(each.volume)),
                "datetime": each.start_ns // 10**6,
            }
            for each in bars
        ]
        return json_reply({"candles": rows, "symbol": market.instrument.wire, "empty": not rows})

    async def _markets(self, call: Call) -> Reply:
        self.access.who(call)
        is_open = not all(each.halted for each in self.exchange.markets.values())
        row = {"marketType": "EQUITY", "product": "EQ", "isOpen": is_open}
        return json_reply({"equity": {"EQ": row}})

    async def _instruments(self, call: Call) -> Reply:
        self.access.who(call)
        given = dict(call.query_pairs())
        pattern = given.get("symbol", "")
        names = sorted(self.exchange.by_wire)
        if given.get("projection") == "symbol-regex":
            try:
                names = [each for each in names if re.fullmatch(pattern, each)]
            except re.error:
                raise DataError(400, "Bad Request", "invalid pattern") from None
        else:
            names = [each for each in names if each in pattern.upper().split(",")]
        rows = [
            {
                "cusip": "000000000",
                "symbol": each,
                "description": each,
                "exchange": "NASDAQ",
                "assetType": "EQUITY",
            }
            for each in names
        ]
        return json_reply({"instruments": rows})

    # ---- streams -----------------------------------------------------------------------------

    async def on_message(self, session: Session, text: str) -> None:
        """Commands of the streamer."""
        await self._streamer.on_message(session, text)

    def on_quote(self, instrument: VenueInstrument, quote: BookQuote) -> None:
        """Told ten times a second."""

    def on_trade(self, instrument: VenueInstrument, trade: TradeTick) -> None:
        """Told ten times a second."""

    def on_book(self, instrument: VenueInstrument, delta: BookDelta) -> None:
        """Told ten times a second."""
        self._streamer.moved(instrument.symbol)

    def tell(self, event: AccountEvent) -> None:
        """Account activity; money is only told by REST."""
        if isinstance(event, OrderEvent):
            self._streamer.tell(event)

    # ---- faults ------------------------------------------------------------------------------

    def failure(self, status: int, retry_after_s: float, where: str) -> Reply:
        """Trouble in the words of the product."""
        if where.startswith("/marketdata"):
            return DataError(status, "Internal Server Error").reply
        return TraderError(status, "Service unavailable", retry_after_s=retry_after_s).reply

    def notice(self) -> None:
        """The stream says that it stops."""
        for session in tuple(self.sessions):
            self._streamer.stop(session, "Stop streaming")

    def expire_tokens(self) -> int:
        """End the access tokens."""
        return self.access.expire_access()
