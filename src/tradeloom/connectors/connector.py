"""A venue, whole: a dialect on the shared machinery, behind the contract.

Life: STOPPED, CONNECTING, RECONCILING, READY; DEGRADED with prices only; DRAINING and KILLED by a
person (KILLED is remembered across restarts); REFUSED when keys or clock are wrong, which is not
tried again by itself. Orders go out in READY alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Final, TypeVar

from tradeloom.connectors.backoff import Backoff
from tradeloom.connectors.budgets import Budgets, BudgetSpent
from tradeloom.connectors.clock import VenueClock
from tradeloom.connectors.contract import (
    AccountSink,
    Amendment,
    Health,
    MarketSink,
    OrderAnswer,
    OrderRequest,
    RateLimit,
    State,
    StateChange,
    Unsupported,
    VenueBalance,
    VenueFill,
    VenueInfo,
    VenueOrder,
    VenuePosition,
    VenueUnavailable,
)
from tradeloom.connectors.desk import TradeDesk
from tradeloom.connectors.dialect import Context, Dialect, OddFrame, Refusal
from tradeloom.connectors.feed import FeedSubscription, MarketFeed
from tradeloom.connectors.instruments import Listings
from tradeloom.connectors.limits import (
    CLOCK_EVERY_S,
    CLOCK_OFFSET_MAX_MS,
    INSTRUMENTS_EVERY_S,
    RECONCILE_EVERY_S,
    START_TIMEOUT_S,
)
from tradeloom.connectors.link import Link, LoginRefused
from tradeloom.connectors.orders import OrderStore
from tradeloom.connectors.profile import Credentials
from tradeloom.connectors.rest import Rest
from tradeloom.domain.enums import ReturnCode
from tradeloom.domain.market import BookDelta, FeedState, HistoricBar, Topic, VenueInstrument

log = logging.getLogger(__name__)

T = TypeVar("T")
_SETTLED: Final = frozenset({State.READY, State.DEGRADED, State.REFUSED, State.KILLED})


class VenueConnector:
    """One venue with one account, or with none and prices only."""

    def __init__(
        self,
        dialect: type[Dialect],
        *,
        urls: Mapping[str, str] | None = None,
        credentials: Credentials | None = None,
        folder: Path | None = None,
        options: Mapping[str, str] | None = None,
    ) -> None:
        """`urls` overrides addresses of the profile, `folder` keeps orders (None: in memory).

        Raises ValueError for unknown addresses or a key with parts missing.
        """
        self.profile: Final = dialect.profile
        if credentials is not None:
            lacking = [need.value for need in self.profile.needs if need not in credentials.values]
            if lacking:
                raise ValueError(f"the key for {self.profile.venue} lacks: {', '.join(lacking)}")
        self.budgets: Final = Budgets(self.profile.windows)
        self.clock: Final = VenueClock()
        self.context: Final = Context(
            urls=self.profile.at(urls or {}),
            listings=Listings(self.profile.venue),
            rest=Rest(self.budgets),
            clock=self.clock,
            credentials=credentials,
            options=dict(options or {}),
        )
        self.dialect: Final = dialect(self.context)
        self.feed: Final = MarketFeed(self.dialect, self.context)
        account = credentials.account if credentials else ""
        path = folder / f"{self.profile.venue}-{account}.db" if folder and credentials else None
        self.desk: Final = TradeDesk(self.dialect, self.context, OrderStore(path), self._gate)
        self.desk.on_reconcile = self._reconcile_again
        self.desk.on_reconnect = self._private_again
        self.desk.on_refused = lambda why: self._become(State.REFUSED, why)
        self.state = State.STOPPED
        self.reason = ""
        self._private: dict[str, Link] = {}
        self._settled = asyncio.Event()
        self._compare = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._dead_man: asyncio.Task[None] | None = None
        self._closed = False

    # -- Admin -----------------------------------------------------------------------------------

    async def start(self) -> None:
        """Connect; returns when settled or after the start timeout."""
        if self._tasks:
            return
        self._settled.clear()
        self._tasks = [asyncio.create_task(self._run(), name=f"venue {self.profile.venue}")]
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._settled.wait(), START_TIMEOUT_S)

    async def stop(self) -> None:
        """Close every connection; orders at the venue stay."""
        tasks, self._tasks = self._tasks, []
        if self._dead_man is not None:
            tasks.append(self._dead_man)
            self._dead_man = None
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._close_private()
        await self.feed.stop()
        await self.dialect.close()
        await self.desk.close()
        await self.desk.store.flush()
        await self.context.rest.close()
        self._become(State.STOPPED, "stopped")

    async def close(self) -> None:
        """Stop for good and close the order file; twice is fine."""
        if self._closed:
            return
        self._closed = True
        await self.stop()
        await asyncio.to_thread(self.desk.store.close)

    def info(self) -> VenueInfo:
        """What it is."""
        return VenueInfo(
            venue=self.profile.venue,
            title=self.profile.title,
            profile_date=self.profile.date,
            account=self.context.account,
            trades=self.context.credentials is not None,
            topics=self.profile.topics,
            features=self.profile.features,
            urls=dict(self.context.urls),
        )

    def health(self) -> Health:
        """How it is."""
        counters = dict(self.feed.counts)
        counters |= {f"quarantined: {rule}": n for rule, n in self.feed.screen.counts.items()}
        counters |= self.feed.keeper.counts
        counters |= self.desk.counts
        counters |= {
            "rest calls": self.context.rest.calls,
            "rest failures": self.context.rest.failures,
            "waits for rate limits": self.budgets.waits,
        }
        links = [*self.feed.links.values(), *self._private.values()]
        return Health(
            venue=self.profile.venue,
            state=self.state,
            reason=self.reason,
            links=tuple(link.health() for link in links),
            stale={name: f"{s.name.lower()}: {why}" for name, (s, why) in self.feed.states.items()},
            clock_offset_ms=self.clock.offset_ms,
            round_trip_ms=self.clock.round_trip_ms,
            unresolved=self.desk.unresolved,
            counters=counters,
        )

    def limits(self) -> list[RateLimit]:
        """What is left of the venue's budgets."""
        return self.budgets.limits()

    async def drain(self, timeout_s: float = 30.0) -> bool:
        """Take no new orders and wait for the working ones."""
        self._become(State.DRAINING, "draining: no new orders")
        until = time.monotonic() + timeout_s
        while self.desk.store.open():
            if time.monotonic() >= until:
                return False
            await asyncio.sleep(0.05)
        return True

    async def reconnect(self) -> None:
        """Close and open every connection; what was refused is tried again, as a person asks."""
        if self._tasks and self._tasks[0].done():
            self._tasks = [asyncio.create_task(self._run(), name=f"venue {self.profile.venue}")]
        await self.feed.reconnect()
        for link in self._private.values():
            if link.refused is not None:
                link.start()
        await asyncio.gather(
            *(link.drop("reconnect on request") for link in self._private.values())
        )

    async def kill(self, reason: str) -> list[OrderAnswer]:
        """Refuse new orders (latched) and cancel all open ones."""
        self.desk.store.remember("killed", reason or "killed")
        self._become(State.KILLED, reason)
        return await self.desk.cancel_all(None)

    async def reset(self, reason: str) -> None:
        """Undo `kill` or `drain`."""
        self.desk.store.remember("killed", "")
        if self.state in (State.KILLED, State.DRAINING):
            self._become(State.RECONCILING, f"reset: {reason}")
            self._reconcile_again("reset")

    async def cancel_on_disconnect(self, after_s: int | None) -> None:
        """Arm the venue's dead-man switch and keep it armed; None disarms it."""
        if self._dead_man is not None:
            self._dead_man.cancel()
            self._dead_man = None
        again = await self.dialect.cancel_on_disconnect(after_s)
        if after_s is not None and again is not None:
            self._dead_man = asyncio.create_task(self._stay_armed(after_s, again))

    # -- MarketData ------------------------------------------------------------------------------

    async def instruments(self) -> list[VenueInstrument]:
        """What the venue lists."""
        if not len(self.context.listings):
            await self._load_instruments()
        return [listing.instrument for listing in self.context.listings]

    async def snapshot(self, symbol: str, depth: int = 20) -> BookDelta:
        """The book now: the kept one if it is whole, else fetched."""
        await self.instruments()
        listing = self.context.listings.find(symbol)
        book = self.feed.keeper.books.get(listing.symbol)
        kept = book.snapshot(depth) if book is not None else None
        if kept is not None:
            return kept
        return await self._asked(self.dialect.fetch_book(listing, depth))

    async def bars(
        self, symbol: str, interval_s: int, since_ns: int, until_ns: int
    ) -> list[HistoricBar]:
        """Finished bars from the venue's history."""
        await self.instruments()
        listing = self.context.listings.find(symbol)
        return await self._asked(self.dialect.fetch_bars(listing, interval_s, since_ns, until_ns))

    async def subscribe(
        self, symbols: Iterable[str], topics: Iterable[Topic], sink: MarketSink
    ) -> FeedSubscription:
        """Deliver topics of symbols."""
        await self.instruments()
        return await self.feed.add(symbols, topics, sink)

    # -- TradeFlow -------------------------------------------------------------------------------

    async def submit(self, request: OrderRequest) -> OrderAnswer:
        """Place an order."""
        return await self.desk.submit(request)

    async def amend(self, change: Amendment) -> OrderAnswer:
        """Change price or volume."""
        return await self.desk.amend(change)

    async def cancel(self, client_id: str) -> OrderAnswer:
        """Cancel one order."""
        return await self.desk.cancel(client_id)

    async def cancel_all(self, symbol: str | None = None) -> list[OrderAnswer]:
        """Cancel what is open."""
        return await self.desk.cancel_all(symbol)

    async def query(self, client_id: str) -> VenueOrder:
        """The order as the venue has it now."""
        return await self.desk.query(client_id)

    async def open_orders(self, symbol: str | None = None) -> list[VenueOrder]:
        """What works at the venue now."""
        self._needs_keys()
        for order in await self._asked(self.dialect.open_orders()):
            self.desk.order(order)
        name = self.context.listings.find(symbol).symbol if symbol is not None else None
        found = [each.order for each in self.desk.store.open()]
        return [order for order in found if name is None or order.symbol == name]

    async def fills(self, since_ns: int = 0, symbol: str | None = None) -> list[VenueFill]:
        """Executions since then, the venue's newest included."""
        self._needs_keys()
        names = {each.order.symbol for each in self.desk.store.known.values()}
        if symbol is not None:
            names = {symbol := self.context.listings.find(symbol).symbol}
        listings = [self.context.listings.find(name) for name in sorted(names)]
        self.desk.found(await self._asked(self.dialect.fills(since_ns, listings)))
        await self.desk.store.flush()
        return self.desk.store.fills(since_ns, symbol)

    async def positions(self) -> list[VenuePosition]:
        """Open positions."""
        self._needs_keys()
        return await self._asked(self.dialect.positions())

    async def balances(self) -> list[VenueBalance]:
        """Money that is not zero."""
        self._needs_keys()
        return await self._asked(self.dialect.balances())

    def listen(self, sink: AccountSink) -> Callable[[], None]:
        """Deliver account events."""
        return self.desk.listen(sink)

    # -- inside ----------------------------------------------------------------------------------

    def _gate(self, request: OrderRequest) -> tuple[ReturnCode, str, str] | None:
        if self.state is State.KILLED:
            return ReturnCode.HALTED, "", f"killed: {self.reason}; reset it to trade again"
        if self.state is State.DRAINING:
            return ReturnCode.TRADE_DISABLE, "", "draining: no new orders are taken"
        if self.context.credentials is None:
            return ReturnCode.TRADE_DISABLE, "", "no key in the vault for this venue; add one"
        if self.state is not State.READY:
            return ReturnCode.BUSY, "", f"not ready ({self.state.value}: {self.reason})"
        stale = self.feed.stale(self.context.listings.find(request.symbol).symbol)
        if stale and not request.reduce_only:
            return ReturnCode.TRADE_OFFQUOTES, "symbol", f"its prices are {stale}"
        return None

    def _become(self, state: State, reason: str) -> None:
        if (state, reason) == (self.state, self.reason):
            return
        self.state, self.reason = state, reason
        log.info("%s is %s (%s)", self.profile.venue, state.value, reason)
        self.desk.tell(
            StateChange(
                venue=self.profile.venue,
                account=self.context.account,
                state=state,
                reason=reason,
                recv_ns=time.time_ns(),
            )
        )
        if state in _SETTLED:
            self._settled.set()

    async def _run(self) -> None:
        """Everything in its order, again and again until it stands; then keep house."""
        backoff = Backoff()
        while True:
            self._become(State.CONNECTING, "connecting")
            try:
                await self._sample_clock()
                await self._load_instruments()
                break
            except LoginRefused as error:  # venues whose every call needs the key
                self._become(State.REFUSED, str(error))
                return
            except (VenueUnavailable, BudgetSpent, Refusal) as error:
                self._become(State.CONNECTING, str(error))
            except Exception:
                log.exception("starting %s", self.profile.venue)
                self._become(State.CONNECTING, "its instruments cannot be read")
            await asyncio.sleep(backoff.next_s())
        await self.feed.start()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_clock())
            group.create_task(self._keep_instruments())
            if self.context.credentials is None:
                self._become(State.DEGRADED, "prices only: no key")
            else:
                self._open_private()
                group.create_task(self._keep_reconciled())
                group.create_task(self._keep_private())

    def _open_private(self) -> None:
        rest = self.context.rest

        def make(plan_index: int) -> None:
            plan = plans[plan_index]

            def received(data: str | bytes, recv_ns: int) -> None:
                try:
                    self.dialect.private_frame(data, recv_ns, self.desk, link)
                except OddFrame as odd:
                    self.desk.counts[f"odd: {odd.kind}"] += 1
                except Exception as error:
                    # Never the raw frame: private frames hold tokens and positions.
                    self.desk.counts["odd: unexpected shape"] += 1
                    log.warning(
                        "%s: private frame unreadable (%s)", plan.name, type(error).__name__
                    )
                    self._reconcile_again("a private frame was unreadable")

            async def opened(link: Link) -> None:
                await self.dialect.open_private(link)
                self._reconcile_again(f"{plan.name} is connected")

            def lost(why: str) -> None:
                self._lost(link, why)

            link = Link(plan, lambda: rest.session, opened, received, lost, self.dialect.address)
            self._private[plan.name] = link

        plans = self.dialect.private_links()
        for index in range(len(plans)):
            make(index)
        self.dialect.bind(self._private)
        for link in self._private.values():
            link.start()
        if not plans:
            self._reconcile_again("polled venue")

    async def _close_private(self) -> None:
        links, self._private = list(self._private.values()), {}
        await asyncio.gather(*(link.close() for link in links))

    def _lost(self, link: Link, why: str) -> None:
        self.dialect.private_lost(why or "connection lost")
        if link.refused is not None:
            self._become(State.REFUSED, str(link.refused))
        elif self.state is State.READY:
            self._become(State.RECONCILING, why or "private connection lost")

    def _private_again(self, why: str) -> None:
        for link in self._private.values():
            task = asyncio.create_task(link.drop(why))
            task.add_done_callback(lambda done: done.exception())

    def _reconcile_again(self, why: str) -> None:
        if self.state in (State.READY, State.CONNECTING):
            self._become(State.RECONCILING, why)
        self._compare.set()

    async def _keep_reconciled(self) -> None:
        backoff = Backoff()
        while True:
            with contextlib.suppress(TimeoutError):
                every_s = self.dialect.compare_every_s or RECONCILE_EVERY_S
                async with asyncio.timeout(every_s):  # wait_for may swallow `stop`
                    await self._compare.wait()
            if self.state is State.REFUSED and not self._compare.is_set():
                continue  # wrong keys are not tried again by the clock
            if not all(link.up.is_set() or link.refused for link in self._private.values()):
                await asyncio.sleep(0.01)
                continue
            self._compare.clear()
            try:
                await self.desk.compare()
            except LoginRefused as error:
                self._become(State.REFUSED, str(error))
                continue
            except VenueUnavailable as error:
                if self.state is not State.REFUSED:
                    self._become(State.RECONCILING, str(error))
                self._compare.set()
                await asyncio.sleep(backoff.next_s())
                continue
            except Exception:
                log.exception("reconciling %s", self.profile.venue)
                self._become(State.RECONCILING, "its account cannot be read")
                self._compare.set()
                await asyncio.sleep(backoff.next_s())
                continue
            backoff = Backoff()
            self._reconciled()

    def _reconciled(self) -> None:
        if any(link.refused for link in self._private.values()) or self._compare.is_set():
            return
        killed = self.desk.store.fact("killed")
        offset = self.clock.offset_ms
        if killed:
            self._become(State.KILLED, killed)
        elif self.state is State.DRAINING:
            return
        elif offset is not None and abs(offset) > CLOCK_OFFSET_MAX_MS:
            # Signed calls use the venue's time, so this trades; a person should still know.
            self._become(State.READY, f"ready; our clock is off by {offset:.0f} ms: run NTP")
        else:
            self._become(State.READY, "ready")

    async def _keep_private(self) -> None:
        while True:
            try:
                wait = await self.dialect.keep_private()
            except LoginRefused as error:
                self._become(State.REFUSED, str(error))
                while self.state is State.REFUSED:
                    await asyncio.sleep(1.0)
                continue
            except (VenueUnavailable, BudgetSpent, Refusal) as error:
                log.warning("%s: %s", self.profile.venue, error)
                wait = 5.0
            await asyncio.sleep(wait)

    async def _keep_clock(self) -> None:
        while True:
            await asyncio.sleep(CLOCK_EVERY_S)
            with contextlib.suppress(VenueUnavailable, BudgetSpent, Refusal):
                await self._sample_clock()

    async def _sample_clock(self) -> None:
        self.clock.sample(*await self.dialect.server_time())

    async def _keep_instruments(self) -> None:
        while True:
            await asyncio.sleep(INSTRUMENTS_EVERY_S)
            try:
                await self._load_instruments()
            except LoginRefused as error:
                self._become(State.REFUSED, str(error))
            except (VenueUnavailable, BudgetSpent, Refusal) as error:
                log.info("%s: instruments not read again (%s)", self.profile.venue, error)

    async def _load_instruments(self) -> None:
        listed = await self._asked(self.dialect.load_instruments())
        self.context.listings.load(listed)
        for each in listed:
            state = self.feed.states.get(each.symbol)
            if not each.trading:
                self.feed.state(each.symbol, FeedState.HALTED, "the venue does not trade it now")
            elif state is not None and state[0] is FeedState.HALTED:
                self.feed.state(each.symbol, FeedState.LIVE, "it trades again")

    async def _stay_armed(self, after_s: int, again_s: float) -> None:
        while True:
            await asyncio.sleep(again_s)
            try:
                again_s = await self.dialect.cancel_on_disconnect(after_s) or again_s
            except (VenueUnavailable, BudgetSpent, Refusal) as error:
                log.warning("%s: dead-man switch not renewed (%s)", self.profile.venue, error)
                again_s = 1.0

    def _needs_keys(self) -> None:
        if self.context.credentials is None:
            raise Unsupported(f"no key for {self.profile.venue}: add one to the vault")

    async def _asked(self, call: Awaitable[T]) -> T:
        """A query's answer; a refused query is not an empty one."""
        try:
            return await call
        except Refusal as error:
            raise VenueUnavailable(f"{error.venue_code} {error.message}".strip()) from error
        except BudgetSpent as error:
            raise VenueUnavailable(str(error)) from error
