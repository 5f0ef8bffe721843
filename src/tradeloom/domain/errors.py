"""What can go wrong with a command, as exceptions whose text says what, where and what to do.

    TradeloomError
    ├── Refused              malformed, unknown or impossible: it left no trace
    │   ├── BadNumber        a price, volume or amount that is not an exact number in range
    │   └── BadDefinition    an instrument, group or currency that contradicts itself
    ├── Rejected             understood, but the rules of trading say no: it is on record
    └── EngineStopped        the journal failed or the engine was closed: nothing more is accepted

`Refused` and `Rejected` carry the same three things as an answer on the wire: a `ReturnCode`, the
name of the offending field (empty: the command as a whole) and a message.
"""

from __future__ import annotations

from typing import Final

from tradeloom.domain.enums import ReturnCode

_Code = ReturnCode

# Code -> (what happened, what to do about it).
_EXPLAINED: Final[dict[ReturnCode, tuple[str, str]]] = {
    _Code.TOO_FREQUENT: ("too many commands in this second", "send fewer, or raise orders_per_s"),
    _Code.ERR_PARAMS: ("the value is not allowed", "correct it and send the command again"),
    _Code.ERR_NOTFOUND: ("there is nothing to act on", "look at the open positions and orders"),
    _Code.GROUP_NOT_FOUND: ("no such group", "define the group first"),
    _Code.SYMBOL_NOT_FOUND: ("no such instrument", "define the instrument first"),
    _Code.USER_NOT_FOUND: ("no such account", "open the account first"),
    _Code.USR_LOGIN_EXIST: ("the account exists already", "choose another number"),
    _Code.USR_HAS_TRADES: ("the account has positions or orders", "close and cancel them first"),
    _Code.ACCOUNT_DISABLED: ("the account is disabled", "enable it before trading"),
    _Code.TRADE_BAD_PRICES: ("the price cannot be used", "send a positive price on its side"),
    _Code.TRADE_BAD_STOPS: ("closer to the market than the stops level", "move the price away"),
    _Code.TRADE_BAD_VOLUME: (
        "the volume is outside minimum, maximum or step",
        "send a volume the instrument allows",
    ),
    _Code.TRADE_MARKET_CLOSED: ("the session is closed", "wait until it opens"),
    _Code.TRADE_DISABLE: ("trading this instrument is disabled", "change its trade mode"),
    _Code.TRADE_NO_MONEY: (
        "not enough free margin",
        "deposit, close something, or trade a smaller volume",
    ),
    _Code.TRADE_OFFQUOTES: ("there is no usable quote", "feed a fresh quote first"),
    _Code.TRADE_REQUOTE: ("the price moved past the allowed deviation", "take the new price"),
    _Code.TRADE_LONG_ONLY: ("only buying is allowed", "buy, or close what is open"),
    _Code.TRADE_ACCEPTED: ("accepted and on its way to the venue", "wait for the report"),
    _Code.TRADE_EXPIRATION_DENIED: ("the expiry is not allowed", "give a later time with GTD only"),
    _Code.TRADE_INVALID_SL_TP: (
        "the stop loss or take profit is on the wrong side or too close",
        "move it to its side of the price, past the stops level",
    ),
    _Code.TRADE_READ_ONLY: ("the account is read-only", "lift the flag before trading"),
    _Code.TRADE_INCORRECT_STATE: ("not possible in this state", "look at its state first"),
    _Code.TRADE_INCORRECT_CMD: ("this cannot be done with it", "choose a command that fits"),
    _Code.TRADE_INCORRECT_ORDER: (
        "no such order or position on this account",
        "look at the open positions and orders",
    ),
    _Code.LIMIT_REACHED: ("a limit of the group is reached", "reduce, or raise the limit"),
    _Code.DUPLICATE_ID: (
        "the id was used for another command",
        "use a new id for a new command, the same body to repeat",
    ),
    _Code.OVERFLOW: ("the number is larger than the engine can hold", "send a smaller one"),
    _Code.TIME_BACKWARDS: ("the time is before the last input", "send inputs in time order"),
    _Code.BAD_RECORD: ("the record is malformed", "encode it as docs/engine says"),
    _Code.UNKNOWN_KIND: ("this kind of record is not known", "check the version of the sender"),
    _Code.SHORT_ONLY: ("only selling is allowed", "sell, or close what is open"),
    _Code.CLOSE_ONLY: ("only closing is allowed", "close what is open"),
    _Code.HALTED: ("trading is halted", "set the trading state back to ACTIVE"),
    _Code.REDUCE_ONLY: ("only reducing is allowed", "close, or set the state back to ACTIVE"),
    _Code.COLLAR: ("too far from the market", "send a price inside the collar"),
    _Code.ACCOUNT_CLOSED: ("the account is closed", "use another account"),
    _Code.NOT_FILLED: ("could not be filled at once", "send it without FOK or IOC"),
    _Code.CURRENCY_NOT_FOUND: ("no such currency", "define the currency first"),
    _Code.BUSY: ("the queue is full", "wait and send the same id again"),
    _Code.JOURNAL_UNAVAILABLE: ("it could not be written to disk", "repair the disk and restart"),
}


def explain(code: ReturnCode, field: str = "", detail: str = "") -> str:
    """One line for people: what happened, in which field, what to do.

    `detail` replaces the general wording of what happened when more is known.
    """
    what, advice = _EXPLAINED.get(code, ("done", ""))
    where = f" in {field}" if field else ""
    tail = f"; {advice}" if advice else ""
    return f"{code.name} ({code.number}){where}: {detail or what}{tail}"


class TradeloomError(Exception):
    """Everything that Tradeloom raises on purpose."""


class _Answered(TradeloomError):  # noqa: N818
    """A command with a bad answer: `code`, `field` (empty: all of it) and a message."""

    def __init__(self, code: ReturnCode, field: str = "", message: str = "") -> None:
        self.code: Final = code
        self.field: Final = field
        super().__init__(message or explain(code, field))

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.code, self.field, str(self))


class Refused(_Answered):
    """Malformed, unknown or impossible: state, journal and ledger are unchanged."""


class BadNumber(Refused):
    """A number that is no number, not exact in the digits allowed, or out of range."""


class BadDefinition(Refused):
    """An instrument, group or currency that contradicts itself or is out of range."""


class Rejected(_Answered):
    """Understood, but the rules of trading say no; the attempt is on record."""


class EngineStopped(TradeloomError):  # noqa: N818
    """The engine was closed or its journal failed; open it again to go on."""
