from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Side(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SIDE_UNSPECIFIED: _ClassVar[Side]
    SIDE_BUY: _ClassVar[Side]
    SIDE_SELL: _ClassVar[Side]

class OrderType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ORDER_TYPE_MARKET: _ClassVar[OrderType]
    ORDER_TYPE_LIMIT: _ClassVar[OrderType]
    ORDER_TYPE_STOP: _ClassVar[OrderType]
    ORDER_TYPE_STOP_LIMIT: _ClassVar[OrderType]

class TimeInForce(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TIME_IN_FORCE_GTC: _ClassVar[TimeInForce]
    TIME_IN_FORCE_DAY: _ClassVar[TimeInForce]
    TIME_IN_FORCE_GTD: _ClassVar[TimeInForce]
    TIME_IN_FORCE_IOC: _ClassVar[TimeInForce]
    TIME_IN_FORCE_FOK: _ClassVar[TimeInForce]

class Topic(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TOPIC_QUOTES: _ClassVar[Topic]
    TOPIC_TRADES: _ClassVar[Topic]
    TOPIC_BOOK: _ClassVar[Topic]
    TOPIC_FUNDING: _ClassVar[Topic]

class Outcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OUTCOME_ACCEPTED: _ClassVar[Outcome]
    OUTCOME_REFUSED: _ClassVar[Outcome]
    OUTCOME_UNRESOLVED: _ClassVar[Outcome]
SIDE_UNSPECIFIED: Side
SIDE_BUY: Side
SIDE_SELL: Side
ORDER_TYPE_MARKET: OrderType
ORDER_TYPE_LIMIT: OrderType
ORDER_TYPE_STOP: OrderType
ORDER_TYPE_STOP_LIMIT: OrderType
TIME_IN_FORCE_GTC: TimeInForce
TIME_IN_FORCE_DAY: TimeInForce
TIME_IN_FORCE_GTD: TimeInForce
TIME_IN_FORCE_IOC: TimeInForce
TIME_IN_FORCE_FOK: TimeInForce
TOPIC_QUOTES: Topic
TOPIC_TRADES: Topic
TOPIC_BOOK: Topic
TOPIC_FUNDING: Topic
OUTCOME_ACCEPTED: Outcome
OUTCOME_REFUSED: Outcome
OUTCOME_UNRESOLVED: Outcome

class Instrument(_message.Message):
    __slots__ = ("venue", "symbol", "wire", "kind", "base", "quote", "settle", "digits", "tick_points", "step_units", "volume_min_units", "volume_max_units", "notional_min", "contract_size", "contract_currency", "inverse", "trading", "wire_code")
    VENUE_FIELD_NUMBER: _ClassVar[int]
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    WIRE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    BASE_FIELD_NUMBER: _ClassVar[int]
    QUOTE_FIELD_NUMBER: _ClassVar[int]
    SETTLE_FIELD_NUMBER: _ClassVar[int]
    DIGITS_FIELD_NUMBER: _ClassVar[int]
    TICK_POINTS_FIELD_NUMBER: _ClassVar[int]
    STEP_UNITS_FIELD_NUMBER: _ClassVar[int]
    VOLUME_MIN_UNITS_FIELD_NUMBER: _ClassVar[int]
    VOLUME_MAX_UNITS_FIELD_NUMBER: _ClassVar[int]
    NOTIONAL_MIN_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_SIZE_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_CURRENCY_FIELD_NUMBER: _ClassVar[int]
    INVERSE_FIELD_NUMBER: _ClassVar[int]
    TRADING_FIELD_NUMBER: _ClassVar[int]
    WIRE_CODE_FIELD_NUMBER: _ClassVar[int]
    venue: str
    symbol: str
    wire: str
    kind: str
    base: str
    quote: str
    settle: str
    digits: int
    tick_points: int
    step_units: int
    volume_min_units: int
    volume_max_units: int
    notional_min: str
    contract_size: str
    contract_currency: str
    inverse: bool
    trading: bool
    wire_code: int
    def __init__(self, venue: _Optional[str] = ..., symbol: _Optional[str] = ..., wire: _Optional[str] = ..., kind: _Optional[str] = ..., base: _Optional[str] = ..., quote: _Optional[str] = ..., settle: _Optional[str] = ..., digits: _Optional[int] = ..., tick_points: _Optional[int] = ..., step_units: _Optional[int] = ..., volume_min_units: _Optional[int] = ..., volume_max_units: _Optional[int] = ..., notional_min: _Optional[str] = ..., contract_size: _Optional[str] = ..., contract_currency: _Optional[str] = ..., inverse: _Optional[bool] = ..., trading: _Optional[bool] = ..., wire_code: _Optional[int] = ...) -> None: ...

class Quote(_message.Message):
    __slots__ = ("venue", "symbol", "digits", "bid_points", "ask_points", "bid_units", "ask_units", "venue_ns", "recv_ns", "seq")
    VENUE_FIELD_NUMBER: _ClassVar[int]
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    DIGITS_FIELD_NUMBER: _ClassVar[int]
    BID_POINTS_FIELD_NUMBER: _ClassVar[int]
    ASK_POINTS_FIELD_NUMBER: _ClassVar[int]
    BID_UNITS_FIELD_NUMBER: _ClassVar[int]
    ASK_UNITS_FIELD_NUMBER: _ClassVar[int]
    VENUE_NS_FIELD_NUMBER: _ClassVar[int]
    RECV_NS_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    venue: str
    symbol: str
    digits: int
    bid_points: int
    ask_points: int
    bid_units: int
    ask_units: int
    venue_ns: int
    recv_ns: int
    seq: int
    def __init__(self, venue: _Optional[str] = ..., symbol: _Optional[str] = ..., digits: _Optional[int] = ..., bid_points: _Optional[int] = ..., ask_points: _Optional[int] = ..., bid_units: _Optional[int] = ..., ask_units: _Optional[int] = ..., venue_ns: _Optional[int] = ..., recv_ns: _Optional[int] = ..., seq: _Optional[int] = ...) -> None: ...

class Trade(_message.Message):
    __slots__ = ("venue", "symbol", "digits", "price_points", "size_units", "side", "trade_id", "venue_ns", "recv_ns")
    VENUE_FIELD_NUMBER: _ClassVar[int]
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    DIGITS_FIELD_NUMBER: _ClassVar[int]
    PRICE_POINTS_FIELD_NUMBER: _ClassVar[int]
    SIZE_UNITS_FIELD_NUMBER: _ClassVar[int]
    SIDE_FIELD_NUMBER: _ClassVar[int]
    TRADE_ID_FIELD_NUMBER: _ClassVar[int]
    VENUE_NS_FIELD_NUMBER: _ClassVar[int]
    RECV_NS_FIELD_NUMBER: _ClassVar[int]
    venue: str
    symbol: str
    digits: int
    price_points: int
    size_units: int
    side: Side
    trade_id: str
    venue_ns: int
    recv_ns: int
    def __init__(self, venue: _Optional[str] = ..., symbol: _Optional[str] = ..., digits: _Optional[int] = ..., price_points: _Optional[int] = ..., size_units: _Optional[int] = ..., side: _Optional[_Union[Side, str]] = ..., trade_id: _Optional[str] = ..., venue_ns: _Optional[int] = ..., recv_ns: _Optional[int] = ...) -> None: ...

class Book(_message.Message):
    __slots__ = ("venue", "symbol", "digits", "snapshot", "bids", "asks", "venue_ns", "recv_ns", "first_seq", "seq", "previous")
    VENUE_FIELD_NUMBER: _ClassVar[int]
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    DIGITS_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    BIDS_FIELD_NUMBER: _ClassVar[int]
    ASKS_FIELD_NUMBER: _ClassVar[int]
    VENUE_NS_FIELD_NUMBER: _ClassVar[int]
    RECV_NS_FIELD_NUMBER: _ClassVar[int]
    FIRST_SEQ_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_FIELD_NUMBER: _ClassVar[int]
    venue: str
    symbol: str
    digits: int
    snapshot: bool
    bids: _containers.RepeatedScalarFieldContainer[int]
    asks: _containers.RepeatedScalarFieldContainer[int]
    venue_ns: int
    recv_ns: int
    first_seq: int
    seq: int
    previous: int
    def __init__(self, venue: _Optional[str] = ..., symbol: _Optional[str] = ..., digits: _Optional[int] = ..., snapshot: _Optional[bool] = ..., bids: _Optional[_Iterable[int]] = ..., asks: _Optional[_Iterable[int]] = ..., venue_ns: _Optional[int] = ..., recv_ns: _Optional[int] = ..., first_seq: _Optional[int] = ..., seq: _Optional[int] = ..., previous: _Optional[int] = ...) -> None: ...

class FundingRate(_message.Message):
    __slots__ = ("venue", "symbol", "digits", "rate", "mark_points", "index_points", "next_ns", "venue_ns", "recv_ns")
    VENUE_FIELD_NUMBER: _ClassVar[int]
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    DIGITS_FIELD_NUMBER: _ClassVar[int]
    RATE_FIELD_NUMBER: _ClassVar[int]
    MARK_POINTS_FIELD_NUMBER: _ClassVar[int]
    INDEX_POINTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_NS_FIELD_NUMBER: _ClassVar[int]
    VENUE_NS_FIELD_NUMBER: _ClassVar[int]
    RECV_NS_FIELD_NUMBER: _ClassVar[int]
    venue: str
    symbol: str
    digits: int
    rate: str
    mark_points: int
    index_points: int
    next_ns: int
    venue_ns: int
    recv_ns: int
    def __init__(self, venue: _Optional[str] = ..., symbol: _Optional[str] = ..., digits: _Optional[int] = ..., rate: _Optional[str] = ..., mark_points: _Optional[int] = ..., index_points: _Optional[int] = ..., next_ns: _Optional[int] = ..., venue_ns: _Optional[int] = ..., recv_ns: _Optional[int] = ...) -> None: ...

class FeedStatus(_message.Message):
    __slots__ = ("venue", "symbol", "state", "reason", "recv_ns")
    VENUE_FIELD_NUMBER: _ClassVar[int]
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    RECV_NS_FIELD_NUMBER: _ClassVar[int]
    venue: str
    symbol: str
    state: int
    reason: str
    recv_ns: int
    def __init__(self, venue: _Optional[str] = ..., symbol: _Optional[str] = ..., state: _Optional[int] = ..., reason: _Optional[str] = ..., recv_ns: _Optional[int] = ...) -> None: ...

class MarketEvent(_message.Message):
    __slots__ = ("quote", "trade", "book", "funding", "status")
    QUOTE_FIELD_NUMBER: _ClassVar[int]
    TRADE_FIELD_NUMBER: _ClassVar[int]
    BOOK_FIELD_NUMBER: _ClassVar[int]
    FUNDING_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    quote: Quote
    trade: Trade
    book: Book
    funding: FundingRate
    status: FeedStatus
    def __init__(self, quote: _Optional[_Union[Quote, _Mapping]] = ..., trade: _Optional[_Union[Trade, _Mapping]] = ..., book: _Optional[_Union[Book, _Mapping]] = ..., funding: _Optional[_Union[FundingRate, _Mapping]] = ..., status: _Optional[_Union[FeedStatus, _Mapping]] = ...) -> None: ...

class MarketEvents(_message.Message):
    __slots__ = ("events",)
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[MarketEvent]
    def __init__(self, events: _Optional[_Iterable[_Union[MarketEvent, _Mapping]]] = ...) -> None: ...

class Bar(_message.Message):
    __slots__ = ("start_ns", "open_points", "high_points", "low_points", "close_points", "volume_units")
    START_NS_FIELD_NUMBER: _ClassVar[int]
    OPEN_POINTS_FIELD_NUMBER: _ClassVar[int]
    HIGH_POINTS_FIELD_NUMBER: _ClassVar[int]
    LOW_POINTS_FIELD_NUMBER: _ClassVar[int]
    CLOSE_POINTS_FIELD_NUMBER: _ClassVar[int]
    VOLUME_UNITS_FIELD_NUMBER: _ClassVar[int]
    start_ns: int
    open_points: int
    high_points: int
    low_points: int
    close_points: int
    volume_units: int
    def __init__(self, start_ns: _Optional[int] = ..., open_points: _Optional[int] = ..., high_points: _Optional[int] = ..., low_points: _Optional[int] = ..., close_points: _Optional[int] = ..., volume_units: _Optional[int] = ...) -> None: ...

class InstrumentsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Instruments(_message.Message):
    __slots__ = ("instruments",)
    INSTRUMENTS_FIELD_NUMBER: _ClassVar[int]
    instruments: _containers.RepeatedCompositeFieldContainer[Instrument]
    def __init__(self, instruments: _Optional[_Iterable[_Union[Instrument, _Mapping]]] = ...) -> None: ...

class SnapshotRequest(_message.Message):
    __slots__ = ("symbol", "depth")
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    DEPTH_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    depth: int
    def __init__(self, symbol: _Optional[str] = ..., depth: _Optional[int] = ...) -> None: ...

class BarsRequest(_message.Message):
    __slots__ = ("symbol", "interval_s", "since_ns", "until_ns")
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_S_FIELD_NUMBER: _ClassVar[int]
    SINCE_NS_FIELD_NUMBER: _ClassVar[int]
    UNTIL_NS_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    interval_s: int
    since_ns: int
    until_ns: int
    def __init__(self, symbol: _Optional[str] = ..., interval_s: _Optional[int] = ..., since_ns: _Optional[int] = ..., until_ns: _Optional[int] = ...) -> None: ...

class Bars(_message.Message):
    __slots__ = ("digits", "bars")
    DIGITS_FIELD_NUMBER: _ClassVar[int]
    BARS_FIELD_NUMBER: _ClassVar[int]
    digits: int
    bars: _containers.RepeatedCompositeFieldContainer[Bar]
    def __init__(self, digits: _Optional[int] = ..., bars: _Optional[_Iterable[_Union[Bar, _Mapping]]] = ...) -> None: ...

class SubscribeRequest(_message.Message):
    __slots__ = ("symbols", "topics")
    SYMBOLS_FIELD_NUMBER: _ClassVar[int]
    TOPICS_FIELD_NUMBER: _ClassVar[int]
    symbols: _containers.RepeatedScalarFieldContainer[str]
    topics: _containers.RepeatedScalarFieldContainer[Topic]
    def __init__(self, symbols: _Optional[_Iterable[str]] = ..., topics: _Optional[_Iterable[_Union[Topic, str]]] = ...) -> None: ...

class OrderRequest(_message.Message):
    __slots__ = ("client_id", "symbol", "side", "volume", "type", "price", "stop_price", "tif", "post_only", "reduce_only", "expire_ns")
    CLIENT_ID_FIELD_NUMBER: _ClassVar[int]
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    SIDE_FIELD_NUMBER: _ClassVar[int]
    VOLUME_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    STOP_PRICE_FIELD_NUMBER: _ClassVar[int]
    TIF_FIELD_NUMBER: _ClassVar[int]
    POST_ONLY_FIELD_NUMBER: _ClassVar[int]
    REDUCE_ONLY_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_NS_FIELD_NUMBER: _ClassVar[int]
    client_id: str
    symbol: str
    side: Side
    volume: str
    type: OrderType
    price: str
    stop_price: str
    tif: TimeInForce
    post_only: bool
    reduce_only: bool
    expire_ns: int
    def __init__(self, client_id: _Optional[str] = ..., symbol: _Optional[str] = ..., side: _Optional[_Union[Side, str]] = ..., volume: _Optional[str] = ..., type: _Optional[_Union[OrderType, str]] = ..., price: _Optional[str] = ..., stop_price: _Optional[str] = ..., tif: _Optional[_Union[TimeInForce, str]] = ..., post_only: _Optional[bool] = ..., reduce_only: _Optional[bool] = ..., expire_ns: _Optional[int] = ...) -> None: ...

class Amendment(_message.Message):
    __slots__ = ("client_id", "price", "volume")
    CLIENT_ID_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    VOLUME_FIELD_NUMBER: _ClassVar[int]
    client_id: str
    price: str
    volume: str
    def __init__(self, client_id: _Optional[str] = ..., price: _Optional[str] = ..., volume: _Optional[str] = ...) -> None: ...

class ClientId(_message.Message):
    __slots__ = ("client_id",)
    CLIENT_ID_FIELD_NUMBER: _ClassVar[int]
    client_id: str
    def __init__(self, client_id: _Optional[str] = ...) -> None: ...

class SymbolFilter(_message.Message):
    __slots__ = ("symbol",)
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    def __init__(self, symbol: _Optional[str] = ...) -> None: ...

class OrderAnswer(_message.Message):
    __slots__ = ("client_id", "outcome", "venue_order_id", "code", "field", "venue_code", "message", "sent_ns", "answered_ns")
    CLIENT_ID_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    VENUE_ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    VENUE_CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    SENT_NS_FIELD_NUMBER: _ClassVar[int]
    ANSWERED_NS_FIELD_NUMBER: _ClassVar[int]
    client_id: str
    outcome: Outcome
    venue_order_id: str
    code: int
    field: str
    venue_code: str
    message: str
    sent_ns: int
    answered_ns: int
    def __init__(self, client_id: _Optional[str] = ..., outcome: _Optional[_Union[Outcome, str]] = ..., venue_order_id: _Optional[str] = ..., code: _Optional[int] = ..., field: _Optional[str] = ..., venue_code: _Optional[str] = ..., message: _Optional[str] = ..., sent_ns: _Optional[int] = ..., answered_ns: _Optional[int] = ...) -> None: ...

class OrderAnswers(_message.Message):
    __slots__ = ("answers",)
    ANSWERS_FIELD_NUMBER: _ClassVar[int]
    answers: _containers.RepeatedCompositeFieldContainer[OrderAnswer]
    def __init__(self, answers: _Optional[_Iterable[_Union[OrderAnswer, _Mapping]]] = ...) -> None: ...

class Order(_message.Message):
    __slots__ = ("venue", "account", "client_id", "venue_order_id", "symbol", "side", "type", "tif", "volume", "filled", "price", "average", "state", "external", "reason", "venue_ns")
    VENUE_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    CLIENT_ID_FIELD_NUMBER: _ClassVar[int]
    VENUE_ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    SIDE_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    TIF_FIELD_NUMBER: _ClassVar[int]
    VOLUME_FIELD_NUMBER: _ClassVar[int]
    FILLED_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    AVERAGE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    VENUE_NS_FIELD_NUMBER: _ClassVar[int]
    venue: str
    account: str
    client_id: str
    venue_order_id: str
    symbol: str
    side: Side
    type: OrderType
    tif: TimeInForce
    volume: str
    filled: str
    price: str
    average: str
    state: int
    external: bool
    reason: str
    venue_ns: int
    def __init__(self, venue: _Optional[str] = ..., account: _Optional[str] = ..., client_id: _Optional[str] = ..., venue_order_id: _Optional[str] = ..., symbol: _Optional[str] = ..., side: _Optional[_Union[Side, str]] = ..., type: _Optional[_Union[OrderType, str]] = ..., tif: _Optional[_Union[TimeInForce, str]] = ..., volume: _Optional[str] = ..., filled: _Optional[str] = ..., price: _Optional[str] = ..., average: _Optional[str] = ..., state: _Optional[int] = ..., external: _Optional[bool] = ..., reason: _Optional[str] = ..., venue_ns: _Optional[int] = ...) -> None: ...

class Orders(_message.Message):
    __slots__ = ("orders",)
    ORDERS_FIELD_NUMBER: _ClassVar[int]
    orders: _containers.RepeatedCompositeFieldContainer[Order]
    def __init__(self, orders: _Optional[_Iterable[_Union[Order, _Mapping]]] = ...) -> None: ...

class Fill(_message.Message):
    __slots__ = ("venue", "account", "trade_id", "venue_order_id", "client_id", "symbol", "side", "price", "volume", "fee", "fee_currency", "maker", "venue_ns", "recv_ns")
    VENUE_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    TRADE_ID_FIELD_NUMBER: _ClassVar[int]
    VENUE_ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    CLIENT_ID_FIELD_NUMBER: _ClassVar[int]
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    SIDE_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    VOLUME_FIELD_NUMBER: _ClassVar[int]
    FEE_FIELD_NUMBER: _ClassVar[int]
    FEE_CURRENCY_FIELD_NUMBER: _ClassVar[int]
    MAKER_FIELD_NUMBER: _ClassVar[int]
    VENUE_NS_FIELD_NUMBER: _ClassVar[int]
    RECV_NS_FIELD_NUMBER: _ClassVar[int]
    venue: str
    account: str
    trade_id: str
    venue_order_id: str
    client_id: str
    symbol: str
    side: Side
    price: str
    volume: str
    fee: str
    fee_currency: str
    maker: bool
    venue_ns: int
    recv_ns: int
    def __init__(self, venue: _Optional[str] = ..., account: _Optional[str] = ..., trade_id: _Optional[str] = ..., venue_order_id: _Optional[str] = ..., client_id: _Optional[str] = ..., symbol: _Optional[str] = ..., side: _Optional[_Union[Side, str]] = ..., price: _Optional[str] = ..., volume: _Optional[str] = ..., fee: _Optional[str] = ..., fee_currency: _Optional[str] = ..., maker: _Optional[bool] = ..., venue_ns: _Optional[int] = ..., recv_ns: _Optional[int] = ...) -> None: ...

class FillsRequest(_message.Message):
    __slots__ = ("since_ns", "symbol")
    SINCE_NS_FIELD_NUMBER: _ClassVar[int]
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    since_ns: int
    symbol: str
    def __init__(self, since_ns: _Optional[int] = ..., symbol: _Optional[str] = ...) -> None: ...

class Fills(_message.Message):
    __slots__ = ("fills",)
    FILLS_FIELD_NUMBER: _ClassVar[int]
    fills: _containers.RepeatedCompositeFieldContainer[Fill]
    def __init__(self, fills: _Optional[_Iterable[_Union[Fill, _Mapping]]] = ...) -> None: ...

class Balance(_message.Message):
    __slots__ = ("venue", "account", "currency", "total", "free", "venue_ns")
    VENUE_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    FREE_FIELD_NUMBER: _ClassVar[int]
    VENUE_NS_FIELD_NUMBER: _ClassVar[int]
    venue: str
    account: str
    currency: str
    total: str
    free: str
    venue_ns: int
    def __init__(self, venue: _Optional[str] = ..., account: _Optional[str] = ..., currency: _Optional[str] = ..., total: _Optional[str] = ..., free: _Optional[str] = ..., venue_ns: _Optional[int] = ...) -> None: ...

class Balances(_message.Message):
    __slots__ = ("balances",)
    BALANCES_FIELD_NUMBER: _ClassVar[int]
    balances: _containers.RepeatedCompositeFieldContainer[Balance]
    def __init__(self, balances: _Optional[_Iterable[_Union[Balance, _Mapping]]] = ...) -> None: ...

class Position(_message.Message):
    __slots__ = ("venue", "account", "symbol", "volume", "entry_price", "unrealised", "venue_ns")
    VENUE_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    VOLUME_FIELD_NUMBER: _ClassVar[int]
    ENTRY_PRICE_FIELD_NUMBER: _ClassVar[int]
    UNREALISED_FIELD_NUMBER: _ClassVar[int]
    VENUE_NS_FIELD_NUMBER: _ClassVar[int]
    venue: str
    account: str
    symbol: str
    volume: str
    entry_price: str
    unrealised: str
    venue_ns: int
    def __init__(self, venue: _Optional[str] = ..., account: _Optional[str] = ..., symbol: _Optional[str] = ..., volume: _Optional[str] = ..., entry_price: _Optional[str] = ..., unrealised: _Optional[str] = ..., venue_ns: _Optional[int] = ...) -> None: ...

class Positions(_message.Message):
    __slots__ = ("positions",)
    POSITIONS_FIELD_NUMBER: _ClassVar[int]
    positions: _containers.RepeatedCompositeFieldContainer[Position]
    def __init__(self, positions: _Optional[_Iterable[_Union[Position, _Mapping]]] = ...) -> None: ...

class StateChange(_message.Message):
    __slots__ = ("venue", "account", "state", "reason", "recv_ns")
    VENUE_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    RECV_NS_FIELD_NUMBER: _ClassVar[int]
    venue: str
    account: str
    state: str
    reason: str
    recv_ns: int
    def __init__(self, venue: _Optional[str] = ..., account: _Optional[str] = ..., state: _Optional[str] = ..., reason: _Optional[str] = ..., recv_ns: _Optional[int] = ...) -> None: ...

class AccountEvent(_message.Message):
    __slots__ = ("order", "fill", "balance", "position", "state")
    ORDER_FIELD_NUMBER: _ClassVar[int]
    FILL_FIELD_NUMBER: _ClassVar[int]
    BALANCE_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    order: Order
    fill: Fill
    balance: Balance
    position: Position
    state: StateChange
    def __init__(self, order: _Optional[_Union[Order, _Mapping]] = ..., fill: _Optional[_Union[Fill, _Mapping]] = ..., balance: _Optional[_Union[Balance, _Mapping]] = ..., position: _Optional[_Union[Position, _Mapping]] = ..., state: _Optional[_Union[StateChange, _Mapping]] = ...) -> None: ...

class ListenRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class BalancesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class PositionsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class InfoRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Info(_message.Message):
    __slots__ = ("venue", "title", "profile_date", "account", "trades", "topics", "features", "urls")
    class UrlsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    VENUE_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    PROFILE_DATE_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    TRADES_FIELD_NUMBER: _ClassVar[int]
    TOPICS_FIELD_NUMBER: _ClassVar[int]
    FEATURES_FIELD_NUMBER: _ClassVar[int]
    URLS_FIELD_NUMBER: _ClassVar[int]
    venue: str
    title: str
    profile_date: str
    account: str
    trades: bool
    topics: _containers.RepeatedScalarFieldContainer[Topic]
    features: _containers.RepeatedScalarFieldContainer[str]
    urls: _containers.ScalarMap[str, str]
    def __init__(self, venue: _Optional[str] = ..., title: _Optional[str] = ..., profile_date: _Optional[str] = ..., account: _Optional[str] = ..., trades: _Optional[bool] = ..., topics: _Optional[_Iterable[_Union[Topic, str]]] = ..., features: _Optional[_Iterable[str]] = ..., urls: _Optional[_Mapping[str, str]] = ...) -> None: ...

class Link(_message.Message):
    __slots__ = ("name", "up", "connects", "frames", "bytes", "silent_s", "error")
    NAME_FIELD_NUMBER: _ClassVar[int]
    UP_FIELD_NUMBER: _ClassVar[int]
    CONNECTS_FIELD_NUMBER: _ClassVar[int]
    FRAMES_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    SILENT_S_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    name: str
    up: bool
    connects: int
    frames: int
    bytes: int
    silent_s: float
    error: str
    def __init__(self, name: _Optional[str] = ..., up: _Optional[bool] = ..., connects: _Optional[int] = ..., frames: _Optional[int] = ..., bytes: _Optional[int] = ..., silent_s: _Optional[float] = ..., error: _Optional[str] = ...) -> None: ...

class HealthRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Health(_message.Message):
    __slots__ = ("venue", "state", "reason", "links", "stale", "clock_offset_ms", "round_trip_ms", "unresolved", "counters")
    class StaleEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class CountersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    VENUE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    LINKS_FIELD_NUMBER: _ClassVar[int]
    STALE_FIELD_NUMBER: _ClassVar[int]
    CLOCK_OFFSET_MS_FIELD_NUMBER: _ClassVar[int]
    ROUND_TRIP_MS_FIELD_NUMBER: _ClassVar[int]
    UNRESOLVED_FIELD_NUMBER: _ClassVar[int]
    COUNTERS_FIELD_NUMBER: _ClassVar[int]
    venue: str
    state: str
    reason: str
    links: _containers.RepeatedCompositeFieldContainer[Link]
    stale: _containers.ScalarMap[str, str]
    clock_offset_ms: float
    round_trip_ms: float
    unresolved: int
    counters: _containers.ScalarMap[str, int]
    def __init__(self, venue: _Optional[str] = ..., state: _Optional[str] = ..., reason: _Optional[str] = ..., links: _Optional[_Iterable[_Union[Link, _Mapping]]] = ..., stale: _Optional[_Mapping[str, str]] = ..., clock_offset_ms: _Optional[float] = ..., round_trip_ms: _Optional[float] = ..., unresolved: _Optional[int] = ..., counters: _Optional[_Mapping[str, int]] = ...) -> None: ...

class LimitsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Limit(_message.Message):
    __slots__ = ("name", "limit", "per_s", "used", "blocked_s")
    NAME_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    PER_S_FIELD_NUMBER: _ClassVar[int]
    USED_FIELD_NUMBER: _ClassVar[int]
    BLOCKED_S_FIELD_NUMBER: _ClassVar[int]
    name: str
    limit: int
    per_s: float
    used: float
    blocked_s: float
    def __init__(self, name: _Optional[str] = ..., limit: _Optional[int] = ..., per_s: _Optional[float] = ..., used: _Optional[float] = ..., blocked_s: _Optional[float] = ...) -> None: ...

class Limits(_message.Message):
    __slots__ = ("limits",)
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    limits: _containers.RepeatedCompositeFieldContainer[Limit]
    def __init__(self, limits: _Optional[_Iterable[_Union[Limit, _Mapping]]] = ...) -> None: ...

class DrainRequest(_message.Message):
    __slots__ = ("timeout_s",)
    TIMEOUT_S_FIELD_NUMBER: _ClassVar[int]
    timeout_s: float
    def __init__(self, timeout_s: _Optional[float] = ...) -> None: ...

class DrainReply(_message.Message):
    __slots__ = ("drained",)
    DRAINED_FIELD_NUMBER: _ClassVar[int]
    drained: bool
    def __init__(self, drained: _Optional[bool] = ...) -> None: ...

class Reason(_message.Message):
    __slots__ = ("reason",)
    REASON_FIELD_NUMBER: _ClassVar[int]
    reason: str
    def __init__(self, reason: _Optional[str] = ...) -> None: ...

class Done(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DeadManRequest(_message.Message):
    __slots__ = ("after_s",)
    AFTER_S_FIELD_NUMBER: _ClassVar[int]
    after_s: int
    def __init__(self, after_s: _Optional[int] = ...) -> None: ...
