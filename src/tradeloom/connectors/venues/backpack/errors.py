"""Backpack's error codes in the words of the platform."""

from __future__ import annotations

from typing import Final

import msgspec

from tradeloom.connectors.budgets import Budgets
from tradeloom.connectors.dialect import NoSuchOrder, Refusal
from tradeloom.connectors.link import LoginRefused
from tradeloom.connectors.rest import NoAnswer, Reply
from tradeloom.connectors.venues.backpack.profile import TOO_MANY_WAIT_S
from tradeloom.domain.enums import ReturnCode

_Row = tuple[ReturnCode, str, str]
_ROWS: Final[dict[str, _Row]] = {
    "ACCOUNT_LIQUIDATING": (ReturnCode.CLOSE_ONLY, "", "the account is being liquidated"),
    "BORROW_LIMIT": (ReturnCode.LIMIT_REACHED, "volume", "nothing more can be borrowed"),
    "FORBIDDEN": (ReturnCode.TRADE_DISABLE, "", "the key may not do this; give it the right"),
    "INSUFFICIENT_FUNDS": (ReturnCode.TRADE_NO_MONEY, "volume", "lower the volume or add funds"),
    "INSUFFICIENT_MARGIN": (ReturnCode.TRADE_NO_MONEY, "volume", "lower the volume or add funds"),
    "INVALID_MARKET": (ReturnCode.SYMBOL_NOT_FOUND, "symbol", "the venue lists no such market"),
    "INVALID_PRICE": (ReturnCode.TRADE_BAD_PRICES, "price", "choose another"),
    "INVALID_QUANTITY": (ReturnCode.TRADE_BAD_VOLUME, "volume", "use a multiple of the step"),
    "INVALID_SYMBOL": (ReturnCode.SYMBOL_NOT_FOUND, "symbol", "the venue lists no such market"),
    "MAINTENANCE": (ReturnCode.TRADE_MARKET_CLOSED, "", "the venue is under maintenance"),
    "MAX_LEVERAGE_REACHED": (ReturnCode.TRADE_NO_MONEY, "volume", "lower the volume"),
    "ORDER_LIMIT": (ReturnCode.LIMIT_REACHED, "", "too many open orders; cancel some"),
    "POSITION_LIMIT": (ReturnCode.LIMIT_REACHED, "volume", "the position is at its limit"),
    "TRADING_PAUSED": (ReturnCode.TRADE_MARKET_CLOSED, "symbol", "trading is paused"),
}
_KEYS: Final = frozenset({"INVALID_SIGNATURE", "UNAUTHORIZED"})


class ClockOff(LoginRefused):
    """The venue found the time of a signature too old or too new."""


class Failure(msgspec.Struct):
    """The body of an error."""

    code: str = ""
    message: str = ""


def refuse(reply: Reply, budgets: Budgets) -> Exception:
    """What to raise for an answer that is no success."""
    try:
        failure = msgspec.json.decode(reply.body, type=Failure)
    except msgspec.DecodeError:
        failure = Failure("", reply.body[:80].decode("utf-8", "replace"))
    words = f"{failure.code} {failure.message}".strip()
    if reply.status == 429 or failure.code == "TOO_MANY_REQUESTS":
        after = reply.headers.get("Retry-After", "")
        wait = float(after) if after.replace(".", "", 1).isdigit() else TOO_MANY_WAIT_S
        budgets.block("*", wait)
        text = f"{words}: the venue's rate limit; open again in {wait:g} s"
        return Refusal("429", text, ReturnCode.TOO_FREQUENT)
    if reply.status >= 500 or reply.status == 408 or failure.code in ("SERVER_ERROR", "TIMEOUT"):
        return NoAnswer(f"Backpack: HTTP {reply.status} {failure.code}".strip())
    if failure.code == "RESOURCE_NOT_FOUND":
        return NoSuchOrder(failure.code, failure.message)
    told = failure.message.lower()
    if "expired" in told or "timestamp" in told:
        return ClockOff(
            f"Backpack refused the time of a signature ({words}): our clock is off; run NTP"
        )
    if failure.code in _KEYS or reply.status in (401, 403):
        return LoginRefused(
            f"Backpack refused the key ({words}): it is unknown there, was revoked, or lacks the "
            "right to trade; put a valid pair into the vault"
        )
    if "immediately match" in told:
        text = f"{failure.message}: a post-only order would trade at once"
        return Refusal(failure.code, text, ReturnCode.TRADE_BAD_PRICES, "price")
    row = _ROWS.get(failure.code)
    if row is not None:
        return Refusal(failure.code, f"{failure.message or failure.code}: {row[2]}", row[0], row[1])
    return Refusal(failure.code or str(reply.status), failure.message)
