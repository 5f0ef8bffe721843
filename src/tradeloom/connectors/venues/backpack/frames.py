"""What Backpack sends, as types. Numbers are text there, and sometimes numbers."""

from __future__ import annotations

from decimal import Decimal
from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")


class Streamed(msgspec.Struct, Generic[T]):
    """A frame of a stream."""

    data: T


class MarkPrice(msgspec.Struct):
    """Mark, index and funding; `n` is the next charge in µs (ms in older frames)."""

    p: float
    f: Decimal
    i: float = 0.0
    n: int = 0
    E: int = 0


class Error(msgspec.Struct):
    """Why a frame of ours was refused."""

    code: int = 0
    message: str = ""


class Any(msgspec.Struct):
    """Anything else."""

    stream: str = ""
    id: int | str | None = None
    error: Error | None = None
    data: msgspec.Raw = msgspec.Raw(b"null")


class OrderUpdate(msgspec.Struct):
    """`account.orderUpdate`."""

    e: str
    s: str
    i: str | int
    S: str
    X: str
    o: str = "LIMIT"
    c: int | str | None = None
    f: str = "GTC"
    q: Decimal | None = None
    p: Decimal | None = None
    z: Decimal | None = None
    Z: Decimal | None = None
    t: int | str | None = None
    l: Decimal | None = None  # noqa: E741 - the venue's name
    L: Decimal | None = None
    m: bool | None = None
    n: Decimal | None = None
    N: str | None = None
    R: str | None = None
    P: Decimal | None = None
    T: int = 0
    E: int = 0


class PositionUpdate(msgspec.Struct):
    """`account.positionUpdate`; `q` is negative when short. Snapshots have no `e`."""

    s: str
    q: Decimal
    B: Decimal | None = None
    P: Decimal | None = None
    e: str = ""
    T: int = 0


class BalanceUpdate(msgspec.Struct):
    """`account.balanceUpdate`: absolute amounts of one asset."""

    a: str
    A: Decimal
    L: Decimal
    S: Decimal = Decimal(0)
    E: int = 0


class PriceFilter(msgspec.Struct, rename="camel"):
    """Steps of the price."""

    tick_size: Decimal


class QuantityFilter(msgspec.Struct, rename="camel"):
    """Steps and bounds of the quantity."""

    step_size: Decimal
    min_quantity: Decimal | None = None
    max_quantity: Decimal | None = None


class Filters(msgspec.Struct):
    """What an order must keep to."""

    price: PriceFilter
    quantity: QuantityFilter


class Market(msgspec.Struct, rename="camel"):
    """One listed market."""

    symbol: str
    base_symbol: str
    quote_symbol: str
    market_type: str
    filters: Filters
    order_book_state: str = "Open"


class Snapshot(msgspec.Struct, rename="camel"):
    """`/api/v1/depth`; the lists ascend."""

    asks: list[tuple[float, float]]
    bids: list[tuple[float, float]]
    last_update_id: int
    timestamp: int = 0


class Kline(msgspec.Struct):
    """A bar; `start` is UTC without saying so."""

    start: str
    open: Decimal | None
    high: Decimal | None
    low: Decimal | None
    close: Decimal | None
    volume: Decimal


class Order(msgspec.Struct, rename="camel"):
    """An order by REST."""

    id: str
    symbol: str
    side: str
    status: str
    order_type: str = "Limit"
    client_id: int | None = None
    quantity: Decimal | None = None
    trigger_quantity: Decimal | None = None
    executed_quantity: Decimal | None = None
    executed_quote_quantity: Decimal | None = None
    price: Decimal | None = None
    trigger_price: Decimal | None = None
    time_in_force: str = "GTC"
    expiry_reason: str | None = None
    created_at: int | str = 0


class Fill(msgspec.Struct, rename="camel"):
    """One of our executions; `timestamp` is UTC without saying so."""

    order_id: str
    symbol: str
    side: str
    price: Decimal
    quantity: Decimal
    timestamp: str
    trade_id: int | str | None = None
    fee: Decimal = Decimal(0)
    fee_symbol: str = ""
    is_maker: bool | None = None
    client_id: str | int | None = None


class Capital(msgspec.Struct):
    """Money of one asset."""

    available: Decimal
    locked: Decimal
    staked: Decimal = Decimal(0)


class Position(msgspec.Struct, rename="camel"):
    """An open position."""

    symbol: str
    net_quantity: Decimal
    entry_price: Decimal | None = None
    pnl_unrealized: Decimal | None = None


class Status(msgspec.Struct):
    """`/api/v1/status`."""

    status: str = "Ok"
    message: str | None = None
