"""Kraken's error texts as what they mean for an order."""

from __future__ import annotations

from typing import Final, NoReturn

from tradeloom.connectors.budgets import Budgets, BudgetSpent
from tradeloom.connectors.dialect import NoSuchOrder, Refusal
from tradeloom.connectors.link import LoginRefused
from tradeloom.connectors.rest import NoAnswer
from tradeloom.domain.enums import ReturnCode

_KEYS: Final = {
    "EAPI:Invalid key": "the API key is unknown: check the key and that it was not deleted",
    "EAPI:Invalid signature": "the signature is wrong: the secret does not belong to this key",
    "EAPI:Invalid nonce": "the nonce is too low: another program uses this key, or this "
    "machine's clock went back; give this connector a key of its own and synchronise the clock",
    "EGeneral:Permission denied": "the API key lacks a permission: allow it to query funds and "
    "orders, to create and cancel orders, and to use WebSockets",
    "EAccount:Invalid permissions": "this account may not trade that: see its verification level",
    "EGeneral:Temporary lockout": "the address is locked out after too many wrong keys: wait 15 "
    "minutes, then check the key",
}
# The engine did not answer in time: what became of an order is unknown.
_UNKNOWN: Final = ("EService:Timeout", "EService:Unavailable", "EService:Busy", "EGeneral:Internal")
_TOO_MANY: Final = (
    ("EOrder:Rate limit exceeded", "orders", 5.0),
    ("EAPI:Rate limit exceeded", "rest", 15.0),
    ("EGeneral:Too many requests", "*", 15.0),
    ("EService:Throttled", "*", 15.0),
)
_SESSION: Final = ("ESession:Invalid session", "EGeneral:Invalid session", "Session not found")
_NO_ORDER: Final = ("EOrder:Unknown order", "EOrder:Invalid order")
_CODES: Final = (
    ("EOrder:Insufficient funds", ReturnCode.TRADE_NO_MONEY, "volume"),
    ("EOrder:Insufficient initial margin", ReturnCode.TRADE_NO_MONEY, "volume"),
    ("EOrder:Orders limit exceeded", ReturnCode.LIMIT_REACHED, ""),
    ("EOrder:Positions limit exceeded", ReturnCode.LIMIT_REACHED, ""),
    ("EOrder:Order minimum not met", ReturnCode.TRADE_BAD_VOLUME, "volume"),
    ("EOrder:Cost minimum not met", ReturnCode.TRADE_BAD_VOLUME, "volume"),
    ("EOrder:Tick size check failed", ReturnCode.TRADE_BAD_PRICES, "price"),
    ("EOrder:Invalid price", ReturnCode.TRADE_BAD_PRICES, "price"),
    ("EOrder:Post only order", ReturnCode.TRADE_BAD_PRICES, "post_only"),
    ("EOrder:Reduce only", ReturnCode.REDUCE_ONLY, "reduce_only"),
    ("EOrder:Trading agreement required", ReturnCode.TRADE_DISABLE, ""),
    ("EService:Market in", ReturnCode.TRADE_MARKET_CLOSED, "symbol"),
    ("EService:Deadline elapsed", ReturnCode.BUSY, ""),
    ("EQuery:Unknown asset pair", ReturnCode.SYMBOL_NOT_FOUND, "symbol"),
    ("EGeneral:Invalid arguments:volume", ReturnCode.TRADE_BAD_VOLUME, "volume"),
    ("EGeneral:Invalid arguments:price", ReturnCode.TRADE_BAD_PRICES, "price"),
    ("EGeneral:Invalid arguments:expiretm", ReturnCode.TRADE_EXPIRATION_DENIED, "expire_ns"),
)


class SessionOver(Refusal):
    """The socket's token is over: nothing happened, and a new token is needed."""


def refuse(text: str, budgets: Budgets, orders: str = "") -> NoReturn:
    """Raise what an error means; `orders` is the window of the order's pair."""
    for start, window, wait in _TOO_MANY:
        if text.startswith(start):
            budgets.block((orders or "rest") if window == "orders" else window, wait)
            raise BudgetSpent(f"Kraken ({text})", wait)
    if text.startswith(_UNKNOWN):
        raise NoAnswer(f"Kraken answered {text}: what became of the request is unknown")
    for start, advice in _KEYS.items():
        if text.startswith(start):
            raise LoginRefused(f"Kraken: {advice} ({text})")
    if text.startswith(_NO_ORDER):
        raise NoSuchOrder(text, "Kraken has no such open order")
    if text.startswith(_SESSION):
        raise SessionOver(text, "the session is over; try again", ReturnCode.BUSY)
    if "cl_ord_id" in text:
        raise Refusal(text, text, ReturnCode.DUPLICATE_ID, "client_id")
    for start, code, field in _CODES:
        if text.startswith(start):
            raise Refusal(text, text.partition(":")[2], code, field)
    raise Refusal(text, text.partition(":")[2] or text, ReturnCode.ERR_PARAMS)


def refuse_status(status: int, retry_after: str, budgets: Budgets) -> NoReturn:
    """Raise what an HTTP status without a Kraken error means."""
    if status == 429:
        wait = float(retry_after) if retry_after.replace(".", "", 1).isdigit() else 15.0
        # Orders go over the socket and have counters of their own.
        for window in ("rest", "public"):
            budgets.block(window, wait)
        raise BudgetSpent("Kraken 429", wait)
    if status >= 500 or status == 408:
        raise NoAnswer(f"Kraken answered {status}: what became of the request is unknown")
    raise Refusal(str(status), f"Kraken answered HTTP {status}")
