"""ccxt's dictionaries as our events and orders. Its floats are the texts of up to 15 digits that
venues send, so they come back exactly (see `scaling`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from tradeloom.connectors.contract import VenueFill, VenueOrder, VenuePosition
from tradeloom.connectors.instruments import Listing
from tradeloom.connectors.scaling import OffGrid, digits_of, exact_points, points, sizes
from tradeloom.domain.enums import OrderState, OrderType, Side, TimeInForce
from tradeloom.domain.market import (
    BookDelta,
    BookQuote,
    HistoricBar,
    InstrumentKind,
    Level,
    TradeTick,
    VenueInstrument,
)

_MS: Final = 1_000_000
_DIGITS_MAX: Final = 12
_STATES: Final = {
    "open": OrderState.WORKING,
    "closed": OrderState.FILLED,
    "canceled": OrderState.CANCELLED,
    "expired": OrderState.EXPIRED,
    "rejected": OrderState.REJECTED,
}
_TIFS: Final = {"IOC": TimeInForce.IOC, "FOK": TimeInForce.FOK}


def decimal(number: Any) -> Decimal:
    """A number of ccxt's; 0 for what it does not tell."""
    return Decimal(repr(number)) if isinstance(number, float | int) else Decimal(number or 0)


def instruments_of(
    venue: str, markets: Iterable[Mapping[str, Any]], *, tick_sizes: bool
) -> list[VenueInstrument]:
    """Spot pairs and linear perpetuals; what has no price step is left out."""
    found: dict[str, VenueInstrument] = {}
    for row in markets:
        spot = bool(row.get("spot"))
        if not spot and not (row.get("swap") and row.get("linear")):
            continue
        made = _instrument(venue, row, spot, tick_sizes)
        if made is not None:
            found.setdefault(made.symbol, made)
    return list(found.values())


def _instrument(
    venue: str, row: Mapping[str, Any], spot: bool, tick_sizes: bool
) -> VenueInstrument | None:
    precision = row.get("precision") or {}
    tick, step = _step(precision.get("price"), tick_sizes), _step(
        precision.get("amount"), tick_sizes
    )  # fmt: skip
    digits = digits_of(tick) if tick else 0
    if not tick or not step or digits > _DIGITS_MAX or not row.get("base"):
        return None
    limits = row.get("limits") or {}
    amount, cost = limits.get("amount") or {}, limits.get("cost") or {}
    base, quote = str(row["base"]), str(row["quote"])
    return VenueInstrument(
        venue=venue,
        symbol=f"{base}{quote}" + ("" if spot else "-PERP"),
        wire=str(row["symbol"]),
        kind=InstrumentKind.SPOT if spot else InstrumentKind.PERPETUAL,
        base=base,
        quote=quote,
        settle=str(row.get("settle") or quote),
        digits=digits,
        tick=exact_points(tick, digits),
        step=max(sizes(float(step)), 1),
        volume_min=sizes(amount.get("min") or 0.0),
        volume_max=_most(amount.get("max")),
        notional_min=decimal(cost.get("min")),
        contract_size=decimal(row.get("contractSize")) or Decimal(1),
        contract_currency=base,
        trading=row.get("active") is not False,
    )


def _step(precision: Any, tick_sizes: bool) -> Decimal:
    if not precision and precision != 0:
        return Decimal(0)
    return decimal(precision) if tick_sizes else Decimal(1).scaleb(-int(precision))


def _most(number: Any) -> int:
    try:
        return sizes(float(number or 0.0))
    except OffGrid:
        return 0  # larger than any order: no limit


def quote_of(listing: Listing, row: Mapping[str, Any], recv_ns: int) -> BookQuote:
    """Best bid and ask of a ticker; raises TypeError for one without them."""
    return BookQuote(
        listing.venue,
        listing.symbol,
        listing.digits,
        points(row["bid"], listing.scale),
        points(row["ask"], listing.scale),
        sizes(row.get("bidVolume") or 0.0),
        sizes(row.get("askVolume") or 0.0),
        (row.get("timestamp") or 0) * _MS,
        recv_ns,
    )


def trade_of(listing: Listing, row: Mapping[str, Any], recv_ns: int) -> TradeTick:
    """A public trade."""
    return TradeTick(
        listing.venue,
        listing.symbol,
        listing.digits,
        points(row["price"], listing.scale),
        sizes(row["amount"]),
        Side.SELL if row.get("side") == "sell" else Side.BUY,
        str(row.get("id") or ""),
        (row.get("timestamp") or 0) * _MS,
        recv_ns,
    )


def book_of(listing: Listing, row: Mapping[str, Any], recv_ns: int) -> BookDelta:
    """A book, always whole."""
    number = int(row.get("nonce") or 0)
    return BookDelta(
        listing.venue,
        listing.symbol,
        listing.digits,
        True,
        _levels(row["bids"], listing.scale),
        _levels(row["asks"], listing.scale),
        (row.get("timestamp") or 0) * _MS,
        recv_ns,
        number,
        number,
    )


def _levels(rows: Any, scale: float) -> tuple[Level, ...]:
    return tuple((points(row[0], scale), sizes(row[1])) for row in rows)


def bar_of(listing: Listing, row: list[Any]) -> HistoricBar:
    """A row of OHLCV."""
    first, high, low, close = (points(row[at], listing.scale) for at in range(1, 5))
    return HistoricBar(int(row[0]) * _MS, first, high, low, close, sizes(row[5] or 0.0))


def order_of(
    venue: str, account: str, listing: Listing, row: Mapping[str, Any]
) -> VenueOrder | None:
    """An order; None when the answer tells an id at most."""
    state = _STATES.get(str(row.get("status")))
    if state is None or row.get("amount") is None or row.get("id") is None:
        return None
    filled = decimal(row.get("filled"))
    if state is OrderState.WORKING and filled:
        state = OrderState.PARTIAL
    volume = decimal(row["amount"])
    if state is OrderState.FILLED and filled < volume:
        state = OrderState.CANCELLED  # some venues close what they cancel
    price = decimal(row.get("price"))
    market = row.get("type") == "market"
    return VenueOrder(
        venue=venue,
        account=account,
        client_id=str(row.get("clientOrderId") or ""),
        venue_order_id=str(row["id"]),
        symbol=listing.symbol,
        side=Side.SELL if row.get("side") == "sell" else Side.BUY,
        type=OrderType.MARKET if market else OrderType.LIMIT,
        tif=_TIFS.get(str(row.get("timeInForce")), TimeInForce.GTC),
        volume=volume,
        filled=filled,
        price=None if market or not price else price,
        average=decimal(row.get("average")) or None,
        state=state,
        venue_ns=(row.get("lastTradeTimestamp") or row.get("timestamp") or 0) * _MS,
    )


def fill_of(
    venue: str, account: str, listing: Listing, row: Mapping[str, Any], recv_ns: int
) -> VenueFill:
    """One of our executions."""
    fee = row.get("fee") or {}
    return VenueFill(
        venue=venue,
        account=account,
        trade_id=str(row["id"]),
        venue_order_id=str(row.get("order") or ""),
        client_id="",
        symbol=listing.symbol,
        side=Side.SELL if row.get("side") == "sell" else Side.BUY,
        price=decimal(row["price"]),
        volume=decimal(row["amount"]),
        fee=decimal(fee.get("cost")),
        fee_currency=str(fee.get("currency") or ""),
        maker={"maker": True, "taker": False}.get(str(row.get("takerOrMaker"))),
        venue_ns=(row.get("timestamp") or 0) * _MS,
        recv_ns=recv_ns,
    )


def position_of(
    venue: str, account: str, listing: Listing, row: Mapping[str, Any], now: int
) -> VenuePosition:
    """A position; short ones are negative."""
    volume = decimal(row.get("contracts"))
    return VenuePosition(
        venue=venue,
        account=account,
        symbol=listing.symbol,
        volume=-volume if row.get("side") == "short" else volume,
        entry_price=decimal(row.get("entryPrice")) or None,
        unrealised=decimal(row.get("unrealizedPnl")),
        venue_ns=now,
    )
