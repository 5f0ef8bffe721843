"""What Kraken sends. Prices of the market become floats at once where those keep every digit (see
`scaling`); money stays exact."""

from __future__ import annotations

from decimal import Decimal

import msgspec


class Ticker(msgspec.Struct, gc=False):
    """Best bid and ask."""

    symbol: str
    bid: float
    bid_qty: float
    ask: float
    ask_qty: float
    timestamp: str = ""


class Tickers(msgspec.Struct, gc=False):
    """A frame of the ticker channel."""

    data: list[Ticker]


class Trade(msgspec.Struct, gc=False):
    """A trade; `side` is the taker's, ids count up by one within a pair."""

    symbol: str
    side: str
    price: float
    qty: float
    trade_id: int
    timestamp: str


class Trades(msgspec.Struct, gc=False):
    """A frame of the trade channel; the snapshot holds the last fifty."""

    type: str
    data: list[Trade]


class BookLevel(msgspec.Struct, gc=False):
    """A level with its whole size; 0 removes it."""

    price: float
    qty: float


class Book(msgspec.Struct):
    """Levels of one pair, and the checksum of the best ten a side after them."""

    symbol: str
    bids: list[BookLevel]
    asks: list[BookLevel]
    checksum: int
    timestamp: str = ""


class Books(msgspec.Struct):
    """A frame of the book channel."""

    type: str
    data: list[Book]


class ExactLevel(msgspec.Struct):
    """A level with every digit that was written."""

    price: Decimal
    qty: Decimal


class ExactBook(msgspec.Struct):
    """The levels of one pair."""

    bids: list[ExactLevel]
    asks: list[ExactLevel]


class ExactBooks(msgspec.Struct):
    """A frame of the book channel whose sizes have too many digits for floats."""

    data: list[ExactBook]


class Envelope(msgspec.Struct):
    """Any frame: a channel's news, or the answer to a request."""

    channel: str = ""
    type: str = ""
    data: msgspec.Raw = msgspec.Raw(b"[]")
    sequence: int = 0
    method: str = ""
    success: bool = True
    error: str | None = None
    symbol: str = ""
    req_id: int | None = None
    result: msgspec.Raw = msgspec.Raw(b"{}")


class Status(msgspec.Struct):
    """The system: online, cancel_only, post_only, limit_only or maintenance."""

    system: str


class Fee(msgspec.Struct):
    """A fee that was paid."""

    asset: str
    qty: Decimal


class Execution(msgspec.Struct):
    """What happened to an order; fields that did not change are left out."""

    order_id: str
    exec_type: str
    cl_ord_id: str | None = None
    symbol: str = ""
    side: str = ""
    order_type: str = ""
    order_status: str = ""
    order_qty: Decimal | None = None
    limit_price: Decimal | None = None
    time_in_force: str = ""
    cum_qty: Decimal | None = None
    cum_cost: Decimal | None = None
    avg_price: Decimal | None = None
    exec_id: str = ""
    last_qty: Decimal | None = None
    last_price: Decimal | None = None
    liquidity_ind: str = ""
    fees: list[Fee] = []
    timestamp: str = ""
    reason: str | None = None


class Wallet(msgspec.Struct):
    """A part of a balance."""

    type: str
    balance: Decimal


class Balance(msgspec.Struct):
    """Money of one asset: with wallets in the snapshot, after an entry in updates."""

    asset: str
    balance: Decimal
    wallets: list[Wallet] = []
    wallet_type: str = "spot"
    timestamp: str = ""


class Placed(msgspec.Struct):
    """The result of add_order and amend_order."""

    order_id: str = ""
    cl_ord_id: str | None = None


class Answer(msgspec.Struct):
    """Every REST answer; `error` holds texts such as `EOrder:Unknown order`."""

    error: list[str] = []
    result: msgspec.Raw = msgspec.Raw(b"{}")


class Pair(msgspec.Struct):
    """A row of AssetPairs. Pairs of the dark pool have no `wsname`."""

    altname: str
    base: str
    quote: str
    pair_decimals: int
    lot_decimals: int
    wsname: str = ""
    ordermin: str = "0"
    costmin: str = "0"
    tick_size: str = ""
    status: str = "online"


class DepthSide(msgspec.Struct):
    """One pair of Depth."""

    bids: list[tuple[Decimal, Decimal, float]]
    asks: list[tuple[Decimal, Decimal, float]]


class ServerTime(msgspec.Struct):
    """Time, in whole seconds."""

    unixtime: int


class System(msgspec.Struct):
    """SystemStatus."""

    status: str


class Token(msgspec.Struct):
    """GetWebSocketsToken."""

    token: str
    expires: int = 900


class Terms(msgspec.Struct):
    """What was ordered; `price` may be an offset such as `+50.0000%`."""

    pair: str
    type: str
    ordertype: str
    price: str = "0"
    price2: str = "0"


class Order(msgspec.Struct):
    """An order by REST; `price` is the average."""

    status: str
    vol: Decimal
    vol_exec: Decimal
    descr: Terms
    price: Decimal = Decimal(0)
    opentm: float = 0.0
    closetm: float = 0.0
    expiretm: float = 0.0
    cl_ord_id: str | None = None
    reason: str | None = None
    trades: list[str] = []


class OpenOrders(msgspec.Struct):
    """OpenOrders."""

    open: dict[str, Order] = {}


class ClosedOrders(msgspec.Struct):
    """ClosedOrders."""

    closed: dict[str, Order] = {}


class MyTrade(msgspec.Struct):
    """An execution of the account; the fee is in the quote currency."""

    ordertxid: str
    pair: str
    time: float
    type: str
    price: Decimal
    vol: Decimal
    fee: Decimal = Decimal(0)
    maker: bool | None = None


class TradesHistory(msgspec.Struct):
    """A page of executions, the newest first."""

    trades: dict[str, MyTrade] = {}
    count: int = 0


class Holding(msgspec.Struct):
    """A row of BalanceEx."""

    balance: Decimal
    hold_trade: Decimal = Decimal(0)


class DeadMan(msgspec.Struct, rename="camel"):
    """The result of cancel_all_orders_after; the trigger is `0` when off."""

    current_time: str = ""
    trigger_time: str = ""
