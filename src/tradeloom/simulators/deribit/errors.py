"""Deribit's refusals: numbers and words, and which reason of the exchange gets which."""

from __future__ import annotations

from typing import Any, Final

from tradeloom.simulators.orders import Reason, Refused

WORDS: Final = {
    10000: "authorization_required",
    10004: "order_not_found",
    10009: "not_enough_funds",
    10012: "book_closed",
    10020: "invalid_or_unsupported_instrument",
    10021: "invalid_amount",
    10028: "too_many_requests",
    10043: "price_wrong_tick",
    11008: "already_filled",
    11030: "other_reject",
    11036: "invalid_stoppx_for_index_or_last",
    11044: "not_open_order",
    11051: "system_maintenance",
    11054: "post_only_reject",
    11094: "internal_server_error",
    13004: "invalid_credentials",
    13009: "unauthorized",
    13020: "not_found",
    13021: "forbidden",
    13778: "raw_subscriptions_not_available_for_unauthorized",
    -32600: "Invalid Request",
    -32601: "Method not found",
    -32602: "Invalid params",
    -32700: "Parse error",
}
_REASONS: Final = {
    Reason.UNKNOWN_SYMBOL: 13020,
    Reason.HALTED: 10012,
    Reason.BAD_PRICE: 10043,
    Reason.BAD_SIZE: 10021,
    Reason.TOO_SMALL: 10021,
    Reason.BALANCE: 10009,
    Reason.MARGIN: 10009,
    Reason.WOULD_TAKE: 11054,
    Reason.WOULD_TRIGGER: 11036,
    Reason.UNKNOWN_ORDER: 10004,
    Reason.NOT_OPEN: 11044,
}


class RpcFailure(Exception):  # noqa: N818 - an answer, not a fault of ours
    """A JSON-RPC error."""

    def __init__(self, code: int, reason: str = "", param: str = "", wait_s: float = 0.0) -> None:
        super().__init__(WORDS.get(code, "other_error"))
        self.code = code
        self.reason = reason
        self.param = param
        self.wait_s = wait_s

    def body(self) -> dict[str, Any]:
        """The `error` of an answer."""
        body: dict[str, Any] = {"code": self.code, "message": str(self)}
        data: dict[str, Any] = {}
        if self.reason:
            data["reason"] = self.reason
        if self.param:
            data["param"] = self.param
        if self.wait_s:
            data["wait"] = self.wait_s
        if data:
            body["data"] = data
        return body

    @property
    def status(self) -> int:
        """The HTTP status of the same error."""
        if self.code == 10028:
            return 429
        return 401 if self.code in (10000, 13009) else 400


def failure_of(refused: Refused) -> RpcFailure:
    """The exchange's refusal in Deribit's words."""
    return RpcFailure(_REASONS.get(refused.reason, 11030), str(refused))
