"""What a venue adds to the shared connector: its protocol, and nothing else.

A dialect translates. It decodes market frames into events (`market_frame`), private frames into
updates (`private_frame`), and order calls into the venue's calls. Connections, resubscription,
resync, quarantine, intents, unresolved orders, reconciliation and rate budgets are the shared
connector's. How an order call may end:

- return `Placed` (the venue has it; fills that came with the answer included)
- raise `Refusal` (the venue said no: nothing rests there)
- raise `rest.NotSent` or `budgets.BudgetSpent` (never left)
- raise anything else of `VenueUnavailable` (unresolved); a 5xx, 408 or a venue's own "timeout,
  status unknown" code must become `rest.NoAnswer`
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, Protocol

from tradeloom.connectors.clock import VenueClock
from tradeloom.connectors.contract import (
    Amendment,
    OrderRequest,
    Unsupported,
    VenueBalance,
    VenueFill,
    VenueOrder,
    VenuePosition,
)
from tradeloom.connectors.instruments import Listing, Listings
from tradeloom.connectors.link import Link, LinkPlan
from tradeloom.connectors.profile import Credentials, Profile
from tradeloom.connectors.rest import Rest
from tradeloom.domain.enums import ReturnCode
from tradeloom.domain.market import (
    BookDelta,
    BookQuote,
    FeedState,
    Funding,
    HistoricBar,
    Topic,
    TradeTick,
    VenueInstrument,
)


class Refusal(Exception):  # noqa: N818
    """The venue refused: `venue_code` and `message` are its own, `code` and `field` are ours."""

    def __init__(
        self,
        venue_code: str,
        message: str,
        code: ReturnCode = ReturnCode.ERR_PARAMS,
        field: str = "",
    ) -> None:
        super().__init__(message)
        self.venue_code = venue_code
        self.message = message
        self.code = code
        self.field = field


class NoSuchOrder(Refusal):
    """The venue has no order of this id."""

    def __init__(self, venue_code: str, message: str) -> None:
        super().__init__(venue_code, message, ReturnCode.ERR_NOTFOUND, "order")


class OddFrame(Exception):  # noqa: N818
    """A frame that is malformed or unknown; `kind` groups it for counting and the one log line."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Placed:
    """The venue has the order. `order` and `fills` are what its answer already told, if it did."""

    venue_order_id: str = ""
    order: VenueOrder | None = None
    fills: Sequence[VenueFill] = ()


class MarketOut(Protocol):
    """Where a dialect puts what it decoded."""

    def quote(self, event: BookQuote, listing: Listing) -> None:
        """A best bid and ask."""

    def trade(self, event: TradeTick) -> None:
        """A trade."""

    def depth(self, event: BookDelta, listing: Listing) -> None:
        """A snapshot or delta of a book, as the venue sent it; the keeper checks its sequence."""

    def funding(self, event: Funding) -> None:
        """Funding."""

    def state(self, symbol: str, state: FeedState, reason: str) -> None:
        """The venue said something about a symbol."""

    def gap(self, symbol: str, why: str) -> None:
        """The dialect noticed a loss itself: resync this symbol once."""

    def reconnect(self, why: str) -> None:
        """The venue asked for a new connection."""

    def ignored(self, kind: str) -> None:
        """A known frame that carries nothing for us: counted."""


class AccountOut(Protocol):
    """Where a dialect puts what the private stream told."""

    def order(self, order: VenueOrder) -> None:
        """An order as it is now. An empty `client_id` is one we did not make."""

    def fill(self, fill: VenueFill) -> None:
        """An execution; doubles are fine, they are booked once."""

    def balance(self, balance: VenueBalance) -> None:
        """Money of one currency."""

    def position(self, position: VenuePosition) -> None:
        """A position."""

    def reconcile(self, why: str) -> None:
        """The stream ended or skipped: compare with the venue."""

    def reconnect(self, why: str) -> None:
        """A new private connection is needed."""

    def ignored(self, kind: str) -> None:
        """A known frame that carries nothing for us: counted."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a dialect works with."""

    urls: Mapping[str, str]
    listings: Listings
    rest: Rest
    clock: VenueClock
    credentials: Credentials | None
    options: Mapping[str, str]

    @property
    def account(self) -> str:
        """Our name of the account; empty without keys."""
        return self.credentials.account if self.credentials else ""


Wanted = Mapping[str, frozenset[Topic]]
"""Symbol -> topics that somebody wants."""


@dataclass(frozen=True, slots=True)
class BookRule:
    """How a venue's book is held together.

    `rest_snapshot`: deltas go on top of a snapshot that is fetched (else the stream sends one).
    `depth`: levels kept a side, 0 for all. `quotes`: best bid and ask come from the book, as the
    venue has no feed of its own for them. `checksum`: `checksum_fails` is asked after each event.
    """

    rest_snapshot: bool = False
    depth: int = 0
    quotes: bool = False
    checksum: bool = False


class Dialect(ABC):
    """A venue's protocol on a `Context`."""

    profile: ClassVar[Profile]
    book_rule: ClassVar[BookRule] = BookRule()
    compare_every_s: ClassVar[float | None] = None  # a venue without a private stream is polled

    def __init__(self, context: Context) -> None:
        self.context: Final = context
        self.venue: Final = self.profile.venue

    # -- market ----------------------------------------------------------------------------------

    @abstractmethod
    async def load_instruments(self) -> list[VenueInstrument]:
        """What the venue lists. Raises VenueUnavailable."""

    @abstractmethod
    async def fetch_book(self, listing: Listing, depth: int) -> BookDelta:
        """The book now, by REST or request, as a snapshot. Raises VenueUnavailable."""

    async def fetch_bars(
        self, listing: Listing, interval_s: int, since_ns: int, until_ns: int
    ) -> list[HistoricBar]:
        """Finished bars; raises VenueUnavailable, Unsupported."""
        raise Unsupported(f"{self.venue} offers no history of bars")

    @abstractmethod
    def market_links(self, wanted: Wanted) -> list[LinkPlan]:
        """The sockets that carry these topics. A plan equal to one in use keeps its connection."""

    @abstractmethod
    def subscriptions(self, plan: LinkPlan, wanted: Wanted) -> list[str]:
        """The streams of `wanted` that belong on this link, in order, one name each."""

    @abstractmethod
    def subscribe(self, plan: LinkPlan, names: Sequence[str]) -> list[str]:
        """Frames that subscribe to these names, in order, within the venue's sizes."""

    @abstractmethod
    def unsubscribe(self, plan: LinkPlan, names: Sequence[str]) -> list[str]:
        """Frames that undo it."""

    def symbols_on(self, plan: LinkPlan, wanted: Wanted) -> list[str]:
        """The symbols that go stale when this link is lost."""
        return list(wanted)

    async def open_market(self, link: Link) -> None:
        """What must happen on a market link before subscribing (heartbeat set-up, log-in)."""
        return

    @abstractmethod
    def market_frame(self, data: str | bytes, recv_ns: int, out: MarketOut, link: Link) -> None:
        """Decode one frame. Raises OddFrame; decoder and number errors may pass through."""

    def follow(self, wanted: Wanted, out: MarketOut) -> None:
        """What is wanted now, and where its events go: for venues whose one socket carries the
        account and the market. Their `market_links` is empty, and they subscribe by themselves.
        """
        return

    def follows(self, last: BookDelta, delta: BookDelta) -> bool:
        """Whether a delta continues the book at `last` (the newest applied event)."""
        if delta.previous >= 0:
            return delta.previous == last.seq
        return delta.first_seq <= last.seq + 1

    def too_old(self, snapshot: BookDelta, delta: BookDelta) -> bool:
        """Whether a delta is already contained in the book: sent twice, late, or buffered."""
        return delta.seq <= snapshot.seq and delta.previous != snapshot.seq

    def joins(self, snapshot: BookDelta, delta: BookDelta) -> bool:
        """Whether this is the first delta to apply on top of a fetched snapshot."""
        return delta.first_seq <= snapshot.seq + 1 <= delta.seq

    def checksum_fails(
        self, delta: BookDelta, bids: Sequence[tuple[int, int]], asks: Sequence[tuple[int, int]]
    ) -> str:
        """Why the book (best level first) contradicts the venue's checksum; empty if it holds."""
        return ""

    # -- account ---------------------------------------------------------------------------------

    def private_links(self) -> list[LinkPlan]:
        """The sockets of the account; the first one's loss means reconciling."""
        return []

    async def address(self, plan: LinkPlan) -> str:
        """Where a private link connects to, asked before each connection (keys in the address)."""
        return plan.url

    async def open_private(self, link: Link) -> None:
        """Log in and subscribe. Raises LoginRefused, VenueUnavailable."""
        return

    def private_frame(self, data: str | bytes, recv_ns: int, out: AccountOut, link: Link) -> None:
        """Decode one private frame. Raises OddFrame; decoder errors may pass through."""
        raise OddFrame("private frame")

    def private_lost(self, why: str) -> None:
        """A private link went down; it comes back by itself."""
        return

    def expect(self, wire_id: str, order: VenueOrder) -> None:
        """An order of ours that is open as far as we know, before the venue is compared: for
        venues that keep no client id, and find orders by what they are.
        """
        return

    async def keep_private(self) -> float:
        """Housekeeping such as renewing tokens; returns seconds until it wants to run again."""
        return 3_600.0

    def bind(self, links: Mapping[str, Link]) -> None:
        """The open private links by name, for venues whose orders go over a socket."""
        return

    def wire_id(self, client_id: str) -> str:
        """The client id as the venue takes it; a pure function, so that it survives restarts."""
        return client_id

    @abstractmethod
    async def place(self, request: OrderRequest, listing: Listing, wire_id: str) -> Placed:
        """Send the order. Ends as the module says."""

    @abstractmethod
    async def amend(
        self, change: Amendment, order: VenueOrder, listing: Listing, wire_id: str
    ) -> Placed:
        """Change a working order. Raises Unsupported where only cancel and new would do."""

    @abstractmethod
    async def cancel(self, order: VenueOrder, listing: Listing, wire_id: str) -> Placed:
        """Ask for cancellation. Raises NoSuchOrder when it is not open."""

    async def cancel_every(self, listing: Listing | None) -> bool:
        """Cancel all open orders in one call; False where the venue has none (one by one then)."""
        return False

    @abstractmethod
    async def query(
        self, listing: Listing, wire_id: str, venue_order_id: str
    ) -> tuple[VenueOrder, Sequence[VenueFill]]:
        """One order by id. Raises NoSuchOrder, VenueUnavailable."""

    @abstractmethod
    async def open_orders(self) -> list[VenueOrder]:
        """Everything that works. Raises VenueUnavailable."""

    @abstractmethod
    async def fills(self, since_ns: int, listings: Sequence[Listing]) -> list[VenueFill]:
        """Executions since then; venues that must be asked by symbol are given the symbols."""

    async def positions(self) -> list[VenuePosition]:
        """Open positions; spot venues have none."""
        return []

    @abstractmethod
    async def balances(self) -> list[VenueBalance]:
        """Money. Raises VenueUnavailable."""

    async def cancel_on_disconnect(self, after_s: int | None) -> float | None:
        """Arm or disarm the venue's dead-man switch; seconds until it must be armed again."""
        raise Unsupported(f"{self.venue} has no cancel-on-disconnect")

    # -- admin -----------------------------------------------------------------------------------

    @abstractmethod
    async def server_time(self) -> tuple[int, int, int]:
        """Our clock before, the venue's, our clock after, in ns. Raises VenueUnavailable."""

    async def close(self) -> None:
        """End what runs beside the connections."""
        return

    async def maintenance(self) -> str:
        """Why the venue does not trade now, in its words; empty when it does."""
        return ""
