"""OKX's errors: a code as text and a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tradeloom.simulators.orders import Reason, Refused


class OkxError(Exception):
    """A refusal of a whole request, with the HTTP status it is answered with."""

    def __init__(self, code: str, text: str, status: int = 200) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text
        self.status = status


class OrderFault(Exception):  # noqa: N818 - a word of the house, like Refused
    """A refusal of one order: it goes into `sCode` and `sMsg`."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text


def bad_param(name: str) -> OkxError:
    """A parameter is missing or holds what it cannot."""
    return OkxError("51000", f"Parameter {name} error")


TOO_MANY: Final = OkxError("50011", "Too Many Requests", 429)
BUSY: Final = OkxError("50001", "Service temporarily unavailable. Please try again later", 503)
TIMEOUT: Final = OkxError(
    "50004",
    "API endpoint request timeout (does not mean that the request was successful or failed, "
    "please check the request result).",
)

_FAULTS: Final[Mapping[Reason, tuple[str, str]]] = {
    Reason.UNKNOWN_SYMBOL: ("51001", "Instrument ID or Instrument ID code doesn't exist."),
    Reason.HALTED: ("51022", "Contract suspended"),
    Reason.BAD_PRICE: ("51000", "Parameter px error"),
    Reason.BAD_SIZE: ("51121", "Order quantity must be a multiple of the lot size."),
    Reason.TOO_SMALL: ("51020", "Your order should meet or exceed the minimum order amount."),
    Reason.BAD_ORDER: ("51000", "Parameter ordType error"),
    Reason.BALANCE: ("51008", "Order failed. Insufficient balance in account"),
    Reason.MARGIN: ("51008", "Order failed. Insufficient margin in account"),
    Reason.DUPLICATE_CLIENT_ID: ("51016", "Client order ID already exists."),
    Reason.UNKNOWN_ORDER: ("51603", "Order does not exist"),
    Reason.NOT_OPEN: ("51400", "The order has been filled, canceled or does not exist."),
    Reason.REDUCE_ONLY: ("51169", "There are no positions in this direction to reduce or close."),
    Reason.NO_LIQUIDITY: ("51012", "There is no liquidity."),
    Reason.TOO_MANY: ("51113", "Market order placement or cancellation is too frequent."),
}


def fault(refused: Refused) -> OrderFault:
    """What the exchange did not accept, in OKX's words."""
    return OrderFault(*_FAULTS.get(refused.reason, ("51000", str(refused))))
