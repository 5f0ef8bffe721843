"""Numbers of frames come back as the integers that were written, or not at all."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tradeloom.connectors.scaling import (
    OffGrid,
    digits_of,
    exact_points,
    exact_sizes,
    points,
    price_text,
    size_text,
    sizes,
)


@st.composite
def texts(draw: st.DrawFn) -> tuple[str, int]:
    """A decimal of up to 15 significant digits, and how many of them are behind the point."""
    mantissa = draw(st.integers(-(10**15) + 1, 10**15 - 1))
    decimals = draw(st.integers(0, 12))
    return f"{Decimal(mantissa).scaleb(-decimals):f}", decimals


@given(texts(), st.integers(0, 12))
@example(("61800.01", 2), 2)
@example(("1.001", 3), 0)
@example(("1.00001", 5), 2)
@example(("0.00000001", 8), 8)
@example(("999999999999999", 0), 0)
def test_a_price_is_exact_or_off_the_grid(text: tuple[str, int], digits: int) -> None:
    value = Decimal(text[0]).scaleb(digits)
    fits = value == value.to_integral_value() and abs(value) < 2**63 - 1
    if fits:
        assert points(float(text[0]), float(10**digits)) == int(value)
        assert exact_points(text[0], digits) == int(value)
        assert price_text(int(value), digits) == Decimal(text[0])
    else:
        with pytest.raises(OffGrid):
            points(float(text[0]), float(10**digits))
        with pytest.raises(OffGrid):
            exact_points(text[0], digits)


@given(texts())
@example(("0.00000001999", 11))
@example(("1.999999999", 9))
def test_a_size_is_exact_and_cut_after_eight_decimals(text: tuple[str, int]) -> None:
    value = Decimal(text[0])
    if abs(value) >= 10**11:
        with pytest.raises(OffGrid):
            sizes(float(text[0]))
        return
    cut = int(value * 10**8)  # towards zero
    assert sizes(float(text[0])) == exact_sizes(text[0]) == cut
    assert size_text(cut) == Decimal(cut).scaleb(-8)
    assert "E" not in str(size_text(cut)) or cut == 0 or abs(size_text(cut)) < Decimal("0.00001")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 1e300])
def test_what_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(OffGrid):
        points(value, 100.0)
    with pytest.raises(OffGrid):
        sizes(value)


@pytest.mark.parametrize(
    ("step", "digits"),
    [("0.01000000", 2), ("1", 0), ("10", 0), ("1e1", 0), ("0.5", 1), ("1E-7", 7)],
)
def test_decimals_of_a_step(step: str, digits: int) -> None:
    assert digits_of(step) == digits
