"""Orders, accounts and quotes as Schwab writes them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from tradeloom.domain.enums import Side
from tradeloom.domain.market import SIZE_DIGITS, InstrumentKind, VenueInstrument
from tradeloom.simulators.accounts import Account
from tradeloom.simulators.exchange import Exchange, Market
from tradeloom.simulators.figures import fixed, scaled
from tradeloom.simulators.orders import Fill, Force, Order, OrderKind, Status

DIGITS: Final = 4
_STATES: Final = {
    Status.WAITING: "AWAITING_STOP_CONDITION",
    Status.NEW: "WORKING",
    Status.PARTIALLY_FILLED: "WORKING",
    Status.FILLED: "FILLED",
    Status.CANCELED: "CANCELED",
    Status.EXPIRED: "EXPIRED",
}
_FORCES: Final = {
    Force.GTC: "DAY",
    Force.IOC: "IMMEDIATE_OR_CANCEL",
    Force.FOK: "FILL_OR_KILL",
}
_FIRST_ID: Final = 1_000_000_000_000


def instrument(symbol: str) -> VenueInstrument:
    """An equity: its ticker is its symbol."""
    ticker = symbol.upper()
    return VenueInstrument(
        venue="schwab",
        symbol=ticker,
        wire=ticker,
        kind=InstrumentKind.EQUITY,
        base=ticker,
        quote="USD",
        settle="USD",
        digits=DIGITS,
        tick=100,
        step=scaled("1", SIZE_DIGITS),
        volume_min=scaled("1", SIZE_DIGITS),
        contract_currency=ticker,
    )


def price(mantissa: int) -> float:
    """A price; the division is exact to the last written digit."""
    return float(mantissa / 10**DIGITS)


def shares(units: int) -> float:
    """A quantity."""
    return float(units / 10**SIZE_DIGITS)


def dollars(units: int) -> float:
    """Money, to the cent."""
    return float(round(units / 10**SIZE_DIGITS, 2))


def utc(ns: int) -> str:
    """A time as the trader product writes it."""
    return f"{datetime.fromtimestamp(ns // 10**9, UTC):%Y-%m-%dT%H:%M:%S}+0000"


def order_id(order: Order) -> int:
    """The venue's long number of an order."""
    return _FIRST_ID + order.id


def internal_id(text: str) -> int | None:
    """The exchange's number of an order id; None for what is none."""
    return int(text) - _FIRST_ID if text.isdigit() else None


def status_of(order: Order) -> str:
    """The status word."""
    if order.asked.note.get("replaced"):
        return "REPLACED"
    return _STATES[order.status]


def order_row(order: Order, fills: Sequence[Fill], account_number: str) -> dict[str, Any]:
    """An order; `fills` are its own."""
    note = order.asked.note
    kind = str(note.get("type", "LIMIT"))
    open_ = order.status.open
    row: dict[str, Any] = {
        "session": "NORMAL",
        "duration": note.get("duration", _FORCES[order.asked.force]),
        "orderType": kind,
        "complexOrderStrategyType": "NONE",
        "quantity": shares(order.size),
        "filledQuantity": shares(order.filled),
        "remainingQuantity": shares(order.left) if open_ else 0.0,
        "requestedDestination": "AUTO",
        "destinationLinkName": "AutoRoute",
        "orderLegCollection": [
            {
                "orderLegType": "EQUITY",
                "legId": 1,
                "instrument": {
                    "assetType": "EQUITY",
                    "cusip": "000000000",
                    "symbol": order.symbol,
                    "instrumentId": 1,
                },
                "instruction": note.get("instruction", order.side.name),
                "positionEffect": "OPENING" if order.side is Side.BUY else "CLOSING",
                "quantity": shares(order.size),
            }
        ],
        "orderStrategyType": "SINGLE",
        "orderId": order_id(order),
        "cancelable": open_,
        "editable": open_,
        "status": status_of(order),
        "enteredTime": utc(order.created_ns),
        "tag": "API_TDAM:simulated",
        "accountNumber": int(account_number),
    }
    if order.kind is OrderKind.LIMIT:
        row["price"] = price(order.price)
    if order.stop_price:
        row["stopPrice"] = price(order.stop_price)
        row["stopType"] = "STANDARD"
    if not open_:
        row["closeTime"] = utc(order.updated_ns)
    activities = [_execution(order, fill) for fill in fills]
    if order.status in (Status.CANCELED, Status.EXPIRED):
        activities.append(_ending(order))
    if activities:
        row["orderActivityCollection"] = activities
    return row


def _ending(order: Order) -> dict[str, Any]:
    """The venue tells an end as an execution without a price."""
    return {
        "activityType": "EXECUTION",
        "executionType": "CANCELED",
        "quantity": shares(order.left),
        "orderRemainingQuantity": 0.0,
        "executionLegs": [
            {
                "legId": 1,
                "quantity": shares(order.left),
                "mismarkedQuantity": 0.0,
                "price": 0.0,
                "time": utc(order.updated_ns),
                "instrumentId": 1,
            }
        ],
    }


def _execution(order: Order, fill: Fill) -> dict[str, Any]:
    return {
        "activityType": "EXECUTION",
        "activityId": fill.trade_id,
        "executionType": "FILL",
        "quantity": shares(fill.size),
        "orderRemainingQuantity": shares(order.left),
        "executionLegs": [
            {
                "legId": 1,
                "quantity": shares(fill.size),
                "mismarkedQuantity": 0.0,
                "price": price(fill.price),
                "time": utc(fill.ts_ns),
                "instrumentId": 1,
            }
        ],
    }


def account_row(exchange: Exchange, account: Account, number: str) -> dict[str, Any]:
    """`/trader/v1/accounts/{hash}` with positions."""
    money = account.balance("USD")
    held = []
    for symbol, market in exchange.markets.items():
        balance = account.balance(symbol)
        whole = balance.free + balance.locked
        if whole:
            held.append(
                {
                    "shortQuantity": 0.0,
                    "averagePrice": price(market.mark),
                    "longQuantity": shares(whole),
                    "settledLongQuantity": shares(whole),
                    "instrument": {"assetType": "EQUITY", "symbol": symbol, "cusip": "000000000"},
                    "marketValue": round(price(market.mark) * shares(whole), 2),
                    "longOpenProfitLoss": 0.0,
                }
            )
    return {
        "securitiesAccount": {
            "type": "CASH",
            "accountNumber": number,
            "roundTrips": 0,
            "isDayTrader": False,
            "isClosingOnlyRestricted": False,
            "positions": held,
            "currentBalances": {
                "cashBalance": dollars(money.free + money.locked),
                "totalCash": dollars(money.free + money.locked),
                "cashAvailableForTrading": dollars(money.free),
                "cashAvailableForWithdrawal": dollars(money.free),
                "unsettledCash": 0.0,
            },
        }
    }


def quote_row(market: Market, now_ms: int) -> dict[str, Any]:
    """One row of `/marketdata/v1/quotes`."""
    at, quote = market.instrument, market.quote
    prices: dict[str, Any] = {"quoteTime": now_ms, "lastPrice": price(market.last)}
    if quote is not None:
        prices |= {
            "bidPrice": price(quote.bid),
            "askPrice": price(quote.ask),
            "bidSize": int(shares(quote.bid_size)),
            "askSize": int(shares(quote.ask_size)),
        }
    return {
        "assetMainType": "EQUITY",
        "assetSubType": "COE",
        "quoteType": "NBBO",
        "realtime": True,
        "symbol": at.wire,
        "quote": prices,
        "reference": {"exchange": "Q", "exchangeName": "NASDAQ", "description": at.wire},
    }


def scaled_number(units: int, digits: int) -> dict[str, Any]:
    """A number of an account activity: six decimals, `signScale` twice that."""
    text = fixed(units, digits)
    number = scaled(text[: text.index(".") + 7] if "." in text else text, 6)
    row: dict[str, Any] = {"signScale": 12 + (number < 0)}
    if number:
        row["lo"] = str(abs(number))
    return row
