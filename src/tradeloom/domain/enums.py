"""The numbered words of the trade: return codes, sides, states and reasons.

Each `IntEnum` mirrors one table of `core/src/code.rs`; a test holds the two equal through
`_core.codes()`. Each `StrEnum` is a word of a configuration, in the order the core numbers them.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag, StrEnum


class ReturnCode(IntEnum):
    """Why a command was refused or rejected, or that it was not.

    Numbers below 1000 are those of the ScaleTrade table where the meaning is the same.
    """

    OK = 0
    TOO_FREQUENT = 8
    ERR_PARAMS = 13
    ERR_NOTFOUND = 23
    GROUP_NOT_FOUND = 28
    SYMBOL_NOT_FOUND = 34
    USER_NOT_FOUND = 48
    USR_LOGIN_EXIST = 52
    USR_HAS_TRADES = 56
    ACCOUNT_DISABLED = 64
    TRADE_BAD_PRICES = 129
    TRADE_BAD_STOPS = 130
    TRADE_BAD_VOLUME = 131
    TRADE_MARKET_CLOSED = 132
    TRADE_DISABLE = 133
    TRADE_NO_MONEY = 134
    TRADE_OFFQUOTES = 136
    TRADE_REQUOTE = 138
    TRADE_LONG_ONLY = 140
    TRADE_ACCEPTED = 145
    TRADE_EXPIRATION_DENIED = 152
    TRADE_INVALID_SL_TP = 158
    TRADE_READ_ONLY = 160
    TRADE_INCORRECT_STATE = 161
    TRADE_INCORRECT_CMD = 162
    TRADE_INCORRECT_ORDER = 163
    LIMIT_REACHED = 165
    DUPLICATE_ID = 1000
    OVERFLOW = 1001
    TIME_BACKWARDS = 1002
    BAD_RECORD = 1003
    UNKNOWN_KIND = 1004
    SHORT_ONLY = 1005
    CLOSE_ONLY = 1006
    HALTED = 1007
    REDUCE_ONLY = 1008
    COLLAR = 1009
    ACCOUNT_CLOSED = 1010
    NOT_FILLED = 1011
    CURRENCY_NOT_FOUND = 1012
    BUSY = 1013
    JOURNAL_UNAVAILABLE = 1014

    @property
    def number(self) -> int:
        """The stable number of the code, as it stands on every wire."""
        return int(self)

    @property
    def good(self) -> bool:
        """True if the command did what it says, or waits for a venue to do it."""
        return self in (ReturnCode.OK, ReturnCode.TRADE_ACCEPTED)


class Field(IntEnum):
    """The field of a command that an answer is about."""

    NONE = 0
    BODY = 1
    ID = 2
    TS = 3
    ACCOUNT = 4
    INSTRUMENT = 5
    GROUP = 6
    ORDER = 7
    POSITION = 8
    POSITION_BY = 9
    BID = 10
    ASK = 11
    VOLUME = 12
    PRICE = 13
    LIMIT_PRICE = 14
    SL = 15
    TP = 16
    TRAILING = 17
    MAX_DEVIATION = 18
    TIF = 19
    EXPIRE = 20
    OCO = 21
    LEVERAGE = 22
    TERMS = 23
    TYPE = 24
    SIDE = 25
    AMOUNT = 26
    STATE = 27
    LIMITS = 28
    CURRENCY = 29
    SYMBOL = 30
    NAME = 31
    DIGITS = 32
    KIND = 33
    RATE = 34
    DAY = 35
    CONTRACT_SIZE = 36
    TICK_SIZE = 37
    TICK_VALUE = 38
    MARGIN_RATE = 39
    TIERS = 40
    SESSIONS = 41
    PRICE_MAX = 42
    MARGIN_CALL = 43
    COMMISSION = 44
    OVERRIDES = 45
    TRADE = 46
    TARGET = 47
    SCOPE = 48
    FLAGS = 49
    OP = 50
    TRAILING_STEP = 51
    SWAP_DAYS = 52
    CODE = 53
    LENGTH = 54
    BALANCE = 55
    LEG = 56
    COMMENT = 57


class Side(IntEnum):
    """Which way an order or a position looks."""

    BUY = 0
    SELL = 1


class OrderType(IntEnum):
    """When an order may fill."""

    MARKET = 0
    LIMIT = 1
    STOP = 2
    STOP_LIMIT = 3


class TimeInForce(IntEnum):
    """How long an order lives."""

    GTC = 0
    DAY = 1
    GTD = 2
    IOC = 3
    FOK = 4


class OrderState(IntEnum):
    """Where an order is in its life."""

    WORKING = 0
    PARTIAL = 1
    FILLED = 2
    CANCELLED = 3
    EXPIRED = 4
    REJECTED = 5
    TRIGGERED = 6
    ROUTING = 7
    ROUTED = 8
    CANCEL_PENDING = 9
    UNRESOLVED = 10
    MODIFIED = 11


class Reason(IntEnum):
    """What made an order, a fill, a change of position or a transfer happen."""

    CLIENT = 0
    STOP_LOSS = 1
    TAKE_PROFIT = 2
    PENDING = 3
    STOP_OUT = 4
    LIQUIDATION = 5
    CLOSE_BY = 6
    CLOSE_ALL = 7
    REVERSE = 8
    EXPIRY = 9
    OCO = 10
    VENUE = 11
    TRAILING = 12
    ROLLOVER = 13
    NO_MONEY = 14
    LIMIT = 15
    KILLED = 16


class PositionState(IntEnum):
    """What happened to a position."""

    OPENED = 0
    CHANGED = 1
    CLOSED = 2


class Entry(IntEnum):
    """Whether a fill opened or closed volume."""

    IN = 0
    OUT = 1


class BalanceOp(IntEnum):
    """The five ways money enters or leaves an account without a trade."""

    DEPOSIT = 0
    WITHDRAWAL = 1
    CREDIT_IN = 2
    CREDIT_OUT = 3
    CORRECTION = 4


class Scope(IntEnum):
    """What a trading state is set for."""

    SHARD = 0
    GROUP = 1
    ACCOUNT = 2
    INSTRUMENT = 3


class TradingState(IntEnum):
    """ACTIVE trades, REDUCING may only get smaller, HALTED stands still."""

    ACTIVE = 0
    REDUCING = 1
    HALTED = 2


class ReportKind(IntEnum):
    """What a venue said of a routed order."""

    ACCEPTED = 0
    FILL = 1
    REJECTED = 2
    CANCELLED = 3
    EXPIRED = 4
    UNKNOWN = 5


class Ledger(IntEnum):
    """The six ledgers; each has one account per customer and one house account."""

    CASH = 1
    POSITION = 2
    FEES = 3
    REALISED_PNL = 4
    MARGIN = 5
    FUNDING_PNL = 6


class Posting(IntEnum):
    """Why money moved."""

    DEPOSIT = 1
    WITHDRAWAL = 2
    CREDIT_IN = 3
    CREDIT_OUT = 4
    CORRECTION = 5
    OPEN = 6
    CLOSE = 7
    COMMISSION = 8
    PROFIT = 9
    MARGIN_LOCK = 10
    MARGIN_RELEASE = 11
    SWAP = 12
    FUNDING = 13
    COMPENSATION = 14


class MarginLevel(IntEnum):
    """The margin state of an account."""

    OK = 0
    MARGIN_CALL = 1
    STOP_OUT = 2


class RouteAction(IntEnum):
    """What an intent asks a venue to do."""

    SUBMIT = 0
    CANCEL = 1


class AccountFlag(IntFlag):
    """What an account may not do; only the engine sets CLOSED."""

    NONE = 0
    READ_ONLY = 1
    DISABLED = 2
    CLOSED = 4


class FillFlag(IntFlag):
    """How a venue's fill was booked: LATE after the end, OVER more than was ordered."""

    NONE = 0
    ROUTED = 1
    LATE = 2
    OVER = 4


class CalcMode(StrEnum):
    """How margin and profit of an instrument are computed (docs/engine/semantics.md, 7.1)."""

    FOREX = "forex"
    FOREX_NO_LEVERAGE = "forex_no_leverage"
    CFD = "cfd"
    CFD_LEVERAGE = "cfd_leverage"
    CFD_INDEX = "cfd_index"
    FUTURES = "futures"
    STOCKS = "stocks"
    PERPETUAL = "perpetual"


class SwapMode(StrEnum):
    """What `swap_long` and `swap_short` of an instrument mean (semantics, 10)."""

    DISABLED = "disabled"
    POINTS = "points"
    BASE = "base"
    MARGIN = "margin"
    DEPOSIT = "deposit"
    PROFIT = "profit"
    INTEREST_CURRENT = "interest_current"
    INTEREST_OPEN = "interest_open"
    REOPEN_CLOSE = "reopen_close"
    REOPEN_BID = "reopen_bid"


class TradeMode(StrEnum):
    """What may be traded on an instrument."""

    FULL = "full"
    LONG_ONLY = "long_only"
    SHORT_ONLY = "short_only"
    CLOSE_ONLY = "close_only"
    DISABLED = "disabled"


class Execution(StrEnum):
    """Who fills: the engine at its own quote, or a venue."""

    INTERNAL = "internal"
    ROUTED = "routed"


class PositionMode(StrEnum):
    """Whether an account of the group may hold both sides of one instrument."""

    HEDGING = "hedging"
    NETTING = "netting"


class LevelUnit(StrEnum):
    """What margin-call and stop-out levels are measured in."""

    PERCENT = "percent"
    MONEY = "money"


class HedgedMargin(StrEnum):
    """Margin of two opposite legs: the difference plus a hedged rate, or the larger one."""

    NET = "net"
    LARGER_LEG = "larger_leg"


class MarginConversion(StrEnum):
    """Price at which margin is converted: ask for buys and bid for sells, or the middle."""

    SIDE = "side"
    MID = "mid"


class CommissionMode(StrEnum):
    """What a commission is measured by."""

    NONE = "none"
    PER_LOT = "per_lot"
    TURNOVER = "turnover"
    PER_DEAL = "per_deal"


class CommissionWhen(StrEnum):
    """Which fills pay the commission."""

    BOTH = "both"
    ENTRY = "entry"
    EXIT = "exit"
