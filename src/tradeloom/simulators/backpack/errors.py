"""Backpack's refusals, and which reason of the exchange gets which."""

from __future__ import annotations

from typing import Final

from tradeloom.simulators.dialect import VenueError, json_reply
from tradeloom.simulators.orders import Reason, Refused

_REASONS: Final = {
    Reason.UNKNOWN_SYMBOL: (400, "INVALID_SYMBOL", "Invalid symbol"),
    Reason.HALTED: (400, "TRADING_PAUSED", "Trading is paused"),
    Reason.BAD_PRICE: (400, "INVALID_PRICE", "Price does not conform to the tick size"),
    Reason.BAD_SIZE: (400, "INVALID_QUANTITY", "Quantity does not conform to the step size"),
    Reason.TOO_SMALL: (400, "INVALID_QUANTITY", "Quantity is too small"),
    Reason.BALANCE: (400, "INSUFFICIENT_FUNDS", "Insufficient funds"),
    Reason.MARGIN: (400, "INSUFFICIENT_MARGIN", "Insufficient margin"),
    Reason.WOULD_TAKE: (400, "INVALID_ORDER", "Order would immediately match and take"),
    Reason.WOULD_TRIGGER: (400, "INVALID_ORDER", "Order would immediately trigger"),
    Reason.DUPLICATE_CLIENT_ID: (400, "INVALID_CLIENT_REQUEST", "Duplicate client id"),
    Reason.UNKNOWN_ORDER: (404, "RESOURCE_NOT_FOUND", "Order not found"),
    Reason.NOT_OPEN: (404, "RESOURCE_NOT_FOUND", "Order not found"),
    Reason.TOO_MANY: (400, "ORDER_LIMIT", "Too many open orders"),
    Reason.REDUCE_ONLY: (400, "INVALID_ORDER", "Reduce only order not reduced"),
}


class BackpackError(VenueError):
    """A refusal by REST."""

    def __init__(self, status: int, code: str, message: str, retry_after_s: float = 0.0) -> None:
        headers = {"Retry-After": f"{retry_after_s:g}"} if retry_after_s else {}
        super().__init__(json_reply({"code": code, "message": message}, status, headers))


def error_of(refused: Refused) -> BackpackError:
    """The exchange's refusal in Backpack's words."""
    status, code, words = _REASONS.get(refused.reason, (400, "INVALID_ORDER", str(refused)))
    return BackpackError(status, code, words)


def invalid(message: str) -> BackpackError:
    """A request that cannot be understood."""
    return BackpackError(400, "INVALID_CLIENT_REQUEST", message)
