"""What Bybit sends, apart from quotes, trades and books of its sockets, read without structs.
Numbers of orders and money stay texts, because Bybit writes "" where there is none.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")


class Levels(msgspec.Struct):
    """A book by REST: bids, asks, update id."""

    s: str
    b: list[tuple[float, float]]
    a: list[tuple[float, float]]
    u: int
    ts: int = 0


class Ticker(msgspec.Struct, rename="camel"):
    """`tickers.*` of a perpetual: a delta carries what changed."""

    symbol: str
    mark_price: str = ""
    index_price: str = ""
    funding_rate: str = ""
    next_funding_time: str = ""


class TickerFrame(msgspec.Struct):
    """`tickers.*`."""

    ts: int
    data: Ticker


class Envelope(msgspec.Struct):
    """What kind of frame it is: a topic, or an answer to something we sent."""

    topic: str = ""
    op: str = ""
    success: bool | None = None
    ret_msg: str = ""
    req_id: str = ""
    ret_code: int | None = msgspec.field(default=None, name="retCode")
    message: str = msgspec.field(default="", name="retMsg")
    request_id: str = msgspec.field(default="", name="reqId")


class Rows(msgspec.Struct, Generic[T]):
    """A private frame: rows of one topic."""

    data: list[T]


class Page(msgspec.Struct, Generic[T], rename="camel"):
    """A result with a list, and where it goes on."""

    rows: list[T] = msgspec.field(name="list")
    next_page_cursor: str = ""


class Answer(msgspec.Struct, rename="camel"):
    """The envelope of every REST answer; codes are numbers, in old answers texts."""

    ret_code: int
    ret_msg: str = ""
    result: msgspec.Raw = msgspec.Raw(b"{}")


class Command(msgspec.Struct, rename="camel"):
    """The answer of the order socket."""

    ret_code: int
    ret_msg: str = ""
    data: msgspec.Raw = msgspec.Raw(b"{}")


class Ids(msgspec.Struct, rename="camel"):
    """What an order call answers."""

    order_id: str = ""
    order_link_id: str = ""


class Order(msgspec.Struct, rename="camel"):
    """An order, by REST and by the private socket."""

    order_id: str
    symbol: str
    side: str
    order_status: str
    order_link_id: str = ""
    order_type: str = "Limit"
    price: str = ""
    qty: str = ""
    time_in_force: str = "GTC"
    avg_price: str = ""
    cum_exec_qty: str = ""
    cum_exec_value: str = ""
    cancel_type: str = ""
    reject_reason: str = ""
    market_unit: str = ""
    stop_order_type: str = ""
    updated_time: str = "0"
    category: str = ""


class Execution(msgspec.Struct, rename="camel"):
    """An execution; where the fee's currency is not told it is what spot trades receive."""

    symbol: str
    side: str
    order_id: str
    exec_id: str
    exec_price: Decimal
    exec_qty: Decimal
    exec_time: str
    order_link_id: str = ""
    exec_fee: str = ""
    fee_currency: str = ""
    fee_coin: str = ""
    is_maker: bool | None = None
    exec_type: str = "Trade"
    category: str = ""


class Coin(msgspec.Struct, rename="camel"):
    """Money of one currency: `locked` waits in spot orders, initial margins are bound."""

    coin: str
    wallet_balance: str = ""
    locked: str = ""
    total_order_i_m: str = msgspec.field(default="", name="totalOrderIM")
    total_position_i_m: str = msgspec.field(default="", name="totalPositionIM")


class Wallet(msgspec.Struct, rename="camel"):
    """A unified account."""

    coin: list[Coin]


class Position(msgspec.Struct, rename="camel"):
    """A position; `avgPrice` by REST, `entryPrice` by socket."""

    symbol: str
    side: str
    size: str
    avg_price: str = ""
    entry_price: str = ""
    unrealised_pnl: str = ""
    updated_time: str | int = "0"
    category: str = ""


class PriceFilter(msgspec.Struct, rename="camel"):
    """The price step."""

    tick_size: str


class LotFilter(msgspec.Struct, rename="camel"):
    """Size steps and bounds; spot and perpetuals name them differently."""

    min_order_qty: str = "0"
    base_precision: str = ""
    qty_step: str = ""
    max_limit_order_qty: str = ""
    max_order_qty: str = ""
    min_order_amt: str = ""
    min_notional_value: str = ""


class Instrument(msgspec.Struct, rename="camel"):
    """One instrument."""

    symbol: str
    status: str
    base_coin: str
    quote_coin: str
    price_filter: PriceFilter
    lot_size_filter: LotFilter
    settle_coin: str = ""
    contract_type: str = ""


class Notice(msgspec.Struct, rename="camel"):
    """A maintenance window."""

    title: str = ""
    state: str = ""


class ServerTime(msgspec.Struct, rename="camel"):
    """The clock, in ns."""

    time_nano: str


class Kline(msgspec.Struct, array_like=True):
    """A bar: start, open, high, low, close, volume."""

    start: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
