"""What Schwab sends, as types. The streamer names fields by number."""

from __future__ import annotations

from decimal import Decimal

import msgspec


class Content(msgspec.Struct, frozen=True):
    """What became of a command."""

    code: int = 0
    msg: str = ""


class Response(msgspec.Struct, frozen=True):
    """An answer of the streamer."""

    service: str = ""
    command: str = ""
    requestid: str = ""
    content: Content = Content()


class Data(msgspec.Struct, frozen=True):
    """Content of one service."""

    service: str
    timestamp: int = 0
    command: str = ""
    content: msgspec.Raw = msgspec.Raw(b"[]")


class Notice(msgspec.Struct, frozen=True):
    """A heartbeat, or a word before the end."""

    heartbeat: str | int = ""
    service: str = ""
    content: Content | None = None


class Frame(msgspec.Struct, frozen=True):
    """A frame of the streamer; some come without the list around."""

    response: list[Response] = []
    data: list[Data] = []
    notify: list[Notice] = []
    service: str = ""
    timestamp: int = 0
    content: msgspec.Raw = msgspec.Raw(b"[]")


_L1 = {
    "bid": "1", "ask": "2", "last": "3", "bid_size": "4", "ask_size": "5", "volume": "8",
    "last_size": "9", "quote_ms": "34", "trade_ms": "35",
}  # fmt: skip


class LevelOne(msgspec.Struct, frozen=True, rename=_L1, gc=False):
    """The fields of one equity that changed."""

    key: str
    bid: float | None = None
    ask: float | None = None
    last: float | None = None
    bid_size: float | None = None
    ask_size: float | None = None
    volume: int | None = None
    last_size: float | None = None
    quote_ms: int | None = None
    trade_ms: int | None = None


class BookLevel(msgspec.Struct, frozen=True, rename={"price": "0", "size": "1"}):
    """One price of a book, all market makers together."""

    price: float
    size: float


class Book(msgspec.Struct, frozen=True, rename={"time_ms": "1", "bids": "2", "asks": "3"}):
    """A whole book."""

    key: str
    time_ms: int = 0
    bids: list[BookLevel] = []
    asks: list[BookLevel] = []


class Activity(msgspec.Struct, frozen=True, rename={"account": "1", "kind": "2", "text": "3"}):
    """News of the account; `text` is JSON, or a word after subscribing."""

    seq: int = 0
    account: str = ""
    kind: str = ""
    text: str = ""


class ActivityText(msgspec.Struct, frozen=True, rename="pascal"):
    """The order that an activity is about."""

    schwab_order_id: str | int = msgspec.field(default="", name="SchwabOrderID")


class StreamerInfo(msgspec.Struct, frozen=True, rename="camel"):
    """How to reach and enter the streamer."""

    streamer_socket_url: str
    schwab_client_customer_id: str
    schwab_client_correl_id: str
    schwab_client_channel: str
    schwab_client_function_id: str


class Preferences(msgspec.Struct, frozen=True, rename="camel"):
    """`/trader/v1/userPreference`."""

    streamer_info: list[StreamerInfo]


class AccountNumber(msgspec.Struct, frozen=True, rename="camel"):
    """A linked account and the hash that stands for it in addresses."""

    account_number: str
    hash_value: str


class Listed(msgspec.Struct, frozen=True, rename="camel"):
    """One row of `/marketdata/v1/instruments`."""

    symbol: str = ""
    asset_type: str = ""
    exchange: str = ""


class Found(msgspec.Struct, frozen=True):
    """`/marketdata/v1/instruments`."""

    instruments: list[Listed] = []


class Reference(msgspec.Struct, frozen=True, rename="camel"):
    """Where a symbol is listed."""

    exchange_name: str = ""


class Prices(msgspec.Struct, frozen=True, rename="camel"):
    """The prices of a quote by REST."""

    bid_price: float = 0.0
    ask_price: float = 0.0
    bid_size: float = 0.0
    ask_size: float = 0.0
    quote_time: int = 0


class Quote(msgspec.Struct, frozen=True, rename="camel"):
    """One row of `/marketdata/v1/quotes`."""

    symbol: str = ""
    asset_main_type: str = ""
    reference: Reference = Reference()
    quote: Prices = Prices()


class Candle(msgspec.Struct, frozen=True):
    """A bar; `datetime` in ms."""

    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    datetime: int


class Candles(msgspec.Struct, frozen=True):
    """`/marketdata/v1/pricehistory`."""

    candles: list[Candle] = []


class LegInstrument(msgspec.Struct, frozen=True, rename="camel"):
    """What a leg trades."""

    symbol: str = ""
    asset_type: str = ""


class Leg(msgspec.Struct, frozen=True, rename="camel"):
    """One leg of an order."""

    instruction: str = ""
    quantity: Decimal = Decimal(0)
    instrument: LegInstrument = LegInstrument()


class ExecutionLeg(msgspec.Struct, frozen=True, rename="camel"):
    """One execution."""

    price: Decimal
    quantity: Decimal
    time: str = ""
    leg_id: int = 1


class OrderActivity(msgspec.Struct, frozen=True, rename="camel"):
    """What happened to an order. An end is told as an execution too, of the type CANCELED."""

    activity_type: str = ""
    execution_type: str = ""
    activity_id: int = 0
    execution_legs: list[ExecutionLeg] = []


class Order(msgspec.Struct, frozen=True, rename="camel"):
    """An order."""

    order_id: int
    status: str
    quantity: Decimal = Decimal(0)
    filled_quantity: Decimal = Decimal(0)
    order_type: str = "LIMIT"
    duration: str = "DAY"
    price: Decimal | None = None
    stop_price: Decimal | None = None
    order_leg_collection: list[Leg] = []
    order_activity_collection: list[OrderActivity] = []
    entered_time: str = ""
    close_time: str = ""
    status_description: str = ""


class Balances(msgspec.Struct, frozen=True, rename="camel"):
    """Money; cash and margin accounts have different fields."""

    cash_balance: Decimal | None = None
    total_cash: Decimal | None = None
    cash_available_for_trading: Decimal | None = None
    available_funds: Decimal | None = None
    buying_power: Decimal | None = None


class HeldInstrument(msgspec.Struct, frozen=True, rename="camel"):
    """What a holding is of."""

    symbol: str = ""
    asset_type: str = ""


class Holding(msgspec.Struct, frozen=True, rename="camel"):
    """A holding, long or short."""

    instrument: HeldInstrument
    long_quantity: Decimal = Decimal(0)
    short_quantity: Decimal = Decimal(0)
    average_price: Decimal | None = None
    long_open_profit_loss: Decimal | None = None
    short_open_profit_loss: Decimal | None = None


class SecuritiesAccount(msgspec.Struct, frozen=True, rename="camel"):
    """An account."""

    account_number: str = ""
    current_balances: Balances = Balances()
    positions: list[Holding] = []


class Account(msgspec.Struct, frozen=True, rename="camel"):
    """`/trader/v1/accounts/{hash}`."""

    securities_account: SecuritiesAccount


class Market(msgspec.Struct, frozen=True, rename="camel"):
    """Hours of one market."""

    is_open: bool = False


class Failure(msgspec.Struct, frozen=True):
    """An error of the trader or market data API, whose forms differ."""

    message: str = ""
    errors: list[msgspec.Raw] = []
