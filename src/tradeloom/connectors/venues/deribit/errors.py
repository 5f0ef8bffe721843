"""Deribit's error codes in the words of the platform."""

from __future__ import annotations

from typing import Final

import msgspec

from tradeloom.connectors.dialect import NoSuchOrder, Refusal
from tradeloom.connectors.link import LoginRefused
from tradeloom.connectors.rest import NoAnswer
from tradeloom.connectors.venues.deribit.frames import RpcError
from tradeloom.domain.enums import ReturnCode

UNAUTHORISED: Final = 13009
BAD_CREDENTIALS: Final = 13004
TOO_MANY: Final = 10028
# When the venue names no time: its credit pool refills one call in 50 ms, all of it in 5 s.
TOO_MANY_WAIT_S: Final = 5.0

_GONE: Final = frozenset({10004, 10010, 10025, 10029, 11008, 11044})
_KEYS: Final = frozenset({9999, 10000, 12005, 13000, 13001, 13002, 13004, 13005, 13007})
# Failures inside the venue: what became of the request is not told.
_UNKNOWN: Final = frozenset({10001, 11094, 13008})

_Row = tuple[ReturnCode, str, str]
_ROWS: Final[dict[int, _Row]] = {
    10002: (ReturnCode.TRADE_BAD_VOLUME, "volume", "below the minimum; raise it"),
    10003: (ReturnCode.TRADE_INCORRECT_ORDER, "price", "it would trade with an order of yours"),
    10005: (ReturnCode.COLLAR, "price", "below the venue's band; raise it"),
    10006: (ReturnCode.COLLAR, "price", "too far below the index; raise it"),
    10007: (ReturnCode.COLLAR, "price", "above the venue's band; lower it"),
    10008: (ReturnCode.COLLAR, "price", "too far above the index; lower it"),
    10009: (ReturnCode.TRADE_NO_MONEY, "volume", "lower the volume or add funds"),
    10011: (ReturnCode.TRADE_BAD_PRICES, "price", "choose another"),
    10012: (ReturnCode.TRADE_MARKET_CLOSED, "symbol", "its book is closed"),
    10013: (ReturnCode.LIMIT_REACHED, "", "cancel open orders first"),
    10014: (ReturnCode.LIMIT_REACHED, "", "cancel open orders first"),
    10016: (ReturnCode.LIMIT_REACHED, "volume", "the open size is at the venue's limit"),
    10018: (ReturnCode.LIMIT_REACHED, "volume", "the position is at the venue's limit"),
    10019: (ReturnCode.TRADE_DISABLE, "", "the venue locked trading; wait for it"),
    10020: (ReturnCode.SYMBOL_NOT_FOUND, "symbol", "the venue lists no such instrument"),
    10021: (ReturnCode.TRADE_BAD_VOLUME, "volume", "use a multiple of the contract size"),
    10022: (ReturnCode.TRADE_BAD_VOLUME, "volume", "use a multiple of the contract size"),
    10023: (ReturnCode.TRADE_BAD_PRICES, "price", "use a multiple of the tick"),
    10026: (ReturnCode.TRADE_BAD_PRICES, "price", "use a multiple of the tick"),
    10027: (ReturnCode.TRADE_BAD_VOLUME, "volume", "use a multiple of the contract size"),
    10032: (ReturnCode.TRADE_BAD_VOLUME, "volume", "the order is worth too little"),
    10034: (ReturnCode.TRADE_BAD_STOPS, "stop_price", "too high"),
    10035: (ReturnCode.TRADE_BAD_STOPS, "stop_price", "too low"),
    10040: (ReturnCode.BUSY, "", "not taken; try again"),
    10041: (ReturnCode.TRADE_MARKET_CLOSED, "", "settlement runs for some seconds; try again"),
    10043: (ReturnCode.TRADE_BAD_PRICES, "price", "use a multiple of the tick"),
    10044: (ReturnCode.TRADE_BAD_STOPS, "stop_price", "use a multiple of the tick"),
    10047: (ReturnCode.TOO_FREQUENT, "", "the matching engine's queue is full; slow down"),
    11035: (ReturnCode.LIMIT_REACHED, "", "too many stop orders; cancel some"),
    11036: (ReturnCode.TRADE_BAD_STOPS, "stop_price", "on the wrong side of the market"),
    11042: (ReturnCode.TRADE_DISABLE, "", "the key lacks the scope trade:read_write"),
    11051: (ReturnCode.TRADE_MARKET_CLOSED, "", "the venue is under maintenance"),
    11054: (ReturnCode.TRADE_BAD_PRICES, "price", "a post-only order would trade at once"),
    13009: (ReturnCode.TRADE_DISABLE, "", "the sign-in ended; it is renewed"),
    13020: (ReturnCode.SYMBOL_NOT_FOUND, "symbol", "the venue lists no such instrument"),
    13021: (ReturnCode.TRADE_DISABLE, "", "the key lacks the scope this call needs"),
    13025: (ReturnCode.TRADE_DISABLE, "", "the venue switched this call off"),
    10028: (ReturnCode.TOO_FREQUENT, "", "the venue's rate limit; slow down"),
}
_FIELDS: Final = {
    "amount": "volume",
    "price": "price",
    "trigger_price": "stop_price",
    "label": "client_id",
    "instrument_name": "symbol",
    "order_id": "order",
}


class _Details(msgspec.Struct):
    reason: str = ""
    param: str = ""
    wait: float = 0.0


def details(error: RpcError) -> _Details:
    """The venue's own explanation, where there is one."""
    try:
        return msgspec.json.decode(error.data, type=_Details)
    except msgspec.DecodeError:
        return _Details()


def failure(error: RpcError) -> Exception:
    """What to raise for an error: Refusal, NoSuchOrder, LoginRefused or NoAnswer."""
    code = str(error.code)
    told = details(error)
    words = error.message + (f" ({told.param} {told.reason})" if told.reason else "")
    if error.code in _GONE:
        return NoSuchOrder(code, words)
    if error.code in _KEYS:
        return LoginRefused(key_advice(code, words))
    if error.code in _UNKNOWN:
        return NoAnswer(f"Deribit failed with {code} {words}")
    row = _ROWS.get(error.code)
    if row is not None:
        return Refusal(code, f"{words}: {row[2]}", row[0], row[1])
    return Refusal(code, words, ReturnCode.ERR_PARAMS, _FIELDS.get(told.param, ""))


def key_advice(code: str, words: str) -> str:
    """What a person should do about a refused key."""
    return (
        f"Deribit refused the key ({code} {words}): client id or client secret is wrong, or the "
        "key is one of the other environment (test.deribit.com and deribit.com have their own); "
        "put the right pair into the vault"
    )
