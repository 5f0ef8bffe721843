"""What OKX sends, apart from quotes, trades and books of its sockets, read without structs.
Numbers of orders and money stay texts, because OKX writes "" where there is none.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")


class Level(msgspec.Struct, array_like=True, gc=False):
    """Price and size of a level; what follows is not used (liquidations, number of orders)."""

    px: float
    sz: float


class Depth(msgspec.Struct):
    """A book by REST."""

    asks: list[Level]
    bids: list[Level]
    ts: int
    seqId: int = 0  # noqa: N815


class FundingRate(msgspec.Struct, rename="camel"):
    """`funding-rate`: the rate that is charged at `fundingTime`."""

    funding_rate: Decimal
    funding_time: int
    ts: int = 0


class Mark(msgspec.Struct, rename="camel"):
    """`mark-price`."""

    mark_px: float
    ts: int


class Index(msgspec.Struct, rename="camel"):
    """`index-tickers`."""

    idx_px: float


class Data(msgspec.Struct, Generic[T], gc=False):
    """Any frame or answer with rows."""

    data: list[T]


class Arg(msgspec.Struct, rename="camel", frozen=True):
    """Which channel a frame belongs to."""

    channel: str = ""
    inst_id: str = ""


class Envelope(msgspec.Struct):
    """What kind of frame it is: rows of a channel, an event, or an answer to an operation."""

    arg: Arg = Arg()
    event: str = ""
    code: str = ""
    msg: str = ""
    id: str = ""
    op: str = ""


class Answer(msgspec.Struct):
    """The envelope of REST and of socket operations."""

    code: str
    msg: str = ""
    data: msgspec.Raw = msgspec.Raw(b"[]")


class Done(msgspec.Struct, rename="camel"):
    """What became of one order of a call."""

    ord_id: str = ""
    cl_ord_id: str = ""
    s_code: str = "0"
    s_msg: str = ""


class Order(msgspec.Struct, rename="camel"):
    """An order; by socket with the fill that changed it."""

    inst_id: str
    ord_id: str
    side: str
    state: str
    cl_ord_id: str = ""
    ord_type: str = "limit"
    px: str = ""
    sz: str = ""
    tgt_ccy: str = ""
    acc_fill_sz: str = ""
    avg_px: str = ""
    fill_px: str = ""
    fill_sz: str = ""
    trade_id: str = ""
    fill_time: str = ""
    fill_fee: str = ""
    fill_fee_ccy: str = ""
    exec_type: str = ""
    cancel_source: str = ""
    cancel_source_reason: str = ""
    u_time: str = ""


class Fill(msgspec.Struct, rename="camel"):
    """An execution by REST; a negative fee was paid."""

    inst_id: str
    trade_id: str
    ord_id: str
    side: str
    fill_px: Decimal
    fill_sz: Decimal
    ts: str
    cl_ord_id: str = ""
    fee: str = ""
    fee_ccy: str = ""
    exec_type: str = ""
    bill_id: str = ""


class Money(msgspec.Struct, rename="camel"):
    """Money of one currency."""

    ccy: str
    cash_bal: str = ""
    avail_bal: str = ""
    u_time: str = ""


class Account(msgspec.Struct):
    """The trading account."""

    details: list[Money] = []


class Position(msgspec.Struct, rename="camel"):
    """A position; `pos` is signed in net mode, else `posSide` tells its side."""

    inst_id: str
    pos: str
    pos_side: str = "net"
    avg_px: str = ""
    upl: str = ""
    u_time: str = ""


class Config(msgspec.Struct, rename="camel"):
    """How the account is set."""

    pos_mode: str = "net_mode"


class Instrument(msgspec.Struct, rename="camel"):
    """One instrument."""

    inst_id: str
    state: str
    tick_sz: str
    lot_sz: str
    min_sz: str
    base_ccy: str = ""
    quote_ccy: str = ""
    settle_ccy: str = ""
    ct_val: str = ""
    ct_mult: str = ""
    ct_val_ccy: str = ""
    ct_type: str = ""
    max_lmt_sz: str = ""
    inst_family: str = ""
    uly: str = ""
    inst_id_code: int = 0


class Time(msgspec.Struct):
    """The clock, in ms."""

    ts: int


class Notice(msgspec.Struct):
    """A maintenance window."""

    title: str = ""
    state: str = ""


class Candle(msgspec.Struct, array_like=True):
    """A bar; `confirm` is 1 when it is finished."""

    ts: int
    o: Decimal
    h: Decimal
    l: Decimal  # noqa: E741
    c: Decimal
    vol: Decimal
    vol_ccy: str = ""
    vol_quote: str = ""
    confirm: str = "1"
