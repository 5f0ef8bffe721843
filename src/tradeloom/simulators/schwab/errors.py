"""Schwab's refusals; its two products have two forms of them."""

from __future__ import annotations

from typing import Any, Final

from tradeloom.simulators.dialect import Reply, VenueError, json_reply
from tradeloom.simulators.orders import Reason, Refused

_WORDS: Final = {
    Reason.UNKNOWN_SYMBOL: "Invalid symbol",
    Reason.HALTED: "Trading in this symbol is closed",
    Reason.BAD_PRICE: "The limit price must be entered in valid increments",
    Reason.BAD_SIZE: "The quantity must be a whole number of shares",
    Reason.BALANCE: "You do not have enough available cash/buying power for this order",
    Reason.WOULD_TRIGGER: "The stop price is on the wrong side of the market",
    Reason.UNKNOWN_ORDER: "Order not found",
    Reason.NOT_OPEN: "Order is not cancelable",
}


class TraderError(VenueError):
    """A refusal of the trader product."""

    def __init__(self, status: int, message: str, *errors: str, retry_after_s: float = 0.0) -> None:
        body: dict[str, Any] = {"message": message}
        if errors:
            body["errors"] = list(errors)
        headers = {"Retry-After": f"{retry_after_s:g}"} if retry_after_s else {}
        super().__init__(json_reply(body, status, headers))


class DataError(VenueError):
    """A refusal of the market data product."""

    def __init__(self, status: int, title: str, detail: str = "") -> None:
        row = {"id": "0be22ae7-efdf-44d9-99f4-f138049d76ca", "status": status, "title": title}
        super().__init__(
            json_reply({"errors": [row | ({"detail": detail} if detail else {})]}, status)
        )


def oauth_refusal(status: int, error: str, description: str) -> Reply:
    """A refusal of the token address."""
    return json_reply({"error": error, "error_description": description}, status)


def error_of(refused: Refused) -> TraderError:
    """The exchange's refusal in Schwab's words."""
    words = _WORDS.get(refused.reason, str(refused))
    if refused.reason is Reason.UNKNOWN_ORDER:
        return TraderError(404, words)
    return TraderError(400, "A validation error occurred while processing the request.", words)
