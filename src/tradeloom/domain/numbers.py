"""Exact numbers: decimal text and `Decimal` to the integer mantissas of the core, and back.

A float is refused, never converted: 0.1 is not the number its writer meant. Nothing here depends
on the decimal context, so a value is never rounded on the way.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from tradeloom.domain.enums import ReturnCode
from tradeloom.domain.errors import BadNumber

Number = Decimal | str | int
"""What a user may pass for a price, volume or amount."""

PRICE_DIGITS_MAX: Final = 12
VOLUME_DIGITS: Final = 8
MONEY_DIGITS: Final = 8
RATIO_DIGITS: Final = 6
TEXT_LENGTH_MAX: Final = 64  # no number in range needs more; bounds the work on hostile text

I64_MAX: Final = 2**63 - 1
I128_MAX: Final = 2**127 - 1

_TEXT: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)", re.ASCII)
_ADJUSTED_MAX: Final = 60  # magnitude 10^60: beyond any range, before an integer is built


def parse(value: Number, field: str) -> Decimal:
    """The exact `Decimal` of what a user passed for `field`.

    Raises `BadNumber` for floats, NaN, infinities, exponents in text and anything else that is not
    a plain decimal number.
    """
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise _bad(field, f"{value} is not a finite number")
        return value
    if isinstance(value, bool):
        raise _bad(field, "a bool is not a number")
    if isinstance(value, int):
        return Decimal(value)
    if isinstance(value, str):
        if len(value) > TEXT_LENGTH_MAX:
            raise _bad(field, f"longer than {TEXT_LENGTH_MAX} characters")
        if not _TEXT.fullmatch(value):
            raise _bad(field, f"{value!r} is not a plain decimal number such as '1.25'")
        return Decimal(value)
    if isinstance(value, float):
        raise _bad(field, f'the float {value!r} is not exact; pass a string or Decimal("…")')
    raise _bad(field, f"a {type(value).__name__} is not a number; pass a string or Decimal")


def mantissa(value: Number, digits: int, field: str, limit: int = I64_MAX) -> int:
    """`value` × 10^digits as an integer of magnitude `limit` at most.

    Raises `BadNumber`: ERR_PARAMS when it has more than `digits` decimals or is no number, OVERFLOW
    when it is too large.
    """
    number = parse(value, field)
    if not number:
        return 0
    if number.adjusted() > _ADJUSTED_MAX:
        raise _too_large(field, number)
    if number.adjusted() < -_ADJUSTED_MAX:
        raise _bad(field, f"{number} has more than {digits} decimals")
    numerator, denominator = number.as_integer_ratio()
    scale: int = 10**digits
    whole, rest = divmod(numerator * scale, denominator)
    if rest:
        raise _bad(field, f"{number} has more than {digits} decimals")
    if abs(whole) > limit:
        raise _too_large(field, number)
    return whole


def decimal(number: int, digits: int, keep: int | None = None) -> Decimal:
    """`number` × 10^-digits, exactly; trailing zeros beyond `keep` decimals are dropped."""
    if keep is not None:
        while digits > keep and number % 10 == 0:
            number //= 10
            digits -= 1
    return Decimal(f"{number}E-{digits}") if digits else Decimal(number)


def volume(value: Number, field: str = "volume") -> int:
    """Lots as the core counts them: units of 1e-8 lot."""
    return mantissa(value, VOLUME_DIGITS, field)


def lots(number: int) -> Decimal:
    """Lots of a volume in units of 1e-8 lot."""
    return decimal(number, VOLUME_DIGITS, keep=2)


def money(value: Number, field: str = "amount") -> int:
    """An amount of a currency as the core counts it: units of 1e-8."""
    return mantissa(value, MONEY_DIGITS, field, I128_MAX)


def amount(number: int) -> Decimal:
    """The amount of a currency behind units of 1e-8."""
    return decimal(number, MONEY_DIGITS, keep=2)


def ppm(value: Number, field: str) -> int:
    """A ratio (0.05 is five percent) in millionths."""
    return mantissa(value, RATIO_DIGITS, field)


def ratio(number: int) -> Decimal:
    """The ratio behind a number of millionths."""
    return decimal(number, RATIO_DIGITS, keep=0)


def _bad(field: str, why: str) -> BadNumber:
    return BadNumber(
        ReturnCode.ERR_PARAMS, field, f"{ReturnCode.ERR_PARAMS.name} (13) in {field}: {why}"
    )


def _too_large(field: str, number: Decimal) -> BadNumber:
    code = ReturnCode.OVERFLOW
    shown = f"{number:.3e}"
    return BadNumber(
        code, field, f"{code.name} ({code.number}) in {field}: {shown} is larger than allowed"
    )
