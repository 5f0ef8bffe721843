"""Orders, fills, money and positions of OKX in the words of the contract."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import Final

from tradeloom.connectors.contract import (
    OrderRequest,
    VenueBalance,
    VenueFill,
    VenueOrder,
    VenuePosition,
)
from tradeloom.connectors.dialect import OddFrame, Refusal
from tradeloom.connectors.instruments import Listing
from tradeloom.connectors.venues.okx import frames
from tradeloom.domain.enums import OrderState, OrderType, ReturnCode, Side, TimeInForce
from tradeloom.domain.market import InstrumentKind

MS: Final = 1_000_000
_NONE: Final = Decimal(0)
_STATES: Final = {
    "live": OrderState.WORKING,
    "partially_filled": OrderState.PARTIAL,
    "filled": OrderState.FILLED,
    "canceled": OrderState.CANCELLED,
    "mmp_canceled": OrderState.CANCELLED,
}
_TIFS: Final = {
    "ioc": TimeInForce.IOC,
    "fok": TimeInForce.FOK,
    "optimal_limit_ioc": TimeInForce.IOC,
}
_MARKETS: Final = frozenset({"market", "optimal_limit_ioc"})
_CANCELS: Final = {
    "3": "cancelled by OKX: margin call",
    "9": "cancelled by OKX: not enough money",
    "13": "a FOK order that could not fill at once",
    "14": "the rest of an IOC order",
    "15": "the price is beyond the limit",
    "17": "there is no position to close",
    "20": "cancel-all-after",
    "31": "post-only, and it would have taken",
    "32": "self-trade prevention",
}


def number(text: str) -> Decimal | None:
    """A number, or None where OKX writes nothing."""
    return Decimal(text) if text else None


def side_of(word: str) -> Side:
    """buy or sell; raises OddFrame."""
    if word == "buy":
        return Side.BUY
    if word == "sell":
        return Side.SELL
    raise OddFrame(f"side {word[:16]}")


def client_text(client_id: str) -> str:
    """Our id as OKX takes it: 32 letters and digits. Others become a fingerprint of 120 bits."""
    if client_id.isalnum() and client_id.isascii():
        return client_id
    return "tl" + hashlib.blake2b(client_id.encode(), digest_size=15).hexdigest()


def terms(
    request: OrderRequest, listing: Listing, wire_id: str, mode: str, hedged: bool
) -> dict[str, str]:
    """The parameters of a new order; raises Refusal for what OKX does not offer here."""
    if request.stop_price is not None:
        text = "stops are algo orders at OKX, which do not go through here: use limit or market"
        raise Refusal("", text, ReturnCode.TRADE_INCORRECT_CMD, "type")
    if request.tif not in (TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK):
        text = f"OKX has no {request.tif.name} orders: use GTC, IOC or FOK"
        raise Refusal("", text, ReturnCode.TRADE_EXPIRATION_DENIED, "tif")
    made = {
        "tdMode": mode,
        "side": "buy" if request.side is Side.BUY else "sell",
        "ordType": _type_text(request),
        "sz": format(request.volume, "f"),
        "clOrdId": wire_id,
    }
    if request.price is not None:
        made["px"] = format(request.price, "f")
    if listing.instrument.kind is InstrumentKind.SPOT:
        if request.price is None:
            made["tgtCcy"] = "base_ccy"  # a market buy would otherwise count in quote money
    elif hedged:
        opens = (request.side is Side.BUY) is not request.reduce_only
        made["posSide"] = "long" if opens else "short"
    elif request.reduce_only:
        made["reduceOnly"] = "true"
    return made


def _type_text(request: OrderRequest) -> str:
    if request.price is None:
        return "market"
    if request.post_only:
        return "post_only"
    return {TimeInForce.IOC: "ioc", TimeInForce.FOK: "fok"}.get(request.tif, "limit")


def order_of(venue: str, account: str, listing: Listing, row: frames.Order) -> VenueOrder:
    """An order as OKX tells it; its `client_id` is the venue's form. Raises OddFrame."""
    state = _STATES.get(row.state)
    if state is None:
        raise OddFrame(f"order state {row.state[:24]}")
    filled = number(row.acc_fill_sz) or _NONE
    market = row.ord_type in _MARKETS
    volume = number(row.sz) or _NONE
    if market and row.tgt_ccy == "quote_ccy":
        volume = filled  # `sz` is money here, and what it buys is known when it is spent
    reason = ""
    if state is OrderState.CANCELLED and row.cancel_source not in ("", "1"):
        told = _CANCELS.get(row.cancel_source, f"cancelled by OKX ({row.cancel_source})")
        reason = row.cancel_source_reason or told
    return VenueOrder(
        venue=venue,
        account=account,
        client_id=row.cl_ord_id,
        venue_order_id=row.ord_id,
        symbol=listing.symbol,
        side=side_of(row.side),
        type=OrderType.MARKET if market else OrderType.LIMIT,
        tif=_TIFS.get(row.ord_type, TimeInForce.GTC),
        volume=volume,
        filled=filled,
        price=None if market else number(row.px),
        average=number(row.avg_px) or None,
        state=state,
        reason=reason,
        venue_ns=int(row.u_time or 0) * MS,
    )


def fill_of_order(
    venue: str, account: str, listing: Listing, row: frames.Order, recv_ns: int
) -> VenueFill | None:
    """The fill that an order's news tells; None when it tells of something else."""
    volume = number(row.fill_sz)
    price = number(row.fill_px)
    if not row.trade_id or not volume or price is None:
        return None
    return VenueFill(
        venue=venue,
        account=account,
        trade_id=row.trade_id,
        venue_order_id=row.ord_id,
        client_id=row.cl_ord_id,
        symbol=listing.symbol,
        side=side_of(row.side),
        price=price,
        volume=volume,
        fee=-(number(row.fill_fee) or _NONE),
        fee_currency=row.fill_fee_ccy,
        maker=_maker(row.exec_type),
        venue_ns=int(row.fill_time or row.u_time or 0) * MS,
        recv_ns=recv_ns,
    )


def fill_of(
    venue: str, account: str, listing: Listing, row: frames.Fill, recv_ns: int
) -> VenueFill:
    """An execution from a query."""
    return VenueFill(
        venue=venue,
        account=account,
        trade_id=row.trade_id,
        venue_order_id=row.ord_id,
        client_id=row.cl_ord_id,
        symbol=listing.symbol,
        side=side_of(row.side),
        price=row.fill_px,
        volume=row.fill_sz,
        fee=-(number(row.fee) or _NONE),
        fee_currency=row.fee_ccy,
        maker=_maker(row.exec_type),
        venue_ns=int(row.ts) * MS,
        recv_ns=recv_ns,
    )


def _maker(word: str) -> bool | None:
    return {"M": True, "T": False}.get(word)


def balance_of(venue: str, account: str, row: frames.Money, now_ns: int) -> VenueBalance:
    """Money of one currency."""
    return VenueBalance(
        venue=venue,
        account=account,
        currency=row.ccy,
        total=number(row.cash_bal) or _NONE,
        free=number(row.avail_bal) or _NONE,
        venue_ns=int(row.u_time) * MS if row.u_time else now_ns,
    )


def position_of(venue: str, account: str, listing: Listing, row: frames.Position) -> VenuePosition:
    """A position in contracts; hedged shorts are positive on the wire."""
    size = number(row.pos) or _NONE
    return VenuePosition(
        venue=venue,
        account=account,
        symbol=listing.symbol,
        volume=-size if row.pos_side == "short" else size,
        entry_price=number(row.avg_px) if size else None,
        unrealised=number(row.upl),
        venue_ns=int(row.u_time or 0) * MS,
    )
