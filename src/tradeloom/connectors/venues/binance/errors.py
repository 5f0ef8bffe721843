"""Binance's error codes as what they mean for an order."""

from __future__ import annotations

from typing import Final, NoReturn

from tradeloom.connectors.budgets import Budgets, BudgetSpent
from tradeloom.connectors.dialect import NoSuchOrder, Refusal
from tradeloom.connectors.link import LoginRefused
from tradeloom.connectors.rest import NoAnswer
from tradeloom.domain.enums import ReturnCode

CLOCK: Final = -1021
_UNKNOWN_OUTCOME: Final = frozenset({-1000, -1001, -1006, -1007})
_TOO_MANY: Final = frozenset({-1003, -1008, -1015, -1034})
_NO_ORDER: Final = frozenset({-2011, -2013})
_KEYS: Final = {
    -2014: "the API key has the wrong format: enter it again",
    -2015: "the API key is unknown, not allowed from this address, or lacks the permission to "
    "trade: check the key, its IP list and its permissions",
    -1022: "the signature is wrong: the secret does not belong to this API key",
    -1002: "the API key is not allowed to do this: check its permissions",
}
_CODES: Final[dict[int, tuple[ReturnCode, str]]] = {
    -1111: (ReturnCode.TRADE_BAD_VOLUME, "volume"),
    -1121: (ReturnCode.SYMBOL_NOT_FOUND, "symbol"),
    -2018: (ReturnCode.TRADE_NO_MONEY, "volume"),
    -2019: (ReturnCode.TRADE_NO_MONEY, "volume"),
    -2021: (ReturnCode.TRADE_BAD_STOPS, "stop_price"),
    -2022: (ReturnCode.REDUCE_ONLY, "reduce_only"),
    -4003: (ReturnCode.TRADE_BAD_VOLUME, "volume"),
    -4015: (ReturnCode.ERR_PARAMS, "client_id"),
    -4116: (ReturnCode.DUPLICATE_ID, "client_id"),
    -4164: (ReturnCode.TRADE_BAD_VOLUME, "volume"),
    -5022: (ReturnCode.TRADE_BAD_PRICES, "post_only"),
}
# -1013 and -2010 say what is wrong in words only.
_WORDS: Final[tuple[tuple[str, ReturnCode, str], ...]] = (
    ("insufficient balance", ReturnCode.TRADE_NO_MONEY, "volume"),
    ("Duplicate order", ReturnCode.DUPLICATE_ID, "client_id"),
    ("immediately match", ReturnCode.TRADE_BAD_PRICES, "post_only"),
    ("Market is closed", ReturnCode.TRADE_MARKET_CLOSED, "symbol"),
    ("LOT_SIZE", ReturnCode.TRADE_BAD_VOLUME, "volume"),
    ("NOTIONAL", ReturnCode.TRADE_BAD_VOLUME, "volume"),
    ("PERCENT_PRICE", ReturnCode.COLLAR, "price"),
    ("PRICE_FILTER", ReturnCode.TRADE_BAD_PRICES, "price"),
)


class ClockRefused(LoginRefused):
    """Our timestamp is too far from the venue's; the request changed nothing."""


def refuse(status: int, code: int, text: str, budgets: Budgets, retry_after_s: float) -> NoReturn:
    """Raise what an error means."""
    if status in (429, 418) or code in _TOO_MANY:
        wait = retry_after_s or (120.0 if status == 418 else 5.0)
        window = "orders" if code == -1015 else "*"
        budgets.block(window, wait)
        raise BudgetSpent(f"Binance {status or code}", wait)
    if code in _UNKNOWN_OUTCOME or status >= 500 or status == 408:
        raise NoAnswer(f"Binance answered {status} {code}: what became of the request is unknown")
    if code in _KEYS:
        raise LoginRefused(f"Binance: {_KEYS[code]} (error {code})")
    if code == CLOCK:
        raise ClockRefused(
            "Binance refuses our timestamps: this machine's clock is wrong; synchronise it (NTP)"
        )
    if code in _NO_ORDER:
        raise NoSuchOrder(str(code), text)
    ours = _CODES.get(code)
    if ours is None:
        ours = next(
            ((mine, field) for words, mine, field in _WORDS if words in text),
            (ReturnCode.ERR_PARAMS, ""),
        )
    raise Refusal(str(code), text, *ours)
