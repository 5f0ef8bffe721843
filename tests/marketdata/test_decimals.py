"""Text becomes integers exactly: judged by Python's own Decimal, row by row."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradeloom.marketdata.limits import MANTISSA_MAX
from tradeloom.marketdata.recordings.decimals import (
    BadLineError,
    Decimals,
    parse_columns,
    places_needed,
    rescale,
)

number = st.one_of(
    st.integers(0, 2**63 - 1).map(str),
    st.tuples(st.integers(0, 10**9), st.text("0123456789", max_size=9)).map(
        lambda parts: f"{parts[0]}.{parts[1]}"
    ),
    st.text("0123456789", min_size=1, max_size=9).map(lambda digits: f".{digits}"),
)
rows = st.lists(st.tuples(number, number, number), max_size=30)


def _numbers(values: list[int], places: list[int]) -> Decimals:
    return Decimals(np.array(values, np.int64), np.array(places, np.int64))


@given(rows)
def test_every_number_is_exact(table: list[tuple[str, str, str]]) -> None:
    block = "".join(",".join(row) + "\n" for row in table).encode()
    columns = parse_columns(block, 3)
    for position, column in enumerate(columns):
        for row, value, places in zip(table, *column, strict=True):
            assert Decimal(int(value)).scaleb(-int(places)) == Decimal(row[position])


@given(rows, st.integers(0, 12))
def test_rescale_is_exact_or_says_so(table: list[tuple[str, str, str]], places: int) -> None:
    block = "".join(",".join(row) + "\n" for row in table).encode()
    column = parse_columns(block, 3)[0]
    for row, value, exact in zip(table, *rescale(column, places), strict=True):
        wanted = Decimal(row[0]).scaleb(places)
        fits = wanted == int(wanted) and wanted <= MANTISSA_MAX
        assert exact == fits
        assert value == (wanted if fits else 0)


@pytest.mark.parametrize(
    ("block", "row", "part"),
    [
        (b"1,2,3\n1,2\n", 1, "2 fields"),
        (b"1,2,3,4\n", 0, "4 fields"),
        (b"1,2\n3,4,5,6\n", 0, "2 fields"),
        (b"1,2,3\n\n", 1, "1 fields"),
        (b"1,2,3\n1,-2,3\n", 1, "'-2'"),
        (b"1,2,nan\n", 0, "'nan'"),
        (b"1,,3\n", 0, "''"),
        (b"1,.,3\n", 0, "'.'"),
        (b"1,2.3.4,3\n", 0, "'2.3.4'"),
        (b"1,1e5,3\n", 0, "'1e5'"),
        (b"1,2,3\n9223372036854775808,2,3\n", 1, "9223372036854775808"),
        (b"99999999999999999999,2,3\n", 0, "99999999999999999999"),
        (b"1,2,3\n1, 2,3\n", 1, "' 2'"),
        (b"\xff\x00,2,3\n", 0, "field 1"),
    ],
)
def test_a_bad_line_is_named(block: bytes, row: int, part: str) -> None:
    with pytest.raises(BadLineError) as caught:
        parse_columns(block, 3)
    assert caught.value.row == row
    assert part in caught.value.problem


def test_the_largest_number_passes() -> None:
    (column,) = parse_columns(b"9223372036854775807\n", 1)
    assert column.value.tolist() == [2**63 - 1]


def test_places_needed_ignores_trailing_zeros() -> None:
    assert places_needed(_numbers([268250000000, 268251000000], [8, 8]), 0) == 2
    assert places_needed(_numbers([1290875, 129094], [3, 2]), 0) == 3
    assert places_needed(_numbers([5, 0], [0, 8]), 0) == 0
    assert places_needed(_numbers([5], [0]), 4) == 4
