"""Binance's errors: a negative code, a sentence, an HTTP status."""

from __future__ import annotations

from typing import Any, Final

from tradeloom.simulators.dialect import Reply, json_reply
from tradeloom.simulators.orders import Reason


class BinanceError(Exception):
    """A refusal; `status` is the HTTP status, and the status of a WebSocket API answer."""

    def __init__(self, code: int, text: str, status: int = 400) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text
        self.status = status
        self.data: dict[str, Any] | None = None

    def body(self) -> dict[str, Any]:
        """As JSON."""
        body: dict[str, Any] = {"code": self.code, "msg": self.text}
        return body if self.data is None else {**body, "data": self.data}

    def reply(self) -> Reply:
        """As a REST answer."""
        return json_reply(self.body(), self.status)


def missing(name: str) -> BinanceError:
    """A parameter that must be there is not."""
    return BinanceError(
        -1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed."
    )


def illegal(name: str) -> BinanceError:
    """A parameter holds what it cannot."""
    return BinanceError(-1100, f"Illegal characters found in parameter '{name}'.")


def too_precise(name: str) -> BinanceError:
    """More decimals than the symbol has."""
    return BinanceError(-1111, f"Parameter '{name}' has too much precision.")


BAD_SYMBOL: Final = BinanceError(-1121, "Invalid symbol.")
BAD_SIGNATURE: Final = BinanceError(-1022, "Signature for this request is not valid.")
BAD_KEY: Final = BinanceError(-2015, "Invalid API-key, IP, or permissions for action.", 401)
BAD_KEY_FORMAT: Final = BinanceError(-2014, "API-key format invalid.", 401)
TOO_OLD: Final = BinanceError(-1021, "Timestamp for this request is outside of the recvWindow.")
TOO_EARLY: Final = BinanceError(
    -1021, "Timestamp for this request was 1000ms ahead of the server's time."
)
UNKNOWN_OUTCOME: Final = BinanceError(
    -1007,
    "Timeout waiting for response from backend server. Send status unknown; execution status "
    "unknown.",
    503,
)

SPOT: Final[dict[Reason, tuple[int, str]]] = {
    Reason.UNKNOWN_SYMBOL: (-1121, "Invalid symbol."),
    Reason.HALTED: (-2010, "Market is closed."),
    Reason.BAD_PRICE: (-1013, "Filter failure: PRICE_FILTER"),
    Reason.BAD_SIZE: (-1013, "Filter failure: LOT_SIZE"),
    Reason.TOO_SMALL: (-1013, "Filter failure: NOTIONAL"),
    Reason.BAD_ORDER: (-1106, "Parameter 'timeInForce' sent when not required."),
    Reason.BALANCE: (-2010, "Account has insufficient balance for requested action."),
    Reason.WOULD_TAKE: (-2010, "Order would immediately match and take."),
    Reason.WOULD_TRIGGER: (-2010, "Stop price would trigger immediately."),
    Reason.DUPLICATE_CLIENT_ID: (-2010, "Duplicate order sent."),
    Reason.UNKNOWN_ORDER: (-2013, "Order does not exist."),
    Reason.NOT_OPEN: (-2011, "Unknown order sent."),
    Reason.NOT_SMALLER: (
        -2038,
        "Order amend (quantity increase) is not supported.",
    ),
    Reason.NO_LIQUIDITY: (-1013, "Filter failure: MARKET_LOT_SIZE"),
    Reason.TOO_MANY: (-1013, "Filter failure: MAX_NUM_ORDERS"),
}

USDM: Final[dict[Reason, tuple[int, str]]] = {
    Reason.UNKNOWN_SYMBOL: (-1121, "Invalid symbol."),
    Reason.HALTED: (
        -4108,
        "Symbol is on delivering or delivered or settling or closed or pre-trading.",
    ),
    Reason.BAD_PRICE: (-4014, "Price not increased by tick size."),
    Reason.BAD_SIZE: (-4023, "Quantity not increased by step size."),
    Reason.TOO_SMALL: (
        -4164,
        "Order's notional must be no smaller than 5 (unless you choose reduce only).",
    ),
    Reason.BAD_ORDER: (-1106, "Parameter 'timeInForce' sent when not required."),
    Reason.MARGIN: (-2019, "Margin is insufficient."),
    Reason.BALANCE: (-2018, "Balance is insufficient."),
    Reason.WOULD_TAKE: (
        -5022,
        (
            "Due to the order could not be executed as maker, the Post Only order will be "
            "rejected. The order will not be recorded in the order history"
        ),
    ),
    Reason.WOULD_TRIGGER: (-2021, "Order would immediately trigger."),
    Reason.DUPLICATE_CLIENT_ID: (-4116, "ClientOrderId is duplicated."),
    Reason.UNKNOWN_ORDER: (-2013, "Order does not exist."),
    Reason.NOT_OPEN: (-2011, "Unknown order sent."),
    Reason.REDUCE_ONLY: (-2022, "ReduceOnly Order is rejected."),
    Reason.NO_LIQUIDITY: (
        -4131,
        "The counterparty's best price does not meet the PERCENT_PRICE filter limit.",
    ),
    Reason.TOO_MANY: (-2025, "Reach max open order limit."),
}
