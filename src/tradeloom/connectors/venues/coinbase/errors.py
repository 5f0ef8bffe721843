"""Coinbase's errors as what they mean for an order."""

from __future__ import annotations

from typing import Final, NoReturn

from tradeloom.connectors.budgets import Budgets, BudgetSpent
from tradeloom.connectors.dialect import NoSuchOrder, Refusal
from tradeloom.connectors.link import LoginRefused
from tradeloom.connectors.rest import NoAnswer
from tradeloom.connectors.venues.coinbase import frames
from tradeloom.domain.enums import ReturnCode

_UNSAID: Final = frozenset(
    {"", "UNKNOWN_FAILURE_REASON", "UNKNOWN_PREVIEW_FAILURE_REASON",
     "UNKNOWN_EDIT_ORDER_FAILURE_REASON", "UNKNOWN_CANCEL_FAILURE_REASON",
     "PREVIEW_UNKNOWN_FAILURE_REASON"}
)  # fmt: skip
# Part of a reason -> what it means; reasons come with and without PREVIEW_ and EDIT_ in front.
_REASONS: Final = (
    ("INSUFFICIENT_FUND", ReturnCode.TRADE_NO_MONEY, "volume"),
    ("INVALID_LIMIT_PRICE_POST_ONLY", ReturnCode.TRADE_BAD_PRICES, "post_only"),
    ("POST_ONLY_NOT_ALLOWED", ReturnCode.TRADE_BAD_PRICES, "post_only"),
    ("INVALID_SIZE_PRECISION", ReturnCode.TRADE_BAD_VOLUME, "volume"),
    ("INVALID_PRICE_PRECISION", ReturnCode.TRADE_BAD_PRICES, "price"),
    ("INVALID_BASE_SIZE", ReturnCode.TRADE_BAD_VOLUME, "volume"),
    ("INVALID_QUOTE_SIZE", ReturnCode.TRADE_BAD_VOLUME, "volume"),
    ("BASE_SIZE_TOO", ReturnCode.TRADE_BAD_VOLUME, "volume"),
    ("QUOTE_SIZE_TOO", ReturnCode.TRADE_BAD_VOLUME, "volume"),
    ("SIZE_TOO", ReturnCode.TRADE_BAD_VOLUME, "volume"),
    ("BELOW_FILLED_SIZE", ReturnCode.TRADE_BAD_VOLUME, "volume"),
    ("STOP_PRICE", ReturnCode.TRADE_BAD_STOPS, "stop_price"),
    ("INVALID_LIMIT_PRICE", ReturnCode.TRADE_BAD_PRICES, "price"),
    ("INVALID_PRICE", ReturnCode.TRADE_BAD_PRICES, "price"),
    ("PRICE_TOO", ReturnCode.COLLAR, "price"),
    ("INVALID_PRODUCT_ID", ReturnCode.SYMBOL_NOT_FOUND, "symbol"),
    ("TRADING_DISABLED", ReturnCode.TRADE_MARKET_CLOSED, "symbol"),
    ("MARKET_IS_CANCEL_ONLY", ReturnCode.TRADE_MARKET_CLOSED, "symbol"),
    ("UNSUPPORTED_ORDER_CONFIGURATION", ReturnCode.TRADE_INCORRECT_CMD, "type"),
    ("INVALID_END_TIME", ReturnCode.TRADE_EXPIRATION_DENIED, "expire_ns"),
    ("DUPLICATE", ReturnCode.DUPLICATE_ID, "client_id"),
    ("ONLY_LIMIT_ORDER_EDITS", ReturnCode.TRADE_INCORRECT_CMD, ""),
    ("ONLY_OPEN_ORDERS_CAN_BE_EDITED", ReturnCode.TRADE_INCORRECT_STATE, ""),
)


def refuse_order(error: frames.PlaceError) -> NoReturn:
    """Raise what a refused placement means."""
    told = (error.preview_failure_reason, error.new_order_failure_reason, error.error)
    reason = next((each for each in told if each not in _UNSAID), "UNKNOWN_FAILURE_REASON")
    refuse_reason(reason, error.message or error.error_details)


def refuse_reason(reason: str, message: str = "") -> NoReturn:
    """Raise what a reason means."""
    if reason in ("UNKNOWN_CANCEL_ORDER", "ORDER_NOT_FOUND", "CANNOT_EDIT_ORDER_NOT_FOUND"):
        raise NoSuchOrder(reason, "Coinbase has no such open order")
    for part, code, field in _REASONS:
        if part in reason:
            raise Refusal(reason, message or _words(reason), code, field)
    raise Refusal(reason, message or _words(reason))


def _words(reason: str) -> str:
    return reason.removeprefix("PREVIEW_").replace("_", " ").lower()


def refuse_status(
    status: int, failure: frames.Failure, retry_after: str, budgets: Budgets, window: str
) -> NoReturn:
    """Raise what an HTTP status means."""
    if status == 429:
        wait = float(retry_after) if retry_after.replace(".", "", 1).isdigit() else 1.0
        budgets.block(window, wait)
        raise BudgetSpent("Coinbase 429", wait)
    if status >= 500 or status == 408:
        raise NoAnswer(f"Coinbase answered {status}: what became of the request is unknown")
    if status == 401:
        raise LoginRefused(
            "Coinbase does not accept the token, and does not say why: check that the key's name "
            "is whole (organizations/…/apiKeys/…), that the secret belongs to it and that the key "
            "was not deleted"
        )
    if status == 403:
        raise LoginRefused(
            "Coinbase: the key is not allowed to do this: give it the view and trade permissions "
            "of this portfolio, and check its list of addresses"
        )
    words = failure.message or failure.error_details or f"HTTP {status}"
    if status == 404:
        raise NoSuchOrder(failure.error or "404", words)
    refuse_reason(failure.error or str(status), words)
