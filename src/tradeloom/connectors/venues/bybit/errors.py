"""Bybit's return codes as what they mean for an order."""

from __future__ import annotations

from typing import Final, NoReturn

from tradeloom.connectors.budgets import Budgets, BudgetSpent
from tradeloom.connectors.dialect import NoSuchOrder, Refusal
from tradeloom.connectors.link import LoginRefused
from tradeloom.connectors.rest import NoAnswer
from tradeloom.domain.enums import ReturnCode

_UNKNOWN_OUTCOME: Final = frozenset({10000, 10016, 10019, 170007, 170146, 170147})
_TOO_MANY: Final = frozenset({10006, 10018, 10403, 10429, 20003})
_NO_ORDER: Final = frozenset({110001, 110008, 110010, 170139, 170142, 170143, 170213})
_CLOCK: Final = "Bybit refuses our timestamps: this machine's clock is wrong; synchronise it (NTP)"
_SECRET: Final = "the signature is wrong: the secret does not belong to this API key"  # noqa: S105
_LOGIN: Final = {
    10003: "the API key is unknown or of another Bybit site: enter it again",
    10004: _SECRET,
    10005: "the API key lacks a permission: allow it to read and trade on this market",
    10007: "the API key was not accepted: enter key and secret again",
    10009: "this address is banned: wait, and look at the key's address list",
    10010: "this address is not on the key's list: add it, or use a key without a list",
    10027: "this account may not trade: ask Bybit why",
    33004: "the API key has expired: make a new one",
}
_CODES: Final[dict[int, tuple[ReturnCode, str]]] = {
    10029: (ReturnCode.SYMBOL_NOT_FOUND, "symbol"),
    110003: (ReturnCode.COLLAR, "price"),
    110004: (ReturnCode.TRADE_NO_MONEY, "volume"),
    110006: (ReturnCode.TRADE_NO_MONEY, "volume"),
    110007: (ReturnCode.TRADE_NO_MONEY, "volume"),
    110012: (ReturnCode.TRADE_NO_MONEY, "volume"),
    110017: (ReturnCode.REDUCE_ONLY, "reduce_only"),
    110072: (ReturnCode.DUPLICATE_ID, "client_id"),
    110094: (ReturnCode.TRADE_BAD_VOLUME, "volume"),
    170121: (ReturnCode.SYMBOL_NOT_FOUND, "symbol"),
    170124: (ReturnCode.TRADE_BAD_VOLUME, "volume"),
    170131: (ReturnCode.TRADE_NO_MONEY, "volume"),
    170132: (ReturnCode.COLLAR, "price"),
    170133: (ReturnCode.COLLAR, "price"),
    170134: (ReturnCode.TRADE_BAD_PRICES, "price"),
    170135: (ReturnCode.TRADE_BAD_VOLUME, "volume"),
    170136: (ReturnCode.TRADE_BAD_VOLUME, "volume"),
    170137: (ReturnCode.TRADE_BAD_VOLUME, "volume"),
    170140: (ReturnCode.TRADE_BAD_VOLUME, "volume"),
    170141: (ReturnCode.DUPLICATE_ID, "client_id"),
    170193: (ReturnCode.COLLAR, "price"),
    170194: (ReturnCode.COLLAR, "price"),
    170201: (ReturnCode.TRADE_DISABLE, ""),
    170218: (ReturnCode.TRADE_BAD_PRICES, "post_only"),
    170217: (ReturnCode.TRADE_INCORRECT_CMD, "post_only"),
    170202: (ReturnCode.TRADE_MARKET_CLOSED, "symbol"),
}


def refuse(
    status: int, code: int, text: str, budgets: Budgets, window: str, wait_s: float
) -> NoReturn:
    """Raise what an error means. `window` is the budget that the call took from, `wait_s` what the
    venue said (0: nothing).
    """
    if status == 403 and code == 0:
        wait = wait_s or 600.0  # Bybit bans an address for ten minutes
        budgets.block("*", wait)
        raise BudgetSpent("Bybit 403 (address)", wait)
    if status == 429 or code in _TOO_MANY:
        wait = wait_s or 1.0
        budgets.block("*" if status == 429 or code == 10018 else window, wait)
        raise BudgetSpent(f"Bybit {code or status}", wait)
    if code in _UNKNOWN_OUTCOME or status >= 500 or status == 408:
        raise NoAnswer(f"Bybit answered {status} {code}: what became of the request is unknown")
    if code == 10002:
        raise LoginRefused(_CLOCK)
    if code in _LOGIN:
        raise LoginRefused(f"Bybit: {_LOGIN[code]} (error {code})")
    if code in _NO_ORDER:
        raise NoSuchOrder(str(code), text)
    ours = _CODES.get(code, (ReturnCode.ERR_PARAMS, ""))
    raise Refusal(str(code), text or f"HTTP {status}", *ours)


def login_refused(code: int | None, text: str) -> LoginRefused:
    """A socket's refusal to log us in; the private socket tells it in words only."""
    told = text.partition("[")[0][:120]  # brackets hold what was sent, the key among it
    words = told.lower()
    if code == 10002 or "expire" in words or "timestamp" in words:
        return LoginRefused(_CLOCK)
    if code in _LOGIN:
        return LoginRefused(f"Bybit: {_LOGIN[code]} (error {code})")
    if "sign" in words:
        return LoginRefused(f"Bybit: {_SECRET}")
    if "key" in words:
        return LoginRefused(f"Bybit: {_LOGIN[10003]}")
    return LoginRefused(f"Bybit refuses the log-in: {told}; check key and secret")
