"""Kraken's errors: texts with a class in front, mostly under HTTP 200."""

from __future__ import annotations

from typing import Final

from tradeloom.simulators.dialect import Reply, json_reply
from tradeloom.simulators.orders import Reason, Refused


class KrakenError(Exception):
    """A refusal in Kraken's words."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


def error_reply(text: str, status: int = 200, retry_after_s: float = 0.0) -> Reply:
    """An error as REST tells it."""
    headers = {"Retry-After": str(max(1, round(retry_after_s)))} if retry_after_s else {}
    return json_reply({"error": [text]}, status, headers)


REFUSALS: Final = {
    Reason.UNKNOWN_SYMBOL: "EQuery:Unknown asset pair",
    Reason.HALTED: "EService:Market in cancel_only mode",
    Reason.BAD_PRICE: "EOrder:Tick size check failed",
    Reason.BAD_SIZE: "EOrder:Order minimum not met",
    Reason.TOO_SMALL: "EOrder:Cost minimum not met",
    Reason.BAD_ORDER: "EGeneral:Invalid arguments",
    Reason.BALANCE: "EOrder:Insufficient funds",
    Reason.WOULD_TAKE: "EOrder:Post only order",
    Reason.WOULD_TRIGGER: "EOrder:Invalid price",
    Reason.DUPLICATE_CLIENT_ID: "EGeneral:Invalid arguments:cl_ord_id is in use",
    Reason.UNKNOWN_ORDER: "EOrder:Unknown order",
    Reason.NOT_OPEN: "EOrder:Unknown order",
    Reason.NO_LIQUIDITY: "EOrder:Insufficient liquidity",
    Reason.TOO_MANY: "EOrder:Orders limit exceeded",
}


def refusal(refused: Refused) -> KrakenError:
    """What the exchange did not accept."""
    return KrakenError(REFUSALS.get(refused.reason, "EGeneral:Invalid arguments"))


def status_text(status: int) -> str:
    """The words under an HTTP status of an overloaded venue."""
    if status in (418, 429):
        return "EAPI:Rate limit exceeded"
    return "EService:Unavailable" if status >= 500 else "EGeneral:Invalid arguments"
