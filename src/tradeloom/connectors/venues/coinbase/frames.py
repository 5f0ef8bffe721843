"""What Coinbase sends. Numbers are texts; prices of the market become floats at once."""

from __future__ import annotations

from decimal import Decimal

import msgspec


class Update(msgspec.Struct, gc=False):
    """A level with its whole size; 0 removes it."""

    side: str
    price_level: float
    new_quantity: float


class BookEvent(msgspec.Struct):
    """Levels of one product; the snapshot is the whole book."""

    type: str
    product_id: str
    updates: list[Update]


class Books(msgspec.Struct):
    """A frame of level2."""

    timestamp: str
    sequence_num: int
    events: list[BookEvent]


class Trade(msgspec.Struct, gc=False):
    """A trade."""

    trade_id: str
    product_id: str
    price: float
    size: float
    side: str
    time: str


class TradesEvent(msgspec.Struct):
    """Trades; the first event is a snapshot of recent ones."""

    type: str
    trades: list[Trade]


class Trades(msgspec.Struct):
    """A frame of market_trades."""

    sequence_num: int
    events: list[TradesEvent]


class Envelope(msgspec.Struct):
    """Any frame. Errors have a type and a message instead of a channel."""

    channel: str = ""
    type: str = ""
    message: str = ""
    sequence_num: int = -1
    timestamp: str = ""
    events: msgspec.Raw = msgspec.Raw(b"[]")


class UserOrder(msgspec.Struct):
    """An order on the user channel: cumulative figures, no fills."""

    order_id: str
    status: str
    product_id: str
    client_order_id: str = ""
    order_side: str = ""
    order_type: str = ""
    cumulative_quantity: str = "0"
    leaves_quantity: str = "0"
    avg_price: str = "0"
    limit_price: str = ""
    time_in_force: str = ""
    creation_time: str = ""
    cancel_reason: str = ""
    reject_reason: str = msgspec.field(default="", name="reject_Reason")


class UserEvent(msgspec.Struct):
    """Orders of the account."""

    type: str
    orders: list[UserOrder] = []


class Product(msgspec.Struct):
    """A product. `alias` names the product whose market data it shares (BTC-USDC: BTC-USD)."""

    product_id: str
    base_increment: str
    quote_increment: str
    base_currency_id: str
    quote_currency_id: str
    price_increment: str = ""
    base_min_size: str = "0"
    base_max_size: str = "0"
    quote_min_size: str = "0"
    status: str = ""
    product_type: str = "SPOT"
    is_disabled: bool = False
    trading_disabled: bool = False
    cancel_only: bool = False
    auction_mode: bool = False
    view_only: bool = False
    alias: str = ""


class Products(msgspec.Struct):
    """The list of products."""

    products: list[Product]


class BookLevel(msgspec.Struct):
    """A level by REST."""

    price: Decimal
    size: Decimal


class PriceBook(msgspec.Struct):
    """A book by REST."""

    bids: list[BookLevel]
    asks: list[BookLevel]
    time: str = ""


class ProductBook(msgspec.Struct):
    """product_book."""

    pricebook: PriceBook


class Candle(msgspec.Struct):
    """A bar; `start` in seconds."""

    start: int
    low: Decimal
    high: Decimal
    open: Decimal
    close: Decimal
    volume: Decimal


class Candles(msgspec.Struct):
    """candles, the newest first."""

    candles: list[Candle]


class ServerTime(msgspec.Struct, rename="camel"):
    """time."""

    epoch_millis: int


class Placed(msgspec.Struct):
    """The good half of an answer to a placement."""

    order_id: str


class PlaceError(msgspec.Struct):
    """The other half, under HTTP 200, too."""

    error: str = ""
    message: str = ""
    error_details: str = ""
    preview_failure_reason: str = ""
    new_order_failure_reason: str = ""


class PlaceAnswer(msgspec.Struct):
    """The answer to a placement."""

    success: bool
    success_response: Placed | None = None
    error_response: PlaceError | None = None


class EditError(msgspec.Struct):
    """Why an order was not changed."""

    edit_failure_reason: str = ""
    preview_failure_reason: str = ""


class EditAnswer(msgspec.Struct):
    """The answer to an amendment; `errors` is one of them or a list."""

    success: bool
    errors: list[EditError] | EditError = []


class CancelResult(msgspec.Struct):
    """What became of one cancel."""

    success: bool
    order_id: str
    failure_reason: str = ""


class CancelAnswer(msgspec.Struct):
    """The answer to cancels."""

    results: list[CancelResult]


class Terms(msgspec.Struct):
    """The inside of an order configuration, of any kind."""

    base_size: str = ""
    quote_size: str = ""
    limit_price: str = ""
    stop_price: str = ""
    post_only: bool = False


class Order(msgspec.Struct):
    """An order by REST."""

    order_id: str
    product_id: str
    side: str
    status: str
    client_order_id: str = ""
    order_type: str = ""
    time_in_force: str = ""
    order_configuration: dict[str, Terms] | None = None
    created_time: str = ""
    last_fill_time: str | None = None
    filled_size: str = "0"
    average_filled_price: str = "0"
    reject_message: str = ""
    cancel_message: str = ""


class OneOrder(msgspec.Struct):
    """An order by id."""

    order: Order


class Orders(msgspec.Struct):
    """A page of orders."""

    orders: list[Order]
    has_next: bool = False
    cursor: str = ""


class Fill(msgspec.Struct):
    """An execution; `size_in_quote` means that the size is money."""

    trade_id: str
    order_id: str
    product_id: str
    trade_time: str
    price: Decimal
    size: Decimal
    commission: Decimal
    side: str
    liquidity_indicator: str = ""
    size_in_quote: bool = False
    trade_type: str = "FILL"


class Fills(msgspec.Struct):
    """A page of executions."""

    fills: list[Fill]
    cursor: str = ""


class Amount(msgspec.Struct):
    """Money."""

    value: Decimal


class Account(msgspec.Struct):
    """A wallet."""

    currency: str
    available_balance: Amount
    hold: Amount


class Accounts(msgspec.Struct):
    """A page of wallets."""

    accounts: list[Account]
    has_next: bool = False
    cursor: str = ""


class Failure(msgspec.Struct):
    """An error of REST."""

    error: str = ""
    message: str = ""
    error_details: str = ""
