"""Values as they stand on our wires: decimal strings, RFC 3339 times, words for numbers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum, IntEnum, IntFlag
from functools import lru_cache
from typing import Any, Final

import msgspec

_NS: Final = 1_000_000_000
# Fields that hold a time in UTC nanoseconds; zero means none.
_TIMES: Final = {
    "ts": "time",
    **{name: name for name in ("opened", "expire", "created", "updated", "closed")},
}
# Engine words that are not for the outside, and how the others are called there.
RENAMED: Final = {"kind": "type", "type_": "type"}


@lru_cache(maxsize=64)
def _second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def rfc3339(ns: int) -> str:
    """UTC nanoseconds as RFC 3339 text, to the nanosecond."""
    second, rest = divmod(ns, _NS)
    return f"{_second(second)}.{rest:09d}Z"


def nanoseconds(text: str) -> int:
    """RFC 3339 text as UTC nanoseconds; raises ValueError."""
    head, dot, tail = text.partition(".")
    if not dot:
        return int(_aware(text).timestamp()) * _NS
    digits = tail.rstrip("Zz")
    zone = "Z"
    for sign in "+-":
        if sign in digits:
            digits, _, offset = digits.partition(sign)
            zone = sign + offset
    if not digits.isascii() or not digits.isdigit() or len(digits) > 9:
        raise ValueError(f"{text!r} is not an RFC 3339 time")
    return int(_aware(head + zone).timestamp()) * _NS + int(digits.ljust(9, "0"))


def _aware(text: str) -> datetime:
    when = datetime.fromisoformat(text.replace("Z", "+00:00").replace("z", "+00:00"))
    if when.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return when


def number(value: Decimal) -> str:
    """A decimal as plain text, never with an exponent."""
    return format(value, "f")


def wire(value: Any) -> Any:
    """A value of ours as what JSON and MessagePack can hold."""
    make = _MAKERS.get(type(value))
    if make is not None:
        return make(value)
    if isinstance(value, msgspec.Struct):
        return fields(value)
    if isinstance(value, IntFlag):
        return [flag.name.lower() for flag in type(value) if flag in value and flag.name]
    if isinstance(value, IntEnum):
        return value.name.lower()
    if isinstance(value, Enum):
        return value.value  # words: enumerations of numbers were above
    if isinstance(value, dict):
        return {str(key): wire(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [wire(each) for each in value]
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no wire form")


def fields(value: msgspec.Struct) -> dict[str, Any]:
    """A struct as an object."""
    made: dict[str, Any] = {}
    for name in value.__struct_fields__:
        item = getattr(value, name)
        if name in _TIMES:
            made[_TIMES[name]] = rfc3339(item) if item else None
        else:
            made[RENAMED.get(name, name)] = wire(item)
    return made


def _same(value: Any) -> Any:
    return value


_MAKERS: Final[dict[type, Callable[[Any], Any]]] = {
    int: _same,
    float: _same,
    str: _same,
    bool: _same,
    type(None): _same,
    Decimal: number,
    tuple: lambda value: [wire(each) for each in value],
}
