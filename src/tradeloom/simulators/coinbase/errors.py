"""Coinbase's errors: bodies of REST, and the reasons under HTTP 200."""

from __future__ import annotations

from typing import Final

from tradeloom.simulators.dialect import Reply, VenueError, json_reply
from tradeloom.simulators.orders import Reason

PLACE: Final = {
    Reason.UNKNOWN_SYMBOL: "INVALID_PRODUCT_ID",
    Reason.HALTED: "TRADING_DISABLED",
    Reason.BAD_PRICE: "INVALID_PRICE_PRECISION",
    Reason.BAD_SIZE: "INVALID_SIZE_PRECISION",
    Reason.TOO_SMALL: "PREVIEW_INVALID_BASE_SIZE_TOO_SMALL",
    Reason.BAD_ORDER: "UNSUPPORTED_ORDER_CONFIGURATION",
    Reason.BALANCE: "PREVIEW_INSUFFICIENT_FUND",
    Reason.WOULD_TAKE: "INVALID_LIMIT_PRICE_POST_ONLY",
    Reason.WOULD_TRIGGER: "PREVIEW_STOP_PRICE_BELOW_LAST_TRADE_PRICE",
    Reason.TOO_MANY: "TOO_MANY_OPEN_ORDERS",
    Reason.NO_LIQUIDITY: "INSUFFICIENT_LIQUIDITY",
}
EDIT: Final = {
    Reason.NOT_OPEN: "ONLY_OPEN_ORDERS_CAN_BE_EDITED",
    Reason.BAD_PRICE: "INVALID_PRICE",
    Reason.BAD_SIZE: "CANNOT_EDIT_TO_BELOW_FILLED_SIZE",
    Reason.BALANCE: "PREVIEW_INSUFFICIENT_FUND",
    Reason.WOULD_TAKE: "INVALID_LIMIT_PRICE_POST_ONLY",
    Reason.UNKNOWN_ORDER: "ORDER_NOT_FOUND",
}


def argument(details: str) -> VenueError:
    """400: something in the request is wrong."""
    body = {"error": "INVALID_ARGUMENT", "error_details": details, "message": details}
    return VenueError(json_reply(body, 400))


def not_found(what: str) -> VenueError:
    """404."""
    body = {"error": "NOT_FOUND", "error_details": what, "message": what}
    return VenueError(json_reply(body, 404))


UNAUTHORIZED: Final = VenueError(Reply(b"Unauthorized\n", 401, content_type="text/plain"))
FORBIDDEN: Final = VenueError(
    json_reply(
        {
            "error": "PERMISSION_DENIED",
            "error_details": "Missing required scopes",
            "message": "Missing required scopes",
        },
        403,
    )
)


def failure(status: int, retry_after_s: float) -> Reply:
    """What an overloaded venue answers."""
    headers = {"Retry-After": str(max(1, round(retry_after_s)))} if retry_after_s else {}
    if status == 429:
        row = {"id": "rate_limit_exceeded", "message": "Too many requests"}
        return json_reply({"errors": [row]}, status, headers)
    words = "Service unavailable" if status >= 500 else "Bad request"
    code = "UNAVAILABLE" if status >= 500 else "INVALID_ARGUMENT"
    return json_reply({"error": code, "error_details": words, "message": words}, status, headers)
