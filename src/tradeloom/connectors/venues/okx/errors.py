"""OKX's codes as what they mean for an order."""

from __future__ import annotations

from typing import Final, NoReturn

from tradeloom.connectors.budgets import Budgets, BudgetSpent
from tradeloom.connectors.dialect import NoSuchOrder, Refusal
from tradeloom.connectors.link import LoginRefused
from tradeloom.connectors.rest import NoAnswer
from tradeloom.domain.enums import ReturnCode

_UNKNOWN_OUTCOME: Final = frozenset({"50001", "50004", "50013", "50026", "51149", "50005"})
_TOO_MANY: Final = frozenset({"50011", "50061", "60014"})
_NO_ORDER: Final = frozenset(
    {"51400", "51401", "51402", "51405", "51410", "51503", "51509", "51510", "51603"}
)
_CLOCK: Final = "OKX refuses our timestamps: this machine's clock is wrong; synchronise it (NTP)"
_CLOCK_CODES: Final = frozenset({"50102", "50112", "60004", "60006"})
_KEY: Final = "the API key is unknown: enter it again, or make a new one"
_SECRET: Final = "the signature is wrong: the secret does not belong to this API key"  # noqa: S105
_PASSPHRASE: Final = "the passphrase is wrong: it is the one chosen when the key was made"  # noqa: S105
_LOGIN: Final = {
    "50100": "the API is frozen for this account: ask OKX why",
    "50101": "the API key is of another environment: demo keys work on demo trading only",
    "50103": _KEY,
    "50104": _PASSPHRASE,
    "50105": _PASSPHRASE,
    "50107": _SECRET,
    "50110": "this address is not on the key's list: add it, or use a key without a list",
    "50111": _KEY,
    "50113": _SECRET,
    "50114": "the API key was not accepted: check its permissions",
    "50119": _KEY,
    "50120": "the API key lacks a permission: allow it to read and trade",
    "60001": _KEY,
    "60002": _PASSPHRASE,
    "60005": _KEY,
    "60007": _SECRET,
    "60008": "the private address is needed for this: check the URLs of this venue",
    "60009": "the log-in failed: enter key, secret and passphrase again",
    "60011": "the socket is not logged in: check key, secret and passphrase",
    "60024": _PASSPHRASE,
    "60032": _KEY,
}
_CODES: Final[dict[str, tuple[ReturnCode, str]]] = {
    "51001": (ReturnCode.SYMBOL_NOT_FOUND, "symbol"),
    "51004": (ReturnCode.TRADE_BAD_VOLUME, "volume"),
    "51005": (ReturnCode.TRADE_BAD_VOLUME, "volume"),
    "51006": (ReturnCode.COLLAR, "price"),
    "51008": (ReturnCode.TRADE_NO_MONEY, "volume"),
    "51010": (ReturnCode.TRADE_DISABLE, ""),
    "51016": (ReturnCode.DUPLICATE_ID, "client_id"),
    "51020": (ReturnCode.TRADE_BAD_VOLUME, "volume"),
    "51021": (ReturnCode.TRADE_MARKET_CLOSED, "symbol"),
    "51022": (ReturnCode.TRADE_MARKET_CLOSED, "symbol"),
    "51026": (ReturnCode.SYMBOL_NOT_FOUND, "symbol"),
    "51027": (ReturnCode.TRADE_MARKET_CLOSED, "symbol"),
    "51028": (ReturnCode.TRADE_MARKET_CLOSED, "symbol"),
    "51112": (ReturnCode.REDUCE_ONLY, "volume"),
    "51113": (ReturnCode.TOO_FREQUENT, ""),
    "51119": (ReturnCode.TRADE_NO_MONEY, "volume"),
    "51120": (ReturnCode.TRADE_BAD_VOLUME, "volume"),
    "51121": (ReturnCode.TRADE_BAD_VOLUME, "volume"),
    "51124": (ReturnCode.TRADE_MARKET_CLOSED, "symbol"),
    "51127": (ReturnCode.TRADE_NO_MONEY, "volume"),
    "51131": (ReturnCode.TRADE_NO_MONEY, "volume"),
    "51136": (ReturnCode.COLLAR, "price"),
    "51137": (ReturnCode.COLLAR, "price"),
    "51138": (ReturnCode.COLLAR, "price"),
    "51169": (ReturnCode.REDUCE_ONLY, "reduce_only"),
    "51170": (ReturnCode.REDUCE_ONLY, "reduce_only"),
    "51202": (ReturnCode.TRADE_BAD_VOLUME, "volume"),
    "51203": (ReturnCode.TRADE_BAD_VOLUME, "volume"),
}
_TOO_MANY_S: Final = 2.0  # every window of OKX is two seconds long


def refuse(
    status: int, code: str, text: str, budgets: Budgets, window: str, wait_s: float
) -> NoReturn:
    """Raise what an error means. `window` is the budget that the call took from, `wait_s` what the
    venue said (0: nothing).
    """
    if status == 429 or code in _TOO_MANY:
        wait = wait_s or _TOO_MANY_S
        budgets.block("*" if code == "50061" else window, wait)
        raise BudgetSpent(f"OKX {code or status}", wait)
    if code in _CLOCK_CODES:
        raise LoginRefused(_CLOCK)
    if code in _LOGIN:
        raise LoginRefused(f"OKX: {_LOGIN[code]} (error {code})")
    if code in _UNKNOWN_OUTCOME or status >= 500 or status == 408:
        raise NoAnswer(f"OKX answered {status} {code}: what became of the request is unknown")
    if code in _NO_ORDER:
        raise NoSuchOrder(code, text)
    ours = _CODES.get(code, (ReturnCode.ERR_PARAMS, ""))
    raise Refusal(code, text or f"HTTP {status}", *ours)
