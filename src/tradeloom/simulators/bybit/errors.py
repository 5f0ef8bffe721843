"""Bybit's errors: a number and a sentence; most come with HTTP 200."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tradeloom.simulators.orders import Reason, Refused


class BybitError(Exception):
    """A refusal, with the HTTP status it is answered with."""

    def __init__(self, code: int, text: str, status: int = 200) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text
        self.status = status


def bad_param(name: str) -> BybitError:
    """A parameter is missing or holds what it cannot."""
    return BybitError(10001, f"params error: {name} invalid")


TOO_MANY: Final = BybitError(10006, "Too many visits. Exceeded the API Rate Limit.")
BAD_KEY: Final = BybitError(10003, "API key is invalid.")
NO_PERMISSION: Final = BybitError(
    10005, "Permission denied, please check your API key permissions."
)
SERVER_ERROR: Final = BybitError(10016, "Server error.")
TIMEOUT: Final = BybitError(10000, "Server Timeout")

_SPOT: Final[Mapping[Reason, tuple[int, str]]] = {
    Reason.UNKNOWN_SYMBOL: (170121, "Invalid symbol."),
    Reason.HALTED: (170202, "Orders can not be placed now. Please contact customer service."),
    Reason.BAD_PRICE: (170134, "Order price has too many decimals."),
    Reason.BAD_SIZE: (170137, "Order volume decimal too long."),
    Reason.TOO_SMALL: (170140, "Order value exceeded lower limit."),
    Reason.BAD_ORDER: (170217, "Only LIMIT-MAKER order is supported for the current pair."),
    Reason.BALANCE: (170131, "Insufficient balance."),
    Reason.WOULD_TAKE: (170218, "The LIMIT-MAKER order is rejected due to invalid price."),
    Reason.DUPLICATE_CLIENT_ID: (170141, "Duplicate clientOrderId"),
    Reason.UNKNOWN_ORDER: (170213, "Order does not exist."),
    Reason.NOT_OPEN: (170142, "Order has been canceled"),
    Reason.NO_LIQUIDITY: (170193, "Buy order price cannot be higher than the market."),
    Reason.TOO_MANY: (170810, "Cannot exceed maximum of 500 conditional, TP/SL and active orders."),
}
_LINEAR: Final[Mapping[Reason, tuple[int, str]]] = {
    Reason.UNKNOWN_SYMBOL: (10001, "params error: symbol invalid"),
    Reason.HALTED: (110074, "This contract is not live"),
    Reason.BAD_PRICE: (10001, "Price invalid"),
    Reason.BAD_SIZE: (10001, "Qty invalid"),
    Reason.TOO_SMALL: (110094, "Order does not meet minimum order value 5USDT"),
    Reason.BAD_ORDER: (10001, "params error: timeInForce invalid"),
    Reason.BALANCE: (110007, "ab not enough for new order"),
    Reason.MARGIN: (110007, "ab not enough for new order"),
    Reason.DUPLICATE_CLIENT_ID: (110072, "OrderLinkedID is duplicate"),
    Reason.UNKNOWN_ORDER: (110001, "order not exists or too late to cancel"),
    Reason.NOT_OPEN: (110001, "order not exists or too late to cancel"),
    Reason.REDUCE_ONLY: (110017, "current position is zero, cannot fix reduce-only order qty"),
    Reason.TOO_MANY: (110020, "You are not allowed to have more than 500 active orders"),
}


def refusal(refused: Refused, category: str) -> BybitError:
    """What the exchange did not accept, in Bybit's words."""
    table = _SPOT if category == "spot" else _LINEAR
    return BybitError(*table.get(refused.reason, (10001, str(refused))))
