"""The base of every simulated venue: what a dialect must say, and what it gets for free.

See the docstring of `tradeloom.simulators` for how to write one.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import random
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Final
from urllib.parse import parse_qsl

import msgspec

from tradeloom.domain.market import BookDelta, BookQuote, TradeTick, VenueInstrument
from tradeloom.simulators.accounts import Fees
from tradeloom.simulators.clock import Clock, VenueClock
from tradeloom.simulators.exchange import Exchange, MarketInput, SelfTrade
from tradeloom.simulators.faults import Fault, FaultKind, Faults
from tradeloom.simulators.keys import Credentials, KeyRing
from tradeloom.simulators.orders import AccountEvent, Change, OrderEvent
from tradeloom.simulators.sessions import Session

log = logging.getLogger(__name__)

encode: Final = msgspec.json.Encoder().encode
"""Anything msgspec knows, as JSON bytes."""


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP request, or the handshake of a WebSocket. `path` is without the venue's prefix."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    ip: str
    params: Mapping[str, str]  # of the route's pattern

    def query_pairs(self) -> list[tuple[str, str]]:
        """The query string, decoded."""
        return parse_qsl(self.query, keep_blank_values=True)

    def form_pairs(self) -> list[tuple[str, str]]:
        """A form-encoded body, decoded."""
        return parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True)


class Reply(msgspec.Struct, frozen=True):
    """An HTTP answer."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = {}
    content_type: str = "application/json"


class VenueError(Exception):
    """A refusal in the venue's own words; a handler raises it, the base sends it."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(f"HTTP {reply.status}")
        self.reply = reply


Handler = Callable[[Call], Awaitable[Reply]]


class Route(msgspec.Struct, frozen=True):
    """A REST call. `path` is an aiohttp pattern below the venue's prefix; `places` marks the
    calls that place orders (the faults `unknown_outcome` and `fill_before_ack` strike there).
    """

    method: str
    path: str
    handler: Handler
    places: bool = False


class Socket(msgspec.Struct, frozen=True):
    """A WebSocket address. With `ping_s` the server pings, and hangs up when no pong comes within
    `pong_s`. `purpose` is for the dialect to tell its sockets apart.
    """

    path: str
    purpose: str = "public"
    ping_s: float = 0.0
    pong_s: float = 0.0


class VenueDialect(ABC):
    """One simulated venue. Subclasses speak its protocol; the base keeps exchange, sessions,
    subscriptions, faults and timers.
    """

    name: ClassVar[str]  # the first segment of every path, and the name on the command line
    fees: ClassVar[Fees] = Fees()
    self_trade: ClassVar[SelfTrade] = "allow"
    first_id: ClassVar[int] = 1_000_000

    def __init__(
        self, *, seed: int, clock: Clock, symbols: Sequence[str] = (), demo_keys: bool = True
    ) -> None:
        self.seed: Final = seed
        self.clock: Final = VenueClock(clock)
        self.dice: Final = random.Random(f"{seed}/{self.name}")  # noqa: S311 - a simulation
        self.faults: Final = Faults(seed)
        self.keys: Final = KeyRing()
        self.sessions: Final[set[Session]] = set()
        self.listeners: Final[dict[str, set[Session]]] = {}
        self.exchange: Final = Exchange(
            self.name, self.instruments(symbols), self.clock, self,
            self_trade=self.self_trade, first_id=self.first_id,
        )  # fmt: skip
        self.frame_source = ""
        self._numbers = itertools.count(1)
        self._held: list[AccountEvent] = []
        self._timers: list[tuple[float, Callable[[], None]]] = []
        self._tasks: set[asyncio.Task[Any]] = set()
        if demo_keys:
            for credentials in self.demo_credentials(seed):
                self.add_key(credentials)

    # ---- what a dialect must say -------------------------------------------------------------

    @classmethod
    @abstractmethod
    def instruments(cls, symbols: Sequence[str]) -> list[VenueInstrument]:
        """What is listed: for our symbols (`BTCUSDT`), or a sensible handful for none."""

    @abstractmethod
    def demo_credentials(self, seed: int) -> list[Credentials]:
        """Keys that work without being given, in the venue's own form (see `keys.py`)."""

    @abstractmethod
    def credentials_of(self, text: str) -> Credentials:
        """A user's `--key` as credentials: `KEY:SECRET`, `KEY:SECRET:PASSPHRASE` or what the venue
        needs. Raises ValueError with one sentence that says what is wrong.
        """

    @abstractmethod
    def starting_balances(self) -> dict[str, int]:
        """Money (1e-8) per asset of a new account."""

    @abstractmethod
    def routes(self) -> Iterable[Route]:
        """Every REST call."""

    @abstractmethod
    def sockets(self) -> Iterable[Socket]:
        """Every WebSocket address."""

    @abstractmethod
    async def on_message(self, session: Session, text: str) -> None:
        """A client sent a text frame."""

    @abstractmethod
    def on_quote(self, instrument: VenueInstrument, quote: BookQuote) -> None:
        """The best bid or ask changed: publish it."""

    @abstractmethod
    def on_trade(self, instrument: VenueInstrument, trade: TradeTick) -> None:
        """A trade: publish it."""

    @abstractmethod
    def on_book(self, instrument: VenueInstrument, delta: BookDelta) -> None:
        """Levels changed: publish it, or note it in a `BookFeed` that a timer empties."""

    @abstractmethod
    def tell(self, event: AccountEvent) -> None:
        """Encode a private event and send it to the account's sessions. The base calls it in
        order, after the answer of the call that caused it (unless a fault says otherwise).
        """

    @abstractmethod
    def failure(self, status: int, retry_after_s: float, where: str) -> Reply:
        """The venue's own body for an HTTP status it answers when overloaded (429, 418, 503…)."""

    @abstractmethod
    def notice(self) -> None:
        """Tell every session, in the venue's words, that it will soon hang up."""

    @abstractmethod
    def expire_tokens(self) -> int:
        """End listen keys, tokens and signed-in sessions early; how many."""

    # ---- what a dialect may say --------------------------------------------------------------

    async def before(self, call: Call) -> Mapping[str, str]:
        """Before every REST call: rate limits. Raises `VenueError`; returns headers to add."""
        return {}

    def on_open(self, session: Session) -> None:  # noqa: B027 - may be left out
        """A client connected; subscriptions of its URL and greetings go here."""

    def on_closed(self, session: Session) -> None:  # noqa: B027 - may be left out
        """A client left (cancel-on-disconnect goes here)."""

    def on_control(self, session: Session) -> None:  # noqa: B027 - may be left out
        """A ping or pong frame came in (some venues count them)."""

    def may_connect(self, call: Call) -> Reply | None:
        """A refusal of a WebSocket handshake, or None."""
        return None

    def framed(self, session: Session, channel: str, payload: bytes) -> bytes:
        """What one session gets of a published payload (an envelope, a sequence number)."""
        return payload

    def play(self, channel: str, payload: bytes, event: MarketInput) -> None:
        """Send a recorded frame as it was (after its event moved the book)."""
        self.publish(channel, payload)

    @classmethod
    def figures_in(cls, frame: bytes) -> Iterable[tuple[str, str, str]]:
        """What a recorded frame of this venue trades: (our symbol, a price, a size) as texts, so
        that a recording is recognised and its symbols are listed with enough decimals. Nothing if
        the frame is no market data of this venue.
        """
        return ()

    def read_frame(self, ts_ns: int, frame: bytes) -> Iterable[tuple[str, bytes, MarketInput]]:
        """A recorded frame of this venue as (channel, payload, event); nothing if it is no market
        data. `payload` is what `publish(channel, payload)` sends when the recording is played
        as it is. Symbols and digits of the event are those of `self.exchange`. `frame_source` is
        the URL of the frame, or the name of the file where it tells none.
        """
        return ()

    # ---- what a dialect gets -----------------------------------------------------------------

    def next_number(self) -> int:
        """A number that was not used before at this venue."""
        return next(self._numbers)

    def add_key(self, credentials: Credentials) -> Credentials:
        """Let a key in; its account is opened with the starting balances if it is new."""
        if credentials.account not in self.exchange.accounts:
            self.exchange.open_account(credentials.account, self.starting_balances(), self.fees)
        return self.keys.add(credentials)

    def subscribe(self, session: Session, channel: str) -> bool:
        """Add a session to a channel; False when it was there already."""
        if channel in session.channels:
            return False
        session.channels.add(channel)
        self.listeners.setdefault(channel, set()).add(session)
        return True

    def unsubscribe(self, session: Session, channel: str) -> bool:
        """Take a session off a channel; False when it was not there."""
        if channel not in session.channels:
            return False
        session.channels.discard(channel)
        others = self.listeners[channel]
        others.discard(session)
        if not others:
            del self.listeners[channel]
        return True

    def publish(self, channel: str, payload: bytes) -> None:
        """Send to every session of a channel; market faults may strike."""
        for session in tuple(self.listeners.get(channel, ())):
            session.send(self.framed(session, channel, payload), channel)

    def wanted(self, channel: str) -> bool:
        """Whether anyone listens; saves encoding what nobody reads."""
        return channel in self.listeners

    def sessions_of(self, account: str) -> list[Session]:
        """The signed-in sessions of an account, oldest first."""
        found = [s for s in self.sessions if s.credentials and s.credentials.account == account]
        return sorted(found, key=lambda each: each.id)

    def strikes(self, kind: FaultKind, where: str) -> Fault | None:
        """The fault that strikes here now, if any."""
        if not self.faults.armed:
            return None
        return self.faults.take(kind, where, self.clock.under.now_ns())

    def every(self, seconds: float, action: Callable[[], None]) -> None:
        """Call `action` so often while the server runs (and once after each commanded step)."""
        self._timers.append((seconds, action))

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something beside, until it ends or the server stops."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def respond(
        self, session: Session, where: str, answer: bytes, *, places: bool = False,
        unknown: bytes = b"",
    ) -> None:  # fmt: skip
        """Answer a request that came over a socket, then tell the private events it caused.

        `places` as in `Route`; `unknown` is the venue's "we do not know whether it went through".
        """
        if places and self.strikes(FaultKind.FILL_BEFORE_ACK, where):
            self.flush()
        delay = self.strikes(FaultKind.DELAY, where)
        if delay:
            self.flush()  # only the answer is late
            await asyncio.sleep(delay.seconds)
        if not self.strikes(FaultKind.NO_ANSWER, where):
            lost = places and unknown and self.strikes(FaultKind.UNKNOWN_OUTCOME, where)
            session.send(unknown if lost else answer)
        self.flush()

    # ---- the base's own work -----------------------------------------------------------------

    def on_account(self, event: AccountEvent) -> None:
        """The exchange tells what happened; it is kept until `flush`."""
        self._held.append(event)

    def flush(self) -> None:
        """Tell the private events that are waiting."""
        while self._held:
            events, self._held = self._held, []
            for event in events:
                self._tell(event)

    def _tell(self, event: AccountEvent) -> None:
        if isinstance(event, OrderEvent):
            where = f"{event.change.name.lower()}:{event.order.symbol}"
            if self.strikes(FaultKind.DROP_EVENT, where):
                return
            if event.change is Change.TRADE and self.strikes(FaultKind.DOUBLE_FILL, where):
                self.tell(event)
        self.tell(event)

    def feed(self, event: MarketInput) -> None:
        """The outside market moved."""
        self.exchange.apply(event)
        self.flush()

    def tick(self) -> None:
        """Run every timer once and expire what is over; a commanded step ends with it."""
        self.exchange.tick()
        for _, action in self._timers:
            action()
        self.flush()

    async def run(self) -> None:
        """Timers, until cancelled."""

        async def repeat(seconds: float, action: Callable[[], None]) -> None:
            while True:
                await asyncio.sleep(seconds)
                action()
                self.flush()

        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(repeat(0.1, self.exchange.tick))
                for seconds, action in self._timers:
                    group.create_task(repeat(seconds, action))
        finally:
            for task in tuple(self._tasks):
                task.cancel()

    async def serve_call(self, route: Route, call: Call) -> tuple[Reply | None, bool]:
        """Answer a REST call, faults included: the reply (None: never answer), and whether the
        events it caused were told before it.
        """
        refused = self.strikes(FaultKind.HTTP_STATUS, call.path)
        if refused:
            return self.failure(refused.status or 503, refused.seconds, call.path), False
        headers: Mapping[str, str] = {}
        try:
            headers = await self.before(call)
            reply = await route.handler(call)
        except VenueError as error:
            reply = error.reply
        except Exception:  # our own mistake: the client gets a venue's answer, the log the rest
            log.exception("%s: %s %s", self.name, call.method, call.path)
            reply = self.failure(500, 0.0, call.path)
        early = bool(route.places and self.strikes(FaultKind.FILL_BEFORE_ACK, call.path))
        if early:
            self.flush()
        if route.places and self.strikes(FaultKind.UNKNOWN_OUTCOME, call.path):
            reply = self.failure(503, 0.0, call.path)
        delay = self.strikes(FaultKind.DELAY, call.path)
        if delay:
            self.flush()  # only the answer is late
            await asyncio.sleep(delay.seconds)
        if self.strikes(FaultKind.NO_ANSWER, call.path):
            return None, early
        if headers:
            reply = msgspec.structs.replace(reply, headers={**headers, **reply.headers})
        return reply, early

    def inject(self, fault: Fault) -> Fault:
        """Arm a fault, or let it act now where its kind does. Raises ValueError."""
        self.faults.arm(fault)
        sessions = [each for each in self.sessions if fault.where in each.socket.path]
        now_ns = self.clock.under.now_ns()
        match fault.kind:
            case FaultKind.SILENCE:
                for session in sessions:
                    session.silence(fault.seconds)
            case FaultKind.CLOSE:
                for session in sessions:
                    session.cut()
            case FaultKind.CLOSE_CODE:
                for session in sessions:
                    session.close(fault.status or 1001, "closed on command")
            case FaultKind.NOTICE:
                self.notice()
            case FaultKind.EXPIRE_TOKEN:
                self.expire_tokens()
            case FaultKind.CLOCK:
                self.clock.offset_ns = round(fault.seconds * 1e9)
            case FaultKind.HALT:
                for market in self.exchange.markets.values():
                    if fault.where in market.instrument.symbol:
                        market.halted = fault.count != 0
            case _:
                return fault
        self.faults.struck(fault, fault.where, now_ns)
        return fault

    @contextlib.contextmanager
    def joined(self, session: Session) -> Any:
        """A session is known from its handshake to its end."""
        self.sessions.add(session)
        try:
            self.on_open(session)
            yield
        finally:
            self.sessions.discard(session)
            for channel in tuple(session.channels):
                self.unsubscribe(session, channel)
            self.on_closed(session)
            self.flush()


def json_reply(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """A JSON answer."""
    return Reply(encode(body), status, headers or {})
