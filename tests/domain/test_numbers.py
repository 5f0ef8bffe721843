"""Numbers are exact or refused: nothing is rounded, nothing passes through float."""

from __future__ import annotations

from decimal import Decimal, localcontext
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradeloom.domain import numbers
from tradeloom.domain.enums import ReturnCode
from tradeloom.domain.errors import BadNumber


@pytest.mark.parametrize(
    ("value", "digits", "expected"),
    [
        ("1.10002", 5, 110002),
        (Decimal("1.10002"), 5, 110002),
        (7, 5, 700000),
        ("-0.00001", 5, -1),
        ("+1.", 2, 100),
        (".5", 2, 50),
        ("1.1000000", 5, 110000),
        (Decimal("1E+3"), 2, 100000),
        (Decimal("0E+999999"), 8, 0),
        ("0", 0, 0),
    ],
)
def test_exact_values(value: Any, digits: int, expected: int) -> None:
    assert numbers.mantissa(value, digits, "price") == expected


@pytest.mark.parametrize(
    ("value", "code", "says"),
    [
        ("NaN", ReturnCode.ERR_PARAMS, "plain decimal"),
        ("Infinity", ReturnCode.ERR_PARAMS, "plain decimal"),
        (Decimal("NaN"), ReturnCode.ERR_PARAMS, "finite"),
        (Decimal("sNaN"), ReturnCode.ERR_PARAMS, "finite"),
        (Decimal("-Infinity"), ReturnCode.ERR_PARAMS, "finite"),
        ("1e5", ReturnCode.ERR_PARAMS, "plain decimal"),
        ("1_000", ReturnCode.ERR_PARAMS, "plain decimal"),
        ("١", ReturnCode.ERR_PARAMS, "plain decimal"),
        (" 1", ReturnCode.ERR_PARAMS, "plain decimal"),
        ("", ReturnCode.ERR_PARAMS, "plain decimal"),
        ("1" * 65, ReturnCode.ERR_PARAMS, "64 characters"),
        ("1.000001", ReturnCode.ERR_PARAMS, "more than 5 decimals"),
        (Decimal("1E-999999"), ReturnCode.ERR_PARAMS, "more than 5 decimals"),
        (Decimal("1E+999999"), ReturnCode.OVERFLOW, "larger than allowed"),
        ("99999999999999999999", ReturnCode.OVERFLOW, "larger than allowed"),
        (1.5, ReturnCode.ERR_PARAMS, "pass a string or Decimal"),
        (float("nan"), ReturnCode.ERR_PARAMS, "pass a string or Decimal"),
        (True, ReturnCode.ERR_PARAMS, "bool"),
        (None, ReturnCode.ERR_PARAMS, "NoneType"),
        (b"1", ReturnCode.ERR_PARAMS, "bytes"),
    ],
)
def test_what_is_refused_says_where_and_why(value: Any, code: ReturnCode, says: str) -> None:
    with pytest.raises(BadNumber, match=says) as caught:
        numbers.mantissa(value, 5, "price")
    assert (caught.value.code, caught.value.field) == (code, "price")


@given(st.integers(-numbers.I128_MAX, numbers.I128_MAX), st.integers(0, 12))
def test_there_and_back(number: int, digits: int) -> None:
    with localcontext() as context:
        context.prec = 3
        shown = numbers.decimal(number, digits)
        kept = numbers.decimal(number, digits, keep=0)
        assert numbers.mantissa(shown, digits, "x", numbers.I128_MAX) == number
        assert numbers.mantissa(kept, digits, "x", numbers.I128_MAX) == number
        assert numbers.mantissa(f"{shown:f}", digits, "x", numbers.I128_MAX) == number


def test_how_numbers_are_shown() -> None:
    assert str(numbers.decimal(110000, 5)) == "1.10000"
    assert str(numbers.amount(1_000_000_000_000)) == "10000.00"
    assert str(numbers.amount(0)) == "0.00"
    assert str(numbers.lots(10_000_000)) == "0.10"
    assert str(numbers.lots(123_456)) == "0.00123456"
    assert str(numbers.ratio(50_000)) == "0.05"
