"""What Deribit sends, as types."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import msgspec

# The venue writes its notifications in this order; another order only costs a slower look.
NOTIFICATION: Final = '{"jsonrpc":"2.0","method":"subscription","params":{"channel":"'
CHANNEL_AT: Final = len(NOTIFICATION)
QUOTE: Final = NOTIFICATION + "quote."
QUOTE_AT: Final = len(QUOTE)

RawLevel = tuple[str, float, float]


class TradeData(msgspec.Struct, gc=False):
    """One public trade."""

    trade_seq: int
    trade_id: str
    timestamp: int
    price: float
    amount: float
    direction: str
    instrument_name: str


class TradesParams(msgspec.Struct):
    """The parameters of a notification of trades."""

    data: list[TradeData]


class TradesFrame(msgspec.Struct):
    """Trades, oldest first."""

    params: TradesParams


class BookData(msgspec.Struct):
    """`book.I.raw` or `.100ms`: a snapshot first, then changes."""

    timestamp: int
    instrument_name: str
    change_id: int
    bids: list[RawLevel]
    asks: list[RawLevel]
    type: str = ""
    prev_change_id: int = -1


class BookParams(msgspec.Struct):
    """The parameters of a book's notification."""

    data: BookData


class BookFrame(msgspec.Struct):
    """A book event."""

    params: BookParams


class TickerData(msgspec.Struct):
    """`ticker.I`: marks and funding."""

    timestamp: int
    instrument_name: str
    state: str = "open"
    mark_price: float | None = None
    index_price: float | None = None
    current_funding: Decimal | None = None


class TickerParams(msgspec.Struct):
    """The parameters of a ticker's notification."""

    data: TickerData


class TickerFrame(msgspec.Struct):
    """A ticker."""

    params: TickerParams


class PlatformState(msgspec.Struct):
    """`platform_state`: a lock of one index, or of everything."""

    locked: bool | None = None
    maintenance: bool | None = None
    price_index: str = ""


class AnyParams(msgspec.Struct):
    """The parameters of any notification."""

    channel: str = ""
    type: str = ""
    data: msgspec.Raw = msgspec.Raw(b"null")


class RpcError(msgspec.Struct):
    """Why a call was refused; `data` holds reason, param or wait, in no fixed form."""

    code: int
    message: str = ""
    data: msgspec.Raw = msgspec.Raw(b"null")


class AnyFrame(msgspec.Struct):
    """A notification, a heartbeat or an answer."""

    id: int | str | None = None
    method: str = ""
    params: AnyParams | None = None
    result: msgspec.Raw = msgspec.Raw(b"null")
    error: RpcError | None = None


class Auth(msgspec.Struct):
    """The answer of `public/auth`."""

    access_token: str
    refresh_token: str
    expires_in: int
    scope: str = ""


class Instrument(msgspec.Struct):
    """One listed instrument."""

    instrument_name: str
    kind: str
    base_currency: str
    quote_currency: str
    tick_size: Decimal
    min_trade_amount: Decimal
    contract_size: Decimal
    settlement_period: str = ""
    settlement_currency: str = ""
    counter_currency: str = ""
    instrument_type: str = ""
    future_type: str = ""
    is_active: bool = True


class OrderBook(msgspec.Struct):
    """`public/get_order_book`."""

    timestamp: int
    instrument_name: str
    change_id: int
    bids: list[tuple[float, float]]
    asks: list[tuple[float, float]]


class Chart(msgspec.Struct):
    """`public/get_tradingview_chart_data`: columns, oldest first."""

    status: str
    ticks: list[int] = []
    open: list[Decimal] = []
    high: list[Decimal] = []
    low: list[Decimal] = []
    close: list[Decimal] = []
    volume: list[Decimal] = []
    cost: list[Decimal] = []


class Order(msgspec.Struct):
    """An order; `price` is a number or `market_price`."""

    order_id: str
    order_state: str
    instrument_name: str
    direction: str
    amount: Decimal | None = None
    filled_amount: Decimal | None = None
    average_price: Decimal | None = None
    price: msgspec.Raw = msgspec.Raw(b"null")
    order_type: str = "limit"
    time_in_force: str = "good_til_cancelled"
    label: str = ""
    last_update_timestamp: int = 0
    cancel_reason: str = ""
    reject_reason: str = ""


class UserTrade(msgspec.Struct):
    """One of our executions."""

    trade_id: str
    order_id: str
    instrument_name: str
    direction: str
    price: Decimal
    amount: Decimal
    timestamp: int
    fee: Decimal = Decimal(0)
    fee_currency: str = ""
    liquidity: str = ""
    label: str = ""


class Position(msgspec.Struct):
    """A position; `size` is negative when short."""

    instrument_name: str
    size: Decimal
    average_price: Decimal | None = None
    floating_profit_loss: Decimal | None = None
    direction: str = ""


class Changes(msgspec.Struct):
    """`user.changes`: what one event did to orders, trades and positions."""

    instrument_name: str = ""
    orders: list[Order] = []
    trades: list[UserTrade] = []
    positions: list[Position] = []


class Portfolio(msgspec.Struct):
    """`user.portfolio`, and one summary of the account."""

    currency: str
    balance: Decimal
    available_funds: Decimal


class Summaries(msgspec.Struct):
    """`private/get_account_summaries`."""

    summaries: list[Portfolio]


class Placement(msgspec.Struct):
    """The answer of buy, sell and edit."""

    order: Order
    trades: list[UserTrade] = []


class Trades(msgspec.Struct):
    """A page of our executions."""

    trades: list[UserTrade] = []
    has_more: bool = False


class Status(msgspec.Struct):
    """`public/status`."""

    locked: str | bool = "false"
    locked_indices: list[str] = []
    locked_currencies: list[str] = []


any_frame: Final = msgspec.json.Decoder(AnyFrame).decode
trades_frame: Final = msgspec.json.Decoder(TradesFrame).decode
book_frame: Final = msgspec.json.Decoder(BookFrame).decode
ticker_frame: Final = msgspec.json.Decoder(TickerFrame).decode
request_text: Final = msgspec.json.Encoder(decimal_format="number").encode
"""A request; decimals go out digit by digit as JSON numbers."""
auth: Final = msgspec.json.Decoder(Auth).decode
names: Final = msgspec.json.Decoder(list[str]).decode
platform_state: Final = msgspec.json.Decoder(PlatformState).decode
changes: Final = msgspec.json.Decoder(Changes).decode
orders: Final = msgspec.json.Decoder(list[Order]).decode
user_trades: Final = msgspec.json.Decoder(list[UserTrade]).decode
trades: Final = msgspec.json.Decoder(Trades).decode
portfolio: Final = msgspec.json.Decoder(Portfolio).decode
