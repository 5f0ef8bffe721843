"""The market of real venues: their quotes to the engine, the board and the bars.

Path 1 of the market plane: a quote goes from the venue's socket to the engine's input in the call
that decoded it. The board and the bars, which sockets and charts read, follow once per turn of the
loop. A symbol whose feed is not live gets no quotes, and the engine, which knows the greatest age
of a quote of a venue, refuses to trade on it; a quiet but live symbol is quoted again now and then.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from tradeloom.app.limits import PAPER_MONEY, QUIET_QUOTE_S, VENUE_QUOTE_AGE_MS, VENUE_START_S
from tradeloom.app.market import Channel, Source, packed
from tradeloom.connectors.connector import VenueConnector
from tradeloom.connectors.contract import Connector, UnknownSymbol, VenueUnavailable
from tradeloom.connectors.paper import PaperConnector
from tradeloom.connectors.profile import Credentials, Need
from tradeloom.connectors.switch import Switchboard
from tradeloom.connectors.venues import dialect_of
from tradeloom.domain.instrument import Instrument
from tradeloom.domain.market import (
    BookQuote,
    FeedState,
    FeedStatus,
    MarketEvent,
    VenueInstrument,
)
from tradeloom.gateways.desk import Desk
from tradeloom.gateways.quotes import Quote, QuoteBoard
from tradeloom.marketdata.bars import BarBuilder
from tradeloom.marketdata.streams import StreamManager
from tradeloom.replay.market import Market, instrument_for, pegs_of
from tradeloom.security import Vault

log = logging.getLogger(__name__)

# What is traded when nobody says: the pairs that every crypto venue has in some form.
_USUAL: Final = ("BTCUSDT", "ETHUSDT", "BTCUSD", "ETHUSD", "BTCUSDC", "ETHUSDC", "BTCUSD-PERP",
                 "ETHUSD-PERP", "BTCUSDT-PERP", "ETHUSDT-PERP", "BTCUSDC-PERP", "ETHUSDC-PERP",
                 "AAPL", "MSFT", "SPY")  # fmt: skip


# What paper accounts start with money of: coins are bought with it.
_MONEY: Final = frozenset({"USD", "USDT", "USDC", "EUR", "BTC", "ETH"})


class VenueSetup(msgspec.Struct, frozen=True):
    """A venue to run: its keys come from the vault, `urls` replace addresses of its profile."""

    venue: str
    urls: Mapping[str, str]
    values: Mapping[str, str]
    account: str = "main"


async def setups_of(
    names: Sequence[str], addresses: Sequence[str], vault: Vault
) -> list[VenueSetup]:
    """What the settings ask for, with keys from the vault. Raises ValueError.

    An address is `VENUE.NAME=URL`, or the base of a simulator, which then stands for every venue.
    A venue with keys of several accounts uses `main`, or the first of them.
    """
    made = []
    for name in dict.fromkeys(names):
        profile = dialect_of(name).profile
        urls: dict[str, str] = {}
        for each in addresses:
            place, separator, url = each.partition("=")
            if each.startswith(("http://", "https://")):
                urls = profile.simulated(each) | urls
            elif separator and place.startswith(f"{profile.venue}."):
                urls[place.removeprefix(f"{profile.venue}.")] = url
        profile.at(urls)
        accounts = [row.account for row in await vault.listed(profile.venue)]
        account = "main" if "main" in accounts or not accounts else accounts[0]
        values = await vault.take(profile.venue, account) if accounts else {}
        made.append(VenueSetup(name, urls, values, account))
    return made


def connect(setup: VenueSetup, folder: Path) -> VenueConnector:
    """A connector, not started; raises ValueError for an unknown venue, address or lacking key."""
    dialect = dialect_of(setup.venue)
    known = {need.value: need for need in Need}
    odd = sorted(set(setup.values) - set(known))
    if odd:
        raise ValueError(f"the key of {setup.venue} has parts nobody knows: {', '.join(odd)}")
    credentials = None
    if setup.values:
        parts = {known[name]: value for name, value in setup.values.items()}
        credentials = Credentials(setup.account, parts)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return VenueConnector(dialect, urls=setup.urls, credentials=credentials, folder=folder)


class VenueMarket:
    """Venues that run: connectors on a switchboard, and what the engine calls their symbols."""

    def __init__(self) -> None:
        self.streams: Final = StreamManager()
        self.switchboard: Final = Switchboard()
        self.chosen: Final[dict[str, tuple[str, VenueInstrument]]] = {}
        self._connectors: list[VenueConnector] = []
        self._papers: list[PaperConnector] = []

    async def open(
        self,
        setups: Sequence[VenueSetup],
        symbols: Sequence[str],
        folder: Path,
        *,
        paper: bool = False,
    ) -> Source:
        """Start the venues and choose their symbols; raises ValueError, VenueUnavailable.

        `paper`: each venue gets a paper account beside it, named VENUE-paper.
        """
        for setup in setups:
            connector = connect(setup, folder)
            self._connectors.append(connector)
            self.switchboard.add(setup.venue, connector)
        await asyncio.gather(*(each.start() for each in self._connectors))
        for connector in self._connectors:
            await self._choose(connector, symbols)
        if paper:
            await asyncio.gather(*(self._paper(each, folder) for each in self._connectors))
        missing = [each for each in symbols if not self._has(each)]
        if missing:
            names = ", ".join(each.profile.venue for each in self._connectors)
            raise ValueError(f"no venue ({names}) lists {', '.join(missing)}")
        instruments = tuple(_instrument(name, at) for name, (_, at) in self.chosen.items())
        market = Market(instruments, pegs_of(instruments), 0, iter(()), (), recorded=True)
        titles = ", ".join(each.profile.title for each in self._connectors)
        label = f"live market of {titles}, {len(instruments)} instruments"
        return Source(
            label, False, instruments, market.pegs, market.currencies, (), continues=False
        )

    async def close(self) -> None:
        """Close every connection."""
        await asyncio.gather(*(each.close() for each in self._papers), return_exceptions=True)
        await asyncio.gather(*(each.close() for each in self._connectors), return_exceptions=True)

    @property
    def live(self) -> dict[str, Connector]:
        """The venues themselves, without paper accounts."""
        return {each.profile.venue: each for each in self._connectors}

    async def _paper(self, connector: VenueConnector, folder: Path) -> None:
        name = f"{connector.profile.venue}-paper"
        listed = await connector.instruments()
        money = {each.settle: PAPER_MONEY for each in listed if each.settle in _MONEY}
        account = PaperConnector(connector, money=money, path=folder / f"{name}.db")
        self._papers.append(account)
        self.switchboard.add(name, account)
        await account.start()

    def _has(self, symbol: str) -> bool:
        wanted = symbol.upper()
        return any(wanted in (at.symbol, at.wire.upper()) for _, at in self.chosen.values())

    async def _choose(self, connector: VenueConnector, symbols: Sequence[str]) -> None:
        venue = connector.profile.venue
        try:
            listed = await asyncio.wait_for(connector.instruments(), VENUE_START_S)
        except TimeoutError:
            raise VenueUnavailable(f"{venue} does not answer: {connector.reason}") from None
        if not listed:
            raise VenueUnavailable(f"{venue} lists no instruments: {connector.reason}")
        found = []
        for symbol in symbols or _USUAL:
            try:
                found.append(connector.context.listings.find(symbol).instrument)
            except UnknownSymbol as error:
                if symbols and len(self._connectors) == 1:
                    raise ValueError(str(error)) from error
        for at in found:
            name = at.symbol if at.symbol not in self.chosen else f"{at.symbol}.{venue}"
            self.chosen[name] = (venue, at)


def _instrument(name: str, at: VenueInstrument) -> Instrument:
    """What the engine trades: its own contract on the venue's prices."""
    made = instrument_for(at.symbol.removesuffix("-PERP"), at.base, at.quote, at.digits)
    return msgspec.structs.replace(
        made, symbol=name, digits=at.digits, quote_age_max_ms=VENUE_QUOTE_AGE_MS
    )


class VenueFeed:
    """Venue quotes into the engine, the board and the bars until it is cancelled."""

    def __init__(
        self,
        market: VenueMarket,
        source: Source,
        channels: Sequence[Channel],
        desk: Desk,
        board: QuoteBoard,
        bars: BarBuilder,
    ) -> None:
        self.source: Final = source
        self.first_quote = asyncio.Event()
        self.ticks = 0
        self._market = market
        self._shard = desk.shard
        self._board = board
        self._bars = bars
        named = {channel.symbol: channel for channel in channels}
        self._channels: Final = {
            (venue, at.symbol): named[name] for name, (venue, at) in market.chosen.items()
        }
        self._live: dict[tuple[str, str], tuple[bytes, float]] = {}
        self._waiting: list[Quote] = []
        self._loop = asyncio.get_running_loop()

    async def run(self) -> None:
        """Subscribe, then keep quiet symbols fresh for ever."""
        stop = self._market.streams.tap(self._take)
        try:
            for name, connector in self._market.live.items():
                await self._subscribe(name, connector)
            while True:
                await asyncio.sleep(QUIET_QUOTE_S / 2)
                now = time.monotonic()
                for place, (quote, at) in list(self._live.items()):
                    if now - at >= QUIET_QUOTE_S:
                        self._shard.quote(quote)
                        self._live[place] = (quote, now)
        finally:
            stop()

    async def _subscribe(self, name: str, connector: Connector) -> None:
        symbols = [at.symbol for venue, at in self._market.chosen.values() if venue == name]
        if symbols:
            topics = set(connector.info().topics)
            await connector.subscribe(symbols, sorted(topics), self._market.streams.publish)

    def _take(self, event: MarketEvent) -> None:
        if type(event) is BookQuote:
            self._quote(event)
        elif isinstance(event, FeedStatus) and event.state is not FeedState.LIVE:
            self._live.pop((event.venue, event.symbol), None)
            log.warning("%s %s: %s", event.venue, event.symbol, event.reason)

    def _quote(self, event: BookQuote) -> None:
        place = (event.venue, event.symbol)
        channel = self._channels.get(place)
        if channel is None:
            return
        bid = channel.price(event.bid)
        ask = max(channel.price(event.ask), bid)
        record = packed(channel.index, bid, ask)
        self._shard.quote(record)
        self._live[place] = (record, time.monotonic())
        if not self._waiting:
            self._loop.call_soon(self._publish)
        number = self._board.count + len(self._waiting) + 1
        quote = Quote(channel.symbol, channel.digits, bid, ask, event.recv_ns, number)
        self._waiting.append(quote)
        self._bars.add(channel.symbol, event.recv_ns, bid)

    def _publish(self) -> None:
        quotes, self._waiting = self._waiting, []
        self._board.publish(quotes)
        self.ticks += len(quotes)
        self.first_quote.set()
