"""What Binance sends. Numbers of quotes and trades become floats at once (see `scaling`)."""

from __future__ import annotations

from decimal import Decimal
from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")


class Combined(msgspec.Struct, Generic[T], gc=False):
    """A frame of a combined stream; the stream's name is read before decoding."""

    data: T


class DepthSnapshot(msgspec.Struct):
    """The book by REST; `E` on futures only."""

    lastUpdateId: int  # noqa: N815
    bids: list[tuple[float, float]]
    asks: list[tuple[float, float]]
    E: int = 0


class MarkPrice(msgspec.Struct, gc=False):
    """Funding rate `r`, next funding time `T`, mark `p`, index `i`."""

    E: int
    p: float
    i: float
    r: Decimal
    T: int


class Filter(msgspec.Struct, rename="camel"):
    """One filter of a symbol; which fields are there depends on its type."""

    filter_type: str
    tick_size: str = "0"
    step_size: str = "0"
    min_qty: str = "0"
    max_qty: str = "0"
    min_notional: str = ""
    notional: str = ""


class Symbol(msgspec.Struct, rename="camel"):
    """One symbol of exchangeInfo, spot and futures."""

    symbol: str
    status: str
    base_asset: str
    quote_asset: str
    filters: list[Filter]
    contract_type: str = ""
    margin_asset: str = ""


class Limit(msgspec.Struct, rename="camel"):
    """A published rate limit."""

    rate_limit_type: str
    interval: str
    interval_num: int
    limit: int


class ExchangeInfo(msgspec.Struct, rename="camel"):
    """Symbols and limits."""

    symbols: list[Symbol]
    rate_limits: list[Limit] = []


class Failure(msgspec.Struct):
    """An error as REST and sockets tell it."""

    code: int
    msg: str = ""


class ApiReply(msgspec.Struct):
    """A reply of the socket API."""

    id: str | int | None = None
    status: int = 0
    result: msgspec.Raw = msgspec.Raw()
    error: Failure | None = None
    event: Kind | None = None
    e: str = ""

    @property
    def shutdown(self) -> bool:
        """Whether this is no reply, but the news that the server is about to go away."""
        return "serverShutdown" in (self.e, self.event.e if self.event is not None else "")


class Event(msgspec.Struct):
    """A private event of the socket API."""

    event: msgspec.Raw


class Kind(msgspec.Struct):
    """Which event a frame is."""

    e: str


class ExecutionReport(msgspec.Struct):
    """An order changed (spot); the same letters hold for futures, inside `o`."""

    s: str
    c: str
    S: str
    o: str
    f: str
    q: Decimal
    p: Decimal
    X: str
    x: str
    i: int
    l: Decimal  # noqa: E741
    z: Decimal
    L: Decimal
    T: int
    t: int = -1
    m: bool = False
    n: Decimal | None = None
    N: str | None = None
    C: str = ""
    Z: Decimal = Decimal(0)
    ap: Decimal = Decimal(0)
    r: str = ""


class OrderUpdate(msgspec.Struct):
    """ORDER_TRADE_UPDATE."""

    T: int
    o: msgspec.Raw


class TradeLite(msgspec.Struct):
    """TRADE_LITE: a fill before its full report."""

    s: str
    c: str
    S: str
    L: Decimal
    l: Decimal  # noqa: E741
    t: int
    i: int
    m: bool
    T: int


class Money(msgspec.Struct):
    """A balance of spot: free and locked."""

    a: str
    f: Decimal
    l: Decimal  # noqa: E741


class AccountPosition(msgspec.Struct):
    """outboundAccountPosition."""

    u: int
    B: list[Money]


class FuturesMoney(msgspec.Struct):
    """A balance of futures: wallet and cross wallet."""

    a: str
    wb: Decimal
    cw: Decimal


class FuturesPosition(msgspec.Struct):
    """A position of futures; `ps` tells hedge sides apart."""

    s: str
    pa: Decimal
    ep: Decimal
    up: Decimal = Decimal(0)
    ps: str = "BOTH"


class AccountChange(msgspec.Struct):
    """The inside of ACCOUNT_UPDATE."""

    B: list[FuturesMoney] = []
    P: list[FuturesPosition] = []


class AccountUpdate(msgspec.Struct):
    """ACCOUNT_UPDATE."""

    T: int
    a: AccountChange


class Fill(msgspec.Struct, rename="camel"):
    """A fill inside a FULL answer."""

    price: Decimal
    qty: Decimal
    commission: Decimal
    commission_asset: str
    trade_id: int


class OrderReply(msgspec.Struct, rename="camel"):
    """An order as answers and queries tell it, spot and futures."""

    symbol: str
    order_id: int
    client_order_id: str
    price: Decimal = Decimal(0)
    orig_qty: Decimal = Decimal(0)
    executed_qty: Decimal = Decimal(0)
    cummulative_quote_qty: Decimal = Decimal(0)
    avg_price: Decimal = Decimal(0)
    status: str = "NEW"
    time_in_force: str = "GTC"
    type: str = "LIMIT"
    side: str = "BUY"
    fills: list[Fill] = []
    transact_time: int = 0
    update_time: int = 0
    time: int = 0
    orig_client_order_id: str = ""


class MyTrade(msgspec.Struct, rename="camel"):
    """An execution of the account."""

    symbol: str
    id: int
    order_id: int
    price: Decimal
    qty: Decimal
    commission: Decimal
    commission_asset: str
    time: int
    is_buyer: bool | None = None
    is_maker: bool | None = None
    buyer: bool | None = None
    maker: bool | None = None
    side: str = ""


class Balance(msgspec.Struct, rename="camel"):
    """A balance of spot by REST."""

    asset: str
    free: Decimal
    locked: Decimal


class Account(msgspec.Struct, rename="camel"):
    """The spot account."""

    balances: list[Balance]


class FuturesAsset(msgspec.Struct, rename="camel"):
    """An asset of the futures account."""

    asset: str
    wallet_balance: Decimal
    available_balance: Decimal = Decimal(0)


class FuturesAccount(msgspec.Struct, rename="camel"):
    """The futures account."""

    assets: list[FuturesAsset]


class PositionRisk(msgspec.Struct, rename="camel"):
    """A futures position by REST."""

    symbol: str
    position_amt: Decimal
    entry_price: Decimal
    un_realized_profit: Decimal = Decimal(0)
