"""Turns columns of decimal text into exact integers, many lines at a time, never through float.

A block is parsed column by column: all first characters of the column in one numpy step, then all
second characters, and so on. A price column of seven characters costs seven steps, however many
rows it has.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from tradeloom.marketdata.limits import MANTISSA_MAX
from tradeloom.marketdata.quotes import Int64Array

_COMMA: Final = ord(",")
_NEWLINE: Final = ord("\n")
_DOT: Final = ord(".")
_ZERO: Final = ord("0")
# 2**63 has 19 digits; with a point that makes 20 characters.
_CHARACTERS_MAX: Final = 20
_POWERS: Final[Int64Array] = np.array([10**power for power in range(19)], np.int64)

# The largest integer that may still be multiplied by that power.
_LARGEST: Final[Int64Array] = MANTISSA_MAX // _POWERS


class BadLineError(Exception):
    """A line that is not what its format says; `row` counts lines of the block from 0."""

    def __init__(self, row: int, problem: str) -> None:
        self.row = row
        self.problem = problem
        super().__init__(problem)


class Decimals(NamedTuple):
    """Exact decimal numbers: number = value / 10**places, row by row."""

    value: Int64Array
    places: Int64Array


def parse_columns(block: bytes, count: int) -> list[Decimals]:
    """Parse lines of `count` comma-separated unsigned decimals; every line ends in a newline.

    Raises BadLineError for the first line with another number of fields, or with a field that is
    empty, not a plain decimal number, or too large for 64 bits.
    """
    text = np.frombuffer(block, np.uint8)
    newlines = text == _NEWLINE
    separators = np.flatnonzero(newlines | (text == _COMMA))
    rows, left = divmod(len(separators), count)
    if left or not _regular(newlines, separators, rows, count):
        raise _first_irregular(block, count)
    ends = separators.reshape(rows, count)
    starts = np.empty_like(ends)
    starts[:, 1:] = ends[:, :-1] + 1
    starts[1:, 0] = ends[:-1, -1] + 1
    starts[:1, 0] = 0
    return [_parse(text, starts[:, i].copy(), ends[:, i] - starts[:, i], i) for i in range(count)]


def rescale(numbers: Decimals, places: int) -> tuple[Int64Array, npt.NDArray[np.bool_]]:
    """Express `numbers` as integers with `places` decimal places.

    Returns the integers and a mask of the rows where that is exact and within 2**62; others hold 0.
    """
    value = numbers.value
    shift = places - numbers.places
    low, high = int(shift.min(initial=0)), int(shift.max(initial=0))
    if not -18 <= low <= high <= 18:
        return np.zeros_like(value), np.zeros(len(value), np.bool_)
    # Integer division is slow and rarely needed: limits come from a table, most rows are not cut.
    exact = value <= _LARGEST[np.maximum(shift, 0)]
    if low < 0:
        down = _POWERS[np.maximum(-shift, 0)]
        exact &= value % down == 0
        value = value // down
    if high > 0:
        value = np.where(exact, value, 0) * _POWERS[np.maximum(shift, 0)]
    elif not exact.all():
        value = np.where(exact, value, 0)
    return value, exact


def places_needed(numbers: Decimals, at_least: int) -> int:
    """Find the fewest decimal places, not below `at_least`, that hold every number exactly."""
    places = at_least
    value, has = numbers
    while True:
        finer = has > places
        if not finer.any():
            return places
        value, has = value[finer], has[finer]
        if not (value % _POWERS[has - places]).any():
            return places
        places += 1


def _regular(
    newlines: npt.NDArray[np.bool_], separators: npt.NDArray[np.intp], rows: int, count: int
) -> bool:
    """Say whether exactly every `count`-th separator is a newline."""
    is_newline = newlines[separators].reshape(rows, count)
    return bool(is_newline[:, -1].all()) and not is_newline[:, :-1].any()


def _first_irregular(block: bytes, count: int) -> BadLineError:
    for row, line in enumerate(block.split(b"\n")):
        fields = line.count(b",") + 1
        if fields != count or not line:
            shown = line[:60].decode("ascii", "replace")
            return BadLineError(row, f"{fields} fields instead of {count} in {shown!r}")
    return BadLineError(0, f"lines do not have {count} fields")


def _parse(
    text: npt.NDArray[np.uint8], start: npt.NDArray[np.intp], length: npt.NDArray[np.intp], i: int
) -> Decimals:
    value = np.zeros(len(start), np.int64)
    places = np.zeros(len(start), np.int64)
    if not len(start):
        return Decimals(value, places)
    shortest, longest = int(length.min()), int(length.max())
    bad = (length < 1) | (length > _CHARACTERS_MAX)
    after_dot = np.zeros(len(start), np.bool_)
    has_dot = False
    for k in range(min(longest, _CHARACTERS_MAX)):
        # Past the end of a short field this reads its separator or a neighbour; `live` masks it.
        character = text[np.minimum(start + k, len(text) - 1)]
        digit = character - np.uint8(_ZERO)
        is_digit = digit <= 9
        is_dot = character == _DOT
        if k >= shortest:
            live = length > k
            is_digit &= live
            is_dot &= live
            bad |= live & ~(is_digit | is_dot)
        else:
            bad |= ~(is_digit | is_dot)
        if is_digit.all():
            value *= 10
            value += digit
        else:
            value = np.where(is_digit, value * 10 + digit, value)
        if has_dot:
            places += after_dot & is_digit
            bad |= after_dot & is_dot
        if is_dot.any():
            has_dot = True
            after_dot |= is_dot
    digits = length - after_dot
    # 19 digits may pass 2**63, which shows as a negative value; 20 may wrap unseen.
    bad |= (digits < 1) | (digits > 19) | (value < 0)
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        at = int(start[row])
        shown = text[at : at + min(int(length[row]), 60)].tobytes().decode("ascii", "replace")
        raise BadLineError(row, f"field {i + 1} is not a plain decimal number: {shown!r}")
    return Decimals(value, places)
