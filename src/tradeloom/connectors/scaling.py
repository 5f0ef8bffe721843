"""Numbers of a frame to integers of ours, fast and without guessing.

Frames are decoded to floats, as that is four times cheaper than Decimal. A text of up to 15
significant digits comes back from its float unchanged, so the integer made here is the one that
was written: products below 2**49 round to it at once, all others go through the shortest text of
the float. A price between two steps of the instrument's digits is refused, not rounded.
"""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal
from typing import Final

from tradeloom.domain.market import SIZE_DIGITS, SIZE_SCALE

_EXACT: Final = float(2**49)
# Two roundings, of the text and of the product: less than a unit in the 15th digit.
_OFF: Final = 2.0**-51
_I64_MAX: Final = 2**63 - 1


class OffGrid(ValueError):  # noqa: N818
    """A price has more decimals than its instrument, or no number was written at all."""


def points(value: float, scale: float) -> int:
    """A price as a mantissa; `scale` is 10**digits. Raises OffGrid."""
    product = value * scale
    if -_EXACT < product < _EXACT:
        mantissa = round(product)
        if mantissa == product or abs(product - mantissa) <= abs(product) * _OFF:
            return mantissa
    return _exact(value, scale)


def sizes(value: float) -> int:
    """A size in units of 1e-8; what is finer is cut off. Raises OffGrid."""
    product = value * 1e8
    if -_EXACT < product < _EXACT:
        mantissa = round(product)
        if mantissa == product or abs(product - mantissa) <= abs(product) * _OFF:
            return mantissa
    if not abs(value) < 1e11:
        raise OffGrid(f"{value} is no size")
    return int(Decimal(repr(value)).scaleb(SIZE_DIGITS).to_integral_value(ROUND_DOWN))


def _exact(value: float, scale: float) -> int:
    if not abs(value * scale) < _I64_MAX:
        raise OffGrid(f"{value} is no price")
    product = Decimal(repr(value)) * int(scale)
    mantissa = int(product)
    if product != mantissa:
        raise OffGrid(f"{value!r} has more decimals than the instrument")
    return mantissa


def exact_points(text: str | Decimal, digits: int) -> int:
    """The mantissa of a decimal text; raises OffGrid."""
    product = Decimal(text).scaleb(digits)
    if product != product.to_integral_value() or abs(product) > _I64_MAX:
        raise OffGrid(f"{text} does not fit {digits} decimals")
    return int(product)


def exact_sizes(text: str | Decimal) -> int:
    """A decimal text in units of 1e-8; what is finer is cut off."""
    return int((Decimal(text) * SIZE_SCALE).to_integral_value(ROUND_DOWN))


def digits_of(step: str | Decimal) -> int:
    """Decimals that a tick size needs: 2 for 0.01000000, 0 for 10 or 1e1."""
    normal = Decimal(step).normalize()
    exponent = normal.as_tuple().exponent
    return max(-exponent, 0) if isinstance(exponent, int) else 0


def price_text(mantissa: int, digits: int) -> Decimal:
    """The price behind a mantissa."""
    return Decimal(mantissa).scaleb(-digits)


def size_text(units: int) -> Decimal:
    """The size behind units of 1e-8, without trailing zeros."""
    value = Decimal(units).scaleb(-SIZE_DIGITS).normalize()
    return value if value.as_tuple().exponent <= 0 else value.quantize(Decimal(1))  # type: ignore[operator]
