"""Words of the market plane: what every venue's quotes, trades and books become.

Prices are integer mantissas with `digits` decimals, sizes are in units of 1e-8 of the venue's own
quantity (base currency on spot, contracts on derivatives: see `VenueInstrument.contract_size`),
times are UTC nanoseconds and 0 where the venue tells none. Every event carries two clocks:
`venue_ns`, the venue's, and `recv_ns`, ours when the frame was read.
"""

from __future__ import annotations

from decimal import Decimal
from enum import Enum, IntEnum
from typing import Final

import msgspec

from tradeloom.domain.enums import Side

SIZE_DIGITS: Final = 8
SIZE_SCALE: Final = 10**SIZE_DIGITS

Level = tuple[int, int]
"""Price mantissa and size of one level of a book; size 0 removes the level."""


class Topic(IntEnum):
    """What can be subscribed to."""

    QUOTES = 0  # best bid and ask, every change, never conflated by us
    TRADES = 1
    BOOK = 2
    FUNDING = 3


class BookQuote(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="q"):
    """Best bid and ask of one symbol at one venue; `seq` is the venue's update id or 0."""

    venue: str
    symbol: str
    digits: int
    bid: int
    ask: int
    bid_size: int
    ask_size: int
    venue_ns: int
    recv_ns: int
    seq: int = 0


class TradeTick(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="t"):
    """One trade; `side` is the aggressor's, None where the venue does not tell."""

    venue: str
    symbol: str
    digits: int
    price: int
    size: int
    side: Side | None
    trade_id: str
    venue_ns: int
    recv_ns: int


class BookDelta(msgspec.Struct, frozen=True, array_like=True, tag="b"):
    """Changed levels with their absolute sizes, or with `snapshot` the whole book.

    `first_seq` and `seq` bound the venue's update ids in this event; `previous` is the id it must
    follow where the venue tells it (-1: not told). Deltas that reach subscribers are gap-free.
    """

    venue: str
    symbol: str
    digits: int
    snapshot: bool
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    venue_ns: int
    recv_ns: int
    first_seq: int = 0
    seq: int = 0
    previous: int = -1


class Funding(msgspec.Struct, frozen=True, array_like=True, tag="f"):
    """Funding of a perpetual: the rate of the running interval and when it is charged."""

    venue: str
    symbol: str
    digits: int
    rate: Decimal
    mark: int
    index: int
    next_ns: int
    venue_ns: int
    recv_ns: int


class FeedState(IntEnum):
    """Whether the prices of a symbol may be traded on."""

    LIVE = 0
    RESYNCING = 1  # a gap or bad checksum was seen, the book is being fetched anew
    STALE = 2  # silence or a lost connection: the last price is old
    HALTED = 3  # the venue says it does not trade


class FeedStatus(msgspec.Struct, frozen=True, array_like=True, tag="s"):
    """A symbol's feed changed its state; `reason` is for people."""

    venue: str
    symbol: str
    state: FeedState
    reason: str
    recv_ns: int


MarketEvent = BookQuote | TradeTick | BookDelta | Funding | FeedStatus


class InstrumentKind(Enum):
    """What is traded."""

    SPOT = "spot"
    PERPETUAL = "perpetual"
    FUTURE = "future"
    EQUITY = "equity"
    OPTION = "option"
    FOREX = "forex"


class VenueInstrument(msgspec.Struct, frozen=True, kw_only=True):
    """A symbol as one venue lists it.

    `symbol` is our name for it: base and quote joined (`BTCUSDT`), derivatives with a suffix
    (`BTCUSDT-PERP`), equities the ticker; `wire` is the venue's own. `tick` is the price step as
    a mantissa of `digits` decimals; `step`, `volume_min`, `volume_max` are sizes (1e-8);
    `notional_min` is money of the quote currency. One unit of volume stands for `contract_size`
    units of `contract_currency` (base on spot). 0 means no limit told.
    """

    venue: str
    symbol: str
    wire: str
    kind: InstrumentKind
    base: str
    quote: str
    settle: str
    digits: int
    tick: int
    step: int
    volume_min: int = 0
    volume_max: int = 0
    notional_min: Decimal = Decimal(0)
    contract_size: Decimal = Decimal(1)
    contract_currency: str = ""
    inverse: bool = False
    trading: bool = True
    wire_code: int = 0  # a number the venue wants instead of the name (OKX instIdCode)


class HistoricBar(msgspec.Struct, frozen=True, array_like=True):
    """A finished bar from a venue's history: trade prices as mantissas, volume in sizes (1e-8)."""

    start_ns: int
    open: int
    high: int
    low: int
    close: int
    volume: int


encode: Final = msgspec.msgpack.Encoder().encode
"""A market event as bytes for a stream."""

decode: Final = msgspec.msgpack.Decoder(MarketEvent).decode
"""The market event in bytes of a stream; raises msgspec.DecodeError."""
