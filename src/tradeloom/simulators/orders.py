"""Orders, fills and refusals as a simulated exchange knows them, before any venue's dialect.

Prices are mantissas with the instrument's digits, sizes 1e-8 of the instrument's unit, money 1e-8
of a currency, times UTC nanoseconds.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Any

import msgspec

from tradeloom.domain.enums import Side


def opposite(side: Side) -> Side:
    """The other side."""
    return Side.SELL if side is Side.BUY else Side.BUY


class OrderKind(Enum):
    """How an order takes its price."""

    LIMIT = auto()
    MARKET = auto()


class Force(Enum):
    """How long an order lives."""

    GTC = auto()  # until cancelled, or until `expires_ns`
    IOC = auto()  # what fills at once, the rest expires
    FOK = auto()  # everything at once or nothing


class Status(Enum):
    """Where an order stands."""

    WAITING = auto()  # a stop that was not triggered
    NEW = auto()
    PARTIALLY_FILLED = auto()
    FILLED = auto()
    CANCELED = auto()
    EXPIRED = auto()

    @property
    def open(self) -> bool:
        """Whether it can still fill."""
        return self in (Status.WAITING, Status.NEW, Status.PARTIALLY_FILLED)


class Reason(Enum):
    """Why an order was refused, or why it ended; each dialect has its own code for it."""

    NONE = auto()
    UNKNOWN_SYMBOL = auto()
    HALTED = auto()
    BAD_PRICE = auto()  # not a multiple of the tick, or not positive
    BAD_SIZE = auto()  # not a multiple of the step, or outside minimum and maximum
    TOO_SMALL = auto()  # below the minimum notional
    BAD_ORDER = auto()  # a combination that makes no sense
    BALANCE = auto()
    MARGIN = auto()
    WOULD_TAKE = auto()  # post-only, but it crosses
    WOULD_TRIGGER = auto()  # a stop on the wrong side of the market
    DUPLICATE_CLIENT_ID = auto()
    UNKNOWN_ORDER = auto()
    NOT_OPEN = auto()
    NOT_SMALLER = auto()  # an amendment that must reduce does not
    REDUCE_ONLY = auto()
    NO_LIQUIDITY = auto()  # a market order found nothing to trade with
    NOT_FILLED = auto()  # the rest of an IOC, FOK or market order
    TOO_MANY = auto()
    SELF_TRADE = auto()
    BY_CLIENT = auto()
    BY_VENUE = auto()  # cancel-on-disconnect, dead-man switch, expiry, administration
    LIQUIDATION = auto()


class Refused(Exception):  # noqa: N818 - the word of the trade
    """The exchange did not accept a command; nothing changed."""

    def __init__(self, reason: Reason, text: str, order: Order | None = None) -> None:
        super().__init__(text)
        self.reason = reason
        self.order = order


class NewOrder(msgspec.Struct, kw_only=True):
    """An order as a client asks for it.

    A positive `quote_amount` (money) replaces `size` on market orders. A positive `stop_price`
    makes it wait until the last price is at or past it: rising when `stop_rising`, else falling;
    `trail_ppm` lets the stop follow the market. `note` is the dialect's own: it comes back on the
    order untouched. `position` is "" in one-way mode, else "LONG" or "SHORT".
    """

    symbol: str
    side: Side
    kind: OrderKind = OrderKind.LIMIT
    size: int = 0
    price: int = 0
    force: Force = Force.GTC
    post_only: bool = False
    reduce_only: bool = False
    quote_amount: int = 0
    stop_price: int = 0
    stop_rising: bool = False
    trail_ppm: int = 0
    expires_ns: int = 0
    client_id: str = ""
    position: str = ""
    note: dict[str, Any] = {}


class Order(msgspec.Struct, kw_only=True):
    """An accepted order; it changes until its status is no longer open.

    `cost` is the money traded so far. `seq` numbers its events from 1. `ahead` is the outside size
    before it in the queue of its price.
    """

    id: int
    account: str
    asked: NewOrder
    client_id: str
    symbol: str
    side: Side
    kind: OrderKind
    price: int
    size: int
    created_ns: int
    updated_ns: int
    status: Status = Status.NEW
    filled: int = 0
    cost: int = 0
    fees: int = 0
    fee_asset: str = ""
    reason: Reason = Reason.NONE
    stop_price: int = 0
    triggered: bool = False
    locked: int = 0
    ahead: int = 0
    seq: int = 0
    amended: int = 0

    @property
    def left(self) -> int:
        """The size that has not filled."""
        return self.size - self.filled


class Fill(msgspec.Struct, frozen=True, kw_only=True):
    """One side of one trade; `fee` and `realised` are money, a negative fee is a rebate."""

    trade_id: int
    order_id: int
    client_id: str
    account: str
    symbol: str
    side: Side
    price: int
    size: int
    cost: int
    maker: bool
    fee: int
    fee_asset: str
    realised: int
    ts_ns: int
    position: str = ""


class Change(Enum):
    """What happened to an order."""

    NEW = auto()
    TRADE = auto()
    CANCELED = auto()
    EXPIRED = auto()
    AMENDED = auto()
    TRIGGERED = auto()


class OrderEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Something happened to an order; `order` is a copy of it as it was right after."""

    change: Change
    order: Order
    fill: Fill | None
    ts_ns: int


class BalanceEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Balances of an account changed: the assets, and why in a word (trade, deposit, funding…)."""

    account: str
    assets: tuple[str, ...]
    symbols: tuple[str, ...]  # of positions that changed with them
    cause: str
    ts_ns: int
    amount: int = 0  # money that came or went by itself (funding, a deposit)


AccountEvent = OrderEvent | BalanceEvent
